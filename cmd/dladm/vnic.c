/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* show-vnic, show-etherstub. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dladm.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

struct show_vnic_opts {
	struct show_opts show;
	bool kept, statistics;
	uint64_t interval;
	const char *over, *zone;
};

const struct nrd_opt show_vnic_opts[] = {
	OPT_KEPT(struct show_vnic_opts, kept),
	NRD_OPT_FLAG('s', NULL, struct show_vnic_opts, statistics, "statistics"),
	NRD_OPT_U64('i', NULL, struct show_vnic_opts, interval, 1, 86400, "SECONDS", "with -s: what was added, again and again"),
	NRD_OPT_STR('l', NULL, struct show_vnic_opts, over, "LINK", "those over this link"),
	NRD_OPT_STR('z', NULL, struct show_vnic_opts, zone, "ZONE", "those of this zone"),
	SHOW_OPTS(struct show_vnic_opts, show),
	NRD_OPT_END(struct show_vnic_opts),
};

static const struct nrd_col vnic_cols[] = {
	{ "link", 12 }, { "over", 10 }, { "speed", 6, NRD_COL_NUM }, { "macaddress", 17 }, { "macaddrtype", 11 },
	{ "vid", 5, NRD_COL_NUM }, { "zone", 10 },
};

/* Of the links below, of which there are few; each is asked once. */
struct speed {
	const char *link;
	uint64_t mbit;
};

struct speeds {
	struct speed *data;
	size_t len, cap;
};

static uint64_t
speed_of(struct speeds *speeds, const char *link)
{
	for (size_t i = 0; i < speeds->len; i++)
		if (nrd_streq(speeds->data[i].link, link))
			return speeds->data[i].mbit;
	if (nrd_vec_grow(&speeds->data, speeds->len, &speeds->cap, 1, sizeof(*speeds->data)) < 0)
		return 0;
	speeds->data[speeds->len] = (struct speed){ link, link_speed_read(link) };
	return speeds->data[speeds->len++].mbit;
}

static void
vnic_row(struct nrd_table *t, struct speeds *speeds, const struct datalink *d, bool json)
{
	char speed[24], mac[NRD_MAC_TEXT], vid[24];

	(void)snprintf(speed, sizeof(speed), "%" PRIu64, d->over != NULL ? speed_of(speeds, d->over) : 0);
	(void)snprintf(vid, sizeof(vid), "%" PRIu64, d->vid);
	mac_text(&d->mac, json, mac);
	nrd_table_row(t, (const char *[]){ d->name, d->over, speed, mac, datalink_mac_type_names[d->mac_type], vid,
					   nrd_streq(d->zone, DATALINK_GLOBAL) ? NULL : d->zone });
}

static int
show_vnics(const struct show_vnic_opts *opts, const char *name, struct nrd_err *err)
{
	static const char *const shown[] = { "name", "zone", "class", "over", "mac", "mac_type", "vid", NULL };
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(datalinks) links = { 0 };
	struct speeds speeds = { 0 };
	size_t n = 0;
	int r = show_table(&opts->show, vnic_cols, nrd_count(vnic_cols), &how, &t, err);

	if (r == 0)
		r = datalinks_read_some(opts->kept ? DATALINK_KEEP : DATALINK_RUN, opts->zone, shown, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++) {
		const struct datalink *d = &links.links[i];

		if (d->class_ != DATALINK_VNIC || !link_is_wanted(d->name, name) || (opts->over != NULL && !nrd_streq(d->over, opts->over)))
			continue;
		vnic_row(t, &speeds, d, opts->show.json);
		n++;
	}
	free(speeds.data);
	if (r == 0 && n == 0 && name != NULL)
		return link_not_found(name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

int
cmd_show_vnic(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_vnic_opts *opts = args->opts;
	const struct counted which = {
		.show = &opts->show, .zone = opts->zone, .name = args->argc > 0 ? args->argv[0] : NULL, .vnics = true, .over = opts->over,
	};

	if (opts->interval > 0 && !opts->statistics)
		return nrd_usage(err, "-i goes with -s");
	if (opts->kept && opts->statistics)
		return nrd_usage(err, "-P and -s exclude each other: what is kept has no statistics");
	return opts->statistics ? show_counts(&which, opts->interval, err) : show_vnics(opts, which.name, err);
}

const struct nrd_opt show_etherstub_opts[] = {
	NRD_OPT_STR('o', NULL, struct show_opts, fields, "FIELD,...", "which columns"),
	NRD_OPT_FLAG('p', NULL, struct show_opts, parsable, "for programs: no header; needs -o"),
	NRD_OPT_FLAG('j', NULL, struct show_opts, json, "print JSON"),
	NRD_OPT_END(struct show_opts),
};

static void
etherstub_row(struct nrd_table *t, const struct datalink *d)
{
	nrd_table_row(t, (const char *[]){ d->name });
}

int
cmd_show_etherstub(const struct nrd_args *args, struct nrd_err *err)
{
	static const struct nrd_col cols[] = { { "link", 12 } };
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	int r = show_table(args->opts, cols, nrd_count(cols), &how, &t, err);

	if (r == 0)
		r = show_records(DATALINK_ETHERSTUB, false, args->argc > 0 ? args->argv[0] : NULL, etherstub_row, t, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
