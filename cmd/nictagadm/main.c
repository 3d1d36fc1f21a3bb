/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "nictagadm.h"

static const struct nrd_cmd cmds[] = {
	{ "add", cmd_add, add_opts, "[-v] [-l] [-p PROP=VALUE,...] NAME [MAC]",
	  "make a NIC tag on a NIC or an aggregation, or an etherstub", .min_args = 1,
	  .max_args = 2 },
	{ "delete", cmd_delete, delete_opts, "[-v] [-f] NAME", "remove a NIC tag", .min_args = 1,
	  .max_args = 1 },
	{ "exists", cmd_exists, exists_opts, "[-v] [-l] NAME...",
	  "exit 0 when all of these NIC tags are there", .min_args = 1 },
	{ "list", cmd_list, list_opts,
	  "[-v] [-l | -L] [-p] [-d DELIM] [-H] [-j] [-o FIELD,...]", "list the NIC tags",
	  .max_args = NRD_ARGS_NONE },
	{ "update", cmd_update, update_opts, "[-v] [-p PROP=VALUE,...] NAME [MAC]",
	  "change the NIC or the MTU of a NIC tag", .min_args = 1, .max_args = 2 },
	{ "vms", cmd_vms, vms_opts, "[-v] NAME", "list the machines that use a NIC tag",
	  .min_args = 1, .max_args = 1 },
	{ NULL },
};

static const struct nrd_cli cli = {
	.prog = "nictagadm",
	.summary = "manage the names machines use for networks",
	.cmds = cmds,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
