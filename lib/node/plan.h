/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "disk/inventory.h"
#include "disk/layout.h"
#include "link/nic.h"
#include "node/answers.h"
#include "node/config.h"
#include "node/shadow.h"
#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * Answers held against the node: which NIC, which disks in which layout, what the configuration
 * will say. Making a plan writes nothing; everything that can be refused is refused here.
 */

/* What there is of the system pool. */
enum node_plan_pool {
	NODE_PLAN_POOL_NONE,
	NODE_PLAN_POOL_UNFINISHED, /* left by a setup that was cut off: it is made anew */
	NODE_PLAN_POOL_REUSE,      /* somebody's pool "zones" without a node's configuration */
};

struct node_plan_env {
	const struct disk_list *disks; /* read with DISK_LIST_USE */
	const struct link_nics *nics;
	enum node_plan_pool pool;
	/*
	 * Disks whose contents are the left-overs of a setup that was cut off; they count as
	 * blank. NULL terminated or NULL.
	 */
	const char *const *unfinished;
};

struct node_plan {
	enum node_plan_pool pool;
	bool change;                /* of a node that is set up: what is not given stays */
	struct disk_layout layout;  /* empty with NODE_PLAN_POOL_REUSE */
	char **force;               /* disks that lose what they hold */
	struct node_config *config; /* owned */
	char *hash;                 /* of root's password, NULL: none given */
	char *keys;                 /* text of authorized_keys, NULL: none given */
};

/* "BadAnswers", "NoSuchNic", "NoSuchDisk", "DiskInUse", "DiskLayout", "NoDisk". */
int node_plan_make(const struct node_answers *answers, const struct node_plan_env *env,
		   struct node_plan *ret_plan, struct nrd_err *err);
void node_plan_fini(struct node_plan *plan);
void node_plan_cleanup(struct node_plan *plan);

/* The disks answers allow, by kernel name; as node_plan_make decides it. Caller frees. */
int node_plan_disks(const struct node_answers *answers, const struct node_plan_env *env,
		    char ***ret_names, char ***ret_force, struct nrd_err *err);

/* Only the configuration, for a node that is set up: keys of `config` that answers give change. */
int node_plan_configure(const struct node_answers *answers, const struct link_nics *nics,
			struct node_config *config, struct nrd_err *err);

/* Only root's password and keys, as far as they are given. "Hash". */
int node_plan_login(const struct node_answers *answers, struct node_plan *plan,
		    struct nrd_err *err);

/* For people, one fact a line: "  mirror      vda, vdb". */
void node_plan_describe(const struct node_plan *plan, const struct disk_list *disks,
			struct nrd_buf *out);

/* "mirror of vda and vdb, spare vdc" */
void node_plan_layout_words(const struct disk_layout *layout, struct nrd_buf *out);
