/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "inventory.h"
#include "layout.h"
#include "nrd/err.h"

/* Makes a pool from a layout, by zpool(8). */
struct disk_pool_opts {
	bool bootable;  /* every disk of the vdevs is partitioned (partition.h), with its ESP made */
	bool encrypted; /* zpool asks for a passphrase on the terminal */
	bool overwrite; /* disks that hold something are taken */
	const char *const *force;      /* ... or only these */
	const char *const *properties; /* of the pool: "ashift=12"; NULL terminated or NULL */
	const char *const *fs_properties; /* of its root dataset: "atime=off" */
};

/*
 * Every disk is checked before the first is written: "DiskNotFound", the refusals of
 * disk_partition_check. "PoolExists" (-EEXIST), "BadPoolName". Disks of the vdevs are
 * partitioned when the pool is bootable; otherwise, and for spares, logs and cache, disks are
 * taken whole.
 */
int disk_pool_create(const char *pool, const struct disk_layout *layout,
		     const struct disk_list *disks, const struct disk_pool_opts *opts,
		     struct nrd_err *err);

/*
 * The arguments after "zpool create" for a layout, given the device of each disk; for callers
 * that partition and create by themselves. device returns a path for a disk's name, borrowed.
 */
int disk_pool_vdev_args(const struct disk_layout *layout,
			const char *(*device)(void *arg, const char *name), void *arg,
			char ***ret_args, struct nrd_err *err);
