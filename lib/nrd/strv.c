/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "str.h"

void
nrd_strv_free(char **v)
{
	for (char **s = v; s != NULL && *s != NULL; s++)
		free(*s);
	free(v);
}

void
nrd_strv_cleanup(char ***v)
{
	nrd_strv_free(*v);
}

size_t
nrd_strv_len(const char *const *v)
{
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

bool
nrd_strv_has(const char *const *v, const char *s)
{
	for (; v != NULL && *v != NULL; v++) {
		if (strcmp(*v, s) == 0)
			return true;
	}
	return false;
}

int
nrd_strv_take(char ***v, char *s)
{
	if (s == NULL)
		return -ENOMEM;
	size_t n = nrd_strv_len(NRD_CSTRV(*v));
	char **grown = reallocarray(*v, n + 2, sizeof(char *));

	if (grown == NULL) {
		free(s);
		return -ENOMEM;
	}
	grown[n] = s;
	grown[n + 1] = NULL;
	*v = grown;
	return 0;
}

int
nrd_strv_add(char ***v, const char *s)
{
	return nrd_strv_take(v, strdup(s));
}

int
nrd_strv_addf(char ***v, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return nrd_strv_take(v, s);
}

int
nrd_strv_copy(const char *const *v, char ***ret_v)
{
	NRD_STRV char **copy = NULL;

	for (; v != NULL && *v != NULL; v++) {
		int r = nrd_strv_add(&copy, *v);

		if (r < 0)
			return r;
	}
	*ret_v = NRD_TAKE(copy);
	return 0;
}

int
nrd_strv_split(const char *s, char sep, char ***ret_v)
{
	NRD_STRV char **v = NULL;
	struct nrd_str rest = nrd_str(s), part;

	while (nrd_str_split(&rest, sep, &part)) {
		if (part.len == 0)
			continue;
		int r = nrd_strv_take(&v, nrd_str_dup(part));

		if (r < 0)
			return r;
	}
	*ret_v = NRD_TAKE(v);
	return 0;
}

char *
nrd_strv_join(const char *const *v, const char *sep)
{
	NRD_AUTO(nrd_buf) b = { 0 };

	for (size_t i = 0; v != NULL && v[i] != NULL; i++) {
		if (i > 0)
			(void)nrd_buf_adds(&b, sep);
		(void)nrd_buf_adds(&b, v[i]);
	}
	return nrd_buf_take(&b);
}
