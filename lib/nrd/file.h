/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/*
 * Reads a whole file of at most max bytes into a NUL terminated string the caller frees; ret_len
 * may be NULL. "FileOpen", "FileRead" (errno of the cause, -ENOENT when missing), "FileTooBig"
 * (-EFBIG).
 */
int nrd_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len,
		  struct nrd_err *err);

/*
 * Replaces a file whole or not at all: temporary file beside it, fsync, rename, fsync of the
 * directory. After success the contents survive a power cut. A device or pipe is written to.
 * "FileWrite".
 */
int nrd_file_write(const char *path, const void *data, size_t len, mode_t mode,
		   struct nrd_err *err);

/* True when something is there (a dangling link counts). */
bool nrd_path_exists(const char *path);

/* "dir/name" with exactly one slash between; caller frees; NULL when out of memory. */
char *nrd_path_join(const char *dir, const char *name);

/*
 * Makes the directory and what is missing above it, each with mode; fine when it is there.
 * "MakeDirectory".
 */
int nrd_mkdir_p(const char *path, mode_t mode, struct nrd_err *err);

/* Writes everything, resuming short and interrupted writes. "FileWrite". */
int nrd_write_all(int fd, const void *data, size_t len, struct nrd_err *err);

/*
 * One-line kernel attributes (sysfs, procfs, cgroup), relative to dirfd or AT_FDCWD. Reading
 * trims and fails with "AttributeTooBig" when it does not fit; writing is one write(2) to the
 * existing file. "AttributeRead", "AttributeWrite", "BadNumber".
 */
int nrd_attr_read(int dirfd, const char *path, char *dst, size_t size, struct nrd_err *err);
int nrd_attr_read_u64(int dirfd, const char *path, uint64_t *ret_v, struct nrd_err *err);
int nrd_attr_write(int dirfd, const char *path, const char *value, struct nrd_err *err);
