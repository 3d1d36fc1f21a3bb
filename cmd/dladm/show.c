/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dladm.h"
#include "link/linkstat.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/tally.h"
#include "nrd/vec.h"

#define AUTO_ALL __attribute__((cleanup(all_links_cleanup))) struct all_links

/* ---- show-link ---- */

struct show_link_opts {
	struct show_opts show;
	bool statistics, kept;
	uint64_t interval;
	const char *zone;
};

const struct nrd_opt show_link_opts[] = {
	OPT_KEPT(struct show_link_opts, kept),
	NRD_OPT_FLAG('s', NULL, struct show_link_opts, statistics, "statistics"),
	NRD_OPT_U64('i', NULL, struct show_link_opts, interval, 1, 86400, "SECONDS", "with -s: what was added, again and again"),
	NRD_OPT_STR('z', NULL, struct show_link_opts, zone, "ZONE", "links of this zone"),
	SHOW_OPTS(struct show_link_opts, show),
	NRD_OPT_END(struct show_link_opts),
};

static const struct nrd_col link_cols[] = {
	{ "link", 11 }, { "class", 9 }, { "mtu", 6, NRD_COL_NUM }, { "state", 8 }, { "bridge", 10 }, { "over", 10 },
	{ "zone", 10, NRD_COL_HIDDEN },
};

static const struct nrd_col kept_cols[] = {
	{ "link", 11 }, { "class", 9 }, { "bridge", 10 }, { "over", 10 },
};

static int
over_text(const struct all_links *all, const struct datalink *d, bool kept, struct nrd_buf *out)
{
	const struct link_nic *bond = d->class_ == DATALINK_AGGR && !kept ? link_nics_by_name(&all->nics, d->name) : NULL;

	if (bond != NULL)
		return ports_text(all, bond, out);
	for (size_t i = 0; d->ports != NULL && d->ports[i] != NULL; i++)
		(void)nrd_buf_printf(out, "%s%s", i > 0 ? " " : "", d->ports[i]);
	return d->over != NULL ? nrd_buf_adds(out, d->over) : out->failed;
}

static void
link_row(struct nrd_table *t, const struct all_links *all, const struct datalink *d, bool kept)
{
	const struct link_nic *nic = d->ifindex != 0 ? link_nics_by_index(&all->nics, (unsigned)d->ifindex) : NULL;
	bool stub = d->class_ == DATALINK_ETHERSTUB;
	NRD_AUTO(nrd_buf) over = { 0 };
	char mtu[24];
	const char *below;

	(void)over_text(all, d, kept, &over);
	below = over.len > 0 ? nrd_buf_str(&over) : NULL;
	(void)snprintf(mtu, sizeof(mtu), "%" PRIu64, mtu_of(all, d));
	if (kept)
		nrd_table_row(t, (const char *[]){ d->name, datalink_class_names[d->class_], NULL, below });
	else
		nrd_table_row(t, (const char *[]){ d->name, datalink_class_names[d->class_], mtu,
						   stub ? "unknown" : nic != NULL ? link_state_name(nic->state) : "down", NULL,
						   below, d->zone });
}

static void
nic_row(struct nrd_table *t, const struct all_links *all, const struct link_nic *nic, bool kept)
{
	bool bond = nrd_streq(nic->kind, "bond");
	const char *class_ = bond ? "aggr" : "phys";
	NRD_AUTO(nrd_buf) ports = { 0 };
	const char *below;
	char mtu[24];

	(void)snprintf(mtu, sizeof(mtu), "%u", nic->mtu);
	if (bond)
		(void)ports_text(all, nic, &ports);
	below = ports.len > 0 ? nrd_buf_str(&ports) : NULL;
	if (kept)
		nrd_table_row(t, (const char *[]){ nic->name, class_, NULL, below });
	else
		nrd_table_row(t, (const char *[]){ nic->name, class_, mtu, link_state_name(nic->state), NULL, below, DATALINK_GLOBAL });
}

/* A bond has a record when dladm made it; without one it is of /usbkey/config, and there after a boot as well. */
static bool
is_listed_nic(const struct all_links *all, const struct link_nic *nic)
{
	return is_node_link(nic) && datalinks_find(&all->links, NULL, nic->name) == NULL;
}

static int
show_links(const struct show_link_opts *opts, const char *name, struct nrd_err *err)
{
	const struct nrd_col *cols = opts->kept ? kept_cols : link_cols;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	AUTO_ALL all = { 0 };
	NRD_AUTO(datalinks) now = { 0 };
	size_t n = 0;
	int r = show_table(&opts->show, cols, opts->kept ? nrd_count(kept_cols) : nrd_count(link_cols), &how, &t, err);

	if (r == 0)
		r = all_links_read(opts->zone, opts->kept, &all, err);
	if (r == 0)
		r = datalinks_read(DATALINK_RUN, DATALINK_GLOBAL, &now, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.nics.n && link_is_wanted(DATALINK_GLOBAL, opts->zone); i++) {
		const struct link_nic *nic = &all.nics.nics[i];

		/* What dladm made only until the next boot is not kept. */
		if (!is_listed_nic(&all, nic) || !link_is_wanted(nic->name, name) || datalinks_find(&now, NULL, nic->name) != NULL)
			continue;
		nic_row(t, &all, nic, opts->kept);
		n++;
	}
	for (size_t i = 0; i < all.links.n; i++)
		if (link_is_wanted(all.links.links[i].name, name)) {
			link_row(t, &all, &all.links.links[i], opts->kept);
			n++;
		}
	if (n == 0 && name != NULL)
		return link_not_found(name, err);
	return nrd_table_print(t, STDOUT_FILENO, err);
}

/* ---- show-link -s ---- */

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
	const struct show_link_opts *opts;
	const char *name;
	struct nrd_tally before;
};

static int
show_round(void *arg, bool first, struct nrd_err *err)
{
	struct round *g = arg;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(link_stats) stats = { 0 };
	int r = show_table(&g->opts->show, count_cols, nrd_count(count_cols), &how, &t, err);

	(void)first;
	if (r == 0)
		r = link_stats_read(g->opts->zone, g->name, &stats, err);
	for (size_t i = 0; r == 0 && i < stats.n; i++) {
		struct link_stat *stat = &stats.stats[i];
		NRD_FREE char *key = nrd_format("%s/%s", stat->zone, stat->name);

		if (key == NULL || nrd_tally_since(&g->before, key, stat->counts, LINK_COUNTS) < 0 || count_row(t, stat) < 0)
			r = nrd_nomem(err);
	}
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

static int
show_counts(const struct show_link_opts *opts, const char *name, struct nrd_err *err)
{
	struct round g = { .opts = opts, .name = name };
	int r = nrd_repeat(opts->interval, 0, show_round, &g, err);

	nrd_tally_fini(&g.before);
	return r;
}

int
cmd_show_link(const struct nrd_args *args, struct nrd_err *err)
{
	static const struct show_link_opts none;
	const struct show_link_opts *opts = args->opts != NULL ? args->opts : &none;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;

	if (opts->interval > 0 && !opts->statistics)
		return nrd_usage(err, "-i goes with -s");
	if (opts->kept && opts->statistics)
		return nrd_usage(err, "-P and -s exclude each other: what is kept has no statistics");
	return opts->statistics ? show_counts(opts, name, err) : show_links(opts, name, err);
}

/* ---- show-phys ---- */

struct show_phys_opts {
	struct show_opts show;
	bool macs;
};

const struct nrd_opt show_phys_opts[] = {
	NRD_OPT_FLAG('m', NULL, struct show_phys_opts, macs, "MAC addresses"),
	SHOW_OPTS(struct show_phys_opts, show),
	NRD_OPT_END(struct show_phys_opts),
};

static const struct nrd_col phys_cols[] = {
	{ "link", 12 }, { "media", 20 }, { "state", 10 }, { "speed", 6, NRD_COL_NUM }, { "duplex", 9 }, { "device", 12 },
};

static const struct nrd_col mac_cols[] = {
	{ "link", 12 }, { "slot", 8 }, { "address", 18 }, { "inuse", 5 }, { "client", 12 },
};

static void
phys_row(struct nrd_table *t, const struct link_nic *nic)
{
	NRD_FREE char *path = nrd_format("/sys/class/net/%s/duplex", nic->name);
	char speed[24], duplex[16] = "";

	(void)snprintf(speed, sizeof(speed), "%" PRIu64, nic->speed_mbit);
	if (path != NULL)
		(void)nrd_attr_read(-1, path, duplex, sizeof(duplex), NULL);
	nrd_table_row(t, (const char *[]){ nic->name, "Ethernet", link_state_name(nic->state), speed,
					   duplex[0] != '\0' ? duplex : "unknown", nic->bus[0] != '\0' ? nic->bus : nic->driver });
}

int
cmd_show_phys(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_phys_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	size_t n = 0;
	int r = show_table(&opts->show, opts->macs ? mac_cols : phys_cols, opts->macs ? nrd_count(mac_cols) : nrd_count(phys_cols), &how,
			   &t, err);

	if (r == 0)
		r = link_nics_read(NULL, LINK_NICS_PHYSICAL, &nics, err);
	for (size_t i = 0; r == 0 && i < nics.n; i++) {
		const struct link_nic *nic = &nics.nics[i];
		char mac[NRD_MAC_TEXT];

		if (!link_is_wanted(nic->name, name))
			continue;
		n++;
		mac_text(&nic->perm_mac, opts->show.json, mac);
		if (opts->macs)
			nrd_table_row(t, (const char *[]){ nic->name, "primary", mac, nic->admin_up ? "yes" : "no", nic->name });
		else
			phys_row(t, nic);
	}
	if (r == 0 && n == 0 && name != NULL)
		return link_not_found(name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

/* ---- show-vnic, show-etherstub ---- */

struct show_vnic_opts {
	struct show_opts show;
	bool kept;
	const char *over, *zone;
};

const struct nrd_opt show_vnic_opts[] = {
	OPT_KEPT(struct show_vnic_opts, kept),
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

int
cmd_show_vnic(const struct nrd_args *args, struct nrd_err *err)
{
	static const char *const shown[] = { "name", "zone", "class", "over", "mac", "mac_type", "vid", NULL };
	const struct show_vnic_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
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
