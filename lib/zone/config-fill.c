/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "config-priv.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/config.h"
#include "zone/ids.h"

#define NO_UUID "00000000-0000-0000-0000-000000000000"
#define NO_DOMAIN "local" /* as SmartOS has it */

#define SCHEMA (&zone_config_schema)

#define HAS(c, member) NRD_HAS(SCHEMA, c, member)

static int
text(struct zone_config *c, const struct nrd_field *field, char **member, const char *value)
{
	if (nrd_field_present(SCHEMA, field, c) && *member != NULL)
		return 0;
	int r = nrd_str_set(member, value);

	if (r == 0)
		nrd_field_set(SCHEMA, field, c);
	return r;
}

static void
number(struct zone_config *c, const struct nrd_field *field, uint64_t *member, uint64_t value)
{
	if (nrd_field_present(SCHEMA, field, c))
		return;
	*member = value;
	nrd_field_set(SCHEMA, field, c);
}

static void
flag(struct zone_config *c, const struct nrd_field *field, bool *member, bool value)
{
	if (nrd_field_present(SCHEMA, field, c))
		return;
	*member = value;
	nrd_field_set(SCHEMA, field, c);
}

#define TEXT(c, member, value)   text(c, NRD_FIELD_OF(SCHEMA, c, member), &(c)->member, value)
#define NUMBER(c, member, value) number(c, NRD_FIELD_OF(SCHEMA, c, member), &(c)->member, value)
#define FLAG(c, member, value)   flag(c, NRD_FIELD_OF(SCHEMA, c, member), &(c)->member, value)

/* The first failure of a row of -ENOMEMs. */
#define FIRST(r, call) ((r) < 0 ? (r) : (call))

static int
texts(struct zone_config *c, const struct nrd_field *field, char ***member, const char *value)
{
	if (nrd_field_present(SCHEMA, field, c) && *member != NULL)
		return 0;
	int r = nrd_strv_add(member, value);

	if (r == 0)
		nrd_field_set(SCHEMA, field, c);
	return r;
}

int
zone_config_base(struct zone_config *c, struct nrd_err *err)
{
	int r = TEXT(c, zpool, "zones");

	if (r == 0 && c->zonename != NULL) {
		NRD_FREE char *path = nrd_format("/%s/%s", c->zpool, c->zonename);

		if (path == NULL)
			return nrd_nomem(err);
		r = TEXT(c, zonepath, path);
		r = FIRST(r, TEXT(c, zfs_filesystem, path + 1));
	}
	if (r < 0)
		return nrd_nomem(err);
	NUMBER(c, id_count, ZONE_IDS_COUNT);
	/* Not as if it had been said: it follows docker until it is. */
	if (!HAS(c, restart_init))
		c->restart_init = !c->docker;
	return 0;
}

/* A machine is its uuid; a zone with a name of its own has a uuid beside it. */
static int
identity(struct zone_config *c, struct nrd_err *err)
{
	char uuid[NRD_UUID_TEXT], now[NRD_DATE_TEXT];
	int r = 0;

	if (!HAS(c, uuid) && (c->zonename == NULL || !nrd_uuid_valid(c->zonename)))
		r = nrd_uuid_new(&c->uuid, err);
	else if (!HAS(c, uuid))
		r = nrd_uuid_parse(c->zonename, &c->uuid, err);
	if (r < 0)
		return r;
	NRD_SET(SCHEMA, c, uuid);
	nrd_uuid_format(&c->uuid, uuid);
	nrd_date_format(nrd_date_ms(), now);
	r = TEXT(c, zonename, uuid);
	r = FIRST(r, TEXT(c, create_timestamp, now));
	r = FIRST(r, TEXT(c, owner_uuid, NO_UUID));
	r = FIRST(r, TEXT(c, billing_id, NO_UUID));
	if (r < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, c, brand);
	NRD_SET(SCHEMA, c, installed);
	return 0;
}

/*
 * Locked memory and tmpfs never exceed physical memory; swap, which counts physical memory too,
 * is never below it.
 */
static void
memory(struct zone_config *c)
{
	NUMBER(c, max_physical_memory, 256);

	uint64_t ram = c->max_physical_memory;

	NUMBER(c, max_swap, ram < 256 ? 256 : ram);
	NUMBER(c, max_locked_memory, ram);
	NUMBER(c, max_shm_memory, ram);
	NUMBER(c, tmpfs, zone_is_guest(c) ? 0 : ram);
	if (ram == 0)
		return;
	if (c->max_swap != 0 && c->max_swap < ram)
		c->max_swap = ram;
	if (c->max_locked_memory > ram)
		c->max_locked_memory = ram;
	if (c->tmpfs > ram)
		c->tmpfs = ram;
}

/* Each of these two says what the other one is when only it was given. */
static void
tasks(struct zone_config *c)
{
	if (HAS(c, max_processes) && !HAS(c, max_lwps))
		NUMBER(c, max_lwps, c->max_processes <= UINT32_MAX / 10 ? c->max_processes * 10
									: UINT32_MAX);
	NUMBER(c, max_lwps, 2000);
	NUMBER(c, max_processes, c->max_lwps);
}

/* FNV-1a; all zeros and all ones mean that there is none. */
bool
zone_config_has_domain(const struct zone_config *c)
{
	return c->dns_domain != NULL && !nrd_streq(c->dns_domain, NO_DOMAIN);
}

uint32_t
zone_config_hostid(const struct zone_config *c)
{
	uint32_t hash = 2166136261u;
	char uuid[NRD_UUID_TEXT];

	if (HAS(c, hostid) && c->hostid != 0)
		return (uint32_t)c->hostid;
	nrd_uuid_format(&c->uuid, uuid);
	for (const char *p = uuid; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return hash == 0 || hash == UINT32_MAX ? 1 : hash;
}

int
zone_config_fill(struct zone_config *c, struct nrd_err *err)
{
	int r = identity(c, err);

	r = FIRST(r, zone_config_base(c, err));
	if (r < 0)
		return r;
	r = FIRST(r, TEXT(c, hostname, c->zonename));
	r = FIRST(r, TEXT(c, dns_domain, NO_DOMAIN));
	r = FIRST(r, zone_guest_fill(c));
	r = FIRST(r, texts(c, NRD_FIELD_OF(SCHEMA, c, limit_priv), &c->limit_priv, "default"));
	if (r < 0)
		return nrd_nomem(err);
	FLAG(c, autoboot, true);
	FLAG(c, maintain_resolvers, false);
	FLAG(c, docker, false);
	FLAG(c, nesting, false);
	NUMBER(c, cpu_shares, 100);
	NUMBER(c, zfs_io_priority, 100);
	NUMBER(c, max_msg_ids, 4096);
	NUMBER(c, max_sem_ids, 4096);
	NUMBER(c, max_shm_ids, 4096);
	NUMBER(c, quota, 10);
	tasks(c);
	memory(c);
	return 0;
}
