/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "disk/inventory.h"
#include "link/nic.h"
#include "node/answers.h"
#include "node/plan.h"
#include "nrd/err.h"
#include "store/store.h"

/*
 * A node that has no configured pool yet (or is to be changed) and what setup sees of it. Owns
 * everything.
 */
struct node_setup {
	struct store *store;
	struct disk_list disks;
	struct link_nics nics;
	enum node_plan_pool pool;
	char **unfinished;
	bool configured; /* there is a configured pool: only the configuration can be changed */
	char *system_pool;
};

enum node_setup_flags {
	/*
	 * Look only: a pool left by a setup that was cut off stays imported, its disks in use. A
	 * plan made then is refused for such disks.
	 */
	NODE_SETUP_LOOK = 1u << 0,
};

/* Pools are expected to be imported as far as they can be (nereid-boot did). */
int node_setup_open(unsigned flags, struct node_setup *ret_setup, struct nrd_err *err);
void node_setup_fini(struct node_setup *setup);
void node_setup_cleanup(struct node_setup *setup);

/* For node_plan_make; borrows from setup. */
struct node_plan_env node_setup_env(const struct node_setup *setup);

/* Called before each step; step NULL: done. */
typedef void node_setup_progress(void *arg, const char *step);

/*
 * Carries a plan out. On failure all is walked back: a pool that was made is destroyed again.
 * A power cut in the middle leaves a pool (or disks) that count as left-overs at the next try.
 * "WrongState" when the node is configured already.
 */
int node_setup_run(struct node_setup *setup, const struct node_plan *plan,
		   node_setup_progress *progress, void *arg, struct nrd_err *err);

/* The names of the steps that a plan takes, in order; NULL after the last. */
const char *node_setup_step(const struct node_plan *plan, size_t i);

/*
 * On a configured node: writes the changed configuration, and password and keys where the plan
 * has them; makes missing datasets and SSH host keys anew. What is to happen on disk is atomic a
 * file.
 */
int node_setup_change(struct node_setup *setup, const struct node_plan *plan, struct nrd_err *err);
