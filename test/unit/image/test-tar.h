/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd-test.h"

#include "nrd/buf.h"

/* Tar files made by hand. */

/* Octal digits that fill the field but for the NUL at its end. */
static inline void
tar_number(char *at, size_t len, unsigned long long v)
{
	for (at += len - 1; len-- > 1; v >>= 3)
		*--at = (char)('0' + (v & 7));
}

static inline void
tar_add(struct nrd_buf *tar, char type, const char *name, const char *target, const char *data, size_t len)
{
	char head[512] = "";
	unsigned sum = 0;
	static const char zeros[512];

	(void)snprintf(head, 100, "%s", name);
	tar_number(head + 100, 8, type == '5' ? 0755 : 0644);
	tar_number(head + 108, 8, getuid());
	tar_number(head + 116, 8, getgid());
	tar_number(head + 124, 12, len);
	tar_number(head + 136, 12, 1700000000);
	memset(head + 148, ' ', 8);
	head[156] = type;
	(void)snprintf(head + 157, 100, "%s", target != NULL ? target : "");
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	tar_number(head + 148, 7, sum);
	CHECK(nrd_buf_add(tar, head, sizeof(head)) == 0 && nrd_buf_add(tar, data, len) == 0);
	CHECK(nrd_buf_add(tar, zeros, (512 - len % 512) % 512) == 0);
}

static inline void
tar_file(struct nrd_buf *tar, const char *name, const char *text)
{
	tar_add(tar, '0', name, NULL, text, strlen(text));
}

static inline void
tar_extra(struct nrd_buf *tar, char type, const char *text)
{
	tar_add(tar, type, "header", NULL, text, strlen(text));
}
