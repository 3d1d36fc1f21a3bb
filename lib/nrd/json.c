/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json-priv.h"
#include "mem.h"

int
nrd_json_read_fd(int fd, const struct nrd_json_limits *limits, struct nrd_json **ret_doc,
		 struct nrd_err *err)
{
	size_t max = limits != NULL && limits->max != 0 ? limits->max : NRD_JSON_MAX;
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(max);
	int r = limits != NULL && limits->regular ? nrd_buf_read_regular(&b, fd, err) : nrd_buf_read_fd(&b, fd, err);

	if (r == -EFBIG)
		return nrd_fail(err, EFBIG, "JsonTooBig", "longer than %zu bytes", max);
	if (r < 0)
		return r;
	return nrd_json_parse(nrd_buf_str(&b), b.len, limits, ret_doc, err);
}

int
nrd_json_read_file(const char *path, const struct nrd_json_limits *limits,
		   struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	return nrd_wrap(err, nrd_json_read_fd(fd, limits, ret_doc, err), "%s", path);
}

void
nrd_json_free(struct nrd_json *doc)
{
	if (doc == NULL)
		return;
	nrd_vec_fini(&doc->vals);
	free(doc->text);
	free(doc);
}

void
nrd_json_cleanup(struct nrd_json **doc)
{
	nrd_json_free(*doc);
}

const struct nrd_val *
nrd_json_root(const struct nrd_json *doc)
{
	return doc != NULL ? doc->vals.data : NULL;
}

enum nrd_val_type
nrd_val_type(const struct nrd_val *v)
{
	return v != NULL ? (enum nrd_val_type)v->type : NRD_VAL_NONE;
}

const char *
nrd_val_type_name(const struct nrd_val *v)
{
	static const char *const names[] = {
		[NRD_VAL_NONE] = "nothing",   [NRD_VAL_NULL] = "null",
		[NRD_VAL_BOOL] = "a boolean", [NRD_VAL_NUM] = "a number",
		[NRD_VAL_STR] = "a string",   [NRD_VAL_ARR] = "an array",
		[NRD_VAL_OBJ] = "an object",
	};

	return names[nrd_val_type(v)];
}

const struct nrd_val *
nrd_val_get(const struct nrd_val *v, const char *key)
{
	struct nrd_iter it = nrd_iter(v);

	while (it.object && nrd_iter_next(&it))
		if (strcmp(it.key, key) == 0)
			return it.val;
	return NULL;
}

const struct nrd_val *
nrd_val_at(const struct nrd_val *v, size_t i)
{
	struct nrd_iter it = nrd_iter(v);

	while (!it.object && nrd_iter_next(&it))
		if (it.index == i)
			return it.val;
	return NULL;
}

size_t
nrd_val_len(const struct nrd_val *v)
{
	return v != NULL ? v->len : 0;
}

const char *
nrd_val_str(const struct nrd_val *v)
{
	return nrd_val_type(v) == NRD_VAL_STR ? v->str : NULL;
}

/*
 * JavaScript has one kind of number: 1e3 and 1000.0 are what 1000 is, as far as doubles are
 * exact.
 */
static bool
double_is_whole(double d)
{
	return d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == (double)(int64_t)d;
}

static bool
is_number(const struct nrd_val *v, enum nrd_num num)
{
	return nrd_val_type(v) == NRD_VAL_NUM && v->num == (uint8_t)num;
}

bool
nrd_val_u64(const struct nrd_val *v, uint64_t *ret_v)
{
	if (is_number(v, NRD_NUM_UNSIGNED))
		*ret_v = v->u;
	else if (is_number(v, NRD_NUM_REAL) && v->d >= 0 && double_is_whole(v->d))
		*ret_v = (uint64_t)v->d;
	else
		return false;
	return true;
}

bool
nrd_val_i64(const struct nrd_val *v, int64_t *ret_v)
{
	if (is_number(v, NRD_NUM_NEGATIVE))
		*ret_v = v->i;
	else if (is_number(v, NRD_NUM_UNSIGNED) && v->u <= INT64_MAX)
		*ret_v = (int64_t)v->u;
	else if (is_number(v, NRD_NUM_REAL) && double_is_whole(v->d))
		*ret_v = (int64_t)v->d;
	else
		return false;
	return true;
}

bool
nrd_val_double(const struct nrd_val *v, double *ret_v)
{
	if (nrd_val_type(v) != NRD_VAL_NUM)
		return false;
	*ret_v = v->num == NRD_NUM_REAL	      ? v->d
		 : v->num == NRD_NUM_NEGATIVE ? (double)v->i
					      : (double)v->u;
	return true;
}

bool
nrd_val_bool(const struct nrd_val *v, bool *ret_v)
{
	if (nrd_val_type(v) != NRD_VAL_BOOL)
		return false;
	*ret_v = v->b;
	return true;
}

const char *
nrd_get_str(const struct nrd_val *obj, const char *key)
{
	return nrd_val_str(nrd_val_get(obj, key));
}

bool
nrd_get_u64(const struct nrd_val *obj, const char *key, uint64_t *ret_v)
{
	return nrd_val_u64(nrd_val_get(obj, key), ret_v);
}

bool
nrd_get_i64(const struct nrd_val *obj, const char *key, int64_t *ret_v)
{
	return nrd_val_i64(nrd_val_get(obj, key), ret_v);
}

bool
nrd_get_bool(const struct nrd_val *obj, const char *key, bool *ret_v)
{
	return nrd_val_bool(nrd_val_get(obj, key), ret_v);
}

struct nrd_iter
nrd_iter(const struct nrd_val *v)
{
	struct nrd_iter it = { .object = nrd_val_type(v) == NRD_VAL_OBJ, .index = SIZE_MAX };

	if (it.object || nrd_val_type(v) == NRD_VAL_ARR) {
		it.left = v->len;
		it.next = v + 1;
	}
	return it;
}

bool
nrd_iter_next(struct nrd_iter *it)
{
	const struct nrd_val *v = it->next;

	if (it->left == 0)
		return false;
	if (it->object)
		it->key = (v++)->str;
	it->val = v;
	it->index++;
	it->left--;
	it->next = v + v->span;
	return true;
}
