/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes: the parser, the table decoder and the writer. What decodes must encode to text that
 * decodes to the same again. Another parser, yyjson, is asked about every text: what it refuses is
 * refused, what it takes is taken but for our own rules, and what we write of it is the same to it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "nrd/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	struct nrd_present present;
	char *s;
	struct nrd_mac mac;
	struct nrd_uuid uuid;
	uint64_t u;
	int64_t i;
	bool b;
	int e;
	char **v;
	char **m;
	char *x;
	struct item *o;
	struct item *a;
	size_t n_a;
};

static const char *const names[] = { "one", "two", NULL };

extern const struct nrd_schema fuzz_schema;

static const struct nrd_field fields[] = {
	NRD_FIELD_STR(struct item, s, NRD_NULLABLE, NULL),
	NRD_FIELD_MAC(struct item, mac, NRD_OPTIONAL),
	NRD_FIELD_UUID(struct item, uuid, NRD_OPTIONAL),
	NRD_FIELD_U64(struct item, u, NRD_LOOSE, 0, UINT64_MAX),
	NRD_FIELD_I64(struct item, i, NRD_LOOSE, INT64_MIN, INT64_MAX),
	NRD_FIELD_BOOL(struct item, b, NRD_LOOSE),
	NRD_FIELD_ENUM(struct item, e, NRD_OPTIONAL, names),
	NRD_FIELD_STRV(struct item, v, NRD_OPTIONAL, 0, NULL),
	NRD_FIELD_MAP(struct item, m, NRD_OPTIONAL, 0, NULL),
	NRD_FIELD_ANY(struct item, x, NRD_OPTIONAL, NULL),
	NRD_FIELD_OBJ(struct item, o, NRD_OPTIONAL, struct item, &fuzz_schema),
	NRD_FIELD_ARR(struct item, a, NRD_OPTIONAL, struct item, 100, &fuzz_schema),
};

const struct nrd_schema fuzz_schema = NRD_SCHEMA(struct item, present, fields, NULL);

static char *
encode(const struct item *item)
{
	struct nrd_buf b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	nrd_encode(&fuzz_schema, item, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
	return nrd_buf_take(&b);
}

static void
round_trip(const struct item *item)
{
	struct item again = { 0 }, copy = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *first = encode(item);

	assert(nrd_decode_text(&fuzz_schema, first, strlen(first), NULL, 0, &again, &err) == 0);
	assert(nrd_object_copy(&fuzz_schema, &again, &copy) == 0);
	nrd_object_fini(&fuzz_schema, &again);
	NRD_FREE char *second = encode(&copy);

	assert(strcmp(first, second) == 0);
	nrd_object_fini(&fuzz_schema, &copy);
}

static yyjson_doc *
ask_peer(const char *text, size_t len)
{
	return yyjson_read_opts((char *)(uintptr_t)text, len, YYJSON_READ_NOFLAG, NULL, NULL);
}

static bool
our_own_rule(const struct nrd_err *err)
{
	return strstr(err->msg, "there twice") != NULL || strstr(err->msg, "holds a NUL") != NULL ||
	       strstr(err->msg, "nested deeper") != NULL;
}

static void
peer_agrees(const uint8_t *data, size_t size, const char *written, const struct nrd_err *err)
{
	yyjson_doc *theirs = ask_peer((const char *)data, size);
	yyjson_doc *again = written != NULL ? ask_peer(written, strlen(written)) : NULL;

	if (written == NULL)
		assert(theirs == NULL || our_own_rule(err));
	else
		assert(yyjson_equals(yyjson_doc_get_root(theirs), yyjson_doc_get_root(again)));
	yyjson_doc_free(theirs);
	yyjson_doc_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) b = { 0 };
	struct item item = { 0 };
	struct nrd_jw w;

	if (nrd_json_parse((const char *)data, size, NULL, &doc, &err) < 0) {
		assert(err.num > 0 && err.msg[0] != '\0');
		peer_agrees(data, size, NULL, &err);
		return 0;
	}
	nrd_jw_init(&w, &b, NRD_JW_PRETTY);
	nrd_jw_val(&w, nrd_json_root(doc));
	assert(nrd_jw_finish(&w, NULL) == 0);
	peer_agrees(data, size, nrd_buf_str(&b), NULL);
	if (nrd_decode(&fuzz_schema, nrd_json_root(doc), 0, &item, &err) == 0)
		round_trip(&item);
	else
		assert(err.num > 0 && err.msg[0] != '\0');
	nrd_object_fini(&fuzz_schema, &item);
	return 0;
}
