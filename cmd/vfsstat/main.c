/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "zone/report.h"
#include "zone/stat.h"

struct opts {
	bool per_interval, mib, raw, all, hide_idle;
	struct nrd_table_opts table;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('I', NULL, struct opts, per_interval, "per interval instead of per second"),
	NRD_OPT_FLAG('M', NULL, struct opts, mib, "megabytes instead of kilobytes"),
	NRD_OPT_FLAG('r', NULL, struct opts, raw, "fields between commas"),
	NRD_OPT_FLAG('Z', NULL, struct opts, all, "all zones, not the global zone only"),
	NRD_OPT_FLAG('z', NULL, struct opts, hide_idle, "leave out zones that did nothing"),
	NRD_TABLE_OPTS(struct opts, table),
	NRD_OPT_END(struct opts),
};

enum col {
	COL_R, COL_W, COL_KR, COL_KW, COL_RACTV, COL_WACTV, COL_READ_T, COL_WRIT_T, COL_PR, COL_PW,
	COL_D, COL_DEL_T, COL_ZONE, COL_ZONENAME, COL_ZONEID,
	N_COLS,
};

#define NUM (NRD_COL_RIGHT | NRD_COL_NUM)

/* Titles of the first four depend on -I and -M. */
static const struct nrd_col base_cols[N_COLS] = {
	[COL_R] = { "r", 5, NUM },
	[COL_W] = { "w", 5, NUM },
	[COL_KR] = { "kr", 5, NUM },
	[COL_KW] = { "kw", 5, NUM },
	[COL_RACTV] = { "ractv", 5, NUM, "ractv" },
	[COL_WACTV] = { "wactv", 5, NUM, "wactv" },
	[COL_READ_T] = { "read_t", 6, NUM, "read_t" },
	[COL_WRIT_T] = { "writ_t", 6, NUM, "writ_t" },
	[COL_PR] = { "%r", 3, NUM, "%r" },
	[COL_PW] = { "%w", 3, NUM, "%w" },
	[COL_D] = { "d", 5, NUM },
	[COL_DEL_T] = { "del_t", 6, NUM, "del_t" },
	[COL_ZONE] = { "zone", 0, 0, "zone" },
	[COL_ZONENAME] = { "zonename", 0, NRD_COL_HIDDEN },
	[COL_ZONEID] = { "zoneid", 4, NUM | NRD_COL_HIDDEN },
};

struct state {
	const struct opts *opts;
	struct nrd_col cols[N_COLS];
	char titles[5][8];
	struct zone_report report;
	struct zone_stats before, now;
	double per;   /* what counts are divided by */
	size_t shown;
};

static void
state_cleanup(struct state *s)
{
	zone_stats_cleanup(&s->before);
	zone_stats_cleanup(&s->now);
}

static void
make_titles(struct state *s)
{
	static const enum col with_unit[] = { COL_R, COL_W, COL_KR, COL_KW, COL_D };
	static const char *const kib[] = { "r", "w", "kr", "kw", "d" };
	static const char *const mib[] = { "r", "w", "Mr", "Mw", "d" };

	for (size_t i = 0; i < N_COLS; i++)
		s->cols[i] = base_cols[i];
	for (size_t i = 0; i < nrd_count(with_unit); i++) {
		(void)snprintf(s->titles[i], sizeof(s->titles[i]), "%s/%s",
			       s->opts->mib ? mib[i] : kib[i], s->opts->per_interval ? "i" : "s");
		s->cols[with_unit[i]].title = s->titles[i];
	}
}

static const char *
rate(const struct state *s, char cell[ZONE_CELL], uint64_t before, uint64_t now, double unit)
{
	return zone_cell_tenths(cell, (double)zone_stat_since(before, now) / s->per / unit);
}

static void
add_row(struct state *s, struct nrd_table *table, const char *name, uint64_t zoneid,
	const struct zone_io *before, const struct zone_io *now)
{
	char text[N_COLS][ZONE_CELL], zone[64];
	const char *cells[N_COLS] = { [COL_ZONE] = zone, [COL_ZONENAME] = name };
	double unit = s->opts->mib ? 1048576 : 1024;
	bool idle = zone_stat_since(before->reads, now->reads) == 0 &&
		    zone_stat_since(before->writes, now->writes) == 0;

	if (idle && s->opts->hide_idle)
		return;
	/* As SmartOS prints it: the beginning of the name is enough to know a uuid by. */
	if (zoneid == ZONE_STAT_NONE)
		(void)snprintf(zone, sizeof(zone), "%.8s (-)", name);
	else
		(void)snprintf(zone, sizeof(zone), "%.8s (%llu)", name, (unsigned long long)zoneid);
	cells[COL_R] = rate(s, text[COL_R], before->reads, now->reads, 1);
	cells[COL_W] = rate(s, text[COL_W], before->writes, now->writes, 1);
	cells[COL_KR] = rate(s, text[COL_KR], before->nread, now->nread, unit);
	cells[COL_KW] = rate(s, text[COL_KW], before->nwritten, now->nwritten, unit);
	cells[COL_ZONEID] = zone_cell_u64(text[COL_ZONEID], zoneid);
	nrd_table_row(table, cells);
	s->shown++;
}

static int
print_zones(struct state *s, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *table = NULL;
	int r = zone_report_table(&s->report, s->cols, N_COLS, &table, err);

	if (r < 0)
		return r;
	s->shown = 0;
	add_row(s, table, "global", 0, &s->before.io, &s->now.io);
	for (size_t i = 0; i < s->now.n_zones && s->opts->all; i++) {
		static const struct zone_io none;
		const struct zone_stat *z = &s->now.zones[i];
		const struct zone_stat *before = zone_stats_find(&s->before, z->name);

		add_row(s, table, z->name, z->zoneid != 0 ? z->zoneid : ZONE_STAT_NONE,
			before != NULL ? &before->io : &none, &z->io);
	}
	return zone_report_print(&s->report, table, s->shown, STDOUT_FILENO, err);
}

/* The first report is of the time since the node came up. */
static int
report(void *arg, uint64_t number, struct nrd_err *err)
{
	struct state *s = arg;
	uint64_t us;
	int r;

	zone_stats_cleanup(&s->before);
	s->before = s->now;
	s->now = (struct zone_stats){ 0 };
	r = zone_stats_read(NULL, ZONE_STAT_IO, &s->now, err);
	if (r < 0)
		return r;
	us = number == 0 ? s->now.uptime_us : s->now.time_us - s->before.time_us;
	s->per = s->opts->per_interval || us == 0 ? 1 : (double)us / 1e6;
	return print_zones(s, err);
}

static int
cmd_vfsstat(const struct nrd_args *args, struct nrd_err *err)
{
	const struct opts *opts = args->opts;
	NRD_AUTO(state) s = { .opts = opts, .report = { .opts = opts->table } };
	struct zone_every every;
	int r = zone_every_parse(args->argc, args->argv, &every, err);

	s.report.opts.gap = 1;
	if (opts->raw) {
		s.report.opts.parsable = true;
		s.report.opts.sep = ",";
	}
	make_titles(&s);
	return r < 0 ? r : zone_every_run(&every, true, report, &s, err);
}

static const struct nrd_cmd only = {
	NULL, cmd_vfsstat, opts_table, "[-IMrZz] [-o FIELD,...] [-pHj] [INTERVAL [COUNT]]",
	.max_args = 2,
};

static const struct nrd_cli cli = {
	.prog = "vfsstat",
	.summary = "reads and writes of each zone's files",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
