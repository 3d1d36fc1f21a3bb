/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "str.h"

static void *
pointer_of(const struct nrd_field *field, const void *obj)
{
	void *p;

	memcpy(&p, (const char *)obj + field->offset, sizeof(p));
	return p;
}

static size_t
count_of(const struct nrd_field *field, const void *obj)
{
	size_t n;

	if (field->type == NRD_TYPE_OBJ)
		return pointer_of(field, obj) != NULL;
	memcpy(&n, (const char *)obj + field->n_offset, sizeof(n));
	return n;
}

/*
 * The text was JSON when it came in; set by hand it may not be, and then becomes a string rather
 * than bad output.
 */
static void
encode_any(const char *text, struct nrd_jw *w)
{
	NRD_AUTO(nrd_json) *doc = NULL;

	if (text != NULL && nrd_json_parse(text, strlen(text), NULL, &doc, NULL) == 0)
		nrd_jw_val(w, nrd_json_root(doc));
	else
		nrd_jw_str(w, text);
}

static void
encode_map(const struct nrd_field *field, const char *const *v, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	for (; v != NULL && v[0] != NULL && v[1] != NULL; v += 2) {
		nrd_jw_key(w, v[0]);
		if (field->scalars && v[1][0] == NRD_SCALAR_MARK)
			encode_any(nrd_scalar_text(v[1]), w);
		else
			nrd_jw_str(w, v[1]);
	}
	nrd_jw_obj_close(w);
}

static void
encode_array(const struct nrd_field *field, const void *obj, struct nrd_jw *w)
{
	const char *items = pointer_of(field, obj);
	size_t n = count_of(field, obj);

	nrd_jw_arr_open(w);
	for (size_t i = 0; i < n; i++)
		nrd_encode(field->schema, items + i * field->schema->size, w);
	nrd_jw_arr_close(w);
}

static void
encode_scalar(const struct nrd_field *field, const void *obj, struct nrd_jw *w)
{
	const char *at = (const char *)obj + field->offset;
	char text[NRD_UUID_TEXT];
	uint64_t u;
	int64_t i;
	int e;

	switch (field->type) {
	case NRD_TYPE_U64:
		memcpy(&u, at, sizeof(u));
		nrd_jw_u64(w, u);
		break;
	case NRD_TYPE_I64:
		memcpy(&i, at, sizeof(i));
		nrd_jw_i64(w, i);
		break;
	case NRD_TYPE_BOOL:
		nrd_jw_bool(w, *(const bool *)at);
		break;
	case NRD_TYPE_MAC:
		nrd_mac_format((const struct nrd_mac *)at, text);
		nrd_jw_str(w, text);
		break;
	case NRD_TYPE_UUID:
		nrd_uuid_format((const struct nrd_uuid *)at, text);
		nrd_jw_str(w, text);
		break;
	default:
		memcpy(&e, at, sizeof(e));
		nrd_jw_str(w, field->names[e]);
		break;
	}
}

void
nrd_encode_field(const struct nrd_schema *schema, const struct nrd_field *field, const void *obj,
		 struct nrd_jw *w)
{
	if (!nrd_field_present(schema, field, obj) || nrd_field_null(schema, field, obj)) {
		nrd_jw_null(w);
		return;
	}
	switch (field->type) {
	case NRD_TYPE_STR:
		nrd_jw_str(w, pointer_of(field, obj));
		break;
	case NRD_TYPE_ANY:
		encode_any(pointer_of(field, obj), w);
		break;
	case NRD_TYPE_STRV:
		nrd_jw_strv(w, pointer_of(field, obj));
		break;
	case NRD_TYPE_MAP:
		encode_map(field, pointer_of(field, obj), w);
		break;
	case NRD_TYPE_OBJ:
		if (pointer_of(field, obj) != NULL)
			nrd_encode(field->schema, pointer_of(field, obj), w);
		else
			nrd_jw_null(w);
		break;
	case NRD_TYPE_ARR:
		encode_array(field, obj, w);
		break;
	default:
		encode_scalar(field, obj, w);
		break;
	}
}

void
nrd_encode(const struct nrd_schema *schema, const void *obj, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		if (!nrd_field_present(schema, field, obj))
			continue;
		nrd_jw_key(w, nrd_field_key(field));
		nrd_encode_field(schema, field, obj, w);
	}
	nrd_jw_obj_close(w);
}

static int
copy_objects(const struct nrd_field *field, const void *src, void *dst)
{
	const char *from = pointer_of(field, src);
	size_t n = count_of(field, src), size = field->schema->size;

	if (from == NULL)
		return 0;
	char *items = calloc(n > 0 ? n : 1, size);

	if (items == NULL)
		return -ENOMEM;
	memcpy((char *)dst + field->offset, &items, sizeof(items));
	if (field->type == NRD_TYPE_ARR)
		memcpy((char *)dst + field->n_offset, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		int r = nrd_object_copy(field->schema, from + i * size, items + i * size);

		if (r < 0)
			return r;
	}
	return 0;
}

/* dst holds a shallow copy in which this member was zeroed. */
static int
copy_value(const struct nrd_field *field, const void *src, void *dst)
{
	char **strv = NULL;
	char *s = NULL;
	int r = 0;

	switch (field->type) {
	case NRD_TYPE_STR:
	case NRD_TYPE_ANY:
		r = nrd_str_set(&s, pointer_of(field, src));
		memcpy((char *)dst + field->offset, &s, sizeof(s));
		return r;
	case NRD_TYPE_STRV:
	case NRD_TYPE_MAP:
		r = nrd_strv_copy(pointer_of(field, src), &strv);
		memcpy((char *)dst + field->offset, &strv, sizeof(strv));
		return r;
	case NRD_TYPE_OBJ:
	case NRD_TYPE_ARR:
		return copy_objects(field, src, dst);
	default:
		return 0;
	}
}

static bool
owns(const struct nrd_field *field)
{
	return field->type == NRD_TYPE_STR || field->type >= NRD_TYPE_STRV;
}

int
nrd_object_copy(const struct nrd_schema *schema, const void *src, void *dst)
{
	static const size_t zero;

	memcpy(dst, src, schema->size);
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		if (owns(field))
			memset((char *)dst + field->offset, 0, sizeof(void *));
		if (field->type == NRD_TYPE_ARR)
			memcpy((char *)dst + field->n_offset, &zero, sizeof(zero));
	}
	for (size_t i = 0; i < schema->n_fields; i++) {
		int r = copy_value(&schema->fields[i], src, dst);

		if (r < 0) {
			nrd_object_fini(schema, dst);
			return r;
		}
	}
	return 0;
}

static void
describe_rule(const struct nrd_field *field, struct nrd_buf *out)
{
	static const char *const types[] = {
		[NRD_TYPE_STR] = "string",	     [NRD_TYPE_U64] = "number",
		[NRD_TYPE_I64] = "number",	     [NRD_TYPE_BOOL] = "boolean",
		[NRD_TYPE_MAC] = "MAC address",	     [NRD_TYPE_UUID] = "UUID",
		[NRD_TYPE_ENUM] = "one of",	     [NRD_TYPE_STRV] = "array of strings",
		[NRD_TYPE_MAP] = "object of strings", [NRD_TYPE_ANY] = "any value",
		[NRD_TYPE_OBJ] = "object",	     [NRD_TYPE_ARR] = "array of objects",
	};

	(void)nrd_buf_adds(out, field->scalars ? "object of strings, numbers and booleans" : types[field->type]);
	if (field->type == NRD_TYPE_U64 && field->u64.max != UINT64_MAX)
		(void)nrd_buf_printf(out, " %" PRIu64 "..%" PRIu64, field->u64.min,
				     field->u64.max);
	else if (field->type == NRD_TYPE_I64)
		(void)nrd_buf_printf(out, " %" PRId64 "..%" PRId64, field->i64.min,
				     field->i64.max);
	else if (field->type == NRD_TYPE_ENUM)
		for (size_t i = 0; field->names[i] != NULL; i++)
			(void)nrd_buf_printf(out, "%s %s", i > 0 ? "," : "", field->names[i]);
	else if (field->type >= NRD_TYPE_STRV && field->type != NRD_TYPE_ANY &&
		 field->type != NRD_TYPE_OBJ && field->u64.max != 0)
		(void)nrd_buf_printf(out, ", at most %" PRIu64, field->u64.max);
	if ((field->flags & NRD_REQUIRED) != 0)
		(void)nrd_buf_adds(out, ", required");
	if ((field->flags & NRD_READONLY) != 0)
		(void)nrd_buf_adds(out, ", read only");
}

static void
describe_at(const struct nrd_schema *schema, int indent, struct nrd_buf *out)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct nrd_field *field = &schema->fields[i];

		(void)nrd_buf_printf(out, "%*s%-*s ", indent, "", 30 - indent,
				     nrd_field_key(field));
		describe_rule(field, out);
		if (field->help != NULL)
			(void)nrd_buf_printf(out, "; %s", field->help);
		(void)nrd_buf_addc(out, '\n');
		if (field->schema != NULL)
			describe_at(field->schema, indent + 2, out);
	}
}

void
nrd_schema_describe(const struct nrd_schema *schema, struct nrd_buf *out)
{
	describe_at(schema, 0, out);
}
