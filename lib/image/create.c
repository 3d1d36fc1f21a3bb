/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "installed.h"
#include "nrd/fault.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"

const char *
image_create_suffix(int compression)
{
	static const char *const suffixes[] = {
		[IMAGE_NONE] = "zfs",	     [IMAGE_GZIP] = "zfs.gz", [IMAGE_BZIP2] = "zfs.bz2",
		[IMAGE_XZ] = "zfs.xz", [IMAGE_ZSTD] = "zfs.zst",
	};

	return suffixes[compression];
}

/* ---- the snapshot ---- */

struct snapshot {
	struct store *store; /* owned */
	char *name;          /* DATASET@final; owned */
	char *aside;         /* what that is called meanwhile; owned, NULL: there was none */
	bool made;
};

static void
snapshot_cleanup(struct snapshot *s)
{
	if (s->made)
		(void)store_dataset_destroy(s->store, s->name, NULL);
	if (s->aside != NULL)
		(void)store_dataset_rename(s->store, s->aside, s->name, NULL);
	free(s->name);
	free(s->aside);
	store_close(s->store);
}

static int
snapshot_make(const struct image_create *create, struct snapshot *s, struct nrd_err *err)
{
	const char *dataset = create->dataset;
	NRD_FREE char *aside = nrd_format("%s@" IMAGE_SNAPSHOT "-%lld", dataset,
					  (long long)time(NULL));
	int r = store_open(&s->store, err);

	if (r < 0)
		return r;
	s->name = nrd_format("%s@" IMAGE_SNAPSHOT, dataset);
	if (s->name == NULL || aside == NULL)
		return nrd_nomem(err);
	if (store_snapshot_exists(s->store, s->name)) {
		r = store_dataset_rename(s->store, s->name, aside, err);
		if (r < 0)
			return r;
		s->aside = NRD_TAKE(aside);
	}
	r = create->snapshot != NULL ? store_dataset_rename(s->store, create->snapshot, s->name, err) :
				       store_dataset_snapshot(s->store, dataset, IMAGE_SNAPSHOT, false, err);
	s->made = r == 0;
	return r;
}

/* ---- the stream ---- */

static int
send_to(const struct image_create *create, const char *snapshot, int fd, struct nrd_err *err)
{
	const char *const all[] = { "zfs", "send", snapshot, NULL };
	const char *const since[] = { "zfs", "send", "-i", create->since, snapshot, NULL };
	const struct nrd_proc proc = {
		.argv = create->since != NULL ? since : all,
		.stdout_fd = fd,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US,
	};
	struct nrd_err why = { 0 };

	if (nrd_run(&proc, NULL, NULL, &why) == 0)
		return 0;
	return nrd_fail(err, why.num, "SendError", "send %s to %s: %s", snapshot, create->path,
			why.msg);
}

/* One child packs what another one sends. */
static int
send_packed(const struct image_create *create, const char *snapshot, int fd, struct nrd_err *err)
{
	const char *packer = image_compression_names[create->compression];
	const char *const argv[] = { packer, "-c", NULL };
	NRD_CLOSE int pidfd = -1;
	NRD_CLOSE int to = -1;
	int status = 0;
	int fds[2];
	int r, waited;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "SendError", "pipe: %m");
	to = fds[1];
	r = nrd_spawn(&(struct nrd_proc){ .argv = argv, .stdin_fd = fds[0], .stdout_fd = fd,
					  .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US },
		      &pidfd, NULL, err);
	(void)close(fds[0]);
	if (r < 0)
		return r;
	r = send_to(create, snapshot, to, err);
	nrd_closep(&to);
	to = -1;
	waited = nrd_pidfd_wait(pidfd, -1, &status, r == 0 ? err : NULL);
	if (waited < 0)
		return r < 0 ? r : waited;
	/* When it ends early, zfs is killed by its pipe, in words that do not say why. */
	if (status != 0)
		return nrd_fail(err, EIO, "CompressionError",
				"%s cannot write %s (exit status %d); is there room for it?", packer,
				create->path, status);
	return r;
}

static int
describe(int fd, int compression, struct image_file *file, struct nrd_err *err)
{
	char sha1[NRD_HASH_TEXT];
	struct stat st;
	int r;

	if (fsync(fd) < 0 || fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileWrite", "write: %m");
	r = nrd_hash_fd(NRD_SHA1, fd, sha1, err);
	if (r < 0)
		return r;
	if (nrd_str_set(&file->sha1, sha1) < 0)
		return nrd_nomem(err);
	file->size = (uint64_t)st.st_size;
	file->compression = compression;
	NRD_SET(&image_file_schema, file, sha1);
	NRD_SET(&image_file_schema, file, size);
	NRD_SET(&image_file_schema, file, compression);
	return 0;
}

static int
write_stream(const struct image_opts *opts, const struct image_create *create, int fd,
	     struct image_file *file, struct nrd_err *err)
{
	__attribute__((cleanup(snapshot_cleanup))) struct snapshot s = { 0 };
	int r = snapshot_make(create, &s, err);

	if (r == 0)
		r = nrd_fault(err, "after the snapshot");
	if (r == 0)
		r = create->compression == IMAGE_NONE ? send_to(create, s.name, fd, err)
						      : send_packed(create, s.name, fd, err);
	if (image_stopped(opts, NULL) < 0)
		return image_stopped(opts, err);
	return r < 0 ? r : describe(fd, create->compression, file, err);
}

int
image_create_file(const struct image_opts *opts, const struct image_create *create,
		  struct image_file *ret_file, struct nrd_err *err)
{
	NRD_FREE char *partial = nrd_format("%s.partial", create->path);
	struct image_file file = { 0 };
	NRD_CLOSE int fd = -1;
	int r;

	if (partial == NULL)
		return nrd_nomem(err);
	fd = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", partial);
	r = write_stream(opts, create, fd, &file, err);
	if (r == 0 && rename(partial, create->path) < 0)
		r = nrd_fail(err, errno, "FileWrite", "write %s: %m", create->path);
	if (r < 0) {
		(void)unlink(partial);
		nrd_object_fini(&image_file_schema, &file);
		return r;
	}
	*ret_file = file;
	return 0;
}
