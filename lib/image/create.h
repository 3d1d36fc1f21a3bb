/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/install.h"
#include "image/manifest.h"
#include "nrd/err.h"

/* Images out of machines, and images to servers. */

struct image_create {
	const char *dataset; /* of the machine, which is halted unless there is a snapshot */
	const char *snapshot; /* DATASET@SNAP that is sent, and gone afterwards; NULL: one is made */
	const char *since;   /* snapshot it was cloned from: only what differs; NULL: all of it */
	int compression;     /* enum image_compression */
	const char *path;    /* of the file to be made */
};

/*
 * Writes the dataset as a stream. The file is whole when it has its name; the dataset is as it was
 * afterwards: the snapshot "final" is made for the stream alone, one of that name is put aside
 * meanwhile. Fills sha1, size and compression of ret_file, which the caller frees with the
 * manifest it belongs to. "SendError", "CompressionError".
 */
int image_create_file(const struct image_opts *opts, const struct image_create *create,
		      struct image_file *ret_file, struct nrd_err *err);

/* "zfs", "zfs.gz", ...: what a stream's name ends with. */
const char *image_create_suffix(int compression);

/*
 * Gives an image to a server: manifest, file, and activated when it has both as they are here.
 * "UploadError".
 */
int image_publish(const struct image_opts *opts, const char *url,
		  const struct image_manifest *manifest, int fd, const char *name,
		  struct nrd_err *err);
