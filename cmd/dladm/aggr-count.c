/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* show-aggr -s: what went through each port of an aggregation, and how evenly. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dladm.h"
#include "link/linkstat.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/tally.h"

enum { SHOWN = 4 };
static const enum link_count shown[SHOWN] = { LINK_IN_FRAMES, LINK_IN_BYTES, LINK_OUT_FRAMES, LINK_OUT_BYTES };

static const struct nrd_col cols[] = {
	{ "link", 11 }, { "port", 11 },
	{ "ipackets", 9, NRD_COL_NUM }, { "rbytes", 9, NRD_COL_NUM }, { "opackets", 9, NRD_COL_NUM }, { "obytes", 9, NRD_COL_NUM },
	{ "ipktdist", 9 }, { "opktdist", 9 },
};

struct round {
	const struct show_opts *show;
	const char *name;
	struct nrd_tally before;
};

static const struct link_stat *
stat_of(const struct link_stats *stats, const char *name)
{
	for (size_t i = 0; i < stats->n; i++)
		if (nrd_streq(stats->stats[i].name, name))
			return &stats->stats[i];
	return NULL;
}

/* A part in percent; of nothing none. */
static void
part_text(uint64_t part, uint64_t all, char *text, size_t size)
{
	(void)snprintf(text, size, "%.1f", all == 0 ? 0.0 : 100.0 * (double)part / (double)all);
}

/* total NULL: this is it. */
static void
row(struct nrd_table *t, const char *aggr, const char *port, const struct link_stat *stat, const struct link_stat *total)
{
	char text[SHOWN][24], in[16], out[16];

	for (size_t i = 0; i < SHOWN; i++)
		(void)snprintf(text[i], sizeof(text[i]), "%" PRIu64, stat->counts[shown[i]]);
	if (total != NULL) {
		part_text(stat->counts[LINK_IN_FRAMES], total->counts[LINK_IN_FRAMES], in, sizeof(in));
		part_text(stat->counts[LINK_OUT_FRAMES], total->counts[LINK_OUT_FRAMES], out, sizeof(out));
	}
	nrd_table_row(t, (const char *[]){ aggr, port, text[0], text[1], text[2], text[3], total != NULL ? in : NULL, total != NULL ? out : NULL });
}

/* The whole is what its ports are together: the kernel's own count of a bond keeps what ports had that have left it. */
static void
rows(struct nrd_table *t, const struct link_nics *nics, const struct link_nic *bond, const struct link_stats *stats)
{
	struct link_stat total = { 0 };
	const struct link_stat *stat;

	for (size_t i = 0; i < nics->n; i++)
		if (nics->nics[i].master == bond->index && (stat = stat_of(stats, nics->nics[i].name)) != NULL)
			for (size_t k = 0; k < SHOWN; k++)
				total.counts[shown[k]] += stat->counts[shown[k]];
	row(t, bond->name, NULL, &total, NULL);
	for (size_t i = 0; i < nics->n; i++)
		if (nics->nics[i].master == bond->index && (stat = stat_of(stats, nics->nics[i].name)) != NULL)
			row(t, bond->name, stat->name, stat, &total);
}

static int
show_round(void *arg, bool first, struct nrd_err *err)
{
	struct round *g = arg;
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(link_stats) stats = { 0 };
	size_t n = 0;
	int r = show_table(g->show, cols, nrd_count(cols), &how, &t, err);

	(void)first;
	if (r == 0)
		r = link_nics_read(NULL, 0, &nics, err);
	if (r == 0)
		r = link_stats_read(DATALINK_GLOBAL, NULL, &stats, err);
	for (size_t i = 0; r == 0 && i < stats.n; i++)
		if (nrd_tally_since(&g->before, stats.stats[i].name, stats.stats[i].counts, LINK_COUNTS) < 0)
			r = nrd_nomem(err);
	for (size_t i = 0; r == 0 && i < nics.n; i++)
		if (nrd_streq(nics.nics[i].kind, "bond") && link_is_wanted(nics.nics[i].name, g->name)) {
			rows(t, &nics, &nics.nics[i], &stats);
			n++;
		}
	if (r == 0 && n == 0 && g->name != NULL)
		return link_not_found(g->name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

int
show_aggr_counts(const struct show_opts *show, uint64_t interval, const char *name, struct nrd_err *err)
{
	struct round g = { .show = show, .name = name };
	int r = nrd_repeat(interval, 0, show_round, &g, err);

	nrd_tally_fini(&g.before);
	return r;
}
