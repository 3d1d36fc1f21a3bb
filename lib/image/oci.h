/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/ref.h"
#include "nrd/err.h"
#include "nrd/json.h"

/*
 * The documents of an OCI image, and of Docker's (schema 2), which differ in names only: an index
 * names manifests, one for each platform; a manifest names a configuration and layers. Everything
 * is named by its digest, so who has the first digest right has it all. All of it comes from
 * outside: sizes and counts have limits.
 *
 * "ImageDocument" (-EINVAL) for what breaks a rule, "ImageArchitecture" (-ENOTSUP) for what is not
 * for this node, "ImageDigest".
 */
#define IMAGE_DOC_MAX    ((size_t)4 << 20) /* bytes of a document, as registries have it */
#define IMAGE_LAYERS_MAX 127
#define IMAGE_BLOB_MAX   (UINT64_C(1) << 40)
#define IMAGE_INDEX_DEPTH 4 /* an index may name another one */

#define IMAGE_ARCH       "amd64"

/* What is asked for and understood, for registries. */
#define IMAGE_DOC_ACCEPT                                          \
	"application/vnd.oci.image.index.v1+json, "               \
	"application/vnd.oci.image.manifest.v1+json, "            \
	"application/vnd.docker.distribution.manifest.list.v2+json, " \
	"application/vnd.docker.distribution.manifest.v2+json"

struct image_blob {
	char digest[IMAGE_DIGEST_TEXT];
	uint64_t size;
};

/* An index, or a manifest. */
struct image_doc {
	bool index;
	struct image_blob next;    /* of an index: the manifest, or index, for this node */
	struct image_blob config;
	struct image_blob *layers; /* the lowest first; owned */
	size_t n_layers;
};

void image_doc_fini(struct image_doc *doc);
void image_doc_cleanup(struct image_doc *doc);

int image_doc_parse(const char *text, size_t len, struct image_doc *ret_doc, struct nrd_err *err);

/*
 * The index of a layout on disk, where several images may be: the one of that tag, or name with a
 * tag; tag and repo NULL: the only one. ret_name is what the layout calls it ("REPO:TAG", "TAG" or
 * NULL; caller frees). "ImageNotFound" (-ENOENT), naming those there are.
 */
int image_layout_parse(const char *text, size_t len, const char *repo, const char *tag,
		       struct image_blob *ret_blob, char **ret_name, struct nrd_err *err);

struct image_config {
	char **entrypoint, **cmd, **env; /* NULL: none */
	char *working_dir, *user;        /* NULL: not said */
	char *created;                   /* "2026-01-31T12:00:00Z"; NULL: not known */
	char **diff_ids;                 /* of the layers when they are unpacked, the lowest first */
	size_t n_diff_ids;
};

void image_config_fini(struct image_config *config);
void image_config_cleanup(struct image_config *config);

int image_config_parse(const char *text, size_t len, struct image_config *ret_config,
		       struct nrd_err *err);

/* What the digest says of bytes. "ImageDigest" (-EBADMSG) when they are others. */
int image_digest_bytes(const void *data, size_t len, char ret_digest[IMAGE_DIGEST_TEXT],
		       struct nrd_err *err);
int image_digest_match(const void *data, size_t len, const char *digest, const char *what,
		       struct nrd_err *err);
