/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "mem.h"

/*
 * struct nrd_json is a yyjson_doc and struct nrd_val a yyjson_val under other names, so that no
 * caller sees yyjson. Its readers take pointers without const but change nothing: the two
 * functions here are the only place where const is taken away.
 */
static yyjson_val *
val_in(const struct nrd_val *v)
{
	return (yyjson_val *)(uintptr_t)v;
}

static const struct nrd_val *
val_out(const yyjson_val *v)
{
	return (const struct nrd_val *)v;
}

/* The parser's recursion is none; the checks below recurse at most `left` deep. */
struct check {
	unsigned depth;
	struct nrd_err *err;
};

static int check_value(const struct check *c, yyjson_val *v, unsigned left);

static int
key_compare(const void *a, const void *b)
{
	yyjson_val *const *ka = a, *const *kb = b;
	size_t la = yyjson_get_len(*ka), lb = yyjson_get_len(*kb);

	if (la != lb)
		return la < lb ? -1 : 1;
	return memcmp(yyjson_get_str(*ka), yyjson_get_str(*kb), la);
}

/* Sorts rather than compares all with all: an object of 100,000 keys must not cost 10^10 steps. */
static int
check_duplicates(const struct check *c, yyjson_val *obj)
{
	size_t n = yyjson_obj_size(obj);
	yyjson_val *few[16];
	NRD_FREE yyjson_val **many = NULL;
	yyjson_val **keys = few;

	if (n < 2)
		return 0;
	if (n > nrd_count(few)) {
		keys = many = reallocarray(NULL, n, sizeof(yyjson_val *));
		if (many == NULL)
			return nrd_nomem(c->err);
	}
	yyjson_obj_iter it = yyjson_obj_iter_with(obj);

	for (size_t i = 0; i < n; i++)
		keys[i] = yyjson_obj_iter_next(&it);
	qsort(keys, n, sizeof(yyjson_val *), key_compare);
	for (size_t i = 1; i < n; i++) {
		if (key_compare(&keys[i - 1], &keys[i]) == 0)
			return nrd_fail(c->err, EINVAL, "BadJson", "key \"%.64s\" is there twice",
					yyjson_get_str(keys[i]));
	}
	return 0;
}

static int
check_string(const struct check *c, yyjson_val *s)
{
	if (memchr(yyjson_get_str(s), '\0', yyjson_get_len(s)) != NULL)
		return nrd_fail(c->err, EINVAL, "BadJson", "a string holds a NUL");
	return 0;
}

static int
check_object(const struct check *c, yyjson_val *obj, unsigned left)
{
	yyjson_obj_iter it = yyjson_obj_iter_with(obj);
	yyjson_val *key;

	while ((key = yyjson_obj_iter_next(&it)) != NULL) {
		int r = check_string(c, key);

		if (r == 0)
			r = check_value(c, yyjson_obj_iter_get_val(key), left);
		if (r < 0)
			return r;
	}
	return check_duplicates(c, obj);
}

static int
check_array(const struct check *c, yyjson_val *arr, unsigned left)
{
	yyjson_arr_iter it = yyjson_arr_iter_with(arr);
	yyjson_val *v;

	while ((v = yyjson_arr_iter_next(&it)) != NULL) {
		int r = check_value(c, v, left);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
check_value(const struct check *c, yyjson_val *v, unsigned left)
{
	if (yyjson_is_str(v))
		return check_string(c, v);
	if (!yyjson_is_ctn(v))
		return 0;
	if (left == 0)
		return nrd_fail(c->err, EINVAL, "BadJson", "nested deeper than %u", c->depth);
	return yyjson_is_obj(v) ? check_object(c, v, left - 1) : check_array(c, v, left - 1);
}

static int
syntax_error(const char *text, size_t len, const yyjson_read_err *why, struct nrd_err *err)
{
	size_t line = 1, column = 1;

	if (why->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return nrd_nomem(err);
	for (size_t i = 0; i < why->pos && i < len; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return nrd_fail(err, EINVAL, "BadJson", "line %zu, column %zu: %s", line, column, why->msg);
}

int
nrd_json_parse(const char *text, size_t len, const struct nrd_json_limits *limits,
	       struct nrd_json **ret_doc, struct nrd_err *err)
{
	size_t max = limits != NULL && limits->max != 0 ? limits->max : NRD_JSON_MAX;
	unsigned depth = limits != NULL && limits->depth != 0 ? limits->depth : NRD_JSON_DEPTH;
	yyjson_read_err why = { 0 };

	if (depth > NRD_JSON_DEPTH_MAX)
		depth = NRD_JSON_DEPTH_MAX;
	if (len > max)
		return nrd_fail(err, EFBIG, "JsonTooBig", "longer than %zu bytes", max);
	/* Without the in-place flag the text is only read, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text, len, YYJSON_READ_NOFLAG, NULL,
					   &why);

	if (doc == NULL)
		return syntax_error(text, len, &why, err);
	struct check c = { .depth = depth, .err = err };
	int r = check_value(&c, yyjson_doc_get_root(doc), depth);

	if (r < 0) {
		yyjson_doc_free(doc);
		return r;
	}
	*ret_doc = (struct nrd_json *)doc;
	return 0;
}

int
nrd_json_read_fd(int fd, const struct nrd_json_limits *limits, struct nrd_json **ret_doc,
		 struct nrd_err *err)
{
	size_t max = limits != NULL && limits->max != 0 ? limits->max : NRD_JSON_MAX;
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(max);
	int r = nrd_buf_read_fd(&b, fd, err);

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
	yyjson_doc_free((yyjson_doc *)doc);
}

void
nrd_json_cleanup(struct nrd_json **doc)
{
	nrd_json_free(*doc);
}

const struct nrd_val *
nrd_json_root(const struct nrd_json *doc)
{
	return val_out(yyjson_doc_get_root((yyjson_doc *)(uintptr_t)doc));
}

enum nrd_val_type
nrd_val_type(const struct nrd_val *v)
{
	switch (yyjson_get_type(val_in(v))) {
	case YYJSON_TYPE_NULL:
		return NRD_VAL_NULL;
	case YYJSON_TYPE_BOOL:
		return NRD_VAL_BOOL;
	case YYJSON_TYPE_NUM:
		return NRD_VAL_NUM;
	case YYJSON_TYPE_STR:
		return NRD_VAL_STR;
	case YYJSON_TYPE_ARR:
		return NRD_VAL_ARR;
	case YYJSON_TYPE_OBJ:
		return NRD_VAL_OBJ;
	default:
		return NRD_VAL_NONE;
	}
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
	return val_out(yyjson_obj_get(val_in(v), key));
}

const struct nrd_val *
nrd_val_at(const struct nrd_val *v, size_t i)
{
	return val_out(yyjson_arr_get(val_in(v), i));
}

size_t
nrd_val_len(const struct nrd_val *v)
{
	yyjson_val *y = val_in(v);

	if (yyjson_is_str(y) || yyjson_is_ctn(y))
		return yyjson_get_len(y);
	return 0;
}

const char *
nrd_val_str(const struct nrd_val *v)
{
	return yyjson_get_str(val_in(v));
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

bool
nrd_val_u64(const struct nrd_val *v, uint64_t *ret_v)
{
	yyjson_val *y = val_in(v);
	double d = yyjson_is_real(y) ? yyjson_get_real(y) : -1;

	if (yyjson_is_uint(y))
		*ret_v = yyjson_get_uint(y);
	else if (d >= 0 && double_is_whole(d))
		*ret_v = (uint64_t)d;
	else
		return false;
	return true;
}

bool
nrd_val_i64(const struct nrd_val *v, int64_t *ret_v)
{
	yyjson_val *y = val_in(v);

	if (yyjson_is_sint(y))
		*ret_v = yyjson_get_sint(y);
	else if (yyjson_is_uint(y) && yyjson_get_uint(y) <= INT64_MAX)
		*ret_v = (int64_t)yyjson_get_uint(y);
	else if (yyjson_is_real(y) && double_is_whole(yyjson_get_real(y)))
		*ret_v = (int64_t)yyjson_get_real(y);
	else
		return false;
	return true;
}

bool
nrd_val_double(const struct nrd_val *v, double *ret_v)
{
	if (!yyjson_is_num(val_in(v)))
		return false;
	*ret_v = yyjson_get_num(val_in(v));
	return true;
}

bool
nrd_val_bool(const struct nrd_val *v, bool *ret_v)
{
	if (!yyjson_is_bool(val_in(v)))
		return false;
	*ret_v = yyjson_get_bool(val_in(v));
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
	yyjson_val *y = val_in(v);
	struct nrd_iter it = { .object = yyjson_is_obj(y), .index = SIZE_MAX };

	if (yyjson_is_ctn(y)) {
		it.left = yyjson_get_len(y);
		it.next = unsafe_yyjson_get_first(y);
	}
	return it;
}

bool
nrd_iter_next(struct nrd_iter *it)
{
	if (it->left == 0)
		return false;
	yyjson_val *v = val_in(it->next);

	if (it->object) {
		it->key = yyjson_get_str(v);
		v = yyjson_obj_iter_get_val(v);
	}
	it->val = val_out(v);
	it->index++;
	it->left--;
	it->next = unsafe_yyjson_get_next(v);
	return true;
}
