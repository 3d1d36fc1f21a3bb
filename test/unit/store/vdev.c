/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "store/vdev.h"

#include <sys/fs/zfs.h>

#include "nrd-test.h"
#include "store/store-libzfs.h"

static void
loads_libzfs(void)
{
	struct nrd_err e = { 0 };

	CHECK_OK(store_libzfs_load(&e), e);
}

static nvlist_t *
vdev(const char *type, const char *path, uint64_t state, uint64_t aux)
{
	vdev_stat_t vs = { .vs_state = state, .vs_aux = aux };
	nvlist_t *v = NULL;

	CHECK(nvlist_alloc(&v, NV_UNIQUE_NAME, 0) == 0);
	CHECK(nvlist_add_string(v, ZPOOL_CONFIG_TYPE, type) == 0);
	if (path != NULL)
		CHECK(nvlist_add_string(v, ZPOOL_CONFIG_PATH, path) == 0);
	CHECK(nvlist_add_uint64_array(v, ZPOOL_CONFIG_VDEV_STATS, (uint64_t *)(void *)&vs,
				      sizeof(vs) / sizeof(uint64_t)) == 0);
	return v;
}

/* A pool of one mirror whose second disk is in that state. */
static nvlist_t *
mirror_pool(uint64_t root_state, uint64_t state, uint64_t aux)
{
	nvlist_t *a = vdev(VDEV_TYPE_DISK, "/dev/disk/by-id/ata-A", VDEV_STATE_HEALTHY, 0);
	nvlist_t *b = vdev(VDEV_TYPE_DISK, "/dev/vdb3", state, aux);
	nvlist_t *mirror = vdev(VDEV_TYPE_MIRROR, NULL, root_state, 0);
	nvlist_t *root = vdev(VDEV_TYPE_ROOT, NULL, root_state, 0);
	const nvlist_t *disks[] = { a, b };
	const nvlist_t *tops[] = { mirror };
	nvlist_t *config = NULL;

	CHECK(nvlist_add_nvlist_array(mirror, ZPOOL_CONFIG_CHILDREN, disks, 2) == 0);
	tops[0] = mirror;
	CHECK(nvlist_add_nvlist_array(root, ZPOOL_CONFIG_CHILDREN, tops, 1) == 0);
	CHECK(nvlist_alloc(&config, NV_UNIQUE_NAME, 0) == 0);
	CHECK(nvlist_add_string(config, ZPOOL_CONFIG_POOL_NAME, "zones") == 0);
	CHECK(nvlist_add_nvlist(config, ZPOOL_CONFIG_VDEV_TREE, root) == 0);
	nvlist_free(a);
	nvlist_free(b);
	nvlist_free(mirror);
	nvlist_free(root);
	return config;
}

static void
a_sound_pool(void)
{
	nvlist_t *config = mirror_pool(VDEV_STATE_HEALTHY, VDEV_STATE_HEALTHY, 0);
	struct store_pool_health h;

	store_vdev_health(config, true, &h);
	CHECK_INT(h.health, STORE_ONLINE);
	CHECK_STR(h.what, "");
	CHECK(!h.missing);
	nvlist_free(config);
}

static void
names_the_missing_disk(void)
{
	nvlist_t *config = mirror_pool(VDEV_STATE_DEGRADED, VDEV_STATE_CANT_OPEN, VDEV_AUX_OPEN_FAILED);
	struct store_pool_health h;

	store_vdev_health(config, true, &h);
	CHECK_INT(h.health, STORE_DEGRADED);
	CHECK_STR(h.what, "mirror-0: vdb3 is missing");
	CHECK_STR(h.todo, "put the disk back, or: zpool replace zones vdb3 NEWDISK");
	CHECK(h.missing);
	store_vdev_health(config, false, &h);
	CHECK_STR(h.todo, "bring the disks back and reboot");
	nvlist_free(config);
}

/* What is gone has no name any more that zpool would take. */
static void
a_gone_disk_is_known_by_its_guid(void)
{
	nvlist_t *config = mirror_pool(VDEV_STATE_DEGRADED, VDEV_STATE_CANT_OPEN, VDEV_AUX_OPEN_FAILED);
	nvlist_t *root = fnvlist_lookup_nvlist(config, ZPOOL_CONFIG_VDEV_TREE);
	nvlist_t **mirror;
	nvlist_t **disks;
	struct store_pool_health h;
	uint_t n;

	CHECK(nvlist_lookup_nvlist_array(root, ZPOOL_CONFIG_CHILDREN, &mirror, &n) == 0);
	CHECK(nvlist_lookup_nvlist_array(mirror[0], ZPOOL_CONFIG_CHILDREN, &disks, &n) == 0);
	CHECK(nvlist_add_uint64(disks[1], ZPOOL_CONFIG_NOT_PRESENT, 1) == 0);
	CHECK(nvlist_add_uint64(disks[1], ZPOOL_CONFIG_GUID, 4711) == 0);
	store_vdev_health(config, true, &h);
	CHECK_STR(h.what, "mirror-0: vdb3 is missing");
	CHECK_STR(h.todo, "put the disk back, or: zpool replace zones 4711 NEWDISK");
	nvlist_free(config);
}

static void
tells_offline_failed_and_suspended(void)
{
	nvlist_t *config = mirror_pool(VDEV_STATE_DEGRADED, VDEV_STATE_OFFLINE, 0);
	struct store_pool_health h;

	store_vdev_health(config, true, &h);
	CHECK_STR(h.todo, "zpool online zones vdb3");
	CHECK(!h.missing);
	nvlist_free(config);
	config = mirror_pool(VDEV_STATE_DEGRADED, VDEV_STATE_FAULTED, VDEV_AUX_ERR_EXCEEDED);
	store_vdev_health(config, true, &h);
	CHECK_STR(h.what, "mirror-0: vdb3 has failed: too many errors");
	CHECK(nvlist_add_uint64(config, ZPOOL_CONFIG_SUSPENDED, 0) == 0);
	store_vdev_health(config, true, &h);
	CHECK_INT(h.health, STORE_SUSPENDED);
	CHECK_HAS(h.todo, "zpool clear zones");
	nvlist_free(config);
}

static void
a_pool_that_cannot_be_opened(void)
{
	nvlist_t *config = mirror_pool(VDEV_STATE_CANT_OPEN, VDEV_STATE_CANT_OPEN, VDEV_AUX_OPEN_FAILED);
	nvlist_t *nothing = NULL;
	struct store_pool_health h;

	store_vdev_health(config, false, &h);
	CHECK_INT(h.health, STORE_FAULTED);
	nvlist_free(config);
	CHECK(nvlist_alloc(&nothing, NV_UNIQUE_NAME, 0) == 0);
	store_vdev_health(nothing, false, &h);
	CHECK_INT(h.health, STORE_FAULTED);
	CHECK(h.what[0] != '\0');
	nvlist_free(nothing);
}

TEST_MAIN(loads_libzfs, a_sound_pool, names_the_missing_disk, a_gone_disk_is_known_by_its_guid, tells_offline_failed_and_suspended,
	  a_pool_that_cannot_be_opened)
