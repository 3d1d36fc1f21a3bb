/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/list.h"

#include "fixture.h"

static void
add(struct fixture *f, const char *name, const char *brand, const char *state, const char *path)
{
	NRD_FREE char *file = nrd_format("%s.json", name);
	NRD_FREE char *text = nrd_format(
		"{\"zonename\":\"%s\",\"brand\":\"%s\",\"zone_installed\":\"%s\",\"zonepath\":\"%s\","
		"\"uuid\":\"%s\"}", name, brand, state, path, "01234567-89ab-cdef-0123-456789abcdef");

	put(f->zones, file, text, 0600);
}

static void
three_zones(struct fixture *f)
{
	fixture_init(f);
	add(f, "test-one", "native", "installed", "/zones/a:b\\\\c");
	add(f, "test-two", "lx", "configured", "/zones/two");
	add(f, "test-three", "lx", "incomplete", "/zones/three");
}

#define CHECK_LIST(f, opts, want)                                                              \
	do {                                                                                   \
		NRD_AUTO(nrd_buf) out_ = { 0 };                                                \
		CHECK_OK(brand_list(&(f)->place, &(struct brand_list_opts)opts, &out_,         \
				    &(f)->err), (f)->err);                                     \
		CHECK_STR(nrd_buf_str(&out_), want);                                           \
	} while (0)
#define OPTS(...) { __VA_ARGS__ }

static void
names(void)
{
	struct fixture f;

	three_zones(&f);
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_RUNNING), "global\n");
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_RUNNING, .no_global = true), "");
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_INSTALLED), "global\ntest-one\n");
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_CONFIGURED, .no_global = true),
		   "test-one\ntest-three\ntest-two\n");
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_RUNNING, .only = "test-two"), "test-two\n");
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_RUNNING, .only = "global"), "global\n");
	fixture_fini(&f);
}

static void
parsable(void)
{
	struct fixture f;

	three_zones(&f);
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_INSTALLED, .table = { .parsable = true }),
		   "0:global:running:/::nereid:shared\n"
		   "-:test-one:installed:/zones/a\\:b\\\\c:01234567-89ab-cdef-0123-456789abcdef:native:"
		   "excl\n");
	CHECK_LIST(&f, OPTS(.only = "test-three", .table = { .parsable = true, .columns = "state,zonename" }),
		   "incomplete:test-three\n");
	fixture_fini(&f);
}

static void
verbose(void)
{
	struct fixture f;

	three_zones(&f);
	CHECK_LIST(&f, OPTS(.least = ZONE_ST_CONFIGURED, .verbose = true),
		   "  ID NAME             STATUS     PATH                           BRAND    IP\n"
		   "   0 global           running    /                              nereid   shared\n"
		   "   - test-one         installed  /zones/a:b\\c                   native   excl\n"
		   "   - test-three       incomplete /zones/three                   lx       excl\n"
		   "   - test-two         configured /zones/two                     lx       excl\n");
	fixture_fini(&f);
}

static void
refused(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct fixture f;

	three_zones(&f);
	CHECK_FAILS(brand_list(&f.place, &(struct brand_list_opts){ .only = "nope" }, &out, &f.err),
		    f.err, ENOENT, "ZoneNotFound");
	CHECK_STR(f.err.msg, "nope: No such zone configured");
	CHECK_FAILS(brand_list(&f.place, &(struct brand_list_opts){ .table = { .columns = "colour" } },
			       &out, &f.err), f.err, EINVAL, "Usage");
	/* One that cannot be read does not hide the others. */
	put(f.zones, "broken.json", "{", 0600);
	CHECK_INT(out.len, 0);
	CHECK(brand_list(&f.place, &(struct brand_list_opts){ .least = ZONE_ST_INSTALLED }, &out,
			 &f.err) < 0);
	CHECK_STR(nrd_buf_str(&out), "global\ntest-one\n");
	CHECK_HAS(f.err.msg, "broken");
	fixture_fini(&f);
}

TEST_MAIN(names, parsable, verbose, refused)
