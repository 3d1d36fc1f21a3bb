/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What links have carried since they were made. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "dladm.h"
#include "link/linkstat.h"
#include "nrd/mem.h"

struct show_usage_opts {
	struct show_opts show;
	const char *file, *zone;
};

const struct nrd_opt show_usage_opts[] = {
	NRD_OPT_STR('f', NULL, struct show_usage_opts, file, "FILE", "illumos's accounting log, which there is none of"),
	NRD_OPT_STR('z', NULL, struct show_usage_opts, zone, "ZONE", "links of this zone"),
	SHOW_OPTS(struct show_usage_opts, show),
	NRD_OPT_END(struct show_usage_opts),
};

static const struct nrd_col usage_cols[] = {
	{ "link", 11 }, { "duration", 8, NRD_COL_NUM },
	{ "ipackets", 10, NRD_COL_NUM }, { "rbytes", 11, NRD_COL_NUM },
	{ "opackets", 10, NRD_COL_NUM }, { "obytes", 11, NRD_COL_NUM },
	{ "bandwidth", 12 }, { "zone", 10, NRD_COL_HIDDEN },
};

static void
usage_row(struct nrd_table *t, const struct link_stat *stat, uint64_t now)
{
	uint64_t seconds = now > stat->since ? now - stat->since : 1;
	char text[LINK_DROPS][24], duration[24], bandwidth[48];

	for (size_t i = 0; i < LINK_DROPS; i++)
		(void)snprintf(text[i], sizeof(text[i]), "%" PRIu64, stat->counts[i]);
	(void)snprintf(duration, sizeof(duration), "%" PRIu64, seconds);
	(void)snprintf(bandwidth, sizeof(bandwidth), "%.3f Mbps",
		       (double)(stat->counts[LINK_IN_BYTES] + stat->counts[LINK_OUT_BYTES]) * 8 / 1000000 / (double)seconds);
	nrd_table_row(t, (const char *[]){ stat->name, duration, text[LINK_IN_FRAMES], text[LINK_IN_BYTES], text[LINK_OUT_FRAMES],
					   text[LINK_OUT_BYTES], bandwidth, stat->zone });
}

int
cmd_show_usage(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_usage_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(link_stats) stats = { 0 };
	struct timespec now = { 0 };
	int r = show_table(&opts->show, usage_cols, nrd_count(usage_cols), &how, &t, err);

	if (r == 0 && opts->file != NULL)
		r = nrd_fail(err, ENOTSUP, "NoAccounting", "%s: there are no accounting logs; without -f: what links have carried "
			     "since they were made", opts->file);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	if (r == 0)
		r = link_stats_read(opts->zone, name, &stats, err);
	for (size_t i = 0; i < stats.n; i++)
		usage_row(t, &stats.stats[i], (uint64_t)now.tv_sec);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
