/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/str.h"

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/vec.h"

static void
splits(void)
{
	struct nrd_str rest = nrd_str("a,,b,"), part;
	const char *want[] = { "a", "", "b", "" };

	for (size_t i = 0; i < nrd_count(want); i++) {
		CHECK(nrd_str_split(&rest, ',', &part));
		CHECK(nrd_str_eq(part, want[i]));
	}
	CHECK(!nrd_str_split(&rest, ',', &part));
	rest = nrd_str("");
	CHECK(nrd_str_split(&rest, ',', &part));
	CHECK(!nrd_str_split(&rest, ',', &part));
	rest = nrd_str("  one\ttwo ");
	CHECK(nrd_str_word(&rest, &part) && nrd_str_eq(part, "one"));
	CHECK(nrd_str_word(&rest, &part) && nrd_str_eq(part, "two"));
	CHECK(!nrd_str_word(&rest, &part));
}

static void
trims_and_compares(void)
{
	CHECK(nrd_str_eq(nrd_str_trim(nrd_str(" \t x y\r\n")), "x y"));
	CHECK(nrd_str_eq(nrd_str_trim(nrd_str(" \n")), ""));
	CHECK(nrd_str_eq(nrd_str(NULL), ""));
	CHECK(nrd_streq(NULL, NULL) && !nrd_streq(NULL, "") && nrd_streq("a", "a"));
	CHECK_STR(nrd_starts("prefix", "pre"), "fix");
	CHECK(nrd_starts("pr", "pre") == NULL);
	CHECK(nrd_ends("a.json", ".json") && !nrd_ends("json", ".json"));
}

static void
copies_whole_or_not(void)
{
	char dst[4];

	CHECK_INT(nrd_strcpy_to(dst, sizeof(dst), "abc"), 0);
	CHECK_STR(dst, "abc");
	CHECK_INT(nrd_strcpy_to(dst, sizeof(dst), "abcd"), -ENAMETOOLONG);
	CHECK_STR(dst, "");
	NRD_FREE char *s = NULL;

	CHECK_INT(nrd_str_set(&s, "x"), 0);
	CHECK_INT(nrd_str_set(&s, s), 0);
	CHECK_STR(s, "x");
	CHECK_INT(nrd_str_set(&s, NULL), 0);
	CHECK(s == NULL);
}

static void
parses_u64(void)
{
	struct nrd_err err = { 0 };
	uint64_t v = 7;

	CHECK_OK(nrd_parse_u64("0", 0, 0, &v, &err), err);
	CHECK(v == 0);
	CHECK_OK(nrd_parse_u64("18446744073709551615", 0, UINT64_MAX, &v, &err), err);
	CHECK(v == UINT64_MAX);
	CHECK_FAILS(nrd_parse_u64("18446744073709551616", 0, UINT64_MAX, &v, &err), err, ERANGE,
		    "BadNumber");
	CHECK_FAILS(nrd_parse_u64("11", 0, 10, &v, &err), err, ERANGE, "BadNumber");
	CHECK_STR(err.msg, "11 is above 10");
	CHECK_FAILS(nrd_parse_u64("4", 5, 10, &v, &err), err, ERANGE, "BadNumber");
	const char *bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3", "a" };

	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(nrd_parse_u64(bad[i], 0, 10, &v, &err), err, EINVAL, "BadNumber");
	CHECK(v == UINT64_MAX);
}

static void
parses_i64(void)
{
	struct nrd_err err = { 0 };
	int64_t v = 0;

	CHECK_OK(nrd_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v, &err), err);
	CHECK(v == INT64_MIN);
	CHECK_OK(nrd_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v, &err), err);
	CHECK(v == INT64_MAX);
	CHECK_FAILS(nrd_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v, &err), err,
		    ERANGE, "BadNumber");
	CHECK_FAILS(nrd_parse_i64("-", 0, 1, &v, &err), err, EINVAL, "BadNumber");
	CHECK_FAILS(nrd_parse_i64("--1", 0, 1, &v, &err), err, EINVAL, "BadNumber");
}

static void
parses_sizes(void)
{
	struct nrd_err err = { 0 };
	uint64_t v = 0;
	const struct { const char *s; uint64_t v; } good[] = {
		{ "10", 10 }, { "1B", 1 }, { "512M", 512ull << 20 }, { "10g", 10ull << 30 },
		{ "2GiB", 2ull << 30 }, { "2GB", 2ull << 30 }, { "15E", 15ull << 60 },
	};

	for (size_t i = 0; i < nrd_count(good); i++) {
		CHECK_OK(nrd_parse_size(good[i].s, 0, UINT64_MAX, &v, &err), err);
		CHECK(v == good[i].v);
	}
	const char *bad[] = { "", "G", "1.5G", "10Q", "10 G", "10Gi", "10GBx", "-1G", "1iB" };

	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(nrd_parse_size(bad[i], 0, UINT64_MAX, &v, &err), err, EINVAL,
			    "BadNumber");
	CHECK_FAILS(nrd_parse_size("16E", 0, UINT64_MAX, &v, &err), err, ERANGE, "BadNumber");
	CHECK_FAILS(nrd_parse_size("2K", 0, 2047, &v, &err), err, ERANGE, "BadNumber");
}

static void
formats_sizes(void)
{
	const struct { uint64_t v; const char *s; } cases[] = {
		{ 0, "0" }, { 1023, "1023" }, { 1024, "1K" }, { 1536, "1.50K" },
		{ 10ull << 30, "10G" }, { (10ull << 30) + (1 << 29), "10.5G" },
		{ UINT64_MAX, "16.0E" }, { 1000 * 1024 + 1, "1000K" },
	};
	char text[NRD_SIZE_TEXT];

	for (size_t i = 0; i < nrd_count(cases); i++) {
		nrd_size_format(cases[i].v, text);
		CHECK_STR(text, cases[i].s);
	}
}

static void
parses_booleans(void)
{
	struct nrd_err err = { 0 };
	bool b = false;

	CHECK_OK(nrd_parse_bool("on", &b, &err), err);
	CHECK(b);
	CHECK_OK(nrd_parse_bool("false", &b, &err), err);
	CHECK(!b);
	CHECK_FAILS(nrd_parse_bool("True", &b, &err), err, EINVAL, "BadBoolean");
}

static void
string_vectors(void)
{
	NRD_STRV char **v = NULL, **copy = NULL;

	CHECK_INT(nrd_strv_len(NULL), 0);
	CHECK_INT(nrd_strv_split(",a,,bc,", ',', &v), 0);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(v)), 2);
	CHECK_INT(nrd_strv_addf(&v, "%d", 3), 0);
	CHECK(nrd_strv_has(NRD_CSTRV(v), "bc") && !nrd_strv_has(NRD_CSTRV(v), "b"));
	CHECK_INT(nrd_strv_copy(NRD_CSTRV(v), &copy), 0);
	NRD_FREE char *joined = nrd_strv_join(NRD_CSTRV(copy), ", ");

	CHECK_STR(joined, "a, bc, 3");
	for (int i = 0; i < 100; i++)
		CHECK_INT(nrd_strv_add(&v, "x"), 0);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(v)), 103);
}

static void
vectors(void)
{
	NRD_VEC(int) v = { 0 };
	int sum = 0;

	nrd_vec_each(none, &v)
		sum += *none;
	for (int i = 0; i < 100; i++)
		CHECK_INT(nrd_vec_push(&v, i), 0);
	nrd_vec_remove(&v, 0);
	nrd_vec_remove(&v, 98);
	nrd_vec_remove(&v, 98);
	CHECK_INT(v.len, 98);
	nrd_vec_each(n, &v)
		sum += *n;
	CHECK_INT(sum, 98 * 99 / 2);
	CHECK_INT(nrd_vec_reserve(&v, SIZE_MAX), -ENOMEM);
	nrd_vec_fini(&v);
	CHECK_INT(v.len, 0);
}

TEST_MAIN(splits, trims_and_compares, copies_whole_or_not, parses_u64, parses_i64, parses_sizes,
	  formats_sizes, parses_booleans, string_vectors, vectors)
