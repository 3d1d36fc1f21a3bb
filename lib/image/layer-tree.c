/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "layer-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define ID_MAX     65534 /* of a zone's; also nobody's */
#define LINKS_MAX  16    /* dangling links on the way to a directory that is made */
#define DEPTH_MAX  1024  /* of what is removed */
#define TIMES_MAX  ((size_t)16 << 20)
#define PIECE      ((size_t)128 << 10)

#define failed(err, path, act) \
	nrd_fail((err), errno, "LayerWrite", act " %.200s: %m", (path)[0] != '\0' ? (path) : "/")

void
image_tree_init(struct image_tree *tree, int root)
{
	*tree = (struct image_tree){ .root = root, .dir = -1, .times = NRD_BUF_INIT(TIMES_MAX) };
}

void
image_tree_fini(struct image_tree *tree)
{
	free(tree->path);
	free(tree->piece);
	if (tree->dir >= 0)
		(void)close(tree->dir);
	nrd_buf_fini(&tree->times);
	tree->dir = -1;
}

void
image_tree_cleanup(struct image_tree *tree)
{
	image_tree_fini(tree);
}

int
image_tree_path(const char *name, char **ret_path, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) path = NRD_BUF_INIT(IMAGE_TAR_NAME_MAX - 1);
	struct nrd_str rest = nrd_str(name), part;
	int r = name[0] != '\0' ? nrd_buf_adds(&path, "") : -EINVAL;

	while (r == 0 && nrd_str_split(&rest, '/', &part)) {
		if (part.len == 0 || nrd_str_eq(part, "."))
			continue;
		if (nrd_str_eq(part, "..") || part.len > NAME_MAX)
			r = -EINVAL;
		else
			r = nrd_buf_printf(&path, "%s%.*s", path.len > 0 ? "/" : "", NRD_STR_ARG(part));
	}
	if (r == -ENOMEM)
		return nrd_nomem(err);
	if (r < 0)
		return nrd_fail(err, EINVAL, "LayerPath",
				"it has a member \"%.200s\": a name that is empty, too long or has \"..\" in it "
				"is refused", name);
	*ret_path = nrd_format("%s", nrd_buf_str(&path));
	return *ret_path != NULL ? 0 : nrd_nomem(err);
}

/* ---- looking up ---- */

/* -1 with errno. Links on the way, and one at the end, lead nowhere but into the root. */
static int
open_in(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, root, path[0] != '\0' ? path : ".", &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN);
	return (int)fd;
}

static const char *
last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return nrd_str_dup(nrd_strn(path, slash != NULL ? (size_t)(slash - path) : 0));
}

static int make_dirs(int root, const char *path, unsigned links, struct nrd_err *err);

/* Where a link leads that leads nowhere yet becomes a directory. */
static int
make_behind_link(int root, int parent, const char *path, unsigned links, struct nrd_err *err)
{
	NRD_FREE char *above = parent_of(path);
	NRD_FREE char *whole = NULL;
	char to[IMAGE_TAR_NAME_MAX];
	ssize_t n = readlinkat(parent, last_of(path), to, sizeof(to) - 1);

	if (n < 0)
		return failed(err, path, "read link");
	to[n] = '\0';
	if (links == 0)
		return nrd_fail(err, ELOOP, "LayerWrite", "make directory %.200s: too many symbolic links", path);
	whole = above == NULL ? NULL : nrd_format("%s/%s", to[0] == '/' ? "" : above, to);
	return whole == NULL ? nrd_nomem(err) : make_dirs(root, whole, links - 1, err);
}

/* One directory, of which those above are there. What is no directory makes room. */
static int
make_one(int root, const char *path, unsigned links, struct nrd_err *err)
{
	NRD_FREE char *above = parent_of(path);
	NRD_CLOSE int parent = above != NULL ? open_in(root, above, O_PATH | O_DIRECTORY) : -1;
	const char *name = last_of(path);
	struct stat st;

	if (above == NULL)
		return nrd_nomem(err);
	if (parent < 0)
		return failed(err, path, "make directory");
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return make_behind_link(root, parent, path, links, err);
		if (unlinkat(parent, name, 0) < 0)
			return failed(err, path, "remove");
	}
	if (mkdirat(parent, name, 0755) < 0 || fchmodat(parent, name, 0755, 0) < 0)
		return failed(err, path, "make directory");
	return 0;
}

static int
make_dirs(int root, const char *path, unsigned links, struct nrd_err *err)
{
	NRD_FREE char *part = nrd_format("%s", path);
	int r = 0;

	if (part == NULL)
		return nrd_nomem(err);
	for (char *end = part; r == 0 && *end != '\0';) {
		NRD_CLOSE int fd = -1;
		char kept;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		fd = open_in(root, part, O_PATH | O_DIRECTORY);
		if (fd < 0)
			r = errno == ENOENT || errno == ENOTDIR ? make_one(root, part, links, err)
								: failed(err, part, "open directory");
		*end = kept;
	}
	return r;
}

/* The directory a path is in, which is made where it is missing; borrowed until the next call. */
static int
open_parent(struct image_tree *tree, const char *path, int *ret_dir, struct nrd_err *err)
{
	NRD_FREE char *above = parent_of(path);
	int fd, r;

	if (above == NULL)
		return nrd_nomem(err);
	if (!nrd_streq(above, tree->path)) {
		fd = open_in(tree->root, above, O_PATH | O_DIRECTORY);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
			r = make_dirs(tree->root, above, LINKS_MAX, err);
			if (r < 0)
				return r;
			fd = open_in(tree->root, above, O_PATH | O_DIRECTORY);
		}
		if (fd < 0)
			return failed(err, above, "open directory");
		if (tree->dir >= 0)
			(void)close(tree->dir);
		tree->dir = fd;
		free(tree->path);
		tree->path = NRD_TAKE(above);
	}
	*ret_dir = tree->dir;
	return 0;
}

/* ---- removing ---- */

static int remove_at(int parent, const char *name, unsigned depth);

/* dir is taken over. -errno. */
static int
empty_dir(int dir, unsigned depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *e;
	int r = 0;

	if (d == NULL) {
		r = -errno;
		(void)close(dir);
		return r;
	}
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (!nrd_streq(e->d_name, ".") && !nrd_streq(e->d_name, ".."))
			r = remove_at(dirfd(d), e->d_name, depth);
	if (r == 0 && errno != 0)
		r = -errno;
	(void)closedir(d);
	return r;
}

static int
remove_at(int parent, const char *name, unsigned depth)
{
	int dir, r;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	r = empty_dir(dir, depth - 1);
	return r < 0 ? r : unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* What is known of the directory used last may be wrong now. */
static void
forget(struct image_tree *tree)
{
	nrd_freep(&tree->path);
	tree->path = NULL;
}

int
image_tree_remove(struct image_tree *tree, const char *path, bool inside, struct nrd_err *err)
{
	NRD_FREE char *above = parent_of(path);
	NRD_CLOSE int parent = -1;
	int dir, r;

	if (above == NULL)
		return nrd_nomem(err);
	forget(tree);
	if (inside) {
		dir = open_in(tree->root, path, O_RDONLY | O_DIRECTORY);
		r = dir >= 0 ? empty_dir(dir, DEPTH_MAX) : -errno;
	} else {
		parent = open_in(tree->root, above, O_PATH | O_DIRECTORY);
		r = parent >= 0 ? remove_at(parent, last_of(path), DEPTH_MAX) : -errno;
	}
	if (r == 0 || r == -ENOENT || r == -ENOTDIR)
		return 0;
	errno = -r;
	return failed(err, path, "remove");
}

/* ---- members ---- */

static uid_t
id_of(struct image_tree *tree, uint64_t id)
{
	if (id <= ID_MAX)
		return (uid_t)id;
	tree->strangers++;
	return ID_MAX;
}

/* What programs may use; the rest is other systems' bookkeeping. */
static bool
is_wanted(const char *name)
{
	return nrd_starts(name, "user.") != NULL || nrd_streq(name, "security.capability") ||
	       nrd_streq(name, "system.posix_acl_access") || nrd_streq(name, "system.posix_acl_default");
}

/*
 * Owner before mode and capabilities, for changing it takes those away. Each change is a transaction of
 * ZFS: what is right already is left alone.
 */
static int
dress(struct image_tree *tree, int fd, const char *path, const struct image_tar_entry *e, struct nrd_err *err)
{
	uid_t uid = id_of(tree, e->uid);
	gid_t gid = id_of(tree, e->gid);
	bool other;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(err, path, "look at");
	other = st.st_uid != uid || st.st_gid != gid;
	if ((other && fchown(fd, uid, gid) < 0) ||
	    ((other || (st.st_mode & 07777) != e->mode) && fchmod(fd, e->mode) < 0))
		return failed(err, path, "set owner and mode of");
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct image_tar_xattr *x = &e->xattrs[i];

		if (is_wanted(x->name) && fsetxattr(fd, x->name, x->value, x->len, 0) < 0 &&
		    errno != ENOTSUP)
			return failed(err, path, "set extended attributes of");
	}
	return 0;
}

static int
put_file(struct image_tree *tree, int parent, const char *path, const struct image_tar_entry *e,
	 struct image_tar *tar, struct nrd_err *err)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { e->mtime_s, e->mtime_ns } };
	NRD_CLOSE int fd = openat(parent, last_of(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  e->mode & 0777);
	ssize_t n;
	int r = 0;

	if (tree->piece == NULL && (tree->piece = malloc(PIECE)) == NULL)
		return nrd_nomem(err);
	if (fd < 0)
		return failed(err, path, "make");
	while (r == 0 && (n = image_tar_data(tar, tree->piece, PIECE, err)) != 0)
		r = n < 0 ? (int)n : nrd_wrap(err, nrd_write_all(fd, tree->piece, (size_t)n, err), "%.200s", path);
	if (r == 0)
		r = dress(tree, fd, path, e, err);
	if (r == 0 && futimens(fd, times) < 0)
		r = failed(err, path, "set the time of");
	return r;
}

/* A directory that is there stays, with what is in it. */
static int
put_dir(struct image_tree *tree, int parent, const char *path, const struct image_tar_entry *e,
	struct nrd_err *err)
{
	const char *name = path[0] != '\0' ? last_of(path) : ".";
	NRD_CLOSE int fd = -1;
	int r;

	if (path[0] != '\0' && mkdirat(parent, name, e->mode & 0777) < 0 && errno != EEXIST)
		return failed(err, path, "make directory");
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed(err, path, "open directory");
	r = dress(tree, fd, path, e, err);
	if (r < 0)
		return r;
	if (tree->times.len > TIMES_MAX / 2) {
		r = image_tree_finish(tree, err);
		if (r < 0)
			return r;
	}
	if (nrd_buf_add(&tree->times, &(struct timespec){ e->mtime_s, e->mtime_ns }, sizeof(struct timespec)) < 0 ||
	    nrd_buf_add(&tree->times, path, strlen(path) + 1) < 0)
		return nrd_nomem(err);
	return 0;
}

static int
put_link(struct image_tree *tree, int parent, const char *path, const struct image_tar_entry *e,
	 struct nrd_err *err)
{
	NRD_FREE char *target = NULL, *above = NULL;
	NRD_CLOSE int dir = -1;
	int r = image_tree_path(e->target, &target, err);

	if (r < 0)
		return r;
	above = parent_of(target);
	if (above == NULL)
		return nrd_nomem(err);
	dir = open_in(tree->root, above, O_PATH | O_DIRECTORY);
	if (dir < 0 || linkat(dir, last_of(target), parent, last_of(path), 0) < 0)
		return nrd_fail(err, errno, "LayerWrite", "link %.200s to %.200s: %m", path, target);
	return 0;
}

static int
put_other(struct image_tree *tree, int parent, const char *path, const struct image_tar_entry *e,
	  struct nrd_err *err)
{
	static const mode_t kinds[] = {
		[IMAGE_TAR_CHAR] = S_IFCHR, [IMAGE_TAR_BLOCKDEV] = S_IFBLK, [IMAGE_TAR_FIFO] = S_IFIFO,
	};
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { e->mtime_s, e->mtime_ns } };
	const char *name = last_of(path);
	int r = e->type == IMAGE_TAR_SYMLINK
			? symlinkat(e->target, parent, name)
			: mknodat(parent, name, kinds[e->type] | 0600, makedev(e->major, e->minor));

	if (r < 0)
		return failed(err, path, "make");
	if (fchownat(parent, name, id_of(tree, e->uid), id_of(tree, e->gid), AT_SYMLINK_NOFOLLOW) < 0 ||
	    (e->type != IMAGE_TAR_SYMLINK && fchmodat(parent, name, e->mode, 0) < 0) ||
	    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(err, path, "set owner and mode of");
	return 0;
}

/* Is a hard link to what is at its place already? Then that must not make room. */
static bool
is_itself(const char *path, const struct image_tar_entry *e)
{
	NRD_FREE char *target = NULL;

	return e->type == IMAGE_TAR_LINK && image_tree_path(e->target, &target, NULL) == 0 &&
	       nrd_streq(path, target);
}

int
image_tree_put(struct image_tree *tree, const char *path, const struct image_tar_entry *entry,
	       struct image_tar *tar, struct nrd_err *err)
{
	struct stat st;
	int parent, r;

	if (path[0] == '\0')
		return entry->type == IMAGE_TAR_DIR
			       ? put_dir(tree, tree->root, path, entry, err)
			       : nrd_fail(err, EINVAL, "LayerPath", "it has a root that is no directory");
	r = open_parent(tree, path, &parent, err);
	if (r < 0 || is_itself(path, entry))
		return r;
	if (fstatat(parent, last_of(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !(entry->type == IMAGE_TAR_DIR && S_ISDIR(st.st_mode))) {
		r = remove_at(parent, last_of(path), DEPTH_MAX);
		if (r < 0) {
			errno = -r;
			return failed(err, path, "remove");
		}
		if (S_ISDIR(st.st_mode) || entry->type == IMAGE_TAR_DIR) {
			forget(tree);
			r = open_parent(tree, path, &parent, err);
			if (r < 0)
				return r;
		}
	}
	switch (entry->type) {
	case IMAGE_TAR_FILE:
		return put_file(tree, parent, path, entry, tar, err);
	case IMAGE_TAR_DIR:
		return put_dir(tree, parent, path, entry, err);
	case IMAGE_TAR_LINK:
		return put_link(tree, parent, path, entry, err);
	default:
		return put_other(tree, parent, path, entry, err);
	}
}

int
image_tree_finish(struct image_tree *tree, struct nrd_err *err)
{
	const char *p = nrd_buf_str(&tree->times), *end = p + tree->times.len;

	while (p < end) {
		struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
		const char *path = p + sizeof(times[1]);
		NRD_CLOSE int fd = -1;

		memcpy(&times[1], p, sizeof(times[1]));
		/* One that a later member has replaced has no time of its own. */
		fd = open_in(tree->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (fd >= 0 && futimens(fd, times) < 0)
			return failed(err, path, "set the time of");
		p = path + strlen(path) + 1;
	}
	nrd_buf_reset(&tree->times);
	return 0;
}
