/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "image/import.h"
#include "imgadm.h"
#include "nrd/mem.h"

#define COLUMNS "uuid,name,version,published"

struct ancestry_opts {
	struct listing_opts listing;
	const char *pool;
};

const struct nrd_opt ancestry_opts[] = {
	NRD_TABLE_OPTS(struct ancestry_opts, listing.table),
	NRD_OPT_STR('P', NULL, struct ancestry_opts, pool, "POOL", "the image on this pool"),
	NRD_OPT_END(struct ancestry_opts),
};

int
cmd_ancestry(const struct nrd_args *args, struct nrd_err *err)
{
	static char *const no_filters[] = { NULL };
	const struct ancestry_opts *opts = args->opts;
	struct image images[IMAGE_ORIGINS_MAX + 1] = { 0 };
	const char *uuid = args->argv[0];
	NRD_AUTO(listing) *l = NULL;
	NRD_AUTO(store) *store = NULL;
	size_t n = 0;
	int r = listing_new(&opts->listing, COLUMNS, NULL, no_filters, &l, err);

	if (r == 0)
		r = store_open(&store, err);
	/* The image first, then what it builds on. */
	for (; r == 0 && uuid != NULL && n < nrd_count(images); n++) {
		struct image *image = &images[n];

		r = image_read_in(store, n > 0 ? images[0].zpool : opts->pool, uuid, image, err);
		if (r < 0)
			break;
		listing_add(l, &(struct listed){ .m = &image->manifest, .source = image->source,
						 .zpool = image->zpool, .clones = -1 });
		uuid = image->manifest.origin;
	}
	if (r == 0)
		r = listing_print(l, err);
	for (size_t i = 0; i < n; i++)
		image_fini(&images[i]);
	return r;
}
