/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <libnvpair.h>
#include <libzfs.h>
#include <libzfs_core.h>
#include <libzutil.h>

#include "nrd/err.h"

/*
 * libzfs is loaded when a store is opened, and not with every program that might open one: with it
 * come OpenSSL, Kerberos and seventeen more, which take longer to load than a zone takes to boot.
 * What is called of it is in this list, and is called by its own name.
 */
#define STORE_LIBZFS(X) \
	X(libzfs_add_handle) X(libzfs_config_ops) X(libzfs_errno) \
	X(libzfs_error_description) X(libzfs_error_init) X(libzfs_fini) X(libzfs_init) \
	X(libpc_error_description) \
	X(lzc_rename) X(libzfs_mnttab_cache) X(libzfs_print_on_error) X(nvlist_add_string) X(nvlist_add_uint64) \
	X(nvlist_alloc) X(nvlist_dup) X(nvlist_free) X(nvlist_lookup_nvlist) \
	X(nvlist_lookup_nvlist_array) X(nvlist_lookup_string) X(nvlist_lookup_uint64) \
	X(nvlist_lookup_uint64_array) X(nvlist_next_nvpair) X(nvpair_name) \
	X(nvpair_value_nvlist) X(zfs_clone) X(zfs_close) X(zfs_create) \
	X(zfs_dataset_exists) X(zfs_destroy) X(zfs_foreach_mountpoint) \
	X(zfs_get_clones_nvl) X(zfs_get_name) X(zfs_get_type) X(zfs_get_user_props) \
	X(zfs_is_mounted) X(zfs_iter_filesystems_v2) X(zfs_iter_snapshots_sorted_v2) \
	X(zfs_mount) X(zfs_name_to_prop) X(zfs_open) X(zfs_promote) X(zfs_prop_get) \
	X(zfs_prop_get_int) X(zfs_prop_inherit) X(zfs_prop_set) X(zfs_prop_user) \
	X(zfs_rename) X(zfs_rollback) X(zfs_snapshot) X(zpool_close) X(zpool_destroy) \
	X(zpool_disable_datasets) X(zpool_export) X(zpool_get_config) X(zpool_get_name) \
	X(zpool_get_prop) X(zpool_get_userprop) X(zpool_import_props) X(zpool_iter) \
	X(zpool_name_to_prop) X(zpool_open_canfail) X(zpool_prop_to_name) \
	X(zpool_refresh_stats) X(zpool_search_import) X(zpool_set_prop) X(zvol_volsize_to_reservation)

#define X(name) __typeof__(&name) name;
extern struct store_libzfs {
	STORE_LIBZFS(X)
} store_libzfs;
#undef X

/* Fine when it is loaded already. "ZfsLibrary". */
int store_libzfs_load(struct nrd_err *err);

#ifndef STORE_LIBZFS_PLAIN
#define libzfs_add_handle store_libzfs.libzfs_add_handle
#define libzfs_config_ops (*store_libzfs.libzfs_config_ops)
#define libzfs_errno store_libzfs.libzfs_errno
#define libzfs_error_description store_libzfs.libzfs_error_description
#define libzfs_error_init store_libzfs.libzfs_error_init
#define libzfs_fini store_libzfs.libzfs_fini
#define libpc_error_description store_libzfs.libpc_error_description
#define libzfs_init store_libzfs.libzfs_init
#define libzfs_mnttab_cache store_libzfs.libzfs_mnttab_cache
#define libzfs_print_on_error store_libzfs.libzfs_print_on_error
#define lzc_rename store_libzfs.lzc_rename
#define nvlist_add_string store_libzfs.nvlist_add_string
#define nvlist_add_uint64 store_libzfs.nvlist_add_uint64
#define nvlist_alloc store_libzfs.nvlist_alloc
#define nvlist_dup store_libzfs.nvlist_dup
#define nvlist_free store_libzfs.nvlist_free
#define nvlist_lookup_nvlist store_libzfs.nvlist_lookup_nvlist
#define nvlist_lookup_nvlist_array store_libzfs.nvlist_lookup_nvlist_array
#define nvlist_lookup_string store_libzfs.nvlist_lookup_string
#define nvlist_lookup_uint64 store_libzfs.nvlist_lookup_uint64
#define nvlist_lookup_uint64_array store_libzfs.nvlist_lookup_uint64_array
#define nvlist_next_nvpair store_libzfs.nvlist_next_nvpair
#define nvpair_name store_libzfs.nvpair_name
#define nvpair_value_nvlist store_libzfs.nvpair_value_nvlist
#define zfs_clone store_libzfs.zfs_clone
#define zfs_close store_libzfs.zfs_close
#define zfs_create store_libzfs.zfs_create
#define zfs_dataset_exists store_libzfs.zfs_dataset_exists
#define zfs_destroy store_libzfs.zfs_destroy
#define zfs_foreach_mountpoint store_libzfs.zfs_foreach_mountpoint
#define zfs_get_clones_nvl store_libzfs.zfs_get_clones_nvl
#define zfs_get_name store_libzfs.zfs_get_name
#define zfs_get_type store_libzfs.zfs_get_type
#define zfs_get_user_props store_libzfs.zfs_get_user_props
#define zfs_is_mounted store_libzfs.zfs_is_mounted
#define zfs_iter_filesystems_v2 store_libzfs.zfs_iter_filesystems_v2
#define zfs_iter_snapshots_sorted_v2 store_libzfs.zfs_iter_snapshots_sorted_v2
#define zfs_mount store_libzfs.zfs_mount
#define zfs_name_to_prop store_libzfs.zfs_name_to_prop
#define zfs_open store_libzfs.zfs_open
#define zfs_promote store_libzfs.zfs_promote
#define zfs_prop_get store_libzfs.zfs_prop_get
#define zfs_prop_get_int store_libzfs.zfs_prop_get_int
#define zfs_prop_inherit store_libzfs.zfs_prop_inherit
#define zfs_prop_set store_libzfs.zfs_prop_set
#define zfs_prop_user store_libzfs.zfs_prop_user
#define zfs_rename store_libzfs.zfs_rename
#define zfs_rollback store_libzfs.zfs_rollback
#define zfs_snapshot store_libzfs.zfs_snapshot
#define zpool_close store_libzfs.zpool_close
#define zpool_destroy store_libzfs.zpool_destroy
#define zpool_disable_datasets store_libzfs.zpool_disable_datasets
#define zpool_export store_libzfs.zpool_export
#define zpool_get_config store_libzfs.zpool_get_config
#define zpool_get_name store_libzfs.zpool_get_name
#define zpool_get_prop store_libzfs.zpool_get_prop
#define zpool_get_userprop store_libzfs.zpool_get_userprop
#define zpool_import_props store_libzfs.zpool_import_props
#define zpool_iter store_libzfs.zpool_iter
#define zpool_name_to_prop store_libzfs.zpool_name_to_prop
#define zpool_open_canfail store_libzfs.zpool_open_canfail
#define zpool_prop_to_name store_libzfs.zpool_prop_to_name
#define zpool_refresh_stats store_libzfs.zpool_refresh_stats
#define zpool_search_import store_libzfs.zpool_search_import
#define zpool_set_prop store_libzfs.zpool_set_prop
#define zvol_volsize_to_reservation store_libzfs.zvol_volsize_to_reservation
#endif
