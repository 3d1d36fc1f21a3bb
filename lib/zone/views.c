/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "views.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/mountapi.h"

#define LXCFS "/var/lib/lxcfs"
#define FLAGS                                                                                      \
	(ZONE_MOUNT_PLAIN | ZONE_MOUNT_OPTIONAL | ZONE_MOUNT_NOSUID | ZONE_MOUNT_NODEV |           \
	 ZONE_MOUNT_NOEXEC)

const char *const zone_view_names[ZONE_VIEWS] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/stat",
	"/proc/swaps", "/proc/uptime", "/sys/devices/system/cpu/online",
};

int
zone_views_add(struct zone_spec *spec)
{
	for (size_t i = 0; i < nrd_count(zone_view_names); i++) {
		NRD_FREE char *source = nrd_format(LXCFS "%s", zone_view_names[i]);
		NRD_FREE char *target = nrd_format("%s", zone_view_names[i]);
		struct zone_mount m = { .source = source, .target = target, .flags = FLAGS };
		char type[] = "bind";

		m.type = type;
		if (source == NULL || target == NULL || zone_spec_mount(spec, &m) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
zone_views_open(int ret_views[ZONE_VIEWS], struct nrd_err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	size_t n = 0;

	for (size_t i = 0; i < ZONE_VIEWS; i++) {
		char path[128];
		int fd;

		(void)snprintf(path, sizeof(path), LXCFS "%s", zone_view_names[i]);
		fd = zone_mount_clone(AT_FDCWD, path, 0);
		if (fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
			(void)close(fd);
			fd = -1;
		}
		ret_views[i] = fd;
		n += fd >= 0;
	}
	return n > 0 ? 0 : nrd_fail(err, ENOENT, "ZoneViews", "lxcfs is not at " LXCFS);
}

void
zone_views_close(int views[ZONE_VIEWS])
{
	for (size_t i = 0; i < ZONE_VIEWS; i++)
		if (views[i] >= 0)
			(void)close(views[i]);
}
