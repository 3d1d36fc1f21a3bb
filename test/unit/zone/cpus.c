/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/cpus.h"

#include "nrd-test.h"

static struct zone_cpus
set(const char *text)
{
	struct zone_cpus cpus;

	CHECK(zone_cpus_parse(text, &cpus));
	return cpus;
}

static void
lists(void)
{
	static const char *const same[] = { "", "0", "7", "0-3", "0-3,8", "1,3,5-9,8191" };
	static const char *const bad[] = { "x", "0-", "-1", "3-2", "8192", "0,,1", "0-99999", "1 2" };
	struct zone_cpus cpus;
	char text[64];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		cpus = set(same[i]);
		CHECK_INT(zone_cpus_format(&cpus, text, sizeof(text)), 0);
		CHECK_STR(text, same[i]);
	}
	cpus = set("2,0,1\n");
	CHECK_INT(zone_cpus_format(&cpus, text, sizeof(text)), 0);
	CHECK_STR(text, "0-2");
	CHECK_INT(zone_cpus_count(&cpus), 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!zone_cpus_parse(bad[i], &cpus));
	cpus = set("1,3,5,7,9,11");
	CHECK_INT(zone_cpus_format(&cpus, text, 8), -ENOSPC);
}

static void
wishes(void)
{
	uint64_t least, most;

	CHECK(zone_cpus_wish("2", &least, &most));
	CHECK(least == 2 && most == 2);
	CHECK(zone_cpus_wish("1-4", &least, &most));
	CHECK(least == 1 && most == 4);
	CHECK(!zone_cpus_wish("0", &least, &most));
	CHECK(!zone_cpus_wish("4-1", &least, &most));
	CHECK(!zone_cpus_wish("", &least, &most));
}

/* "": it cannot be had. */
static void
chosen(const char *free, const char *mine, uint64_t least, uint64_t most, const char *want)
{
	struct zone_cpus f = set(free), m = set(mine), got = { 0 };
	bool ok = zone_cpus_choose(&f, &m, least, most, &got);
	char text[64];

	CHECK_INT(ok, want[0] != '\0');
	CHECK_INT(zone_cpus_format(&got, text, sizeof(text)), 0);
	CHECK_STR(text, want);
}

static void
choices(void)
{
	chosen("0-7", "", 2, 2, "6-7");
	chosen("0-3", "", 1, 8, "1-3"); /* one stays for all others */
	chosen("0-1", "", 1, 4, "1");
	chosen("0", "", 1, 1, "");
	chosen("0-1", "", 2, 2, "");
	chosen("", "", 1, 1, "");
	/* Fewer: of its own. More: its own and others. The same: no change. */
	chosen("0-1", "2-3", 1, 1, "3");
	chosen("0-1,7", "2-3", 3, 3, "2-3,7");
	chosen("0-1,7", "2-3", 2, 2, "2-3");
}

TEST_MAIN(lists, wishes, choices)
