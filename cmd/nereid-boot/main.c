/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/apply.h"
#include "node/boot.h"
#include "node/shadow.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "ready.h"

#define SETUP_PROGRAM "/usr/sbin/nereid-setup"
#define SETUP_LIMIT_MS 1800000 /* many disks, slow server with the answers */
#define SYSTEMCTL_LIMIT_MS 60000

/* nereid-setup -a says in its exit code how it went and why on the last line of its stderr. */
enum { SETUP_NO_ANSWERS = 3 };

struct last_line {
	char text[NODE_STATE_WHY_MAX];
};

static int
keep_line(void *arg, const char *line, struct nrd_err *err)
{
	struct last_line *last = arg;
	const char *text = nrd_starts(line, "nereid-setup: ");

	(void)err;
	(void)fprintf(stderr, "%s\n", line);
	(void)snprintf(last->text, sizeof(last->text), "%s", text != NULL ? text : line);
	return 0;
}

/*
 * Setup is a program of its own: most boots need none of what it is linked with, and it needs
 * the pools to itself.
 */
static int
run_setup(void *arg, char *ret_why, size_t size)
{
	static const char *const argv[] = { SETUP_PROGRAM, "-a", NULL };
	struct last_line last = { "" };
	const struct nrd_proc proc = {
		.argv = argv,
		.timeout_ms = SETUP_LIMIT_MS,
		.flags = NRD_PROC_LINES_ERR,
		.line = keep_line,
		.line_arg = &last,
	};
	struct nrd_err err = { 0 };
	int status = 0;

	(void)arg;
	if (nrd_run(&proc, NULL, &status, &err) < 0) {
		(void)snprintf(ret_why, size, "%s", err.msg);
		return NODE_BOOT_SETUP_REFUSED;
	}
	if (status == 0)
		return NODE_BOOT_SETUP_DONE;
	if (status == SETUP_NO_ANSWERS)
		return NODE_BOOT_SETUP_NO_ANSWERS;
	(void)snprintf(ret_why, size, "%s", last.text);
	return NODE_BOOT_SETUP_REFUSED;
}

struct boot_opts {
	bool live;
};

static const struct nrd_opt boot_opts[] = {
	NRD_OPT_FLAG('l', "live", struct boot_opts, live,
		     "on a running node: put a changed configuration in force"),
	NRD_OPT_END(struct boot_opts),
};

/* Units that could not start without a configuration, or hold an old one. */
static int
restart_units(struct nrd_err *err)
{
	return nrd_run_argv(NULL, err, "systemctl", "--no-block", "restart",
			    "systemd-networkd.service", "ssh.service", "chrony.service",
			    "nereid-shadow.path", "nereid-lease.path",
			    "nereid-ready.service", NULL);
}

static int
cmd_boot(const struct nrd_args *args, struct nrd_err *err)
{
	const struct boot_opts *opts = args->opts;
	const struct node_boot_opts boot = { .live = opts->live, .setup = run_setup };
	struct node_state state;
	int r = node_boot(&boot, &state, err);

	if (r < 0)
		return r;
	return opts->live ? restart_units(err) : 0;
}

static int
cmd_lease(const struct nrd_args *args, struct nrd_err *err)
{
	(void)args;
	return node_apply_lease(err);
}

static int
cmd_save_shadow(const struct nrd_args *args, struct nrd_err *err)
{
	(void)args;
	return node_shadow_save(NODE_SHADOW_PATH, NODE_SHADOW_SAVED_PATH, err);
}

static const struct nrd_cmd cmds[] = {
	{ "boot", cmd_boot, boot_opts, "[-l]", "bring the node up", 0, 0, NRD_ARGS_NONE },
	{ "ready", cmd_ready, NULL, "", "wait for the network, confirm the platform, say that the node is ready",
	  0, 0, NRD_ARGS_NONE },
	{ "lease", cmd_lease, NULL, "", "write resolvers and time servers that DHCP brought", 0, 0,
	  NRD_ARGS_NONE },
	{ "save-shadow", cmd_save_shadow, NULL, "", "keep changed passwords on the pool", 0, 0,
	  NRD_ARGS_NONE },
	{ NULL },
};

static const struct nrd_cli cli = {
	.prog = "nereid-boot",
	.summary = "brings a node from its kernel to its state",
	.cmds = cmds,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
