/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "piadm.h"

static const struct nrd_opt global_opts[] = {
	NRD_OPT_FLAG('v', "verbose", struct global_opts, verbose, "say what is done"),
	NRD_OPT_STRV('V', "volume", struct global_opts, volumes, "LABEL=DIR",
		     "work on this directory as a boot volume, not on the node's"),
	NRD_OPT_END(struct global_opts),
};

static const struct nrd_cmd cmds[] = {
	{ "list", cmd_list, list_opts, "[-Hpj] [-o FIELD,...] [VOLUME]",
	  "list the platforms on the boot volumes", .max_args = 1 },
	{ "avail", cmd_avail, avail_opts, "[-Hpj] [-o FIELD,...]",
	  "list newer platforms that can be installed", .max_args = NRD_ARGS_NONE },
	{ "install", cmd_install, install_opts,
	  "[-n] STAMP|latest|media|FILE|DIRECTORY|URL [VOLUME]",
	  "put a platform on the boot volumes; a newer one boots next", .min_args = 1,
	  .max_args = 2 },
	{ "activate", cmd_activate, NULL, "STAMP [VOLUME]", "choose what boots next",
	  .min_args = 1, .max_args = 2 },
	{ "assign", cmd_activate, NULL, "STAMP [VOLUME]", "the same as activate", .min_args = 1,
	  .max_args = 2 },
	{ "remove", cmd_remove, NULL, "STAMP [VOLUME]", "take a platform off the boot volumes",
	  .min_args = 1, .max_args = 2 },
	{ "destroy", cmd_remove, NULL, "STAMP [VOLUME]", "the same as remove", .min_args = 1,
	  .max_args = 2 },
	{ "bootable", cmd_bootable, bootable_opts, "[-e [-i SOURCE] | -d | -r] [POOL]",
	  "show or change whether the node can boot from a pool's disks", .max_args = 1 },
	{ "update", cmd_update, NULL, "[POOL]", "not without a controller", .max_args = 1 },
	{ "confirm", cmd_confirm, NULL, "", "the node is up: what was tried stays",
	  .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ NULL },
};

static const struct nrd_cli cli = {
	.prog = "piadm",
	.summary = "manage the platform versions a node boots",
	.cmds = cmds,
	.opts = global_opts,
};

int
main(int argc, char **argv)
{
	int status = nrd_cli_main(&cli, argc, argv);

	/* 2 means a change made in part; a wrong command line changed nothing. */
	return status == NRD_EXIT_USAGE && !piadm_was_partial() ? PIADM_FAIL : status;
}
