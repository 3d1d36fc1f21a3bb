/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vdev.h"

#include <stdio.h>
#include <string.h>

#include <sys/fs/zfs.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "store-libzfs.h"

/* A pool is not deeper than root, raidz, spare, replacing, leaf. */
#define VDEV_DEPTH_MAX 8

/* The worst leaf seen, and which group it belongs to. */
struct trouble {
	const char *group;
	char group_name[64];
	char device[96];   /* for people */
	char handle[96];   /* for zpool: a device that is gone is known by its guid alone */
	unsigned n;        /* leaves in trouble */
	uint64_t state;    /* of the worst */
	uint64_t aux;
	bool missing;
};

static const struct {
	uint64_t state;
	int rank; /* higher: told first */
	const char *words;
} states[] = {
	{ VDEV_STATE_CANT_OPEN, 5, "is missing" },
	{ VDEV_STATE_REMOVED, 4, "was pulled out" },
	{ VDEV_STATE_FAULTED, 3, "has failed" },
	{ VDEV_STATE_OFFLINE, 2, "was taken offline" },
	{ VDEV_STATE_DEGRADED, 1, "has had errors" },
};

static const struct {
	uint64_t aux;
	const char *words;
} causes[] = {
	{ VDEV_AUX_CORRUPT_DATA, "holds something else now" },
	{ VDEV_AUX_BAD_LABEL, "has a damaged label" },
	{ VDEV_AUX_TOO_SMALL, "is smaller than it was" },
	{ VDEV_AUX_ERR_EXCEEDED, "has failed: too many errors" },
	{ VDEV_AUX_BAD_LOG, "has an unreadable intent log" },
	{ VDEV_AUX_ACTIVE, "is in use by another node" },
};

static int
rank_of(uint64_t state)
{
	for (size_t i = 0; i < nrd_count(states); i++)
		if (states[i].state == state)
			return states[i].rank;
	return 0;
}

static const char *
words_of(uint64_t state, uint64_t aux)
{
	for (size_t i = 0; i < nrd_count(causes); i++)
		if (causes[i].aux == aux)
			return causes[i].words;
	for (size_t i = 0; i < nrd_count(states); i++)
		if (states[i].state == state)
			return states[i].words;
	return "is not well";
}

static bool
stats_of(nvlist_t *vdev, uint64_t *ret_state, uint64_t *ret_aux)
{
	uint64_t *words;
	uint_t n;
	vdev_stat_t vs = { 0 };

	if (nvlist_lookup_uint64_array(vdev, ZPOOL_CONFIG_VDEV_STATS, &words, &n) != 0)
		return false;
	memcpy(&vs, words, n * sizeof(*words) < sizeof(vs) ? n * sizeof(*words) : sizeof(vs));
	*ret_state = vs.vs_state;
	*ret_aux = vs.vs_aux;
	return true;
}

static void
device_name(nvlist_t *vdev, char *dst, size_t size)
{
	const char *path = NULL;
	const char *base;
	uint64_t guid = 0;

	if (nvlist_lookup_string(vdev, ZPOOL_CONFIG_PATH, &path) == 0) {
		base = strrchr(path, '/');
		(void)snprintf(dst, size, "%s", base != NULL ? base + 1 : path);
	} else {
		(void)nvlist_lookup_uint64(vdev, ZPOOL_CONFIG_GUID, &guid);
		(void)snprintf(dst, size, "%llu", (unsigned long long)guid);
	}
}

static void
look_at_leaf(nvlist_t *vdev, struct trouble *t)
{
	uint64_t state = 0;
	uint64_t aux = 0;
	uint64_t gone;
	uint64_t guid;

	if (!stats_of(vdev, &state, &aux) || rank_of(state) == 0)
		return;
	t->n++;
	if (state == VDEV_STATE_CANT_OPEN && aux == VDEV_AUX_OPEN_FAILED)
		t->missing = true;
	if (t->n > 1 && rank_of(state) <= rank_of(t->state))
		return;
	t->state = state;
	t->aux = aux;
	device_name(vdev, t->device, sizeof(t->device));
	if (nvlist_lookup_uint64(vdev, ZPOOL_CONFIG_NOT_PRESENT, &gone) == 0 &&
	    nvlist_lookup_uint64(vdev, ZPOOL_CONFIG_GUID, &guid) == 0)
		(void)snprintf(t->handle, sizeof(t->handle), "%llu", (unsigned long long)guid);
	else
		memcpy(t->handle, t->device, sizeof(t->handle));
	(void)snprintf(t->group_name, sizeof(t->group_name), "%s", t->group);
}

static void
walk(nvlist_t *vdev, unsigned depth, struct trouble *t)
{
	nvlist_t **child;
	uint_t n;

	if (depth > VDEV_DEPTH_MAX)
		return;
	if (nvlist_lookup_nvlist_array(vdev, ZPOOL_CONFIG_CHILDREN, &child, &n) != 0) {
		const char *type = "";

		(void)nvlist_lookup_string(vdev, ZPOOL_CONFIG_TYPE, &type);
		/* Places where a device was taken out of the pool for good. */
		if (!nrd_streq(type, VDEV_TYPE_HOLE) && !nrd_streq(type, VDEV_TYPE_INDIRECT))
			look_at_leaf(vdev, t);
		return;
	}
	for (uint_t i = 0; i < n; i++) {
		char name[64];
		const char *type = "";
		uint64_t id = i;

		if (depth == 0) {
			(void)nvlist_lookup_string(child[i], ZPOOL_CONFIG_TYPE, &type);
			(void)nvlist_lookup_uint64(child[i], ZPOOL_CONFIG_ID, &id);
			if (nrd_streq(type, VDEV_TYPE_DISK) || nrd_streq(type, VDEV_TYPE_FILE) ||
			    nrd_streq(type, VDEV_TYPE_MISSING))
				name[0] = '\0';
			else
				(void)snprintf(name, sizeof(name), "%.40s-%llu", type,
					       (unsigned long long)id);
			t->group = name;
		}
		walk(child[i], depth + 1, t);
	}
}

static void
say(struct store_pool_health *h, const char *pool, const struct trouble *t, bool imported)
{
	char more[32] = "";
	bool in_group = t->group_name[0] != '\0';

	if (t->n == 0) {
		(void)snprintf(h->what, sizeof(h->what), "it needs attention");
		(void)snprintf(h->todo, sizeof(h->todo), "see zpool status %s",
			       imported ? pool : "");
		return;
	}
	if (t->n > 1)
		(void)snprintf(more, sizeof(more), ", and %u more", t->n - 1);
	(void)snprintf(h->what, sizeof(h->what), "%.40s%s%.64s %s%s", t->group_name,
		       in_group ? ": " : "", t->device, words_of(t->state, t->aux), more);
	if (h->health == STORE_SUSPENDED)
		(void)snprintf(h->todo, sizeof(h->todo), "bring the disks back, then: zpool clear %s",
			       pool);
	else if (!imported)
		(void)snprintf(h->todo, sizeof(h->todo), "bring the disks back and reboot");
	else if (t->state == VDEV_STATE_OFFLINE)
		(void)snprintf(h->todo, sizeof(h->todo), "zpool online %s %s", pool, t->handle);
	else
		(void)snprintf(h->todo, sizeof(h->todo),
			       "put the disk back, or: zpool replace %s %s NEWDISK", pool,
			       t->handle);
}

void
store_vdev_health(nvlist_t *config, bool imported, struct store_pool_health *ret_health)
{
	struct store_pool_health h = { .health = STORE_ONLINE };
	struct trouble t = { .group = "" };
	const char *pool = "";
	nvlist_t *root = NULL;
	uint64_t state = VDEV_STATE_HEALTHY;
	uint64_t aux = VDEV_AUX_NONE;
	uint64_t suspended;

	(void)nvlist_lookup_string(config, ZPOOL_CONFIG_POOL_NAME, &pool);
	if (nvlist_lookup_nvlist(config, ZPOOL_CONFIG_VDEV_TREE, &root) != 0 ||
	    !stats_of(root, &state, &aux))
		state = VDEV_STATE_CANT_OPEN;
	if (root != NULL)
		walk(root, 0, &t);
	if (imported && nvlist_lookup_uint64(config, ZPOOL_CONFIG_SUSPENDED, &suspended) == 0)
		h.health = STORE_SUSPENDED;
	else if (state == VDEV_STATE_DEGRADED)
		h.health = STORE_DEGRADED;
	else if (state != VDEV_STATE_HEALTHY)
		h.health = STORE_FAULTED;
	else if (t.n > 0)
		/* A log or cache device alone does not degrade the root. */
		h.health = STORE_DEGRADED;
	h.missing = t.missing;
	if (aux == VDEV_AUX_VERSION_NEWER || aux == VDEV_AUX_UNSUP_FEAT) {
		(void)snprintf(h.what, sizeof(h.what),
			       "it was made or upgraded by a newer OpenZFS");
		(void)snprintf(h.todo, sizeof(h.todo), "boot a newer platform");
	} else if (h.health != STORE_ONLINE) {
		say(&h, pool, &t, imported);
	}
	*ret_health = h;
}
