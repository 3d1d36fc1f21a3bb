/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define PATH_PARTS_MAX 32

static int
in_root(int root, const char *path, uint64_t flags, enum zone_target target)
{
	bool plain = target == ZONE_TARGET_PLAIN_DIR || target == ZONE_TARGET_PLAIN_SAME;
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
			   (plain ? RESOLVE_NO_SYMLINKS : 0),
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int
configure(int fs, const char *type, const char *data, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(data);
	struct nrd_str part;

	while (data != NULL && nrd_str_split(&rest, ',', &part)) {
		char text[320]; /* a dataset has up to 255 */
		char *eq;
		int r;

		if (part.len == 0)
			continue;
		if (part.len >= sizeof(text))
			return nrd_fail(err, E2BIG, "ZoneMount", "%s: an option is too long", type);
		memcpy(text, part.data, part.len);
		text[part.len] = '\0';
		eq = strchr(text, '=');
		if (eq != NULL)
			*eq++ = '\0';
		r = eq != NULL ? fsconfig(fs, FSCONFIG_SET_STRING, text, eq, 0)
			       : fsconfig(fs, FSCONFIG_SET_FLAG, text, NULL, 0);
		if (r < 0)
			return nrd_fail(err, errno, "ZoneMount", "%s: option %s: %m", type, text);
	}
	return 0;
}

int
zone_fs_make(const char *type, const char *data, unsigned attrs, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fs = fsopen(type, FSOPEN_CLOEXEC);
	NRD_CLOSE int fd = -1;
	int r = nrd_fault(err, "make a filesystem %s", type);

	if (r < 0)
		return r;
	if (fs < 0)
		return nrd_fail(err, errno, "ZoneMount", "filesystem %s: %m", type);
	r = configure(fs, type, data, err);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make a filesystem %s: %m", type);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	if (fd < 0)
		return nrd_fail(err, errno, "ZoneMount", "mount a filesystem %s: %m", type);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

int
zone_mount_clone(int dir, const char *path, unsigned how)
{
	/* Mounts of the node pass on what happens to them; the copies are the zone's alone. */
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	if (path[0] != '\0' && nrd_fault(NULL, "take %s", path) < 0) {
		errno = EIO;
		return -1;
	}
	NRD_CLOSE int fd = open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						       AT_NO_AUTOMOUNT | how);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | (how & AT_RECURSIVE), &attr,
				    sizeof(attr)) < 0)
		return -1;
	return nrd_take_fd(&fd);
}

int
zone_mount_idmap(int mount, int userns, struct nrd_err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)userns,
	};

	if (mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return nrd_fail(err, errno, "ZoneMount", "show it with the zone's ids: %m");
	return 0;
}

/* Directories of a path, one by one; the last one is the target itself. */
static int
make_target(int root, const char *path, enum zone_target target, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(path);
	struct nrd_str part;
	char done[512] = "";

	while (nrd_str_split(&rest, '/', &part)) {
		char parent_path[512];
		char name[256];
		bool last = rest.data == NULL || rest.len == 0;
		NRD_CLOSE int parent = -1;

		if (part.len == 0)
			continue;
		if (part.len >= sizeof(name) || strlen(done) + part.len + 2 > sizeof(done))
			return nrd_fail(err, ENAMETOOLONG, "ZoneMount", "%s: the path is too long", path);
		(void)snprintf(name, sizeof(name), "%.*s", NRD_STR_ARG(part));
		(void)snprintf(parent_path, sizeof(parent_path), "%s", done[0] != '\0' ? done : ".");
		parent = in_root(root, parent_path, O_PATH | O_DIRECTORY, target);
		if (parent < 0)
			return nrd_fail(err, errno, "ZoneMount", "open %s in the zone: %m", done);
		if (last && target == ZONE_TARGET_FILE) {
			NRD_CLOSE int fd = openat(parent, name,
						  O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);

			if (fd < 0 && errno != EEXIST)
				return nrd_fail(err, errno, "ZoneMount", "make %s in the zone: %m",
						path);
		} else if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) {
			return nrd_fail(err, errno, "ZoneMount", "make %s in the zone: %m", path);
		}
		(void)snprintf(done + strlen(done), sizeof(done) - strlen(done), "%s%s",
			       done[0] != '\0' ? "/" : "", name);
	}
	return 0;
}

int
zone_mount_attach(int mount, int root, const char *path, enum zone_target target,
		  struct nrd_err *err)
{
	bool over = target == ZONE_TARGET_SAME || target == ZONE_TARGET_PLAIN_SAME;
	/* What is laid over something has a point of its own, not one for each of many. */
	int r = over ? 0 : nrd_fault(err, "mount %s", path);

	if (r < 0)
		return r;
	NRD_CLOSE int at = in_root(root, path, O_PATH, target);

	if (at < 0 && errno == ENOENT && !over) {
		r = make_target(root, path, target, err);
		if (r < 0)
			return r;
		at = in_root(root, path, O_PATH, target);
	}
	if (at < 0 && errno == ELOOP)
		return nrd_fail(err, ELOOP, "ZoneMount",
				"/%s in the zone is a link, where nothing can be mounted", path);
	if (at < 0)
		return nrd_fail(err, errno, "ZoneMount", "open %s in the zone: %m", path);
	if (move_mount(mount, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return nrd_fail(err, errno, "ZoneMount", "mount %s: %m", path);
	return 0;
}
