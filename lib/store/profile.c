/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "profile-priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/fs/zfs.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "store-priv.h"

/* A pool is not deeper than root, raidz, spare, replacing, leaf. */
#define VDEV_DEPTH_MAX 8

static const char *
text_of(nvlist_t *vdev, const char *key)
{
	const char *value = "";

	(void)nvlist_lookup_string(vdev, key, &value);
	return value;
}

static int
devices_add(nvlist_t *vdev, unsigned depth, char ***devices)
{
	nvlist_t **child;
	const char *path;
	uint_t n;

	if (depth > VDEV_DEPTH_MAX)
		return 0;
	if (nvlist_lookup_nvlist_array(vdev, ZPOOL_CONFIG_CHILDREN, &child, &n) == 0) {
		for (uint_t i = 0; i < n; i++)
			if (devices_add(child[i], depth + 1, devices) < 0)
				return -ENOMEM;
		return 0;
	}
	path = text_of(vdev, ZPOOL_CONFIG_PATH);
	/* A spare in use is named twice: among the spares and where it stands in. */
	if (path[0] == '\0' || nrd_strv_has(NRD_CSTRV(*devices), path))
		return 0;
	return nrd_strv_add(devices, path);
}

static int
devices_of(nvlist_t *root, char ***devices)
{
	static const char *const more[] = { ZPOOL_CONFIG_L2CACHE, ZPOOL_CONFIG_SPARES };
	int r = devices_add(root, 0, devices);

	for (size_t i = 0; r == 0 && i < nrd_count(more); i++) {
		nvlist_t **child;
		uint_t n;

		if (nvlist_lookup_nvlist_array(root, more[i], &child, &n) != 0)
			continue;
		for (uint_t j = 0; r == 0 && j < n; j++)
			r = devices_add(child[j], 1, devices);
	}
	return r;
}

static bool
holds_data(nvlist_t *vdev)
{
	const char *type = text_of(vdev, ZPOOL_CONFIG_TYPE);
	uint64_t log = 0;

	(void)nvlist_lookup_uint64(vdev, ZPOOL_CONFIG_IS_LOG, &log);
	return log == 0 && text_of(vdev, ZPOOL_CONFIG_ALLOCATION_BIAS)[0] == '\0' &&
	       !nrd_streq(type, VDEV_TYPE_HOLE) && !nrd_streq(type, VDEV_TYPE_INDIRECT);
}

/* The first group of the pool speaks for all: mixed ones are refused when they are made. */
static void
kind_of(nvlist_t *root, char *dst, size_t size)
{
	nvlist_t **child;
	uint_t n;

	(void)snprintf(dst, size, "striped");
	if (nvlist_lookup_nvlist_array(root, ZPOOL_CONFIG_CHILDREN, &child, &n) != 0)
		return;
	for (uint_t i = 0; i < n; i++) {
		const char *type = text_of(child[i], ZPOOL_CONFIG_TYPE);
		uint64_t parity = 1;

		if (!holds_data(child[i]))
			continue;
		(void)nvlist_lookup_uint64(child[i], ZPOOL_CONFIG_NPARITY, &parity);
		if (nrd_streq(type, VDEV_TYPE_RAIDZ) && parity > 1)
			(void)snprintf(dst, size, "raidz%u", (unsigned)(parity & 0xff));
		else if (nrd_streq(type, VDEV_TYPE_RAIDZ) || nrd_streq(type, VDEV_TYPE_MIRROR) ||
			 nrd_streq(type, VDEV_TYPE_DRAID))
			(void)snprintf(dst, size, "%s", type);
		return;
	}
}

int
store_profile_read(nvlist_t *config, struct store_profile *ret_profile, struct nrd_err *err)
{
	NRD_AUTO(store_profile) profile = { 0 };
	nvlist_t *root = NULL;

	if (nvlist_lookup_nvlist(config, ZPOOL_CONFIG_VDEV_TREE, &root) != 0)
		return nrd_fail(err, EIO, "ZfsPoolUnavailable",
				"the pool does not tell its devices");
	kind_of(root, profile.kind, sizeof(profile.kind));
	if (devices_of(root, &profile.devices) < 0)
		return nrd_nomem(err);
	*ret_profile = profile;
	profile.devices = NULL;
	return 0;
}

int
store_pool_profile(struct store *store, const char *pool, struct store_profile *ret_profile,
		   struct nrd_err *err)
{
	STORE_POOL zpool_handle_t *zhp = zpool_open_canfail(store->zfs, pool);
	nvlist_t *config;

	if (zhp == NULL)
		return store_fail(store, err, "open pool %s", pool);
	config = zpool_get_config(zhp, NULL);
	if (config == NULL)
		return nrd_fail(err, EIO, "ZfsPoolUnavailable", "pool %s does not answer", pool);
	return nrd_wrap(err, store_profile_read(config, ret_profile, err), "pool %s", pool);
}

void
store_profile_fini(struct store_profile *profile)
{
	nrd_strv_free(profile->devices);
	*profile = (struct store_profile){ 0 };
}

void
store_profile_cleanup(struct store_profile *profile)
{
	store_profile_fini(profile);
}
