/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "store/store.h"

/* A filesystem or volume, no snapshot. False also when it cannot be asked. */
bool store_dataset_exists(struct store *store, const char *name);

/* The same of a snapshot, NAME@SNAP. */
bool store_snapshot_exists(struct store *store, const char *name);

/*
 * Creates a filesystem; props is key, value, key, value, NULL (or NULL). Nothing is mounted.
 * "ZfsExists", "ZfsBadProperty", "ZfsNoSpace".
 */
int store_dataset_create(struct store *store, const char *name, const char *const *props,
			 struct nrd_err *err);

/*
 * Creates a volume of so many bytes, a multiple of its block size; props as above, "volblocksize" and "refreservation" among
 * them. Its node, store_volume_path(), comes a little later. "ZfsExists", "ZfsBadProperty", "ZfsNoSpace".
 */
int store_volume_create(struct store *store, const char *name, uint64_t bytes, const char *const *props,
			struct nrd_err *err);

/* Of a volume, where its node is, or will be. Caller frees; NULL: no memory. */
char *store_volume_path(const char *name);

/* A property's value, also of a snapshot, "" for a user property nobody set. "ZfsNotFound", "ZfsBadProperty". */
int store_dataset_get(struct store *store, const char *name, const char *prop, char *dst,
		      size_t size, struct nrd_err *err);
/* Of a snapshot, too: user properties alone. */
int store_dataset_set(struct store *store, const char *name, const char *prop, const char *value,
		      struct nrd_err *err);

/* Removes a local value: the parent's or the default holds again. */
int store_dataset_inherit(struct store *store, const char *name, const char *prop,
			  struct nrd_err *err);

/*
 * Mounts a filesystem whose mountpoint is "legacy" at dir, which is made; fine when it is mounted
 * there already. "StoreMount" with the cause's errno.
 */
int store_dataset_mount_at(const char *name, const char *dir, struct nrd_err *err);

/* Mounts a filesystem where its own mountpoint says; fine when it is. "ZfsNotFound", ... */
int store_dataset_mount(struct store *store, const char *name, struct nrd_err *err);

/*
 * Opens the top directory of a filesystem that is mounted nowhere and shall not be: it is mounted as
 * long as the descriptor, or one opened through it, is open, and nobody else sees it. Devices and
 * set-uid programs in it mean nothing. "StoreMount".
 */
int store_dataset_open(const char *name, bool read_only, int *ret_fd, struct nrd_err *err);

/*
 * Mounts what is left to mount in a pool (canmount=on, mountpoint a path). Filesystems that
 * cannot be mounted (locked by encryption, say) do not keep others from it: then "ZfsMount".
 */
int store_pool_mount_all(struct store *store, const char *pool, struct nrd_err *err);

/*
 * Unmounts it, where its mountpoint or store_dataset_mount_at put it; fine when it is not
 * mounted. "ZfsBusy" (-EBUSY) when something in it is in use.
 */
int store_dataset_unmount(struct store *store, const char *name, struct nrd_err *err);

/*
 * Destroys a dataset with its children and snapshots, unmounting what is mounted, or one snapshot
 * ("zones/web0@s"); fine when it is not there. What other datasets were cloned from is not
 * destroyed: "ZfsBusy" (-EBUSY) names one, and so it does when a dataset cannot be unmounted or a
 * snapshot is held.
 */
int store_dataset_destroy(struct store *store, const char *name, struct nrd_err *err);

/* Of it and, recursive, of all below it at once: name@snap. "ZfsExists", "ZfsNoSpace". */
int store_dataset_snapshot(struct store *store, const char *name, const char *snap, bool recursive,
			   struct nrd_err *err);

/* NAME is again what it was; its newer snapshots go, and the clones of those. "ZfsNotFound". */
int store_dataset_rollback(struct store *store, const char *snapshot, struct nrd_err *err);

/* snapshot is NAME@SNAP; props as for creating. Nothing is mounted. "ZfsNotFound", "ZfsExists". */
int store_dataset_clone(struct store *store, const char *snapshot, const char *name,
			const char *const *props, struct nrd_err *err);

/* Children and snapshots go along; what is mounted is mounted anew. "ZfsExists", "ZfsBusy". */
int store_dataset_rename(struct store *store, const char *name, const char *to,
			 struct nrd_err *err);

/*
 * The same of one that is mounted nowhere, nor is what is below it; that may be a zone's, which
 * store_dataset_rename would not touch. "ZfsRename" with the cause's errno.
 */
int store_dataset_move(const char *name, const char *to, struct nrd_err *err);

/* The clone no longer needs what it was cloned from: their parts are swapped. */
int store_dataset_promote(struct store *store, const char *name, struct nrd_err *err);

enum store_list_flags {
	STORE_LIST_DEEP = 1u << 0,      /* all below, parents first; else children only */
	STORE_LIST_SNAPSHOTS = 1u << 1, /* snapshots ("NAME@SNAP", oldest first) instead of datasets */
};

/* Caller frees with nrd_strv_free. "ZfsNotFound". */
int store_dataset_list(struct store *store, const char *name, unsigned flags, char ***ret_names,
		       struct nrd_err *err);

/*
 * The datasets that were cloned from snapshots of this one or of one below it, and are not below
 * it themselves. Caller frees.
 */
int store_dataset_clones(struct store *store, const char *name, char ***ret_names,
			 struct nrd_err *err);

/* The same of one snapshot, NAME@SNAP. */
int store_snapshot_clones(struct store *store, const char *snapshot, char ***ret_names, struct nrd_err *err);
