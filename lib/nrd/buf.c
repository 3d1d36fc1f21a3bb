/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

void
nrd_buf_fini(struct nrd_buf *b)
{
	free(b->data);
	*b = (struct nrd_buf){ .max = b->max };
}

void
nrd_buf_cleanup(struct nrd_buf *b)
{
	free(b->data);
}

static size_t
buf_max(const struct nrd_buf *b)
{
	return b->max != 0 ? b->max : NRD_BUF_DEFAULT_MAX;
}

int
nrd_buf_reserve(struct nrd_buf *b, size_t len)
{
	size_t max = buf_max(b);

	if (b->failed != 0)
		return b->failed;
	if (len > max || b->len > max - len)
		return b->failed = -EFBIG;
	size_t need = b->len + len + 1;

	if (need <= b->cap)
		return 0;
	size_t want = b->cap < 64 ? 64 : b->cap * 2;

	if (want < need)
		want = need;
	if (want > max + 1)
		want = max + 1;
	char *grown = realloc(b->data, want);

	if (grown == NULL)
		return b->failed = -ENOMEM;
	if (b->data == NULL)
		grown[0] = '\0';
	b->data = grown;
	b->cap = want;
	return 0;
}

int
nrd_buf_add(struct nrd_buf *b, const void *data, size_t len)
{
	int r = nrd_buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int
nrd_buf_adds(struct nrd_buf *b, const char *s)
{
	return nrd_buf_add(b, s, strlen(s));
}

int
nrd_buf_addc(struct nrd_buf *b, char c)
{
	return nrd_buf_add(b, &c, 1);
}

int
nrd_buf_vprintf(struct nrd_buf *b, const char *fmt, va_list ap)
{
	va_list again;

	if (b->failed != 0)
		return b->failed;
	va_copy(again, ap);
	size_t room = b->cap - b->len;
	int n = vsnprintf(b->data != NULL ? b->data + b->len : NULL, room, fmt, ap);
	int r = 0;

	if (n < 0) {
		r = b->failed = -EINVAL;
	} else if ((size_t)n >= room) {
		r = nrd_buf_reserve(b, (size_t)n);
		if (r == 0)
			(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (r == 0)
		b->len += (size_t)n;
	else if (b->data != NULL)
		b->data[b->len] = '\0';
	return r;
}

int
nrd_buf_printf(struct nrd_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = nrd_buf_vprintf(b, fmt, ap);

	va_end(ap);
	return r;
}

void
nrd_buf_drop(struct nrd_buf *b, size_t len)
{
	if (b->data == NULL)
		return;
	if (len > b->len)
		len = b->len;
	memmove(b->data, b->data + len, b->len - len + 1);
	b->len -= len;
}

void
nrd_buf_truncate(struct nrd_buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void
nrd_buf_reset(struct nrd_buf *b)
{
	nrd_buf_truncate(b, 0);
	b->failed = 0;
}

const char *
nrd_buf_str(const struct nrd_buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *
nrd_buf_take(struct nrd_buf *b)
{
	if (b->failed != 0)
		return NULL;
	char *data = b->data != NULL ? b->data : strdup("");

	*b = (struct nrd_buf){ .max = b->max };
	return data;
}

/* Says whether the file is really longer than the maximum, now that the buffer is full. */
static int
buf_full(int fd, struct nrd_err *err)
{
	char byte;

	for (;;) {
		ssize_t n = read(fd, &byte, 1);

		if (n == 0)
			return 0;
		if (n > 0)
			return nrd_fail(err, EFBIG, "FileTooBig", "longer than the limit");
		if (errno != EINTR)
			return nrd_fail(err, errno, "FileRead", "read: %m");
	}
}

static int
read_all(struct nrd_buf *b, int fd, bool regular, struct nrd_err *err)
{
	for (;;) {
		size_t left = buf_max(b) - b->len;

		if (left == 0) {
			int r = buf_full(fd, err);

			if (r == -EFBIG)
				b->failed = r;
			return r;
		}
		int r = nrd_buf_reserve(b, left < 4096 ? left : 4096);

		if (r < 0)
			return nrd_fail(err, -r, "FileRead", "read: %m");
		size_t room = b->cap - 1 - b->len;
		ssize_t n = read(fd, b->data + b->len, room);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return nrd_fail(err, errno, "FileRead", "read: %m");
		if (n > 0) {
			b->len += (size_t)n;
			b->data[b->len] = '\0';
			if (regular && (size_t)n < room)
				return 0;
		}
	}
}

int
nrd_buf_read_fd(struct nrd_buf *b, int fd, struct nrd_err *err)
{
	return read_all(b, fd, false, err);
}

int
nrd_buf_read_regular(struct nrd_buf *b, int fd, struct nrd_err *err)
{
	return read_all(b, fd, true, err);
}

int
nrd_buf_read_file(struct nrd_buf *b, const char *path, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	return nrd_wrap(err, nrd_buf_read_fd(b, fd, err), "%s", path);
}
