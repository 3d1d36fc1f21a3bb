/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>

#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/make.h"
#include "vm/nics.h"
#include "vm/object.h"
#include "vm/snapshot.h"
#include "zone/ids.h"

#define SCHEMA (&zone_config_schema)
#define DISK_SCHEMA (nrd_schema_find(SCHEMA, "disks")->schema)
#define NIC_SCHEMA (nrd_schema_find(SCHEMA, "nics")->schema)

/* What one machine alone can have, or what was said of the other one and not of this. */
static void
forget(struct zone_config *c)
{
	static const char *const keys[] = {
		"uuid", "zonename", "zonepath", "zfs_filesystem", "create_timestamp", "zonedid", "id_base", "id_count", "alias",
		"zone_installed", "transition", "transition_to", "transition_expire", "failed", "hostid",
		"indestructible_zoneroot", "indestructible_delegated",
	};

	for (size_t i = 0; i < nrd_count(keys); i++)
		nrd_field_clear(SCHEMA, nrd_schema_find(SCHEMA, keys[i]), c);
}

/* Only what tells it from others: what else it has none of, the other one had none of. */
static int
identify(struct zone_config *c, struct nrd_err *err)
{
	char uuid[NRD_UUID_TEXT], now[NRD_DATE_TEXT];
	int r = NRD_HAS(SCHEMA, c, uuid) ? 0 : nrd_uuid_new(&c->uuid, err);

	if (r < 0)
		return r;
	nrd_uuid_format(&c->uuid, uuid);
	nrd_date_format(nrd_date_ms(), now);
	if (nrd_str_set(&c->zonename, uuid) < 0 || nrd_str_set(&c->create_timestamp, now) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, c, uuid);
	NRD_SET(SCHEMA, c, zonename);
	NRD_SET(SCHEMA, c, create_timestamp);
	c->zonepath = nrd_format("/%s/%s", c->zpool, uuid);
	c->zfs_filesystem = nrd_format("%s/%s", c->zpool, uuid);
	if (c->zonepath == NULL || c->zfs_filesystem == NULL)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, c, zonepath);
	NRD_SET(SCHEMA, c, zfs_filesystem);
	NRD_SET(SCHEMA, c, installed);
	c->id_count = ZONE_IDS_COUNT;
	NRD_SET(SCHEMA, c, id_count);
	return 0;
}

static int
move_disks(struct zone_config *c)
{
	for (size_t i = 0; i < c->n_disks; i++) {
		struct zone_disk *d = &c->disks[i];
		NRD_FREE char *volume = NULL;
		NRD_FREE char *path = NULL;

		if (d->zfs_filesystem == NULL)
			continue;
		volume = nrd_format("%s/%s", c->zfs_filesystem, strrchr(d->zfs_filesystem, '/') + 1);
		path = volume != NULL ? store_volume_path(volume) : NULL;
		if (path == NULL || nrd_str_set(&d->zfs_filesystem, volume) < 0 || nrd_str_set(&d->path, path) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A payload's update_nics says by the MAC address of then which NIC it means: so they go after it. */
static void
drop_macs(const struct zone_config *then, struct zone_config *c)
{
	for (size_t i = 0; i < c->n_nics; i++)
		for (size_t j = 0; j < then->n_nics; j++)
			if (nrd_mac_equal(&c->nics[i].mac, &then->nics[j].mac)) {
				c->nics[i].mac = (struct nrd_mac){ 0 };
				NRD_CLEAR(NIC_SCHEMA, &c->nics[i], mac);
				break;
			}
}

static int
check_nics(const struct zone_config *c, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = vm_nics_check(c, &why);

	if (r < 0 && nrd_err_is(&why, "IpInUse"))
		return nrd_fail(err, EEXIST, "IpInUse", "%.300s: say its addresses, by nics or update_nics", why.msg);
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

static int
apply(const struct nrd_val *payload, struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(vm_bad) bad = { 0 };
	int r = payload != NULL ? vm_payload_clone(payload, c, &bad, err) : 0;

	return r == 0 ? vm_bad_fail(&bad, err) : r;
}

static int
derive(const struct zone_config *then, const struct nrd_val *payload, struct zone_config *c, struct nrd_err *err)
{
	bool named = !nrd_streq(then->hostname, then->zonename);
	int r;

	if (nrd_object_copy(SCHEMA, then, c) < 0)
		return nrd_nomem(err);
	forget(c);
	r = apply(payload, c, err);
	if (r == 0)
		r = identify(c, err);
	if (r == 0 && (move_disks(c) < 0 ||
		       (!named && nrd_streq(c->hostname, then->hostname) && nrd_str_set(&c->hostname, c->zonename) < 0)))
		r = nrd_nomem(err);
	if (r == 0 && nrd_val_get(payload, "nics") == NULL)
		drop_macs(then, c);
	if (r == 0)
		r = vm_nics_fill(c, NULL, err);
	if (r == 0)
		r = zone_config_verify(c, err);
	if (r == 0)
		r = vm_must_be_new(c, err);
	return r == 0 ? check_nics(c, err) : r;
}

int
vm_plan_clone(const char *uuid, const char *snapshot, const struct nrd_val *payload, struct vm_plan *ret_plan,
	      struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(zone_config) then = { 0 };
	NRD_AUTO(vm_plan) plan = { 0 };
	int r = vm_read(uuid, &vm, err);

	if (r == 0)
		r = vm_snapshot_read(&vm, snapshot, &plan.origin, &then, err);
	if (r == 0)
		r = derive(&then, payload, &plan.config, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct vm_plan){ 0 };
	return 0;
}
