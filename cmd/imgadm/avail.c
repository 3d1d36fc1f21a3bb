/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdlib.h>

#include "image/fetch.h"
#include "image/sources.h"
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define COLUMNS "uuid,name,version,os,type,pub"
#define ORDER   "published_at,name"

const struct nrd_opt avail_opts[] = {
	LISTING_OPTS,
	NRD_OPT_END(struct listing_opts),
};

/* Of every source what it has, at the same place as in the list of sources. */
struct all {
	struct image_manifests *of; /* owned */
	size_t n;
};

static void
all_cleanup(struct all *all)
{
	for (size_t i = 0; i < all->n; i++)
		image_manifests_fini(&all->of[i]);
	free(all->of);
}

static bool
seen(const struct all *all, size_t before, const char *uuid)
{
	for (size_t i = 0; i < before; i++)
		nrd_vec_each(m, &all->of[i])
			if (nrd_streq(m->uuid, uuid))
				return true;
	return false;
}

static void
add(struct listing *l, const struct all *all, const struct image_sources *sources)
{
	for (size_t i = 0; i < all->n; i++)
		nrd_vec_each(m, &all->of[i]) {
			if (seen(all, i, m->uuid))
				continue;
			listing_add(l, &(struct listed){ .m = m, .source = sources->data[i].url,
							 .clones = -1 });
		}
}

/* A source that cannot be asked does not hide what the others have; it is the verb's error. */
static int
ask_all(const struct image_opts *how, const struct image_sources *sources, struct all *all,
	struct nrd_err *ret_why)
{
	int failed = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct nrd_err why = { 0 };
		int r = image_fetch_list(how, &sources->data[i], NULL, &all->of[i], &why);

		if (r < 0 && failed == 0) {
			failed = r;
			*ret_why = why;
		} else if (r < 0 && how->note != NULL) {
			how->note(how->arg, why.msg);
		}
	}
	return failed;
}

int
cmd_avail(const struct nrd_args *args, struct nrd_err *err)
{
	const struct image_opts how = imgadm_opts(args, NULL, false);
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_AUTO(listing) *l = NULL;
	__attribute__((cleanup(all_cleanup))) struct all all = { 0 };
	struct nrd_err why = { 0 };
	int failed;
	int r = listing_new(args->opts, COLUMNS, ORDER, args->argv, &l, err);

	if (r == 0)
		r = image_sources_read(&sources, err);
	if (r < 0)
		return r;
	all.of = calloc(sources.len + 1, sizeof(*all.of));
	if (all.of == NULL)
		return nrd_nomem(err);
	all.n = sources.len;
	failed = ask_all(&how, &sources, &all, &why);
	add(l, &all, &sources);
	r = listing_print(l, err);
	if (r == 0 && failed < 0)
		*err = why;
	return r < 0 ? r : failed;
}
