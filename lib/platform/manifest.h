/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "nrd/schema.h"

/* manifest.json of a platform: what it is and what its files must be. nereid-platform(5). */
#define PLATFORM_MANIFEST "manifest.json"
#define PLATFORM_MANIFEST_MAX ((size_t)64 << 10)
#define PLATFORM_FILES_MAX 8
#define PLATFORM_FILE_MAX_BYTES UINT32_MAX /* what FAT can hold */
#define PLATFORM_KERNEL "kernel"
#define PLATFORM_ARCHIVE "boot_archive"

struct platform_file {
	struct nrd_present present;
	char *name;
	uint64_t size;
	char *sha256;
};

struct platform_manifest {
	struct nrd_present present;
	char *stamp;
	uint64_t version;
	struct platform_file *files; /* kernel and boot_archive are among them, no name twice */
	size_t n_files;
	char *kernel_release; /* may be NULL */
	char *created;        /* may be NULL */
	char *url;            /* in an index: where its tar file is, relative to the index */
};

extern const struct nrd_schema platform_manifest_schema;

void platform_manifest_fini(struct platform_manifest *m);
void platform_manifest_cleanup(struct platform_manifest *m);

/* "BadManifest" (-EBADMSG). ret_m must be all zero. */
int platform_manifest_parse(const char *text, size_t len, struct platform_manifest *ret_m,
			    struct nrd_err *err);

/* DIR/manifest.json. "FileOpen" (-ENOENT), "BadManifest". */
int platform_manifest_read(const char *dir, struct platform_manifest *ret_m, struct nrd_err *err);

/* Bytes of all files. */
uint64_t platform_manifest_bytes(const struct platform_manifest *m);

/* Are the files of dir there, with these sizes? "PlatformDamaged" (-EBADMSG). */
int platform_manifest_check_sizes(const struct platform_manifest *m, const char *dir,
				  struct nrd_err *err);

/* ... and these digests, as the disk (not the page cache) has them? "PlatformDamaged". */
int platform_manifest_check(const struct platform_manifest *m, const char *dir,
			    struct nrd_err *err);

/* An index: a list of manifests, sorted by stamp after reading, newest last. */
struct platform_index {
	struct platform_manifest *data;
	size_t len;
	size_t cap;
};

#define PLATFORM_INDEX_MAX ((size_t)1 << 20)

/* "BadIndex" (-EBADMSG). */
int platform_index_parse(const char *text, size_t len, struct platform_index *ret_index,
			 struct nrd_err *err);
void platform_index_fini(struct platform_index *index);
void platform_index_cleanup(struct platform_index *index);
