/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

#define COLUMNS "uuid,name,version,os,type,pub"
#define ORDER   "published_at,name"

const struct nrd_opt list_opts[] = {
	LISTING_OPTS,
	NRD_OPT_FLAG(0, "docker", struct listing_opts, docker, "those of registries, a row for each tag"),
	NRD_OPT_END(struct listing_opts),
};

static int
count_clones(struct store *store, const struct image *image, long *ret_n, struct nrd_err *err)
{
	NRD_FREE char *dataset = nrd_format("%s/%s", image->zpool, image->manifest.uuid);
	NRD_STRV char **clones = NULL;
	int r = dataset != NULL ? store_dataset_clones(store, dataset, &clones, err)
				: nrd_nomem(err);

	if (r == 0)
		*ret_n = (long)nrd_strv_len(NRD_CSTRV(clones));
	return r;
}

static int
add_all(struct listing *l, struct store *store, const struct image *images, size_t n,
	struct nrd_err *err)
{
	bool clones = listing_wants(l, "clones");

	for (size_t i = 0; i < n; i++) {
		struct listed one = {
			.m = &images[i].manifest,
			.source = images[i].source,
			.zpool = images[i].zpool,
			.clones = -1,
		};
		int r = clones ? count_clones(store, &images[i], &one.clones, err) : 0;

		if (r < 0)
			return r;
		listing_add(l, &one);
	}
	return 0;
}

static int
list_docker(const struct nrd_args *args, struct nrd_err *err)
{
	const struct listing_opts *opts = args->opts;
	struct image *images = NULL;
	size_t n = 0;
	int r;

	if (args->argv[0] != NULL)
		return nrd_usage(err, "%.80s: there are no filters with --docker", args->argv[0]);
	r = image_list(&images, &n, err);
	if (r == 0)
		r = imgadm_docker_list(&opts->table, images, n, err);
	image_list_free(images, n);
	return r;
}

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	const struct listing_opts *opts = args->opts;
	NRD_AUTO(listing) *l = NULL;
	NRD_AUTO(store) *store = NULL;
	struct image *images = NULL;
	size_t n = 0;
	int r;

	if (opts->docker)
		return list_docker(args, err);
	r = listing_new(opts, COLUMNS, ORDER, args->argv, &l, err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = image_list_in(store, &images, &n, err);
	if (r == 0)
		r = add_all(l, store, images, n, err);
	if (r == 0)
		r = listing_print(l, err);
	image_list_free(images, n);
	return r;
}
