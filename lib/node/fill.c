/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"

#define FILL_DEPTH_MAX 32

struct fill {
	const char *const *except;
	struct nrd_err *err;
};

static int
failed(struct fill *f, const char *act, const char *name)
{
	return nrd_fail(f->err, errno, "FillTree", "%s %s: %m", act, name);
}

static int
set_owner(struct fill *f, int fd, const struct stat *st, const char *name)
{
	const struct timespec times[2] = { st->st_mtim, st->st_mtim };

	/* The owner first: changing it clears the set-id bits. */
	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0)
		return failed(f, "set the owner of", name);
	(void)futimens(fd, times);
	return 0;
}

static int
copy_link(struct fill *f, int src, int dst, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(src, name, target, sizeof(target) - 1);

	if (n < 0)
		return failed(f, "read link", name);
	target[n] = '\0';
	if (symlinkat(target, dst, name) < 0)
		return failed(f, "make link", name);
	if (fchownat(dst, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(f, "set the owner of", name);
	return 0;
}

static int
copy_file(struct fill *f, int src, int dst, const char *name, const struct stat *st)
{
	NRD_CLOSE int in = openat(src, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	NRD_CLOSE int out = -1;
	ssize_t n;
	int r = 0;

	if (in < 0)
		return failed(f, "open", name);
	out = openat(dst, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return failed(f, "create", name);
	while ((n = sendfile(out, in, NULL, (size_t)1 << 20)) > 0)
		;
	if (n < 0)
		r = failed(f, "copy", name);
	else
		r = set_owner(f, out, st, name);
	/* Half a file would never be completed: what is there stays. */
	if (r < 0)
		(void)unlinkat(dst, name, 0);
	return r;
}

static int fill_dir(struct fill *f, int src, int dst, unsigned depth);

static int
copy_dir(struct fill *f, int src, int dst, const char *name, const struct stat *st, bool make,
	 unsigned depth)
{
	NRD_CLOSE int from = openat(src, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	NRD_CLOSE int to = -1;
	int r;

	if (from < 0)
		return failed(f, "open", name);
	if (make && mkdirat(dst, name, 0700) < 0)
		return failed(f, "make directory", name);
	to = openat(dst, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0) /* something else has that name there, and stays */
		return make ? failed(f, "open", name) : 0;
	r = fill_dir(f, from, to, depth + 1);
	return r < 0 || !make ? r : set_owner(f, to, st, name);
}

static int
fill_entry(struct fill *f, int src, int dst, const char *name, unsigned depth)
{
	struct stat st;
	struct stat there;
	bool have;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(f, "look at", name);
	have = fstatat(dst, name, &there, AT_SYMLINK_NOFOLLOW) == 0;
	if (S_ISDIR(st.st_mode) && (!have || S_ISDIR(there.st_mode)))
		return copy_dir(f, src, dst, name, &st, !have, depth);
	if (have)
		return 0;
	if (S_ISREG(st.st_mode))
		return copy_file(f, src, dst, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(f, src, dst, name, &st);
	return 0;
}

static int
fill_dir(struct fill *f, int src, int dst, unsigned depth)
{
	NRD_CLOSE int fd = fcntl(src, F_DUPFD_CLOEXEC, 3);
	NRD_CLOSEDIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (dir == NULL)
		return failed(f, "read", "directory");
	(void)nrd_take_fd(&fd);
	if (depth > FILL_DEPTH_MAX)
		return nrd_fail(f->err, ELOOP, "FillTree", "directories are nested too deeply");
	while ((e = readdir(dir)) != NULL) {
		int r;

		if (nrd_streq(e->d_name, ".") || nrd_streq(e->d_name, ".."))
			continue;
		if (depth == 0 && nrd_strv_has(f->except, e->d_name))
			continue;
		r = fill_entry(f, src, dst, e->d_name, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

int
node_fill(const char *src, const char *dst, const char *const *except, struct nrd_err *err)
{
	struct fill f = { .except = except, .err = err };
	NRD_CLOSE int from = open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NRD_CLOSE int to = open(dst, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (from < 0 || to < 0)
		return nrd_fail(err, errno, "FillTree", "open %s: %m", from < 0 ? src : dst);
	r = fill_dir(&f, from, to, 0);
	return r < 0 ? nrd_wrap(err, r, "fill %s", dst) : 0;
}
