/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "zone/config.h"
#include "zone/report.h"
#include "zone/stat.h"

struct opts {
	bool alias, total, over;
	char **zones;
	struct nrd_table_opts table;
};

/* -o is SmartOS's: columns are chosen by the long option. */
static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('a', NULL, struct opts, alias, "also the zones' aliases"),
	NRD_OPT_FLAG('t', NULL, struct opts, total, "a line with the sums at the end"),
	NRD_OPT_FLAG('o', NULL, struct opts, over, "only zones that met their limit"),
	NRD_OPT_STRV('z', NULL, struct opts, zones, "ZONE,...", "only these zones"),
	NRD_OPT_STR(0, "output", struct opts, table.columns, "FIELD,...",
		    "which columns, in this order"),
	NRD_OPT_FLAG('p', "parsable", struct opts, table.parsable,
		     "for programs: no header, FIELD:FIELD"),
	NRD_OPT_FLAG('H', "no-header", struct opts, table.no_header, "leave the header out"),
	NRD_OPT_FLAG('j', "json", struct opts, table.json, "print JSON, a line for each zone"),
	NRD_OPT_END(struct opts),
};

enum col {
	COL_ZONE, COL_ALIAS, COL_RSS, COL_CAP, COL_NOVER, COL_POUT, COL_SWAP,
	COL_ANON, COL_FILE, COL_KERNEL, COL_PEAK, COL_OOM,
	N_COLS,
};

#define NUM    (NRD_COL_RIGHT | NRD_COL_NUM)
#define HIDDEN (NUM | NRD_COL_HIDDEN)

static const struct nrd_col cols[N_COLS] = {
	[COL_ZONE] = { "zone", 36, NRD_COL_RIGHT },
	[COL_ALIAS] = { "alias", 16, NRD_COL_HIDDEN },
	[COL_RSS] = { "rss", 8, NUM, "RSS(MB)" },
	[COL_CAP] = { "cap", 8, NUM, "CAP(MB)" },
	[COL_NOVER] = { "nover", 8, NUM },
	[COL_POUT] = { "pout", 9, NUM, "POUT(MB)" },
	[COL_SWAP] = { "swap", 5, NUM, "SWAP%" },
	[COL_ANON] = { "anon", 8, HIDDEN, "ANON(MB)" },
	[COL_FILE] = { "file", 8, HIDDEN, "FILE(MB)" },
	[COL_KERNEL] = { "kernel", 8, HIDDEN, "KERNEL(MB)" },
	[COL_PEAK] = { "peak", 8, HIDDEN, "PEAK(MB)" },
	[COL_OOM] = { "oom", 4, HIDDEN },
};

#define COLUMNS_WITH_ALIAS "zone,alias,rss,cap,nover,pout,swap"

struct state {
	const struct opts *opts;
	char **zones;
	struct zone_report report;
};

static void
state_cleanup(struct state *s)
{
	nrd_strv_free(s->zones);
}

static void
add_row(struct nrd_table *table, const struct zone_stat *z, const char *alias)
{
	char text[N_COLS][ZONE_CELL];
	const char *cells[N_COLS] = { [COL_ZONE] = z->name, [COL_ALIAS] = alias };
	bool capped = z->swap != ZONE_STAT_NONE && z->swap_max != ZONE_STAT_NONE;

	cells[COL_RSS] = zone_cell_mib(text[COL_RSS], z->memory);
	cells[COL_CAP] = zone_cell_mib(text[COL_CAP], z->memory_max);
	cells[COL_NOVER] = zone_cell_u64(text[COL_NOVER], z->over);
	cells[COL_POUT] = zone_cell_mib(text[COL_POUT], z->paged_out);
	if (capped)
		cells[COL_SWAP] = zone_cell_percent(text[COL_SWAP], (double)z->swap,
						    (double)z->swap_max);
	cells[COL_ANON] = zone_cell_mib(text[COL_ANON], z->anon);
	cells[COL_FILE] = zone_cell_mib(text[COL_FILE], z->file);
	cells[COL_KERNEL] = zone_cell_mib(text[COL_KERNEL], z->kernel);
	cells[COL_PEAK] = zone_cell_mib(text[COL_PEAK], z->memory_peak);
	cells[COL_OOM] = zone_cell_u64(text[COL_OOM], z->oom_kills);
	nrd_table_row(table, cells);
}

static void
sum(uint64_t *total, uint64_t v)
{
	if (v != ZONE_STAT_NONE)
		*total = (*total == ZONE_STAT_NONE ? 0 : *total) + v;
}

/* The caps of all zones together may well be more than there is. */
static void
sum_zone(struct zone_stat *total, const struct zone_stat *z)
{
	sum(&total->memory, z->memory);
	sum(&total->memory_max, z->memory_max);
	sum(&total->over, z->over);
	sum(&total->paged_out, z->paged_out);
	sum(&total->swap, z->swap);
	sum(&total->swap_max, z->swap_max);
	sum(&total->anon, z->anon);
	sum(&total->file, z->file);
	sum(&total->kernel, z->kernel);
	sum(&total->oom_kills, z->oom_kills);
}

/* All that is no zone's: the global zone, the kernel, and ZFS's cache. It has no limits. */
static struct zone_stat
global_zone(const struct zone_stats *stats)
{
	static char name[] = "global";
	uint64_t used = stats->memory - stats->memory_available;
	struct zone_stat global = {
		.name = name,
		.memory_max = ZONE_STAT_NONE,
		.memory_peak = ZONE_STAT_NONE,
		.swap = ZONE_STAT_NONE,
		.swap_max = ZONE_STAT_NONE,
		.over = ZONE_STAT_NONE,
		.paged_out = ZONE_STAT_NONE,
		.anon = ZONE_STAT_NONE,
		.file = ZONE_STAT_NONE,
		.kernel = ZONE_STAT_NONE,
		.oom_kills = ZONE_STAT_NONE,
	};

	for (size_t i = 0; i < stats->n_zones; i++) {
		uint64_t m = stats->zones[i].memory;

		if (m != ZONE_STAT_NONE)
			used = used > m ? used - m : 0;
	}
	global.memory = used;
	return global;
}

static bool
wanted(const struct state *s, const struct zone_stat *z)
{
	if (!zone_report_wants(NRD_CSTRV(s->zones), z->name))
		return false;
	return !s->opts->over || (z->over != ZONE_STAT_NONE && z->over > 0);
}

static void
add_zone(struct nrd_table *table, const struct zone_stat *z)
{
	NRD_AUTO(zone_config) config = { 0 };

	if (nrd_table_wants(table, COL_ALIAS))
		(void)zone_config_read(NULL, z->name, &config, NULL);
	add_row(table, z, config.alias);
}

static int
report(void *arg, uint64_t number, struct nrd_err *err)
{
	struct state *s = arg;
	static char total_name[] = "total";
	NRD_AUTO(zone_stats) stats = { 0 };
	NRD_AUTO(nrd_table) *table = NULL;
	struct zone_stat total = { .name = total_name }, global;
	size_t n = 0;
	int r = zone_stats_read(NULL, 0, &stats, err);

	(void)number;
	if (r == 0)
		r = zone_report_table(&s->report, cols, nrd_count(cols), &table, err);
	if (r < 0)
		return r;
	total.memory_max = total.swap = total.swap_max = total.paged_out = ZONE_STAT_NONE;
	total.memory_peak = ZONE_STAT_NONE;
	global = global_zone(&stats);
	for (size_t i = 0; i < stats.n_zones + 1; i++) {
		const struct zone_stat *z = i == 0 ? &global : &stats.zones[i - 1];

		if (!wanted(s, z))
			continue;
		add_zone(table, z);
		sum_zone(&total, z);
		n++;
	}
	if (s->opts->total)
		add_row(table, &total, NULL);
	return zone_report_print(&s->report, table, n + s->opts->total, STDOUT_FILENO, err);
}

static int
cmd_zonememstat(const struct nrd_args *args, struct nrd_err *err)
{
	const struct opts *opts = args->opts;
	NRD_AUTO(state) s = { .opts = opts, .report = { .opts = opts->table } };
	struct zone_every every;
	int r = zone_every_parse(args->argc, args->argv, &every, err);

	if (opts->alias && opts->table.columns == NULL)
		s.report.opts.columns = COLUMNS_WITH_ALIAS;
	if (opts->table.columns == NULL)
		s.report.opts.gap = 1;
	if (r == 0)
		r = zone_report_zones(NRD_CSTRV(opts->zones), &s.zones, err);
	return r < 0 ? r : zone_every_run(&every, true, report, &s, err);
}

static const struct nrd_cmd only = {
	NULL, cmd_zonememstat, opts_table,
	"[-atoHpj] [-z ZONE,...] [--output FIELD,...] [INTERVAL [COUNT]]", .max_args = 2,
};

static const struct nrd_cli cli = {
	.prog = "zonememstat",
	.summary = "memory of each zone and how often it met its limit",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
