/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <termios.h>

#include "nrd/mem.h"
#include "zone/mountapi.h"

/* The zone may have put anything there: only the kernel's own will do. */
static int
open_ptmx(struct nrd_err *err)
{
	NRD_CLOSE int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;

	if (fd < 0)
		return nrd_fail(err, errno, "ZonePty", "open /dev/pts/ptmx in the zone: %m");
	if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return nrd_fail(err, EINVAL, "ZonePty", "/dev/pts in the zone is not what it was");
	if (fcntl(fd, F_SETFL, O_RDWR) < 0)
		return nrd_fail(err, errno, "ZonePty", "set a terminal: %m");
	return nrd_take_fd(&fd);
}

int
zone_pty_open(int *ret_master, int *ret_slave, struct nrd_err *err)
{
	static const int unlock = 0;
	NRD_CLOSE int master = open_ptmx(err);
	NRD_CLOSE int slave = -1;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return nrd_fail(err, errno, "ZonePty", "unlock a terminal: %m");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return nrd_fail(err, errno, "ZonePty", "open a terminal: %m");
	*ret_master = nrd_take_fd(&master);
	*ret_slave = nrd_take_fd(&slave);
	return 0;
}

int
zone_pty_console(int slave, struct nrd_err *err)
{
	NRD_CLOSE int mount = zone_mount_clone(slave, "", AT_EMPTY_PATH);
	NRD_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mount < 0 || root < 0)
		return nrd_fail(err, errno, "ZonePty", "take a terminal as console: %m");
	/* What hangs there, if anything does, is a terminal that is gone, on which nothing can be mounted. */
	(void)umount2("/dev/console", MNT_DETACH | UMOUNT_NOFOLLOW);
	return zone_mount_attach(mount, root, "dev/console", ZONE_TARGET_PLAIN_SAME, err);
}
