/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/* The device nodes every zone has in its /dev. */
struct zone_device_node {
	const char *name;
	unsigned major;
	unsigned minor;
};
extern const struct zone_device_node zone_device_nodes[]; /* name NULL ends it */

#define ZONE_DEV_ZFS_MINOR_PATH "/sys/class/misc/zfs/dev"

/*
 * Lets the processes below a cgroup (by its directory) open those, ptys, FUSE and TUN, and
 * /dev/zfs when the zone has delegated datasets; everything else is EPERM, whatever node leads to
 * it. Replaces what was attached. "ZoneDevices".
 */
int zone_devices_filter(const struct zone_config *config, int cgroup, struct nrd_err *err);
