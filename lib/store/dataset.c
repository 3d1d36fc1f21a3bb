/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "dataset.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store-priv.h"

#define MOUNT_THREADS 2

bool
store_dataset_exists(struct store *store, const char *name)
{
	return zfs_dataset_exists(store->zfs, name, ZFS_TYPE_FILESYSTEM | ZFS_TYPE_VOLUME);
}

bool
store_snapshot_exists(struct store *store, const char *name)
{
	return zfs_dataset_exists(store->zfs, name, ZFS_TYPE_SNAPSHOT);
}

int
store_props(const char *const *props, nvlist_t **ret_nvl, struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *nvl = NULL;

	if (nvlist_alloc(&nvl, NV_UNIQUE_NAME, 0) != 0)
		return nrd_nomem(err);
	for (size_t i = 0; props != NULL && props[i] != NULL && props[i + 1] != NULL; i += 2)
		if (nvlist_add_string(nvl, props[i], props[i + 1]) != 0)
			return nrd_nomem(err);
	*ret_nvl = NRD_TAKE(nvl);
	return 0;
}

int
store_dataset_create(struct store *store, const char *name, const char *const *props,
		     struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *nvl = NULL;
	int r = store_props(props, &nvl, err);

	if (r >= 0)
		r = nrd_fault(err, "create dataset %s", name);
	if (r < 0)
		return r;
	if (zfs_create(store->zfs, name, ZFS_TYPE_FILESYSTEM, nvl) != 0)
		return store_fail(store, err, "create dataset %s", name);
	return 0;
}

int
store_volume_create(struct store *store, const char *name, uint64_t bytes, const char *const *props,
		    struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *nvl = NULL;
	char size[32];
	int r = store_props(props, &nvl, err);

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
	if (r >= 0 && nvlist_add_string(nvl, "volsize", size) != 0)
		r = nrd_nomem(err);
	if (r >= 0)
		r = nrd_fault(err, "create volume %s", name);
	if (r < 0)
		return r;
	if (zfs_create(store->zfs, name, ZFS_TYPE_VOLUME, nvl) != 0)
		return store_fail(store, err, "create volume %s", name);
	return 0;
}

char *
store_volume_path(const char *name)
{
	return nrd_format("/dev/zvol/%s", name);
}

#define ANY_TYPE (ZFS_TYPE_FILESYSTEM | ZFS_TYPE_VOLUME | ZFS_TYPE_SNAPSHOT)

static int
dataset_open(struct store *store, const char *name, zfs_handle_t **ret, struct nrd_err *err)
{
	*ret = zfs_open(store->zfs, name, ZFS_TYPE_FILESYSTEM | ZFS_TYPE_VOLUME);
	if (*ret == NULL)
		return store_fail(store, err, "dataset %s", name);
	return 0;
}

static int
get_user(zfs_handle_t *zhp, const char *prop, char *dst, size_t size)
{
	nvlist_t *all = zfs_get_user_props(zhp);
	nvlist_t *one = NULL;
	const char *value = "";

	if (all != NULL && nvlist_lookup_nvlist(all, prop, &one) == 0)
		(void)nvlist_lookup_string(one, ZPROP_VALUE, &value);
	return nrd_strcpy_to(dst, size, value);
}

int
store_dataset_get(struct store *store, const char *name, const char *prop, char *dst, size_t size,
		  struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = zfs_open(store->zfs, name, ANY_TYPE);
	zfs_prop_t id = zfs_name_to_prop(prop);

	if (zhp == NULL)
		return store_fail(store, err, "dataset %s", name);
	if (id != ZPROP_USERPROP) {
		if (zfs_prop_get(zhp, id, dst, size, NULL, NULL, 0, B_TRUE) != 0)
			return nrd_fail(err, EINVAL, "ZfsBadProperty",
					"dataset %s has no property \"%s\"", name, prop);
		return 0;
	}
	if (!zfs_prop_user(prop))
		return nrd_fail(err, EINVAL, "ZfsBadProperty", "dataset %s: no property \"%s\"",
				name, prop);
	if (get_user(zhp, prop, dst, size) < 0)
		return nrd_fail(err, ENAMETOOLONG, "ZfsBadProperty",
				"dataset %s: the value of %s is too long", name, prop);
	return 0;
}

int
store_dataset_set(struct store *store, const char *name, const char *prop, const char *value,
		  struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = zfs_open(store->zfs, name, ANY_TYPE);
	int r = zhp != NULL ? nrd_fault(err, "dataset %s: set %s", name, prop) : store_fail(store, err, "dataset %s", name);

	if (r < 0)
		return r;
	if (zfs_prop_set(zhp, prop, value) != 0)
		return store_fail(store, err, "dataset %s: set %s=%s", name, prop, value);
	return 0;
}

int
store_dataset_inherit(struct store *store, const char *name, const char *prop, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = dataset_open(store, name, &zhp, err);

	if (r < 0)
		return r;
	if (zfs_prop_inherit(zhp, prop, B_FALSE) != 0)
		return store_fail(store, err, "dataset %s: inherit %s", name, prop);
	return 0;
}

int
store_dataset_mount_at(const char *name, const char *dir, struct nrd_err *err)
{
	int r = nrd_mkdir_p(dir, 0755, err);

	if (r < 0)
		return nrd_wrap(err, r, "mount %s", name);
	if (mount(name, dir, "zfs", MS_NOATIME, NULL) < 0 && errno != EBUSY)
		return nrd_fail(err, errno, "StoreMount", "mount %s at %s: %m", name, dir);
	return 0;
}

int
store_dataset_mount(struct store *store, const char *name, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = dataset_open(store, name, &zhp, err);

	if (r >= 0)
		r = nrd_fault(err, "mount %s", name);
	if (r < 0)
		return r;
	if (!zfs_is_mounted(zhp, NULL) && zfs_mount(zhp, NULL, 0) != 0)
		return store_fail(store, err, "mount %s", name);
	return 0;
}

/* Handles of what is to be mounted; owned by the caller's get_all_cb_t. */
static int
collect(zfs_handle_t *zhp, void *arg)
{
	get_all_cb_t *all = arg;
	char mountpoint[ZFS_MAXPROPLEN] = "none";

	(void)zfs_iter_filesystems_v2(zhp, 0, collect, all);
	if (zfs_prop_get(zhp, ZFS_PROP_MOUNTPOINT, mountpoint, sizeof(mountpoint), NULL, NULL, 0,
			 B_FALSE) != 0 ||
	    mountpoint[0] != '/' || zfs_prop_get_int(zhp, ZFS_PROP_CANMOUNT) != ZFS_CANMOUNT_ON ||
	    zfs_is_mounted(zhp, NULL))
		zfs_close(zhp);
	else
		libzfs_add_handle(all, zhp);
	return 0;
}

/* Called by several threads at once. */
static int
mount_collected(zfs_handle_t *zhp, void *arg)
{
	atomic_uint *failed = arg;

	if (zfs_mount(zhp, NULL, 0) != 0)
		(void)atomic_fetch_add(failed, 1);
	return 0;
}

int
store_pool_mount_all(struct store *store, const char *pool, struct nrd_err *err)
{
	zfs_handle_t *root = zfs_open(store->zfs, pool, ZFS_TYPE_FILESYSTEM);
	get_all_cb_t all = { 0 };
	atomic_uint failed = 0;

	if (root == NULL)
		return store_fail(store, err, "pool %s", pool);
	/* One reading of the mount table for all of them. */
	libzfs_mnttab_cache(store->zfs, B_TRUE);
	(void)collect(root, &all);
	zfs_foreach_mountpoint(store->zfs, all.cb_handles, all.cb_used, mount_collected, &failed,
			       MOUNT_THREADS);
	libzfs_mnttab_cache(store->zfs, B_FALSE);
	for (size_t i = 0; i < all.cb_used; i++)
		zfs_close(all.cb_handles[i]);
	free(all.cb_handles);
	if (failed > 0)
		return nrd_fail(err, EIO, "ZfsMount",
				"pool %s: %u datasets could not be mounted; see zfs mount -a", pool,
				failed);
	return 0;
}
