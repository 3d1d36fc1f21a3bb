/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/storage.h"

#include <stdio.h>

#include "brand/lifecycle.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

/* What a property of ZFS is called in a machine's file. */
struct prop {
	const char *zfs;
	enum { TEXT, NUMBER } kind;
	size_t offset;
	const char *none; /* the value that stands for "not said": NULL: what is above it holds */
};

#define AT(member) offsetof(struct zone_config, member)

static const struct prop root_props[] = {
	{ "compression", TEXT, AT(zfs_root_compression), NULL },
	{ "recordsize", NUMBER, AT(zfs_root_recsize), NULL },
	{ "filesystem_limit", NUMBER, AT(zfs_filesystem_limit), "none" },
	{ "snapshot_limit", NUMBER, AT(zfs_snapshot_limit), "none" },
};

static const struct prop data_props[] = {
	{ "compression", TEXT, AT(zfs_data_compression), NULL },
	{ "recordsize", NUMBER, AT(zfs_data_recsize), NULL },
};

/* "": not said */
static void
value_of(const struct prop *p, const struct zone_config *c, char ret_text[64])
{
	const char *at = (const char *)c + p->offset;
	uint64_t number = p->kind == TEXT ? 0 : *(const uint64_t *)(const void *)at;
	const char *text = p->kind == TEXT ? *(char *const *)(const void *)at : NULL;

	ret_text[0] = '\0';
	if (text != NULL)
		(void)snprintf(ret_text, 64, "%s", text);
	else if (number != 0)
		(void)snprintf(ret_text, 64, "%llu", (unsigned long long)number);
}

static int
set(struct store *store, const char *dataset, const struct prop *p, const char *value, struct nrd_err *err)
{
	if (value[0] != '\0')
		return store_dataset_set(store, dataset, p->zfs, value, err);
	if (p->none != NULL)
		return store_dataset_set(store, dataset, p->zfs, p->none, err);
	return store_dataset_inherit(store, dataset, p->zfs, err);
}

/* old NULL: a new machine, whose datasets have what is above them. */
static int
set_changed(struct store *store, const char *dataset, const struct prop *props, size_t n,
	    const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		char before[64] = "", now[64];

		value_of(&props[i], c, now);
		if (old != NULL)
			value_of(&props[i], old, before);
		if (!nrd_streq(before, now))
			r = set(store, dataset, &props[i], now, err);
	}
	return r;
}

static char *
data_of(const struct zone_config *c)
{
	return nrd_format("%s/" VM_DATA, c->zfs_filesystem);
}

static bool
has_data(const struct zone_config *c, const char *data)
{
	return c->datasets != NULL && nrd_strv_has(NRD_CSTRV(c->datasets), data);
}

int
vm_storage_root(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = brand_has_dataset(config) ? store_open(&store, err) : 0;

	if (r < 0 || !brand_has_dataset(config))
		return r;
	return set_changed(store, config->zfs_filesystem, root_props, nrd_count(root_props), NULL, config, err);
}

int
vm_storage_make(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *data = NULL;
	int r;

	if (!brand_has_dataset(config))
		return 0;
	data = data_of(config);
	r = data == NULL ? nrd_nomem(err) : vm_storage_root(config, err);
	if (r < 0 || !has_data(config, data))
		return r;
	r = store_open(&store, err);
	if (r < 0)
		return r;
	/* Where it is mounted is the tenant's own business. */
	r = store_dataset_create(store, data, (const char *const[]){ "mountpoint", "none", NULL }, err);
	return r < 0 ? r : set_changed(store, data, data_props, nrd_count(data_props), NULL, config, err);
}

int
vm_storage_change(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *data = NULL;
	int r;

	if (!brand_has_dataset(config) || config->installed != ZONE_INSTALLED)
		return 0;
	if (old->quota != config->quota) {
		r = brand_quota_set(config, err);
		if (r < 0)
			return r;
	}
	data = data_of(config);
	r = data == NULL ? nrd_nomem(err) : store_open(&store, err);
	if (r == 0)
		r = set_changed(store, config->zfs_filesystem, root_props, nrd_count(root_props), old, config, err);
	if (r == 0 && has_data(config, data))
		r = set_changed(store, data, data_props, nrd_count(data_props), old, config, err);
	return r;
}
