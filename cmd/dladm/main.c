/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "dladm.h"

static const struct nrd_cmd cmds[] = {
	{ "show-link", cmd_show_link, show_link_opts, "[-P | -s [-i SECONDS]] [-z ZONE] [-j | [-p] -o FIELD,...] [LINK]",
	  "list links, or their statistics", .max_args = 1 },
	{ "show-phys", cmd_show_phys, show_phys_opts, "[-m] [-j | [-p] -o FIELD,...] [LINK]", "list the node's NICs", .max_args = 1 },
	{ "show-vnic", cmd_show_vnic, show_vnic_opts, "[-P | -s [-i SECONDS]] [-l LINK] [-z ZONE] [-j | [-p] -o FIELD,...] [VNIC]",
	  "list VNICs", .max_args = 1 },
	{ "create-vnic", cmd_create_vnic, create_vnic_opts, "[-t] [-R DIR] -l LINK [-m MAC | random [-r PREFIX] | vrrp -V VRID -A inet|inet6] [-v VID [-f]] "
	  "[-p PROP=VALUE,...] VNIC",
	  "make a VNIC of the node", .min_args = 1, .max_args = 1 },
	{ "delete-vnic", cmd_delete_vnic, delete_vnic_opts, "[-t] [-R DIR] [-z ZONE] VNIC", "remove a VNIC of the node", .min_args = 1,
	  .max_args = 1 },
	{ "modify-vnic", cmd_modify_vnic, modify_vnic_opts, "[-t] [-R DIR] [-l LINK] [-m MAC] [-v VID] VNIC",
	  "change what it is over, its MAC or its VLAN", .min_args = 1, .max_args = 1 },
	{ "show-vlan", cmd_show_vlan, show_vlan_opts, "[-P] [-j | [-p] -o FIELD,...] [VLAN]", "list VLAN links", .max_args = 1 },
	{ "create-vlan", cmd_create_vlan, create_vlan_opts, "[-f] [-t] [-R DIR] -l LINK -v VID [VLAN]",
	  "make an interface of the node on a VLAN", .max_args = 1 },
	{ "delete-vlan", cmd_delete_vlan, delete_vlan_opts, "[-t] [-R DIR] VLAN", "remove it", .min_args = 1, .max_args = 1 },
	{ "show-aggr", cmd_show_aggr, show_aggr_opts, "[-P | -x | -L | -s [-i SECONDS]] [-j | [-p] -o FIELD,...] [AGGR]", "list aggregations",
	  .max_args = 1 },
	{ "create-aggr", cmd_create_aggr, create_aggr_opts,
	  "[-t] [-R DIR] [-P POLICY] [-L MODE] [-T TIME] [-u MAC] -l LINK [-l LINK]... AGGR", "make one link of several NICs",
	  .min_args = 1, .max_args = 1 },
	{ "modify-aggr", cmd_modify_aggr, modify_aggr_opts, "[-t] [-R DIR] [-P POLICY] [-L MODE] [-T TIME] [-u MAC] AGGR",
	  "change how it works", .min_args = 1, .max_args = 1 },
	{ "add-aggr", cmd_add_aggr, add_aggr_opts, "[-t] [-R DIR] -l LINK [-l LINK]... AGGR", "give it further NICs", .min_args = 1,
	  .max_args = 1 },
	{ "remove-aggr", cmd_remove_aggr, remove_aggr_opts, "[-t] [-R DIR] -l LINK [-l LINK]... AGGR", "take NICs from it",
	  .min_args = 1, .max_args = 1 },
	{ "delete-aggr", cmd_delete_aggr, delete_aggr_opts, "[-t] [-R DIR] AGGR", "remove it", .min_args = 1, .max_args = 1 },
	{ "show-overlay", cmd_show_overlay, show_overlay_opts, "[-f | -t] [-j | [-p] -o FIELD,...] [OVERLAY]",
	  "list overlays: what they are, whether they work, who has which machine", .max_args = 1 },
	{ "create-overlay", cmd_create_overlay, create_overlay_opts,
	  "[-t] [-R DIR] -e ENCAP -s SEARCH -v VNETID -p PROP=VALUE,... OVERLAY", "make a switch that reaches over nodes",
	  .min_args = 1, .max_args = 1 },
	{ "modify-overlay", cmd_modify_overlay, modify_overlay_opts, "-d MAC | -f | -s MAC=IP[:PORT] OVERLAY",
	  "say, or forget, which node has a machine", .min_args = 1, .max_args = 1 },
	{ "delete-overlay", cmd_delete_overlay, delete_overlay_opts, "[-t] [-R DIR] OVERLAY", "remove it", .min_args = 1,
	  .max_args = 1 },
	{ "search-overlay", cmd_search_overlay, NULL, "[OVERLAY]", "for an agent: questions out, answers in, a JSON object a line",
	  .max_args = 1 },
	{ "rename-link", cmd_rename_link, rename_link_opts, "[-R DIR] [-z ZONE] LINK NAME", "give a link another name", .min_args = 2,
	  .max_args = 2 },
	{ "show-usage", cmd_show_usage, show_usage_opts, "[-z ZONE] [-j | [-p] -o FIELD,...] [LINK]",
	  "list what links have carried since they were made", .max_args = 1 },
	{ "show-etherstub", cmd_show_etherstub, show_etherstub_opts, "[-j | [-p] -o FIELD,...] [ETHERSTUB]", "list etherstubs",
	  .max_args = 1 },
	{ "create-etherstub", cmd_create_etherstub, create_etherstub_opts, "[-t] [-R DIR] ETHERSTUB", "make a switch without a wire",
	  .min_args = 1, .max_args = 1 },
	{ "delete-etherstub", cmd_delete_etherstub, delete_etherstub_opts, "[-t] [-R DIR] ETHERSTUB", "remove it", .min_args = 1, .max_args = 1 },
	{ "show-linkprop", cmd_show_linkprop, show_linkprop_opts, "[-z ZONE] [-p PROP,...] [-j | [-c] -o FIELD,...] [LINK]",
	  "list properties of links", .max_args = 1 },
	{ "set-linkprop", cmd_set_linkprop, set_linkprop_opts, "[-t] [-R DIR] [-z ZONE] -p PROP=VALUE,... LINK", "change them", .min_args = 1,
	  .max_args = 1 },
	{ "reset-linkprop", cmd_reset_linkprop, reset_linkprop_opts, "[-t] [-R DIR] [-z ZONE] [-p PROP,...] LINK", "set them to their defaults",
	  .min_args = 1, .max_args = 1 },
	{ "restore", cmd_restore, NULL, "", "make the links that are kept; at boot", NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ NULL },
};

/* As show-link. */
static const struct nrd_cmd bare = { "show-link", cmd_show_link, NULL, "", "list links", .max_args = NRD_ARGS_NONE };

static const struct nrd_cli cli = {
	.prog = "dladm",
	.summary = "manage links: NICs, aggregations, VLANs, overlays, VNICs and etherstubs",
	.cmds = cmds,
	.only = &bare,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
