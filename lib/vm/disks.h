/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * A guest's disks: volumes ZPOOL/ZONENAME/diskN, blank or clones of images of type zvol, and cdroms, which are files of the
 * node. Machines of other brands have none, and all of this does nothing for them.
 */

/*
 * Completes disks that are new: path and volume of the lowest number that is free, model, size of the image; a cdrom that comes
 * where another goes has that one's place and model. old: as it was before the change, NULL: it is new. "BadDisk", "ImageNotInstalled" (-ENOENT), -ENOMEM.
 */
int vm_disks_fill(struct zone_config *config, const struct zone_config *old, struct nrd_err *err);

/*
 * Whether a change can be: disks become larger and never smaller, and what they were made with stays; their model changes while
 * the machine is down. "BadDisk", "VmWrongState".
 */
int vm_disks_check(const struct zone_config *old, const struct zone_config *config, bool running, struct nrd_err *err);

/* Whether both have the same disks; what is on one that went does not come back. */
bool vm_disks_same(const struct zone_config *a, const struct zone_config *b);

/*
 * Volumes that config has and old (NULL: nothing) has not are made: all of them or none. Those that both have become as config says.
 * Those that old has and config has not are destroyed, with what is on them. "ZfsNoSpace" and the like.
 */
int vm_disks_make(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);
int vm_disks_change(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);
int vm_disks_remove(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);

/*
 * Volumes of a new machine, as clones of those of the same name below the dataset of which snapshot is one, DATASET@SNAP.
 */
int vm_disks_clone(const char *snapshot, const struct zone_config *config, struct nrd_err *err);

/* MiB of its flexible_disk_size, which it has, that neither disks nor their snapshots take. */
int vm_disks_free_space(const struct zone_config *config, uint64_t *ret_mib, struct nrd_err *err);

