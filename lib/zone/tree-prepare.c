/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/uuid.h"
#include "zone/devices.h"
#include "zone/mountapi.h"
#include "zone/tree.h"

static const struct {
	const char *name;
	const char *to;
} links[] = {
	{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" }, { "core", "/proc/kcore" },
};
static const char *const dirs[] = { "pts", "shm", "mqueue", "net" };

/*
 * /dev is made here, by root of the node: in a filesystem of the zone's own user namespace device
 * nodes do not open. The zone may add files to it, but no nodes.
 */
static int
make_dev(const struct zone_config *config, const struct zone_spec *spec, int userns, int *ret_fd,
	 struct nrd_err *err)
{
	unsigned major, minor;
	NRD_CLOSE int fd = -1;
	int r = zone_fs_make("tmpfs", "mode=755,size=4m,nr_inodes=4096", MOUNT_ATTR_NOSUID, &fd, err);

	if (r < 0)
		return r;
	for (size_t i = 0; zone_device_nodes[i].name != NULL; i++) {
		const struct zone_device_node *n = &zone_device_nodes[i];

		if (mknodat(fd, n->name, S_IFCHR | 0666, makedev(n->major, n->minor)) < 0 ||
		    fchmodat(fd, n->name, 0666, 0) < 0)
			return nrd_fail(err, errno, "ZoneMount", "make /dev/%s: %m", n->name);
	}
	if (config->datasets != NULL && zone_device_zfs(&major, &minor) &&
	    mknodat(fd, "zfs", S_IFCHR | 0600, makedev(major, minor)) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /dev/zfs: %m");
	for (size_t i = 0; i < nrd_count(dirs); i++)
		if (mkdirat(fd, dirs[i], 0755) < 0 || fchmodat(fd, dirs[i], 0755, 0) < 0)
			return nrd_fail(err, errno, "ZoneMount", "make /dev/%s: %m", dirs[i]);
	for (size_t i = 0; i < nrd_count(links); i++)
		if (symlinkat(links[i].to, fd, links[i].name) < 0)
			return nrd_fail(err, errno, "ZoneMount", "make /dev/%s: %m", links[i].name);
	if (config->nesting && (mkdirat(fd, ".nereid", 0755) < 0 || mkdirat(fd, ZONE_DEV_PROC, 0755) < 0 ||
				mkdirat(fd, ZONE_DEV_SYS, 0755) < 0))
		return nrd_fail(err, errno, "ZoneMount", "make /dev/.nereid: %m");
	if (spec->tty1 && symlinkat("console", fd, "tty1") < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /dev/tty1: %m");
	/* Not open(2): a mount with a file open for writing cannot change its ids. */
	if (mknodat(fd, "console", S_IFREG | 0600, 0) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /dev/console: %m");
	r = nrd_fault(err, "make the nodes of /dev");
	if (r >= 0)
		r = zone_mount_idmap(fd, userns, err);
	if (r < 0)
		return nrd_wrap(err, r, "/dev");
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

/* The directories of /sys; in most of them there is nothing. "class/net" and their like get what sysfs has there. */
static const char *const sys_dirs[] = {
	"block", "bus", "class", "class/net", "dev", "dev/block", "dev/char", "devices",
	"devices/system", "devices/system/cpu", "devices/system/node", "devices/virtual",
	"devices/virtual/net", "firmware", "fs", "fs/cgroup", "kernel", "module", ZONE_SYS_DIR,
};

static int
write_sys(int fd, bool zfs, struct nrd_err *err)
{
	struct nrd_uuid uuid;
	char text[NRD_UUID_TEXT];
	int r;

	for (size_t i = 0; i < nrd_count(sys_dirs); i++)
		if (mkdirat(fd, sys_dirs[i], 0755) < 0)
			return nrd_fail(err, errno, "ZoneMount", "make /sys/%s: %m", sys_dirs[i]);
	if (zfs && mkdirat(fd, ZONE_SYS_ZFS, 0755) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /sys/" ZONE_SYS_ZFS ": %m");
	if (mknodat(fd, ZONE_SYS_FILE, S_IFREG | 0444, 0) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /sys/" ZONE_SYS_FILE ": %m");
	NRD_CLOSE int file = openat(fd, ZONE_SYS_BOOT, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (file < 0)
		return nrd_fail(err, errno, "ZoneMount", "make /sys/" ZONE_SYS_BOOT ": %m");
	r = nrd_uuid_new(&uuid, err);
	nrd_uuid_format(&uuid, text);
	text[NRD_UUID_TEXT - 1] = '\n';
	return r < 0 ? r : nrd_write_all(file, text, sizeof(text), err);
}

/*
 * /sys is an allow-list: a filesystem of a few directories into which the zone's first process
 * binds the parts of sysfs that are a zone's business. All of it is the node's and read-only; it has
 * no size because df lists what has one.
 */
static int
make_sys(struct zone_tree *t, bool zfs, struct nrd_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	NRD_CLOSE int fd = -1;
	int r = zone_fs_make("tmpfs", "mode=755,size=0,nr_inodes=64",
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &fd, err);

	if (r >= 0)
		r = write_sys(fd, zfs, err);
	if (r >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		r = nrd_fail(err, errno, "ZoneMount", "make /sys read-only: %m");
	if (r >= 0)
		t->sys = nrd_take_fd(&fd);
	return r < 0 ? nrd_wrap(err, r, "/sys") : 0;
}

static uint64_t
attributes(unsigned flags)
{
	return (flags & ZONE_MOUNT_RO ? MOUNT_ATTR_RDONLY : 0) |
	       (flags & ZONE_MOUNT_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
	       (flags & ZONE_MOUNT_NODEV ? MOUNT_ATTR_NODEV : 0) |
	       (flags & ZONE_MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

static int
take_bind(const struct zone_mount *m, int userns, int *ret_fd, struct nrd_err *err)
{
	unsigned how = m->flags & ZONE_MOUNT_TREE ? AT_RECURSIVE : 0;
	NRD_CLOSE int fd = zone_mount_clone(AT_FDCWD, m->source, how);
	struct mount_attr attr = { .attr_set = attributes(m->flags) };

	/* ENOTCONN: it is lxcfs's, which has died and is being started again. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTCONN) && (m->flags & ZONE_MOUNT_OPTIONAL))
		return 0;
	if (fd < 0)
		return nrd_fail(err, errno, "ZoneMount", "take %s for %s: %m", m->source, m->target);
	/* A filesystem that cannot show other ids shows its own: everything is nobody's. */
	if ((m->flags & ZONE_MOUNT_PLAIN) == 0)
		(void)zone_mount_idmap(fd, userns, NULL);
	if (attr.attr_set != 0 && mount_setattr(fd, "", AT_EMPTY_PATH | how, &attr, sizeof(attr)) < 0)
		return nrd_fail(err, errno, "ZoneMount", "set the options of %s: %m", m->target);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

static int
prepare(const struct zone_config *config, const struct zone_spec *spec, int userns, struct zone_tree *t, struct nrd_err *err)
{
	/*
	 * Nodes that came with an image are nothing to the zone; its setuid programs are, and only
	 * to the zone: on the node the dataset is mounted without them.
	 */
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV, .attr_clr = MOUNT_ATTR_NOSUID };
	int r;

	if (spec->sealed)
		attr = (struct mount_attr){ .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY };

	t->root = zone_mount_clone(AT_FDCWD, spec->root, 0);
	if (t->root < 0)
		return nrd_fail(err, errno, "ZoneMount", "take the root %s: %m", spec->root);
	r = nrd_fault(err, "show the root with the zone's ids");
	if (r >= 0)
		r = zone_mount_idmap(t->root, userns, err);
	if (r >= 0 && mount_setattr(t->root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		r = nrd_fail(err, errno, "ZoneMount", "set the options of its root: %m");
	if (r < 0)
		return nrd_wrap(err, r, "%s", spec->root);
	r = make_dev(config, spec, userns, &t->dev, err);
	if (r >= 0)
		r = make_sys(t, config->datasets != NULL, err);
	if (r >= 0 && spec->n_mounts > ZONE_TREE_BINDS)
		return nrd_fail(err, E2BIG, "ZoneMount", "more than %d filesystems", ZONE_TREE_BINDS);
	for (size_t i = 0; r >= 0 && i < spec->n_mounts; i++) {
		t->binds[i] = -1;
		t->n_binds = i + 1;
		if (spec->mounts[i].source != NULL)
			r = take_bind(&spec->mounts[i], userns, &t->binds[i], err);
	}
	return r;
}

int
zone_tree_prepare(const struct zone_config *config, const struct zone_spec *spec, int userns, struct zone_tree *ret_tree,
		  struct nrd_err *err)
{
	struct zone_tree tree = ZONE_TREE_NONE;
	int r = prepare(config, spec, userns, &tree, err);

	if (r < 0)
		zone_tree_close(&tree);
	else
		*ret_tree = tree;
	return r;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void
zone_tree_close(struct zone_tree *tree)
{
	shut(&tree->root);
	shut(&tree->dev);
	shut(&tree->sys);
	for (size_t i = 0; i < tree->n_binds; i++)
		shut(&tree->binds[i]);
	tree->n_binds = 0;
}
