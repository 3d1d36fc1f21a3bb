/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "image/install.h"
#include "image/manifest.h"
#include "image/sources.h"
#include "nrd/err.h"

/*
 * Asking one source. Servers speak IMGAPI: GET /images, /images/UUID, /images/UUID/file. A directory
 * has NAME.imgmanifest and beside each its file, NAME with .zfs, .zvol or .tar and how it is packed.
 *
 * Codes of lib/http when a server cannot be asked, "InvalidManifest" when it answers nonsense.
 */
struct image_manifests {
	struct image_manifest *data;
	size_t len;
	size_t cap;
};

void image_manifests_fini(struct image_manifests *manifests);
void image_manifests_cleanup(struct image_manifests *manifests);

/*
 * All it has, of a registry nothing; those with a manifest that is not understood are left out, and noted. channel NULL:
 * the source's own.
 */
int image_fetch_list(const struct image_opts *opts, const struct image_source *source,
		     const char *channel, struct image_manifests *ret_manifests,
		     struct nrd_err *err);

/* "ImageNotFound" (-ENOENT). */
int image_fetch_manifest(const struct image_source *source, const char *channel, const char *uuid,
			 struct image_manifest *ret_manifest, struct nrd_err *err);

/*
 * The image's file, compared with its manifest; the caller closes it. A download has no name and
 * is gone with its descriptor. "DownloadError" when the manifest names no file or the file is not
 * what it says.
 */
int image_fetch_file(const struct image_opts *opts, const struct image_source *source,
		     const char *channel, const struct image_manifest *manifest, int *ret_fd,
		     struct nrd_err *err);

/* "SourcePing" (-EIO) when nobody answers there who has images. */
int image_fetch_ping(const struct image_source *source, struct nrd_err *err);
