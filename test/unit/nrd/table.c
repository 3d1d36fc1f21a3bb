/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/table.h"

#include "nrd-test.h"

static const struct nrd_col cols[] = {
	{ "uuid", 6 },
	{ "ram", 0, NRD_COL_RIGHT | NRD_COL_NUM },
	{ "up", 0, NRD_COL_HIDDEN | NRD_COL_BOOL },
	{ "alias", 8, 0, "NAME" },
};

static char *
list(const struct nrd_table_opts *opts)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_OK(nrd_table_new(cols, nrd_count(cols), opts, &t, &err), err);
	nrd_table_row(t, (const char *[]){ "u1", "512", "true", "web:0\\" });
	nrd_table_row(t, (const char *[]){ "u2", "64", "false", NULL });
	nrd_table_row(t, (const char *[]){ "u3-long", "1024", NULL, "d\xc3\xa9j\xc3\xa0\n" });
	CHECK_OK(nrd_table_format(t, &out, &err), err);
	return nrd_buf_take(&out);
}

#define CHECK_LIST(opts, want)                   \
	do {                                     \
		NRD_FREE char *text = list(opts); \
		CHECK_STR(text, want);           \
	} while (0)

static void
prints_text(void)
{
	CHECK_LIST(NULL, "UUID      RAM  NAME\n"
			 "u1        512  web:0\\\n"
			 "u2         64  -\n"
			 "u3-long  1024  d\xc3\xa9j\xc3\xa0?\n");
	CHECK_LIST((&(struct nrd_table_opts){ .columns = "alias,RAM", .no_header = true, .gap = 1 }),
		   "web:0\\    512\n"
		   "-          64\n"
		   "d\xc3\xa9j\xc3\xa0?    1024\n");
}

static void
prints_parsable(void)
{
	CHECK_LIST((&(struct nrd_table_opts){ .parsable = true }),
		   "u1:512:web\\:0\\\\\nu2:64:\nu3-long:1024:d\xc3\xa9j\xc3\xa0?\n");
	CHECK_LIST((&(struct nrd_table_opts){ .parsable = true, .sep = "e", .columns = "alias" }),
		   "w\\eb:0\\\\\n\nd\xc3\xa9j\xc3\xa0?\n");
}

static void
prints_json(void)
{
	CHECK_LIST((&(struct nrd_table_opts){ .json = true, .columns = "all" }),
		   "[\n  {\n    \"uuid\": \"u1\",\n    \"ram\": 512,\n    \"up\": true,\n"
		   "    \"alias\": \"web:0\\\\\"\n  },\n"
		   "  {\n    \"uuid\": \"u2\",\n    \"ram\": 64,\n    \"up\": false,\n"
		   "    \"alias\": null\n  },\n"
		   "  {\n    \"uuid\": \"u3-long\",\n    \"ram\": 1024,\n    \"up\": null,\n"
		   "    \"alias\": \"d\xc3\xa9j\xc3\xa0\\n\"\n  }\n]\n");
}

static void
prints_json_lines(void)
{
	CHECK_LIST((&(struct nrd_table_opts){ .json = true, .json_lines = true, .columns = "alias" }),
		   "{\"alias\":\"web:0\\\\\"}\n{\"alias\":null}\n"
		   "{\"alias\":\"d\xc3\xa9j\xc3\xa0\\n\"}\n");
}

static void
sorts(void)
{
	CHECK_LIST((&(struct nrd_table_opts){ .parsable = true, .columns = "uuid", .sort = "ram" }),
		   "u2\nu1\nu3-long\n");
	CHECK_LIST((&(struct nrd_table_opts){ .parsable = true, .columns = "uuid", .sort = "-ram" }),
		   "u3-long\nu1\nu2\n");
	CHECK_LIST((&(struct nrd_table_opts){ .parsable = true, .columns = "uuid",
					      .sort = "up,-uuid" }),
		   "u3-long\nu2\nu1\n");
}

static void
numbers_that_are_none(void)
{
	struct nrd_err err = { 0 };
	const struct nrd_col num[] = { { "n", 0, NRD_COL_NUM } };
	const struct nrd_table_opts opts = { .json = true };
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };
	const char *cells[] = { "007", "-5", "0.50", "1.", "", "0x1", "18446744073709551615" };

	CHECK_OK(nrd_table_new(num, 1, &opts, &t, &err), err);
	for (size_t i = 0; i < nrd_count(cells); i++)
		nrd_table_row(t, &cells[i]);
	CHECK_OK(nrd_table_format(t, &out, &err), err);
	CHECK_HAS(nrd_buf_str(&out), "\"n\": \"007\"");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": -5");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": 0.50");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": \"1.\"");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": \"\"");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": \"0x1\"");
	CHECK_HAS(nrd_buf_str(&out), "\"n\": 18446744073709551615");
}

static void
empty_listings(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };
	const struct nrd_table_opts json = { .json = true };

	CHECK_OK(nrd_table_new(cols, 1, NULL, &t, &err), err);
	CHECK_OK(nrd_table_format(t, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), "UUID\n");
	nrd_table_free(t);
	t = NULL;
	nrd_buf_reset(&out);
	CHECK_OK(nrd_table_new(cols, 1, &json, &t, &err), err);
	CHECK_OK(nrd_table_format(t, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), "[]\n");
}

static void
refuses_unknown_columns(void)
{
	struct nrd_err err = { 0 };
	struct nrd_table *t = NULL;
	const struct nrd_table_opts bad[] = {
		{ .columns = "uuid,foo" }, { .columns = "" }, { .columns = "uuid," },
		{ .sort = "foo" }, { .sort = "-" }, { .sep = "::" }, { .sep = "" }, { .sep = "\\" },
	};

	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(nrd_table_new(cols, nrd_count(cols), &bad[i], &t, &err), err, EINVAL,
			    "Usage");
	(void)nrd_table_new(cols, nrd_count(cols), &bad[0], &t, &err);
	CHECK_STR(err.msg, "unknown field \"foo\", known are uuid, ram, up, alias");
	CHECK(t == NULL);
}

static void
knows_what_is_wanted(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	const struct nrd_table_opts opts = { .columns = "uuid", .sort = "ram" };

	CHECK_OK(nrd_table_new(cols, nrd_count(cols), &opts, &t, &err), err);
	CHECK(nrd_table_wants(t, 0) && nrd_table_wants(t, 1) && !nrd_table_wants(t, 3));
}

static void
sorts_sizes(void)
{
	static const struct nrd_col size[] = { { "size", 6, NRD_COL_RIGHT | NRD_COL_NUM } };
	static const char *const cells[] = { "96.1M", "5.10G", "96M", "1023", "412M", "5.9G", "1K" };
	const struct nrd_table_opts opts = { .sort = "size", .parsable = true };
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };

	CHECK_OK(nrd_table_new(size, nrd_count(size), &opts, &t, &err), err);
	for (size_t i = 0; i < nrd_count(cells); i++)
		nrd_table_row(t, (const char *[]){ cells[i] });
	CHECK_OK(nrd_table_format(t, &out, &err), err);
	CHECK_STR(nrd_buf_str(&out), "1023\n1K\n96M\n96.1M\n412M\n5.10G\n5.9G\n");
}

struct list_opts {
	struct nrd_table_opts table;
};

static void
options_of_a_verb(void)
{
	static const struct nrd_opt table[] = {
		NRD_TABLE_OPTS(struct list_opts, table),
		NRD_TABLE_OPT_SORT(struct list_opts, table),
		NRD_TABLE_OPT_SEP(struct list_opts, table),
		NRD_OPT_END(struct list_opts),
	};
	struct nrd_err err = { 0 };
	struct list_opts opts = { 0 };
	char args[][8] = { "-Hpo", "ram", "-s", "-ram", "-d", "," };
	char *argv[] = { args[0], args[1], args[2], args[3], args[4], args[5], NULL };
	int argc = 6;

	CHECK_OK(nrd_opts_parse(table, &opts, &argc, argv, 0, NULL, &err), err);
	CHECK_LIST(&opts.table, "1024\n512\n64\n");
}

TEST_MAIN(prints_text, prints_parsable, prints_json, prints_json_lines, sorts, sorts_sizes, numbers_that_are_none, empty_listings,
	  refuses_unknown_columns, knows_what_is_wanted, options_of_a_verb)
