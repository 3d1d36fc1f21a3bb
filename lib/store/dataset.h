/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"
#include "store/store.h"

/* False also when it cannot be asked. */
bool store_dataset_exists(struct store *store, const char *name);

/*
 * Creates a filesystem; props is key, value, key, value, NULL (or NULL). Nothing is mounted.
 * "ZfsExists", "ZfsBadProperty", "ZfsNoSpace".
 */
int store_dataset_create(struct store *store, const char *name, const char *const *props,
			 struct nrd_err *err);

/* A property's value, "" for a user property nobody set. "ZfsNotFound", "ZfsBadProperty". */
int store_dataset_get(struct store *store, const char *name, const char *prop, char *dst,
		      size_t size, struct nrd_err *err);
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
 * Mounts what is left to mount in a pool (canmount=on, mountpoint a path). Filesystems that
 * cannot be mounted (locked by encryption, say) do not keep others from it: then "ZfsMount".
 */
int store_pool_mount_all(struct store *store, const char *pool, struct nrd_err *err);
