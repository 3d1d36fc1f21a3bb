/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/*
 * Where images come from: the list in /var/imgadm/imgadm.conf. Without that file it is
 * IMAGE_SOURCE_DEFAULT alone. What else the file says stays as it is.
 */
#define IMAGE_SOURCE_DEFAULT "https://images.smartos.org"

#define IMAGE_SOURCE_TYPES(X)                     \
	X(IMGAPI, "imgapi") X(DSAPI, "dsapi")     \
	X(DIR, "dir") X(DOCKER, "docker")

#define X(id, text) IMAGE_SOURCE_##id,
enum image_source_type { IMAGE_SOURCE_TYPES(X) };
#undef X

extern const char *const image_source_type_names[];

struct image_source {
	char *url; /* http, https, or file:///DIRECTORY; no slash at its end */
	int type;  /* enum image_source_type */
	bool insecure; /* certificates are not checked */
};

struct image_sources {
	struct image_source *data;
	size_t len;
	size_t cap;
};

void image_sources_fini(struct image_sources *sources);
void image_sources_cleanup(struct image_sources *sources);
void image_source_fini(struct image_source *source);
void image_source_cleanup(struct image_source *source);

/* "ConfigError" (-EINVAL), naming what is wrong in the file. */
int image_sources_read(struct image_sources *ret_sources, struct nrd_err *err);

/*
 * A source as somebody types it; type NULL: by the URL. "SourceUrl", "SourceType" (-EINVAL) for
 * what is not understood.
 */
int image_source_make(const char *url, const char *type, bool insecure,
		      struct image_source *ret_source, struct nrd_err *err);

/* 1: added, 0: it was there. */
int image_sources_add(const struct image_source *source, struct nrd_err *err);

/* "SourceNotFound" (-ENOENT). */
int image_sources_remove(const char *url, struct nrd_err *err);

/* Replaces them by the lines of text: URL and, where it is not plain, its type. */
int image_sources_parse(const char *text, struct image_sources *ret_sources, struct nrd_err *err);
int image_sources_write(const struct image_sources *sources, struct nrd_err *err);
