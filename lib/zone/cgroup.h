/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"

/*
 * A zone's place in cgroup v2. Limits are on /sys/fs/cgroup/zones/NAME, which the zone cannot
 * write; its processes are one level below, in "init", which belongs to its root and is the root
 * of its cgroup namespace. Every zone's zoneadmd is beside them, in zones.mon: limits do not slow
 * it, and killing the zone leaves it.
 */
#define ZONE_CGROUP_ROOT "/sys/fs/cgroup"
#define ZONE_CGROUP_DIR  ZONE_CGROUP_ROOT "/zones"

/*
 * Makes it, with limits, the device filter and the payload's owner, and gives the payload's
 * directory for CLONE_INTO_CGROUP (caller closes). Fine when it is there. "ZoneCgroup",
 * "ZoneCgroupVersion" where the node has no pure cgroup v2.
 */
int zone_cgroup_make(const struct zone_config *config, int *ret_payload_fd, struct nrd_err *err);

/* Puts the resource controls in force; may be called any time. */
int zone_cgroup_limit(const struct zone_config *config, struct nrd_err *err);

/*
 * Kills every process of the zone and waits until all are gone; init is its init's pidfd, or -1.
 * "ZoneStuck" names what remains.
 */
int zone_cgroup_kill(const char *name, int init, unsigned timeout_ms, struct nrd_err *err);

/* Calls fn for each process there is at the moment. */
void zone_cgroup_each(const char *name, void (*fn)(pid_t pid, void *arg), void *arg);

bool zone_cgroup_populated(const char *name);

/* Removes it and what the zone made below; it must be empty. Fine when it is not there. */
int zone_cgroup_remove(const char *name, struct nrd_err *err);

/* The directory of zones.mon, which is made; caller closes. */
int zone_cgroup_monitors(int *ret_fd, struct nrd_err *err);

/* Moves the calling process there, unless it was started there. */
int zone_cgroup_enter_monitors(struct nrd_err *err);
