/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/*
 * How a registry says where it wants to be shown a token from: the header WWW-Authenticate with
 * the scheme Bearer. All of it comes from outside.
 */
struct image_challenge {
	char *realm; /* URL */
	char *service, *scope; /* NULL: not said */
};

void image_challenge_fini(struct image_challenge *c);
void image_challenge_cleanup(struct image_challenge *c);

/* False: there is no such scheme, or no realm, in it. */
bool image_challenge_parse(const char *text, struct image_challenge *ret_c);

/* Where the token is asked for; fallback is the scope when none was said. Caller frees; NULL: no memory. */
char *image_challenge_url(const struct image_challenge *c, const char *fallback);

/* The token in what is answered there. "ImageToken" (-EINVAL). */
int image_token_parse(const char *text, size_t len, char **ret_token, struct nrd_err *err);
