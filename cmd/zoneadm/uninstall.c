/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "zoneadm.h"

/* 1: yes. */
static int
confirm(const struct nrd_args *args, const char *name, struct nrd_err *err)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return nrd_fail(err, EINVAL, "NotConfirmed",
				"Input not from terminal and -F not specified: %s command ignored, "
				"exiting.", args->verb);
	(void)printf("Are you sure you want to %s zone %s (y/[n])? ", args->verb, name);
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

int
cmd_uninstall(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	const struct uninstall_opts *opts = args->opts;
	int r = target_open(args, TARGET_LOCK, &t, err);

	if (r == 0)
		r = opts->force ? 1 : confirm(args, t.name, err);
	if (r == 0)
		return NRD_EXIT_FAIL;
	if (r > 0) {
		hold_signals(false);
		r = brand_uninstall(&t.place, &t.config, err);
	}
	return told(args, t.name, r, err);
}
