/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "store/store-libzfs.h"
#include "store/store.h"

struct store {
	libzfs_handle_t *zfs;
};

/* What libzfs last said, as an error: "ctx: words". Returns -EXXX. */
int store_fail(struct store *store, struct nrd_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* key, value, key, value, NULL (or NULL) as a list; caller frees. */
int store_props(const char *const *props, nvlist_t **ret_nvl, struct nrd_err *err);

void store_zfs_closep(zfs_handle_t **zhp);
void store_pool_closep(zpool_handle_t **zhp);
void store_nvlist_freep(nvlist_t **nvl);

#define STORE_ZFS __attribute__((cleanup(store_zfs_closep)))
#define STORE_POOL __attribute__((cleanup(store_pool_closep)))
#define STORE_NVLIST __attribute__((cleanup(store_nvlist_freep)))
