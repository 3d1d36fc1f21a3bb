/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "image/install.h"
#include "image/oci.h"
#include "image/ref.h"
#include "image/sources.h"
#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * Where the parts of an OCI image are: a registry, or a layout on disk. What comes from there is
 * compared with its digest before it is given.
 */
struct image_place {
	const struct image_place_ops *ops;
	const char *url;  /* for the record and for people; NULL: a file */
	const char *name; /* what else it is called there: "REPO:TAG", "TAG" or NULL */
};

struct image_place_ops {
	/* The index or manifest the image was asked for by. */
	int (*top)(struct image_place *place, struct nrd_buf *out, struct nrd_err *err);
	/* A document; manifest: an index or manifest, which registries keep apart. */
	int (*doc)(struct image_place *place, const struct image_blob *blob, bool manifest,
		   struct nrd_buf *out, struct nrd_err *err);
	/* A layer, as a file that stands at its beginning; the caller closes it. */
	int (*blob)(struct image_place *place, const struct image_blob *blob, int *ret_fd, struct nrd_err *err);
	/* That layer is installed: what was kept of it may go. */
	void (*used)(struct image_place *place, const struct image_blob *blob);
	void (*close)(struct image_place *place);
};

/* NULL is fine. */
void image_place_close(struct image_place *place);
void image_place_cleanup(struct image_place **place);

/*
 * The repository of a reference at a registry; nothing is asked yet. opts stays the caller's.
 * Codes of lib/http; "ImageNotFound" when it has no such image, "Unauthorized" (-EACCES) when it
 * does not give it to everybody, "DownloadError".
 */
int image_registry_open(const struct image_opts *opts, const struct image_source *source,
			const struct image_ref *ref, struct image_place **ret_place,
			struct nrd_err *err);

/* "SourcePing" (-EIO) when nobody answers there as a registry. */
int image_registry_ping(const struct image_source *source, struct nrd_err *err);

/* "HOST[:PORT]" of a source's URL, as it is named in references. Caller frees. */
char *image_registry_host(const struct image_source *source);

/*
 * A layout, in a directory or an archive (tar, compressed or not); ref is which of its images, or
 * NULL. "ImageFormat" (-EINVAL) when it is none; codes of image_layout_parse.
 */
int image_layout_open(const struct image_opts *opts, const char *path, const struct image_ref *ref,
		      struct image_place **ret_place, struct nrd_err *err);
