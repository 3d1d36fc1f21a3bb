/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdlib.h>
#include <string.h>

#include "nrd/fault.h"
#include "zoneadm.h"

static const struct nrd_cmd cmds[] = {
	{ "adopt", cmd_adopt, NULL, NULL, "give running zones a zoneadmd again",
	  .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ "attach", cmd_attach, attach_opts, "[-F] [-n MANIFEST]",
	  "make a root that is there this zone's", .max_args = NRD_ARGS_NONE },
	{ "boot", cmd_boot, NULL, "[-- [-s] [-i INIT] [ARGUMENT...]]", "boot a zone" },
	{ "boot-all", cmd_boot_all, NULL, NULL, "boot all zones with autoboot",
	  .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ "clone", cmd_clone, clone_opts, "[-m copy] [-s SNAPSHOT] SOURCE",
	  "install a zone as another one is", .min_args = 1, .max_args = 1 },
	{ "detach", cmd_detach, detach_opts, "[-n]", "let go of a zone's root, for another node",
	  .max_args = NRD_ARGS_NONE },
	{ "halt", cmd_halt, NULL, NULL, "stop a zone at once", .max_args = NRD_ARGS_NONE },
	{ "halt-all", cmd_halt_all, halt_all_opts, "[-t SECONDS]", "shut down all zones",
	  .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ "install", cmd_install, install_opts, "[-x nodataset] [-t FILE | -d DIRECTORY]",
	  "make a zone's root", .max_args = NRD_ARGS_NONE },
	{ "list", cmd_list, list_opts, "[-cinv] [-p] [-H] [-j] [-o FIELD,...]", "list zones",
	  .max_args = NRD_ARGS_NONE },
	{ "mark", cmd_mark, NULL, "incomplete", "say that a zone's root is broken", .min_args = 1,
	  .max_args = 1 },
	{ "move", cmd_move, NULL, "ZONEPATH", "move a zone's root", .min_args = 1, .max_args = 1 },
	{ "ready", cmd_ready, NULL, NULL, "prepare a zone without booting it",
	  .max_args = NRD_ARGS_NONE },
	{ "reboot", cmd_reboot, NULL, "[-- [-s] [-i INIT] [ARGUMENT...]]",
	  "halt a zone and boot it again" },
	{ "shutdown", cmd_shutdown, shutdown_opts,
	  "[-r [-- [-s] [-i INIT] [ARGUMENT...]]] [-t SECONDS]", "end a zone's services, then halt it" },
	{ "uninstall", cmd_uninstall, uninstall_opts, "[-F]", "remove a zone's root",
	  .max_args = NRD_ARGS_NONE },
	{ "verify", cmd_verify, NULL, NULL, "say whether a zone could run on this node",
	  .max_args = NRD_ARGS_NONE },
	{ "views", cmd_views, NULL, NULL, "show zones a lxcfs that was started again",
	  .flags = NRD_CMD_HIDDEN, .max_args = NRD_ARGS_NONE },
	{ NULL },
};

static const struct nrd_opt opts[] = {
	NRD_OPT_STR('z', NULL, struct global_opts, zone, "ZONE", "the zone"),
	NRD_OPT_STR('u', NULL, struct global_opts, uuid, "UUID",
		    "the zone, by its uuid; goes before -z where there is such a zone"),
	NRD_OPT_STR('R', NULL, struct global_opts, root, "ROOT",
		    "zones of the system below this directory (list, mark)"),
	NRD_OPT_END(struct global_opts),
};

static const struct nrd_cli cli = {
	.prog = "zoneadm",
	.summary = "administer zones",
	.cmds = cmds,
	.opts = opts,
};

char **zoneadm_argv;

int
main(int argc, char **argv)
{
	/* The parser moves options to the front. */
	zoneadm_argv = calloc((size_t)argc + 1, sizeof(*argv));
	if (zoneadm_argv == NULL)
		return NRD_EXIT_FAIL;
	memcpy(zoneadm_argv, argv, (size_t)argc * sizeof(*argv));
	nrd_fault_init();
	nrd_fault_begin();
	return nrd_cli_main(&cli, argc, argv);
}
