/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Any text as the kernel's counters, a process (whose zone chose its name) and its cgroup. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/proctab.h"
#include "zone/pump.h"
#include "zone/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct two {
	uint64_t first, guard;
};

static void
counters(const char *text)
{
	static const struct zone_stat_key keys[] = { { "usage_usec", offsetof(struct two, first) } };
	struct zone_pressure pressure = { 0 };
	struct zone_io io;
	char dataset[ZONE_DATASET_MAX], zone[16];
	uint64_t v, n;

	for (int format = ZONE_STAT_FLAT; format <= ZONE_STAT_KSTAT; format++) {
		struct two two = { .guard = 1 };

		(void)zone_stat_keys(text, (enum zone_stat_format)format, keys, nrd_count(keys), &two);
		assert(two.guard == 1);
	}
	zone_stat_pressure(text, &pressure);
	(void)zone_stat_limit(text, &v);
	(void)zone_stat_cpu_cap(text, &v);
	if (zone_stat_cpus(text, &v, &n))
		assert(n > 0);
	if (zone_stat_objset(text, dataset, &io))
		assert(strlen(dataset) > 0 && strlen(dataset) < ZONE_DATASET_MAX);
	if (zone_stat_zone_of(text, zone, sizeof(zone)))
		assert(zone[0] != '\0' && strchr(zone, '/') == NULL);
}

/* What goes to the zone does not depend on how reads cut what was typed. */
static void
escapes(const uint8_t *data, size_t size)
{
	struct zone_escape whole = { .ch = '~' }, pieces = { .ch = '~' };
	enum zone_escape_action whole_action, action = ZONE_ESCAPE_NONE;
	NRD_FREE char *a = calloc(1, size + 2);
	NRD_FREE char *b = calloc(1, size + 2);
	size_t used, n = 0;

	assert(a != NULL && b != NULL);
	size_t len = zone_escape_feed(&whole, (const char *)data, size, a, &used, &whole_action);

	for (size_t i = 0; i < size && action == ZONE_ESCAPE_NONE; i++)
		n += zone_escape_feed(&pieces, (const char *)data + i, 1, b + n, &used, &action);
	assert(n == len && action == whole_action && memcmp(a, b, n) == 0);
	assert(len <= size + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = nrd_str_dup(nrd_strn((const char *)data, size));
	struct zone_process p;

	assert(text != NULL);
	counters(text);
	if (zone_process_parse(text, 100, 4096, &p))
		assert(p.pid > 0 && memchr(p.name, '\0', sizeof(p.name)) != NULL);
	escapes(data, size);
	return 0;
}
