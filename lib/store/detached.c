/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "dataset.h"
#include "nrd/fault.h"
#include "nrd/mem.h"

int
store_dataset_open(const char *name, bool read_only, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fs = fsopen("zfs", FSOPEN_CLOEXEC);
	NRD_CLOSE int mount = -1;
	int r = nrd_fault(err, "mount %s", name);
	int fd;

	if (r < 0)
		return r;
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", name, 0) < 0 ||
	    (read_only && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return nrd_fail(err, errno, "StoreMount", "mount %s: %m", name);
	mount = fsmount(fs, FSMOUNT_CLOEXEC,
			MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
				MOUNT_ATTR_NOATIME | (read_only ? MOUNT_ATTR_RDONLY : 0));
	if (mount < 0)
		return nrd_fail(err, errno, "StoreMount", "mount %s: %m", name);
	fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return nrd_fail(err, errno, "StoreMount", "open %s: %m", name);
	*ret_fd = fd;
	return 0;
}
