/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SUFFIX ".imgmanifest"

/*
 * Calls take for each manifest in the directory until it says something else than 0, and gives that
 * back. name is the file's, less the suffix; the manifest is empty when take has taken it.
 */
typedef int take_fn(void *arg, const char *name, struct image_manifest *m, int r,
		    struct nrd_err *err);

static int
walk(const char *dir, take_fn *take, void *arg, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *d = opendir(dir);
	const struct dirent *e;
	int r = 0;

	if (d == NULL)
		return nrd_fail(err, errno, "SourceOpen", "open directory %s: %m", dir);
	while (r == 0 && (e = readdir(d)) != NULL) {
		NRD_AUTO(image_manifest) m = { 0 };
		NRD_FREE char *path = NULL;
		NRD_FREE char *name = NULL;
		size_t len = strlen(e->d_name);

		if (!nrd_ends(e->d_name, SUFFIX) || e->d_name[0] == '.')
			continue;
		path = nrd_path_join(dir, e->d_name);
		name = nrd_str_dup(nrd_strn(e->d_name, len - strlen(SUFFIX)));
		if (path == NULL || name == NULL)
			return nrd_nomem(err);
		r = image_manifest_read(path, &m, err);
		r = take(arg, name, &m, r, err);
	}
	return r;
}

struct list {
	const struct image_opts *opts;
	struct image_manifests manifests;
};

static int
take_all(void *arg, const char *name, struct image_manifest *m, int r, struct nrd_err *err)
{
	struct list *list = arg;

	if (r == 0)
		return image_manifests_push(&list->manifests, m, err);
	image_note(list->opts, "%s" SUFFIX " is left out: %s", name, err->msg);
	*err = (struct nrd_err){ 0 };
	return 0;
}

int
image_dir_list(const struct image_opts *opts, const char *dir,
	       struct image_manifests *ret_manifests, struct nrd_err *err)
{
	struct list list = { .opts = opts };
	struct nrd_err why = { 0 };
	int r = walk(dir, take_all, &list, &why);

	if (r < 0) {
		image_manifests_fini(&list.manifests);
		if (err != NULL)
			*err = why;
		return r;
	}
	*ret_manifests = list.manifests;
	return 0;
}

struct search {
	const char *uuid;
	struct image_manifest *m; /* NULL: only its name is wanted */
	char *name;               /* owned */
};

static int
take_one(void *arg, const char *name, struct image_manifest *m, int r, struct nrd_err *err)
{
	struct search *search = arg;

	(void)err;
	if (r < 0 || !nrd_streq(m->uuid, search->uuid))
		return 0;
	search->name = nrd_format("%s", name);
	if (search->name == NULL)
		return -ENOMEM;
	if (search->m != NULL) {
		*search->m = *m;
		*m = (struct image_manifest){ 0 };
	}
	return 1;
}

static int
search_for(const char *dir, struct search *search, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = walk(dir, take_one, search, &why);

	if (r > 0)
		return 0;
	if (r == 0)
		return nrd_fail(err, ENOENT, "ImageNotFound", "%s has no image %s", dir,
				search->uuid);
	if (err != NULL)
		*err = why;
	return r == -ENOMEM ? nrd_nomem(err) : r;
}

int
image_dir_manifest(const char *dir, const char *uuid, struct image_manifest *ret_manifest,
		   struct nrd_err *err)
{
	struct search search = { .uuid = uuid, .m = ret_manifest };
	int r = search_for(dir, &search, err);

	nrd_freep(&search.name);
	return r;
}

/* -1 with ENOENT when there is none. */
static int
open_beside(const char *dir, const char *name)
{
	static const char *const kinds[] = { "zfs", "zvol", "tar" };
	static const char *const packs[] = { "", ".gz", ".bz2", ".xz", ".zst" };

	for (size_t i = 0; i < nrd_count(kinds); i++)
		for (size_t j = 0; j < nrd_count(packs); j++) {
			NRD_FREE char *path = nrd_format("%s/%s.%s%s", dir, name, kinds[i],
							 packs[j]);
			int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

			if (fd >= 0 || errno != ENOENT)
				return fd;
		}
	return -1;
}

int
image_dir_file(const char *dir, const struct image_manifest *manifest, int *ret_fd,
	       struct nrd_err *err)
{
	struct search search = { .uuid = manifest->uuid };
	NRD_CLOSE int fd = -1;
	int r = search_for(dir, &search, err);

	if (r < 0)
		return r;
	fd = open_beside(dir, search.name);
	if (fd < 0)
		r = nrd_fail(err, errno, "DownloadError",
			     "%s/%s" SUFFIX ": no file of the image can be opened beside it: %m", dir,
			     search.name);
	else
		*ret_fd = nrd_take_fd(&fd);
	nrd_freep(&search.name);
	return r;
}
