/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "mem.h"

struct nrd_hash {
	EVP_MD_CTX *ctx;
};

#define HASH_CHUNK ((size_t)128 << 10)

int
nrd_hash_new(enum nrd_hash_alg alg, struct nrd_hash **ret_hash, struct nrd_err *err)
{
	NRD_AUTO(nrd_hash) *hash = calloc(1, sizeof(*hash));

	if (hash == NULL)
		return nrd_nomem(err);
	hash->ctx = EVP_MD_CTX_new();
	if (hash->ctx == NULL)
		return nrd_nomem(err);
	if (EVP_DigestInit_ex(hash->ctx, alg == NRD_SHA1 ? EVP_sha1() : EVP_sha256(), NULL) != 1)
		return nrd_fail(err, EIO, "Hash", "start digest: refused by libcrypto");
	*ret_hash = NRD_TAKE(hash);
	return 0;
}

int
nrd_hash_update(struct nrd_hash *hash, const void *data, size_t len, struct nrd_err *err)
{
	if (EVP_DigestUpdate(hash->ctx, data, len) != 1)
		return nrd_fail(err, EIO, "Hash", "update digest: refused by libcrypto");
	return 0;
}

int
nrd_hash_finish(struct nrd_hash *hash, char ret_hex[NRD_HASH_TEXT], struct nrd_err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(hash->ctx, digest, &len) != 1 || len > NRD_HASH_MAX)
		return nrd_fail(err, EIO, "Hash", "finish digest: refused by libcrypto");
	nrd_hex_format(digest, len, ret_hex);
	return 0;
}

void
nrd_hash_free(struct nrd_hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

void
nrd_hash_cleanup(struct nrd_hash **hash)
{
	nrd_hash_free(*hash);
}

int
nrd_hash_bytes(enum nrd_hash_alg alg, const void *data, size_t len, char ret_hex[NRD_HASH_TEXT],
	       struct nrd_err *err)
{
	NRD_AUTO(nrd_hash) *hash = NULL;
	int r = nrd_hash_new(alg, &hash, err);

	if (r == 0)
		r = nrd_hash_update(hash, data, len, err);
	if (r == 0)
		r = nrd_hash_finish(hash, ret_hex, err);
	return r;
}

int
nrd_hash_fd(enum nrd_hash_alg alg, int fd, char ret_hex[NRD_HASH_TEXT], struct nrd_err *err)
{
	NRD_AUTO(nrd_hash) *hash = NULL;
	NRD_FREE char *chunk = malloc(HASH_CHUNK);
	int r = nrd_hash_new(alg, &hash, err);

	if (r < 0)
		return r;
	if (chunk == NULL)
		return nrd_nomem(err);
	for (;;) {
		ssize_t n = read(fd, chunk, HASH_CHUNK);

		if (n == 0)
			return nrd_hash_finish(hash, ret_hex, err);
		if (n < 0 && errno != EINTR)
			return nrd_fail(err, errno, "FileRead", "read: %m");
		if (n > 0)
			r = nrd_hash_update(hash, chunk, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

int
nrd_hash_file(enum nrd_hash_alg alg, const char *path, char ret_hex[NRD_HASH_TEXT],
	      struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	return nrd_wrap(err, nrd_hash_fd(alg, fd, ret_hex, err), "%s", path);
}

void
nrd_hex_format(const void *data, size_t len, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[p[i] >> 4];
		ret_hex[2 * i + 1] = digits[p[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}
