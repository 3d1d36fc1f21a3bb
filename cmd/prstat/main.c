/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <time.h>
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "prstat.h"
#include "zone/report.h"

#define TOP_LINES    15
#define BOTTOM_LINES 5
#define LINES_MAX    ((uint64_t)1 << 20)
#define INTERVAL_S   5

/* The first report is over this long, so that it comes soon. */
#define FIRST_MS 250

struct opts {
	bool zones, scroll, json;
	char **only;
	const char *lines, *sort, *sort_up;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('Z', NULL, struct opts, zones, "also a table of the zones"),
	NRD_OPT_STRV('z', NULL, struct opts, only, "ZONE,...", "only these zones, by name or number"),
	NRD_OPT_FLAG('c', NULL, struct opts, scroll, "new reports below the old ones"),
	NRD_OPT_STR('n', NULL, struct opts, lines, "TOP[,BOTTOM]", "most lines of the tables"),
	NRD_OPT_STR('s', NULL, struct opts, sort, "KEY", "largest first: cpu, pri, rss, size, time"),
	NRD_OPT_STR('S', NULL, struct opts, sort_up, "KEY", "smallest first"),
	NRD_OPT_FLAG('j', "json", struct opts, json, "print JSON, a line for each report"),
	NRD_OPT_END(struct opts),
};

struct state {
	const struct opts *opts;
	struct prstat p;
	bool clear;
};

static void
state_cleanup(struct state *s)
{
	zone_stats_cleanup(&s->p.stats_before);
	zone_stats_cleanup(&s->p.stats);
	zone_proctab_cleanup(&s->p.table_before);
	zone_proctab_cleanup(&s->p.table);
	nrd_strv_free(s->p.wanted);
}

static int
read_all(struct prstat *p, struct nrd_err *err)
{
	zone_stats_cleanup(&p->stats_before);
	zone_proctab_cleanup(&p->table_before);
	p->stats_before = p->stats;
	p->table_before = p->table;
	p->stats = (struct zone_stats){ 0 };
	p->table = (struct zone_proctab){ 0 };
	int r = zone_stats_read(NULL, 0, &p->stats, err);

	return r < 0 ? r : zone_proctab_read(NULL, &p->table, err);
}

static int
report(void *arg, uint64_t number, struct nrd_err *err)
{
	const struct timespec first = { .tv_nsec = FIRST_MS * 1000000L };
	struct state *s = arg;
	NRD_AUTO(nrd_buf) out = { 0 };
	int r;

	if (number == 0)
		(void)nanosleep(&first, NULL);
	r = read_all(&s->p, err);
	if (r < 0)
		return r;
	if (s->clear)
		(void)nrd_buf_adds(&out, "\033[H\033[2J");
	r = s->opts->json ? prstat_json(&s->p, &out, err) : prstat_text(&s->p, &out, err);
	if (r == 0 && out.failed < 0)
		r = nrd_nomem(err);
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}

static int
parse_lines(const char *text, struct prstat *p, struct nrd_err *err)
{
	NRD_STRV char **parts = NULL;
	uint64_t top = TOP_LINES, bottom = BOTTOM_LINES;

	if (text != NULL && nrd_strv_split(text, ',', &parts) < 0)
		return nrd_nomem(err);
	size_t n = nrd_strv_len(NRD_CSTRV(parts));

	if ((text != NULL && n == 0) || n > 2 ||
	    (n > 0 && nrd_parse_u64(parts[0], 1, LINES_MAX, &top, NULL) < 0) ||
	    (n > 1 && nrd_parse_u64(parts[1], 1, LINES_MAX, &bottom, NULL) < 0))
		return nrd_usage(err, "-n takes how many lines, as 15 or 15,5, not \"%.40s\"", text);
	p->top = top;
	p->bottom = bottom;
	return 0;
}

static int
parse_key(const struct opts *opts, struct prstat *p, struct nrd_err *err)
{
	const char *name = opts->sort_up != NULL ? opts->sort_up : opts->sort;

	if (opts->sort_up != NULL && opts->sort != NULL)
		return nrd_usage(err, "-s and -S exclude each other");
	p->ascending = opts->sort_up != NULL;
	if (name == NULL)
		return 0;
	for (unsigned i = 0; prstat_keys[i] != NULL; i++) {
		if (nrd_streq(prstat_keys[i], name)) {
			p->key = (enum prstat_key)i;
			return 0;
		}
	}
	return nrd_usage(err, "sort by cpu, pri, rss, size or time, not by \"%.20s\"", name);
}

static int
cmd_prstat(const struct nrd_args *args, struct nrd_err *err)
{
	const struct opts *opts = args->opts;
	NRD_AUTO(state) s = { .opts = opts, .p = { .zones = opts->zones } };
	struct zone_every every;
	int r = zone_every_parse(args->argc, args->argv, &every, err);

	if (args->argc == 0)
		every = (struct zone_every){ .interval_s = INTERVAL_S };
	s.clear = !opts->scroll && !opts->json && isatty(STDOUT_FILENO);
	if (r == 0)
		r = parse_lines(opts->lines, &s.p, err);
	if (r == 0)
		r = parse_key(opts, &s.p, err);
	if (r == 0)
		r = zone_report_zones(NRD_CSTRV(opts->only), &s.p.wanted, err);
	if (r == 0)
		r = read_all(&s.p, err);
	return r < 0 ? r : zone_every_run(&every, true, report, &s, err);
}

static const struct nrd_cmd only = {
	NULL, cmd_prstat, opts_table,
	"[-Zcj] [-z ZONE,...] [-n TOP[,BOTTOM]] [-s KEY | -S KEY] [INTERVAL [COUNT]]",
	.max_args = 2,
};

static const struct nrd_cli cli = {
	.prog = "prstat",
	.summary = "the busiest processes, and what each zone uses",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
