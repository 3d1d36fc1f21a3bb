/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * dedicated-cpu: CPUs only one zone runs on. The kernel keeps all others off them: the zone's cgroup
 * is a cpuset partition, and what is in a partition is taken from the rest of the tree. It is
 * remote, that is, not the child of a partition, for which the CPUs must stand in
 * cpuset.cpus.exclusive all the way down.
 */
#define ZONE_CPUS_MAX 8192

struct zone_cpus {
	uint64_t words[ZONE_CPUS_MAX / 64];
};

/* "0-3,8", as the kernel lists them; "" is none. False: it is no list. */
bool zone_cpus_parse(const char *text, struct zone_cpus *ret_cpus);

/* -ENOSPC when it does not fit. */
int zone_cpus_format(const struct zone_cpus *cpus, char *dst, size_t size);
size_t zone_cpus_count(const struct zone_cpus *cpus);

/* "2" or "1-4", as dedicated_cpu has it. */
bool zone_cpus_wish(const char *text, uint64_t *ret_least, uint64_t *ret_most);

/*
 * As many of those that are free as may be had, and at least `least`; one always stays for all
 * others. Those the zone has already come first, then the highest, as interrupts prefer the lowest.
 */
bool zone_cpus_choose(const struct zone_cpus *free, const struct zone_cpus *mine, uint64_t least,
		      uint64_t most, struct zone_cpus *ret_chosen);

/*
 * Makes the zone's cgroup a partition with the CPUs it asks for, or no partition any more when it
 * asks for none; may be called any time. On failure it has what it had. "ZoneCpus" (-EBUSY) when
 * not enough are free.
 */
int zone_cpus_take(const struct zone_config *config, int cgroup, struct nrd_err *err);

/* After a zone's cgroup was removed: what was its own is everybody's again. */
void zone_cpus_settle(void);

/* The CPUs a running zone may use, as a list; "" when it is not known. */
void zone_cpus_of(const char *zone, char *dst, size_t size);
