/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dladm.h"
#include "link/vlan.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

struct create_vlan_opts {
	struct admin_how how;
	bool force;
	const char *over;
	uint64_t vid;
};

const struct nrd_opt create_vlan_opts[] = {
	HOW_OPTS(struct create_vlan_opts, how),
	NRD_OPT_FLAG('f', NULL, struct create_vlan_opts, force, "as in illumos: also where the driver knows no VLANs"),
	NRD_OPT_STR('l', NULL, struct create_vlan_opts, over, "LINK", "a NIC or an aggregation"),
	NRD_OPT_U64('v', NULL, struct create_vlan_opts, vid, 1, 4094, "VID", "the VLAN"),
	NRD_OPT_END(struct create_vlan_opts),
};

int
cmd_create_vlan(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_vlan_opts *opts = args->opts;
	NRD_AUTO(datalink) d = { .class_ = DATALINK_VLAN, .vid = opts->vid, .force = opts->force };
	int r = 0;

	if (opts->over == NULL || opts->vid == 0)
		return nrd_usage(err, "which VLAN, over which link? -l LINK -v VID");
	if (args->argc == 0)
		r = vlan_name(opts->over, (unsigned)opts->vid, &d.name, err);
	else if (nrd_str_set(&d.name, args->argv[0]) < 0)
		r = nrd_nomem(err);
	if (r == 0 && nrd_str_set(&d.over, opts->over) < 0)
		r = nrd_nomem(err);
	NRD_SET(SCHEMA, &d, over);
	NRD_SET(SCHEMA, &d, vid);
	NRD_SET(SCHEMA, &d, force);
	return r == 0 ? nrd_wrap(err, admin_create(&d, &opts->how, err), "vlan creation over %s failed", opts->over) : r;
}

struct delete_vlan_opts {
	struct admin_how how;
};

const struct nrd_opt delete_vlan_opts[] = { HOW_OPTS(struct delete_vlan_opts, how), NRD_OPT_END(struct delete_vlan_opts) };

int
cmd_delete_vlan(const struct nrd_args *args, struct nrd_err *err)
{
	const struct delete_vlan_opts *opts = args->opts;

	return admin_delete(NULL, args->argv[0], DATALINK_VLAN, &opts->how, err);
}

/* ---- show-vlan ---- */

struct show_vlan_opts {
	struct show_opts show;
	bool kept;
};

const struct nrd_opt show_vlan_opts[] = {
	OPT_KEPT(struct show_vlan_opts, kept),
	SHOW_OPTS(struct show_vlan_opts, show),
	NRD_OPT_END(struct show_vlan_opts),
};

static const struct nrd_col cols[] = {
	{ "link", 15 }, { "vid", 5, NRD_COL_NUM }, { "over", 12 }, { "flags", 5 },
};

static void
row(struct nrd_table *t, const struct datalink *d)
{
	char vid[24];

	(void)snprintf(vid, sizeof(vid), "%" PRIu64, d->vid);
	nrd_table_row(t, (const char *[]){ d->name, vid, d->over, d->force ? "f----" : "-----" });
}

int
cmd_show_vlan(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_vlan_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	int r = show_table(&opts->show, cols, nrd_count(cols), &how, &t, err);

	if (r == 0)
		r = show_records(DATALINK_VLAN, opts->kept, name, row, t, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
