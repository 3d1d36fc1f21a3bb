/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "import.h"

#include <errno.h>
#include <string.h>

#include "fetch.h"
#include "installed.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

/* ---- finding ---- */

int
image_find(const struct image_sources *sources, const char *channel, const char *uuid,
	   struct image_manifest *ret_manifest, const struct image_source **ret_source,
	   struct nrd_err *err)
{
	struct nrd_err first = { 0 };

	if (sources->len == 0)
		return nrd_fail(err, ENOENT, "NoSources",
				"there are no sources; add one with: imgadm sources -a URL");
	nrd_vec_each(s, sources) {
		struct nrd_err why = { 0 };
		int r;

		/* A registry has names, no uuids. */
		if (s->type == IMAGE_SOURCE_DOCKER)
			continue;
		r = image_fetch_manifest(s, channel, uuid, ret_manifest, &why);

		if (r == 0) {
			*ret_source = s;
			return 0;
		}
		/* A server that is down is worth more words than one that has it not. */
		if (first.num == 0 && !nrd_err_is(&why, "ImageNotFound"))
			first = why;
	}
	if (first.num == 0)
		return nrd_fail(err, ENOENT, "ImageNotFound", "no source has an image %s", uuid);
	if (err != NULL)
		*err = first;
	return -first.num;
}

static int
compare_platform(char *const *wanted, const char *platform, bool least,
		 const struct image_manifest *m, struct nrd_err *err)
{
	for (; wanted != NULL && wanted[0] != NULL && wanted[1] != NULL; wanted += 2) {
		int c = strcmp(platform, wanted[1]);

		if (least ? c < 0 : c > 0)
			return nrd_fail(err, ENOTSUP, least ? "MinPlatform" : "MaxPlatform",
					"image %s is for platforms %s %s, this one is %s", m->uuid,
					least ? "from" : "up to", wanted[1], platform);
	}
	return 0;
}

int
image_platform_check(const struct image_manifest *manifest, const char *platform,
		     struct nrd_err *err)
{
	const struct image_requirements *req = manifest->requirements;
	int r;

	if (req == NULL || platform == NULL)
		return 0;
	r = compare_platform(req->min_platform, platform, true, manifest, err);
	return r < 0 ? r : compare_platform(req->max_platform, platform, false, manifest, err);
}

/* ---- the chain ---- */

struct link {
	struct image_manifest m;
	const struct image_source *source;
};

struct chain {
	struct link *data; /* the image first, what it builds on after it */
	size_t len;
	size_t cap;
};

static void
chain_cleanup(struct chain *chain)
{
	nrd_vec_each(l, chain)
		image_manifest_fini(&l->m);
	nrd_vec_fini(chain);
}

static bool
is_installed(struct store *store, const char *pool, const char *uuid)
{
	NRD_AUTO(image) image = { 0 };

	return image_read_in(store, pool, uuid, &image, NULL) == 0;
}

static int
chain_add(const struct image_import *import, const char *uuid, struct chain *chain,
	  struct nrd_err *err)
{
	struct link l = { 0 };
	struct nrd_err why = { 0 };
	int r = image_find(import->sources, import->channel, uuid, &l.m, &l.source, &why);

	if (r < 0 && chain->len > 0 && nrd_err_is(&why, "ImageNotFound"))
		return nrd_fail(err, ENOENT, "OriginNotFoundInSource",
				"no source has image %s, which image %s builds on", uuid,
				chain->data[chain->len - 1].m.uuid);
	if (r < 0) {
		if (err != NULL)
			*err = why;
		return r;
	}
	r = image_platform_check(&l.m, import->platform, err);
	if (r == 0 && nrd_vec_push(chain, l) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		image_manifest_fini(&l.m);
	return r;
}

static int
chain_make(struct store *store, const char *pool, const struct image_import *import,
	   struct chain *chain, struct nrd_err *err)
{
	const char *uuid = import->uuid;
	int r = 0;

	while (r == 0 && uuid != NULL && !is_installed(store, pool, uuid)) {
		if (chain->len == IMAGE_ORIGINS_MAX)
			return nrd_fail(err, ELOOP, "MaxOriginDepth",
					"image %s builds on more than %d others", import->uuid,
					IMAGE_ORIGINS_MAX);
		r = chain_add(import, uuid, chain, err);
		if (r == 0)
			uuid = chain->data[chain->len - 1].m.origin;
	}
	return r;
}

/* ---- installing ---- */

struct get {
	const struct image_opts *opts;
	const struct image_import *import;
	const struct link *link;
};

/* Under the image's lock: of several imports at once, one asks for the file. */
static int
get_file(void *arg, int *ret_fd, struct nrd_err *err)
{
	const struct get *get = arg;

	return image_fetch_file(get->opts, get->link->source, get->import->channel, &get->link->m,
				ret_fd, err);
}

static int
import_one(const struct image_opts *opts, const struct image_import *import,
	   const struct link *link, struct nrd_err *err)
{
	struct get get = { .opts = opts, .import = import, .link = link };
	const struct image_input input = {
		.fd = -1,
		.name = link->m.name,
		.source = link->source->url,
		.checked = true,
		.get = get_file,
		.arg = &get,
	};
	int r;

	if (import->begin != NULL)
		import->begin(import->arg, &link->m, link->source->url);
	r = image_install(opts, &link->m, &input, err);
	if (r >= 0 && import->end != NULL)
		import->end(import->arg, &link->m, r > 0);
	return r;
}

int
image_import(const struct image_opts *opts, const struct image_import *import,
	     struct nrd_err *err)
{
	__attribute__((cleanup(chain_cleanup))) struct chain chain = { 0 };
	NRD_AUTO(store) *store = NULL;
	int r = image_uuid_check(import->uuid, err);

	if (r == 0)
		r = store_open(&store, err);
	if (r == 0)
		r = chain_make(store, image_pool(opts), import, &chain, err);
	if (r < 0)
		return r;
	if (chain.len == 0)
		return 1;
	for (size_t i = chain.len; i-- > 0;) {
		r = import_one(opts, import, &chain.data[i], err);
		if (r < 0)
			return r;
	}
	return r;
}
