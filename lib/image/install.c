/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "installed.h"
#include "lock.h"
#include "nrd/clock.h"
#include "nrd/fault.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"

#define PARTIAL "-partial"

/* One installation, for the table of steps. */
struct job {
	const struct image_opts *opts;
	const struct image_manifest *m;
	const struct image_input *in;
	int fd;              /* the image's file */
	int got;             /* that of in->get; owned, -1 */
	const char *pool;
	struct image_format format;
	struct store *store; /* owned */
	char *dataset;       /* POOL/UUID; owned, as those below */
	char *partial;       /* POOL/UUID-partial */
	char *origin;        /* POOL/UUID@final of the image it builds on, NULL: none */
	bool made;           /* something may be at partial's place */
	bool recorded;
};

static void
job_cleanup(struct job *job)
{
	free(job->dataset);
	free(job->partial);
	free(job->origin);
	store_close(job->store);
	nrd_closep(&job->got);
}

const char *
image_pool(const struct image_opts *opts)
{
	return opts->pool != NULL ? opts->pool : IMAGE_POOL;
}

int
image_stopped(const struct image_opts *opts, struct nrd_err *err)
{
	if (opts->stop == NULL || *opts->stop == 0)
		return 0;
	return nrd_fail(err, EINTR, "Interrupted", "it was interrupted, and is undone");
}

/* ---- the file ---- */

int
image_file_check(const struct image_file *file, int fd, const char *name, struct nrd_err *err)
{
	char sha1[NRD_HASH_TEXT];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", name);
	if (!S_ISREG(st.st_mode))
		return nrd_fail(err, EINVAL, "FileRead", "%s is not a regular file", name);
	if (file == NULL)
		return 0;
	if ((uint64_t)st.st_size != file->size)
		return nrd_fail(err, EBADMSG, "SizeMismatch",
				"%s has %llu bytes, its manifest says %llu", name,
				(unsigned long long)st.st_size, (unsigned long long)file->size);
	r = nrd_hash_fd(NRD_SHA1, fd, sha1, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", name);
	if (!nrd_streq(sha1, file->sha1))
		return nrd_fail(err, EBADMSG, "ChecksumMismatch",
				"the SHA-1 of %s is %s, its manifest says %s", name, sha1,
				file->sha1);
	return lseek(fd, 0, SEEK_SET) < 0 ? nrd_fail(err, errno, "FileRead", "read %s: %m", name)
					  : 0;
}

static int
up_get(struct job *job, struct nrd_err *err)
{
	int r;

	job->fd = job->in->fd;
	if (job->in->get == NULL)
		return 0;
	r = job->in->get(job->in->arg, &job->got, err);
	job->fd = job->got;
	return r;
}

static int
up_check(struct job *job, struct nrd_err *err)
{
	const struct image_file *file = image_manifest_file(job->m);

	return image_file_check(job->in->checked ? NULL : file, job->fd, job->in->name, err);
}

/* What the manifest says of the contents must be so. */
static int
up_format(struct job *job, struct nrd_err *err)
{
	const struct image_file *file = image_manifest_file(job->m);
	struct image_format *f = &job->format;
	const char *packed, *name = job->in->name;
	int r;

	if (job->in->fill != NULL) {
		f->kind = IMAGE_KIND_TAR;
		return 0;
	}
	if (job->in->fill_volume != NULL)
		return 0;
	r = image_format_of(job->fd, f, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", name);
	packed = f->packer != NULL ? f->packer->name : image_compression_names[IMAGE_NONE];
	if (file != NULL && IMAGE_FILE_HAS(file, compression) &&
	    !nrd_streq(packed, image_compression_names[file->compression]))
		return nrd_fail(err, EINVAL, "UncompressionError",
				"%s: its compression is %s, its manifest says %s", name, packed,
				image_compression_names[file->compression]);
	if (f->kind == IMAGE_KIND_TAR && job->m->type == IMAGE_TYPE_ZVOL)
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s is a tar file; an image of type zvol is a ZFS stream", name);
	if (f->kind == IMAGE_KIND_TAR || f->compound)
		return 0;
	if (f->zvol != (job->m->type == IMAGE_TYPE_ZVOL))
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s is the stream of a %s, which no image of type %s is", name,
				f->zvol ? "volume" : "filesystem",
				image_type_names[job->m->type]);
	if (f->incremental && job->origin == NULL)
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s holds only what differs from another image, and its manifest "
				"names no origin", name);
	return 0;
}

/* ---- the dataset ---- */

static int
up_clear(struct job *job, struct nrd_err *err)
{
	job->made = true;
	return store_dataset_destroy(job->store, job->partial, err);
}

/*
 * On the node nothing in an image is a device or runs as somebody else, and it is mounted nowhere:
 * a machine's clone has properties of its own.
 */
static const char *const fs_props[] = {
	"canmount", "noauto", "mountpoint", "legacy", "devices", "off", "setuid", "off", NULL,
};
static const char *const zvol_props[] = { "volmode", "none", NULL };

static int
receive_argv(const struct job *job, char ***ret_argv, struct nrd_err *err)
{
	bool zvol = job->m->type == IMAGE_TYPE_ZVOL;
	NRD_STRV char **argv = NULL;
	int r = nrd_strv_add(&argv, "zfs");

	if (r == 0)
		r = nrd_strv_add(&argv, "receive");
	if (r == 0)
		r = nrd_strv_add(&argv, "-u");
	for (const char *const *p = zvol ? zvol_props : fs_props; r == 0 && *p != NULL; p += 2) {
		r = nrd_strv_add(&argv, "-o");
		if (r == 0)
			r = nrd_strv_addf(&argv, "%s=%s", p[0], p[1]);
	}
	if (r == 0 && job->origin != NULL) {
		r = nrd_strv_add(&argv, "-o");
		if (r == 0)
			r = nrd_strv_addf(&argv, "origin=%s", job->origin);
	}
	if (r == 0)
		r = nrd_strv_add(&argv, job->partial);
	if (r < 0)
		return nrd_nomem(err);
	*ret_argv = NRD_TAKE(argv);
	return 0;
}

static int
receive(const struct job *job, int fd, struct nrd_err *err)
{
	NRD_STRV char **argv = NULL;
	struct nrd_err why = { 0 };
	int r = receive_argv(job, &argv, err);
	const struct nrd_proc proc = {
		.argv = NRD_CSTRV(argv),
		.stdin_fd = fd,
		.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US,
	};

	if (r == 0 && nrd_run(&proc, NULL, NULL, &why) < 0)
		r = nrd_fail(err, why.num, "ReceiveError", "receive %s: %s", job->in->name,
			     why.msg);
	return r;
}

/* Unpacks in one child what another one receives. */
static int
receive_packed(const struct job *job, struct nrd_err *err)
{
	const char *const argv[] = { job->format.packer->name, "-dc", NULL };
	NRD_CLOSE int pidfd = -1;
	NRD_CLOSE int from = -1;
	int fds[2];
	int status = 0;
	int r, waited;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "ReceiveError", "pipe: %m");
	from = fds[0];
	r = nrd_spawn(&(struct nrd_proc){ .argv = argv, .stdin_fd = job->fd,
					  .stdout_fd = fds[1],
					  .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US },
		      &pidfd, NULL, err);
	(void)close(fds[1]);
	if (r < 0)
		return r;
	r = receive(job, from, err);
	/* When zfs has given up, this is what ends the other one. */
	nrd_closep(&from);
	from = -1;
	waited = nrd_pidfd_wait(pidfd, -1, &status, r == 0 ? err : NULL);
	if (waited < 0)
		return r < 0 ? r : waited;
	/* A broken file makes zfs fail as well, in words that do not say so. */
	if (status != 0 && status != 128 + SIGPIPE)
		return nrd_fail(err, EINVAL, "UncompressionError", "%s: %s cannot unpack it",
				job->in->name, job->format.packer->name);
	return r;
}

static int
only_snapshot(const struct job *job, char **ret_name, struct nrd_err *err)
{
	NRD_STRV char **snapshots = NULL;
	NRD_STRV char **below = NULL;
	int r = store_dataset_list(job->store, job->partial, STORE_LIST_SNAPSHOTS, &snapshots, err);
	size_t n = nrd_strv_len(NRD_CSTRV(snapshots));

	if (r == 0)
		r = store_dataset_list(job->store, job->partial, STORE_LIST_DEEP, &below, err);
	if (r < 0)
		return r;
	if (n != 1)
		return nrd_fail(err, EINVAL, "UnexpectedNumberOfSnapshots",
				"%s: the stream has %zu snapshots, an image has one", job->in->name,
				n);
	if (below != NULL)
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s: the stream holds several datasets, an image is one",
				job->in->name);
	*ret_name = nrd_format("%s", snapshots[0]);
	return *ret_name != NULL ? 0 : nrd_nomem(err);
}

/* A machine's root is the directory "root" of its dataset. */
static int
root_check(const struct job *job, struct nrd_err *err)
{
	NRD_CLOSE int top = -1;
	struct stat st;
	int r;

	if (job->m->type == IMAGE_TYPE_ZVOL || job->m->type == IMAGE_TYPE_OTHER)
		return 0;
	r = store_dataset_open(job->partial, true, &top, err);
	if (r < 0)
		return r;
	if (fstatat(top, "root", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s: there is no directory \"root\" in it, where an image of type %s "
				"has its files", job->in->name, image_type_names[job->m->type]);
	return 0;
}

static int
fill_from_stream(struct job *job, struct nrd_err *err)
{
	NRD_FREE char *final = nrd_format("%s@" IMAGE_SNAPSHOT, job->partial);
	NRD_FREE char *snapshot = NULL;
	int r;

	if (final == NULL)
		return nrd_nomem(err);
	r = job->format.packer != NULL ? receive_packed(job, err)
				       : receive(job, job->fd, err);
	if (r == 0)
		r = only_snapshot(job, &snapshot, err);
	if (r == 0)
		r = root_check(job, err);
	if (r == 0 && !nrd_streq(snapshot, final))
		r = store_dataset_rename(job->store, snapshot, final, err);
	return r;
}

static int
unpack_root(const struct job *job, struct nrd_err *err)
{
	NRD_CLOSE int top = -1;
	NRD_CLOSE int root = -1;
	struct nrd_err why = { 0 };
	int r = store_dataset_open(job->partial, false, &top, err);

	if (r < 0)
		return r;
	if ((mkdirat(top, "root", 0755) < 0 && errno != EEXIST) || fchmod(top, 0700) < 0)
		return nrd_fail(err, errno, "ImageRoot", "make the root of %s: %m", job->partial);
	root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0 || (job->origin == NULL && fchmod(root, 0755) < 0))
		return nrd_fail(err, errno, "ImageRoot", "open the root of %s: %m", job->partial);
	if (job->in->fill != NULL)
		return job->in->fill(job->in->arg, job->fd, root, err);
	if (nrd_untar(job->fd, root, &why) < 0)
		return nrd_fail(err, why.num, "UncompressionError", "unpack %s: %s",
				job->in->name, why.msg);
	return 0;
}

static int
fill_from_tar(struct job *job, struct nrd_err *err)
{
	int r = job->origin != NULL ? store_dataset_clone(job->store, job->origin, job->partial,
							  fs_props, err)
				    : store_dataset_create(job->store, job->partial, fs_props, err);

	if (r == 0)
		r = unpack_root(job, err);
	if (r == 0)
		r = store_dataset_snapshot(job->store, job->partial, IMAGE_SNAPSHOT, false, err);
	return r;
}

#define VOLUME_WAIT_MS 20000
#define VOLUME_LOOK_NS 5000000

/* The kernel makes its node, and udev the name of that, in their own time; the name may go and come while it is written. */
static int
await_node(const char *path, char **ret_node, struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = VOLUME_LOOK_NS };
	int64_t end = nrd_now_ms() + VOLUME_WAIT_MS;

	for (;;) {
		*ret_node = realpath(path, NULL);
		if (*ret_node != NULL)
			return 0;
		if (errno != ENOENT || nrd_now_ms() > end)
			return nrd_fail(err, errno, "ImageRoot", "find %s: %m", path);
		(void)nanosleep(&pause, NULL);
	}
}

/* On the node a volume is a device while it is filled, and no longer. */
static int
fill_volume(struct job *job, struct nrd_err *err)
{
	static const char *const props[] = { "volmode", "dev", "refreservation", "none", "volblocksize", "8192", NULL };
	NRD_FREE char *path = store_volume_path(job->partial);
	NRD_FREE char *node = NULL;
	int r = path != NULL ? store_volume_create(job->store, job->partial, job->m->image_size << 20, props, err) : nrd_nomem(err);

	if (r == 0)
		r = await_node(path, &node, err);
	if (r == 0)
		r = job->in->fill_volume(job->in->arg, node, err);
	if (r == 0)
		r = store_dataset_set(job->store, job->partial, "volmode", "none", err);
	return r == 0 ? store_dataset_snapshot(job->store, job->partial, IMAGE_SNAPSHOT, false, err) : r;
}

static int
up_fill(struct job *job, struct nrd_err *err)
{
	if (job->in->fill_volume != NULL)
		return fill_volume(job, err);
	return job->format.kind == IMAGE_KIND_TAR ? fill_from_tar(job, err)
						  : fill_from_stream(job, err);
}

/* Before the dataset has its name: a record without a dataset is none. */
static int
up_record(struct job *job, struct nrd_err *err)
{
	job->recorded = true;
	return image_record_write(job->pool, job->m, job->in->source, err);
}

static int
up_name(struct job *job, struct nrd_err *err)
{
	return store_dataset_rename(job->store, job->partial, job->dataset, err);
}

static const struct {
	const char *name;
	int (*up)(struct job *job, struct nrd_err *err);
} steps[] = {
	{ "get", up_get },     { "check", up_check },   { "format", up_format },
	{ "clear", up_clear }, { "fill", up_fill },     { "record", up_record },
	{ "name", up_name },
};

static void
undo(struct job *job)
{
	if (job->recorded)
		image_record_remove(job->pool, job->m->uuid);
	if (job->made)
		(void)store_dataset_destroy(job->store, job->partial, NULL);
}

static int
run_steps(struct job *job, struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(steps); i++) {
		int r;

		if (job->opts->trace != NULL)
			job->opts->trace(job->opts->arg, steps[i].name);
		r = steps[i].up(job, err);

		/* After the last one all is done, and nothing of it is taken back. */
		if (r == 0 && i + 1 == nrd_count(steps))
			break;
		if (r == 0)
			r = nrd_fault(err, "after step %s", steps[i].name);
		/* ^C ended the step's children as well: what they say of it is no news. */
		if (image_stopped(job->opts, NULL) < 0)
			r = image_stopped(job->opts, err);
		if (r < 0) {
			undo(job);
			return r;
		}
	}
	return 0;
}

/* ---- what there is before ---- */

/* 1: it is an image, 0: nothing is there. */
static int
installed(struct job *job, struct nrd_err *err)
{
	NRD_AUTO(image) image = { 0 };
	struct nrd_err why = { 0 };
	int r = image_read_in(job->store, job->pool, job->m->uuid, &image, &why);

	if (r == 0)
		return 1;
	if (!nrd_err_is(&why, "ImageNotInstalled")) {
		if (err != NULL)
			*err = why;
		return r;
	}
	if (store_dataset_exists(job->store, job->dataset))
		return nrd_fail(err, EEXIST, "DatasetExists",
				"there is a dataset %s, and it is no image", job->dataset);
	return 0;
}

static int
find_origin(struct job *job, struct nrd_err *err)
{
	NRD_AUTO(image) image = { 0 };
	struct nrd_err why = { 0 };
	const char *uuid = job->m->origin;
	int r;

	if (uuid == NULL)
		return 0;
	r = image_read_in(job->store, job->pool, uuid, &image, &why);
	if (r == 0 && !image.final)
		return nrd_fail(err, ENOENT, "OriginHasNoFinalSnapshot",
				"image %s builds on %s, which has no snapshot @" IMAGE_SNAPSHOT
				"; imgadm update gives it one", job->m->uuid, uuid);
	if (r < 0)
		return nrd_fail(err, -r, "OriginNotInstalled",
				"image %s builds on image %s, which is not installed on pool %s",
				job->m->uuid, uuid, job->pool);
	job->origin = nrd_format("%s/%s@" IMAGE_SNAPSHOT, job->pool, uuid);
	return job->origin != NULL ? 0 : nrd_nomem(err);
}

static int
install_locked(struct job *job, struct nrd_err *err)
{
	int r = installed(job, err);

	if (r != 0)
		return r;
	r = image_sweep(job->store, job->pool, err);
	if (r == 0)
		r = find_origin(job, err);
	return r < 0 ? r : run_steps(job, err);
}

static int
lock_or_wait(const struct image_opts *opts, const char *uuid, int *ret_fd, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = image_lock(uuid, false, ret_fd, &why);

	if (r != -EBUSY) {
		if (r < 0 && err != NULL)
			*err = why;
		return r;
	}
	if (opts->note != NULL)
		opts->note(opts->arg, "another command works on this image: waiting for it");
	return image_lock(uuid, true, ret_fd, err);
}

int
image_install(const struct image_opts *opts, const struct image_manifest *manifest,
	      const struct image_input *input, struct nrd_err *err)
{
	__attribute__((cleanup(job_cleanup))) struct job job = {
		.opts = opts, .m = manifest, .in = input, .fd = -1, .got = -1, .pool = image_pool(opts),
	};
	int lock = -1;
	int r = store_open(&job.store, err);

	if (r < 0)
		return r;
	job.dataset = nrd_format("%s/%s", job.pool, manifest->uuid);
	job.partial = nrd_format("%s/%s" PARTIAL, job.pool, manifest->uuid);
	if (job.dataset == NULL || job.partial == NULL)
		return nrd_nomem(err);
	if (!store_dataset_exists(job.store, job.pool))
		return nrd_fail(err, ENOENT, "PoolNotFound", "there is no pool %s", job.pool);
	r = lock_or_wait(opts, manifest->uuid, &lock, err);
	if (r < 0)
		return r;
	r = install_locked(&job, err);
	image_unlock(manifest->uuid, &lock);
	return r;
}

/* ---- off the node ---- */

int
image_sweep(struct store *store, const char *pool, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = store_dataset_list(store, pool, 0, &names, err);

	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++) {
		const char *name = strrchr(names[i], '/') + 1;
		char uuid[40] = "";
		int lock = -1;

		if (!nrd_ends(name, PARTIAL) || strlen(name) != 36 + strlen(PARTIAL))
			continue;
		memcpy(uuid, name, 36);
		if (!image_uuid_valid(uuid) || image_lock(uuid, false, &lock, NULL) < 0)
			continue;
		/* One that cannot go now goes another time. */
		(void)store_dataset_destroy(store, names[i], NULL);
		image_unlock(uuid, &lock);
	}
	return r;
}

static int
refuse_used(struct store *store, const char *dataset, struct nrd_err *err)
{
	NRD_STRV char **clones = NULL;
	NRD_STRV char **below = NULL;
	const char *used;
	int r = store_dataset_clones(store, dataset, &clones, err);
	size_t n;

	if (r == 0)
		r = store_dataset_list(store, dataset, STORE_LIST_DEEP, &below, err);
	if (r < 0)
		return r;
	n = nrd_strv_len(NRD_CSTRV(clones)) + nrd_strv_len(NRD_CSTRV(below));
	if (n == 0)
		return 0;
	used = clones != NULL ? clones[0] : below[0];
	return nrd_fail(err, EBUSY, "ImageHasDependentClones",
			"image %s is in use by %zu dataset%s, such as %s; delete what needs it first",
			strrchr(dataset, '/') + 1, n, n > 1 ? "s" : "", used);
}

static int
delete_locked(struct store *store, const char *pool, const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(image) image = { 0 };
	NRD_FREE char *dataset = NULL;
	int r = image_read_in(store, pool, uuid, &image, err);

	if (r < 0)
		return r;
	dataset = nrd_format("%s/%s", image.zpool, uuid);
	if (dataset == NULL)
		return nrd_nomem(err);
	r = refuse_used(store, dataset, err);
	if (r == 0)
		r = store_dataset_destroy(store, dataset, err);
	if (r == 0)
		image_record_remove(image.zpool, uuid);
	return r;
}

int
image_delete(const struct image_opts *opts, const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int lock = -1;
	int r = image_uuid_check(uuid, err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = lock_or_wait(opts, uuid, &lock, err);
	if (r < 0)
		return r;
	(void)image_sweep(store, image_pool(opts), NULL);
	r = delete_locked(store, opts->pool, uuid, err);
	image_unlock(uuid, &lock);
	return r;
}
