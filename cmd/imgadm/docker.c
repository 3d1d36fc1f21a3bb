/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/docker.h"
#include "imgadm.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

/* only: a registry's URL, or NULL. */
static int
find_source(const char *only, const struct image_ref *ref, struct image_source *s, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	int r;

	if (only != NULL)
		return image_source_make(only, image_source_type_names[IMAGE_SOURCE_DOCKER], false, s, err);
	r = image_sources_read(&sources, err);
	return r < 0 ? r : image_docker_source(&sources, ref, s, err);
}

int
imgadm_docker_open(const struct image_opts *how, const char *only, const char *name,
		   struct image_place **ret_place, struct image_docker *ret_image, struct nrd_err *err)
{
	NRD_AUTO(image_ref) ref = { 0 };
	NRD_AUTO(image_source) source = { 0 };
	NRD_AUTO(image_place) *place = NULL;
	NRD_FREE char *host = NULL, *repo = NULL;
	int r = image_ref_parse(name, &ref, err);

	if (r == 0)
		r = find_source(only, &ref, &source, err);
	if (r == 0)
		r = image_registry_open(how, &source, &ref, &place, err);
	if (r < 0)
		return r;
	host = image_registry_host(&source);
	repo = host != NULL ? image_ref_repo(&ref, host) : NULL;
	if (repo == NULL)
		return nrd_nomem(err);
	r = image_docker_read(place, repo, ref.tag, NULL, ret_image, err);
	if (r < 0)
		return nrd_wrap(err, r, "%s", name);
	*ret_place = NRD_TAKE(place);
	return 0;
}

/* "debian" of /some/where/debian.oci.tar.gz: what a layout that says no name is called. */
static char *
name_of_file(const char *path)
{
	static const char *const ends[] = { ".gz", ".zst", ".xz", ".bz2", ".tgz", ".tar", ".oci", NULL };
	size_t len = strlen(path), from;
	NRD_FREE char *name = NULL;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (from = len; from > 0 && path[from - 1] != '/';)
		from--;
	name = nrd_str_dup(nrd_strn(path + from, len - from));
	for (size_t i = 0; name != NULL && ends[i] != NULL; i++)
		if (nrd_ends(name, ends[i]))
			name[strlen(name) - strlen(ends[i])] = '\0';
	for (char *c = name; c != NULL && *c != '\0'; c++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *c) == NULL)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : '-';
	return name == NULL || name[0] == '\0' || name[0] == '.' ? nrd_format("layout") : NRD_TAKE(name);
}

int
imgadm_layout_open(const struct image_opts *how, const char *path, const char *name,
		   struct image_place **ret_place, struct image_docker *ret_image, struct nrd_err *err)
{
	NRD_AUTO(image_ref) ref = { 0 };
	NRD_AUTO(image_place) *place = NULL;
	NRD_FREE char *repo = NULL, *fallback = name_of_file(path);
	int r = name != NULL ? image_ref_parse(name, &ref, err) : 0;

	if (r == 0)
		r = image_layout_open(how, path, name != NULL ? &ref : NULL, &place, err);
	if (r < 0)
		return r;
	if (name != NULL)
		repo = image_ref_repo(&ref, ref.host);
	if (fallback == NULL || (name != NULL && repo == NULL))
		return nrd_nomem(err);
	r = image_docker_read(place, repo, ref.tag, fallback, ret_image, err);
	if (r < 0)
		return r;
	*ret_place = NRD_TAKE(place);
	return 0;
}

static void
begin(void *arg, const struct image_manifest *m, const char *url)
{
	(void)arg;
	if (url != NULL)
		imgadm_say("Importing layer %s (%s@%s) from \"%s\"", m->uuid, m->name, m->version, url);
	else
		imgadm_say("Installing layer %s (%s@%s)", m->uuid, m->name, m->version);
}

int
imgadm_docker_install(const struct image_opts *how, bool quiet, struct image_place *place,
		      const struct image_docker *image, struct nrd_err *err)
{
	const struct image_import import = { .begin = quiet ? NULL : begin };
	char uuid[40];
	int r = image_docker_install(how, place, image, &import, uuid, err);

	if (r >= 0 && !quiet)
		imgadm_say(r > 0 ? "Image %s (%s%s%s) is already installed" : "Imported image %s (%s%s%s)", uuid,
			   image->repo, image->tag != NULL ? ":" : "", image->tag != NULL ? image->tag : "");
	return r < 0 ? r : 0;
}

/* ---- list --docker ---- */

static const struct nrd_col cols[] = {
	{ "uuid", 36 }, { "repository", 20 }, { "tag", 8 }, { "image_id", 12 }, { "created", 20 },
};

static void
add_rows(struct nrd_table *table, const struct image *image)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	const char *tags = image->manifest.tags, *repo, *id;
	struct nrd_iter it;

	if (tags == NULL || nrd_json_parse(tags, strlen(tags), NULL, &doc, NULL) < 0)
		return;
	it = nrd_iter(nrd_json_root(doc));
	repo = nrd_get_str(nrd_json_root(doc), IMAGE_TAG_REPO);
	id = nrd_get_str(nrd_json_root(doc), IMAGE_TAG_ID);
	while (nrd_iter_next(&it)) {
		const char *tag = nrd_starts(it.key, IMAGE_TAG_TAG);
		const char *hex = id != NULL ? nrd_starts(id, IMAGE_DIGEST_PREFIX) ?: id : NULL;
		NRD_FREE char *shortened = hex != NULL ? nrd_format("%.12s", hex) : NULL;
		const char *const cells[] = { image->manifest.uuid, repo, tag, shortened,
					      image->manifest.published_at };

		if (tag != NULL)
			nrd_table_row(table, cells);
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct image *ia = a, *ib = b;
	int c = strcmp(ia->manifest.published_at ?: "", ib->manifest.published_at ?: "");

	return c != 0 ? c : strcmp(ia->manifest.uuid, ib->manifest.uuid);
}

int
imgadm_docker_list(const struct nrd_table_opts *form, struct image *images, size_t n, struct nrd_err *err)
{
	struct nrd_table *table = NULL;
	int r = nrd_table_new(cols, nrd_count(cols), form, &table, err);

	if (r < 0)
		return r;
	if (n > 1)
		qsort(images, n, sizeof(*images), by_time);
	for (size_t i = 0; i < n; i++)
		add_rows(table, &images[i]);
	r = nrd_table_print(table, STDOUT_FILENO, err);
	nrd_table_free(table);
	return r;
}
