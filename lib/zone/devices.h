/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"

/* The device nodes every zone has in its /dev. */
struct zone_device_node {
	const char *name;
	unsigned major;
	unsigned minor;
};
extern const struct zone_device_node zone_device_nodes[]; /* name NULL ends it */

/* The numbers of /dev/zfs, which the kernel gives out anew at every boot; false: there is none. */
bool zone_device_zfs(unsigned *ret_major, unsigned *ret_minor);

/*
 * Lets the processes below a cgroup (by its directory) open those, ptys, FUSE and TUN, and
 * /dev/zfs when the zone has delegated datasets; everything else is EPERM, whatever node leads to
 * it. Replaces what was attached. "ZoneDevices".
 */
int zone_devices_filter(const struct zone_config *config, int cgroup, struct nrd_err *err);
