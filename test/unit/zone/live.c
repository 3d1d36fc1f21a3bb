/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/live.h"

#include "nrd-test.h"
#include "nrd/str.h"

static void
decode(const char *text, struct zone_config *config)
{
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_decode_text(&zone_config_schema, text, strlen(text), NULL, 0, config, &err), err);
}

/* Keys with blanks between them. */
static void
waits_after(bool tried, const char *in_force, const char *file, const char *want)
{
	struct zone_config a = { 0 }, b = { 0 };
	struct nrd_err err = { 0 };
	char **keys = NULL;
	char *text;

	decode(in_force, &a);
	decode(file, &b);
	CHECK_OK(zone_live_waiting(&a, &b, tried, &keys, &err), err);
	text = keys != NULL ? nrd_strv_join(NRD_CSTRV(keys), " ") : strdup("");
	CHECK_STR(text, want);
	free(text);
	nrd_strv_free(keys);
	zone_config_fini(&a);
	zone_config_fini(&b);
}

static void
waits(const char *in_force, const char *file, const char *want)
{
	waits_after(false, in_force, file, want);
}

#define Z "{\"zonename\":\"z1\""

static void
waiting(void)
{
	waits(Z "}", Z "}", "");
	/* Limits and what is the operator's alone do not wait. */
	waits(Z "}", Z ",\"cpu_shares\":7,\"cpu_cap\":50,\"max_lwps\":9,\"quota\":3,\"alias\":\"a\","
			 "\"dedicated_cpu\":\"1-2\",\"autoboot\":true,\"zonedid\":4}", "");
	/* Unless they were to be put in force, and that failed. */
	waits_after(true, Z "}", Z ",\"cpu_shares\":7,\"nesting\":true}", "nesting cpu_shares");
	waits_after(true, Z ",\"cpu_shares\":7}", Z ",\"cpu_shares\":7}", "");
	waits(Z ",\"hostname\":\"a\"}", Z ",\"hostname\":\"b\"}", "hostname");
	waits(Z ",\"nesting\":true}", Z "}", "nesting");
	waits(Z "}", Z ",\"bootargs\":\"x\",\"filesystems\":[{\"target\":\"/d\",\"type\":\"tmpfs\"}]}",
	      "bootargs filesystems");
}

/* Another size is one thing, a tmpfs where there was none another. */
static void
tmpfs(void)
{
	waits(Z ",\"tmpfs\":64}", Z ",\"tmpfs\":128}", "");
	waits(Z "}", Z ",\"tmpfs\":128}", "tmpfs");
	waits(Z ",\"tmpfs\":64}", Z ",\"tmpfs\":0}", "tmpfs");
}

static void
hostid(void)
{
	struct zone_config a = { 0 }, b = { 0 }, c = { 0 };

	decode(Z ",\"uuid\":\"11111111-2222-4333-8444-555555555555\"}", &a);
	decode(Z ",\"uuid\":\"11111111-2222-4333-8444-555555555556\"}", &b);
	decode(Z ",\"hostid\":3735928559}", &c);
	CHECK(zone_config_hostid(&a) != zone_config_hostid(&b));
	CHECK_INT(zone_config_hostid(&a), 0x775e7602);
	CHECK_INT(zone_config_hostid(&c), 0xdeadbeef);
	zone_config_fini(&a);
	zone_config_fini(&b);
	zone_config_fini(&c);
}

TEST_MAIN(waiting, tmpfs, hostid)
