/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "nrd/schema.h"

/*
 * What an image is: its manifest, version 2. One table validates, reads, writes and frees it. A
 * manifest of version 1 becomes one of version 2 when it is read.
 *
 * Codes: "InvalidManifest" (-EINVAL) for what is no manifest at all, "ManifestValidation"
 * (-EINVAL) for a field that breaks its rule, which the message names.
 */
#define IMAGE_MANIFEST_MAX   ((size_t)1 << 20)
#define IMAGE_MANIFEST_DEPTH 16

#define IMAGE_OSES(X)                                                            \
	X(OTHER, "other") X(SMARTOS, "smartos") X(LINUX, "linux")                \
	X(WINDOWS, "windows") X(BSD, "bsd") X(ILLUMOS, "illumos")

/* An image whose manifest nobody knows has the first of them: it is none that can be booted. */
#define IMAGE_TYPES(X)                                                           \
	X(OTHER, "other") X(ZONE_DATASET, "zone-dataset")                        \
	X(LX_DATASET, "lx-dataset") X(ZVOL, "zvol") X(DOCKER, "docker")

#define IMAGE_STATES(X)                                                          \
	X(ACTIVE, "active") X(UNACTIVATED, "unactivated")                        \
	X(DISABLED, "disabled") X(FAILED, "failed") X(CREATING, "creating")

#define IMAGE_COMPRESSIONS(X)                                                    \
	X(NONE, "none") X(GZIP, "gzip") X(BZIP2, "bzip2") X(XZ, "xz") X(ZSTD, "zstd")

#define X(id, text) IMAGE_OS_##id,
enum image_os { IMAGE_OSES(X) };
#undef X
#define X(id, text) IMAGE_TYPE_##id,
enum image_type { IMAGE_TYPES(X) };
#undef X
#define X(id, text) IMAGE_STATE_##id,
enum image_state { IMAGE_STATES(X) };
#undef X
#define X(id, text) IMAGE_##id,
enum image_compression { IMAGE_COMPRESSIONS(X) };
#undef X

/* NULL terminated. */
extern const char *const image_os_names[], *const image_type_names[], *const image_state_names[],
	*const image_compression_names[];

struct image_file {
	struct nrd_present present;
	char *sha1; /* 40 hexadecimal digits, lower case */
	uint64_t size;
	int compression; /* enum image_compression, where it is present */
	char *dataset_guid;
};

struct image_network {
	struct nrd_present present;
	char *name;
	char *description;
};

struct image_requirements {
	struct nrd_present present;
	struct image_network *networks;
	size_t n_networks;
	char *brand;
	char *bootrom;
	bool ssh_key;
	uint64_t min_ram, max_ram; /* MiB */
	char **min_platform, **max_platform; /* "7.0", "YYYYMMDDTHHMMSSZ", ..., NULL */
};

struct image_user {
	struct nrd_present present;
	char *name;
};

struct image_manifest {
	struct nrd_present present;
	uint64_t v;
	char *uuid;
	char *owner;
	char *name;
	char *version;
	char *description;
	char *homepage;
	char *eula;
	int state; /* enum image_state */
	bool disabled;
	bool activated;
	bool public;
	char *published_at;
	int type;  /* enum image_type */
	int os;    /* enum image_os */
	char *origin; /* uuid of the image this one builds on */
	struct image_file *files; /* at most one */
	size_t n_files;
	uint64_t image_size; /* MiB, of a zvol */
	char *disk_driver;
	char *nic_driver;
	char *cpu_type;
	struct image_requirements *requirements;
	struct image_user *users;
	size_t n_users;
	bool generate_passwords;
	char **inherited_directories;
	char **acl;
	char **billing_tags;
	char **channels;
	char *traits; /* JSON, as the next three */
	char *tags;
	char *icon;
	char *error;
	char *urn;
};

extern const struct nrd_schema image_manifest_schema, image_file_schema;

#define IMAGE_HAS(m, member)      NRD_HAS(&image_manifest_schema, (m), member)
#define IMAGE_FILE_HAS(f, member) NRD_HAS(&image_file_schema, (f), member)

enum image_manifest_flags {
	IMAGE_FOREIGN = 1u << 0, /* from a server that may be newer: unknown fields are skipped */
};

int image_manifest_parse(const char *text, size_t len, unsigned flags,
			 struct image_manifest *ret_manifest, struct nrd_err *err);
int image_manifest_decode(const struct nrd_val *val, unsigned flags,
			  struct image_manifest *ret_manifest, struct nrd_err *err);

/* path "-": standard input. Also "FileOpen" and its like. */
int image_manifest_read(const char *path, struct image_manifest *ret_manifest,
			struct nrd_err *err);

/* Writes the fields that are given, as one object. */
void image_manifest_encode(const struct image_manifest *m, struct nrd_jw *w);

/* ret must be all zero. */
int image_manifest_copy(const struct image_manifest *m, struct image_manifest *ret,
			struct nrd_err *err);
void image_manifest_fini(struct image_manifest *m);
void image_manifest_cleanup(struct image_manifest *m);

/* The file of an image, NULL when the manifest names none. */
const struct image_file *image_manifest_file(const struct image_manifest *m);

/* As images are named: 8-4-4-4-12, lower case. "InvalidUUID" (-EINVAL). */
int image_uuid_check(const char *s, struct nrd_err *err);
bool image_uuid_valid(const char *s);
