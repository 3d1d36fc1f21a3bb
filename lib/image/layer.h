/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/install.h"
#include "nrd/err.h"

/*
 * A layer of an OCI image, laid over the root that the layers below it have made: a tar file,
 * compressed or not, in which .wh.NAME takes away NAME of those below, and .wh..wh..opq all that
 * a directory has from them.
 *
 * The layer is hostile, and so is what those below have put in the root: every path is looked up
 * inside the root, links at its end are never followed, and ".." is refused. What belongs to ids
 * that no zone has belongs to nobody.
 */
struct image_layer {
	int fd;              /* a regular file */
	const char *name;    /* for messages */
	const char *diff_id; /* digest of the tar file; NULL: not compared */
	bool bottom;         /* there is nothing below it */
};

/*
 * What is in the root of a layer that failed is of no use. "UncompressionError", "TarFormat",
 * "ImageDigest", "LayerPath" for a path that leads out, "LayerWrite" with the cause's errno.
 */
int image_layer_apply(const struct image_opts *opts, const struct image_layer *layer, int root,
		      struct nrd_err *err);
