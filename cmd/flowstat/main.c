/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <string.h>
#include <unistd.h>

#include "link/find.h"
#include "link/flow.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "nrd/tally.h"

struct opts {
	struct nrd_tally_opts how;
	const char *link, *zone;
	bool receive, transmit;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('r', NULL, struct opts, receive, "what was received"),
	NRD_OPT_FLAG('t', NULL, struct opts, transmit, "what was sent"),
	NRD_OPT_STR('l', NULL, struct opts, link, "LINK", "flows of this link"),
	NRD_OPT_STR('z', NULL, struct opts, zone, "ZONE", "flows of this zone"),
	NRD_TALLY_OPTS(struct opts, how),
	NRD_OPT_END(struct opts),
};

#define NUM (NRD_COL_NUM | NRD_COL_RIGHT)
#define COUNTS 6
#define WAY 3 /* of them each way */

#define COL_FLOW { "flow", 11 }
#define COLS_IN  { "ipkts", 8, NUM }, { "rbytes", 9, NUM }, { "ierrs", 7, NUM }
#define COLS_OUT { "opkts", 8, NUM }, { "obytes", 9, NUM }, { "oerrs", 7, NUM }
#define COLS_OF  { "link", 11, NRD_COL_HIDDEN }, { "zone", 10, NRD_COL_HIDDEN }

static const struct nrd_col both_cols[] = { COL_FLOW, COLS_IN, COLS_OUT, COLS_OF };
static const struct nrd_col in_cols[] = { COL_FLOW, COLS_IN, COLS_OF };
static const struct nrd_col out_cols[] = { COL_FLOW, COLS_OUT, COLS_OF };

struct state {
	const struct opts *opts;
	struct flow_query query;
	struct nrd_tally_how how;
	struct nrd_tally before;
};

static int
row_of(struct state *s, struct link_switch *sw, struct nrd_table *t, const struct flow_item *item, struct nrd_err *err)
{
	NRD_FREE char *key = nrd_format("%s/%s", item->zone, item->flow.name);
	size_t from = s->opts->transmit ? WAY : 0, to = s->opts->receive ? WAY : COUNTS, n = 0;
	const char *cells[COUNTS + WAY];
	char text[COUNTS][NRD_TALLY_TEXT];
	struct switch_flow_counts c;
	int r = switch_flow_counts_read(sw, item->flow.number, &c, err);
	uint64_t now[COUNTS];

	if (r < 0)
		return r;
	memcpy(now, (uint64_t[]){ c.in_frames, c.in_bytes, c.in_drops, c.out_frames, c.out_bytes, c.out_drops }, sizeof(now));
	if (key == NULL || nrd_tally_since(&s->before, key, now, COUNTS) < 0)
		return nrd_nomem(err);
	cells[n++] = item->flow.name;
	for (size_t i = from; i < to; i++) {
		nrd_tally_text(now[i], s->how.unit, text[i]);
		cells[n++] = text[i];
	}
	cells[n++] = item->link;
	cells[n] = item->zone;
	nrd_table_row(t, cells);
	return 0;
}

static int
round_of(void *arg, bool first, struct nrd_err *err)
{
	struct state *s = arg;
	const struct nrd_table_opts how = nrd_tally_table(&s->opts->how, first);
	const struct nrd_col *cols = s->opts->receive ? in_cols : s->opts->transmit ? out_cols : both_cols;
	size_t n = s->opts->receive || s->opts->transmit ? nrd_count(in_cols) : nrd_count(both_cols);
	NRD_AUTO(link_switch) *sw = NULL;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(flows) flows = { 0 };
	int r = nrd_table_new(cols, n, &how, &t, err);

	if (r == 0)
		r = flows_read(&s->query, &flows, err);
	if (r == 0 && flows.n > 0)
		r = switch_open(NULL, &sw, err);
	for (size_t i = 0; r == 0 && i < flows.n; i++)
		r = row_of(s, sw, t, &flows.items[i], err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

static int
cmd_flowstat(const struct nrd_args *args, struct nrd_err *err)
{
	const struct opts *o = args->opts;
	struct state s = { .opts = o, .query = { .zone = o->zone } };
	NRD_AUTO(link_found) found = { 0 };
	int skip = args->argc > 0 && nrd_streq(args->argv[0], "show-flow"), r;

	if (o->receive && o->transmit)
		return nrd_usage(err, "one of -r, -t");
	if (args->argc > skip && !nrd_tally_is_number(args->argv[skip]))
		s.query.name = args->argv[skip++];
	r = nrd_tally_settle(&o->how, args->argc - skip, args->argv + skip, &s.how, err);
	if (r == 0 && o->link != NULL) {
		r = link_find(o->zone, o->link, &found, err);
		s.query.zone = found.d.zone;
		s.query.link = found.d.name;
	}
	if (r == 0)
		r = nrd_repeat(s.how.interval, s.how.times, round_of, &s, err);
	nrd_tally_fini(&s.before);
	return r;
}

static const struct nrd_cmd only = {
	"flowstat", cmd_flowstat, opts_table,
	"[show-flow] [-r | -t] [-i SECONDS] [-l LINK] [-u UNIT] [-z ZONE] [-j | [-p] -o FIELD,...] [FLOW] [SECONDS [TIMES]]",
	"statistics of flows",
};

static const struct nrd_cli cli = {
	.prog = "flowstat",
	.summary = "statistics of flows",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
