/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/mountapi.h"
#include "zone/sys.h"
#include "zone/tree.h"

/*
 * Where the root is attached until it is /: any directory that is always there, that the zone's
 * root may walk to, and of which nothing is needed any more.
 */
#define STAGE_DIR "/dev"
#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* What every zone has, in this order; it belongs to the zone's own namespaces. */
static const struct own {
	const char *type;
	const char *target;
	const char *data;
	unsigned attrs;
	bool volatile_only;
} own[] = {
	{ "proc", "proc", NULL, SAFE, false },
	{ "sysfs", "sys", NULL, SAFE | MOUNT_ATTR_RDONLY, false },
	{ "cgroup2", "sys/fs/cgroup", NULL, SAFE, false },
	{ "devpts", "dev/pts", "ptmxmode=0666,mode=0620,gid=5", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	  false },
	{ "tmpfs", "dev/shm", "mode=1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false },
	{ "mqueue", "dev/mqueue", NULL, SAFE, false },
	{ "tmpfs", "run", "mode=755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, true },
};

/* They tell of the node, or act on it. Whether they are there depends on the kernel. */
static const char *const masked[] = {
	"proc/acpi", "proc/asound", "proc/bus", "proc/config.gz", "proc/driver",
	"proc/dynamic_debug", "proc/fs", "proc/interrupts", "proc/iomem", "proc/ioports", "proc/irq",
	"proc/kallsyms", "proc/kcore", "proc/keys", "proc/key-users", "proc/kmsg", "proc/kpagecgroup",
	"proc/kpagecount", "proc/kpageflags", "proc/latency_stats", "proc/mdstat", "proc/mtrr",
	"proc/sched_debug", "proc/schedstat", "proc/scsi", "proc/slabinfo", "proc/spl",
	"proc/sysrq-trigger", "proc/sysvipc/none", "proc/timer_list", "proc/timer_stats",
	"proc/vmallocinfo", "sys/block", "sys/bus", "sys/class/block", "sys/dev/block",
	"sys/devices/virtual/powercap", "sys/devices/pci0000:00", "sys/firmware", "sys/fs/bpf",
	"sys/fs/pstore", "sys/hypervisor", "sys/kernel/btf", "sys/kernel/debug", "sys/kernel/mm",
	"sys/kernel/notes", "sys/kernel/security", "sys/kernel/slab", "sys/kernel/tracing",
	"sys/kernel/vmcoreinfo", "sys/module", "sys/power",
};

static int
attach_own(const struct zone_spec *spec, int root, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(own); i++) {
		NRD_CLOSE int fd = -1;
		int r;

		if (own[i].volatile_only && !spec->volatile_dirs)
			continue;
		r = zone_fs_make(own[i].type, own[i].data, own[i].attrs, &fd, err);
		if (r >= 0)
			r = zone_mount_attach(fd, root, own[i].target, ZONE_TARGET_DIR, err);
		if (r < 0)
			return nrd_wrap(err, r, "/%s", own[i].target);
	}
	return 0;
}

static bool
is_dir(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
attach_spec(const struct zone_spec *spec, const struct zone_tree *tree, int root,
	    struct nrd_err *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct zone_mount *m = &spec->mounts[i];
		NRD_CLOSE int made = -1;
		int fd = tree->binds[i];
		int r = 0;

		if (m->source == NULL) {
			r = zone_fs_make(m->type, m->data,
					 (m->flags & ZONE_MOUNT_RO ? MOUNT_ATTR_RDONLY : 0) |
						 (m->flags & ZONE_MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
						 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
					 &made, err);
			fd = made;
		} else if (fd < 0) {
			continue; /* optional, and not there */
		}
		if (r >= 0)
			r = zone_mount_attach(fd, root, m->target,
					      is_dir(fd) ? ZONE_TARGET_DIR : ZONE_TARGET_FILE, err);
		if (r < 0)
			return nrd_wrap(err, r, "%s", m->target);
	}
	return 0;
}

/*
 * A file's mask is a file, a directory's a directory. The first of a kind is the mount itself, the
 * others are copies of it: before 6.15 the kernel copies only what is attached.
 */
static int
attach_masks(const struct zone_tree *tree, int root, struct nrd_err *err)
{
	bool attached[2] = { false, false };

	for (size_t i = 0; i < nrd_count(masked); i++) {
		struct stat st;
		struct nrd_err why = { 0 };
		NRD_CLOSE int copy = -1;
		int kind, r;

		if (fstatat(root, masked[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
			continue;
		kind = S_ISDIR(st.st_mode) ? 1 : 0;
		if (attached[kind]) {
			copy = zone_mount_clone(tree->masks[kind], "", AT_EMPTY_PATH);
			if (copy < 0)
				return nrd_fail(err, errno, "ZoneMount", "copy the mask of /%s: %m",
						masked[i]);
		}
		r = zone_mount_attach(attached[kind] ? copy : tree->masks[kind], root, masked[i],
				      ZONE_TARGET_SAME, &why);
		if (r < 0)
			return nrd_fail(err, -r, "ZoneMount", "hide /%s: %s", masked[i], why.msg);
		attached[kind] = true;
	}
	return 0;
}

/* A terminal of the zone's own, so that its name is right inside; bound to /dev/console. */
static int
make_console(int root, int *ret_console, int *ret_master, struct nrd_err *err)
{
	static const int unlock = 0;
	NRD_CLOSE int master = openat(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	NRD_CLOSE int slave = -1;
	NRD_CLOSE int mount = -1;
	int r;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return nrd_fail(err, errno, "ZoneConsole", "make the console's terminal: %m");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return nrd_fail(err, errno, "ZoneConsole", "open the console's terminal: %m");
	mount = zone_mount_clone(slave, "", AT_EMPTY_PATH);
	if (mount < 0)
		return nrd_fail(err, errno, "ZoneConsole", "take the console's terminal: %m");
	r = zone_mount_attach(mount, root, "dev/console", ZONE_TARGET_FILE, err);
	if (r < 0)
		return r;
	*ret_console = nrd_take_fd(&slave);
	*ret_master = nrd_take_fd(&master);
	return 0;
}

static int
become_root(int root, struct nrd_err *err)
{
	if (fchdir(root) < 0 || zone_sys_pivot_root(".", ".") < 0)
		return nrd_fail(err, errno, "ZoneMount", "change to the zone's root: %m");
	/* The node's tree is now mounted over the zone's: away with it. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return nrd_fail(err, errno, "ZoneMount", "leave the node's root: %m");
	return 0;
}

int
zone_tree_enter(const struct zone_spec *spec, const struct zone_tree *tree, int *ret_console,
		int *ret_master, struct nrd_err *err)
{
	int root = tree->root;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make the mounts private: %m");
	if (move_mount(root, "", AT_FDCWD, STAGE_DIR, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return nrd_fail(err, errno, "ZoneMount", "attach the root: %m");
	r = zone_mount_attach(tree->dev, root, "dev", ZONE_TARGET_DIR, err);
	if (r >= 0)
		r = attach_own(spec, root, err);
	if (r >= 0)
		r = attach_masks(tree, root, err);
	if (r >= 0)
		r = attach_spec(spec, tree, root, err);
	if (r >= 0)
		r = make_console(root, ret_console, ret_master, err);
	return r < 0 ? r : become_root(root, err);
}
