/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "node/state.h"
#include "nrd/err.h"

/*
 * From a kernel with disks to a node with its state: imports the pools, mounts the system pool's
 * datasets, puts the configuration in force, and says in /run/nereid/state how it went. Whatever
 * goes wrong ends in a state, not in a node that stands still. What is configured and well stays
 * "booting" (ret_state says ready): its network comes after this. May be repeated: what is done
 * already stays as it is.
 */
struct node_boot_opts {
	bool live;  /* after setup, on a running node: the pool is there */
	bool quiet; /* log to the file only */
	/* Sets an unconfigured node up without questions; see node_boot_setup_fn. */
	int (*setup)(void *arg, char *ret_why, size_t size);
	void *setup_arg;
};

/* What setup() returns. */
enum node_boot_setup {
	NODE_BOOT_SETUP_DONE,
	NODE_BOOT_SETUP_NO_ANSWERS, /* the dialogue is wanted */
	NODE_BOOT_SETUP_REFUSED,    /* ret_why says what is wrong with the answers */
};

int node_boot(const struct node_boot_opts *opts, struct node_state *ret_state,
	      struct nrd_err *err);
