/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Filesystems of the node, and taking away what was laid over things. */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define AT "/tmp/probe-mnt"

static int
mounts(const char *source, const char *type, unsigned long flags, const char *data)
{
	int r;

	(void)mkdir(AT, 0755);
	r = TRY(mount(source, AT, type, flags, data));
	if (r == 0)
		(void)umount2(AT, MNT_DETACH);
	return r;
}

#define MOUNTS(name, type, data) static int name(void) { return mounts("none", type, 0, data); }

MOUNTS(fresh_proc, "proc", NULL)
MOUNTS(fresh_proc_hidepid, "proc", "hidepid=2")
MOUNTS(fresh_sysfs, "sysfs", NULL)
MOUNTS(debugfs, "debugfs", NULL)
MOUNTS(tracefs, "tracefs", NULL)
MOUNTS(securityfs, "securityfs", NULL)
MOUNTS(devtmpfs, "devtmpfs", NULL)
MOUNTS(pstore, "pstore", NULL)
MOUNTS(configfs, "configfs", NULL)
MOUNTS(cgroup_v1, "cgroup", "none,name=probe")
MOUNTS(cgroup_v1_memory, "cgroup", "memory")
MOUNTS(hugetlbfs, "hugetlbfs", NULL)
MOUNTS(nfsd, "nfsd", NULL)
MOUNTS(bpffs_delegated, "bpf", "delegate_cmds=any")
MOUNTS(own_tmpfs, "tmpfs", NULL)

static int disk_ext4(void) { return mounts("/dev/vda", "ext4", 0, NULL); }
static int disk_xfs(void) { return mounts("/dev/vda3", "xfs", 0, NULL); }
static int file_squashfs(void) { return mounts("/proc/self/exe", "squashfs", 0, NULL); }
static int raw_disk(void) { return mounts("/dev/vda", NULL, MS_BIND, NULL); }
static int pool_root(void) { return mounts(given("PROBE_POOL", "zones"), "zfs", 0, NULL); }
static int other_dataset(void) { return mounts(given("PROBE_DATASET", "zones/opt"), "zfs", 0, NULL); }

/* By the calls that are not mount(2). */
static int
new_zfs(void)
{
	int fs = (int)syscall(SYS_fsopen, "zfs", 0);

	if (fs < 0)
		return errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", given("PROBE_DATASET", "zones/opt"), 0) < 0)
		return errno;
	return TRY(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

static int
new_ext4(void)
{
	int fs = (int)syscall(SYS_fsopen, "ext4", 0);

	if (fs < 0)
		return errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", "/dev/vda", 0) < 0)
		return errno;
	return TRY(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

/* bpffs may be mounted since 6.9; without the node's leave it holds nothing and takes nothing. */
static int
bpffs_shows(void)
{
	int r;

	(void)mkdir(AT, 0755);
	r = TRY(mount("none", AT, "bpf", 0, NULL));
	if (r == 0)
		r = reveals(AT);
	(void)umount2(AT, MNT_DETACH);
	return r;
}

/* Its own subtree again: neither the other zones nor the node's files. */
static int
cgroup2_shows(void)
{
	int r;

	(void)mkdir(AT, 0755);
	r = TRY(mount("none", AT, "cgroup2", 0, NULL));
	if (r == 0)
		r = TRY(access(AT "/zones", F_OK));
	(void)umount2(AT, MNT_DETACH);
	return r;
}

#define UMOUNTS(name, path) static int name(void) { return TRY(umount2(path, MNT_DETACH)); }

UMOUNTS(umount_kcore, "/proc/kcore")
UMOUNTS(umount_kallsyms, "/proc/kallsyms")
UMOUNTS(umount_modules, "/proc/modules")
UMOUNTS(umount_meminfo, "/proc/meminfo")
UMOUNTS(umount_boot_id, "/proc/sys/kernel/random/boot_id")
UMOUNTS(umount_proc, "/proc")
UMOUNTS(umount_sys, "/sys")
UMOUNTS(umount_dev, "/dev")
UMOUNTS(umount_root, "/")

/* In a mount namespace of its own, with the same result. */
static int
umount_unshared(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno;
	return umount_kallsyms();
}

static int
remounts(const char *path, unsigned long flags)
{
	return TRY(mount(NULL, path, NULL, MS_REMOUNT | flags, NULL));
}

static int remount_sys(void) { return remounts("/sys", MS_BIND); }
static int remount_sys_whole(void) { return remounts("/sys", 0); }
static int remount_sys_net(void) { return remounts("/sys/class/net", MS_BIND); }
static int remount_mask(void) { return remounts("/proc/kcore", MS_BIND); }
static int remount_root_dev(void) { return remounts("/", MS_BIND); }
static int remount_usr(void) { return remounts("/usr", MS_BIND); }
/* A directory of the node's, given by `add fs` read-only. */
static int remount_given(void) { return remounts(given("PROBE_GIVEN", "/given"), MS_BIND); }
static int write_given(void)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/probe", given("PROBE_GIVEN", "/given"));
	return opens(path, O_WRONLY | O_CREAT);
}

static int
setattr_given(void)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return TRY(syscall(SYS_mount_setattr, AT_FDCWD, given("PROBE_GIVEN", "/given"), 0, &attr, sizeof(attr)));
}

static int
move_mask(void)
{
	(void)mkdir(AT, 0755);
	return TRY(mount("/sys", AT, NULL, MS_MOVE, NULL));
}

/* A copy of /proc without what lies over its files. */
static int
bind_below(void)
{
	return mounts("/proc", NULL, MS_BIND, NULL);
}

static int
open_tree_below(void)
{
	return TRY(syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int
same_root(const struct stat *before)
{
	struct stat now;

	return stat("/", &now) == 0 && now.st_dev == before->st_dev && now.st_ino == before->st_ino ? ENODATA : 0;
}

/* The well-known way out of a chroot: ends at the zone's root. */
static int
chroot_escape(void)
{
	struct stat before;

	if (stat("/", &before) < 0 || mkdir("/tmp/probe-jail", 0755) < 0)
		return errno;
	if (chdir("/") < 0 || chroot("/tmp/probe-jail") < 0)
		return errno;
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	return chroot(".") < 0 ? errno : same_root(&before);
}

/* Joining one's own mounts anew begins at the top of the namespace. */
static int
reenter_mounts(void)
{
	struct stat before;
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || stat("/", &before) < 0 || setns(fd, CLONE_NEWNS) < 0)
		return errno;
	return same_root(&before);
}

static int
pivot_onto_root(void)
{
	return TRY(syscall(SYS_pivot_root, "/", "/tmp"));
}

/* listmount(2) of the mount namespaces that are there from the node's first moments on. */
static int
list_node_mounts(void)
{
	struct {
		unsigned size, spare;
		unsigned long long mnt_id, param, ns_id;
	} req = { .size = 32, .mnt_id = ~0ULL, .ns_id = 1 };
	unsigned long long ids[8];

	for (; req.ns_id < 4; req.ns_id++)
		if (syscall(SYS_listmount, &req, ids, 8L, 0) >= 0)
			return 0;
	return errno;
}

static int
overmount_dev(void)
{
	return TRY(mount("none", "/dev", "devtmpfs", 0, NULL));
}

const struct attempt attempts_mounts[] = {
	{ "mount_fresh_proc", fresh_proc, 0 }, { "mount_fresh_proc_hidepid", fresh_proc_hidepid, 0 },
	{ "mount_fresh_sysfs", fresh_sysfs, 0 }, { "mount_debugfs", debugfs, 0 },
	{ "mount_tracefs", tracefs, 0 }, { "mount_securityfs", securityfs, 0 },
	{ "mount_devtmpfs", devtmpfs, 0 }, { "mount_pstore", pstore, 0 },
	{ "mount_configfs", configfs, 0 }, { "mount_cgroup_v1", cgroup_v1, 0 },
	{ "mount_cgroup_v1_memory", cgroup_v1_memory, 0 }, { "mount_hugetlbfs", hugetlbfs, 0 },
	{ "mount_nfsd", nfsd, 0 }, { "mount_bpffs_delegated", bpffs_delegated, 0 },
	{ "mount_bpffs_shows", bpffs_shows, 0 }, { "mount_cgroup2_shows", cgroup2_shows, 0 },
	{ "mount_own_tmpfs", own_tmpfs, 0 }, { "mount_disk_ext4", disk_ext4, 0 },
	{ "mount_disk_xfs", disk_xfs, 0 }, { "mount_file_squashfs", file_squashfs, 0 },
	{ "mount_raw_disk", raw_disk, 0 }, { "mount_pool", pool_root, 0 },
	{ "mount_other_dataset", other_dataset, 0 }, { "fsopen_zfs", new_zfs, 0 },
	{ "fsopen_ext4", new_ext4, 0 }, { "umount_kcore", umount_kcore, 0 },
	{ "umount_kallsyms", umount_kallsyms, 0 }, { "umount_modules", umount_modules, 0 },
	{ "umount_meminfo", umount_meminfo, 0 }, { "umount_boot_id", umount_boot_id, 0 },
	{ "umount_proc", umount_proc, 0 }, { "umount_sys", umount_sys, 0 },
	{ "umount_dev", umount_dev, 0 }, { "umount_root", umount_root, 0 },
	{ "umount_unshared", umount_unshared, 0 }, { "remount_sys", remount_sys, 0 },
	{ "remount_sys_whole", remount_sys_whole, 0 }, { "remount_sys_net", remount_sys_net, 0 },
	{ "remount_mask", remount_mask, 0 }, { "remount_root_dev", remount_root_dev, 0 },
	{ "remount_usr", remount_usr, ALONE }, { "remount_given", remount_given, ALONE },
	{ "setattr_given", setattr_given, ALONE }, { "write_given", write_given, ALONE },
	{ "move_mask", move_mask, 0 }, { "bind_below", bind_below, 0 },
	{ "open_tree_below", open_tree_below, 0 }, { "chroot_escape", chroot_escape, 0 },
	{ "reenter_mounts", reenter_mounts, 0 }, { "pivot_onto_root", pivot_onto_root, 0 },
	{ "list_node_mounts", list_node_mounts, 0 }, { "overmount_dev", overmount_dev, 0 },
	{ NULL },
};
