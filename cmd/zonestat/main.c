/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "zone/report.h"
#include "zone/stat.h"

struct opts {
	char **zones;
	const char *stamp;
	struct nrd_table_opts table;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_STRV('z', NULL, struct opts, zones, "ZONE,...", "only these zones"),
	NRD_OPT_STR('T', NULL, struct opts, stamp, "u|d|i",
		    "time before each report: u seconds, d a date, i ISO 8601"),
	NRD_TABLE_OPT_SORT(struct opts, table),
	NRD_TABLE_OPTS(struct opts, table),
	NRD_OPT_END(struct opts),
};

enum col {
	COL_ZONE, COL_ZONEID, COL_CPU, COL_PART, COL_CAP, COL_PHYS, COL_PPHYS, COL_PCAP, COL_SWAP,
	COL_LWPS, COL_THROTTLED, COL_CPUWAIT, COL_MEMWAIT, COL_PEAK, COL_OOM, COL_TIME,
	N_COLS,
};

#define NUM (NRD_COL_RIGHT | NRD_COL_NUM)

static const struct nrd_col cols[N_COLS] = {
	[COL_ZONE] = { "zone", 16 },
	[COL_ZONEID] = { "zoneid", 4, NUM | NRD_COL_HIDDEN },
	[COL_CPU] = { "cpu", 6, NUM },
	[COL_PART] = { "part", 6, NUM, "%PART" },
	[COL_CAP] = { "cap", 6, NUM, "%CAP" },
	[COL_PHYS] = { "phys", 6, NUM, "PHYS" },
	[COL_PPHYS] = { "used", 6, NUM, "%USED" },
	[COL_PCAP] = { "physcap", 6, NUM, "%PCAP" },
	[COL_SWAP] = { "swap", 6, NUM },
	[COL_LWPS] = { "lwps", 6, NUM },
	[COL_THROTTLED] = { "throttled", 6, NUM | NRD_COL_HIDDEN, "THROTTLED(MS)" },
	[COL_CPUWAIT] = { "cpuwait", 6, NUM | NRD_COL_HIDDEN, "%CPUWAIT" },
	[COL_MEMWAIT] = { "memwait", 6, NUM | NRD_COL_HIDDEN, "%MEMWAIT" },
	[COL_PEAK] = { "peak", 6, NUM | NRD_COL_HIDDEN },
	[COL_OOM] = { "oom", 4, NUM | NRD_COL_HIDDEN },
	[COL_TIME] = { "time", 20, NRD_COL_HIDDEN },
};

/* One line; ZONE_STAT_NONE where there is nothing to say. */
struct line {
	const char *name;
	const struct zone_stat *now, *before; /* NULL: no zone of its own */
	uint64_t zoneid;
	double cpus;
	uint64_t memory, swap, lwps;
};

struct state {
	const struct opts *opts;
	char **zones;
	struct zone_report report;
	struct zone_stats before, now;
	double seconds;
	char time[32];
};

static double
cpus_of(const struct state *s, const struct zone_stat *now, const struct zone_stat *before)
{
	uint64_t us = zone_stat_since(before != NULL ? before->usage_us : 0, now->usage_us);

	return (double)us / 1e6 / s->seconds;
}

static uint64_t
used_memory(const struct zone_stats *stats)
{
	return stats->memory > stats->memory_available ? stats->memory - stats->memory_available : 0;
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Most CPU first. */
static int
by_use(const void *a, const void *b)
{
	const struct line *la = a, *lb = b;

	if (la->cpus != lb->cpus)
		return la->cpus > lb->cpus ? -1 : 1;
	return strcmp(la->name, lb->name);
}

/*
 * The node as a whole, what is no zone's, and the zones. The node's CPU time is counted by ticks,
 * which miss some of what the zones' own clocks see: it is never shown as less than theirs.
 */
static struct line *
make_lines(const struct state *s, size_t *ret_n)
{
	const struct zone_stats *now = &s->now;
	struct line *lines = calloc(now->n_zones + 2, sizeof(*lines));
	uint64_t swap = less(now->swap, now->swap_free);
	struct line *total = lines, *global = lines + 1;

	if (lines == NULL)
		return NULL;
	*total = (struct line){
		.name = "[total]",
		.zoneid = ZONE_STAT_NONE,
		.cpus = (double)zone_stat_since(s->before.busy_us, now->busy_us) / 1e6 / s->seconds,
		.memory = used_memory(now),
		.swap = swap,
		.lwps = ZONE_STAT_NONE,
	};
	*global = *total;
	global->name = "global";
	global->zoneid = 0;
	for (size_t i = 0; i < now->n_zones; i++) {
		const struct zone_stat *z = &now->zones[i];
		struct line *line = &lines[i + 2];

		*line = (struct line){
			.name = z->name,
			.now = z,
			.before = zone_stats_find(&s->before, z->name),
			.zoneid = z->zoneid != 0 ? z->zoneid : ZONE_STAT_NONE,
			.memory = z->memory,
			.swap = z->swap,
			.lwps = z->lwps,
		};
		line->cpus = cpus_of(s, z, line->before);
		global->cpus -= line->cpus;
		if (z->memory != ZONE_STAT_NONE)
			global->memory = less(global->memory, z->memory);
		if (z->swap != ZONE_STAT_NONE)
			global->swap = less(global->swap, z->swap);
	}
	if (global->cpus < 0) {
		total->cpus -= global->cpus;
		global->cpus = 0;
	}
	qsort(lines + 1, now->n_zones + 1, sizeof(*lines), by_use);
	*ret_n = now->n_zones + 2;
	return lines;
}

static double
wait_us(const struct zone_pressure *now, const struct zone_pressure *before)
{
	return (double)zone_stat_since(before != NULL ? before->some_us : 0, now->some_us);
}

/* Programs get bytes. */
static const char *
size_cell(const struct state *s, char cell[ZONE_CELL], uint64_t bytes)
{
	return s->opts->table.parsable || s->opts->table.json ? zone_cell_u64(cell, bytes)
							      : zone_cell_size(cell, bytes);
}

/* What only a zone has. */
static void
zone_cells(const struct state *s, const struct line *line, char text[N_COLS][ZONE_CELL],
	   const char **cells)
{
	const struct zone_stat *z = line->now, *before = line->before;
	double all_us = s->seconds * 1e6;

	if (z->cpu_cap != ZONE_STAT_NONE)
		cells[COL_CAP] = zone_cell_percent(text[COL_CAP], line->cpus * 100,
						   (double)z->cpu_cap);
	if (z->memory_max != ZONE_STAT_NONE && z->memory != ZONE_STAT_NONE)
		cells[COL_PCAP] = zone_cell_percent(text[COL_PCAP], (double)z->memory,
						    (double)z->memory_max);
	cells[COL_THROTTLED] = zone_cell_u64(
		text[COL_THROTTLED],
		zone_stat_since(before != NULL ? before->throttled_us : 0, z->throttled_us) / 1000);
	cells[COL_CPUWAIT] = zone_cell_percent(
		text[COL_CPUWAIT],
		wait_us(&z->cpu_pressure, before != NULL ? &before->cpu_pressure : NULL), all_us);
	cells[COL_MEMWAIT] = zone_cell_percent(
		text[COL_MEMWAIT],
		wait_us(&z->memory_pressure, before != NULL ? &before->memory_pressure : NULL),
		all_us);
	cells[COL_PEAK] = size_cell(s, text[COL_PEAK], z->memory_peak);
	cells[COL_OOM] = zone_cell_u64(text[COL_OOM], z->oom_kills);
}

static void
add_row(const struct state *s, struct nrd_table *table, const struct line *line)
{
	char text[N_COLS][ZONE_CELL];
	const char *cells[N_COLS] = { [COL_ZONE] = line->name, [COL_TIME] = s->time };

	cells[COL_ZONEID] = zone_cell_u64(text[COL_ZONEID], line->zoneid);
	(void)snprintf(text[COL_CPU], ZONE_CELL, "%.2f", line->cpus);
	cells[COL_CPU] = text[COL_CPU];
	cells[COL_PART] = zone_cell_percent(text[COL_PART], line->cpus, (double)s->now.cpus);
	cells[COL_PHYS] = size_cell(s, text[COL_PHYS], line->memory);
	if (line->memory != ZONE_STAT_NONE)
		cells[COL_PPHYS] = zone_cell_percent(text[COL_PPHYS], (double)line->memory,
						     (double)s->now.memory);
	cells[COL_SWAP] = size_cell(s, text[COL_SWAP], line->swap);
	cells[COL_LWPS] = zone_cell_u64(text[COL_LWPS], line->lwps);
	if (line->now != NULL)
		zone_cells(s, line, text, cells);
	nrd_table_row(table, cells);
}

static void
set_time(struct state *s)
{
	time_t t = time(NULL);
	struct tm tm;

	(void)strftime(s->time, sizeof(s->time), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
}

static void
print_stamp(const struct state *s)
{
	char text[64];
	time_t t = time(NULL);
	struct tm tm;

	if (s->opts->stamp == NULL || s->opts->table.parsable || s->opts->table.json)
		return;
	if (nrd_streq(s->opts->stamp, "u")) {
		(void)printf("%lld\n", (long long)t);
	} else if (nrd_streq(s->opts->stamp, "i")) {
		(void)printf("%s\n", s->time);
	} else {
		(void)strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Z %Y", localtime_r(&t, &tm));
		(void)printf("%s\n", text);
	}
	(void)fflush(stdout);
}

static int
print_lines(struct state *s, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_FREE struct line *lines = NULL;
	size_t n = 0, shown = 0;
	int r = zone_report_table(&s->report, cols, nrd_count(cols), &table, err);

	if (r < 0)
		return r;
	lines = make_lines(s, &n);
	if (lines == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (!zone_report_wants(NRD_CSTRV(s->zones), lines[i].name))
			continue;
		add_row(s, table, &lines[i]);
		shown++;
	}
	print_stamp(s);
	return zone_report_print(&s->report, table, shown, STDOUT_FILENO, err);
}

static int
report(void *arg, uint64_t number, struct nrd_err *err)
{
	struct state *s = arg;
	int r;

	(void)number;
	zone_stats_cleanup(&s->before);
	s->before = s->now;
	s->now = (struct zone_stats){ 0 };
	r = zone_stats_read(NULL, 0, &s->now, err);
	if (r < 0)
		return r;
	s->seconds = (double)(s->now.time_us - s->before.time_us) / 1e6;
	if (s->seconds <= 0)
		s->seconds = 1e-6;
	set_time(s);
	return print_lines(s, err);
}

static void
state_cleanup(struct state *s)
{
	zone_stats_cleanup(&s->before);
	zone_stats_cleanup(&s->now);
	nrd_strv_free(s->zones);
}

static int
cmd_zonestat(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *probe = NULL;
	const struct opts *opts = args->opts;
	NRD_AUTO(state) s = { .opts = opts, .report = { .opts = opts->table } };
	struct zone_every every;
	int r = zone_every_parse(args->argc, args->argv, &every, err);

	if (r == 0 && opts->stamp != NULL && !nrd_streq(opts->stamp, "u") &&
	    !nrd_streq(opts->stamp, "d") && !nrd_streq(opts->stamp, "i"))
		r = nrd_usage(err, "-T takes u, d or i, not \"%.20s\"", opts->stamp);
	/* Wrong columns are told at once, not after the first interval. */
	if (r == 0)
		r = nrd_table_new(cols, nrd_count(cols), &opts->table, &probe, err);
	if (r == 0)
		r = zone_report_zones(NRD_CSTRV(opts->zones), &s.zones, err);
	if (r == 0)
		r = zone_stats_read(NULL, 0, &s.now, err);
	return r < 0 ? r : zone_every_run(&every, false, report, &s, err);
}

static const struct nrd_cmd only = {
	NULL, cmd_zonestat, opts_table,
	"[-z ZONE,...] [-T u|d|i] [-s FIELD,...] [-o FIELD,...] [-pHj] [INTERVAL [COUNT]]",
	.max_args = 2,
};

static const struct nrd_cli cli = {
	.prog = "zonestat",
	.summary = "what each zone uses of the node and of its limits",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
