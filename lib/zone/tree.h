/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * The zone's file tree, put together by two: zoneadmd, which may open what is the node's, makes
 * mounts that are attached nowhere (zone_tree_prepare); the zone's first process, in its own
 * namespaces, attaches them and makes the rest (zone_tree_enter). Nothing of it ever appears in
 * the node's own tree. What it then is in is copied by a process of the node (zone_tree_lock), and
 * it moves into the copy (zone_tree_move): of a tree that comes from a more privileged owner the
 * kernel lets the zone take nothing away.
 */
#define ZONE_TREE_BINDS 128

struct zone_tree {
	int root;  /* detached mounts, -1: none */
	int dev;
	int sys;   /* what is to be seen of /sys, and what is laid over files of /proc */
	int binds[ZONE_TREE_BINDS]; /* of the spec's mounts, by their number */
	size_t n_binds;
};

#define ZONE_TREE_NONE { .root = -1, .dev = -1, .sys = -1 }

/* In tree.sys: an empty file, an empty directory, a file with the id of this boot of the zone. */
#define ZONE_SYS_FILE "kernel/notes"
#define ZONE_SYS_DIR  "power"
#define ZONE_SYS_BOOT "kernel/boot_id"
/* In tree.sys of a zone with delegated datasets: what sysfs has there. */
#define ZONE_SYS_ZFS  "module/zfs"
/* In /dev of a zone with nesting: proc and sysfs as the kernel makes them. */
#define ZONE_DEV_PROC ".nereid/proc"
#define ZONE_DEV_SYS  ".nereid/sys"

/* userns: the zone's user namespace, whose ids the mounts show. "ZoneMount". */
int zone_tree_prepare(const struct zone_config *config, const struct zone_spec *spec, int userns, struct zone_tree *ret_tree,
		      struct nrd_err *err);
void zone_tree_close(struct zone_tree *tree);

/* From zoneadmd to the first process, which was started before the mounts were made. "FdPass". */
int zone_tree_send(int sock, const struct zone_tree *tree, struct nrd_err *err);
int zone_tree_receive(int sock, const struct zone_spec *spec, struct zone_tree *ret_tree,
		      struct nrd_err *err);

/* In the zone's first process: builds the tree and makes it /. "ZoneMount". */
int zone_tree_enter(const struct zone_spec *spec, const struct zone_tree *tree,
		    struct nrd_err *err);

/*
 * In zoneadmd: a mount namespace of the zone's (userns) that holds what init's holds now, with no
 * mount that the zone could take away, move, look below or loosen. Caller closes both descriptors:
 * *ret_between, which nobody needs, when there is time, as the kernel takes long to take a mount
 * namespace apart. -1: none. "ZoneMount".
 */
int zone_tree_lock(pid_t init, int userns, int *ret_mntns, int *ret_between, struct nrd_err *err);

/* In the zone's first process: into that namespace. "ZoneMount". */
int zone_tree_move(int mntns, struct nrd_err *err);
