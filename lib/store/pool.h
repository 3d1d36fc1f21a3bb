/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "store/store.h"

#define STORE_NAME_MAX 256

enum store_health {
	STORE_ONLINE,
	STORE_DEGRADED,  /* works, with less safety than it was made for */
	STORE_SUSPENDED, /* stopped: too many devices went away */
	STORE_FAULTED,   /* cannot be used */
};

/*
 * How a pool is, in words for the operator: `what` names the device and its trouble ("mirror-0:
 * vdb3 is missing"), `todo` the remedy ("put the disk back, or: zpool replace zones ..."). Both
 * are empty when the pool is well.
 */
struct store_pool_health {
	enum store_health health;
	bool missing; /* devices are missing: more of them may yet appear */
	char what[160];
	char todo[200];
};

/* Pools that could be imported: found on disks, not imported. */
struct store_found {
	char name[STORE_NAME_MAX];
	uint64_t guid;
	bool usable;   /* importing it can work */
	bool twin;     /* another one found or imported has the same name */
	struct store_pool_health health;
	void *config;  /* libzfs's */
};

struct store_search {
	struct store_found *data;
	size_t len;
	size_t cap;
};

/*
 * Reads the labels of all disks and partitions. Devices get their stable names (/dev/disk/by-id)
 * where udev has given one. "ZfsSearch".
 */
int store_search(struct store *store, struct store_search *ret_search, struct nrd_err *err);
void store_search_fini(struct store_search *search);
void store_search_cleanup(struct store_search *search);

/*
 * Imports, mounting nothing; the pool is not remembered in a cache file: the disks themselves
 * are asked at each boot. A pool last used by another node is taken, as disks move between
 * chassis; one that is in use elsewhere right now (multihost) is refused:
 * "ZfsPoolActiveElsewhere".
 */
int store_pool_import(struct store *store, const struct store_found *found, struct nrd_err *err);

/* Unmounts and lets go. */
int store_pool_export(struct store *store, const char *pool, struct nrd_err *err);

/* Destroys an imported pool and all that is on it. */
int store_pool_destroy(struct store *store, const char *pool, struct nrd_err *err);

/* Names of the imported pools; caller frees (nrd_strv_free). */
int store_pools(struct store *store, char ***ret_names, struct nrd_err *err);

bool store_pool_exists(struct store *store, const char *pool);

/* "ZfsNotFound". */
int store_pool_health(struct store *store, const char *pool, struct store_pool_health *ret_health,
		      struct nrd_err *err);

/* A property of the pool, user properties as well. "ZfsNotFound", "ZfsBadProperty". */
int store_pool_get(struct store *store, const char *pool, const char *prop, char *dst, size_t size,
		   struct nrd_err *err);
int store_pool_set(struct store *store, const char *pool, const char *prop, const char *value,
		   struct nrd_err *err);

/*
 * What a volume of so many bytes takes at most when all of it is written, with what ZFS needs to find it; of a pool that is there.
 * "ZfsPoolUnavailable" and the like.
 */
int store_volume_takes(struct store *store, const char *pool, uint64_t bytes, uint64_t block_size, uint64_t *ret_bytes,
		       struct nrd_err *err);
