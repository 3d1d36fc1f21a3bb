/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A layer is read twice where there is something below it: what it takes away of that has to be gone
 * before anything of its own is there, and may stand at its end. So nothing has to be remembered of
 * a layer, however large it is.
 */
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "layer-priv.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/unpack.h"
#include "oci.h"

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"
#define RESERVED ".wh..wh." /* of those who build layers */
#define PIPE     (1 << 20)

/* The bytes of the tar file, as they come out of the file or of the child that unpacks it. */
struct stream {
	const struct image_opts *opts;
	const struct image_layer *layer;
	const struct nrd_packer *packer; /* NULL: as it is */
	int from;               /* owned where there is a packer */
	int pidfd;              /* of the child; owned, -1 */
	struct nrd_hash *hash;  /* owned; NULL: not wanted */
};

static void
stream_cleanup(struct stream *s)
{
	if (s->packer != NULL && s->from >= 0)
		(void)close(s->from);
	/* Its output is gone, so it ends. */
	if (s->pidfd >= 0) {
		(void)nrd_pidfd_wait(s->pidfd, -1, &(int){ 0 }, NULL);
		(void)close(s->pidfd);
	}
	nrd_hash_free(s->hash);
}

static int
stream_open(struct stream *s, bool hashed, struct nrd_err *err)
{
	char head[NRD_PACKER_HEAD];
	ssize_t n = pread(s->layer->fd, head, sizeof(head), 0);
	int r = hashed ? nrd_hash_new(NRD_SHA256, &s->hash, err) : 0;
	int fds[2];

	if (r < 0)
		return r;
	if (n < 0 || lseek(s->layer->fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", s->layer->name);
	s->packer = nrd_packer_of(head, (size_t)n);
	if (s->packer == NULL) {
		s->from = s->layer->fd;
		return 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "UncompressionError", "pipe: %m");
	s->from = fds[0];
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE);
	r = nrd_spawn(&(struct nrd_proc){ .argv = (const char *const[]){ s->packer->name, "-dc", NULL },
					  .stdin_fd = s->layer->fd, .stdout_fd = fds[1],
					  .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US },
		      &s->pidfd, NULL, err);
	(void)close(fds[1]);
	return r;
}

static ssize_t
stream_read(void *arg, void *data, size_t len, struct nrd_err *err)
{
	struct stream *s = arg;
	ssize_t n;
	int r = image_stopped(s->opts, err);

	if (r < 0)
		return r;
	do
		n = read(s->from, data, len);
	while (n < 0 && errno == EINTR && image_stopped(s->opts, NULL) == 0);
	if (n < 0)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", s->layer->name);
	if (s->hash != NULL && n > 0)
		r = nrd_hash_update(s->hash, data, (size_t)n, err);
	return r < 0 ? r : n;
}

/* How the child has ended: what it could not unpack looks cut off to who reads. */
static int
stream_status(struct stream *s, struct nrd_err *err)
{
	int status = 0, r;

	if (s->pidfd < 0)
		return 0;
	(void)close(s->from);
	s->from = -1;
	r = nrd_pidfd_wait(s->pidfd, -1, &status, err);
	(void)close(s->pidfd);
	s->pidfd = -1;
	if (r < 0)
		return r;
	if (status == 0 || status == 128 + SIGPIPE)
		return 0;
	return nrd_fail(err, EINVAL, "UncompressionError", "%s: %s cannot unpack it", s->layer->name,
			s->packer->name);
}

/* What stands behind the end of the tar file is part of its digest. */
static int
drain(struct stream *s, struct nrd_err *err)
{
	char scrap[16384];
	ssize_t n;

	do
		n = stream_read(s, scrap, sizeof(scrap), err);
	while (n > 0);
	return (int)n;
}

static int
check_digest(struct stream *s, struct nrd_err *err)
{
	char hex[NRD_HASH_TEXT];
	int r;

	if (s->hash == NULL)
		return 0;
	r = nrd_hash_finish(s->hash, hex, err);
	if (r < 0 || nrd_streq(hex, s->layer->diff_id + strlen(IMAGE_DIGEST_PREFIX)))
		return r;
	return nrd_fail(err, EBADMSG, "ImageDigest",
			"%s: unpacked, its digest is " IMAGE_DIGEST_PREFIX "%s, the image's config says %s",
			s->layer->name, hex, s->layer->diff_id);
}

/* ---- members ---- */

/* What a member is called in its directory. */
static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

typedef int member_fn(struct image_tree *tree, const char *path, const struct image_tar_entry *e,
		      struct image_tar *tar, struct nrd_err *err);

static int
take_away(struct image_tree *tree, const char *path, const struct image_tar_entry *e, struct image_tar *tar,
	  struct nrd_err *err)
{
	const char *name = name_of(path), *hidden = nrd_starts(name, WHITEOUT);
	NRD_FREE char *what = NULL;

	(void)e;
	(void)tar;
	if (hidden == NULL || (nrd_starts(name, RESERVED) != NULL && !nrd_streq(name, OPAQUE)))
		return 0;
	what = nrd_format("%.*s%s", (int)(name - path), path, nrd_streq(name, OPAQUE) ? "" : hidden);
	if (what == NULL)
		return nrd_nomem(err);
	if (nrd_streq(name, OPAQUE)) {
		size_t len = strlen(what);

		if (len > 0)
			what[len - 1] = '\0';
		return image_tree_remove(tree, what, true, err);
	}
	if (hidden[0] == '\0' || nrd_streq(hidden, ".") || nrd_streq(hidden, ".."))
		return nrd_fail(err, EINVAL, "LayerPath", "it takes \"%.200s\" away, which is no name", path);
	return image_tree_remove(tree, what, false, err);
}

static int
put(struct image_tree *tree, const char *path, const struct image_tar_entry *e, struct image_tar *tar,
    struct nrd_err *err)
{
	return nrd_starts(name_of(path), WHITEOUT) != NULL ? 0 : image_tree_put(tree, path, e, tar, err);
}

static int
each_member(struct stream *s, struct image_tree *tree, member_fn *fn, struct nrd_err *err)
{
	NRD_AUTO(image_tar) tar;
	const struct image_tar_entry *e;
	int r;

	image_tar_init(&tar, stream_read, NULL, s);
	while ((r = image_tar_next(&tar, &e, err)) > 0) {
		NRD_FREE char *path = NULL;

		r = image_tree_path(e->name, &path, err);
		if (r == 0)
			r = fn(tree, path, e, &tar, err);
		if (r < 0)
			break;
	}
	return r;
}

static int
pass(const struct image_opts *opts, const struct image_layer *layer, struct image_tree *tree, member_fn *fn,
     bool hashed, struct nrd_err *err)
{
	__attribute__((cleanup(stream_cleanup))) struct stream s = {
		.opts = opts, .layer = layer, .from = -1, .pidfd = -1,
	};
	struct nrd_err why = { 0 };
	int r = stream_open(&s, hashed && layer->diff_id != NULL, err), ended;

	if (r < 0)
		return r;
	r = each_member(&s, tree, fn, &why);
	if (r == 0)
		r = drain(&s, &why);
	ended = image_stopped(opts, err);
	if (ended == 0 && (r == 0 || nrd_err_is(&why, "TarFormat")))
		ended = stream_status(&s, err);
	if (ended < 0)
		return ended;
	if (r < 0) {
		if (err != NULL)
			*err = why;
		return nrd_wrap(err, r, "unpack %s", layer->name);
	}
	return check_digest(&s, err);
}

int
image_layer_apply(const struct image_opts *opts, const struct image_layer *layer, int root, struct nrd_err *err)
{
	NRD_AUTO(image_tree) tree;
	int r = 0;

	image_tree_init(&tree, root);
	if (!layer->bottom)
		r = pass(opts, layer, &tree, take_away, false, err);
	if (r == 0)
		r = pass(opts, layer, &tree, put, true, err);
	if (r == 0)
		r = image_tree_finish(&tree, err);
	if (r == 0 && tree.strangers > 0 && opts->note != NULL) {
		NRD_FREE char *text = nrd_format("%s: %llu owners of files are above 65534, and are nobody now",
						 layer->name, (unsigned long long)tree.strangers);

		if (text != NULL)
			opts->note(opts->arg, text);
	}
	return r;
}
