/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * What zones use, from the kernel's own counters: cgroup v2 files of ZONE_CGROUP_DIR/NAME, kstats of
 * ZFS's datasets, /proc for the node. Parsers are pure functions over text: what is missing or
 * malformed stays as it was.
 */
enum zone_stat_format {
	ZONE_STAT_FLAT,    /* "key value" a line: cpu.stat, memory.stat, memory.events */
	ZONE_STAT_MEMINFO, /* "Key:   value kB": bytes */
	ZONE_STAT_KSTAT,   /* "name type value" */
};

struct zone_stat_key {
	const char *key;
	size_t offset; /* of a uint64_t */
};

/* Sets the members whose keys occur; how many lines were taken. */
size_t zone_stat_keys(const char *text, enum zone_stat_format format,
		      const struct zone_stat_key *keys, size_t n_keys, void *obj);

/* Time in microseconds in which some or all processes waited, since the beginning. */
struct zone_pressure {
	uint64_t some_us, full_us;
};
void zone_stat_pressure(const char *text, struct zone_pressure *pressure);

#define ZONE_STAT_NONE UINT64_MAX /* no limit, or the kernel does not say */

/* "max" or a number; false: neither. */
bool zone_stat_limit(const char *text, uint64_t *ret_v);

/* cpu.max, as percent of one CPU; ZONE_STAT_NONE without a cap. */
bool zone_stat_cpu_cap(const char *text, uint64_t *ret_percent);

/* Busy time of all CPUs from /proc/stat in its ticks, and how many CPUs there are. */
bool zone_stat_cpus(const char *text, uint64_t *ret_busy_ticks, uint64_t *ret_n);

/* A dataset's reads and writes as its programs asked for them; what the cache held counts too. */
struct zone_io {
	uint64_t reads, nread, writes, nwritten;
};

#define ZONE_DATASET_MAX 256

/* One objset kstat. False when it names no dataset. */
bool zone_stat_objset(const char *text, char ret_dataset[ZONE_DATASET_MAX], struct zone_io *ret_io);

/* The zone of a process from its /proc/PID/cgroup; false: it is the global zone's. */
bool zone_stat_zone_of(const char *cgroup, char *ret_zone, size_t size);

struct zone_stat {
	char *name;
	uint64_t zoneid;         /* 0: not known */
	uint64_t usage_us;       /* CPU time */
	uint64_t nr_periods, nr_throttled, throttled_us;
	uint64_t cpu_cap;        /* percent of one CPU, or ZONE_STAT_NONE, as the following */
	struct zone_pressure cpu_pressure, memory_pressure;
	uint64_t memory, memory_max, memory_peak;
	uint64_t swap, swap_max;
	uint64_t anon, file, kernel, paged_out; /* paged_out in bytes */
	uint64_t over, oom_kills;               /* how often the cap was met; killed for it */
	uint64_t lwps, lwps_max;
	struct zone_io io;
};

struct zone_stats {
	uint64_t time_us;        /* when, of CLOCK_MONOTONIC */
	uint64_t uptime_us;      /* of the node */
	uint64_t cpus;
	uint64_t busy_us;        /* of all its CPUs */
	uint64_t memory, memory_available, swap, swap_free;
	struct zone_io io;       /* of datasets that are no zone's */
	struct zone_stat *zones; /* by name */
	size_t n_zones;
};

void zone_stats_cleanup(struct zone_stats *stats);
const struct zone_stat *zone_stats_find(const struct zone_stats *stats, const char *name);

/* Where everything is read; NULL members are the node's own places. */
struct zone_stat_env {
	const char *cgroup; /* ZONE_CGROUP_DIR */
	const char *proc;   /* /proc */
	const char *config; /* ZONE_DIR */
};

enum zone_stat_flags {
	ZONE_STAT_IO = 1u << 0, /* also datasets */
};

/*
 * Reads them all; a zone that goes while it is read is left out. ret_stats must be all zero.
 * "ZoneStat".
 */
int zone_stats_read(const struct zone_stat_env *env, unsigned flags, struct zone_stats *ret_stats,
		    struct nrd_err *err);
