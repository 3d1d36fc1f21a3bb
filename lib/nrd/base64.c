/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "base64.h"

#include <errno.h>
#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
nrd_base64_encode(struct nrd_str data, struct nrd_buf *out)
{
	int r = nrd_buf_reserve(out, (data.len + 2) / 3 * 4);

	for (size_t i = 0; r >= 0 && i < data.len; i += 3) {
		size_t n = data.len - i < 3 ? data.len - i : 3;
		uint32_t bits = 0;
		char four[4];

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < n ? (unsigned char)data.data[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			four[j] = j <= n ? digits[bits >> (18 - 6 * j) & 63] : '=';
		r = nrd_buf_add(out, four, sizeof(four));
	}
	return r;
}

/* -1: none. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Four characters, of which the last n are padding. */
static int
decode_four(const char *four, size_t pad, struct nrd_buf *out)
{
	uint32_t bits = 0;
	char three[3];

	for (size_t j = 0; j < 4; j++) {
		int v = j < 4 - pad ? digit_value(four[j]) : 0;

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
	}
	if (pad > 0 && (bits & ((1u << 8 * pad) - 1)) != 0)
		return -EINVAL;
	for (size_t j = 0; j < 3; j++)
		three[j] = (char)(bits >> (16 - 8 * j) & 0xff);
	return nrd_buf_add(out, three, 3 - pad);
}

int
nrd_base64_decode(struct nrd_str text, struct nrd_buf *out)
{
	int r = text.len % 4 == 0 ? nrd_buf_reserve(out, text.len / 4 * 3) : -EINVAL;

	for (size_t i = 0; r >= 0 && i < text.len; i += 4) {
		const char *four = text.data + i;
		size_t pad = 0;

		if (i + 4 == text.len && four[3] == '=')
			pad = four[2] == '=' ? 2 : 1;
		r = decode_four(four, pad, out);
	}
	return r;
}
