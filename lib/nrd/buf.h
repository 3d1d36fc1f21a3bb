/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "err.h"

#define NRD_BUF_DEFAULT_MAX ((size_t)64 << 20)

/*
 * A growing byte buffer, always NUL terminated, with a maximum it never outgrows. Errors stick:
 * after the first failure nothing more is added, so a writer may append freely and look once at
 * the end, either at the last append's result or at `failed`. Adding returns 0, -ENOMEM, or
 * -EFBIG when max would be passed. An all-zero struct is a valid empty buffer.
 */
struct nrd_buf {
	char *data;  /* owned; NULL while empty: use nrd_buf_str() to get a string always */
	size_t len;  /* without the NUL */
	size_t cap;
	size_t max;  /* most bytes, without the NUL; 0: NRD_BUF_DEFAULT_MAX */
	int failed;  /* 0 or the first error, as -errno */
};

#define NRD_BUF_INIT(max_) { .max = (max_) }

void nrd_buf_fini(struct nrd_buf *b);
void nrd_buf_cleanup(struct nrd_buf *b);

int nrd_buf_add(struct nrd_buf *b, const void *data, size_t len);
int nrd_buf_adds(struct nrd_buf *b, const char *s);
int nrd_buf_addc(struct nrd_buf *b, char c);
int nrd_buf_printf(struct nrd_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int nrd_buf_vprintf(struct nrd_buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Makes room for len more bytes without adding them: fill data + len, then raise len. */
int nrd_buf_reserve(struct nrd_buf *b, size_t len);

/* Removes the first len bytes. */
void nrd_buf_drop(struct nrd_buf *b, size_t len);

/* Cuts to len bytes (no effect when it is shorter). */
void nrd_buf_truncate(struct nrd_buf *b, size_t len);

/* Empties it, forgets the error, keeps the memory. */
void nrd_buf_reset(struct nrd_buf *b);

/* The contents as a string, never NULL; borrowed until the next change. */
const char *nrd_buf_str(const struct nrd_buf *b);

/*
 * The contents as a string the caller frees; the buffer is empty after it. NULL when out of
 * memory or failed.
 */
char *nrd_buf_take(struct nrd_buf *b);

/*
 * Appends everything up to the end of the file. "FileTooBig" (-EFBIG) when it does not fit in
 * max: what was read until then stays in the buffer. Otherwise "FileRead" or "FileOpen" with the
 * cause's errno.
 */
int nrd_buf_read_fd(struct nrd_buf *b, int fd, struct nrd_err *err);

/* The same of a file that is known to be a regular one: a read that gives less than it might was the last one. */
int nrd_buf_read_regular(struct nrd_buf *b, int fd, struct nrd_err *err);
int nrd_buf_read_file(struct nrd_buf *b, const char *path, struct nrd_err *err);
