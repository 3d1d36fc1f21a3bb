/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "installed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "store/dataset.h"
#include "store/pool.h"

#define MACHINES_DIR "/etc/zones"

static const char *dir_used = IMAGE_DIR;

void
image_dir_use(const char *dir)
{
	dir_used = dir != NULL ? dir : IMAGE_DIR;
}

const char *
image_dir(void)
{
	return dir_used;
}

void
image_fini(struct image *image)
{
	image_manifest_fini(&image->manifest);
	free(image->zpool);
	free(image->source);
	*image = (struct image){ 0 };
}

void
image_cleanup(struct image *image)
{
	image_fini(image);
}

void
image_list_free(struct image *images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_fini(&images[i]);
	free(images);
}

/* ---- records ---- */

static char *
record_path(const char *pool, const char *uuid)
{
	return nrd_format("%s/images/%s-%s.json", dir_used, pool, uuid);
}

/* -ENOENT without one. The uuid inside must be the one in the name. */
static int
record_read(const char *pool, const char *uuid, struct image *image, struct nrd_err *err)
{
	static const struct nrd_json_limits limits = { .max = 2 * IMAGE_MANIFEST_MAX };
	NRD_FREE char *path = record_path(pool, uuid);
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *root;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_json_read_file(path, &limits, &doc, err);
	if (r < 0)
		return r;
	root = nrd_json_root(doc);
	r = image_manifest_decode(nrd_val_get(root, "manifest"), IMAGE_FOREIGN, &m, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", path);
	if (!nrd_streq(m.uuid, uuid))
		return nrd_fail(err, EINVAL, "ManifestValidation",
				"%s: it is the record of image %s", path, m.uuid);
	if (nrd_str_set(&image->source, nrd_get_str(root, "source")) < 0)
		return nrd_nomem(err);
	image->manifest = m;
	m = (struct image_manifest){ 0 };
	image->known = true;
	return 0;
}

void
image_encode_open(const struct image *image, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	nrd_jw_key(w, "manifest");
	image_manifest_encode(&image->manifest, w);
	nrd_jw_kstr(w, "zpool", image->zpool);
	nrd_jw_kstr(w, "source", image->source);
}

int
image_record_write(const char *pool, const struct image_manifest *manifest, const char *source,
		   struct nrd_err *err)
{
	NRD_FREE char *path = record_path(pool, manifest->uuid);
	NRD_FREE char *dir = nrd_path_join(dir_used, "images");
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	if (path == NULL || dir == NULL)
		return nrd_nomem(err);
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, "manifest");
	image_manifest_encode(manifest, &w);
	nrd_jw_kstr(&w, "zpool", pool);
	nrd_jw_kstr(&w, "source", source);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = nrd_mkdir_p(dir, 0755, err);
	if (r < 0)
		return r;
	return nrd_file_write(path, nrd_buf_str(&text), text.len, 0644, err);
}

void
image_record_remove(const char *pool, const char *uuid)
{
	NRD_FREE char *path = record_path(pool, uuid);

	if (path != NULL)
		(void)unlink(path);
}

/* ---- datasets ---- */

static bool
is_machine(const char *uuid)
{
	NRD_FREE char *path = nrd_format("%s/%s.json", MACHINES_DIR, uuid);

	return path == NULL || nrd_path_exists(path);
}

/*
 * One that was received by hand: it has one snapshot, and is no clone unless that is called final.
 * What a deleted machine has left is a clone.
 */
static bool
might_be_image(struct store *store, const char *dataset)
{
	NRD_STRV char **snapshots = NULL;
	char origin[256] = "";

	if (store_dataset_list(store, dataset, STORE_LIST_SNAPSHOTS, &snapshots, NULL) < 0 ||
	    nrd_strv_len(NRD_CSTRV(snapshots)) != 1)
		return false;
	/* What is no clone has no such property. */
	return store_dataset_get(store, dataset, "origin", origin, sizeof(origin), NULL) < 0 ||
	       origin[0] == '\0';
}

static int
unknown(const char *uuid, struct image *image, struct nrd_err *err)
{
	struct image_manifest *m = &image->manifest;

	m->v = 2;
	NRD_SET(&image_manifest_schema, m, v);
	if (nrd_str_set(&m->uuid, uuid) < 0)
		return nrd_nomem(err);
	NRD_SET(&image_manifest_schema, m, uuid);
	return 0;
}

/* 1: image holds it, 0: POOL/UUID is no image. */
static int
look(struct store *store, const char *pool, const char *uuid, struct image *image,
     struct nrd_err *err)
{
	NRD_FREE char *dataset = nrd_format("%s/%s", pool, uuid);
	NRD_FREE char *snapshot = nrd_format("%s/%s@%s", pool, uuid, IMAGE_SNAPSHOT);
	NRD_AUTO(image) it = { 0 };
	struct nrd_err why = { 0 };
	int r;

	if (dataset == NULL || snapshot == NULL)
		return nrd_nomem(err);
	it.final = store_snapshot_exists(store, snapshot);
	if (!it.final && !store_dataset_exists(store, dataset))
		return 0;
	r = record_read(pool, uuid, &it, &why);
	if (r == -ENOMEM)
		return nrd_nomem(err);
	/* A record that cannot be read is as good as none: the dataset is there. */
	if (r < 0) {
		if (is_machine(uuid) || (!it.final && !might_be_image(store, dataset)))
			return 0;
		r = unknown(uuid, &it, err);
	}
	if (r == 0 && nrd_str_set(&it.zpool, pool) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	*image = it;
	it = (struct image){ 0 };
	return 1;
}

static int
look_everywhere(struct store *store, const char *uuid, struct image *image, struct nrd_err *err)
{
	NRD_STRV char **pools = NULL;
	int r = look(store, IMAGE_POOL, uuid, image, err);

	if (r != 0)
		return r;
	r = store_pools(store, &pools, err);
	for (size_t i = 0; r == 0 && pools != NULL && pools[i] != NULL; i++)
		if (!nrd_streq(pools[i], IMAGE_POOL))
			r = look(store, pools[i], uuid, image, err);
	return r;
}

int
image_read_in(struct store *store, const char *pool, const char *uuid, struct image *ret_image,
	      struct nrd_err *err)
{
	NRD_AUTO(image) image = { 0 };
	int r = image_uuid_check(uuid, err);

	if (r == 0)
		r = pool != NULL ? look(store, pool, uuid, &image, err)
				 : look_everywhere(store, uuid, &image, err);
	if (r < 0)
		return r;
	if (r == 0 && pool != NULL)
		return nrd_fail(err, ENOENT, "ImageNotInstalled",
				"image %s is not installed on pool %s", uuid, pool);
	if (r == 0)
		return nrd_fail(err, ENOENT, "ImageNotInstalled", "image %s is not installed",
				uuid);
	*ret_image = image;
	image = (struct image){ 0 };
	return 0;
}

int
image_read(const char *uuid, struct image *ret_image, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(image) image = { 0 };
	int r = image_uuid_check(uuid, err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = image_read_in(store, NULL, uuid, &image, err);
	if (r < 0)
		return r;
	if (!image.final)
		return nrd_fail(err, ENOENT, "ImageNotInstalled",
				"image %s is not installed: it has no snapshot @" IMAGE_SNAPSHOT
				"; imgadm update gives it one", uuid);
	*ret_image = image;
	image = (struct image){ 0 };
	return 0;
}

struct images {
	struct image *data;
	size_t len;
	size_t cap;
};

static int
list_pool(struct store *store, const char *pool, struct images *images, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = store_dataset_list(store, pool, 0, &names, err);

	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++) {
		const char *uuid = strrchr(names[i], '/') + 1;
		struct image image = { 0 };

		if (!image_uuid_valid(uuid))
			continue;
		r = look(store, pool, uuid, &image, err);
		if (r <= 0)
			continue;
		r = nrd_vec_push(images, image);
		if (r < 0) {
			image_fini(&image);
			return nrd_nomem(err);
		}
	}
	return r;
}

int
image_list_in(struct store *store, struct image **ret_images, size_t *ret_n, struct nrd_err *err)
{
	NRD_STRV char **pools = NULL;
	struct images images = { 0 };
	int r = store_pools(store, &pools, err);

	for (size_t i = 0; r == 0 && pools != NULL && pools[i] != NULL; i++)
		r = list_pool(store, pools[i], &images, err);
	if (r < 0) {
		image_list_free(images.data, images.len);
		return r;
	}
	*ret_images = images.data;
	*ret_n = images.len;
	return 0;
}

int
image_list(struct image **ret_images, size_t *ret_n, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = store_open(&store, err);

	return r < 0 ? r : image_list_in(store, ret_images, ret_n, err);
}
