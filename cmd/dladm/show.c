/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dladm.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

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
	if (opts->statistics)
		return show_counts(&(struct counted){ .show = &opts->show, .zone = opts->zone, .name = name }, opts->interval, err);
	return show_links(opts, name, err);
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
