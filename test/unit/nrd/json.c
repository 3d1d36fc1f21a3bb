/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/json.h"

#include <fcntl.h>
#include <math.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static struct nrd_json *
parse(const char *text)
{
	struct nrd_err err = { 0 };
	struct nrd_json *doc = NULL;

	CHECK_OK(nrd_json_parse(text, strlen(text), NULL, &doc, &err), err);
	return doc;
}

static void
reads_values(void)
{
	NRD_AUTO(nrd_json) *doc = parse("{\"s\":\"\\u00e9\",\"u\":18446744073709551615,\"i\":-5,"
					"\"d\":1e3,\"f\":0.5,\"b\":true,\"n\":null,"
					"\"a\":[1,{\"x\":\"y\"}],\"o\":{}}");
	const struct nrd_val *root = nrd_json_root(doc);
	uint64_t u = 0;
	int64_t i = 0;
	double d = 0;
	bool b = false;

	CHECK_STR(nrd_get_str(root, "s"), "\xc3\xa9");
	CHECK(nrd_get_u64(root, "u", &u) && u == UINT64_MAX);
	CHECK(!nrd_get_i64(root, "u", &i));
	CHECK(nrd_get_i64(root, "i", &i) && i == -5);
	CHECK(!nrd_get_u64(root, "i", &u));
	CHECK(nrd_get_u64(root, "d", &u) && u == 1000);
	CHECK(!nrd_get_u64(root, "f", &u));
	CHECK(nrd_val_double(nrd_val_get(root, "f"), &d) && d == 0.5);
	CHECK(nrd_get_bool(root, "b", &b) && b);
	CHECK_INT(nrd_val_type(nrd_val_get(root, "n")), NRD_VAL_NULL);
	CHECK_INT(nrd_val_type(nrd_val_get(root, "none")), NRD_VAL_NONE);
	CHECK_INT(nrd_val_len(nrd_val_get(root, "a")), 2);
	CHECK_INT(nrd_val_len(nrd_val_get(root, "o")), 0);
	CHECK_STR(nrd_get_str(nrd_val_at(nrd_val_get(root, "a"), 1), "x"), "y");
	CHECK(nrd_get_str(nrd_val_at(nrd_val_get(root, "none"), 1), "x") == NULL);
	CHECK(nrd_val_at(nrd_val_get(root, "a"), 2) == NULL);
	CHECK_STR(nrd_val_type_name(root), "an object");
}

static void
iterates(void)
{
	NRD_AUTO(nrd_json) *doc = parse("{\"a\":[],\"b\":[1,[2],3]}");
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_iter it = nrd_iter(nrd_json_root(doc));

	while (nrd_iter_next(&it)) {
		struct nrd_iter in = nrd_iter(it.val);

		(void)nrd_buf_printf(&b, "%s%zu:", it.key, it.index);
		while (nrd_iter_next(&in))
			(void)nrd_buf_printf(&b, "%zu%s ", in.index, in.key == NULL ? "" : "?");
	}
	CHECK_STR(nrd_buf_str(&b), "a0:b1:0 1 2 ");
	it = nrd_iter(NULL);
	CHECK(!nrd_iter_next(&it));
}

static void
refuses_bad_text(void)
{
	struct nrd_err err = { 0 };
	struct nrd_json *doc = NULL;
	const char *bad[] = {
		"", " ", "{", "[1,]", "{\"a\":1,}", "{} x", "{a:1}", "'a'", "// x\n1", "NaN",
		"01", "[1 2]", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"a\nb\"",
		"tru", "{\"a\" 1}", "\xef\xbb\xbf{}",
		"{\"a\":1,\"a\":2}", "{\"x\":[{\"k\":0,\"k\":0}]}", "{\"\":1,\"\":2}",
		"{\"a\":1,\"\\u0061\":2}", "[\"a\\u0000b\"]", "{\"a\\u0000\":1}",
	};

	for (size_t i = 0; i < nrd_count(bad); i++) {
		CHECK_FAILS(nrd_json_parse(bad[i], strlen(bad[i]), NULL, &doc, &err), err, EINVAL,
			    "BadJson");
		CHECK(doc == NULL);
	}
	CHECK_FAILS(nrd_json_parse("{\n  \"a\": tru\n}", 14, NULL, &doc, &err), err, EINVAL,
		    "BadJson");
	CHECK_HAS(err.msg, "line 2, column 8: ");
	CHECK_FAILS(nrd_json_parse("{\"mac\":1,\"mac\":2}", 17, NULL, &doc, &err), err, EINVAL,
		    "BadJson");
	CHECK_STR(err.msg, "key \"mac\" is there twice");
}

/* More keys than the small array holds: the sorted path. */
static void
finds_a_duplicate_among_many(void)
{
	struct nrd_err err = { 0 };
	struct nrd_json *doc = NULL;

	for (int twice = 0; twice < 2; twice++) {
		NRD_AUTO(nrd_buf) b = { 0 };

		(void)nrd_buf_addc(&b, '{');
		for (int i = 0; i < 100000; i++)
			(void)nrd_buf_printf(&b, "\"k%d\":0,", i);
		(void)nrd_buf_printf(&b, "\"%s\":0}", twice ? "k777" : "other");
		int r = nrd_json_parse(b.data, b.len, NULL, &doc, &err);

		if (twice)
			CHECK_FAILS(r, err, EINVAL, "BadJson");
		else
			CHECK_OK(r, err);
	}
	nrd_json_free(doc);
}

static void
limits_depth(void)
{
	struct nrd_err err = { 0 };

	for (unsigned depth = NRD_JSON_DEPTH; depth <= NRD_JSON_DEPTH + 1; depth++) {
		struct nrd_json *doc = NULL;
		char text[2 * (NRD_JSON_DEPTH + 1)];

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		int r = nrd_json_parse(text, 2 * depth, NULL, &doc, &err);

		if (depth == NRD_JSON_DEPTH)
			CHECK_OK(r, err);
		else
			CHECK_FAILS(r, err, EINVAL, "BadJson");
		nrd_json_free(doc);
	}
}

static void
survives_a_depth_bomb(void)
{
	struct nrd_err err = { 0 };
	struct nrd_json *doc = NULL;
	const struct nrd_json_limits deep = { .depth = 1000000 };
	size_t n = NRD_JSON_MAX / 2;
	NRD_FREE char *text = malloc(2 * n);

	memset(text, '[', n);
	memset(text + n, ']', n);
	CHECK_FAILS(nrd_json_parse(text, 2 * n, NULL, &doc, &err), err, EINVAL, "BadJson");
	CHECK_FAILS(nrd_json_parse(text, 2 * n, &deep, &doc, &err), err, EINVAL, "BadJson");
	CHECK_FAILS(nrd_json_parse(text, n, &deep, &doc, &err), err, EINVAL, "BadJson");
	CHECK(doc == NULL);
}

static void
limits_size(void)
{
	struct nrd_err err = { 0 };
	struct nrd_json *doc = NULL;
	const struct nrd_json_limits four = { .max = 4 };

	CHECK_FAILS(nrd_json_parse("12345", 5, &four, &doc, &err), err, EFBIG, "JsonTooBig");
	CHECK_OK(nrd_json_parse("1234", 4, &four, &doc, &err), err);
	nrd_json_free(doc);
	int fds[2];

	CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
	CHECK_INT(write(fds[1], "12345", 5), 5);
	(void)close(fds[1]);
	CHECK_FAILS(nrd_json_read_fd(fds[0], &four, &doc, &err), err, EFBIG, "JsonTooBig");
	(void)close(fds[0]);
	CHECK_FAILS(nrd_json_read_file("/none", NULL, &doc, &err), err, ENOENT, "FileOpen");
}

static void
write_sample(struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	nrd_jw_kstr(w, "s", "x");
	nrd_jw_key(w, "empty");
	nrd_jw_arr_open(w);
	nrd_jw_arr_close(w);
	nrd_jw_key(w, "o");
	nrd_jw_obj_open(w);
	nrd_jw_obj_close(w);
	nrd_jw_key(w, "a");
	nrd_jw_arr_open(w);
	nrd_jw_u64(w, UINT64_MAX);
	nrd_jw_i64(w, INT64_MIN);
	nrd_jw_bool(w, true);
	nrd_jw_str(w, NULL);
	nrd_jw_double(w, 0.1);
	nrd_jw_double(w, NAN);
	nrd_jw_arr_close(w);
	nrd_jw_kbool(w, "b", false);
	nrd_jw_obj_close(w);
}

static void
writes(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	write_sample(&w);
	CHECK_OK(nrd_jw_finish(&w, &err), err);
	CHECK_STR(nrd_buf_str(&b),
		  "{\"s\":\"x\",\"empty\":[],\"o\":{},\"a\":[18446744073709551615,"
		  "-9223372036854775808,true,null,0.1,null],\"b\":false}");
	nrd_buf_reset(&b);
	nrd_jw_init(&w, &b, NRD_JW_PRETTY);
	write_sample(&w);
	CHECK_OK(nrd_jw_finish(&w, &err), err);
	CHECK_STR(nrd_buf_str(&b),
		  "{\n  \"s\": \"x\",\n  \"empty\": [],\n  \"o\": {},\n  \"a\": [\n"
		  "    18446744073709551615,\n    -9223372036854775808,\n    true,\n    null,\n"
		  "    0.1,\n    null\n  ],\n  \"b\": false\n}\n");
}

static void
escapes(void)
{
	const struct { const char *in, *out; } cases[] = {
		{ "\"\\/\b\f\n\r\t\x01\x7f", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
		{ "a\xc3", "\"a\xef\xbf\xbd\"" },
		{ "\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf4\x90\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"" },
		{ "", "\"\"" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(nrd_buf) b = { 0 };
		struct nrd_jw w;

		nrd_jw_init(&w, &b, NRD_JW_COMPACT);
		nrd_jw_str(&w, cases[i].in);
		CHECK_STR(nrd_buf_str(&b), cases[i].out);
		nrd_json_free(parse(nrd_buf_str(&b)));
	}
}

static void
copies_what_it_parsed(void)
{
	const char *text = "{\"a\":[1,-2,0.5,1.0,1e300,\"\\n\",null,true,{}],\"b\":{\"c\":[]}}";
	NRD_AUTO(nrd_json) *doc = parse(text);
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	nrd_jw_val(&w, nrd_json_root(doc));
	CHECK_STR(nrd_buf_str(&b), text);
}

static void
write_errors_stick(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(20);
	struct nrd_jw w;

	nrd_jw_init(&w, &b, NRD_JW_COMPACT);
	write_sample(&w);
	CHECK_FAILS(nrd_jw_finish(&w, &err), err, EFBIG, "JsonWrite");
}

TEST_MAIN(reads_values, iterates, refuses_bad_text, finds_a_duplicate_among_many, limits_depth,
	  survives_a_depth_bomb, limits_size, writes, escapes, copies_what_it_parsed,
	  write_errors_stick)
