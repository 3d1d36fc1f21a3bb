/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* show-link -s, show-vnic -s: counters of links. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dladm.h"
#include "link/linkstat.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/tally.h"

static const struct nrd_col count_cols[] = {
	{ "link", 11 },
	{ "ipackets", 10, NRD_COL_NUM }, { "rbytes", 11, NRD_COL_NUM }, { "ierrors", 8, NRD_COL_NUM },
	{ "opackets", 10, NRD_COL_NUM }, { "obytes", 11, NRD_COL_NUM }, { "oerrors", 8, NRD_COL_NUM },
	{ "zone", 10, NRD_COL_HIDDEN }, { "drops", 20, NRD_COL_HIDDEN },
};

/* What was dropped and why, "mac_spoofed=3,vlan=1". */
static int
drops_text(const uint64_t *drops, struct nrd_buf *out)
{
	for (size_t i = 0; i < SWITCH_DROP_COUNT; i++)
		if (drops[i] != 0)
			(void)nrd_buf_printf(out, "%s%s=%" PRIu64, out->len > 0 ? "," : "", switch_drop_name(i), drops[i]);
	return out->failed;
}

static int
count_row(struct nrd_table *t, const struct link_stat *stat)
{
	NRD_AUTO(nrd_buf) drops = { 0 };
	char text[LINK_DROPS][24];

	for (size_t i = 0; i < LINK_DROPS; i++)
		(void)snprintf(text[i], sizeof(text[i]), "%" PRIu64, stat->counts[i]);
	if (drops_text(stat->counts + LINK_DROPS, &drops) < 0)
		return -ENOMEM;
	nrd_table_row(t, (const char *[]){ stat->name, text[0], text[1], text[2], text[3], text[4], text[5], stat->zone,
					   drops.len > 0 ? nrd_buf_str(&drops) : NULL });
	return 0;
}

struct round {
	const struct counted *which;
	struct nrd_tally before;
};

static bool
is_counted(const struct counted *which, const struct link_stat *stat)
{
	return !which->vnics || (stat->over != NULL && link_is_wanted(stat->over, which->over));
}

static int
show_round(void *arg, bool first, struct nrd_err *err)
{
	struct round *g = arg;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(link_stats) stats = { 0 };
	size_t n = 0;
	int r = show_table(g->which->show, count_cols, nrd_count(count_cols), &how, &t, err);

	(void)first;
	if (r == 0)
		r = link_stats_read(g->which->zone, g->which->name, &stats, err);
	for (size_t i = 0; r == 0 && i < stats.n; i++) {
		struct link_stat *stat = &stats.stats[i];
		NRD_FREE char *key = nrd_format("%s/%s", stat->zone, stat->name);

		if (!is_counted(g->which, stat))
			continue;
		n++;
		if (key == NULL || nrd_tally_since(&g->before, key, stat->counts, LINK_COUNTS) < 0 || count_row(t, stat) < 0)
			r = nrd_nomem(err);
	}
	if (r == 0 && n == 0 && g->which->name != NULL)
		return link_not_found(g->which->name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

int
show_counts(const struct counted *which, uint64_t interval, struct nrd_err *err)
{
	struct round g = { .which = which };
	int r = nrd_repeat(interval, 0, show_round, &g, err);

	nrd_tally_fini(&g.before);
	return r;
}
