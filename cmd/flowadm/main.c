/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "flowadm.h"

static const struct nrd_cmd cmds[] = {
	{ "show-flow", cmd_show_flow, show_flow_opts, "[-P] [-l LINK] [-z ZONE] [-j | [-p] -o FIELD,...] [FLOW]", "list flows", .max_args = 1 },
	{ "add-flow", cmd_add_flow, add_flow_opts, "[-t] [-z ZONE] -l LINK -a ATTR=VALUE,... [-p PROP=VALUE,...] FLOW", "make a flow of a VNIC",
	  .min_args = 1, .max_args = 1 },
	{ "remove-flow", cmd_remove_flow, remove_flow_opts, "[-t] [-z ZONE] -l LINK | FLOW", "remove a flow, or all of a link", .max_args = 1 },
	{ "show-flowprop", cmd_show_flowprop, show_flowprop_opts, "[-P] [-l LINK] [-z ZONE] [-p PROP,...] [-j | [-c] -o FIELD,...] [FLOW]",
	  "list properties of flows", .max_args = 1 },
	{ "set-flowprop", cmd_set_flowprop, set_flowprop_opts, "[-t] [-z ZONE] -p PROP=VALUE,... FLOW", "change them", .min_args = 1,
	  .max_args = 1 },
	{ "reset-flowprop", cmd_reset_flowprop, reset_flowprop_opts, "[-t] [-z ZONE] [-p PROP,...] FLOW", "set them to their defaults",
	  .min_args = 1, .max_args = 1 },
	{ NULL },
};

/* As show-flow. */
static const struct nrd_cmd bare = { "show-flow", cmd_show_flow, NULL, "", "list flows", .max_args = NRD_ARGS_NONE };

static const struct nrd_cli cli = {
	.prog = "flowadm",
	.summary = "caps and priorities of parts of what a link carries",
	.cmds = cmds,
	.only = &bare,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
