/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Names and values from outside end up in messages, and messages on terminals and in line-based
 * logs: C0, DEL and C1 (as UTF-8) must not pass.
 */
static void
msg_sanitize(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p != 0; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

int
nrd_fail(struct nrd_err *err, int num, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -num;
	/* The arguments may point into err itself. */
	struct nrd_err e = { .num = num };

	(void)snprintf(e.code, sizeof(e.code), "%s", code);
	errno = num;
	va_start(ap, fmt);
	(void)vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
	va_end(ap);
	msg_sanitize(e.msg);
	*err = e;
	errno = num;
	return -num;
}

int
nrd_wrap(struct nrd_err *err, int r, const char *fmt, ...)
{
	char msg[sizeof(err->msg)];
	va_list ap;

	if (err == NULL || err->msg[0] == '\0')
		return r;
	va_start(ap, fmt);
	int n = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);

	size_t have = strlen(err->msg);

	if (n < 0 || (size_t)n + 2 + have >= sizeof(msg))
		return r;
	memcpy(msg + n, ": ", 2);
	memcpy(msg + n + 2, err->msg, have + 1);
	msg_sanitize(msg);
	memcpy(err->msg, msg, sizeof(msg));
	return r;
}

int
nrd_nomem(struct nrd_err *err)
{
	return nrd_fail(err, ENOMEM, "NoMemory", "%m");
}

bool
nrd_err_is(const struct nrd_err *err, const char *code)
{
	return err != NULL && strcmp(err->code, code) == 0;
}
