/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "views.h"

#include <errno.h>

#include "nrd/mem.h"
#include "nrd/str.h"

#define LXCFS "/var/lib/lxcfs"

static const char *const views[] = {
	"proc/cpuinfo", "proc/diskstats", "proc/loadavg", "proc/meminfo", "proc/stat", "proc/swaps",
	"proc/uptime", "sys/devices/system/cpu/online",
};

int
zone_views_add(struct zone_spec *spec)
{
	for (size_t i = 0; i < nrd_count(views); i++) {
		NRD_FREE char *source = nrd_format(LXCFS "/%s", views[i]);
		NRD_FREE char *target = nrd_format("/%s", views[i]);
		struct zone_mount m = {
			.source = source,
			.target = target,
			.flags = ZONE_MOUNT_PLAIN | ZONE_MOUNT_OPTIONAL | ZONE_MOUNT_NOSUID |
				 ZONE_MOUNT_NODEV | ZONE_MOUNT_NOEXEC,
		};
		char type[] = "bind";

		m.type = type;
		if (source == NULL || target == NULL || zone_spec_mount(spec, &m) < 0)
			return -ENOMEM;
	}
	return 0;
}
