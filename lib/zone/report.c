/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

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
