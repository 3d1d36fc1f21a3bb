/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "mem.h"
#include "str.h"

int
nrd_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(max);
	int r = nrd_buf_read_file(&b, path, err);

	if (r < 0)
		return r;
	size_t len = b.len;
	char *data = nrd_buf_take(&b);

	if (data == NULL)
		return nrd_nomem(err);
	*ret_data = data;
	if (ret_len != NULL)
		*ret_len = len;
	return 0;
}

int
nrd_write_all(int fd, const void *data, size_t len, struct nrd_err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nrd_fail(err, n < 0 ? errno : EIO, "FileWrite", "write: %m");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Splits a path at its last slash: the directory (caller frees) and the name inside it. */
static char *
path_dir(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		*ret_name = path;
		return strdup(".");
	}
	*ret_name = slash + 1;
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int
write_synced(int dirfd, const char *tmp, const void *data, size_t len, mode_t mode,
	     struct nrd_err *err)
{
	NRD_CLOSE int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "create temporary file: %m");
	int r = nrd_write_all(fd, data, len, err);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0)
		return nrd_fail(err, errno, "FileWrite", "set mode: %m");
	if (fsync(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "sync: %m");
	return 0;
}

static int
replace_in(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
	   struct nrd_err *err)
{
	uint64_t salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return nrd_fail(err, errno, "FileWrite", "random name: %m");
	NRD_FREE char *tmp = nrd_format(".%s.%016" PRIx64, name, salt);

	if (tmp == NULL)
		return nrd_nomem(err);
	int r = write_synced(dirfd, tmp, data, len, mode, err);

	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = nrd_fail(err, errno, "FileWrite", "rename: %m");
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return r;
	}
	if (fsync(dirfd) < 0)
		return nrd_fail(err, errno, "FileWrite", "sync directory: %m");
	return 0;
}

/* /dev/null, /dev/stdout, a pipe: renaming a file over one of these would be the end of it. */
static bool
is_special(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int
write_into(int dirfd, const char *name, const void *data, size_t len, struct nrd_err *err)
{
	NRD_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "open: %m");
	return nrd_write_all(fd, data, len, err);
}

int
nrd_file_write(const char *path, const void *data, size_t len, mode_t mode, struct nrd_err *err)
{
	const char *name = NULL;
	NRD_FREE char *dir = path_dir(path, &name);

	if (dir == NULL)
		return nrd_nomem(err);
	if (name[0] == '\0')
		return nrd_fail(err, EISDIR, "FileWrite", "write %s: %m", path);
	NRD_CLOSE int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: open directory: %m", path);
	if (is_special(dirfd, name))
		return nrd_wrap(err, write_into(dirfd, name, data, len, err), "write %s", path);
	return nrd_wrap(err, replace_in(dirfd, name, data, len, mode, err), "write %s", path);
}

bool
nrd_path_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

char *
nrd_path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	while (*name == '/')
		name++;
	return nrd_format("%.*s/%s", (int)len, dir, name);
}

int
nrd_mkdir_p(const char *path, mode_t mode, struct nrd_err *err)
{
	NRD_FREE char *p = strdup(path);

	if (p == NULL)
		return nrd_nomem(err);
	for (char *at = p; *at != '\0'; at++) {
		if (at == p || *at != '/')
			continue;
		*at = '\0';
		int r = mkdir(p, mode);

		if (r < 0 && errno != EEXIST)
			return nrd_fail(err, errno, "MakeDirectory", "make directory %s: %m", p);
		*at = '/';
	}
	if (mkdir(p, mode) == 0)
		return 0;
	int num = errno;
	struct stat st;

	if (num == EEXIST && stat(p, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		num = ENOTDIR;
	}
	return nrd_fail(err, num, "MakeDirectory", "make directory %s: %m", path);
}

int
nrd_attr_read(int dirfd, const char *path, char *dst, size_t size, struct nrd_err *err)
{
	NRD_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "AttributeRead", "read %s: %m", path);
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(size + 64);
	struct nrd_err why = { 0 };
	int r = nrd_buf_read_fd(&b, fd, &why);

	if (r < 0 && r != -EFBIG)
		return nrd_fail(err, -r, "AttributeRead", "read %s: %m", path);
	struct nrd_str line = nrd_str_trim(nrd_strn(nrd_buf_str(&b), b.len));

	if (r == -EFBIG || line.len >= size)
		return nrd_fail(err, EFBIG, "AttributeTooBig", "read %s: longer than %zu bytes",
				path, size);
	memcpy(dst, line.data, line.len);
	dst[line.len] = '\0';
	return 0;
}

int
nrd_attr_read_u64(int dirfd, const char *path, uint64_t *ret_v, struct nrd_err *err)
{
	char text[32];
	int r = nrd_attr_read(dirfd, path, text, sizeof(text), err);

	if (r < 0)
		return r;
	return nrd_wrap(err, nrd_parse_u64(text, 0, UINT64_MAX, ret_v, err), "read %s", path);
}

int
nrd_attr_write(int dirfd, const char *path, const char *value, struct nrd_err *err)
{
	NRD_CLOSE int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "AttributeWrite", "write %s: %m", path);
	size_t len = strlen(value);
	ssize_t n = write(fd, value, len);

	if (n < 0 || (size_t)n != len)
		return nrd_fail(err, n < 0 ? errno : EIO, "AttributeWrite",
				"write \"%.64s\" to %s: %m", value, path);
	return 0;
}
