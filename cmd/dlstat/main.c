/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The forms of dlstat, told apart by their first operand and -r, -t, -D: a view each, which is columns and how a link's
 * counters become rows.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/find.h"
#include "link/linkstat.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "nrd/tally.h"

struct opts {
	struct nrd_tally_opts how;
	const char *zone;
	bool receive, transmit, drops;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('r', NULL, struct opts, receive, "what was received"),
	NRD_OPT_FLAG('t', NULL, struct opts, transmit, "what was sent"),
	NRD_OPT_FLAG('D', NULL, struct opts, drops, "what the switch dropped, by reason"),
	NRD_OPT_STR('z', NULL, struct opts, zone, "ZONE", "links of this zone"),
	NRD_TALLY_OPTS(struct opts, how),
	NRD_OPT_END(struct opts),
};

#define NUM (NRD_COL_NUM | NRD_COL_RIGHT)
#define CELLS_MAX 8

struct state;

struct view {
	const char *verb;  /* NULL: none */
	char way;          /* r, t, D, 0: of the options */
	bool nics_only;
	const struct nrd_col *cols;
	size_t n;
	void (*rows)(const struct state *s, struct nrd_table *t, const struct link_stat *stat);
};

struct state {
	const struct opts *opts;
	const struct view *view;
	char *zone, *name; /* owned; NULL: all */
	struct nrd_tally_how how;
	struct nrd_tally before;
};

static void
text_of(const struct state *s, uint64_t n, char ret[NRD_TALLY_TEXT])
{
	nrd_tally_text(n, s->how.unit, ret);
}

static void
row(const struct state *s, struct nrd_table *t, const struct link_stat *stat, size_t frames, size_t bytes)
{
	char a[NRD_TALLY_TEXT], b[NRD_TALLY_TEXT];

	text_of(s, stat->counts[frames], a);
	text_of(s, stat->counts[bytes], b);
	nrd_table_row(t, (const char *[]){ stat->name, a, b, stat->zone });
}

static const struct nrd_col both_cols[] = {
	{ "link", 11 }, { "ipkts", 8, NUM }, { "rbytes", 9, NUM }, { "opkts", 8, NUM }, { "obytes", 9, NUM },
	{ "zone", 10, NRD_COL_HIDDEN },
};

static void
both_rows(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	static const size_t which[] = { LINK_IN_FRAMES, LINK_IN_BYTES, LINK_OUT_FRAMES, LINK_OUT_BYTES };
	char text[nrd_count(which)][NRD_TALLY_TEXT];

	for (size_t i = 0; i < nrd_count(which); i++)
		text_of(s, stat->counts[which[i]], text[i]);
	nrd_table_row(t, (const char *[]){ stat->name, text[0], text[1], text[2], text[3], stat->zone });
}

static const struct nrd_col in_cols[] = {
	{ "link", 11 }, { "ipkts", 8, NUM }, { "rbytes", 9, NUM }, { "zone", 10, NRD_COL_HIDDEN },
};

static void
in_rows(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	row(s, t, stat, LINK_IN_FRAMES, LINK_IN_BYTES);
}

static const struct nrd_col out_cols[] = {
	{ "link", 11 }, { "opkts", 8, NUM }, { "obytes", 9, NUM }, { "zone", 10, NRD_COL_HIDDEN },
};

static void
out_rows(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	row(s, t, stat, LINK_OUT_FRAMES, LINK_OUT_BYTES);
}

/* illumos tells a link's rings and lanes apart; here there is one each way, of hardware or of the switch. */
static void
lane(const struct state *s, struct nrd_table *t, const struct link_stat *stat, bool in)
{
	char pkts[NRD_TALLY_TEXT], bytes[NRD_TALLY_TEXT], drops[NRD_TALLY_TEXT];

	text_of(s, stat->counts[in ? LINK_IN_FRAMES : LINK_OUT_FRAMES], pkts);
	text_of(s, stat->counts[in ? LINK_IN_BYTES : LINK_OUT_BYTES], bytes);
	text_of(s, stat->counts[in ? LINK_IN_ERRORS : LINK_OUT_ERRORS], drops);
	nrd_table_row(t, (const char *[]){ stat->name, in ? "rx" : "tx", stat->nic ? "hw" : "sw", NULL, pkts, bytes, drops, stat->zone });
}

#define LANE_COLS(pkts, bytes)                                                                                        \
	{ { "link", 11 }, { "type", 4 }, { "id", 4 }, { "index", 5 }, { pkts, 8, NUM }, { bytes, 9, NUM }, { "sdrops", 8, NUM }, \
	  { "zone", 10, NRD_COL_HIDDEN } }

static const struct nrd_col lane_cols[] = LANE_COLS("pkts", "bytes");
static const struct nrd_col lane_in_cols[] = LANE_COLS("ipkts", "rbytes");
static const struct nrd_col lane_out_cols[] = LANE_COLS("opkts", "obytes");

static void
lane_in(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	lane(s, t, stat, true);
}

static void
lane_out(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	lane(s, t, stat, false);
}

static void
lanes(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	lane(s, t, stat, true);
	lane(s, t, stat, false);
}

/* Those reasons there were. */
static const struct nrd_col drop_cols[] = {
	{ "link", 11 }, { "reason", 24 }, { "counter", 12 }, { "drops", 8, NUM }, { "zone", 10, NRD_COL_HIDDEN },
};

static void
drop_rows(const struct state *s, struct nrd_table *t, const struct link_stat *stat)
{
	char text[NRD_TALLY_TEXT];

	for (size_t i = 0; i < SWITCH_DROP_COUNT; i++) {
		const char *counter = switch_drop_counter(i);

		if (stat->counts[LINK_DROPS + i] == 0)
			continue;
		text_of(s, stat->counts[LINK_DROPS + i], text);
		nrd_table_row(t, (const char *[]){ stat->name, switch_drop_name(i), counter[0] != '\0' ? counter : NULL, text, stat->zone });
	}
}

static const struct view views[] = {
	{ NULL, '\0', false, both_cols, nrd_count(both_cols), both_rows },
	{ NULL, 'r', false, in_cols, nrd_count(in_cols), in_rows },
	{ NULL, 't', false, out_cols, nrd_count(out_cols), out_rows },
	{ NULL, 'D', false, drop_cols, nrd_count(drop_cols), drop_rows },
	{ "show-link", '\0', false, lane_cols, nrd_count(lane_cols), lanes },
	{ "show-link", 'r', false, lane_in_cols, nrd_count(lane_in_cols), lane_in },
	{ "show-link", 't', false, lane_out_cols, nrd_count(lane_out_cols), lane_out },
	{ "show-link", 'D', false, drop_cols, nrd_count(drop_cols), drop_rows },
	{ "show-phys", '\0', true, lane_cols, nrd_count(lane_cols), lanes },
	{ "show-phys", 'r', true, lane_in_cols, nrd_count(lane_in_cols), lane_in },
	{ "show-phys", 't', true, lane_out_cols, nrd_count(lane_out_cols), lane_out },
};

static int
round_of(void *arg, bool first, struct nrd_err *err)
{
	struct state *s = arg;
	const struct nrd_table_opts how = nrd_tally_table(&s->opts->how, first);
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(link_stats) stats = { 0 };
	int r = nrd_table_new(s->view->cols, s->view->n, &how, &t, err);

	if (r == 0)
		r = link_stats_read(s->zone, s->name, &stats, err);
	for (size_t i = 0; r == 0 && i < stats.n; i++) {
		struct link_stat *stat = &stats.stats[i];
		NRD_FREE char *key = nrd_format("%s/%s", stat->zone, stat->name);

		if (s->view->nics_only && !stat->nic)
			continue;
		if (key == NULL || nrd_tally_since(&s->before, key, stat->counts, LINK_COUNTS) < 0)
			r = nrd_nomem(err);
		else
			s->view->rows(s, t, stat);
	}
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

static int
choose(struct state *s, const char *verb, struct nrd_err *err)
{
	const struct opts *o = s->opts;
	char way = o->drops ? 'D' : o->receive ? 'r' : o->transmit ? 't' : '\0';

	if (o->drops + o->receive + o->transmit > 1)
		return nrd_usage(err, "one of -r, -t, -D");
	for (size_t i = 0; i < nrd_count(views); i++)
		if (nrd_streq(views[i].verb, verb) && views[i].way == way) {
			s->view = &views[i];
			return 0;
		}
	return nrd_usage(err, "%s has no -%c", verb, way);
}

/* A link, an interval, how many times: a link is never called by digits alone. */
static int
operands(struct state *s, int argc, char **argv, struct nrd_err *err)
{
	bool has_link = argc > 0 && !nrd_tally_is_number(argv[0]);
	NRD_AUTO(link_found) found = { 0 };
	int r = nrd_tally_settle(&s->opts->how, argc - has_link, argv + has_link, &s->how, err);

	if (r == 0 && !has_link)
		return nrd_str_set(&s->zone, s->opts->zone) < 0 ? nrd_nomem(err) : 0;
	if (r == 0)
		r = link_find(s->opts->zone, argv[0], &found, err);
	if (r == 0 && found.has_record && found.d.class_ == DATALINK_ETHERSTUB)
		r = nrd_fail(err, EINVAL, "LinkClass", "link '%s': an etherstub has no counters, the VNICs over it have", argv[0]);
	if (r == 0 && (nrd_str_set(&s->zone, found.d.zone) < 0 || nrd_str_set(&s->name, found.d.name) < 0))
		r = nrd_nomem(err);
	return r;
}

static int
cmd_dlstat(const struct nrd_args *args, struct nrd_err *err)
{
	struct state s = { .opts = args->opts };
	const char *verb = NULL;
	int argc = args->argc, r;
	char **argv = args->argv;

	if (argc > 0 && nrd_starts(argv[0], "show-") != NULL) {
		verb = argv[0];
		if (!nrd_streq(verb, "show-link") && !nrd_streq(verb, "show-phys"))
			return nrd_usage(err, "\"%.40s\" is neither show-link nor show-phys, nor a link", verb);
		argc--;
		argv++;
	}
	r = choose(&s, verb, err);
	if (r == 0)
		r = operands(&s, argc, argv, err);
	if (r == 0)
		r = nrd_repeat(s.how.interval, s.how.times, round_of, &s, err);
	nrd_tally_fini(&s.before);
	nrd_freep(&s.zone);
	nrd_freep(&s.name);
	return r;
}

static const struct nrd_cmd only = {
	"dlstat", cmd_dlstat, opts_table,
	"[show-link | show-phys] [-r | -t | -D] [-i SECONDS] [-u UNIT] [-z ZONE] [-j | [-p] -o FIELD,...] [LINK] [SECONDS [TIMES]]",
	"statistics of links",
};

static const struct nrd_cli cli = {
	.prog = "dlstat",
	.summary = "statistics of links",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
