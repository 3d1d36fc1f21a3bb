/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sysinfo-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "store/profile.h"
#include "store/store.h"

#define MOUNTS_MAX ((size_t)4 << 20) /* with a mount for each machine */

bool
sysinfo_pool_of(const char *mounts, char *dst, size_t size)
{
	struct nrd_str rest = nrd_str(mounts), line;
	bool found = false;

	while (nrd_str_split(&rest, '\n', &line)) {
		struct nrd_str source, where, type;
		char text[256];

		if (!nrd_str_word(&line, &source) || !nrd_str_word(&line, &where) ||
		    !nrd_str_word(&line, &type) || !nrd_str_eq(where, "/var") ||
		    !nrd_str_eq(type, "zfs") || source.len >= sizeof(text))
			continue;
		memcpy(text, source.data, source.len);
		text[source.len] = '\0';
		text[strcspn(text, "/")] = '\0';
		/* The last mount on a place is the one that is seen. */
		found = nrd_strcpy_to(dst, size, text) == 0 && dst[0] != '\0';
	}
	return found;
}

/* "/dev/disk/by-id/x-part3" and "/dev/vda3" are "vda"; what is no device any more stays. */
static int
disk_add(struct sysinfo_pool *pool, const char *device)
{
	char real[PATH_MAX], block[PATH_MAX], path[PATH_MAX + 16];
	const char *name, *slash;

	name = strrchr(realpath(device, real) == NULL ? device : real, '/');
	name = name == NULL ? device : name + 1;
	if (snprintf(path, sizeof(path), "/sys/class/block/%s", name) < (int)sizeof(path) &&
	    realpath(path, block) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/partition", block);
		if (nrd_path_exists(path)) {
			*strrchr(block, '/') = '\0';
			slash = strrchr(block, '/');
			name = slash == NULL ? name : slash + 1;
		}
	}
	return nrd_strv_has(NRD_CSTRV(pool->disks), name) ? 0 : nrd_strv_add(&pool->disks, name);
}

static uint64_t
number_of(struct store *store, const char *dataset, const char *prop)
{
	char text[64];
	uint64_t v;

	if (store_dataset_get(store, dataset, prop, text, sizeof(text), NULL) < 0 ||
	    nrd_parse_u64(text, 0, UINT64_MAX, &v, NULL) < 0)
		return 0;
	return v;
}

static int
facts_read(struct store *store, struct sysinfo_pool *pool, struct nrd_err *err)
{
	NRD_AUTO(store_profile) profile = { 0 };
	char text[64];

	if (store_pool_profile(store, pool->name, &profile, NULL) < 0)
		return 0;
	(void)nrd_strcpy_to(pool->kind, sizeof(pool->kind), profile.kind);
	for (size_t i = 0; i < nrd_strv_len(NRD_CSTRV(profile.devices)); i++)
		if (disk_add(pool, profile.devices[i]) < 0)
			return nrd_nomem(err);
	pool->creation = number_of(store, pool->name, "creation");
	pool->size_bytes = number_of(store, pool->name, "used") +
			   number_of(store, pool->name, "available");
	pool->encrypted = store_dataset_get(store, pool->name, "encryption", text, sizeof(text),
					    NULL) == 0 &&
			  !nrd_streq(text, "off");
	pool->known = true;
	return 0;
}

static bool
uuid_take(const char *text, char ret_uuid[NRD_UUID_TEXT])
{
	struct nrd_uuid uuid, none;

	memset(&none, 0xff, sizeof(none));
	/* Firmware that was never given one says all zeros or all ones. */
	if (nrd_uuid_parse(text, &uuid, NULL) < 0 || nrd_uuid_is_nil(&uuid) ||
	    nrd_uuid_equal(&uuid, &none))
		return false;
	nrd_uuid_format(&uuid, ret_uuid);
	return true;
}

/* What the boot menu or the firmware says. */
static void
uuid_given(struct sysinfo *info)
{
	const char *override = sysinfo_boot(info, "override_uuid");
	NRD_FREE char *path = sysinfo_path(info->env, "/sys/class/dmi/id/product_uuid");
	char text[64] = "";

	if (override != NULL && uuid_take(override, info->uuid))
		return;
	if (path != NULL && nrd_attr_read(AT_FDCWD, path, text, sizeof(text), NULL) == 0)
		(void)uuid_take(text, info->uuid);
}

/*
 * Once a pool remembers a UUID that one stays: boards are replaced, and machines' records name
 * the node by it. The first one is stored; where the firmware has none it is drawn.
 */
static void
uuid_settle(struct sysinfo *info, struct store *store)
{
	char dataset[80], text[64] = "";
	struct nrd_uuid fresh;

	(void)snprintf(dataset, sizeof(dataset), "%s/var", info->pool.name);
	if (store_dataset_get(store, dataset, NODE_SERVER_UUID_PROP, text, sizeof(text), NULL) < 0)
		return;
	if (uuid_take(text, info->uuid))
		return;
	if (info->uuid[0] == '\0') {
		if (nrd_uuid_new(&fresh, NULL) < 0)
			return;
		nrd_uuid_format(&fresh, info->uuid);
		if (store_dataset_set(store, dataset, NODE_SERVER_UUID_PROP, info->uuid, NULL) < 0)
			info->uuid[0] = '\0'; /* another one at each call would be worse */
		return;
	}
	(void)store_dataset_set(store, dataset, NODE_SERVER_UUID_PROP, info->uuid, NULL);
}

int
sysinfo_pool_read(struct sysinfo *info, struct nrd_err *err)
{
	NRD_FREE char *mounts = sysinfo_text(info->env, "/proc/mounts", MOUNTS_MAX);
	NRD_AUTO(store) *store = NULL;
	int r;

	if (mounts == NULL)
		return nrd_nomem(err);
	uuid_given(info);
	if (!sysinfo_pool_of(mounts, info->pool.name, sizeof(info->pool.name)) ||
	    info->env->no_pool || store_open(&store, NULL) < 0)
		return 0;
	r = facts_read(store, &info->pool, err);
	if (r == 0)
		uuid_settle(info, store);
	return r;
}

void
sysinfo_pool_fini(struct sysinfo_pool *pool)
{
	nrd_strv_free(pool->disks);
	*pool = (struct sysinfo_pool){ 0 };
}
