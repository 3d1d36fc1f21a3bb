/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/mountapi.h"
#include "zone/sys.h"
#include "zone/tree.h"

/*
 * Where the root is attached until it is /, and the zone's whole sysfs, of which parts are taken:
 * any directories that are always there, that the zone's root may walk to, and of which nothing is
 * needed any more. They go away with the node's root.
 */
#define STAGE_DIR "/dev"
#define STAGE_SYS "/sys"
#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/*
 * What is mounted lies where its descriptor says, not where a path in the zone's root would lead:
 * what comes below proc, /dev and /sys is attached to the mounts themselves.
 */
enum place {
	AT_ROOT,
	AT_DEV,
	AT_PROC,
	AT_SYS,
	N_PLACES,
};

static const char *const place_names[] = { "", "dev/", "proc/", "sys/" };

/* What every zone has, in this order; it belongs to the zone's own namespaces. */
static const struct own {
	const char *type;
	enum place place;
	const char *target;
	const char *data;
	unsigned attrs;
	bool (*wanted)(const struct zone_spec *spec);
} own[] = {
	{ "cgroup2", AT_SYS, "fs/cgroup", NULL, SAFE, NULL },
	{ "devpts", AT_DEV, "pts", "ptmxmode=0666,mode=0620,gid=5",
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, NULL },
	{ "tmpfs", AT_DEV, "shm", "mode=1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, NULL },
	{ "mqueue", AT_DEV, "mqueue", NULL, SAFE, NULL },
	{ "tmpfs", AT_ROOT, "run", "mode=755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	  zone_spec_volatile },
	/* A zone's containers cannot mount these two where it has none that is whole. */
	{ "proc", AT_DEV, ZONE_DEV_PROC, NULL, SAFE, zone_spec_nesting },
	{ "sysfs", AT_DEV, ZONE_DEV_SYS, NULL, SAFE | MOUNT_ATTR_RDONLY, zone_spec_nesting },
};

/* Of sysfs. The rest tells of the node: its buses, disks, firmware, serial numbers, temperatures. */
static const char *const sys_kept[] = {
	"class/net", "devices/system/cpu", "devices/system/node", "devices/virtual/net",
	ZONE_SYS_ZFS, /* of zones with datasets: zfs(8) reads there what its module can do */
};

/*
 * Of proc, what tells of the node or acts on it; whether it is there depends on the kernel. What is
 * not hidden: vmstat, which vmstat(8) does not work without, filesystems, version, cgroups, tty.
 */
static const char *const masked[] = {
	"acpi", "asound", "buddyinfo", "bus", "cmdline", "config.gz", "consoles", "crypto",
	"devices", "dma", "driver", "dynamic_debug", "fb", "fs", "interrupts", "iomem", "ioports",
	"irq", "kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount",
	"kpageflags", "latency_stats", "mdstat", "misc", "modules", "mtrr", "pagetypeinfo",
	"partitions", "pressure", "sched_debug", "schedstat", "scsi", "slabinfo", "softirqs", "spl",
	"sysrq-trigger", "timer_list", "timer_stats", "vmallocinfo", "zoneinfo",
};

/* A limit of the zone's memory is one of what it may put there. */
static const char *
own_data(const struct own *o, const struct zone_spec *spec, char text[128])
{
	bool shm = nrd_streq(o->target, "shm");
	uint64_t mib = shm ? spec->shm_mib : spec->run_mib;

	if (mib == 0 || !nrd_streq(o->type, "tmpfs"))
		return o->data;
	(void)snprintf(text, 128, "%s,size=%lluM", o->data, (unsigned long long)mib);
	return text;
}

static int
attach(int fd, const int *places, enum place place, const char *target, struct nrd_err *err)
{
	int r = zone_mount_attach(fd, places[place], target, ZONE_TARGET_PLAIN_DIR, err);

	return r < 0 ? nrd_wrap(err, r, "/%s%s", place_names[place], target) : 0;
}

static int
attach_own(const struct zone_spec *spec, const int *places, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(own); i++) {
		NRD_CLOSE int fd = -1;
		char data[128];
		int r;

		if (own[i].wanted != NULL && !own[i].wanted(spec))
			continue;
		r = zone_fs_make(own[i].type, own_data(&own[i], spec, data), own[i].attrs, &fd, err);
		if (r >= 0)
			r = attach(fd, places, own[i].place, own[i].target, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Before 6.15 the kernel copies parts only of what is attached: sysfs is attached to be copied. */
static int
attach_sys(const int *places, struct nrd_err *err)
{
	NRD_CLOSE int sys = -1;
	int r = zone_fs_make("sysfs", NULL, SAFE | MOUNT_ATTR_RDONLY, &sys, err);

	if (r < 0)
		return r;
	if (move_mount(sys, "", AT_FDCWD, STAGE_SYS, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return nrd_fail(err, errno, "ZoneMount", "attach sysfs: %m");
	for (size_t i = 0; i < nrd_count(sys_kept); i++) {
		bool place = faccessat(places[AT_SYS], sys_kept[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		NRD_CLOSE int copy = place ? zone_mount_clone(sys, sys_kept[i], 0) : -1;

		if (!place || (copy < 0 && errno == ENOENT))
			continue;
		if (copy < 0)
			return nrd_fail(err, errno, "ZoneMount", "take /sys/%s: %m", sys_kept[i]);
		r = attach(copy, places, AT_SYS, sys_kept[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool
is_dir(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A root that is read-only, or full, or has something else there. */
static bool
no_place(int r)
{
	return r == -EROFS || r == -ENOTDIR || r == -ELOOP || r == -ENOSPC || r == -EDQUOT ||
	       r == -EACCES || r == -EPERM;
}

static enum zone_target
target_of(const struct zone_mount *m, int fd)
{
	if (!is_dir(fd))
		return ZONE_TARGET_FILE;
	return (m->flags & ZONE_MOUNT_IF_PLACE) != 0 ? ZONE_TARGET_PLAIN_DIR : ZONE_TARGET_DIR;
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
			r = zone_mount_attach(fd, root, m->target, target_of(m, fd), err);
		if (r < 0 && (m->flags & ZONE_MOUNT_IF_PLACE) != 0 && no_place(r))
			continue;
		if (r < 0)
			return nrd_wrap(err, r, "%s", m->target);
	}
	return 0;
}

static int
lay_over(const int *places, const char *what, const char *with, struct nrd_err *err)
{
	NRD_CLOSE int copy = zone_mount_clone(places[AT_SYS], with, 0);
	struct nrd_err why = { 0 };
	int r;

	if (copy < 0)
		return nrd_fail(err, errno, "ZoneMount", "copy the mask of /proc/%s: %m", what);
	r = zone_mount_attach(copy, places[AT_PROC], what, ZONE_TARGET_PLAIN_SAME, &why);
	return r < 0 ? nrd_fail(err, -r, "ZoneMount", "hide /proc/%s: %s", what, why.msg) : 0;
}

/* A file's mask is a file, a directory's a directory. */
static int
attach_masks(const int *places, struct nrd_err *err)
{
	int r = nrd_fault(err, "hide what tells of the node");

	for (size_t i = 0; r >= 0 && i < nrd_count(masked); i++) {
		struct stat st;

		if (fstatat(places[AT_PROC], masked[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISLNK(st.st_mode))
			continue;
		r = lay_over(places, masked[i], S_ISDIR(st.st_mode) ? ZONE_SYS_DIR : ZONE_SYS_FILE,
			     err);
	}
	/* The node's would say which zones are on one node, and be the same for every boot of a zone. */
	return r < 0 ? r : lay_over(places, "sys/kernel/random/boot_id", ZONE_SYS_BOOT, err);
}

static int
become_root(int root, struct nrd_err *err)
{
	int r = nrd_fault(err, "change to the zone's root");

	if (r < 0)
		return r;
	if (fchdir(root) < 0 || zone_sys_pivot_root(".", ".") < 0)
		return nrd_fail(err, errno, "ZoneMount", "change to the zone's root: %m");
	r = nrd_fault(err, "leave the node's root");
	if (r < 0)
		return r;
	/* The node's tree is now mounted over the zone's: away with it. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return nrd_fail(err, errno, "ZoneMount", "leave the node's root: %m");
	return 0;
}

int
zone_tree_enter(const struct zone_spec *spec, const struct zone_tree *tree, struct nrd_err *err)
{
	NRD_CLOSE int proc = -1;
	int places[N_PLACES] = { [AT_ROOT] = tree->root, [AT_DEV] = tree->dev, [AT_SYS] = tree->sys };
	int r = nrd_fault(err, "attach the root");

	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make the mounts private: %m");
	r = zone_fs_make("proc", NULL, SAFE, &proc, err);
	if (r < 0)
		return nrd_wrap(err, r, "/proc");
	if (move_mount(tree->root, "", AT_FDCWD, STAGE_DIR, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return nrd_fail(err, errno, "ZoneMount", "attach the root: %m");
	places[AT_PROC] = proc;
	r = attach(tree->dev, places, AT_ROOT, "dev", err);
	if (r >= 0)
		r = attach(proc, places, AT_ROOT, "proc", err);
	if (r >= 0)
		r = attach(tree->sys, places, AT_ROOT, "sys", err);
	if (r >= 0)
		r = attach_sys(places, err);
	if (r >= 0)
		r = attach_own(spec, places, err);
	if (r >= 0)
		r = attach_masks(places, err);
	if (r >= 0)
		r = attach_spec(spec, tree, tree->root, err);
	return r < 0 ? r : become_root(tree->root, err);
}
