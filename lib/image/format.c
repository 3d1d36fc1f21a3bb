/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

/* Where a stream's first record has what; it is in the sender's byte order. */
#define STREAM_MAGIC      UINT64_C(0x2f5bacbac)
#define STREAM_MAGIC_AT   8
#define STREAM_VERSION_AT 16
#define STREAM_TYPE_AT    32
#define STREAM_FROM_AT    48
#define STREAM_COMPOUND   2 /* in the version's lowest two bits */
#define STREAM_ZVOL       3

#define TAR_SUM_AT   148
#define TAR_SUM_LEN  8
#define TAR_MAGIC_AT 257

#define HEAD_MAX ((size_t)64 << 10)

static uint64_t
number_at(const unsigned char *p, size_t len, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | p[big ? i : len - 1 - i];
	return v;
}

static bool
is_stream(const unsigned char *p, size_t len, struct image_format *format)
{
	bool big = false;

	if (len < STREAM_FROM_AT + 8)
		return false;
	if (number_at(p + STREAM_MAGIC_AT, 8, false) != STREAM_MAGIC) {
		big = true;
		if (number_at(p + STREAM_MAGIC_AT, 8, true) != STREAM_MAGIC)
			return false;
	}
	format->kind = IMAGE_KIND_STREAM;
	format->compound =
		(number_at(p + STREAM_VERSION_AT, 8, big) & 3) == STREAM_COMPOUND;
	format->zvol = number_at(p + STREAM_TYPE_AT, 4, big) == STREAM_ZVOL;
	format->incremental = number_at(p + STREAM_FROM_AT, 8, big) != 0;
	return true;
}

/* Tars older than POSIX have no magic: the sum over the header tells. */
static bool
is_tar(const unsigned char *p, size_t len)
{
	uint64_t said = 0, sum = 0;
	size_t i = TAR_SUM_AT;

	if (len < IMAGE_FORMAT_HEAD)
		return false;
	if (memcmp(p + TAR_MAGIC_AT, "ustar", 5) == 0)
		return true;
	while (i < TAR_SUM_AT + TAR_SUM_LEN && p[i] == ' ')
		i++;
	for (; i < TAR_SUM_AT + TAR_SUM_LEN && p[i] >= '0' && p[i] <= '7'; i++)
		said = said * 8 + (uint64_t)(p[i] - '0');
	for (i = 0; i < IMAGE_FORMAT_HEAD; i++)
		sum += i >= TAR_SUM_AT && i < TAR_SUM_AT + TAR_SUM_LEN ? ' ' : p[i];
	return p[0] != '\0' && said == sum;
}

bool
image_format_tell(const void *head, size_t len, struct image_format *ret_format)
{
	struct image_format format = { 0 };

	if (!is_stream(head, len, &format)) {
		if (!is_tar(head, len))
			return false;
		format.kind = IMAGE_KIND_TAR;
	}
	format.packer = ret_format->packer;
	*ret_format = format;
	return true;
}

/* The beginning of what the program makes of the file; it is stopped when that is there. */
static int
unpack_head(const char *program, int fd, struct nrd_buf *out, struct nrd_err *err)
{
	const char *const argv[] = { program, "-dc", NULL };
	const struct nrd_proc proc = {
		.argv = argv,
		.stdin_fd = fd,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US,
	};
	struct nrd_err why = { 0 };
	int r = nrd_run(&proc, out, NULL, &why);

	if (r < 0 && out->len >= IMAGE_FORMAT_HEAD)
		return 0;
	if (r < 0)
		return nrd_fail(err, EINVAL, "UncompressionError", "unpack it: %s", why.msg);
	return 0;
}

int
image_format_of(int fd, struct image_format *ret_format, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) head = NRD_BUF_INIT(HEAD_MAX);
	struct image_format format = { 0 };
	char first[IMAGE_FORMAT_HEAD];
	ssize_t n = pread(fd, first, sizeof(first), 0);
	int r = 0;

	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	format.packer = nrd_packer_of(first, (size_t)n);
	if (format.packer != NULL)
		r = unpack_head(format.packer->name, fd, &head, err);
	else if (nrd_buf_add(&head, first, (size_t)n) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	if (!image_format_tell(nrd_buf_str(&head), head.len, &format))
		return nrd_fail(err, EINVAL, "ImageFormat",
				"it is neither a ZFS stream nor a tar file%s%s",
				format.packer != NULL ? ", packed with " : "",
				format.packer != NULL ? format.packer->name : "");
	*ret_format = format;
	return 0;
}
