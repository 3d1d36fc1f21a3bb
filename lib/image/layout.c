/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A layout on disk: index.json, and the parts in blobs/sha256, named by their digests. An archive is
 * not unpacked: where its members are is remembered, and a layer is copied out when its turn comes.
 * A compressed one is uncompressed first, into a file without a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fetch-priv.h"
#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/unpack.h"
#include "nrd/vec.h"
#include "place.h"
#include "tar.h"

#define INDEX       "index.json"
#define BLOBS       "blobs/sha256/"
#define MEMBERS_MAX 16384
#define PIECE       ((size_t)256 << 10)

struct part {
	char *name; /* owned */
	uint64_t offset, size;
};

struct layout {
	struct image_place place;
	const struct image_opts *opts;
	const char *path; /* for messages; owned by who opened it */
	char *repo, *tag; /* which image is wanted; NULL: the only one */
	char *name;       /* what that is called here; owned */
	int dir;          /* owned; -1: it is an archive */
	int fd;           /* of the archive, uncompressed; owned */
	NRD_VEC(struct part) parts;
};

static void
layout_close(struct image_place *place)
{
	struct layout *l = (struct layout *)place;

	nrd_vec_each(p, &l->parts)
		free(p->name);
	nrd_vec_fini(&l->parts);
	free(l->repo);
	free(l->tag);
	free(l->name);
	if (l->dir >= 0)
		(void)close(l->dir);
	if (l->fd >= 0)
		(void)close(l->fd);
	free(l);
}

/* ---- archives ---- */

static int
unpack_archive(struct layout *l, const struct nrd_packer *packer, struct nrd_err *err)
{
	const char *const argv[] = { packer->name, "-dc", NULL };
	NRD_CLOSE int out = -1;
	struct nrd_err why = { 0 };
	int r = image_download_unnamed(&out, err);

	if (r < 0)
		return r;
	r = nrd_run(&(struct nrd_proc){ .argv = argv, .stdin_fd = l->fd, .stdout_fd = out,
					.flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US }, NULL, NULL, &why);
	if (image_stopped(l->opts, NULL) < 0)
		return image_stopped(l->opts, err);
	if (r < 0)
		return nrd_fail(err, why.num, "UncompressionError", "%s: %s", l->path, why.msg);
	(void)close(l->fd);
	l->fd = nrd_take_fd(&out);
	return 0;
}

static int
add_part(struct layout *l, const struct image_tar *tar, const struct image_tar_entry *e, struct nrd_err *err)
{
	const char *name = nrd_starts(e->name, "./") ?: e->name;
	struct part p = { .offset = tar->offset, .size = e->size };

	if (e->type != IMAGE_TAR_FILE || (!nrd_streq(name, INDEX) && nrd_starts(name, BLOBS) == NULL))
		return 0;
	if (l->parts.len >= MEMBERS_MAX)
		return nrd_fail(err, E2BIG, "ImageFormat", "it has more than %d parts", MEMBERS_MAX);
	p.name = nrd_format("%s", name);
	if (p.name == NULL || nrd_vec_push(&l->parts, p) < 0) {
		free(p.name);
		return nrd_nomem(err);
	}
	return 0;
}

static int
open_archive(struct layout *l, struct nrd_err *err)
{
	char head[NRD_PACKER_HEAD];
	ssize_t n = pread(l->fd, head, sizeof(head), 0);
	const struct nrd_packer *packer = n > 0 ? nrd_packer_of(head, (size_t)n) : NULL;
	const struct image_tar_entry *e;
	NRD_AUTO(image_tar) tar;
	int r = 0;

	image_tar_init_fd(&tar, &l->fd);
	if (packer != NULL)
		r = unpack_archive(l, packer, err);
	if (r == 0 && lseek(l->fd, 0, SEEK_SET) < 0)
		r = nrd_fail(err, errno, "FileRead", "read %s: %m", l->path);
	while (r == 0 && (r = image_tar_next(&tar, &e, err)) > 0)
		r = add_part(l, &tar, e, err);
	return r == -EINVAL || r == -E2BIG ? nrd_wrap(err, r, "%s", l->path) : r;
}

/* ---- parts ---- */

/* The file a part is in, from offset on; whole when it is a file of its own. */
static int
find_part(const struct layout *l, const char *name, int *ret_fd, uint64_t *ret_offset, uint64_t *ret_size,
	  struct nrd_err *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;

	if (l->dir >= 0) {
		NRD_CLOSE int fd = (int)syscall(SYS_openat2, l->dir, name, &how, sizeof(how));

		if (fd < 0 || fstat(fd, &st) < 0)
			return nrd_fail(err, errno, errno == ENOENT ? "ImageFormat" : "FileOpen", "open %s/%s: %m",
					l->path, name);
		if (!S_ISREG(st.st_mode))
			return nrd_fail(err, EINVAL, "FileOpen", "%s/%s is no regular file", l->path, name);
		*ret_offset = 0;
		*ret_size = (uint64_t)st.st_size;
		*ret_fd = nrd_take_fd(&fd);
		return 0;
	}
	nrd_vec_each(p, &l->parts)
		if (nrd_streq(p->name, name)) {
			*ret_offset = p->offset;
			*ret_size = p->size;
			*ret_fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
			return *ret_fd >= 0 ? 0 : nrd_fail(err, errno, "FileOpen", "open %s: %m", l->path);
		}
	return nrd_fail(err, ENOENT, "ImageFormat", "%s: there is no %s in it", l->path, name);
}

static int
read_part(const struct layout *l, const char *name, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	uint64_t offset, size;
	int r = find_part(l, name, &fd, &offset, &size, err);

	if (r < 0)
		return r;
	if (size > IMAGE_DOC_MAX)
		return nrd_fail(err, EFBIG, "ImageDocument", "%s: %s has %llu bytes, more than %zu", l->path, name,
				(unsigned long long)size, IMAGE_DOC_MAX);
	if (nrd_buf_reserve(out, (size_t)size + 1) < 0)
		return nrd_nomem(err);
	while (size > 0) {
		ssize_t n = pread(fd, out->data + out->len, (size_t)size, (off_t)offset);

		if (n <= 0)
			return nrd_fail(err, n < 0 ? errno : EIO, "FileRead", "read %s of %s: it ends early", name,
					l->path);
		out->len += (size_t)n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	out->data[out->len] = '\0';
	return 0;
}

static char *
name_of(const struct image_blob *blob)
{
	return nrd_format(BLOBS "%s", blob->digest + strlen(IMAGE_DIGEST_PREFIX));
}

static int
layout_doc(struct image_place *place, const struct image_blob *blob, bool manifest, struct nrd_buf *out,
	   struct nrd_err *err)
{
	const struct layout *l = (const struct layout *)place;
	NRD_FREE char *name = name_of(blob);
	int r = name != NULL ? read_part(l, name, out, err) : nrd_nomem(err);

	(void)manifest;
	return r < 0 ? r : image_digest_match(nrd_buf_str(out), out->len, blob->digest, l->path, err);
}

static int
layout_top(struct image_place *place, struct nrd_buf *out, struct nrd_err *err)
{
	struct layout *l = (struct layout *)place;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_DOC_MAX + 1);
	struct image_blob blob;
	int r = read_part(l, INDEX, &text, err);

	if (r < 0 && nrd_err_is(err, "ImageFormat"))
		return nrd_fail(err, EINVAL, "ImageFormat",
				"%s is no OCI layout: it has no " INDEX " (docker save writes one since Docker 25)",
				l->path);
	if (r == 0)
		r = nrd_wrap(err, image_layout_parse(nrd_buf_str(&text), text.len, l->repo, l->tag, &blob, &l->name,
						     err), "%s", l->path);
	if (r < 0)
		return r;
	place->name = l->name;
	return layout_doc(place, &blob, true, out, err);
}

/* From one file into another, and what its digest is. */
static int
copy_part(const struct layout *l, int from, uint64_t offset, uint64_t size, int to, char ret_hex[NRD_HASH_TEXT],
	  struct nrd_err *err)
{
	NRD_AUTO(nrd_hash) *hash = NULL;
	NRD_FREE char *piece = malloc(PIECE);
	int r = piece != NULL ? nrd_hash_new(NRD_SHA256, &hash, err) : nrd_nomem(err);

	while (r == 0 && size > 0) {
		ssize_t n = pread(from, piece, size < PIECE ? (size_t)size : PIECE, (off_t)offset);

		if (n <= 0)
			return nrd_fail(err, n < 0 ? errno : EIO, "FileRead", "read %s: it ends early", l->path);
		r = nrd_hash_update(hash, piece, (size_t)n, err);
		if (r == 0 && to >= 0)
			r = nrd_write_all(to, piece, (size_t)n, err);
		if (r == 0)
			r = image_stopped(l->opts, err);
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return r < 0 ? r : nrd_hash_finish(hash, ret_hex, err);
}

static int
layout_blob(struct image_place *place, const struct image_blob *blob, int *ret_fd, struct nrd_err *err)
{
	const struct layout *l = (const struct layout *)place;
	NRD_FREE char *name = name_of(blob);
	NRD_CLOSE int fd = -1;
	NRD_CLOSE int copy = -1;
	char hex[NRD_HASH_TEXT];
	uint64_t offset, size;
	int r = name != NULL ? find_part(l, name, &fd, &offset, &size, err) : nrd_nomem(err);

	if (r == 0 && size != blob->size)
		r = nrd_fail(err, EBADMSG, "ImageDigest", "%s: layer %s has %llu bytes, its manifest says %llu",
			     l->path, blob->digest, (unsigned long long)size, (unsigned long long)blob->size);
	if (r == 0 && l->dir < 0)
		r = image_download_unnamed(&copy, err);
	if (r == 0)
		r = copy_part(l, fd, offset, size, copy, hex, err);
	if (r < 0)
		return r;
	if (!nrd_streq(hex, blob->digest + strlen(IMAGE_DIGEST_PREFIX)))
		return nrd_fail(err, EBADMSG, "ImageDigest", "%s: the digest of layer %s is sha256:%s: it is damaged",
				l->path, blob->digest, hex);
	*ret_fd = copy >= 0 ? nrd_take_fd(&copy) : nrd_take_fd(&fd);
	return 0;
}

static void
layout_used(struct image_place *place, const struct image_blob *blob)
{
	(void)place;
	(void)blob;
}

/* ---- opening ---- */

static const struct image_place_ops layout_ops = {
	.top = layout_top, .doc = layout_doc, .blob = layout_blob, .used = layout_used, .close = layout_close,
};

static int
open_either(struct layout *l, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(l->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", l->path);
	if (S_ISDIR(st.st_mode)) {
		l->dir = nrd_take_fd(&fd);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return nrd_fail(err, EINVAL, "FileOpen", "%s is neither a directory nor a regular file", l->path);
	l->fd = nrd_take_fd(&fd);
	return open_archive(l, err);
}

int
image_layout_open(const struct image_opts *opts, const char *path, const struct image_ref *ref,
		  struct image_place **ret_place, struct nrd_err *err)
{
	struct layout *l = calloc(1, sizeof(*l));
	int r = 0;

	if (l == NULL)
		return nrd_nomem(err);
	if (ref != NULL && ref->tag == NULL)
		r = nrd_fail(err, EINVAL, "InvalidName", "an image of a layout is named by its tag, not by a digest");
	*l = (struct layout){ .place.ops = &layout_ops, .opts = opts, .path = path, .dir = -1, .fd = -1 };
	if (r == 0 && ref != NULL) {
		l->repo = image_ref_repo(ref, ref->host);
		if (l->repo == NULL || nrd_str_set(&l->tag, ref->tag) < 0)
			r = nrd_nomem(err);
	}
	if (r == 0)
		r = open_either(l, err);
	if (r < 0) {
		layout_close(&l->place);
		return r;
	}
	*ret_place = &l->place;
	return 0;
}
