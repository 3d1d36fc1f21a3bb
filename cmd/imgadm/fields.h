/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/manifest.h"
#include "nrd/err.h"

/* Manifests that a command puts together. */

int fields_set(struct image_manifest *m, const char *key, const char *text, struct nrd_err *err);

/* v, uuid and published_at of an image that is new. */
int fields_new(struct image_manifest *m, struct nrd_err *err);

/* FIELD=VALUE. "Usage". */
int fields_word(struct image_manifest *m, const char *word, struct nrd_err *err);

/* As strict as if it had been read from a file. */
int fields_check(struct image_manifest *m, struct nrd_err *err);
