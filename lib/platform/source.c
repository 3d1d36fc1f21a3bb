/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/platform-priv.h"
#include "platform/stamp.h"

#define UNPACK_MS (15 * 60 * 1000)
#define UNPACK_MAX_BYTES (UINT64_C(4) << 30)
#define ISO_MAGIC_AT 32769 /* "CD001" in the first volume descriptor */

void
platform_source_fini(struct platform_source *src)
{
	nrd_vec_each(part, src) {
		free(part->name);
		if (part->fd >= 0)
			(void)close(part->fd);
	}
	nrd_vec_fini(src);
	platform_manifest_fini(&src->manifest);
	free(src->text);
	if (src->mount != NULL)
		(void)platform_unmount(src->mount, NULL);
	free(src->mount);
	*src = (struct platform_source){ 0 };
}

void
platform_source_cleanup(struct platform_source *src)
{
	platform_source_fini(src);
}

int
platform_source_add(struct platform_source *src, struct platform_part part, const char *name,
		    struct nrd_err *err)
{
	part.name = nrd_format("%s", name);
	if (part.name == NULL || nrd_vec_push(src, part) < 0) {
		free(part.name);
		(void)close(part.fd);
		return nrd_nomem(err);
	}
	return 0;
}

static struct platform_part *
part_find(struct platform_source *src, const char *name)
{
	nrd_vec_each(part, src) {
		if (nrd_streq(part->name, name))
			return part;
	}
	return NULL;
}

/* Takes manifest.json out of the parts and reads it. */
static int
manifest_take(struct platform_source *src, struct nrd_err *err)
{
	struct platform_part *part = part_find(src, PLATFORM_MANIFEST);
	ssize_t n;

	if (part == NULL)
		return nrd_fail(err, EBADMSG, "BadManifest", "there is no %s", PLATFORM_MANIFEST);
	if (part->size > PLATFORM_MANIFEST_MAX)
		return nrd_fail(err, EBADMSG, "BadManifest", "%s is too large", PLATFORM_MANIFEST);
	src->text = malloc(part->size + 1);
	if (src->text == NULL)
		return nrd_nomem(err);
	n = pread(part->fd, src->text, part->size, (off_t)part->offset);
	if (n != (ssize_t)part->size)
		return nrd_fail(err, n < 0 ? errno : EIO, "FileRead", "read %s: %s",
				PLATFORM_MANIFEST, n < 0 ? strerror(errno) : "it ends too early");
	src->text_len = part->size;
	free(part->name);
	(void)close(part->fd);
	nrd_vec_remove(src, (size_t)(part - src->data));
	return nrd_wrap(err, platform_manifest_parse(src->text, src->text_len, &src->manifest, err),
			"%s", PLATFORM_MANIFEST);
}

int
platform_source_finish(struct platform_source *src, const char *stamp, struct nrd_err *err)
{
	const struct platform_manifest *m = &src->manifest;
	int r = manifest_take(src, err);

	if (r < 0)
		return r;
	if (!nrd_streq(m->stamp, stamp))
		return nrd_fail(err, EBADMSG, "BadManifest",
				"%s is for version %s, its directory is %s", PLATFORM_MANIFEST,
				m->stamp, stamp);
	for (size_t i = 0; i < m->n_files; i++) {
		struct platform_part *part = part_find(src, m->files[i].name);
		struct platform_part here;

		if (part == NULL)
			return nrd_fail(err, EBADMSG, "PlatformDamaged", "%s is missing",
					m->files[i].name);
		if (part->size != m->files[i].size)
			return nrd_fail(err, EBADMSG, "PlatformDamaged",
					"%s has %llu bytes, its manifest says %llu",
					m->files[i].name, (unsigned long long)part->size,
					(unsigned long long)m->files[i].size);
		here = src->data[i];
		src->data[i] = *part;
		*part = here;
	}
	if (src->len > m->n_files)
		return nrd_fail(err, EBADMSG, "PlatformDamaged", "%s is not in the manifest",
				src->data[m->n_files].name);
	return 0;
}

static int
dir_part_add(struct platform_source *src, const char *dir, const char *name, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, name);
	struct platform_part part = { 0 };
	struct stat st;

	if (path == NULL)
		return nrd_nomem(err);
	part.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (part.fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	if (fstat(part.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(part.fd);
		return nrd_fail(err, EBADMSG, "PlatformDamaged", "%s is not a file", path);
	}
	part.size = (uint64_t)st.st_size;
	return platform_source_add(src, part, name, err);
}

int
platform_source_open_dir(const char *dir, struct platform_source *ret_src, struct nrd_err *err)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	int r = platform_manifest_read(dir, &m, err);

	for (size_t i = 0; r == 0 && i < m.n_files; i++)
		r = dir_part_add(&src, dir, m.files[i].name, err);
	if (r == 0)
		r = dir_part_add(&src, dir, PLATFORM_MANIFEST, err);
	if (r == 0)
		r = platform_source_finish(&src, m.stamp, err);
	if (r < 0)
		return r;
	*ret_src = src;
	src = (struct platform_source){ 0 };
	return 0;
}

/* `prefer` or else the greatest stamp among the names in a directory; "" when there is none. */
static void
newest_in(const char *top, const char *prefer, char ret_stamp[PLATFORM_STAMP_TEXT])
{
	NRD_CLOSEDIR DIR *dir = opendir(top);
	struct dirent *d;

	ret_stamp[0] = '\0';
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		bool better = nrd_streq(d->d_name, prefer) ||
			      (!nrd_streq(ret_stamp, prefer) && strcmp(d->d_name, ret_stamp) > 0);

		if (platform_stamp_valid(d->d_name) && better)
			memcpy(ret_stamp, d->d_name, PLATFORM_STAMP_TEXT);
	}
}

int
platform_source_open_media(const char *root, const char *prefer, struct platform_source *ret_src,
			   struct nrd_err *err)
{
	static const char *const places[] = { "platform", "nereid/platform" };

	for (size_t i = 0; i < nrd_count(places); i++) {
		NRD_FREE char *top = nrd_path_join(root, places[i]);
		NRD_FREE char *dir = NULL;
		char stamp[PLATFORM_STAMP_TEXT];

		if (top == NULL)
			return nrd_nomem(err);
		newest_in(top, prefer, stamp);
		if (stamp[0] == '\0')
			continue;
		dir = nrd_path_join(top, stamp);
		if (dir == NULL)
			return nrd_nomem(err);
		return platform_source_open_dir(dir, ret_src, err);
	}
	return nrd_fail(err, ENOENT, "PlatformNotFound", "there is no platform on it");
}

int
platform_staging_open(const char *dir, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *path = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		path = nrd_path_join(dir, "piadm-XXXXXX");
		if (path == NULL)
			return nrd_nomem(err);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return nrd_fail(err, errno, "Staging", "make a temporary file in %s: %m", dir);
	*ret_fd = fd;
	return 0;
}

static const struct packed {
	const char *magic;
	size_t len;
	const char *program;
} packers[] = {
	{ "\x1f\x8b", 2, "gzip" },
	{ "\xfd" "7zXZ", 6, "xz" },
	{ "\x28\xb5\x2f\xfd", 4, "zstd" },
};

/* What a file unpacks to is not known before: the limit keeps a bomb from filling the pool. */
static int
unpack(const char *program, int fd, int to, struct nrd_err *err)
{
	const char *const argv[] = { program, "-dc", NULL };
	const struct nrd_proc proc = {
		.argv = argv, .stdin_fd = fd, .stdout_fd = to, .timeout_ms = UNPACK_MS,
	};
	struct rlimit was, limit;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0 || getrlimit(RLIMIT_FSIZE, &was) < 0)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	limit = (struct rlimit){ .rlim_cur = UNPACK_MAX_BYTES, .rlim_max = was.rlim_max };
	if (limit.rlim_cur > was.rlim_max)
		limit.rlim_cur = was.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return nrd_fail(err, errno, "FileRead", "limit the size: %m");
	r = nrd_run(&proc, NULL, NULL, err);
	(void)setrlimit(RLIMIT_FSIZE, &was);
	return nrd_wrap(err, r, "unpack");
}

static int
open_iso(int fd, const char *mount_dir, struct platform_source *ret_src, struct nrd_err *err)
{
	NRD_FREE char *dir = nrd_format("%s", mount_dir);
	int r;

	if (dir == NULL)
		return nrd_nomem(err);
	r = platform_mount_iso_fd(fd, dir, err);
	if (r < 0)
		return r;
	r = platform_source_open_media(dir, NULL, ret_src, err);
	if (r < 0) {
		(void)platform_unmount(dir, NULL);
		return r;
	}
	ret_src->mount = NRD_TAKE(dir);
	return 0;
}

int
platform_source_open_file(int fd, const char *staging, const char *mount_dir,
			  struct platform_source *ret_src, struct nrd_err *err)
{
	char head[8] = "", iso[5] = "";

	if (pread(fd, head, sizeof(head), 0) < 0)
		return nrd_fail(err, errno, "FileRead", "read: %m");
	for (size_t i = 0; i < nrd_count(packers); i++) {
		NRD_CLOSE int to = -1;
		int r;

		if (memcmp(head, packers[i].magic, packers[i].len) != 0)
			continue;
		r = platform_staging_open(staging, &to, err);
		if (r == 0)
			r = unpack(packers[i].program, fd, to, err);
		return r < 0 ? r : platform_source_open_tar(to, ret_src, err);
	}
	if (pread(fd, iso, sizeof(iso), ISO_MAGIC_AT) == (ssize_t)sizeof(iso) &&
	    memcmp(iso, "CD001", sizeof(iso)) == 0)
		return open_iso(fd, mount_dir, ret_src, err);
	return platform_source_open_tar(fd, ret_src, err);
}
