/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/manifest.h"
#include "nrd/err.h"
#include "store/store.h"

/*
 * Bringing images on the node and off it. An image is built under the name POOL/UUID-partial and
 * gets its own name last: what was cut off (kill, power) is no image, and the next change destroys
 * it. What fails or is interrupted is undone at once.
 */
struct image_opts {
	const char *pool; /* NULL: IMAGE_POOL */

	/* Says what is going on, in one line; or NULL. */
	void (*note)(void *arg, const char *text);

	/* The same of every step; or NULL. */
	void (*trace)(void *arg, const char *text);

	/* Called now and then; total is 0 when not known. Or NULL. */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *arg;

	/* Set by a signal's handler: what is being done is undone, "Interrupted". Or NULL. */
	const volatile sig_atomic_t *stop;
};

/* The image's file, of which size and digest are in the manifest, where that names one. */
struct image_input {
	int fd;             /* a regular file; stays the caller's */
	const char *name;   /* for messages */
	const char *source; /* for the record; NULL: none */
	bool checked;       /* size and digest were compared already */

	/*
	 * Gives the file when its turn comes, where it is not here yet (fd -1): the image is locked
	 * then, and is known not to be installed. Or NULL.
	 */
	int (*get)(void *arg, int *ret_fd, struct nrd_err *err);

	/* Fills the root from the file, whatever that is; NULL: it is unpacked. */
	int (*fill)(void *arg, int fd, int root, struct nrd_err *err);

	/* Of an image of type zvol: fills its volume, on which there are only zeros; NULL: the file is a stream. */
	int (*fill_volume)(void *arg, const char *device, struct nrd_err *err);
	void *arg; /* of get and fill */
};

/*
 * 0: installed; 1: it was there, or another command has installed it meanwhile. Of the file:
 * "SizeMismatch", "ChecksumMismatch", "UncompressionError", "ImageFormat". Of the image:
 * "OriginNotInstalled" (-ENOENT), "UnexpectedNumberOfSnapshots", "DatasetExists" when POOL/UUID is
 * something else. "ReceiveError" when zfs does not take the stream.
 */
int image_install(const struct image_opts *opts, const struct image_manifest *manifest,
		  const struct image_input *input, struct nrd_err *err);

/* "SizeMismatch", "ChecksumMismatch" (-EBADMSG) when it is not what the manifest says. */
int image_file_check(const struct image_file *file, int fd, const char *name,
		     struct nrd_err *err);

/*
 * "ImageNotInstalled"; "ImageHasDependentClones" (-EBUSY), naming one, while machines or other
 * images were cloned from it.
 */
int image_delete(const struct image_opts *opts, const char *uuid, struct nrd_err *err);

/* Destroys what installations that were cut off have left on a pool, but for those that run. */
int image_sweep(struct store *store, const char *pool, struct nrd_err *err);

const char *image_pool(const struct image_opts *opts);

/* "Interrupted" (-EINTR) once *opts->stop is set. */
int image_stopped(const struct image_opts *opts, struct nrd_err *err);
