/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "schema.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "suggest.h"

/*
 * Decoding goes to a scratch object first. Only when every field of it is good are the given
 * ones moved over the caller's object, so that a refused document leaves it untouched.
 *
 * Where we are in the document is a list on the stack, made text only for a message.
 */
struct path {
	const struct path *up;
	const char *key; /* NULL: index counts */
	size_t index;
};

struct decoder {
	unsigned flags;
	const char *const *only; /* of the outermost object these; NULL: all */
	struct nrd_err *err;
};

static int decode_object(const struct decoder *d, const struct nrd_schema *schema,
			 const struct nrd_val *val, const struct path *path, void *obj);

static void
path_print(const struct path *path, struct nrd_buf *b)
{
	if (path == NULL)
		return;
	path_print(path->up, b);
	if (path->key == NULL)
		(void)nrd_buf_printf(b, "[%zu]", path->index);
	else
		(void)nrd_buf_printf(b, "%s%.64s", b->len > 0 ? "." : "", path->key);
}

/* Puts the path before the message in err; at the root the schema's rule speaks for itself. */
static int
at_path(const struct decoder *d, int r, const struct path *path)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(256);

	if (r == 0)
		return 0;
	path_print(path, &b);
	if (b.len > 0)
		(void)nrd_wrap(d->err, r, "%s", nrd_buf_str(&b));
	return r;
}

#define bad(d, path, ...) at_path((d), nrd_fail((d)->err, EINVAL, "BadProperty", __VA_ARGS__), path)

static struct nrd_present *
present_of(const struct nrd_schema *schema, void *obj)
{
	return (struct nrd_present *)((char *)obj + schema->present);
}

static const struct nrd_present *
present_in(const struct nrd_schema *schema, const void *obj)
{
	return (const struct nrd_present *)((const char *)obj + schema->present);
}

static void
mark(const struct nrd_schema *schema, const struct nrd_field *field, void *obj, bool set, bool null)
{
	struct nrd_present *p = present_of(schema, obj);
	size_t i = (size_t)(field - schema->fields);
	uint64_t bit = UINT64_C(1) << (i % 64);

	p->set[i / 64] = set ? p->set[i / 64] | bit : p->set[i / 64] & ~bit;
	p->null[i / 64] = null ? p->null[i / 64] | bit : p->null[i / 64] & ~bit;
}

static bool
bit_of(const struct nrd_schema *schema, const struct nrd_field *field, const uint64_t *bits)
{
	size_t i = (size_t)(field - schema->fields);

	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

bool
nrd_field_present(const struct nrd_schema *schema, const struct nrd_field *field, const void *obj)
{
	return bit_of(schema, field, present_in(schema, obj)->set);
}

bool
nrd_field_null(const struct nrd_schema *schema, const struct nrd_field *field, const void *obj)
{
	return bit_of(schema, field, present_in(schema, obj)->null);
}

const char *
nrd_field_key(const struct nrd_field *field)
{
	return field->json != NULL ? field->json : field->name;
}

/* Begins at `from`, which is not behind the end, and goes around. */
static const struct nrd_field *
find_from(const struct nrd_schema *schema, size_t from, const char *key)
{
	size_t n = schema->n_fields;

	for (size_t i = 0; i < n; i++) {
		const struct nrd_field *field = &schema->fields[from + i < n ? from + i : from + i - n];
		const char *name = nrd_field_key(field);

		if (name[0] == key[0] && strcmp(name, key) == 0)
			return field;
	}
	return NULL;
}

const struct nrd_field *
nrd_schema_find(const struct nrd_schema *schema, const char *key)
{
	return find_from(schema, 0, key);
}

const struct nrd_field *
nrd_schema_at(const struct nrd_schema *schema, size_t offset)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (schema->fields[i].offset == offset)
			return &schema->fields[i];
	}
	/* The member is in no field: a bug at the caller, not something to go on after. */
	assert(!"member without a field");
	abort();
}

static size_t
field_size(const struct nrd_field *field)
{
	switch (field->type) {
	case NRD_TYPE_U64:
	case NRD_TYPE_I64:
		return sizeof(uint64_t);
	case NRD_TYPE_BOOL:
		return sizeof(bool);
	case NRD_TYPE_MAC:
		return sizeof(struct nrd_mac);
	case NRD_TYPE_UUID:
		return sizeof(struct nrd_uuid);
	case NRD_TYPE_ENUM:
		return sizeof(int);
	default:
		return sizeof(void *);
	}
}

/* Members are read and written as bytes: the table knows their types, the compiler does not. */
static void *
get_pointer(const struct nrd_field *field, const void *obj)
{
	void *p;

	memcpy(&p, (const char *)obj + field->offset, sizeof(p));
	return p;
}

static size_t
get_count(const struct nrd_field *field, const void *obj)
{
	size_t n;

	memcpy(&n, (const char *)obj + field->n_offset, sizeof(n));
	return n;
}

static void
put(const struct nrd_field *field, void *obj, const void *value)
{
	memcpy((char *)obj + field->offset, value, field_size(field));
}

static void
put_pointer(const struct nrd_field *field, void *obj, void *value)
{
	memcpy((char *)obj + field->offset, &value, sizeof(value));
}

static void
put_count(const struct nrd_field *field, void *obj, size_t n)
{
	memcpy((char *)obj + field->n_offset, &n, sizeof(n));
}

static void
free_array(const struct nrd_schema *schema, void *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nrd_object_fini(schema, (char *)items + i * schema->size);
	free(items);
}

/* What a member points at. */
static void
free_value(const struct nrd_field *field, void *obj)
{
	switch (field->type) {
	case NRD_TYPE_STR:
	case NRD_TYPE_ANY:
		free(get_pointer(field, obj));
		break;
	case NRD_TYPE_STRV:
	case NRD_TYPE_MAP:
		nrd_strv_free(get_pointer(field, obj));
		break;
	case NRD_TYPE_OBJ:
		free_array(field->schema, get_pointer(field, obj),
			   get_pointer(field, obj) != NULL);
		break;
	case NRD_TYPE_ARR:
		free_array(field->schema, get_pointer(field, obj), get_count(field, obj));
		break;
	default:
		break;
	}
}

/* Frees and zeroes one member. */
static void
clear_value(const struct nrd_field *field, void *obj)
{
	free_value(field, obj);
	if (field->type == NRD_TYPE_ARR)
		put_count(field, obj, 0);
	memset((char *)obj + field->offset, 0, field_size(field));
}

void
nrd_object_fini(const struct nrd_schema *schema, void *obj)
{
	if (obj == NULL)
		return;
	for (size_t i = 0; i < schema->n_fields; i++)
		free_value(&schema->fields[i], obj);
	memset(obj, 0, schema->size);
}

void
nrd_field_set(const struct nrd_schema *schema, const struct nrd_field *field, void *obj)
{
	mark(schema, field, obj, true, false);
}

void
nrd_field_clear(const struct nrd_schema *schema, const struct nrd_field *field, void *obj)
{
	clear_value(field, obj);
	mark(schema, field, obj, false, false);
}

static int
wrong_type(const struct decoder *d, const struct path *path, const char *wanted,
	   const struct nrd_val *val)
{
	return bad(d, path, "must be %s, not %s", wanted, nrd_val_type_name(val));
}

static int
run_check(const struct decoder *d, const struct nrd_field *field, const struct path *path,
	  const char *s)
{
	if (field->check == NULL)
		return 0;
	int r = field->check(s, d->err);

	if (r < 0 && (field->flags & NRD_SECRET) != 0)
		return bad(d, path, "is not acceptable");
	return at_path(d, r, path);
}

static int
put_string(const struct decoder *d, const struct nrd_field *field, const struct path *path,
	   const char *s, void *obj)
{
	int r = run_check(d, field, path, s);

	if (r < 0)
		return r;
	char *copy = strdup(s);

	if (copy == NULL)
		return nrd_nomem(d->err);
	put_pointer(field, obj, copy);
	return 0;
}

/* The text of a scalar, from a string in the document or from a command line. */
static int
put_text(const struct decoder *d, const struct nrd_field *field, const struct path *path,
	 const char *s, void *obj)
{
	union {
		uint64_t u;
		int64_t i;
		bool b;
		struct nrd_mac mac;
		struct nrd_uuid uuid;
	} v;
	int r;

	switch (field->type) {
	case NRD_TYPE_U64:
		r = nrd_parse_u64(s, field->u64.min, field->u64.max, &v.u, d->err);
		break;
	case NRD_TYPE_I64:
		r = nrd_parse_i64(s, field->i64.min, field->i64.max, &v.i, d->err);
		break;
	case NRD_TYPE_BOOL:
		r = nrd_parse_bool(s, &v.b, d->err);
		break;
	case NRD_TYPE_MAC:
		r = nrd_mac_parse(s, &v.mac, d->err);
		break;
	default:
		r = nrd_uuid_parse(s, &v.uuid, d->err);
		break;
	}
	if (r < 0 && (field->flags & NRD_SECRET) != 0)
		return bad(d, path, "is not acceptable");
	if (r < 0) {
		/* One code and one errno for every property that will not do. */
		struct nrd_err why = { 0 };

		if (d->err != NULL)
			why = *d->err;
		return bad(d, path, "%s", why.msg);
	}
	put(field, obj, &v);
	return 0;
}

static int
put_enum(const struct decoder *d, const struct nrd_field *field, const struct path *path,
	 const char *s, void *obj)
{
	NRD_AUTO(nrd_buf) known = NRD_BUF_INIT(300);

	for (int i = 0; field->names[i] != NULL; i++) {
		if (strcmp(field->names[i], s) == 0) {
			put(field, obj, &i);
			return 0;
		}
		(void)nrd_buf_printf(&known, "%s%s", i > 0 ? ", " : "", field->names[i]);
	}
	return bad(d, path, "\"%.64s\" is not one of %s", s, nrd_buf_str(&known));
}

static int
decode_u64(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	   const struct path *path, void *obj)
{
	uint64_t v;

	if (nrd_val_type(val) != NRD_VAL_NUM)
		return wrong_type(d, path, "a number", val);
	if (!nrd_val_u64(val, &v))
		return bad(d, path, "must be a whole number from %" PRIu64 " to %" PRIu64,
			   field->u64.min, field->u64.max);
	if (v < field->u64.min)
		return bad(d, path, "%" PRIu64 " is below %" PRIu64, v, field->u64.min);
	if (v > field->u64.max)
		return bad(d, path, "%" PRIu64 " is above %" PRIu64, v, field->u64.max);
	put(field, obj, &v);
	return 0;
}

static int
decode_i64(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	   const struct path *path, void *obj)
{
	int64_t v;

	if (nrd_val_type(val) != NRD_VAL_NUM)
		return wrong_type(d, path, "a number", val);
	if (!nrd_val_i64(val, &v) || v < field->i64.min || v > field->i64.max)
		return bad(d, path, "must be a whole number from %" PRId64 " to %" PRId64,
			   field->i64.min, field->i64.max);
	put(field, obj, &v);
	return 0;
}

static int
decode_bool(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	    const struct path *path, void *obj)
{
	bool v;

	if (!nrd_val_bool(val, &v))
		return wrong_type(d, path, "a boolean", val);
	put(field, obj, &v);
	return 0;
}

static int
too_many(const struct decoder *d, const struct nrd_field *field, const struct path *path, size_t n)
{
	if (field->u64.max != 0 && n > field->u64.max)
		return bad(d, path, "has %zu members, more than %" PRIu64, n, field->u64.max);
	return 0;
}

const char *
nrd_scalar_text(const char *value)
{
	return value[0] == NRD_SCALAR_MARK ? value + 1 : value;
}

/* NULL: it is neither that nor a string, or there is no memory. */
static char *
scalar_of(const struct nrd_field *field, const struct nrd_val *val)
{
	const char *s = nrd_val_str(val);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (s != NULL)
		return strdup(s);
	if (!field->scalars || (nrd_val_type(val) != NRD_VAL_NUM && nrd_val_type(val) != NRD_VAL_BOOL))
		return NULL;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, val);
	return nrd_jw_finish(&w, NULL) < 0 ? NULL : nrd_format("%c%s", NRD_SCALAR_MARK, nrd_buf_str(&text));
}

/* STRV and MAP: the one is a MAP without keys. */
static int
decode_strings(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	       const struct path *path, void *obj)
{
	bool map = field->type == NRD_TYPE_MAP;
	size_t n = nrd_val_len(val), at = 0;

	if (nrd_val_type(val) != (map ? NRD_VAL_OBJ : NRD_VAL_ARR))
		return wrong_type(d, path, map ? "an object of strings" : "an array of strings",
				  val);
	int r = too_many(d, field, path, n);

	if (r < 0)
		return r;
	NRD_STRV char **v = calloc((map ? 2 * n : n) + 1, sizeof(char *));

	if (v == NULL)
		return nrd_nomem(d->err);
	struct nrd_iter it = nrd_iter(val);

	while (nrd_iter_next(&it)) {
		struct path here = { .up = path, .key = it.key, .index = it.index };
		NRD_FREE char *s = scalar_of(field, it.val);

		if (s == NULL && nrd_val_str(it.val) == NULL)
			return wrong_type(d, &here, field->scalars ? "a string, a number or a truth value" : "a string", it.val);
		if (s == NULL)
			return nrd_nomem(d->err);
		r = run_check(d, field, &here, nrd_scalar_text(s));
		if (r < 0)
			return r;
		if (map && (v[at++] = strdup(it.key)) == NULL)
			return nrd_nomem(d->err);
		v[at++] = NRD_TAKE(s);
	}
	put_pointer(field, obj, NRD_TAKE(v));
	return 0;
}

static int
decode_any(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	   const struct path *path, void *obj)
{
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	nrd_jw_val(&w, val);
	int r = nrd_jw_finish(&w, d->err);

	if (r == 0)
		r = run_check(d, field, path, nrd_buf_str(&b));
	if (r < 0)
		return r;
	put_pointer(field, obj, nrd_buf_take(&b));
	return 0;
}

static int
decode_nested(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	      const struct path *path, void *obj)
{
	void *item = calloc(1, field->schema->size);

	if (item == NULL)
		return nrd_nomem(d->err);
	int r = decode_object(d, field->schema, val, path, item);

	if (r < 0) {
		free_array(field->schema, item, 1);
		return r;
	}
	put_pointer(field, obj, item);
	return 0;
}

static int
decode_array(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	     const struct path *path, void *obj)
{
	size_t n = nrd_val_len(val), size = field->schema->size;

	if (nrd_val_type(val) != NRD_VAL_ARR)
		return wrong_type(d, path, "an array of objects", val);
	int r = too_many(d, field, path, n);

	if (r < 0)
		return r;
	char *items = calloc(n > 0 ? n : 1, size);

	if (items == NULL)
		return nrd_nomem(d->err);
	struct nrd_iter it = nrd_iter(val);

	while (nrd_iter_next(&it)) {
		struct path here = { .up = path, .index = it.index };

		r = decode_object(d, field->schema, it.val, &here, items + it.index * size);
		if (r < 0) {
			free_array(field->schema, items, n);
			return r;
		}
	}
	put_pointer(field, obj, items);
	put_count(field, obj, n);
	return 0;
}

static bool
is_scalar_text(const struct nrd_field *field)
{
	return field->type == NRD_TYPE_U64 || field->type == NRD_TYPE_I64 ||
	       field->type == NRD_TYPE_BOOL;
}

static int
decode_value(const struct decoder *d, const struct nrd_field *field, const struct nrd_val *val,
	     const struct path *path, void *obj)
{
	const char *s = nrd_val_str(val);

	if (s != NULL && is_scalar_text(field) && (field->flags & NRD_LOOSE) != 0)
		return put_text(d, field, path, s, obj);
	switch (field->type) {
	case NRD_TYPE_STR:
		return s != NULL ? put_string(d, field, path, s, obj)
				 : wrong_type(d, path, "a string", val);
	case NRD_TYPE_U64:
		return decode_u64(d, field, val, path, obj);
	case NRD_TYPE_I64:
		return decode_i64(d, field, val, path, obj);
	case NRD_TYPE_BOOL:
		return decode_bool(d, field, val, path, obj);
	case NRD_TYPE_MAC:
	case NRD_TYPE_UUID:
		return s != NULL ? put_text(d, field, path, s, obj)
				 : wrong_type(d, path, "a string", val);
	case NRD_TYPE_ENUM:
		return s != NULL ? put_enum(d, field, path, s, obj)
				 : wrong_type(d, path, "a string", val);
	case NRD_TYPE_STRV:
	case NRD_TYPE_MAP:
		return decode_strings(d, field, val, path, obj);
	case NRD_TYPE_ANY:
		return decode_any(d, field, val, path, obj);
	case NRD_TYPE_OBJ:
		return decode_nested(d, field, val, path, obj);
	case NRD_TYPE_ARR:
		return decode_array(d, field, val, path, obj);
	}
	return 0;
}

static int
unknown_key(const struct decoder *d, const struct nrd_schema *schema, const char *key,
	    const struct path *path)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, key);
	for (size_t i = 0; i < schema->n_fields; i++)
		nrd_suggest_offer(&near, nrd_field_key(&schema->fields[i]));
	int r = near.best != NULL
			? nrd_fail(d->err, EINVAL, "UnknownProperty",
				   "unknown property \"%.64s\", did you mean \"%s\"?", key,
				   near.best)
			: nrd_fail(d->err, EINVAL, "UnknownProperty",
				   "unknown property \"%.64s\"", key);

	return at_path(d, r, path);
}

/* All members of a document's object into a zeroed obj; rules over the whole object come later. */
static int
decode_members(const struct decoder *d, const struct nrd_schema *schema, const struct nrd_val *val,
	       const struct path *path, void *obj)
{
	struct nrd_iter it = nrd_iter(val);
	size_t guess = 0;

	if (nrd_val_type(val) != NRD_VAL_OBJ)
		return wrong_type(d, path, "an object", val);
	while (nrd_iter_next(&it)) {
		if (path == NULL && d->only != NULL && !nrd_strv_has(d->only, it.key))
			continue;
		/* Documents we wrote ourselves have the table's order: it is found a little further on. */
		const struct nrd_field *field = find_from(schema, guess, it.key);
		struct path here = { .up = path, .key = it.key };

		if (field == NULL && (d->flags & NRD_DECODE_UNKNOWN) != 0)
			continue;
		if (field == NULL)
			return unknown_key(d, schema, it.key, path);
		guess = (size_t)(field - schema->fields) + 1;
		bool null = nrd_val_type(it.val) == NRD_VAL_NULL &&
			    (field->flags & NRD_NULLABLE) != 0;
		int r = null ? 0 : decode_value(d, field, it.val, &here, obj);

		if (r < 0)
			return r;
		mark(schema, field, obj, true, null);
	}
	return 0;
}

static int
check_whole(const struct decoder *d, const struct nrd_schema *schema, const struct path *path,
	    const void *obj)
{
	if ((d->flags & NRD_DECODE_PARTIAL) != 0)
		return 0;
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		if ((field->flags & NRD_REQUIRED) != 0 && !nrd_field_present(schema, field, obj))
			return at_path(d,
				       nrd_fail(d->err, EINVAL, "MissingProperty",
						"\"%s\" is missing", nrd_field_key(field)),
				       path);
	}
	return schema->check != NULL ? at_path(d, schema->check(obj, d->err), path) : 0;
}

/* A nested object into zeroed memory; on failure the caller frees. */
static int
decode_object(const struct decoder *d, const struct nrd_schema *schema, const struct nrd_val *val,
	      const struct path *path, void *obj)
{
	int r = decode_members(d, schema, val, path, obj);

	return r < 0 ? r : check_whole(d, schema, path, obj);
}

/*
 * Copies the bytes of the members given in src, and their marks. Owners change only when `old`
 * is freed by the caller.
 */
static void
overlay(const struct nrd_schema *schema, const void *src, void *dst)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		if (!nrd_field_present(schema, field, src))
			continue;
		put(field, dst, (const char *)src + field->offset);
		if (field->type == NRD_TYPE_ARR)
			put_count(field, dst, get_count(field, src));
		mark(schema, field, dst, true, nrd_field_null(schema, field, src));
	}
}

static bool
is_empty(const struct nrd_schema *schema, const void *obj)
{
	const struct nrd_present *p = present_in(schema, obj);

	for (size_t i = 0; i < nrd_count(p->set); i++)
		if (p->set[i] != 0)
			return false;
	return true;
}

/* Checks old and new together, then moves the new over the old. fresh is empty after success. */
static int
merge(const struct decoder *d, const struct nrd_schema *schema, void *fresh, void *obj)
{
	NRD_FREE void *both = malloc(schema->size);
	bool held = !is_empty(schema, obj);

	if (both == NULL)
		return nrd_nomem(d->err);
	memcpy(both, obj, schema->size);
	overlay(schema, fresh, both);
	int r = check_whole(d, schema, NULL, both);

	if (r < 0)
		return r;
	for (size_t i = 0; held && i < schema->n_fields; i++) {
		if (nrd_field_present(schema, &schema->fields[i], fresh))
			clear_value(&schema->fields[i], obj);
	}
	memcpy(obj, both, schema->size);
	memset(fresh, 0, schema->size);
	return 0;
}

int
nrd_decode(const struct nrd_schema *schema, const struct nrd_val *val, unsigned flags, void *obj,
	   struct nrd_err *err)
{
	return nrd_decode_some(schema, val, flags, NULL, obj, err);
}

int
nrd_decode_some(const struct nrd_schema *schema, const struct nrd_val *val, unsigned flags, const char *const *only, void *obj,
		struct nrd_err *err)
{
	struct decoder d = { .flags = flags, .only = only, .err = err };
	NRD_FREE void *fresh = calloc(1, schema->size);

	if (fresh == NULL)
		return nrd_nomem(err);
	int r = decode_members(&d, schema, val, NULL, fresh);

	if (r == 0)
		r = merge(&d, schema, fresh, obj);
	if (r < 0)
		nrd_object_fini(schema, fresh);
	return r;
}

int
nrd_decode_text(const struct nrd_schema *schema, const char *text, size_t len,
		const struct nrd_json_limits *limits, unsigned flags, void *obj,
		struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = nrd_json_parse(text, len, limits, &doc, err);

	return r < 0 ? r : nrd_decode(schema, nrd_json_root(doc), flags, obj, err);
}

static int
decode_json_field(const struct decoder *d, const struct nrd_field *field, const char *text,
		  const struct path *path, void *obj)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = nrd_json_parse(text, strlen(text), NULL, &doc, d->err);

	if (r < 0)
		return at_path(d, r, path);
	return decode_value(d, field, nrd_json_root(doc), path, obj);
}

static int
decode_text_field(const struct decoder *d, const struct nrd_field *field, const char *text,
		  const struct path *path, void *obj)
{
	switch (field->type) {
	case NRD_TYPE_STR:
		return put_string(d, field, path, text, obj);
	case NRD_TYPE_ENUM:
		return put_enum(d, field, path, text, obj);
	case NRD_TYPE_U64:
	case NRD_TYPE_I64:
	case NRD_TYPE_BOOL:
	case NRD_TYPE_MAC:
	case NRD_TYPE_UUID:
		return put_text(d, field, path, text, obj);
	default:
		return decode_json_field(d, field, text, path, obj);
	}
}

int
nrd_decode_field(const struct nrd_schema *schema, const char *key, const char *text, void *obj,
		 struct nrd_err *err)
{
	struct decoder d = { .flags = NRD_DECODE_PARTIAL, .err = err };
	const struct nrd_field *field = nrd_schema_find(schema, key);
	struct path here = { .key = key };

	if (field == NULL)
		return unknown_key(&d, schema, key, NULL);
	NRD_FREE void *fresh = calloc(1, schema->size);

	if (fresh == NULL)
		return nrd_nomem(err);
	int r = decode_text_field(&d, field, text, &here, fresh);

	if (r == 0) {
		mark(schema, field, fresh, true, false);
		r = merge(&d, schema, fresh, obj);
	}
	nrd_object_fini(schema, fresh);
	return r;
}
