/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * Reading a tar file as it comes, POSIX's and GNU's: one member after the other, with the memory of
 * one member's headers. Nothing is made of it here. "TarFormat" (-EINVAL) for what breaks the
 * format's rules, and what the reader says.
 */
#define IMAGE_TAR_BLOCK     512
#define IMAGE_TAR_NAME_MAX  4096
#define IMAGE_TAR_EXTRA_MAX ((size_t)1 << 20) /* bytes of extended headers of one member */

/* Reads up to len bytes; 0: the end. */
typedef ssize_t image_tar_read_fn(void *arg, void *data, size_t len, struct nrd_err *err);

/* Goes on behind len bytes that nobody wants; NULL: they are read. */
typedef int image_tar_skip_fn(void *arg, uint64_t len, struct nrd_err *err);

enum image_tar_type {
	IMAGE_TAR_FILE,
	IMAGE_TAR_LINK, /* hard */
	IMAGE_TAR_SYMLINK,
	IMAGE_TAR_CHAR,
	IMAGE_TAR_BLOCKDEV,
	IMAGE_TAR_DIR,
	IMAGE_TAR_FIFO,
};

struct image_tar_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* One member; all of it is borrowed until the next. */
struct image_tar_entry {
	enum image_tar_type type;
	const char *name; /* as it stands there: hostile */
	const char *target; /* of links */
	uint64_t size;    /* of a file's contents */
	mode_t mode;      /* permissions alone */
	uint64_t uid, gid;
	int64_t mtime_s;
	uint32_t mtime_ns;
	unsigned major, minor;
	const struct image_tar_xattr *xattrs;
	size_t n_xattrs;
};

struct image_tar {
	image_tar_read_fn *read;
	image_tar_skip_fn *skip;
	void *arg;
	uint64_t offset; /* bytes that were taken */

	/* the module's own */
	uint64_t left, pad; /* of the member's contents, and behind it */
	struct nrd_buf name, target, pax;
	struct { struct image_tar_xattr *data; size_t len, cap; } xattrs;
	struct image_tar_entry entry;
	bool has_size, has_uid, has_gid, has_mtime;
	bool ended;
};

void image_tar_init(struct image_tar *tar, image_tar_read_fn *read, image_tar_skip_fn *skip, void *arg);

/* Of a regular file, from where it is; *fd is looked at whenever something is read. One that is shorter than it says: "TarFormat". */
void image_tar_init_fd(struct image_tar *tar, const int *fd);

void image_tar_fini(struct image_tar *tar);
void image_tar_cleanup(struct image_tar *tar);

/* The next member; what was not read of the one before is skipped. 0 at the end, else 1. */
int image_tar_next(struct image_tar *tar, const struct image_tar_entry **ret_entry, struct nrd_err *err);

/* Of the member's contents; 0 when there is no more. The contents end early: "TarFormat". */
ssize_t image_tar_data(struct image_tar *tar, void *data, size_t len, struct nrd_err *err);
