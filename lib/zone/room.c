/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/room.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/live.h"
#include "zone/state.h"

#define ARCSTATS     "spl/kstat/zfs/arcstats"
#define ARCSTATS_MAX ((size_t)64 << 10)

struct cache {
	uint64_t size, least;
};

static const struct zone_stat_key cache_keys[] = {
	{ "size", offsetof(struct cache, size) },
	{ "c_min", offsetof(struct cache, least) },
};

/* Nothing where there is no ZFS. */
static int
read_cache(const char *proc, uint64_t *ret_bytes, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/" ARCSTATS, proc);
	NRD_FREE char *text = NULL;
	struct cache c = { 0 };
	size_t len = 0;

	if (path == NULL)
		return nrd_nomem(err);
	if (nrd_file_read(path, ARCSTATS_MAX, &text, &len, NULL) == 0)
		(void)zone_stat_keys(text, ZONE_STAT_KSTAT, cache_keys, nrd_count(cache_keys), &c);
	*ret_bytes = c.size > c.least ? c.size - c.least : 0;
	return 0;
}

static uint64_t
untouched(const struct zone_stat *zone)
{
	NRD_AUTO(zone_config) config = { 0 };
	struct zone_run run = { 0 };
	uint64_t ram;

	if (zone_run_read(zone->name, &run, NULL) < 0 || run.state != ZONE_ST_RUNNING ||
	    zone_live_read(zone->name, &config, NULL) < 0 || !zone_is_guest(&config) || zone->memory == ZONE_STAT_NONE)
		return 0;
	ram = config.ram << 20;
	return ram > zone->memory ? ram - zone->memory : 0;
}

int
zone_room_read(const struct zone_stat_env *env, struct zone_room *ret_room, struct nrd_err *err)
{
	NRD_AUTO(zone_stats) stats = { 0 };
	struct zone_room room = { 0 };
	int r = zone_stats_read(env, 0, &stats, err);

	if (r == 0)
		r = read_cache(env != NULL && env->proc != NULL ? env->proc : "/proc", &room.cache, err);
	if (r < 0)
		return r;
	room.available = stats.memory_available;
	for (size_t i = 0; i < stats.n_zones; i++)
		room.promised += untouched(&stats.zones[i]);
	*ret_room = room;
	return 0;
}

uint64_t
zone_room_bytes(const struct zone_room *room)
{
	uint64_t all = room->available + room->cache;

	return all > room->promised ? all - room->promised : 0;
}

int
zone_room_check(const struct zone_config *config, const struct zone_room *room, struct nrd_err *err)
{
	uint64_t need = config->ram + ZONE_GUEST_OVERHEAD_MIN_MIB, have = zone_room_bytes(room) >> 20;

	if (need <= have)
		return 0;
	return nrd_fail(err, ENOMEM, "NoMemory", "it needs %" PRIu64 " MiB of memory with QEMU's own, and the node can give %" PRIu64
			" MiB: stop others, lower its ram, or start it all the same by vmadm start -F", need, have);
}
