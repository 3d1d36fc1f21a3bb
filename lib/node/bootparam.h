/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/* What the node was told on the kernel's command line. Unset texts are NULL; all are owned. */
struct node_bootparam {
	bool noimport;     /* noimport=true, or rescue: leave every pool alone */
	char **zpools;     /* zpools=a,b: import these only */
	char *hostname;
	char *admin_nic;   /* MAC */
	char *root_shadow; /* root's password hash for this boot */
	char *answers;     /* URL of answers.json */
	char *bootfs;      /* nereid.bootfs: FAT serial of the volume it booted from */
	bool trial;        /* nereid.try=1 */
};

#define NODE_CMDLINE_PATH "/proc/cmdline"

/*
 * Values that break their rule are left out, as a typing mistake in a boot menu must not keep a
 * node from booting; *ret_problem (caller frees, may be NULL) then says so in one line. Quotes
 * are the kernel's: "double", around the value or all of it.
 */
int node_bootparam_parse(const char *text, struct node_bootparam *ret_param, char **ret_problem,
			 struct nrd_err *err);
int node_bootparam_read(const char *path, struct node_bootparam *ret_param, char **ret_problem,
			struct nrd_err *err);
void node_bootparam_fini(struct node_bootparam *param);
void node_bootparam_cleanup(struct node_bootparam *param);
