/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vacuum.h"

#include <stdlib.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

/* Moves the unused ones to the front: images[0..found) in the order they can go. */
struct sieve {
	struct store *store;
	struct image *images;
	size_t n, found;
	char **gone; /* datasets of those found; owned */
};

/* 1: all that depends on it is gone by then. */
static int
is_free(const struct sieve *s, const char *dataset, struct nrd_err *err)
{
	NRD_STRV char **clones = NULL;
	NRD_STRV char **below = NULL;
	int r = store_dataset_clones(s->store, dataset, &clones, err);

	if (r == 0)
		r = store_dataset_list(s->store, dataset, STORE_LIST_DEEP, &below, err);
	if (r < 0)
		return r;
	for (size_t i = 0; clones != NULL && clones[i] != NULL; i++)
		if (!nrd_strv_has(NRD_CSTRV(s->gone), clones[i]))
			return 0;
	return below == NULL;
}

static int
try_one(struct sieve *s, size_t i, struct nrd_err *err)
{
	struct image image = s->images[i];
	NRD_FREE char *dataset = nrd_format("%s/%s", image.zpool, image.manifest.uuid);
	int r;

	if (dataset == NULL)
		return nrd_nomem(err);
	r = image.known ? is_free(s, dataset, err) : 0;
	if (r <= 0)
		return r;
	if (nrd_strv_add(&s->gone, dataset) < 0)
		return nrd_nomem(err);
	s->images[i] = s->images[s->found];
	s->images[s->found++] = image;
	return 0;
}

int
image_unused(struct image **ret_images, size_t *ret_n, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	struct sieve s = { 0 };
	size_t before;
	int r = store_open(&store, err);

	s.store = store;
	if (r == 0)
		r = image_list_in(store, &s.images, &s.n, err);
	do {
		before = s.found;
		for (size_t i = s.found; r == 0 && i < s.n; i++)
			r = try_one(&s, i, err);
	} while (r == 0 && s.found > before);
	nrd_strv_free(s.gone);
	if (r < 0) {
		image_list_free(s.images, s.n);
		return r;
	}
	for (size_t i = s.found; i < s.n; i++)
		image_fini(&s.images[i]);
	*ret_images = s.images;
	*ret_n = s.found;
	return 0;
}
