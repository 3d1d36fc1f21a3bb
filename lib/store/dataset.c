/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "dataset.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

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

int
store_dataset_create(struct store *store, const char *name, const char *const *props,
		     struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *nvl = NULL;

	if (nvlist_alloc(&nvl, NV_UNIQUE_NAME, 0) != 0)
		return nrd_nomem(err);
	for (size_t i = 0; props != NULL && props[i] != NULL && props[i + 1] != NULL; i += 2)
		if (nvlist_add_string(nvl, props[i], props[i + 1]) != 0)
			return nrd_nomem(err);
	if (zfs_create(store->zfs, name, ZFS_TYPE_FILESYSTEM, nvl) != 0)
		return store_fail(store, err, "create dataset %s", name);
	return 0;
}

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
	STORE_ZFS zfs_handle_t *zhp = NULL;
	zfs_prop_t id = zfs_name_to_prop(prop);
	int r = dataset_open(store, name, &zhp, err);

	if (r < 0)
		return r;
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
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = dataset_open(store, name, &zhp, err);

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

	if (r < 0)
		return r;
	if (!zfs_is_mounted(zhp, NULL) && zfs_mount(zhp, NULL, 0) != 0)
		return store_fail(store, err, "mount %s", name);
	return 0;
}

int
store_pool_mount_all(struct store *store, const char *pool, struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = zpool_open_canfail(store->zfs, pool);

	if (zhp == NULL)
		return store_fail(store, err, "pool %s", pool);
	if (zpool_enable_datasets(zhp, NULL, 0, MOUNT_THREADS) != 0)
		return nrd_fail(err, EIO, "ZfsMount",
				"pool %s: some datasets could not be mounted; see zfs mount -a", pool);
	return 0;
}
