/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define DEPTH_MAX  64
#define COPY_CHUNK ((size_t)64 << 10)

static int
fail(struct nrd_err *err, const char *act, const char *path)
{
	return nrd_fail(err, errno, "RootFile", "%s %s in the zone's root: %m", act, path);
}

static int
open_in(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY),
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: something was renamed meanwhile and the lookup could not be sure. */
	do
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

int
brand_root_file(int dir, const char *path, int flags)
{
	return open_in(dir, path[0] != '\0' ? path : ".", flags, 0);
}

int
brand_root_regular(int dir, const char *path)
{
	NRD_CLOSE int fd = brand_root_file(dir, path, O_PATH);
	char proc[64];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return open(proc, O_RDONLY | O_CLOEXEC);
}

bool
brand_root_has(int dir, const char *path)
{
	NRD_CLOSE int fd = brand_root_file(dir, path, O_PATH);

	return fd >= 0;
}

/* The directory that holds path, opened, and the last part of it. */
static int
open_parent(int dir, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];

	*ret_name = slash != NULL ? slash + 1 : path;
	if (slash == NULL)
		return open_in(dir, ".", O_PATH | O_DIRECTORY, 0);
	if ((size_t)(slash - path) >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return open_in(dir, parent, O_PATH | O_DIRECTORY, 0);
}

static int
mkdir_one(int dir, const char *path, mode_t mode, bool last)
{
	const char *name;
	NRD_CLOSE int parent = open_parent(dir, path, &name);

	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST && !last ? 0 : errno == EEXIST ? 1 : -1;
	/* The caller's umask may have taken bits away. */
	return fchmodat(parent, name, last ? mode : 0755, 0);
}

int
brand_root_mkdir(int dir, const char *path, mode_t mode, struct nrd_err *err)
{
	NRD_FREE char *part = strdup(path);

	if (part == NULL)
		return nrd_nomem(err);
	for (char *slash = strchr(part, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir_one(dir, part, 0755, false) < 0)
			return fail(err, "make directory", part);
		*slash = '/';
	}
	int r = mkdir_one(dir, path, mode, true);

	if (r < 0)
		return fail(err, "make directory", path);
	if (r == 0)
		return 0;
	NRD_CLOSE int fd = open_in(dir, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return fail(err, "make directory", path);
	return 0;
}

int
brand_root_write(int dir, const char *path, const char *text, mode_t mode, struct nrd_err *err)
{
	const char *name;
	NRD_CLOSE int parent = open_parent(dir, path, &name);
	char tmp[300];
	int r;

	if (parent < 0 || snprintf(tmp, sizeof(tmp), ".%.255s.new", name) < 0)
		return fail(err, "write", path);
	(void)unlinkat(parent, tmp, 0);
	NRD_CLOSE int fd = openat(parent, tmp,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(err, "write", path);
	r = nrd_write_all(fd, text, strlen(text), err);
	if (r >= 0 && (fchmod(fd, mode) < 0 || renameat(parent, tmp, parent, name) < 0))
		r = fail(err, "write", path);
	if (r < 0)
		(void)unlinkat(parent, tmp, 0);
	return r;
}

int
brand_root_symlink(int dir, const char *path, const char *target, struct nrd_err *err)
{
	const char *name;
	NRD_CLOSE int parent = open_parent(dir, path, &name);

	if (parent < 0)
		return fail(err, "make link", path);
	if (symlinkat(target, parent, name) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(parent, name, 0) < 0 ||
	    symlinkat(target, parent, name) < 0)
		return fail(err, "make link", path);
	return 0;
}

int
brand_root_unlink(int dir, const char *path, struct nrd_err *err)
{
	const char *name;
	NRD_CLOSE int parent = open_parent(dir, path, &name);

	if ((parent < 0 || unlinkat(parent, name, 0) < 0) && errno != ENOENT && errno != ENOTDIR)
		return fail(err, "remove", path);
	return 0;
}

int
brand_root_read(int dir, const char *path, size_t max, char **ret_data, size_t *ret_len,
		struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) buf = NRD_BUF_INIT(max);
	NRD_CLOSE int fd = brand_root_regular(dir, path);
	int r;

	if (fd < 0)
		return fail(err, "read", path);
	r = nrd_buf_read_fd(&buf, fd, err);
	if (r < 0)
		return nrd_wrap(err, r, "read %s in the zone's root", path);
	if (ret_len != NULL)
		*ret_len = buf.len;
	*ret_data = buf.data != NULL ? nrd_buf_take(&buf) : strdup("");
	return *ret_data != NULL ? 0 : nrd_nomem(err);
}

/* ---- copying from the platform ---- */

static int
copy_bytes(int in, int out, struct nrd_err *err)
{
	NRD_FREE char *chunk = malloc(COPY_CHUNK);
	ssize_t n;

	if (chunk == NULL)
		return nrd_nomem(err);
	while ((n = read(in, chunk, COPY_CHUNK)) > 0) {
		int r = nrd_write_all(out, chunk, (size_t)n, err);

		if (r < 0)
			return r;
	}
	return n < 0 ? nrd_fail(err, errno, "FileRead", "read: %m") : 0;
}

static int
copy_file(int from, const char *name, const struct stat *st, int to, const char *as,
	  struct nrd_err *err)
{
	NRD_CLOSE int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	NRD_CLOSE int out = -1;
	int r;

	if (in < 0)
		return fail(err, "copy", name);
	out = openat(to, as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return fail(err, "copy", as);
	r = copy_bytes(in, out, err);
	if (r < 0)
		return nrd_wrap(err, r, "copy %s", as);
	/* Only root can give files away; a test that is not makes them its own. */
	if ((geteuid() == 0 && fchown(out, st->st_uid, st->st_gid) < 0) ||
	    fchmod(out, st->st_mode & 07777) < 0)
		return fail(err, "copy", as);
	return 0;
}

static int
copy_link(int from, const char *name, int to, const char *as, struct nrd_err *err)
{
	char target[4096];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail(err, "copy link", name);
	target[n] = '\0';
	return symlinkat(target, to, as) < 0 ? fail(err, "copy link", as) : 0;
}

static int copy_any(int from, const char *name, int to, const char *as, unsigned depth,
		    struct nrd_err *err);

static int
copy_dir(int from, const char *name, const struct stat *st, int to, const char *as,
	 unsigned depth, struct nrd_err *err)
{
	NRD_CLOSE int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	NRD_CLOSE int out = -1;
	NRD_CLOSEDIR DIR *dir = NULL;
	const struct dirent *e;
	int r = 0;

	if (in < 0 || depth == 0 || (mkdirat(to, as, 0700) < 0 && errno != EEXIST))
		return fail(err, "copy", as);
	out = openat(to, as, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = out >= 0 ? fdopendir(in) : NULL;
	if (dir == NULL)
		return fail(err, "copy", as);
	in = -1; /* dir's */
	while (r == 0 && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = copy_any(dirfd(dir), e->d_name, out, e->d_name, depth - 1, err);
	if (r == 0 && ((geteuid() == 0 && fchown(out, st->st_uid, st->st_gid) < 0) ||
		       fchmod(out, st->st_mode & 07777) < 0))
		r = fail(err, "copy", as);
	return r;
}

static int
copy_any(int from, const char *name, int to, const char *as, unsigned depth, struct nrd_err *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, "copy", name);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG: return copy_file(from, name, &st, to, as, err);
	case S_IFLNK: return copy_link(from, name, to, as, err);
	case S_IFDIR: return copy_dir(from, name, &st, to, as, depth, err);
	default: return 0; /* sockets and the like are not files of a platform */
	}
}

int
brand_root_copy(int from, const char *path, int dir, const char *to, struct nrd_err *err)
{
	const char *name;
	NRD_CLOSE int parent = open_parent(dir, to, &name);

	if (parent < 0)
		return fail(err, "copy", to);
	return copy_any(from, path, parent, name, DEPTH_MAX, err);
}

/* ---- removing ---- */

static int
remove_below(int fd, dev_t dev, unsigned depth)
{
	NRD_CLOSEDIR DIR *dir = NULL;
	const struct dirent *e;
	int failed = 0;

	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return -1;
	}
	while (failed == 0 && (e = readdir(dir)) != NULL) {
		struct stat st;
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		if (!S_ISDIR(st.st_mode)) {
			failed = unlinkat(dirfd(dir), e->d_name, 0);
			continue;
		}
		if (st.st_dev != dev || depth == 0) {
			errno = st.st_dev != dev ? EBUSY : ELOOP;
			return -1;
		}
		sub = openat(dirfd(dir), e->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		failed = sub < 0 ? -1 : remove_below(sub, dev, depth - 1);
		if (failed == 0)
			failed = unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
	return failed;
}

int
brand_tree_remove(const char *path, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "TreeRemove", "remove %s: %m", path);
	if (remove_below(nrd_take_fd(&fd), st.st_dev, 1024) < 0 || rmdir(path) < 0)
		return nrd_fail(err, errno, "TreeRemove", "remove %s: %m", path);
	return 0;
}
