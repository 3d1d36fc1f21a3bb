/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "nrd/err.h"

/*
 * Files of a zone's root, handled from the node. Whoever is root in the zone laid them out, with
 * links that lead anywhere: every path is looked up inside the root, as the zone itself would. dir
 * is the root's descriptor; paths have no leading slash. Codes: "RootFile" with the cause's errno.
 */

/* Opens what is there, as openat2 with RESOLVE_IN_ROOT. -1 with errno. */
int brand_root_file(int dir, const char *path, int flags);

/*
 * Opens a regular file for reading, and nothing else: a device or a FIFO in the root is not
 * touched. -1 with errno.
 */
int brand_root_regular(int dir, const char *path);

bool brand_root_has(int dir, const char *path);

/* Directory, with what is missing above it; fine when it is there. Mode and owner are set anew. */
int brand_root_mkdir(int dir, const char *path, mode_t mode, struct nrd_err *err);

/* Replaces a file whole; a link at its place is replaced, not followed. Owner is 0:0. */
int brand_root_write(int dir, const char *path, const char *text, mode_t mode,
		     struct nrd_err *err);

/* Replaces what is there, unless it is a directory. */
int brand_root_symlink(int dir, const char *path, const char *target, struct nrd_err *err);

/* Fine when it is not there. Never follows a link at the end; directories are "RootFile". */
int brand_root_unlink(int dir, const char *path, struct nrd_err *err);

/*
 * Copies a file, link or directory with all below it, from below `from` (the platform, trusted)
 * into the root, with modes and owners. -ENOENT when it is not there.
 */
int brand_root_copy(int from, const char *path, int dir, const char *to, struct nrd_err *err);

/* Reads at most max bytes of a file of the root. Caller frees. "RootFile", "FileTooBig". */
int brand_root_read(int dir, const char *path, size_t max, char **ret_data, size_t *ret_len,
		    struct nrd_err *err);

/* Removes a directory on the node and everything in it, not crossing into other filesystems. */
int brand_tree_remove(const char *path, struct nrd_err *err);
