/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "image/install.h"
#include "image/installed.h"
#include "image/sources.h"
#include "nrd/err.h"

enum image_updated {
	IMAGE_UPDATED_FINAL = 1u << 0,    /* its one snapshot is called final now */
	IMAGE_UPDATED_MANIFEST = 1u << 1, /* it has a record now */
};

/*
 * Makes what was received by hand an image like the others; ret_done says what that took, dry what
 * it would take. "ImageNotFound" when no source knows it, "UnexpectedNumberOfSnapshots".
 */
int image_update(const struct image_opts *opts, const struct image_sources *sources,
		 const struct image *image, bool dry, unsigned *ret_done, struct nrd_err *err);
