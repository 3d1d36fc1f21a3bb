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
#define MASKS "dev/net" /* a directory of ours that is empty until then */
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

/* A limit of the zone's memory is one of what it may put there. */
static const char *
own_data(const struct own *o, const struct zone_spec *spec, char text[128])
{
	bool shm = nrd_streq(o->target, "dev/shm");
	uint64_t mib = shm ? spec->shm_mib : spec->run_mib;

	if (mib == 0 || !nrd_streq(o->type, "tmpfs"))
		return o->data;
	(void)snprintf(text, 128, "%s,size=%lluM", o->data, (unsigned long long)mib);
	return text;
}

static int
attach_own(const struct zone_spec *spec, int root, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(own); i++) {
		NRD_CLOSE int fd = -1;
		char data[128];
		int r;

		if (own[i].volatile_only && !spec->volatile_dirs)
			continue;
		r = zone_fs_make(own[i].type, own_data(&own[i], spec, data), own[i].attrs, &fd, err);
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

/* A file's mask is a file, a directory's a directory. */
static int
mask(int root, const char *path, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	NRD_CLOSE int copy = -1;
	struct stat st;
	int r;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
		return 0;
	copy = zone_mount_clone(root, S_ISDIR(st.st_mode) ? MASKS "/" ZONE_MASK_DIR
							  : MASKS "/" ZONE_MASK_FILE, 0);
	if (copy < 0)
		return nrd_fail(err, errno, "ZoneMount", "copy the mask of /%s: %m", path);
	r = zone_mount_attach(copy, root, path, ZONE_TARGET_SAME, &why);
	return r < 0 ? nrd_fail(err, -r, "ZoneMount", "hide /%s: %s", path, why.msg) : 0;
}

/* Before 6.15 the kernel copies a part of a mount only where that is attached: so it is, meanwhile. */
static int
attach_masks(const struct zone_tree *tree, int root, struct nrd_err *err)
{
	int r = zone_mount_attach(tree->masks, root, MASKS, ZONE_TARGET_DIR, err);

	for (size_t i = 0; r >= 0 && i < nrd_count(masked); i++)
		r = mask(root, masked[i], err);
	if (r >= 0 && (fchdir(root) < 0 || umount2(MASKS, MNT_DETACH | UMOUNT_NOFOLLOW) < 0))
		return nrd_fail(err, errno, "ZoneMount", "take the masks away: %m");
	return r;
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
