/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>

#include "dladm.h"
#include "link/admin.h"
#include "link/linkprop.h"
#include "link/vnic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

struct plain_opts {
	struct admin_how how;
	const char *zone;
};

#define OPT_ZONE(t) NRD_OPT_STR('z', NULL, t, zone, "ZONE", "a link of this zone")

const struct nrd_opt create_etherstub_opts[] = { HOW_OPTS(struct plain_opts, how), NRD_OPT_END(struct plain_opts) };
const struct nrd_opt delete_etherstub_opts[] = { HOW_OPTS(struct plain_opts, how), NRD_OPT_END(struct plain_opts) };
const struct nrd_opt delete_vnic_opts[] = {
	HOW_OPTS(struct plain_opts, how), OPT_ZONE(struct plain_opts), NRD_OPT_END(struct plain_opts),
};

int
cmd_create_etherstub(const struct nrd_args *args, struct nrd_err *err)
{
	const struct plain_opts *opts = args->opts;
	NRD_AUTO(datalink) d = { .class_ = DATALINK_ETHERSTUB };

	return nrd_str_set(&d.name, args->argv[0]) < 0 ? nrd_nomem(err) : admin_create(&d, &opts->how, err);
}

int
cmd_delete_etherstub(const struct nrd_args *args, struct nrd_err *err)
{
	const struct plain_opts *opts = args->opts;

	return admin_delete(NULL, args->argv[0], DATALINK_ETHERSTUB, &opts->how, err);
}

int
cmd_delete_vnic(const struct nrd_args *args, struct nrd_err *err)
{
	const struct plain_opts *opts = args->opts;

	return admin_delete(opts->zone, args->argv[0], DATALINK_VNIC, &opts->how, err);
}

/* ---- rename-link ---- */

struct rename_opts {
	const char *root, *zone;
};

const struct nrd_opt rename_link_opts[] = {
	NRD_OPT_STR('R', NULL, struct rename_opts, root, "DIR", ROOT_HELP),
	OPT_ZONE(struct rename_opts),
	NRD_OPT_END(struct rename_opts),
};

int
cmd_rename_link(const struct nrd_args *args, struct nrd_err *err)
{
	const struct rename_opts *opts = args->opts;
	const struct admin_how how = { .root = opts->root };

	return admin_rename(opts->zone, args->argv[0], args->argv[1], &how, err);
}

int
cmd_restore(const struct nrd_args *args, struct nrd_err *err)
{
	(void)args;
	return admin_restore(err);
}

/* ---- modify-vnic ---- */

static bool
is_chosen(const char *mac)
{
	return nrd_streq(mac, "auto") || nrd_streq(mac, "random");
}

struct modify_vnic_opts {
	struct admin_how how;
	const char *over, *mac;
	uint64_t vid;
};

const struct nrd_opt modify_vnic_opts[] = {
	HOW_OPTS(struct modify_vnic_opts, how),
	NRD_OPT_STR('l', NULL, struct modify_vnic_opts, over, "LINK", "over this link from now on"),
	NRD_OPT_STR('m', NULL, struct modify_vnic_opts, mac, "MAC", "another address; random: one is chosen"),
	NRD_OPT_U64('v', NULL, struct modify_vnic_opts, vid, 0, 4094, "VID", "another VLAN; 0: none"),
	NRD_OPT_END(struct modify_vnic_opts),
};

int
cmd_modify_vnic(const struct nrd_args *args, struct nrd_err *err)
{
	const struct modify_vnic_opts *opts = args->opts;
	struct admin_vnic_change change = { .over = opts->over, .vid = nrd_given(args, 'v') ? (int)opts->vid : -1 };
	struct nrd_mac mac;
	int r = 0;

	if (opts->over == NULL && opts->mac == NULL && change.vid < 0)
		return nrd_usage(err, "what is to change? -l LINK, -m MAC, -v VID");
	if (opts->mac != NULL) {
		r = is_chosen(opts->mac) ? vnic_random_mac(NULL, 0, &mac, err) : nrd_mac_parse(opts->mac, &mac, err);
		change.mac = &mac;
	}
	return r == 0 ? admin_vnic_modify(args->argv[0], &change, &opts->how, err) : r;
}

/* ---- properties ---- */

struct linkprop_opts {
	struct admin_how how;
	const char *zone, *props;
};

const struct nrd_opt set_linkprop_opts[] = {
	HOW_OPTS(struct linkprop_opts, how), OPT_ZONE(struct linkprop_opts),
	NRD_OPT_STR('p', NULL, struct linkprop_opts, props, "PROP=VALUE,...", "what is to be so"),
	NRD_OPT_END(struct linkprop_opts),
};

const struct nrd_opt reset_linkprop_opts[] = {
	HOW_OPTS(struct linkprop_opts, how), OPT_ZONE(struct linkprop_opts),
	NRD_OPT_STR('p', NULL, struct linkprop_opts, props, "PROP,...", "these only"),
	NRD_OPT_END(struct linkprop_opts),
};

int
cmd_set_linkprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct linkprop_opts *opts = args->opts;

	if (opts->props == NULL)
		return nrd_usage(err, "which property? -p PROP=VALUE,...");
	return admin_props_set(opts->zone, args->argv[0], opts->props, &opts->how, err);
}

int
cmd_reset_linkprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct linkprop_opts *opts = args->opts;
	NRD_STRV char **names = NULL;

	if (opts->props != NULL && nrd_strv_split(opts->props, ',', &names) < 0)
		return nrd_nomem(err);
	return admin_props_reset(opts->zone, args->argv[0], names, &opts->how, err);
}
