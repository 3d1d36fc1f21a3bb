/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vec.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int
nrd_vec_grow(void *datap, size_t len, size_t *cap, size_t more, size_t size)
{
	size_t need;

	if (__builtin_add_overflow(len, more, &need))
		return -ENOMEM;
	if (need <= *cap)
		return 0;
	size_t want = *cap < 4 ? 4 : *cap + *cap / 2;

	if (want < need)
		want = need;
	/* datap is a `T **`; only a copy of its bytes may be read as a `void *`. */
	void *data;

	memcpy(&data, datap, sizeof(data));
	void *grown = reallocarray(data, want, size);

	if (grown == NULL)
		return -ENOMEM;
	memcpy(datap, &grown, sizeof(grown));
	*cap = want;
	return 0;
}

void
nrd_vec_cut(void *data, size_t *len, size_t i, size_t size)
{
	if (i >= *len)
		return;
	char *at = (char *)data + i * size;

	memmove(at, at + size, (*len - i - 1) * size);
	(*len)--;
}

void
nrd_vec_drop(void *datap, size_t *len, size_t *cap)
{
	void *data;

	memcpy(&data, datap, sizeof(data));
	free(data);
	memset(datap, 0, sizeof(data));
	*len = *cap = 0;
}
