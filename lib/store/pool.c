/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "pool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "store-priv.h"
#include "vdev.h"

#define BLOCK_CLASS "/sys/class/block"
#define BY_ID "/dev/disk/by-id"

/* Kernel devices that never hold a pool of the node, or are one (a pool inside a pool). */
static const char *const no_pool_on[] = { "loop", "ram", "zram", "zd", "sr", "fd", "nbd" };

static bool
skip_block(const char *name)
{
	for (size_t i = 0; i < nrd_count(no_pool_on); i++) {
		const char *rest = nrd_starts(name, no_pool_on[i]);

		if (rest != NULL && *rest >= '0' && *rest <= '9')
			return true;
	}
	return name[0] == '.';
}

/*
 * Stable names, best first: what a person finds printed on the disk before what only a machine
 * reads.
 */
static int
by_id_rank(const char *name)
{
	static const char *const order[] = { "virtio-", "nvme-", "ata-", "scsi-", "usb-", "wwn-" };

	if (nrd_starts(name, "nvme-eui.") != NULL || nrd_starts(name, "nvme-uuid.") != NULL ||
	    nrd_starts(name, "lvm-") != NULL || nrd_starts(name, "dm-uuid-") != NULL)
		return (int)nrd_count(order);
	for (size_t i = 0; i < nrd_count(order); i++)
		if (nrd_starts(name, order[i]) != NULL)
			return (int)i;
	return (int)nrd_count(order) + 1;
}

struct device {
	char kernel[64];
	char path[PATH_MAX];
	int rank;
};

struct devices {
	struct device *data;
	size_t len;
	size_t cap;
};

static void
devices_cleanup(struct devices *d)
{
	nrd_vec_fini(d);
}

static int
devices_list(struct devices *ret, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = opendir(BLOCK_CLASS);
	const struct dirent *e;

	if (dir == NULL)
		return nrd_fail(err, errno, "ZfsSearch", "open " BLOCK_CLASS ": %m");
	while ((e = readdir(dir)) != NULL) {
		struct device d = { .rank = INT_MAX };
		char attr[PATH_MAX];
		char dm[128];

		if (skip_block(e->d_name) ||
		    nrd_strcpy_to(d.kernel, sizeof(d.kernel), e->d_name) < 0)
			continue;
		(void)snprintf(d.path, sizeof(d.path), "/dev/%s", d.kernel);
		(void)snprintf(attr, sizeof(attr), BLOCK_CLASS "/%s/dm/name", d.kernel);
		if (nrd_attr_read(AT_FDCWD, attr, dm, sizeof(dm), NULL) == 0)
			(void)snprintf(d.path, sizeof(d.path), "/dev/mapper/%s", dm);
		if (nrd_vec_push(ret, d) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* Gives devices the best of udev's stable names; without udev they keep the kernel's. */
static void
devices_by_id(struct devices *devices)
{
	NRD_CLOSEDIR DIR *dir = opendir(BY_ID);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		const char *base;
		int rank = by_id_rank(e->d_name);

		if (n <= 0)
			continue;
		target[n] = '\0';
		base = strrchr(target, '/');
		base = base != NULL ? base + 1 : target;
		nrd_vec_each(d, devices) {
			char path[PATH_MAX];

			if (!nrd_streq(d->kernel, base) || nrd_starts(base, "dm-") != NULL)
				continue;
			(void)snprintf(path, sizeof(path), BY_ID "/%s", e->d_name);
			if (rank < d->rank || (rank == d->rank && strcmp(path, d->path) < 0)) {
				d->rank = rank;
				memcpy(d->path, path, sizeof(path));
			}
		}
	}
}

static int
found_add(struct store *store, nvlist_t *config, struct store_search *search, struct nrd_err *err)
{
	struct store_found f = { 0 };
	const char *name;
	nvlist_t *copy = NULL;

	if (nvlist_lookup_string(config, ZPOOL_CONFIG_POOL_NAME, &name) != 0 ||
	    nvlist_lookup_uint64(config, ZPOOL_CONFIG_POOL_GUID, &f.guid) != 0 ||
	    nrd_strcpy_to(f.name, sizeof(f.name), name) < 0)
		return 0;
	store_vdev_health(config, false, &f.health);
	f.usable = f.health.health == STORE_ONLINE || f.health.health == STORE_DEGRADED;
	f.twin = store_pool_exists(store, name);
	nrd_vec_each(other, search) {
		if (nrd_streq(other->name, f.name))
			other->twin = f.twin = true;
	}
	if (nvlist_dup(config, &copy, 0) != 0)
		return nrd_nomem(err);
	f.config = copy;
	if (nrd_vec_push(search, f) < 0) {
		nvlist_free(copy);
		return nrd_nomem(err);
	}
	return 0;
}

int
store_search(struct store *store, struct store_search *ret_search, struct nrd_err *err)
{
	libpc_handle_t lpc = { .lpc_lib_handle = store->zfs, .lpc_ops = &libzfs_config_ops };
	__attribute__((cleanup(devices_cleanup))) struct devices devices = { 0 };
	__attribute__((cleanup(store_search_cleanup))) struct store_search found = { 0 };
	STORE_NVLIST nvlist_t *pools = NULL;
	NRD_FREE char **paths = NULL;
	nvpair_t *pair = NULL;
	int r = devices_list(&devices, err);

	if (r < 0)
		return r;
	devices_by_id(&devices);
	if (devices.len > 0) {
		importargs_t args = { .scan = B_TRUE };

		paths = calloc(devices.len, sizeof(*paths));
		if (paths == NULL)
			return nrd_nomem(err);
		for (size_t i = 0; i < devices.len; i++)
			paths[i] = devices.data[i].path;
		args.path = paths;
		args.paths = (int)devices.len;
		pools = zpool_search_import(&lpc, &args);
		if (pools == NULL)
			return nrd_fail(err, EIO, "ZfsSearch", "search the disks for pools: %s",
					libpc_error_description(&lpc));
	}
	while (pools != NULL && (pair = nvlist_next_nvpair(pools, pair)) != NULL) {
		nvlist_t *config = NULL;

		if (nvpair_value_nvlist(pair, &config) != 0)
			continue;
		r = found_add(store, config, &found, err);
		if (r < 0)
			return r;
	}
	*ret_search = found;
	found = (struct store_search){ 0 };
	return 0;
}

void
store_search_fini(struct store_search *search)
{
	if (search == NULL)
		return;
	nrd_vec_each(f, search)
		nvlist_free(f->config);
	nrd_vec_fini(search);
}

void
store_search_cleanup(struct store_search *search)
{
	store_search_fini(search);
}

int
store_pool_import(struct store *store, const struct store_found *found, struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *props = NULL;
	char guid[24];

	if (!found->usable)
		return nrd_fail(err, EIO, "ZfsPoolUnavailable", "pool %s cannot be imported: %s; %s",
				found->name, found->health.what, found->health.todo);
	if (nvlist_alloc(&props, NV_UNIQUE_NAME, 0) != 0 ||
	    nvlist_add_string(props, zpool_prop_to_name(ZPOOL_PROP_CACHEFILE), "none") != 0)
		return nrd_nomem(err);
	(void)snprintf(guid, sizeof(guid), "%llu", (unsigned long long)found->guid);
	if (zpool_import_props(store->zfs, found->config, NULL, props, ZFS_IMPORT_NORMAL) != 0)
		return store_fail(store, err, "import pool %s", found->name);
	return 0;
}

static int
pool_open(struct store *store, const char *pool, zpool_handle_t **ret, struct nrd_err *err)
{
	*ret = zpool_open_canfail(store->zfs, pool);
	if (*ret == NULL)
		return store_fail(store, err, "pool %s", pool);
	return 0;
}

int
store_pool_export(struct store *store, const char *pool, struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (zpool_disable_datasets(zhp, B_FALSE) != 0 || zpool_export(zhp, B_FALSE, "export") != 0)
		return store_fail(store, err, "export pool %s", pool);
	return 0;
}

int
store_pool_destroy(struct store *store, const char *pool, struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (zpool_disable_datasets(zhp, B_TRUE) != 0 || zpool_destroy(zhp, "destroy") != 0)
		return store_fail(store, err, "destroy pool %s", pool);
	return 0;
}

struct names {
	char **v;
	bool nomem;
};

static int
add_name(zpool_handle_t *zhp, void *arg)
{
	struct names *names = arg;

	if (nrd_strv_add(&names->v, zpool_get_name(zhp)) < 0)
		names->nomem = true;
	zpool_close(zhp);
	return 0;
}

int
store_pools(struct store *store, char ***ret_names, struct nrd_err *err)
{
	struct names names = { 0 };

	if (zpool_iter(store->zfs, add_name, &names) != 0 || names.nomem) {
		nrd_strv_free(names.v);
		return names.nomem ? nrd_nomem(err) : store_fail(store, err, "list the pools");
	}
	*ret_names = names.v;
	return 0;
}

bool
store_pool_exists(struct store *store, const char *pool)
{
	STORE_POOL zpool_handle_t *zhp = zpool_open_canfail(store->zfs, pool);

	return zhp != NULL;
}

int
store_pool_health(struct store *store, const char *pool, struct store_pool_health *ret_health,
		  struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	boolean_t gone = B_FALSE;
	nvlist_t *config;
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (zpool_refresh_stats(zhp, &gone) != 0)
		return store_fail(store, err, "ask pool %s", pool);
	config = zpool_get_config(zhp, NULL);
	if (gone || config == NULL)
		return nrd_fail(err, EIO, "ZfsPoolUnavailable", "pool %s does not answer", pool);
	store_vdev_health(config, true, ret_health);
	return 0;
}

int
store_pool_get(struct store *store, const char *pool, const char *prop, char *dst, size_t size,
	       struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	zpool_prop_t id = zpool_name_to_prop(prop);
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (id == ZPOOL_PROP_INVAL && !zfs_prop_user(prop))
		return nrd_fail(err, EINVAL, "ZfsBadProperty", "pool %s: no property \"%s\"", pool,
				prop);
	r = id == ZPOOL_PROP_INVAL ? zpool_get_userprop(zhp, prop, dst, size, NULL)
				   : zpool_get_prop(zhp, id, dst, size, NULL, B_TRUE);
	if (r != 0 && id == ZPOOL_PROP_INVAL)
		return nrd_strcpy_to(dst, size, "");
	if (r != 0)
		return store_fail(store, err, "pool %s: get %s", pool, prop);
	return 0;
}

int
store_pool_set(struct store *store, const char *pool, const char *prop, const char *value,
	       struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (zpool_set_prop(zhp, prop, value) != 0)
		return store_fail(store, err, "pool %s: set %s=%s", pool, prop, value);
	return 0;
}

int
store_volume_takes(struct store *store, const char *pool, uint64_t bytes, uint64_t block_size, uint64_t *ret_bytes,
		   struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = NULL;
	STORE_NVLIST nvlist_t *props = NULL;
	int r = pool_open(store, pool, &zhp, err);

	if (r < 0)
		return r;
	if (nvlist_alloc(&props, NV_UNIQUE_NAME, 0) != 0 || nvlist_add_uint64(props, "volblocksize", block_size) != 0)
		return nrd_nomem(err);
	*ret_bytes = zvol_volsize_to_reservation(zhp, bytes, props);
	return 0;
}
