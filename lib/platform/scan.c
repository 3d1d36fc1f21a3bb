/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/volume.h"

static const char *const ignored[] = { "zd", "loop", "ram", "zram", "dm-", "md", "nbd", "drbd",
				       "fd" };

static void
device_fini(struct platform_device *d)
{
	free(d->path);
	free(d->label);
	free(d->uuid);
}

void
platform_devices_fini(struct platform_devices *devices)
{
	nrd_vec_each(d, devices)
		device_fini(d);
	nrd_vec_fini(devices);
}

void
platform_devices_cleanup(struct platform_devices *devices)
{
	platform_devices_fini(devices);
}

static bool
is_ignored(const char *name)
{
	for (size_t i = 0; i < nrd_count(ignored); i++) {
		if (nrd_starts(name, ignored[i]) != NULL)
			return true;
	}
	return false;
}

/* NEREID or NEREID and a number. */
static bool
label_is_ours(const char *label)
{
	const char *rest = label != NULL ? nrd_starts(label, PLATFORM_LABEL) : NULL;

	while (rest != NULL && isdigit((unsigned char)*rest))
		rest++;
	return rest != NULL && *rest == '\0';
}

static void
probe_cleanup(blkid_probe *probe)
{
	if (*probe != NULL)
		blkid_free_probe(*probe);
}

static const char *
probe_value(blkid_probe probe, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

/* A device that cannot be read (no medium, broken) holds nothing for us. */
static int
device_look(const char *path, struct platform_devices *devices, struct nrd_err *err)
{
	static char fat[] = "vfat", iso[] = "iso9660";
	char *types[] = { fat, iso, NULL };
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	__attribute__((cleanup(probe_cleanup))) blkid_probe probe = NULL;
	struct platform_device d = { 0 };

	if (fd < 0)
		return 0;
	probe = blkid_new_probe();
	if (probe == NULL)
		return nrd_nomem(err);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
						 BLKID_SUBLKS_TYPE);
	blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_ONLYIN, types);
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0 || blkid_do_safeprobe(probe) != 0 ||
	    !label_is_ours(probe_value(probe, "LABEL")))
		return 0;
	d.iso = nrd_streq(probe_value(probe, "TYPE"), iso);
	if (nrd_str_set(&d.path, path) < 0 ||
	    nrd_str_set(&d.label, probe_value(probe, "LABEL")) < 0 ||
	    nrd_str_set(&d.uuid, probe_value(probe, "UUID")) < 0 || nrd_vec_push(devices, d) < 0) {
		device_fini(&d);
		return nrd_nomem(err);
	}
	return 0;
}

static int
by_label(const void *a, const void *b)
{
	const struct platform_device *x = a, *y = b;
	int order = (int)strlen(x->label) - (int)strlen(y->label);

	if (order == 0)
		order = strcmp(x->label, y->label);
	return order != 0 ? order : strcmp(x->path, y->path);
}

int
platform_scan(const char *sys, struct platform_devices *ret_devices, struct nrd_err *err)
{
	__attribute__((cleanup(platform_devices_cleanup))) struct platform_devices devices = { 0 };
	NRD_FREE char *top = nrd_path_join(sys, "class/block");
	NRD_CLOSEDIR DIR *dir = top != NULL ? opendir(top) : NULL;
	struct dirent *d;

	if (top == NULL)
		return nrd_nomem(err);
	if (dir == NULL)
		return nrd_fail(err, errno, "DiskList", "read %s: %m", top);
	while ((d = readdir(dir)) != NULL) {
		NRD_FREE char *path = NULL;

		if (d->d_name[0] == '.' || is_ignored(d->d_name))
			continue;
		path = nrd_path_join("/dev", d->d_name);
		if (path == NULL)
			return nrd_nomem(err);
		if (device_look(path, &devices, err) < 0)
			return -ENOMEM;
	}
	if (devices.len > 0)
		qsort(devices.data, devices.len, sizeof(*devices.data), by_label);
	*ret_devices = devices;
	devices = (struct platform_devices){ 0 };
	return 0;
}
