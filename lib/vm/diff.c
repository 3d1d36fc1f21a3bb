/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/watch.h"

static bool
same(const struct nrd_val *a, const struct nrd_val *b)
{
	NRD_AUTO(nrd_buf) ta = { 0 };
	NRD_AUTO(nrd_buf) tb = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &ta, NRD_JW_COMPACT);
	nrd_jw_val(&w, a);
	nrd_jw_init(&w, &tb, NRD_JW_COMPACT);
	nrd_jw_val(&w, b);
	return strcmp(nrd_buf_str(&ta), nrd_buf_str(&tb)) == 0;
}

static int diff_at(const char *path, const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg);

static int
member(const char *path, const char *key, size_t index, const struct nrd_val *old, const struct nrd_val *new,
       vm_diff_fn *fn, void *arg)
{
	const char *dot = path[0] != '\0' ? "." : "";
	NRD_FREE char *at = key != NULL ? nrd_format("%s%s%s", path, dot, key) : nrd_format("%s%s%zu", path, dot, index);

	return at == NULL ? -ENOMEM : diff_at(at, old, new, fn, arg);
}

static int
diff_objects(const char *path, const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg)
{
	struct nrd_iter it = nrd_iter(old);
	int r = 0;

	while (r == 0 && nrd_iter_next(&it))
		r = member(path, it.key, 0, it.val, nrd_val_get(new, it.key), fn, arg);
	it = nrd_iter(new);
	while (r == 0 && nrd_iter_next(&it))
		if (nrd_val_get(old, it.key) == NULL)
			r = member(path, it.key, 0, NULL, it.val, fn, arg);
	return r;
}

static int
diff_arrays(const char *path, const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg)
{
	size_t n = nrd_val_len(old) > nrd_val_len(new) ? nrd_val_len(old) : nrd_val_len(new);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = member(path, NULL, i, nrd_val_at(old, i), nrd_val_at(new, i), fn, arg);
	return r;
}

static int
diff_at(const char *path, const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg)
{
	if (nrd_val_type(old) == NRD_VAL_OBJ && nrd_val_type(new) == NRD_VAL_OBJ)
		return diff_objects(path, old, new, fn, arg);
	if (nrd_val_type(old) == NRD_VAL_ARR && nrd_val_type(new) == NRD_VAL_ARR)
		return diff_arrays(path, old, new, fn, arg);
	return old != NULL && new != NULL && same(old, new) ? 0 : fn(arg, path, old, new);
}

int
vm_diff(const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg)
{
	return diff_at("", old, new, fn, arg);
}
