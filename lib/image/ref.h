/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/*
 * How images of registries are named: [HOST[:PORT]/]PATH[:TAG][@sha256:DIGITS]. The first part is a
 * host when it has a dot or a colon in it or is "localhost", as everywhere with Docker.
 */
#define IMAGE_REF_MAX       512
#define IMAGE_REF_TAG       "latest" /* when neither a tag nor a digest is said */
#define IMAGE_DIGEST_PREFIX "sha256:"
#define IMAGE_DIGEST_TEXT   72 /* "sha256:", 64 digits, NUL */

struct image_ref {
	char *host;   /* with the port; NULL: not said */
	char *path;
	char *tag;    /* NULL: a digest is said and no tag */
	char *digest; /* "sha256:..."; NULL: not said */
};

void image_ref_fini(struct image_ref *ref);
void image_ref_cleanup(struct image_ref *ref);

/* "InvalidName" (-EINVAL). */
int image_ref_parse(const char *text, struct image_ref *ret_ref, struct nrd_err *err);

/* "HOST/PATH" as it is kept, on that host: docker.io has its own images below library/. Caller frees. */
char *image_ref_repo(const struct image_ref *ref, const char *host);

/* The path as that host knows it. Caller frees. */
char *image_ref_path(const struct image_ref *ref, const char *host);

bool image_tag_valid(const char *tag);

/* "sha256:" and 64 lower case hexadecimal digits. */
bool image_digest_valid(const char *digest);

/* The same, of text that somebody else has written: "ImageDigest" (-EINVAL) names it. */
int image_digest_check(const char *digest, const char *what, struct nrd_err *err);
