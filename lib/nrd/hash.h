/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * Digests over OpenSSL's libcrypto. SHA-1 is here because image manifests carry it, for nothing
 * else.
 */
enum nrd_hash_alg {
	NRD_SHA1,
	NRD_SHA256,
};

#define NRD_HASH_MAX 32                         /* bytes of the longest digest */
#define NRD_HASH_TEXT (2 * NRD_HASH_MAX + 1)    /* its hexadecimal text with the NUL */

struct nrd_hash;

/* Streaming: new, update..., finish (once), free. "Hash" (-EIO, -ENOMEM). */
int nrd_hash_new(enum nrd_hash_alg alg, struct nrd_hash **ret_hash, struct nrd_err *err);
int nrd_hash_update(struct nrd_hash *hash, const void *data, size_t len, struct nrd_err *err);
int nrd_hash_finish(struct nrd_hash *hash, char ret_hex[NRD_HASH_TEXT], struct nrd_err *err);
void nrd_hash_free(struct nrd_hash *hash);
void nrd_hash_cleanup(struct nrd_hash **hash);

/* Lower case hexadecimal digest of bytes, or of a descriptor from where it stands to its end. */
int nrd_hash_bytes(enum nrd_hash_alg alg, const void *data, size_t len,
		   char ret_hex[NRD_HASH_TEXT], struct nrd_err *err);
int nrd_hash_fd(enum nrd_hash_alg alg, int fd, char ret_hex[NRD_HASH_TEXT], struct nrd_err *err);
int nrd_hash_file(enum nrd_hash_alg alg, const char *path, char ret_hex[NRD_HASH_TEXT],
		  struct nrd_err *err);

/* ret_hex has room for 2 * len + 1. */
void nrd_hex_format(const void *data, size_t len, char *ret_hex);
