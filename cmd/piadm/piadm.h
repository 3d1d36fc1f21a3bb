/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/cli.h"
#include "platform/platform.h"

/* Options before the verb. */
struct global_opts {
	bool verbose;
	char **volumes; /* LABEL=DIRECTORY */
};

/* As on SmartOS: 2 is for a change that was made in part, 3 for a damaged boot volume. */
enum piadm_exit {
	PIADM_OK = 0,
	PIADM_FAIL = 1,
	PIADM_PARTIAL = 2,
	PIADM_CORRUPT = 3,
};

extern const struct nrd_opt list_opts[], avail_opts[], install_opts[], bootable_opts[];

nrd_cmd_fn cmd_list, cmd_avail, cmd_install, cmd_activate, cmd_remove, cmd_bootable, cmd_update,
	cmd_confirm;

/* How a verb opens volumes: by the options before it; notes and progress on standard error. */
struct platform_opts piadm_opts(const struct nrd_args *args, const char *where, unsigned flags);

/* Where versions come from, by the environment. "Usage" for a digest that is not understood. */
int piadm_remote(struct platform_remote *ret_remote, struct nrd_err *err);

/* The exit status for a result: 0 stays 0. */
int piadm_exit(int r, const struct nrd_err *err);

/* For main: the verb itself ended with 2, it was not the command line that was wrong. */
bool piadm_was_partial(void);
