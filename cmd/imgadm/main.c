/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "imgadm.h"
#include "nrd/fault.h"

#define VERSION "3.0.0" /* of the interface, which follows SmartOS' imgadm 3 */

static int
cmd_nothing(const struct nrd_args *args, struct nrd_err *err)
{
	const struct global_opts *global = args->global;

	if (!global->version)
		return nrd_usage(err, "give a verb, \"imgadm help\" lists them");
	(void)printf("imgadm %s\n", VERSION);
	return 0;
}

static const struct nrd_opt global_opts[] = {
	NRD_OPT_FLAG(0, "version", struct global_opts, version, "print the version"),
	NRD_OPT_FLAG('v', "verbose", struct global_opts, verbose, "say what is done"),
	NRD_OPT_FLAG('E', NULL, struct global_opts, error_json,
		     "an error is also told as a line of JSON, the last one"),
	NRD_OPT_END(struct global_opts),
};

static const struct nrd_cmd cmds[] = {
	{ "sources", cmd_sources, sources_opts,
	  "[-v | -j | -c | -e | -a URL [-t TYPE] [-k] [-f] | -d URL]",
	  "list or change where images come from", .max_args = NRD_ARGS_NONE },
	{ "login", cmd_login, login_opts, "[-u USER] HOST[:PORT]", "be somebody to a registry from now on", .min_args = 1, .max_args = 1 },
	{ "logout", cmd_logout, NULL, "HOST[:PORT]", "be nobody to it again", .min_args = 1, .max_args = 1 },
	{ "avail", cmd_avail, avail_opts, "[-jH] [-o FIELD,...] [-s FIELD,...] [FIELD=VALUE ...]",
	  "list the images the sources have" },
	{ "available", cmd_avail, avail_opts,
	  "[-jH] [-o FIELD,...] [-s FIELD,...] [FIELD=VALUE ...]", "the same as avail" },
	{ "show", cmd_show, NULL, "UUID | NAME", "the manifest of an image of the sources", .min_args = 1,
	  .max_args = 1 },
	{ "import", cmd_import, import_opts, "[-q] [-C CHANNEL] [-S URL] [-P POOL] UUID | NAME",
	  "install an image from the sources, with what it builds on", .min_args = 1,
	  .max_args = 1 },
	{ "import-disk", cmd_import_disk, import_disk_opts, "[-q] [-f FORMAT] [--disk DISK] [-P POOL] FILE [FIELD=VALUE ...]",
	  "make an image of a disk: raw, qcow2, vmdk, vdi, vhdx, vpc, or in an OVA", .min_args = 1 },
	{ "install", cmd_install, install_opts, "[-q] [-P POOL] -m MANIFEST -f FILE | -f LAYOUT [NAME]",
	  "install an image from local files", .max_args = 1 },
	{ "list", cmd_list, list_opts, "[-jH] [--docker] [-o FIELD,...] [-s FIELD,...] [FIELD=VALUE ...]",
	  "list the images on this node" },
	{ "get", cmd_get, get_opts, "[-r] [-P POOL] UUID", "what is known of an installed image",
	  .min_args = 1, .max_args = 1 },
	{ "info", cmd_get, get_opts, "[-r] [-P POOL] UUID", "the same as get", .min_args = 1,
	  .max_args = 1 },
	{ "delete", cmd_delete, delete_opts, "[-P POOL] UUID", "remove an image from this node",
	  .min_args = 1, .max_args = 1 },
	{ "destroy", cmd_delete, delete_opts, "[-P POOL] UUID", "the same as delete",
	  .min_args = 1, .max_args = 1 },
	{ "ancestry", cmd_ancestry, ancestry_opts, "[-jH] [-o FIELD,...] [-P POOL] UUID",
	  "list an image and those it builds on", .min_args = 1, .max_args = 1 },
	{ "update", cmd_update, update_opts, "[-n] [UUID ...]",
	  "find manifests for images that were received by hand" },
	{ "vacuum", cmd_vacuum, vacuum_opts, "[-nf]", "remove the images that nothing uses",
	  .max_args = NRD_ARGS_NONE },
	{ "create", cmd_create, create_opts,
	  "[-iq] [-c COMPRESSION] [-m MANIFEST] [-o PATH | -p URL] UUID [FIELD=VALUE ...]",
	  "make an image of a stopped machine, or of a guest that runs", .min_args = 1 },
	{ "publish", cmd_publish, publish_opts, "[-q] -m MANIFEST -f FILE URL",
	  "give an image to an image server", .min_args = 1, .max_args = 1 },
	{ NULL },
};

static const struct nrd_cmd nothing = { NULL, cmd_nothing, .max_args = NRD_ARGS_NONE };

static const struct nrd_cli cli = {
	.prog = "imgadm",
	.summary = "manage the images machines are made of",
	.cmds = cmds,
	.opts = global_opts,
	.only = &nothing,
	.tell = imgadm_tell,
};

int
main(int argc, char **argv)
{
	nrd_fault_init();
	nrd_fault_begin();
	imgadm_tell_json(argv);
	return nrd_cli_main(&cli, argc, argv);
}
