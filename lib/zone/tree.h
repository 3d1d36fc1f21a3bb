/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * The zone's file tree, put together by two: zoneadmd, which may open what is the node's, makes
 * mounts that are attached nowhere (zone_tree_prepare); the zone's first process, in its own
 * namespaces, attaches them and makes the rest (zone_tree_enter). Nothing of it ever appears in
 * the node's own tree.
 */
#define ZONE_TREE_BINDS 128
#define ZONE_MASK_FILE  "file"
#define ZONE_MASK_DIR   "dir"

struct zone_tree {
	int root;  /* detached mounts, -1: none */
	int dev;
	int binds[ZONE_TREE_BINDS]; /* of the spec's mounts, by their number */
	int masks;                  /* an empty file and an empty directory, to lay over others */
	size_t n_binds;
};

#define ZONE_TREE_NONE { .root = -1, .dev = -1, .masks = -1 }

/* userns: the zone's user namespace, whose ids the mounts show. "ZoneMount". */
int zone_tree_prepare(const struct zone_config *config, const struct zone_spec *spec, int userns, struct zone_tree *ret_tree,
		      struct nrd_err *err);
void zone_tree_close(struct zone_tree *tree);

/* From zoneadmd to the first process, which was started before the mounts were made. "FdPass". */
int zone_tree_send(int sock, const struct zone_tree *tree, struct nrd_err *err);
int zone_tree_receive(int sock, const struct zone_spec *spec, struct zone_tree *ret_tree,
		      struct nrd_err *err);

/*
 * In the zone's first process: builds the tree and makes it /. *ret_console is the terminal that
 * is /dev/console, *ret_master its other end. "ZoneMount", "ZoneConsole".
 */
int zone_tree_enter(const struct zone_spec *spec, const struct zone_tree *tree, int *ret_console,
		    int *ret_master, struct nrd_err *err);
