/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "config.h"
#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "stat.h"
#include "state.h"

#define TEXT_MAX ((size_t)256 << 10)

/* What a counter file says; "" when there is none, which the parsers leave out. */
static const char *
read_text(int dir, const char *name, struct nrd_buf *text)
{
	NRD_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	nrd_buf_reset(text);
	if (fd >= 0)
		(void)nrd_buf_read_fd(text, fd, NULL);
	return nrd_buf_str(text);
}

struct key_file {
	const char *name;
	const struct zone_stat_key *keys;
	size_t n;
};

static const struct zone_stat_key cpu_keys[] = {
	{ "usage_usec", offsetof(struct zone_stat, usage_us) },
	{ "nr_periods", offsetof(struct zone_stat, nr_periods) },
	{ "nr_throttled", offsetof(struct zone_stat, nr_throttled) },
	{ "throttled_usec", offsetof(struct zone_stat, throttled_us) },
};

static const struct zone_stat_key memory_keys[] = {
	{ "anon", offsetof(struct zone_stat, anon) },
	{ "file", offsetof(struct zone_stat, file) },
	{ "kernel", offsetof(struct zone_stat, kernel) },
	{ "pswpout", offsetof(struct zone_stat, paged_out) },
};

static const struct zone_stat_key event_keys[] = {
	{ "max", offsetof(struct zone_stat, over) },
	{ "oom_kill", offsetof(struct zone_stat, oom_kills) },
};

static const struct key_file key_files[] = {
	{ "cpu.stat", cpu_keys, nrd_count(cpu_keys) },
	{ "memory.stat", memory_keys, nrd_count(memory_keys) },
	{ "memory.events", event_keys, nrd_count(event_keys) },
};

static const struct zone_stat_key value_files[] = {
	{ "memory.current", offsetof(struct zone_stat, memory) },
	{ "memory.max", offsetof(struct zone_stat, memory_max) },
	{ "memory.peak", offsetof(struct zone_stat, memory_peak) },
	{ "memory.swap.current", offsetof(struct zone_stat, swap) },
	{ "memory.swap.max", offsetof(struct zone_stat, swap_max) },
	{ "pids.current", offsetof(struct zone_stat, lwps) },
	{ "pids.max", offsetof(struct zone_stat, lwps_max) },
};

static void
read_zone(int dir, struct zone_stat *zone, struct nrd_buf *text)
{
	long page = sysconf(_SC_PAGESIZE);

	zone->paged_out = ZONE_STAT_NONE;
	for (size_t i = 0; i < nrd_count(key_files); i++)
		(void)zone_stat_keys(read_text(dir, key_files[i].name, text), ZONE_STAT_FLAT,
				     key_files[i].keys, key_files[i].n, zone);
	if (zone->paged_out != ZONE_STAT_NONE)
		zone->paged_out *= (uint64_t)page;
	for (size_t i = 0; i < nrd_count(value_files); i++) {
		uint64_t v = ZONE_STAT_NONE;

		(void)zone_stat_limit(read_text(dir, value_files[i].key, text), &v);
		memcpy((char *)zone + value_files[i].offset, &v, sizeof(v));
	}
	zone->cpu_cap = ZONE_STAT_NONE;
	(void)zone_stat_cpu_cap(read_text(dir, "cpu.max", text), &zone->cpu_cap);
	zone_stat_pressure(read_text(dir, "cpu.pressure", text), &zone->cpu_pressure);
	zone_stat_pressure(read_text(dir, "memory.pressure", text), &zone->memory_pressure);
}

static int
by_name(const void *a, const void *b)
{
	const struct zone_stat *za = a, *zb = b;

	return strcmp(za->name, zb->name);
}

static int
add_zone(struct zone_stats *stats, size_t *cap, const char *name, struct nrd_err *err)
{
	struct zone_stat *zone;

	if (nrd_vec_grow(&stats->zones, stats->n_zones, cap, 1, sizeof(*zone)) < 0)
		return nrd_nomem(err);
	zone = &stats->zones[stats->n_zones];
	*zone = (struct zone_stat){ .name = strdup(name) };
	if (zone->name == NULL)
		return nrd_nomem(err);
	stats->n_zones++;
	return 0;
}

static int
read_zones(const char *path, struct zone_stats *stats, struct nrd_buf *text, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t cap = 0;

	/* No zone was ever readied since the node came up. */
	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return nrd_fail(err, errno, "ZoneStat", "open %s: %m", path);
	while ((entry = readdir(dir)) != NULL) {
		struct zone_run run = { 0 };

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		NRD_CLOSE int zone = openat(dirfd(dir), entry->d_name,
					    O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (zone < 0)
			continue;
		int r = add_zone(stats, &cap, entry->d_name, err);

		if (r < 0)
			return r;
		read_zone(zone, &stats->zones[stats->n_zones - 1], text);
		if (faccessat(zone, "cgroup.events", F_OK, 0) < 0)
			free(stats->zones[--stats->n_zones].name);
		else if (zone_run_read(entry->d_name, &run, NULL) == 0)
			stats->zones[stats->n_zones - 1].zoneid = run.zoneid;
	}
	if (stats->n_zones > 1)
		qsort(stats->zones, stats->n_zones, sizeof(*stats->zones), by_name);
	return 0;
}

static const struct zone_stat_key meminfo_keys[] = {
	{ "MemTotal", offsetof(struct zone_stats, memory) },
	{ "MemAvailable", offsetof(struct zone_stats, memory_available) },
	{ "SwapTotal", offsetof(struct zone_stats, swap) },
	{ "SwapFree", offsetof(struct zone_stats, swap_free) },
};

static uint64_t
clock_us(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int
read_node(int proc, struct zone_stats *stats, struct nrd_buf *text, struct nrd_err *err)
{
	uint64_t ticks = 0, hz = (uint64_t)sysconf(_SC_CLK_TCK);

	if (!zone_stat_cpus(read_text(proc, "stat", text), &ticks, &stats->cpus))
		return nrd_fail(err, EPROTO, "ZoneStat", "/proc/stat has no line of the CPUs");
	stats->busy_us = ticks * (1000000 / hz);
	(void)zone_stat_keys(read_text(proc, "meminfo", text), ZONE_STAT_MEMINFO, meminfo_keys,
			     nrd_count(meminfo_keys), stats);
	stats->time_us = clock_us(CLOCK_MONOTONIC);
	stats->uptime_us = clock_us(CLOCK_BOOTTIME);
	return 0;
}

/* ---- datasets ---- */

/* A zone's dataset and all below it are the zone's. */
struct owner {
	char *dataset;
	size_t zone; /* index */
};

struct owners {
	NRD_VEC(struct owner) v;
};

static void
owners_cleanup(struct owners *owners)
{
	nrd_vec_each(o, &owners->v)
		free(o->dataset);
	nrd_vec_fini(&owners->v);
}

static int
find_owners(const char *config_dir, const struct zone_stats *stats, struct owners *owners)
{
	for (size_t i = 0; i < stats->n_zones; i++) {
		NRD_AUTO(zone_config) config = { 0 };

		if (zone_config_read(config_dir, stats->zones[i].name, &config, NULL) < 0 ||
		    zone_config_fill(&config, NULL) < 0 || config.zfs_filesystem == NULL ||
		    config.zfs_filesystem[0] == '\0')
			continue;
		if (nrd_vec_push(&owners->v, (struct owner){ config.zfs_filesystem, i }) < 0)
			return -ENOMEM;
		config.zfs_filesystem = NULL;
	}
	return 0;
}

static struct zone_io *
io_of(struct zone_stats *stats, const struct owners *owners, const char *dataset)
{
	nrd_vec_each(o, &owners->v) {
		const char *below = nrd_starts(dataset, o->dataset);

		if (below != NULL && (*below == '\0' || *below == '/' || *below == '@'))
			return &stats->zones[o->zone].io;
	}
	return &stats->io;
}

static void
io_add(struct zone_io *sum, const struct zone_io *io)
{
	sum->reads += io->reads;
	sum->nread += io->nread;
	sum->writes += io->writes;
	sum->nwritten += io->nwritten;
}

static void
read_pool(int pool, struct zone_stats *stats, const struct owners *owners, struct nrd_buf *text)
{
	NRD_CLOSEDIR DIR *dir = fdopendir(pool);
	const struct dirent *entry;

	if (dir == NULL) {
		(void)close(pool);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		char dataset[ZONE_DATASET_MAX];
		struct zone_io io;

		if (nrd_starts(entry->d_name, "objset-") == NULL ||
		    !zone_stat_objset(read_text(dirfd(dir), entry->d_name, text), dataset, &io))
			continue;
		io_add(io_of(stats, owners, dataset), &io);
	}
}

/* A node without ZFS has no datasets. */
static int
read_datasets(int proc, const char *config_dir, struct zone_stats *stats, struct nrd_buf *text,
	      struct nrd_err *err)
{
	NRD_AUTO(owners) owners = { 0 };
	const struct dirent *entry;
	int kstat = openat(proc, "spl/kstat/zfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NRD_CLOSEDIR DIR *dir = kstat < 0 ? NULL : fdopendir(kstat);

	if (dir == NULL)
		return 0;
	if (find_owners(config_dir, stats, &owners) < 0)
		return nrd_nomem(err);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		int pool = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (pool >= 0)
			read_pool(pool, stats, &owners, text);
	}
	return 0;
}

void
zone_stats_cleanup(struct zone_stats *stats)
{
	for (size_t i = 0; i < stats->n_zones; i++)
		free(stats->zones[i].name);
	free(stats->zones);
	*stats = (struct zone_stats){ 0 };
}

const struct zone_stat *
zone_stats_find(const struct zone_stats *stats, const char *name)
{
	const struct zone_stat key = { .name = (char *)(uintptr_t)name };

	if (stats->n_zones == 0)
		return NULL;
	return bsearch(&key, stats->zones, stats->n_zones, sizeof(key), by_name);
}

int
zone_stats_read(const struct zone_stat_env *env, unsigned flags, struct zone_stats *ret_stats,
		struct nrd_err *err)
{
	static const struct zone_stat_env node;
	const struct zone_stat_env *e = env != NULL ? env : &node;
	NRD_AUTO(zone_stats) stats = { 0 };
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(TEXT_MAX);
	NRD_CLOSE int proc = open(e->proc ?: "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (proc < 0)
		return nrd_fail(err, errno, "ZoneStat", "open /proc: %m");
	r = read_zones(e->cgroup ?: ZONE_CGROUP_DIR, &stats, &text, err);
	if (r == 0)
		r = read_node(proc, &stats, &text, err);
	if (r == 0 && (flags & ZONE_STAT_IO) != 0)
		r = read_datasets(proc, e->config, &stats, &text, err);
	if (r < 0)
		return r;
	*ret_stats = stats;
	stats = (struct zone_stats){ 0 };
	return 0;
}
