/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "config.h"
#include "nrd/cli.h"
#include "nrd/str.h"
#include "stat.h"

#define INTERVAL_MAX ((uint64_t)86400 * 366)
#define COUNT_MAX    ((uint64_t)1 << 40)
#define HEADER_LINES 20

int
zone_every_parse(int argc, char *const *argv, struct zone_every *ret_every, struct nrd_err *err)
{
	struct zone_every every = { .interval_s = 1, .count = argc == 0 };
	struct nrd_err why = { 0 };

	if (argc > 0 && nrd_parse_u64(argv[0], 1, INTERVAL_MAX, &every.interval_s, &why) < 0)
		return nrd_usage(err, "interval: %s", why.msg);
	if (argc > 1 && nrd_parse_u64(argv[1], 1, COUNT_MAX, &every.count, &why) < 0)
		return nrd_usage(err, "count: %s", why.msg);
	*ret_every = every;
	return 0;
}

int
zone_every_run(const struct zone_every *every, bool now, zone_report_fn *fn, void *arg,
	       struct nrd_err *err)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	for (uint64_t i = 0; every->count == 0 || i < every->count; i++) {
		if (i > 0 || !now) {
			at.tv_sec += (time_t)every->interval_s;
			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
				;
		}
		int r = fn(arg, i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
known_zone(const char *name, const struct zone_stats *stats, const char **ret_name,
	   struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	uint64_t id;

	*ret_name = name;
	if (nrd_streq(name, "global") || nrd_streq(name, "0")) {
		*ret_name = "global";
		return 0;
	}
	if (zone_stats_find(stats, name) != NULL ||
	    (zone_name_check(name, NULL) == 0 && zone_config_read(NULL, name, &config, NULL) == 0))
		return 0;
	for (size_t i = 0; i < stats->n_zones; i++) {
		if (nrd_parse_u64(name, 1, UINT64_MAX, &id, NULL) == 0 &&
		    stats->zones[i].zoneid == id) {
			*ret_name = stats->zones[i].name;
			return 0;
		}
	}
	return nrd_fail(err, ENOENT, "ZoneNotFound", "zone '%.64s' unknown", name);
}

int
zone_report_zones(const char *const *lists, char ***ret_names, struct nrd_err *err)
{
	NRD_AUTO(zone_stats) stats = { 0 };
	int r = lists == NULL ? 0 : zone_stats_read(NULL, 0, &stats, err);

	for (; r == 0 && lists != NULL && *lists != NULL; lists++) {
		NRD_STRV char **parts = NULL;
		const char *name;

		if (nrd_strv_split(*lists, ',', &parts) < 0)
			return nrd_nomem(err);
		if (parts == NULL || parts[0] == NULL)
			return nrd_usage(err, "-z takes the names of zones");
		for (char **part = parts; *part != NULL; part++) {
			r = known_zone(*part, &stats, &name, err);
			if (r < 0)
				return r;
			if (nrd_strv_add(ret_names, name) < 0)
				return nrd_nomem(err);
		}
	}
	return r;
}

bool
zone_report_wants(const char *const *names, const char *zone)
{
	return names == NULL || nrd_strv_has(names, zone);
}

uint64_t
zone_stat_since(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

int
zone_report_table(struct zone_report *report, const struct nrd_col *cols, size_t n_cols,
		  struct nrd_table **ret_table, struct nrd_err *err)
{
	report->used = report->opts;
	report->used.json_lines = true;
	if (report->started && report->lines < HEADER_LINES)
		report->used.no_header = true;
	return nrd_table_new(cols, n_cols, &report->used, ret_table, err);
}

int
zone_report_print(struct zone_report *report, struct nrd_table *table, size_t n_rows, int fd,
		  struct nrd_err *err)
{
	if (!report->used.no_header)
		report->lines = 0;
	report->started = true;
	report->lines += (unsigned)(n_rows > HEADER_LINES ? HEADER_LINES : n_rows);
	return nrd_table_print(table, fd, err);
}

const char *
zone_cell_u64(char cell[ZONE_CELL], uint64_t v)
{
	if (v == ZONE_STAT_NONE)
		return NULL;
	(void)snprintf(cell, ZONE_CELL, "%llu", (unsigned long long)v);
	return cell;
}

const char *
zone_cell_mib(char cell[ZONE_CELL], uint64_t bytes)
{
	return zone_cell_u64(cell, bytes == ZONE_STAT_NONE ? bytes : bytes >> 20);
}

const char *
zone_cell_size(char cell[ZONE_CELL], uint64_t bytes)
{
	_Static_assert(ZONE_CELL >= NRD_SIZE_TEXT, "a size fits in a cell");
	if (bytes == ZONE_STAT_NONE)
		return NULL;
	nrd_size_format(bytes, cell);
	return cell;
}

const char *
zone_cell_tenths(char cell[ZONE_CELL], double v)
{
	(void)snprintf(cell, ZONE_CELL, "%.1f", v);
	return cell;
}

const char *
zone_cell_percent(char cell[ZONE_CELL], double part, double whole)
{
	return whole <= 0 ? NULL : zone_cell_tenths(cell, 100.0 * part / whole);
}
