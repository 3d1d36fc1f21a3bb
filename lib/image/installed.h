/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "image/manifest.h"
#include "nrd/err.h"
#include "store/store.h"

/*
 * Images on the node. An image is a dataset POOL/UUID with the snapshot "final", of which machines
 * are clones. Its manifest lies in a file, its record, which is a cache: what has a dataset and no
 * record is an image of unknown contents, what has a record and no dataset is none.
 */
#define IMAGE_DIR      "/var/imgadm"
#define IMAGE_POOL     "zones"
#define IMAGE_SNAPSHOT "final"

struct image {
	struct image_manifest manifest; /* unknown: the uuid alone, and type and os other */
	char *zpool;
	char *source; /* URL; NULL: it came from a file, or nobody knows */
	bool known;   /* it has a record */
	bool final;   /* it has the snapshot; else there is another one, see imgadm update */
};

/*
 * "ImageNotInstalled" (-ENOENT) when there is no such image that machines could be made of, also
 * when there is a record and no dataset. Asks for the pool "zones" first.
 */
int image_read(const char *uuid, struct image *ret_image, struct nrd_err *err);

/* The same with an open store; pool NULL: any. */
int image_read_in(struct store *store, const char *pool, const char *uuid,
		  struct image *ret_image, struct nrd_err *err);

void image_fini(struct image *image);
void image_cleanup(struct image *image);

/* All of them, sorted by nothing in particular. The caller frees with image_list_free. */
int image_list(struct image **ret_images, size_t *ret_n, struct nrd_err *err);
int image_list_in(struct store *store, struct image **ret_images, size_t *ret_n,
		  struct nrd_err *err);
void image_list_free(struct image *images, size_t n);

/* Replaces or writes a record. */
int image_record_write(const char *pool, const struct image_manifest *manifest,
		       const char *source, struct nrd_err *err);

/* Fine when there is none. */
void image_record_remove(const char *pool, const char *uuid);

/* {manifest, zpool, source}, with more members if the caller adds them before the object ends. */
void image_encode_open(const struct image *image, struct nrd_jw *w);

/* Tests say otherwise; kept by pointer, NULL: IMAGE_DIR. */
void image_dir_use(const char *dir);
const char *image_dir(void);
