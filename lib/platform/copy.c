/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * How a version gets onto a volume and away from it. FAT has no journal, so nothing that can be
 * booted is ever touched: a version is written under a name GRUB does not know (.tmp-STAMP),
 * brought to the disk, read back and compared, and only then renamed. Removal goes the same way
 * back. What a power cut leaves is a .tmp- directory, which the next change clears away, after
 * fsck where the file system was not unmounted (platform_mount_fat).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "platform/platform-priv.h"
#include "platform/source.h"
#include "platform/volume.h"

#define TMP_PREFIX ".tmp-"
#define OLD_PREFIX ".tmp-old-"
#define CHUNK_BYTES ((size_t)1 << 20)
#define CLUSTER_BYTES UINT64_C(32768)   /* the largest cluster FAT has */
#define SLACK_BYTES (UINT64_C(1) << 20) /* directories, manifest, the environment's copy */

platform_step_fn *platform_step_hook;

int
platform_step(const char *step, struct nrd_err *err)
{
	return platform_step_hook != NULL ? platform_step_hook(step, err) : 0;
}

int
platform_dir_sync(const char *path, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || syncfs(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", path);
	return 0;
}

static int
tree_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int
platform_tree_remove(const char *path, struct nrd_err *err)
{
	if (nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 &&
	    errno != ENOENT)
		return nrd_fail(err, errno, "FileWrite", "remove %s: %m", path);
	return 0;
}

/* What is being copied where. */
struct copy {
	const struct platform_source *src;
	char *tmp; /* the directory it is made in */
	platform_bytes_fn *done;
	void *arg;
};

static int
part_copy_bytes(const struct copy *c, const struct platform_part *part, int fd,
		struct nrd_hash *hash, struct nrd_err *err)
{
	NRD_FREE char *buf = malloc(CHUNK_BYTES);

	if (buf == NULL)
		return nrd_nomem(err);
	for (uint64_t at = 0; at < part->size;) {
		size_t want = part->size - at < CHUNK_BYTES ? (size_t)(part->size - at)
							    : CHUNK_BYTES;
		ssize_t n = pread(part->fd, buf, want, (off_t)(part->offset + at));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nrd_fail(err, errno, "FileRead", "read %s: %m", part->name);
		if (n == 0)
			return nrd_fail(err, EBADMSG, "PlatformDamaged",
					"%s: the source ends too early", part->name);
		r = nrd_hash_update(hash, buf, (size_t)n, err);
		if (r == 0)
			r = nrd_write_all(fd, buf, (size_t)n, err);
		if (r < 0)
			return r;
		at += (uint64_t)n;
		if (c->done != NULL)
			c->done(c->arg, (uint64_t)n);
	}
	return 0;
}

static int
part_copy(const struct copy *c, const struct platform_part *part, const char *sha256,
	  struct nrd_err *err)
{
	NRD_AUTO(nrd_hash) *hash = NULL;
	NRD_FREE char *path = nrd_path_join(c->tmp, part->name);
	NRD_CLOSE int fd = -1;
	char got[NRD_HASH_TEXT];
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = platform_step("copy", err);
	if (r == 0)
		r = nrd_hash_new(NRD_SHA256, &hash, err);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "create %s: %m", path);
	r = part_copy_bytes(c, part, fd, hash, err);
	if (r < 0)
		return nrd_wrap(err, r, "copy %s", part->name);
	if (fsync(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", path);
	r = nrd_hash_finish(hash, got, err);
	if (r < 0)
		return r;
	if (!nrd_streq(got, sha256))
		return nrd_fail(err, EBADMSG, "PlatformDamaged",
				"%s: the source is damaged: its SHA-256 is not what its manifest "
				"says", part->name);
	return 0;
}

/* Everything in c->tmp, on the disk and read back. */
static int
copy_aside(const struct platform_volume *v, const struct copy *c, struct nrd_err *err)
{
	const struct platform_manifest *m = &c->src->manifest;
	NRD_FREE char *manifest = nrd_path_join(c->tmp, PLATFORM_MANIFEST);
	int r;

	if (manifest == NULL)
		return nrd_nomem(err);
	r = platform_step("mkdir", err);
	if (r < 0)
		return r;
	if (mkdir(c->tmp, 0755) < 0)
		return nrd_fail(err, errno, "FileWrite", "create %s: %m", c->tmp);
	for (size_t i = 0; i < c->src->len; i++) {
		r = part_copy(c, &c->src->data[i], m->files[i].sha256, err);
		if (r < 0)
			return r;
	}
	r = platform_step("manifest", err);
	if (r == 0)
		r = nrd_file_write(manifest, c->src->text, c->src->text_len, 0644, err);
	if (r == 0)
		r = platform_dir_sync(c->tmp, err);
	if (r == 0)
		r = platform_step("verify", err);
	/* The pool reads back what it wrote by itself. */
	if (r == 0 && v->kind != PLATFORM_COPIES)
		r = platform_manifest_check(m, c->tmp, err);
	return r;
}

static int
dir_rename(const char *from, const char *to, struct nrd_err *err)
{
	int r = platform_step("rename", err);

	if (r < 0)
		return r;
	if (rename(from, to) < 0)
		return nrd_fail(err, errno, "FileWrite", "rename %s to %s: %m", from, to);
	return 0;
}

/* The version there is damaged (or the caller would not replace it): it makes room. */
static int
move_in(struct platform_volume *v, const char *tmp, const char *stamp, struct nrd_err *err)
{
	NRD_FREE char *top = platform_volume_dir(v, NULL, NULL);
	NRD_FREE char *dir = platform_volume_dir(v, "", stamp);
	NRD_FREE char *old = platform_volume_dir(v, OLD_PREFIX, stamp);
	int r = 0;

	if (top == NULL || dir == NULL || old == NULL)
		return nrd_nomem(err);
	if (nrd_path_exists(dir))
		r = dir_rename(dir, old, err);
	if (r == 0)
		r = dir_rename(tmp, dir, err);
	if (r == 0)
		r = platform_step("sync", err);
	if (r == 0)
		r = platform_dir_sync(top, err);
	if (r == 0 && nrd_path_exists(old))
		r = platform_tree_remove(old, err);
	return r;
}

uint64_t
platform_volume_needs(const struct platform_source *src)
{
	uint64_t sum = SLACK_BYTES;

	for (size_t i = 0; i < src->len; i++)
		sum += (src->data[i].size + CLUSTER_BYTES - 1) / CLUSTER_BYTES * CLUSTER_BYTES;
	return sum;
}

static int
room_check(const struct platform_volume *v, const struct platform_source *src, struct nrd_err *err)
{
	uint64_t there, needs = platform_volume_needs(src);
	char there_text[NRD_SIZE_TEXT], needs_text[NRD_SIZE_TEXT];
	int r = platform_volume_free(v, &there, err);

	if (r < 0 || needs <= there)
		return r;
	nrd_size_format(needs, needs_text);
	nrd_size_format(there, there_text);
	return nrd_fail(err, ENOSPC, "VolumeFull",
			"%s is needed and %s is free; make room with: piadm remove", needs_text,
			there_text);
}

/* Is it there and right down to the last byte? */
static bool
has_already(const struct platform_volume *v, const struct platform_source *src)
{
	const struct platform_version *there = platform_volume_find(v, src->manifest.stamp);
	NRD_FREE char *dir = platform_volume_dir(v, "", src->manifest.stamp);

	return there != NULL && there->whole && dir != NULL &&
	       platform_manifest_check(&src->manifest, dir, NULL) == 0;
}

int
platform_volume_copy(struct platform_volume *v, const struct platform_source *src,
		     platform_bytes_fn *done, void *arg, struct nrd_err *err)
{
	NRD_FREE char *top = platform_volume_dir(v, NULL, NULL);
	NRD_FREE char *tmp = platform_volume_dir(v, TMP_PREFIX, src->manifest.stamp);
	const struct copy copy = { .src = src, .tmp = tmp, .done = done, .arg = arg };
	int r;

	if (top == NULL || tmp == NULL)
		return nrd_nomem(err);
	r = platform_volume_clean(v, err);
	if (r < 0)
		return r;
	if (has_already(v, src))
		return 0;
	r = nrd_mkdir_p(top, 0755, err);
	if (r == 0)
		r = room_check(v, src, err);
	if (r < 0)
		return r;
	r = copy_aside(v, &copy, err);
	if (r == 0)
		r = move_in(v, tmp, src->manifest.stamp, err);
	if (r < 0) {
		/* What cannot be cleared away now is at the next change. */
		(void)platform_tree_remove(tmp, NULL);
		return r;
	}
	r = platform_volume_read(v, err);
	return r < 0 ? r : 1;
}

int
platform_volume_remove(struct platform_volume *v, const char *stamp, struct nrd_err *err)
{
	NRD_FREE char *top = platform_volume_dir(v, NULL, NULL);
	NRD_FREE char *dir = platform_volume_dir(v, "", stamp);
	NRD_FREE char *old = platform_volume_dir(v, OLD_PREFIX, stamp);
	int r;

	if (top == NULL || dir == NULL || old == NULL)
		return nrd_nomem(err);
	r = platform_volume_clean(v, err);
	if (r == 0)
		r = dir_rename(dir, old, err);
	if (r == 0)
		r = platform_dir_sync(top, err);
	if (r == 0)
		r = platform_step("remove", err);
	if (r == 0)
		r = platform_tree_remove(old, err);
	if (r == 0)
		r = platform_dir_sync(top, err);
	if (r == 0)
		r = platform_volume_read(v, err);
	return r;
}

int
platform_volume_clean(struct platform_volume *v, struct nrd_err *err)
{
	NRD_FREE char *top = platform_volume_dir(v, NULL, NULL);
	NRD_STRV char **left = NULL;
	NRD_CLOSEDIR DIR *dir = NULL;
	struct dirent *d;

	if (top == NULL)
		return nrd_nomem(err);
	dir = opendir(top);
	if (dir == NULL)
		return errno == ENOENT ? 0
				       : nrd_fail(err, errno, "VolumeRead", "read %s: %m", top);
	while ((d = readdir(dir)) != NULL) {
		if (nrd_starts(d->d_name, TMP_PREFIX) != NULL &&
		    nrd_strv_addf(&left, "%s/%s", top, d->d_name) < 0)
			return nrd_nomem(err);
	}
	for (size_t i = 0; i < nrd_strv_len(NRD_CSTRV(left)); i++) {
		int r = platform_step("clean", err);

		if (r == 0)
			r = platform_tree_remove(left[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
