/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/install.h"
#include "image/sources.h"
#include "nrd/err.h"

#define IMAGE_ORIGINS_MAX 128 /* as many as an OCI image has layers */

struct image_import {
	const char *uuid;
	const struct image_sources *sources; /* asked in this order */
	const char *channel;                 /* NULL: the sources' own */
	const char *platform;                /* the node's: YYYYMMDDTHHMMSSZ; NULL: not compared */

	/* Told of each image as its turn comes, and when it is in; or NULL. */
	void (*begin)(void *arg, const struct image_manifest *m, const char *url);
	void (*end)(void *arg, const struct image_manifest *m, bool was_there);
	void *arg;
};

/*
 * Installs an image and what it builds on, as far as it is missing; what was installed before a
 * failure stays. 0, or 1 when there was nothing to do. "NoSources", "ImageNotFound",
 * "OriginNotFoundInSource" (all -ENOENT), "MinPlatform", "MaxPlatform", "MaxOriginDepth", and those
 * of image_install and image_fetch_file.
 */
int image_import(const struct image_opts *opts, const struct image_import *import,
		 struct nrd_err *err);

/* Looks for an image in the sources; ret_source is borrowed from them. "ImageNotFound", "NoSources". */
int image_find(const struct image_sources *sources, const char *channel, const char *uuid,
	       struct image_manifest *ret_manifest, const struct image_source **ret_source,
	       struct nrd_err *err);

/* "MinPlatform", "MaxPlatform" (-ENOTSUP) when the image is not for this platform. */
int image_platform_check(const struct image_manifest *manifest, const char *platform,
			 struct nrd_err *err);
