/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "store/profile-priv.h"

#include <sys/fs/zfs.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/store-libzfs.h"

static struct nrd_err err;

static void
loads_libzfs(void)
{
	struct nrd_err e = { 0 };

	CHECK_OK(store_libzfs_load(&e), e);
}

static nvlist_t *
vdev(const char *type, const char *path)
{
	nvlist_t *v = NULL;

	CHECK(nvlist_alloc(&v, NV_UNIQUE_NAME, 0) == 0);
	CHECK(nvlist_add_string(v, ZPOOL_CONFIG_TYPE, type) == 0);
	if (path != NULL)
		CHECK(nvlist_add_string(v, ZPOOL_CONFIG_PATH, path) == 0);
	return v;
}

/* Takes the children. */
static void
children(nvlist_t *parent, const char *key, nvlist_t *a, nvlist_t *b)
{
	const nvlist_t *all[2] = { a, b };

	CHECK(nvlist_add_nvlist_array(parent, key, all, b == NULL ? 1 : 2) == 0);
	nvlist_free(a);
	nvlist_free(b);
}

static nvlist_t *
group(const char *type, const char *a, const char *b)
{
	nvlist_t *v = vdev(type, NULL);

	children(v, ZPOOL_CONFIG_CHILDREN, vdev(VDEV_TYPE_DISK, a), vdev(VDEV_TYPE_DISK, b));
	return v;
}

/* Takes root. */
static void
profile_is(nvlist_t *root, const char *kind, const char *devices)
{
	NRD_AUTO(store_profile) profile = { 0 };
	NRD_FREE char *list = NULL;
	nvlist_t *config = NULL;

	CHECK(nvlist_alloc(&config, NV_UNIQUE_NAME, 0) == 0);
	CHECK(nvlist_add_nvlist(config, ZPOOL_CONFIG_VDEV_TREE, root) == 0);
	nvlist_free(root);
	CHECK_OK(store_profile_read(config, &profile, &err), err);
	nvlist_free(config);
	CHECK_STR(profile.kind, kind);
	list = nrd_strv_join(NRD_CSTRV(profile.devices), " ");
	CHECK_STR(list, devices);
}

static void
mirror_with_log_cache_and_spare(void)
{
	nvlist_t *root = vdev(VDEV_TYPE_ROOT, NULL), *log = vdev(VDEV_TYPE_DISK, "/dev/c");

	CHECK(nvlist_add_uint64(log, ZPOOL_CONFIG_IS_LOG, 1) == 0);
	children(root, ZPOOL_CONFIG_CHILDREN, log, group(VDEV_TYPE_MIRROR, "/dev/a", "/dev/b"));
	children(root, ZPOOL_CONFIG_L2CACHE, vdev(VDEV_TYPE_DISK, "/dev/d"), NULL);
	children(root, ZPOOL_CONFIG_SPARES, vdev(VDEV_TYPE_DISK, "/dev/e"),
		 vdev(VDEV_TYPE_DISK, "/dev/b"));
	profile_is(root, "mirror", "/dev/c /dev/a /dev/b /dev/d /dev/e");
}

static void
raidz_by_parity(void)
{
	static const char *const kinds[] = { "raidz", "raidz2", "raidz3" };

	for (uint64_t parity = 1; parity <= 3; parity++) {
		nvlist_t *root = vdev(VDEV_TYPE_ROOT, NULL);
		nvlist_t *raidz = group(VDEV_TYPE_RAIDZ, "/dev/a", "/dev/b");

		CHECK(nvlist_add_uint64(raidz, ZPOOL_CONFIG_NPARITY, parity) == 0);
		children(root, ZPOOL_CONFIG_CHILDREN, raidz, NULL);
		profile_is(root, kinds[parity - 1], "/dev/a /dev/b");
	}
}

static void
stripe(void)
{
	nvlist_t *root = vdev(VDEV_TYPE_ROOT, NULL), *special = group(VDEV_TYPE_MIRROR, "/dev/s",
								      "/dev/t");

	CHECK(nvlist_add_string(special, ZPOOL_CONFIG_ALLOCATION_BIAS, "special") == 0);
	children(root, ZPOOL_CONFIG_CHILDREN, special, vdev(VDEV_TYPE_DISK, "/dev/a"));
	profile_is(root, "striped", "/dev/s /dev/t /dev/a");
	root = vdev(VDEV_TYPE_ROOT, NULL);
	children(root, ZPOOL_CONFIG_CHILDREN, vdev(VDEV_TYPE_HOLE, NULL),
		 group(VDEV_TYPE_MIRROR, "/dev/a", "/dev/b"));
	profile_is(root, "mirror", "/dev/a /dev/b");
}

static void
no_tree(void)
{
	struct store_profile profile = { 0 };
	nvlist_t *config = NULL;

	CHECK(nvlist_alloc(&config, NV_UNIQUE_NAME, 0) == 0);
	CHECK_FAILS(store_profile_read(config, &profile, &err), err, EIO, "ZfsPoolUnavailable");
	nvlist_free(config);
}

TEST_MAIN(loads_libzfs, mirror_with_log_cache_and_spare, raidz_by_parity, stripe, no_tree)
