/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dladm.h"
#include "link/aggr.h"
#include "node/nictag.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

#define SCHEMA (&datalink_schema)
#define AUTO_ALL __attribute__((cleanup(all_links_cleanup))) struct all_links

/* Links know nothing of tags, so it is here that no tag's link is taken away. */
static int
untagged(const char *link, struct nrd_err *err)
{
	__attribute__((cleanup(node_nictags_cleanup))) struct node_nictags tags = { 0 };

	if (node_nictag_list(NULL, &tags, NULL) < 0)
		return 0;
	for (size_t i = 0; i < tags.n; i++)
		if (nrd_streq(tags.tags[i].link, link))
			return nrd_fail(err, EBUSY, "LinkBusy", "link '%s': in use by NIC tag '%s'; nictagadm update puts that on another link",
					link, tags.tags[i].name);
	return 0;
}

static int
untagged_all(char *const *links, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && links != NULL && links[i] != NULL; i++)
		r = untagged(links[i], err);
	return r;
}

/* ---- create-aggr, modify-aggr ---- */

struct aggr_opts {
	struct admin_how how;
	char **ports;
	const char *policy, *lacp, *timer, *mac;
};

#define OPT_PORTS NRD_OPT_STRV('l', NULL, struct aggr_opts, ports, "LINK", "a NIC of the node; once for each")
#define MODE_OPTS                                                                                           \
	NRD_OPT_STR('P', NULL, struct aggr_opts, policy, "POLICY", "which port a frame takes: L2,L3,L4"), \
	NRD_OPT_STR('L', NULL, struct aggr_opts, lacp, "MODE", "LACP: off, active or passive"),           \
	NRD_OPT_STR('T', NULL, struct aggr_opts, timer, "TIME", "of LACP: short or long"),                \
	NRD_OPT_STR('u', NULL, struct aggr_opts, mac, "MAC", "its address; auto: its first port's")

const struct nrd_opt create_aggr_opts[] = {
	HOW_OPTS(struct aggr_opts, how), OPT_PORTS, MODE_OPTS, NRD_OPT_END(struct aggr_opts),
};
const struct nrd_opt modify_aggr_opts[] = { HOW_OPTS(struct aggr_opts, how), MODE_OPTS, NRD_OPT_END(struct aggr_opts) };
const struct nrd_opt add_aggr_opts[] = { HOW_OPTS(struct aggr_opts, how), OPT_PORTS, NRD_OPT_END(struct aggr_opts) };
const struct nrd_opt remove_aggr_opts[] = { HOW_OPTS(struct aggr_opts, how), OPT_PORTS, NRD_OPT_END(struct aggr_opts) };
const struct nrd_opt delete_aggr_opts[] = { HOW_OPTS(struct aggr_opts, how), NRD_OPT_END(struct aggr_opts) };

/* text NULL: -1. */
static int
one_of(const char *option, const char *text, const char *const *names, int *ret_i, struct nrd_err *err)
{
	const char *near;

	*ret_i = -1;
	for (int i = 0; text != NULL && names[i] != NULL; i++)
		if (nrd_streq(names[i], text)) {
			*ret_i = i;
			return 0;
		}
	if (text == NULL)
		return 0;
	near = nrd_suggest(text, names);
	return nrd_usage(err, "-%s %.40s: there is no such%s%s%s", option, text, near != NULL ? ", did you mean '" : "",
			 near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int
change_of(const struct aggr_opts *opts, struct admin_aggr_change *ret, struct nrd_err *err)
{
	int r = one_of("L", opts->lacp, datalink_lacp_names, &ret->lacp, err);

	ret->policy = opts->policy;
	ret->mac = opts->mac;
	return r == 0 ? one_of("T", opts->timer, datalink_timer_names, &ret->timer, err) : r;
}

static int
aggr_of(const struct nrd_args *args, struct datalink *d, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	struct admin_aggr_change given = { 0 };
	char policy[AGGR_POLICY_TEXT];
	int r = change_of(opts, &given, err);

	if (r == 0)
		r = aggr_policy_parse(opts->policy != NULL ? opts->policy : AGGR_POLICY_DEFAULT, policy, err);
	if (r == 0 && opts->mac != NULL && !nrd_streq(opts->mac, "auto")) {
		r = nrd_mac_parse(opts->mac, &d->mac, err);
		NRD_SET(SCHEMA, d, mac);
	}
	if (r < 0)
		return r;
	if (nrd_str_set(&d->name, args->argv[0]) < 0 || nrd_str_set(&d->policy, policy) < 0 ||
	    nrd_strv_copy(NRD_CSTRV(opts->ports), &d->ports) < 0)
		return nrd_nomem(err);
	d->lacp = given.lacp < 0 ? DATALINK_LACP_OFF : (enum datalink_lacp)given.lacp;
	d->timer = given.timer < 0 ? DATALINK_TIMER_SHORT : (enum datalink_timer)given.timer;
	NRD_SET(SCHEMA, d, policy);
	NRD_SET(SCHEMA, d, ports);
	NRD_SET(SCHEMA, d, lacp);
	NRD_SET(SCHEMA, d, timer);
	return 0;
}

int
cmd_create_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	NRD_AUTO(datalink) d = { .class_ = DATALINK_AGGR };
	int r;

	if (opts->ports == NULL)
		return nrd_usage(err, "of which NICs? -l LINK for each");
	r = aggr_of(args, &d, err);
	if (r == 0 && opts->how.root == NULL)
		r = untagged_all(opts->ports, err);
	return r == 0 ? admin_create(&d, &opts->how, err) : r;
}

int
cmd_modify_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	struct admin_aggr_change change = { 0 };
	int r = change_of(opts, &change, err);

	if (r == 0 && opts->policy == NULL && opts->lacp == NULL && opts->timer == NULL && opts->mac == NULL)
		return nrd_usage(err, "what is to change? -P, -L, -T or -u");
	return r == 0 ? admin_aggr_modify(args->argv[0], &change, &opts->how, err) : r;
}

int
cmd_add_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	const struct admin_aggr_change change = { .lacp = -1, .timer = -1, .add = opts->ports };
	int r;

	if (opts->ports == NULL)
		return nrd_usage(err, "which NICs? -l LINK for each");
	r = opts->how.root == NULL ? untagged_all(opts->ports, err) : 0;
	return r == 0 ? admin_aggr_modify(args->argv[0], &change, &opts->how, err) : r;
}

int
cmd_remove_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	const struct admin_aggr_change change = { .lacp = -1, .timer = -1, .remove = opts->ports };

	if (opts->ports == NULL)
		return nrd_usage(err, "which NICs? -l LINK for each");
	return admin_aggr_modify(args->argv[0], &change, &opts->how, err);
}

int
cmd_delete_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct aggr_opts *opts = args->opts;
	int r = opts->how.root == NULL ? untagged(args->argv[0], err) : 0;

	return r == 0 ? admin_delete(NULL, args->argv[0], DATALINK_AGGR, &opts->how, err) : r;
}

/* ---- show-aggr ---- */

struct show_aggr_opts {
	struct show_opts show;
	bool kept, ports, lacp, statistics;
	uint64_t interval;
};

const struct nrd_opt show_aggr_opts[] = {
	OPT_KEPT(struct show_aggr_opts, kept),
	NRD_OPT_FLAG('x', NULL, struct show_aggr_opts, ports, "each port"),
	NRD_OPT_FLAG('L', NULL, struct show_aggr_opts, lacp, "what LACP has come to with each port"),
	NRD_OPT_FLAG('s', NULL, struct show_aggr_opts, statistics, "what went through each port"),
	NRD_OPT_U64('i', NULL, struct show_aggr_opts, interval, 1, 86400, "SECONDS", "with -s: what was added, again and again"),
	SHOW_OPTS(struct show_aggr_opts, show),
	NRD_OPT_END(struct show_aggr_opts),
};

static const struct nrd_col aggr_cols[] = {
	{ "link", 11 }, { "policy", 8 }, { "addrpolicy", 20 }, { "lacpactivity", 12 }, { "lacptimer", 9 }, { "flags", 5 },
};

static const struct nrd_col port_cols[] = {
	{ "link", 11 }, { "port", 11 }, { "speed", 8 }, { "duplex", 8 }, { "state", 7 }, { "address", 17 }, { "portstate", 9 },
};

static const struct nrd_col lacp_cols[] = {
	{ "link", 11 }, { "port", 11 }, { "aggregatable", 12 }, { "sync", 4 }, { "coll", 4 }, { "dist", 4 },
	{ "defaulted", 9 }, { "expired", 7 },
};

struct shown {
	const struct show_aggr_opts *opts;
	const struct all_links *all;
	struct nrd_table *t;
};

static void
aggr_row(const struct shown *s, const struct datalink *d)
{
	char mac[NRD_MAC_TEXT], address[NRD_MAC_TEXT + 16] = "auto";

	if (d->mac_type == DATALINK_MAC_FIXED) {
		mac_text(&d->mac, s->opts->show.json, mac);
		(void)snprintf(address, sizeof(address), "fixed (%s)", mac);
	}
	nrd_table_row(s->t, (const char *[]){ d->name, d->policy, address, datalink_lacp_names[d->lacp], datalink_timer_names[d->timer],
					      "-----" });
}

static void
port_row(const struct shown *s, const char *aggr, const struct link_nic *nic, bool port)
{
	char speed[24], mac[NRD_MAC_TEXT];
	struct aggr_port p;

	(void)snprintf(speed, sizeof(speed), "%" PRIu64 "Mb", nic->speed_mbit);
	mac_text(port ? &nic->perm_mac : &nic->mac, s->opts->show.json, mac);
	aggr_port_read(nic, &p);
	nrd_table_row(s->t, (const char *[]){ aggr, port ? nic->name : NULL, speed, p.duplex, port ? p.state : link_state_name(nic->state),
					      mac, !port ? NULL : p.attached ? "attached" : "standby" });
}

static void
lacp_row(const struct shown *s, const char *aggr, const struct link_nic *nic)
{
	static const unsigned bits[] = {
		AGGR_LACP_AGGREGATABLE, AGGR_LACP_SYNC, AGGR_LACP_COLLECTING, AGGR_LACP_DISTRIBUTING, AGGR_LACP_DEFAULTED, AGGR_LACP_EXPIRED,
	};
	const char *cells[2 + nrd_count(bits)] = { aggr, nic->name };
	struct aggr_port p;

	aggr_port_read(nic, &p);
	for (size_t i = 0; i < nrd_count(bits); i++)
		cells[2 + i] = (p.lacp & bits[i]) != 0 ? "yes" : "no";
	nrd_table_row(s->t, cells);
}

static void
rows(const struct shown *s, const struct datalink *d)
{
	const struct link_nic *bond = link_nics_by_name(&s->all->nics, d->name);

	if (!s->opts->ports && !s->opts->lacp) {
		aggr_row(s, d);
		return;
	}
	if (bond == NULL)
		return;
	if (s->opts->ports)
		port_row(s, d->name, bond, false);
	for (size_t i = 0; i < s->all->nics.n; i++) {
		const struct link_nic *nic = &s->all->nics.nics[i];

		if (nic->master != bond->index)
			continue;
		if (s->opts->ports)
			port_row(s, d->name, nic, true);
		else
			lacp_row(s, d->name, nic);
	}
}

/* Those of /usbkey/config have no record: the kernel tells what they are. */
static int
rows_of_kernel(const struct shown *s, const char *name, size_t *n, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->all->nics.n; i++) {
		const struct link_nic *nic = &s->all->nics.nics[i];
		NRD_AUTO(datalink) now = { 0 };
		NRD_AUTO(datalink) d = { 0 };

		if (!nrd_streq(nic->kind, "bond") || !link_is_wanted(nic->name, name) ||
		    datalink_read(DATALINK_RUN, NULL, nic->name, &now, NULL) == 0)
			continue;
		r = aggr_of_kernel(nic, &d, err);
		if (r == 0)
			rows(s, &d);
		(*n)++;
	}
	return r;
}

int
cmd_show_aggr(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_aggr_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	const struct nrd_col *cols = opts->ports ? port_cols : opts->lacp ? lacp_cols : aggr_cols;
	size_t n_cols = opts->ports ? nrd_count(port_cols) : opts->lacp ? nrd_count(lacp_cols) : nrd_count(aggr_cols), n = 0;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	AUTO_ALL all = { 0 };
	struct shown s = { .opts = opts, .all = &all };
	int r;

	if (opts->ports + opts->lacp + opts->kept + opts->statistics > 1)
		return nrd_usage(err, "-x, -L, -P and -s exclude each other");
	if (opts->interval > 0 && !opts->statistics)
		return nrd_usage(err, "-i goes with -s");
	if (opts->statistics)
		return show_aggr_counts(&opts->show, opts->interval, name, err);
	r = show_table(&opts->show, cols, n_cols, &how, &t, err);
	if (r == 0)
		r = all_links_read(DATALINK_GLOBAL, opts->kept, &all, err);
	s.t = t;
	for (size_t i = 0; r == 0 && i < all.links.n; i++)
		if (all.links.links[i].class_ == DATALINK_AGGR && link_is_wanted(all.links.links[i].name, name)) {
			rows(&s, &all.links.links[i]);
			n++;
		}
	if (r == 0)
		r = rows_of_kernel(&s, name, &n, err);
	if (r == 0 && n == 0 && name != NULL)
		return link_not_found(name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
