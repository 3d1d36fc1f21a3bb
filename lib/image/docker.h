/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "image/import.h"
#include "image/install.h"
#include "image/manifest.h"
#include "image/oci.h"
#include "image/place.h"
#include "image/ref.h"
#include "nrd/err.h"

/*
 * OCI images as images of the node. Each layer is one, cloned from the one below it, so layers are
 * shared by all images that have them: its uuid follows from the digests of the layers up to it.
 * The uppermost one has the image's tags:
 *	docker:repo          "HOST/PATH"
 *	docker:id            digest of the config
 *	docker:architecture  "amd64"
 *	docker:tag:TAG       true
 *	docker:config        Cmd, Entrypoint, Env, WorkingDir, User
 * Those below it have docker:repo and docker:architecture alone.
 */
#define IMAGE_TAG_REPO   "docker:repo"
#define IMAGE_TAG_ID     "docker:id"
#define IMAGE_TAG_ARCH   "docker:architecture"
#define IMAGE_TAG_TAG    "docker:tag:"
#define IMAGE_TAG_CONFIG "docker:config"

struct image_docker {
	struct image_doc doc;
	struct image_config config;
	char id[IMAGE_DIGEST_TEXT]; /* of the config */
	char *repo;
	char *tag;                  /* NULL: it was named by a digest */
};

void image_docker_fini(struct image_docker *image);
void image_docker_cleanup(struct image_docker *image);

/*
 * Asks for all that says what the image is. It is called repo:tag; repo NULL: what the place calls
 * it, or else fallback. "ImageDocument", "ImageArchitecture", "ImageDigest", and what the place says.
 */
int image_docker_read(struct image_place *place, const char *repo, const char *tag, const char *fallback,
		      struct image_docker *ret_image, struct nrd_err *err);

/* The uuid of the image that the lowest n layers make. */
int image_docker_uuid(const struct image_docker *image, size_t n, char ret_uuid[40], struct nrd_err *err);

/* The manifest of the image that the lowest n layers make. */
int image_docker_manifest(const struct image_docker *image, size_t n, struct image_manifest *ret_manifest,
			  struct nrd_err *err);

/*
 * Installs the layers that are missing, the lowest first, and says of the last what the image is,
 * also where it was there. 0, or 1 when no layer was missing. begin and end of import are told of
 * each layer; the rest of it is not looked at. Codes of image_install and image_layer_apply.
 */
int image_docker_install(const struct image_opts *opts, struct image_place *place,
			 const struct image_docker *image, const struct image_import *import,
			 char ret_uuid[40], struct nrd_err *err);

/*
 * The registry a name means: the source of that host; without a host in it, the first registry of
 * the sources; or, of a host that is no source, that by https. ret_source is the caller's.
 * "NoSources" (-ENOENT).
 */
int image_docker_source(const struct image_sources *sources, const struct image_ref *ref,
			struct image_source *ret_source, struct nrd_err *err);
