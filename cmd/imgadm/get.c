/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "imgadm.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

struct get_opts {
	bool children;
	const char *pool;
};

const struct nrd_opt get_opts[] = {
	NRD_OPT_FLAG('r', NULL, struct get_opts, children, "with what depends on it"),
	NRD_OPT_STR('P', NULL, struct get_opts, pool, "POOL", "the image on this pool"),
	NRD_OPT_END(struct get_opts),
};

/* "children": {"snapshots": [...], "clones": [...]} */
static int
encode_children(struct store *store, const struct image *image, struct nrd_jw *w,
		struct nrd_err *err)
{
	NRD_FREE char *dataset = nrd_format("%s/%s", image->zpool, image->manifest.uuid);
	NRD_STRV char **snapshots = NULL;
	NRD_STRV char **clones = NULL;
	int r = dataset != NULL ? store_dataset_list(store, dataset, STORE_LIST_SNAPSHOTS,
						     &snapshots, err)
				: nrd_nomem(err);

	if (r == 0)
		r = store_dataset_clones(store, dataset, &clones, err);
	if (r < 0)
		return r;
	nrd_jw_key(w, "children");
	nrd_jw_obj_open(w);
	nrd_jw_key(w, "snapshots");
	nrd_jw_strv(w, NRD_CSTRV(snapshots));
	nrd_jw_key(w, "clones");
	nrd_jw_strv(w, NRD_CSTRV(clones));
	nrd_jw_obj_close(w);
	return 0;
}

int
cmd_get(const struct nrd_args *args, struct nrd_err *err)
{
	const struct get_opts *opts = args->opts;
	NRD_AUTO(image) image = { 0 };
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r = image_uuid_check(args->argv[0], err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = image_read_in(store, opts->pool, args->argv[0], &image, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	image_encode_open(&image, &w);
	if (opts->children)
		r = encode_children(store, &image, &w, err);
	if (r < 0)
		return r;
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}
