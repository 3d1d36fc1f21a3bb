/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/* A file system on a disk of the node whose label is NEREID or NEREIDn. */
struct platform_device {
	char *path;  /* "/dev/sdb2" */
	char *label;
	char *uuid;  /* NULL: it has none */
	bool iso;    /* ISO 9660 instead of FAT */
};

struct platform_devices {
	struct platform_device *data;
	size_t len;
	size_t cap;
};

/*
 * Looks at partitions and at what has none (optical drives, sticks an ISO was copied to), sorted
 * by label and path. Volumes of guests (zvols), loop, RAM and network devices are never looked
 * at: what is in them is a tenant's word. "DiskList".
 */
int platform_scan(const char *sys, struct platform_devices *ret_devices, struct nrd_err *err);
void platform_devices_fini(struct platform_devices *devices);
void platform_devices_cleanup(struct platform_devices *devices);
