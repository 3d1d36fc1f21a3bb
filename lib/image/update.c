/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "update.h"

#include <errno.h>

#include "import.h"
#include "lock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

static int
give_final(const struct image *image, bool dry, struct nrd_err *err)
{
	NRD_FREE char *dataset = nrd_format("%s/%s", image->zpool, image->manifest.uuid);
	NRD_FREE char *final = dataset != NULL ? nrd_format("%s@" IMAGE_SNAPSHOT, dataset) : NULL;
	NRD_AUTO(store) *store = NULL;
	NRD_STRV char **snapshots = NULL;
	int r = final != NULL ? store_open(&store, err) : nrd_nomem(err);
	size_t n;

	if (r == 0)
		r = store_dataset_list(store, dataset, STORE_LIST_SNAPSHOTS, &snapshots, err);
	if (r < 0)
		return r;
	n = nrd_strv_len(NRD_CSTRV(snapshots));
	if (n != 1)
		return nrd_fail(err, EINVAL, "UnexpectedNumberOfSnapshots",
				"%s has %zu snapshots, and none of them is @" IMAGE_SNAPSHOT, dataset,
				n);
	return dry ? 0 : store_dataset_rename(store, snapshots[0], final, err);
}

static int
give_manifest(const struct image_sources *sources, const struct image *image, bool dry,
	      struct nrd_err *err)
{
	NRD_AUTO(image_manifest) m = { 0 };
	const struct image_source *source;
	int r = image_find(sources, NULL, image->manifest.uuid, &m, &source, err);

	if (r == 0 && !dry)
		r = image_record_write(image->zpool, &m, source->url, err);
	return r;
}

static int
update_locked(const struct image_sources *sources, const struct image *image, bool dry,
	      unsigned *done, struct nrd_err *err)
{
	int r = 0;

	if (!image->final) {
		r = give_final(image, dry, err);
		if (r == 0)
			*done |= IMAGE_UPDATED_FINAL;
	}
	if (r == 0 && !image->known) {
		r = give_manifest(sources, image, dry, err);
		if (r == 0)
			*done |= IMAGE_UPDATED_MANIFEST;
	}
	return r;
}

int
image_update(const struct image_opts *opts, const struct image_sources *sources,
	     const struct image *image, bool dry, unsigned *ret_done, struct nrd_err *err)
{
	const char *uuid = image->manifest.uuid;
	int lock = -1;
	int r = image_stopped(opts, err);

	*ret_done = 0;
	if (r < 0 || (image->final && image->known))
		return r;
	r = image_lock(uuid, false, &lock, err);
	if (r < 0)
		return r;
	r = update_locked(sources, image, dry, ret_done, err);
	image_unlock(uuid, &lock);
	return r;
}
