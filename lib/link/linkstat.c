/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/linkstat.h"

#include <errno.h>
#include <stdlib.h>

#include "link/datalink.h"
#include "link/nic.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

void
link_stats_cleanup(struct link_stats *stats)
{
	for (size_t i = 0; i < stats->n; i++) {
		free(stats->stats[i].zone);
		free(stats->stats[i].name);
		free(stats->stats[i].over);
	}
	free(stats->stats);
	*stats = (struct link_stats){ 0 };
}

static int
add(struct link_stats *stats, const char *zone, const char *name, struct link_stat **ret)
{
	struct link_stat *grown = reallocarray(stats->stats, stats->n + 1, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	stats->stats = grown;
	grown[stats->n] = (struct link_stat){ 0 };
	*ret = &grown[stats->n++];
	if (nrd_str_set(&(*ret)->zone, zone) < 0 || nrd_str_set(&(*ret)->name, name) < 0)
		return -ENOMEM;
	return 0;
}

static void
count_interface(struct link_stat *stat, const char *interface)
{
	static const char *const files[] = {
		[LINK_IN_FRAMES] = "rx_packets", [LINK_IN_BYTES] = "rx_bytes", [LINK_IN_ERRORS] = "rx_errors",
		[LINK_OUT_FRAMES] = "tx_packets", [LINK_OUT_BYTES] = "tx_bytes", [LINK_OUT_ERRORS] = "tx_errors",
	};

	for (size_t i = 0; i < nrd_count(files); i++) {
		NRD_FREE char *path = nrd_format("/sys/class/net/%s/statistics/%s", interface, files[i]);

		if (path != NULL)
			(void)nrd_attr_read_u64(-1, path, &stat->counts[i], NULL);
	}
}

static void
count_vnic(struct link_stat *stat, const struct switch_counts *c)
{
	stat->counts[LINK_IN_FRAMES] = c->in_frames;
	stat->counts[LINK_IN_BYTES] = c->in_bytes;
	stat->counts[LINK_OUT_FRAMES] = c->out_frames;
	stat->counts[LINK_OUT_BYTES] = c->out_bytes;
	for (size_t i = 0; i < SWITCH_DROP_COUNT; i++) {
		stat->counts[LINK_DROPS + i] = c->drops[i];
		stat->counts[LINK_OUT_ERRORS] += c->drops[i];
	}
}

static int
read_nics(const char *name, struct link_stats *stats, struct nrd_err *err)
{
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	struct link_stat *stat;
	int r = link_nics_read(NULL, 0, &nics, err);

	for (size_t i = 0; r == 0 && i < nics.n; i++) {
		const struct link_nic *nic = &nics.nics[i];

		if ((!nic->physical && !nrd_streq(nic->kind, "bond")) || (name != NULL && !nrd_streq(nic->name, name)))
			continue;
		if (add(stats, DATALINK_GLOBAL, nic->name, &stat) < 0)
			return nrd_nomem(err);
		stat->nic = true;
		count_interface(stat, nic->name);
	}
	return r;
}

/* An aggregation was counted with the NICs. */
static void
note_since(struct link_stats *stats, const struct datalink *d)
{
	for (size_t i = 0; i < stats->n; i++)
		if (stats->stats[i].nic && nrd_streq(stats->stats[i].name, d->name))
			stats->stats[i].since = d->since;
}

static int
read_link(const struct datalink *d, struct link_switch *sw, struct link_stats *stats)
{
	struct switch_counts counts;
	struct link_stat *stat;

	/* One that went meanwhile is no news. */
	if (d->class_ == DATALINK_VNIC && switch_counts_read(sw, (unsigned)d->ifindex, &counts, NULL) < 0)
		return 0;
	if (add(stats, d->zone, d->name, &stat) < 0)
		return -ENOMEM;
	stat->since = d->since;
	if (d->class_ == DATALINK_VNIC && nrd_str_set(&stat->over, d->over) < 0)
		return -ENOMEM;
	if (d->class_ == DATALINK_VNIC)
		count_vnic(stat, &counts);
	else
		count_interface(stat, d->class_ == DATALINK_OVERLAY ? d->ifname : d->name);
	return 0;
}

static int
read_links(const char *zone, const char *name, struct link_stats *stats, struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	NRD_AUTO(link_switch) *sw = NULL;
	int r = datalinks_read(DATALINK_RUN, zone, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++) {
		const struct datalink *d = &links.links[i];

		if (name != NULL && !nrd_streq(d->name, name))
			continue;
		if (d->class_ == DATALINK_AGGR)
			note_since(stats, d);
		if (d->class_ == DATALINK_AGGR || d->class_ == DATALINK_ETHERSTUB)
			continue;
		if (sw == NULL && d->class_ == DATALINK_VNIC)
			r = switch_open(NULL, &sw, err);
		if (r == 0 && read_link(d, sw, stats) < 0)
			return nrd_nomem(err);
	}
	return r;
}

int
link_stats_read(const char *zone, const char *name, struct link_stats *ret_stats, struct nrd_err *err)
{
	NRD_AUTO(link_stats) stats = { 0 };
	int r = zone == NULL || nrd_streq(zone, DATALINK_GLOBAL) ? read_nics(name, &stats, err) : 0;

	if (r == 0)
		r = read_links(zone, name, &stats, err);
	if (r == 0 && stats.n == 0 && name != NULL)
		r = nrd_fail(err, ENOENT, "LinkNotFound", "link '%s': object not found", name);
	if (r < 0)
		return r;
	*ret_stats = stats;
	stats = (struct link_stats){ 0 };
	return 0;
}
