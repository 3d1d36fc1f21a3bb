/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What registries, layouts and layers say: names of images, documents, the question for a token and
 * its answer, tar files. What is accepted keeps the rules that the rest relies on.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/challenge.h"
#include "image/docker.h"
#include "image/layer-priv.h"
#include "image/oci.h"
#include "image/ref.h"
#include "image/tar.h"
#include "nrd/mem.h"
#include "nrd/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t len;
};

static ssize_t
read_bytes(void *arg, void *data, size_t len, struct nrd_err *err)
{
	struct bytes *b = arg;

	(void)err;
	/* In odd pieces. */
	len = len > 700 ? 700 : len;
	len = len > b->len ? b->len : len;
	memcpy(data, b->data, len);
	b->data += len;
	b->len -= len;
	return (ssize_t)len;
}

static void
read_tar(const uint8_t *data, size_t size)
{
	struct bytes b = { .data = data, .len = size };
	NRD_AUTO(image_tar) tar;
	const struct image_tar_entry *e;
	char piece[333];

	image_tar_init(&tar, read_bytes, NULL, &b);
	while (image_tar_next(&tar, &e, NULL) > 0) {
		NRD_FREE char *path = NULL;
		uint64_t total = 0;
		ssize_t n;

		assert(strlen(e->name) <= IMAGE_TAR_NAME_MAX && strlen(e->target) <= IMAGE_TAR_NAME_MAX);
		assert(e->mtime_ns < 1000000000 && (e->mode & ~07777u) == 0);
		if (image_tree_path(e->name, &path, NULL) == 0)
			assert(path[0] != '/' && strstr(path, "//") == NULL && strcmp(path, "..") != 0 &&
			       nrd_starts(path, "../") == NULL && strstr(path, "/../") == NULL && !nrd_ends(path, "/.."));
		for (size_t i = 0; i < e->n_xattrs; i++)
			assert(strlen(e->xattrs[i].name) + e->xattrs[i].len < IMAGE_TAR_EXTRA_MAX);
		if (size % 2 == 0)
			while ((n = image_tar_data(&tar, piece, sizeof(piece), NULL)) > 0)
				total += (uint64_t)n;
		assert(total <= e->size);
	}
	assert(tar.offset <= size);
}

static void
read_name(const char *text)
{
	NRD_AUTO(image_ref) ref = { 0 };
	NRD_AUTO(image_ref) again = { 0 };
	NRD_FREE char *repo = NULL, *whole = NULL;

	if (image_ref_parse(text, &ref, NULL) < 0)
		return;
	assert(strpbrk(ref.path, " \"\\?#%:@") == NULL && strstr(ref.path, "..") == NULL);
	assert(ref.tag != NULL || ref.digest != NULL);
	repo = image_ref_repo(&ref, ref.host);
	whole = nrd_format("%s%s%s%s%s", repo, ref.tag != NULL ? ":" : "", ref.tag ?: "", ref.digest != NULL ? "@" : "",
			   ref.digest ?: "");
	/* What is read is read the same again. */
	if (ref.host != NULL && strlen(whole) <= IMAGE_REF_MAX) {
		assert(image_ref_parse(whole, &again, NULL) == 0);
		assert(nrd_streq(again.host, ref.host) && nrd_streq(again.tag, ref.tag) && nrd_streq(again.digest, ref.digest));
	}
}

static void
read_challenge(const char *text)
{
	NRD_AUTO(image_challenge) c = { 0 };
	NRD_FREE char *url = NULL;

	if (!image_challenge_parse(text, &c))
		return;
	assert(c.realm != NULL && c.realm[0] != '\0');
	url = image_challenge_url(&c, "repository:x:pull");
	assert(url == NULL || nrd_starts(url, c.realm) != NULL);
}

static void
read_documents(const char *text, size_t len)
{
	NRD_AUTO(image_docker) image = { 0 };
	NRD_FREE char *name = NULL, *other = NULL, *token = NULL;
	struct image_blob blob;

	if (image_doc_parse(text, len, &image.doc, NULL) == 0) {
		assert(image.doc.index ? image_digest_valid(image.doc.next.digest)
				       : image_digest_valid(image.doc.config.digest) && image.doc.n_layers > 0 &&
						 image.doc.n_layers <= IMAGE_LAYERS_MAX);
		for (size_t i = 0; i < image.doc.n_layers; i++)
			assert(image_digest_valid(image.doc.layers[i].digest) && image.doc.layers[i].size <= IMAGE_BLOB_MAX);
	}
	if (image_layout_parse(text, len, NULL, NULL, &blob, &name, NULL) == 0)
		assert(image_digest_valid(blob.digest));
	if (image_layout_parse(text, len, "app", "1.0", &blob, &other, NULL) == 0)
		assert(image_digest_valid(blob.digest));
	if (image_token_parse(text, len, &token, NULL) == 0)
		assert(strpbrk(token, "\r\n \t") == NULL);
	image_doc_fini(&image.doc);
	if (image_config_parse(text, len, &image.config, NULL) == 0) {
		struct image_manifest m = { 0 };
		struct image_blob *layer = calloc(1, sizeof(*layer));

		assert(layer != NULL);
		(void)nrd_strcpy_to(layer->digest, sizeof(layer->digest), "sha256:"
				    "0123456789012345678901234567890123456789012345678901234567890123");
		image.doc.layers = layer;
		image.doc.n_layers = 1;
		assert(nrd_str_set(&image.repo, "docker.io/library/app") == 0 && nrd_str_set(&image.tag, "1.0") == 0);
		if (image_docker_manifest(&image, 1, &m, NULL) == 0)
			image_manifest_fini(&m);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = nrd_str_dup(nrd_strn((const char *)data, size));

	read_tar(data, size);
	if (text == NULL)
		return 0;
	read_name(text);
	read_challenge(text);
	read_documents((const char *)data, size);
	return 0;
}
