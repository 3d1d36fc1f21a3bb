/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "datasets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "store/pool.h"

#define DATASET_PROPS_MAX 8

struct dataset {
	const char *name;
	const char *dir; /* NULL: where its own mountpoint says */
	const char *props[DATASET_PROPS_MAX]; /* "@" begins a value below the pool's mountpoint */
};

/* However full the pool is, machines can be changed and deleted, and it is written down. */
static const struct dataset datasets[] = {
	{ "usbkey", "/usbkey", { "mountpoint", "legacy" } },
	{ "config", "/etc/zones", { "mountpoint", "legacy", "refreservation", "32M" } },
	{ "var", "/var", { "mountpoint", "legacy", "refreservation", "64M" } },
	{ "opt", "/opt", { "mountpoint", "legacy" } },
	{ "cores", NULL, { "mountpoint", "@/global/cores", "quota", "10G" } },
	{ "archive", NULL, { NULL } },
	{ "boot", NULL, { NULL } },
};

static int
full_name(const char *pool, const char *name, char *dst, size_t size, struct nrd_err *err)
{
	if (snprintf(dst, size, "%s/%s", pool, name) >= (int)size)
		return nrd_fail(err, ENAMETOOLONG, "ZfsBadName", "pool name %s is too long", pool);
	return 0;
}

int
node_pool_complete(struct store *store, const char *pool, bool *ret_complete, struct nrd_err *err)
{
	char value[64];
	int r = store_dataset_get(store, pool, NODE_SETUP_PROP, value, sizeof(value), err);

	if (r < 0)
		return r;
	*ret_complete = !nrd_streq(value, NODE_SETUP_INCOMPLETE);
	return 0;
}

static bool
has_mark(const char *pool)
{
	char path[STORE_NAME_MAX + 32];

	(void)snprintf(path, sizeof(path), "/%s/" NODE_SYSTEM_POOL_MARK, pool);
	return access(path, F_OK) == 0;
}

int
node_pool_find(struct store *store, char **ret_pool, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	const char *found = NULL;
	int r = store_pools(store, &names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		struct store_pool_health health;

		/* A suspended pool would keep us waiting for ever. */
		if (store_pool_health(store, names[i], &health, NULL) < 0 ||
		    health.health >= STORE_SUSPENDED)
			continue;
		(void)store_dataset_mount(store, names[i], NULL);
		if (found == NULL && has_mark(names[i]))
			found = names[i];
	}
	if (found == NULL && nrd_strv_has(NRD_CSTRV(names), NODE_POOL))
		found = NODE_POOL;
	*ret_pool = NULL;
	if (found != NULL) {
		*ret_pool = nrd_format("%s", found);
		if (*ret_pool == NULL)
			return nrd_nomem(err);
	}
	return 0;
}

bool
node_pool_configured(const char *pool)
{
	return has_mark(pool);
}

static int
dataset_make(struct store *store, const char *pool, const struct dataset *d, const char *name,
	     struct nrd_err *err)
{
	const char *props[DATASET_PROPS_MAX];
	char below[STORE_NAME_MAX + 64];

	for (size_t i = 0; i < DATASET_PROPS_MAX; i++) {
		props[i] = d->props[i];
		if (props[i] == NULL || props[i][0] != '@')
			continue;
		(void)snprintf(below, sizeof(below), "/%s%s", pool, props[i] + 1);
		props[i] = below;
	}
	return store_dataset_create(store, name, props, err);
}

int
node_datasets_make(struct store *store, const char *pool, unsigned *ret_made, struct nrd_err *err)
{
	unsigned made = 0;

	for (size_t i = 0; i < nrd_count(datasets); i++) {
		char name[STORE_NAME_MAX];
		int r = full_name(pool, datasets[i].name, name, sizeof(name), err);

		if (r < 0)
			return r;
		if (store_dataset_exists(store, name))
			continue;
		r = dataset_make(store, pool, &datasets[i], name, err);
		if (r < 0)
			return r;
		made++;
	}
	if (ret_made != NULL)
		*ret_made = made;
	return 0;
}

static int
mount_one(struct store *store, const struct dataset *d, const char *name, struct nrd_err *err)
{
	char mountpoint[256];
	int r;

	if (!store_dataset_exists(store, name))
		return nrd_fail(err, ENOENT, "DatasetMissing",
				"dataset %s is missing; nereid-setup makes it anew, empty", name);
	if (d->dir == NULL)
		return store_dataset_mount(store, name, err);
	/* A pool from elsewhere may have it mount by itself: that must not hide it from us. */
	r = store_dataset_get(store, name, "mountpoint", mountpoint, sizeof(mountpoint), err);
	if (r >= 0 && !nrd_streq(mountpoint, "legacy"))
		r = store_dataset_set(store, name, "mountpoint", "legacy", err);
	return r < 0 ? r : store_dataset_mount_at(name, d->dir, err);
}

int
node_datasets_mount(struct store *store, const char *pool, struct nrd_err *err)
{
	int first = store_dataset_mount(store, pool, err);

	for (size_t i = 0; i < nrd_count(datasets); i++) {
		char name[STORE_NAME_MAX];
		int r = full_name(pool, datasets[i].name, name, sizeof(name),
				  first < 0 ? NULL : err);

		if (r >= 0)
			r = mount_one(store, &datasets[i], name, first < 0 ? NULL : err);
		if (r < 0 && first >= 0)
			first = r;
	}
	return first < 0 ? first : 0;
}

void
node_datasets_unmount(void)
{
	for (size_t i = nrd_count(datasets); i-- > 0;)
		if (datasets[i].dir != NULL)
			(void)umount2(datasets[i].dir, MNT_DETACH);
}
