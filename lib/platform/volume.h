/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "platform/grubenv.h"

/*
 * A boot volume: a FAT file system labelled NEREID (USB stick) or NEREID0, NEREID1, ... (one on
 * each disk of the bootable pool), from which firmware and GRUB start a platform. The layout is
 * in piadm(8). The pool's master copies (dataset zones/boot) are kept in the same layout and
 * handled as one more volume nothing boots from.
 */
#define PLATFORM_LABEL "NEREID"
#define PLATFORM_POOL "zones"
#define PLATFORM_MASTER "zones/boot"

enum platform_volume_kind {
	PLATFORM_STICK,  /* NEREID */
	PLATFORM_ESP,    /* NEREIDn, of a pool's disk */
	PLATFORM_COPIES, /* the master copies on the pool */
};

/* One version on one volume. */
struct platform_version {
	char stamp[PLATFORM_STAMP_TEXT];
	bool whole;           /* manifest fits the files, by size */
	char why[480];        /* ... or why not */
	char kernel[64];      /* its release, "" : not known */
	uint64_t bytes;
};

struct platform_volume {
	enum platform_volume_kind kind;
	char *label;
	char *uuid;       /* "6A1F-33C2", NULL: a directory */
	char *device;     /* "/dev/sdb2", NULL: a directory */
	char *path;       /* where its files are; NULL while it is not mounted */
	bool booted;      /* the node was started from it */
	bool mounted;     /* by us */
	bool selected;    /* what the command is about (the others are dropped) */

	/* What platform_volume_read() found. */
	struct platform_grubenv env;
	bool env_good;    /* false: missing or corrupt, env is empty */
	struct nrd_err env_err;
	struct platform_version *data; /* sorted, oldest first */
	size_t len;
	size_t cap;
};

/* A volume that is a directory which is there already; caller owns. */
int platform_volume_init(struct platform_volume *v, enum platform_volume_kind kind,
			 const char *label, const char *path, struct nrd_err *err);
void platform_volume_fini(struct platform_volume *v); /* does not unmount */

/* True when the volume in path has the layout (and is not a stick with answers.json only). */
bool platform_volume_is_ours(const char *path);

/* Reads versions and environment anew. "VolumeRead". */
int platform_volume_read(struct platform_volume *v, struct nrd_err *err);

const struct platform_version *platform_volume_find(const struct platform_volume *v,
						    const char *stamp);

/* The version that the next boot starts from this volume, by the rules of grub.cfg; NULL: none. */
const struct platform_version *platform_volume_next(const struct platform_volume *v);

/* PATH/nereid/platform[/PREFIX STAMP]; caller frees; NULL: no memory. */
char *platform_volume_dir(const struct platform_volume *v, const char *prefix, const char *stamp);

/* Writes env to the volume; v->env is then env. Does nothing for PLATFORM_COPIES. */
int platform_volume_env_write(struct platform_volume *v, const struct platform_grubenv *env,
			      struct nrd_err *err);

/*
 * Copies the version in the directory from (its manifest is m) to the volume, whole or not at
 * all: aside, to the disk, compared, then renamed. A damaged one of that name is replaced.
 * done(arg, bytes) is called as bytes are written. "VolumeFull" (-ENOSPC), "PlatformDamaged",
 * "FileWrite".
 */
struct platform_source;
typedef void platform_bytes_fn(void *arg, uint64_t bytes);
int platform_volume_copy(struct platform_volume *v, const struct platform_source *src,
			 platform_bytes_fn *done, void *arg, struct nrd_err *err);

/* Takes a version away; never leaves half of one under its name. */
int platform_volume_remove(struct platform_volume *v, const char *stamp, struct nrd_err *err);

/* Removes what an interrupted copy or removal left. */
int platform_volume_clean(struct platform_volume *v, struct nrd_err *err);

/* Bytes free, and the bytes a copy of these needs (clusters and directories counted). */
int platform_volume_free(const struct platform_volume *v, uint64_t *ret_bytes,
			 struct nrd_err *err);
uint64_t platform_volume_needs(const struct platform_source *src);
