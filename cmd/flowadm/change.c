/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "flowadm.h"
#include "link/admin.h"
#include "link/flow.h"
#include "nrd/str.h"

#define OPT_TEMPORARY(t) NRD_OPT_FLAG('t', NULL, t, temporary, "until the next boot of its link only")
#define OPT_ZONE(t) NRD_OPT_STR('z', NULL, t, zone, "ZONE", "a flow of this zone")

static unsigned
flags_of(bool temporary)
{
	return temporary ? ADMIN_TEMPORARY : 0;
}

struct add_flow_opts {
	bool temporary;
	const char *zone, *link, *attrs, *props;
};

const struct nrd_opt add_flow_opts[] = {
	OPT_TEMPORARY(struct add_flow_opts),
	OPT_ZONE(struct add_flow_opts),
	NRD_OPT_STR('l', NULL, struct add_flow_opts, link, "LINK", "the VNIC: LINK, or ZONE/LINK"),
	NRD_OPT_STR('a', NULL, struct add_flow_opts, attrs, "ATTR=VALUE,...", "what it is told apart by"),
	NRD_OPT_STR('p', NULL, struct add_flow_opts, props, "PROP=VALUE,...", "maxbw, priority"),
	NRD_OPT_END(struct add_flow_opts),
};

int
cmd_add_flow(const struct nrd_args *args, struct nrd_err *err)
{
	const struct add_flow_opts *opts = args->opts;
	struct switch_flow f = { 0 };
	int r;

	if (opts->link == NULL)
		return nrd_usage(err, "of which link? -l LINK");
	if (opts->attrs == NULL)
		return nrd_usage(err, "told apart by what? -a ATTR=VALUE,...");
	if (nrd_strcpy_to(f.name, sizeof(f.name), args->argv[0]) < 0)
		return nrd_fail(err, EINVAL, "FlowConf", "invalid flow name '%.40s': it begins with a letter and has at most %d characters",
				args->argv[0], SWITCH_FLOW_NAME_MAX - 1);
	r = flow_attrs_parse(opts->attrs, &f, err);
	if (r == 0 && opts->props != NULL)
		r = flow_props_set(&f, opts->props, err);
	return r == 0 ? flow_add(opts->zone, opts->link, &f, flags_of(opts->temporary), err) : r;
}

struct remove_flow_opts {
	bool temporary;
	const char *zone, *link;
};

const struct nrd_opt remove_flow_opts[] = {
	OPT_TEMPORARY(struct remove_flow_opts),
	OPT_ZONE(struct remove_flow_opts),
	NRD_OPT_STR('l', NULL, struct remove_flow_opts, link, "LINK", "all flows of this link"),
	NRD_OPT_END(struct remove_flow_opts),
};

int
cmd_remove_flow(const struct nrd_args *args, struct nrd_err *err)
{
	const struct remove_flow_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;

	if ((name != NULL) == (opts->link != NULL))
		return nrd_usage(err, "which? FLOW, or -l LINK for all of a link");
	return flow_remove(opts->zone, opts->link, name, flags_of(opts->temporary), err);
}

struct flowprop_opts {
	bool temporary;
	const char *zone, *props;
};

const struct nrd_opt set_flowprop_opts[] = {
	OPT_TEMPORARY(struct flowprop_opts), OPT_ZONE(struct flowprop_opts),
	NRD_OPT_STR('p', NULL, struct flowprop_opts, props, "PROP=VALUE,...", "what is to be so"),
	NRD_OPT_END(struct flowprop_opts),
};

const struct nrd_opt reset_flowprop_opts[] = {
	OPT_TEMPORARY(struct flowprop_opts), OPT_ZONE(struct flowprop_opts),
	NRD_OPT_STR('p', NULL, struct flowprop_opts, props, "PROP,...", "these only"),
	NRD_OPT_END(struct flowprop_opts),
};

int
cmd_set_flowprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct flowprop_opts *opts = args->opts;

	if (opts->props == NULL)
		return nrd_usage(err, "which property? -p PROP=VALUE,...");
	return flow_change(opts->zone, args->argv[0], opts->props, NULL, flags_of(opts->temporary), err);
}

int
cmd_reset_flowprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct flowprop_opts *opts = args->opts;

	return flow_change(opts->zone, args->argv[0], NULL, opts->props, flags_of(opts->temporary), err);
}
