/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "docker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fetch-priv.h"
#include "installed.h"
#include "layer.h"
#include "lock.h"
#include "nrd/buf.h"
#include "nrd/fault.h"
#include "nrd/hash.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define SHORT_ID 12

void
image_docker_fini(struct image_docker *image)
{
	image_doc_fini(&image->doc);
	image_config_fini(&image->config);
	free(image->repo);
	free(image->tag);
	*image = (struct image_docker){ 0 };
}

void
image_docker_cleanup(struct image_docker *image)
{
	image_docker_fini(image);
}

/* ---- what it is ---- */

/* Down through indexes, to a manifest. */
static int
read_doc(struct image_place *place, struct image_doc *doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) top = NRD_BUF_INIT(IMAGE_DOC_MAX + 1);
	int r = place->ops->top(place, &top, err);

	if (r == 0)
		r = image_doc_parse(nrd_buf_str(&top), top.len, doc, err);
	for (unsigned i = 0; r == 0 && doc->index; i++) {
		NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_DOC_MAX + 1);
		const struct image_blob next = doc->next;

		if (i >= IMAGE_INDEX_DEPTH)
			return nrd_fail(err, ELOOP, "ImageDocument", "more than %d indexes lie in one another",
					IMAGE_INDEX_DEPTH);
		r = place->ops->doc(place, &next, true, &text, err);
		if (r == 0)
			r = image_doc_parse(nrd_buf_str(&text), text.len, doc, err);
	}
	return r;
}

static int
read_config(struct image_place *place, struct image_docker *image, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_DOC_MAX + 1);
	int r = place->ops->doc(place, &image->doc.config, false, &text, err);

	if (r == 0)
		r = image_config_parse(nrd_buf_str(&text), text.len, &image->config, err);
	if (r < 0)
		return r;
	if (image->config.n_diff_ids != image->doc.n_layers)
		return nrd_fail(err, EINVAL, "ImageDocument", "the config has %zu diff_ids for %zu layers",
				image->config.n_diff_ids, image->doc.n_layers);
	memcpy(image->id, image->doc.config.digest, sizeof(image->id));
	return 0;
}

/* A layout says the whole name or the tag alone. */
static int
call_by_place(const struct image_place *place, const char *fallback, struct image_docker *image)
{
	NRD_AUTO(image_ref) ref = { 0 };

	if (place->name != NULL && strpbrk(place->name, "/:") != NULL &&
	    image_ref_parse(place->name, &ref, NULL) == 0) {
		image->repo = image_ref_repo(&ref, ref.host);
		return image->repo == NULL ? -ENOMEM : nrd_str_set(&image->tag, ref.tag);
	}
	if (nrd_str_set(&image->repo, fallback) < 0)
		return -ENOMEM;
	return nrd_str_set(&image->tag, place->name != NULL && image_tag_valid(place->name) ? place->name
											  : IMAGE_REF_TAG);
}

int
image_docker_read(struct image_place *place, const char *repo, const char *tag, const char *fallback,
		  struct image_docker *ret_image, struct nrd_err *err)
{
	NRD_AUTO(image_docker) image = { 0 };
	int r = read_doc(place, &image.doc, err);

	if (r == 0)
		r = read_config(place, &image, err);
	if (r == 0 && repo != NULL)
		r = nrd_str_set(&image.repo, repo) < 0 || nrd_str_set(&image.tag, tag) < 0 ? nrd_nomem(err) : 0;
	else if (r == 0)
		r = call_by_place(place, fallback, &image) < 0 ? nrd_nomem(err) : 0;
	if (r < 0)
		return r;
	*ret_image = image;
	image = (struct image_docker){ 0 };
	return 0;
}

/* ---- manifests ---- */

int
image_docker_uuid(const struct image_docker *image, size_t n, char ret_uuid[40], struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	char hex[NRD_HASH_TEXT];
	size_t at = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		(void)nrd_buf_printf(&text, "%s%s", i > 0 ? " " : "", image->doc.layers[i].digest);
	r = text.failed < 0 ? nrd_nomem(err) : nrd_hash_bytes(NRD_SHA256, nrd_buf_str(&text), text.len, hex, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 36; i++)
		ret_uuid[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : hex[at++];
	ret_uuid[36] = '\0';
	return 0;
}

/* "busybox" of docker.io/library/busybox: what comes before the path is in the tags. */
static char *
name_of(const char *repo)
{
	const char *slash = strchr(repo, '/');
	bool host = slash != NULL && (memchr(repo, '.', (size_t)(slash - repo)) != NULL ||
				      memchr(repo, ':', (size_t)(slash - repo)) != NULL ||
				      nrd_starts(repo, "localhost/") != NULL);
	const char *path = host ? slash + 1 : repo;

	return nrd_format("%s", nrd_starts(path, "library/") ?: path);
}

static void
write_strv(struct nrd_jw *w, const char *key, char *const *v)
{
	if (v == NULL)
		return;
	nrd_jw_key(w, key);
	nrd_jw_strv(w, NRD_CSTRV(v));
}

static void
write_config(const struct image_config *c, struct nrd_jw *w)
{
	nrd_jw_key(w, IMAGE_TAG_CONFIG);
	nrd_jw_obj_open(w);
	write_strv(w, "Cmd", c->cmd);
	write_strv(w, "Entrypoint", c->entrypoint);
	write_strv(w, "Env", c->env);
	if (c->working_dir != NULL)
		nrd_jw_kstr(w, "WorkingDir", c->working_dir);
	if (c->user != NULL)
		nrd_jw_kstr(w, "User", c->user);
	nrd_jw_obj_close(w);
}

/* kept: tags the same image has already; NULL: none. */
static int
write_tags(const struct image_docker *image, bool whole, const struct nrd_val *kept, char **ret_tags,
	   struct nrd_err *err)
{
	NRD_FREE char *own = image->tag != NULL ? nrd_format(IMAGE_TAG_TAG "%s", image->tag) : NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_iter it = nrd_iter(kept);
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, IMAGE_TAG_REPO, image->repo);
	nrd_jw_kstr(&w, IMAGE_TAG_ARCH, IMAGE_ARCH);
	if (whole) {
		nrd_jw_kstr(&w, IMAGE_TAG_ID, image->id);
		if (own != NULL)
			nrd_jw_kbool(&w, own, true);
		write_config(&image->config, &w);
	}
	while (whole && nrd_iter_next(&it))
		if (nrd_starts(it.key, IMAGE_TAG_TAG) != NULL && !nrd_streq(it.key, own))
			nrd_jw_kval(&w, it.key, it.val);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	*ret_tags = nrd_buf_take(&text);
	return *ret_tags != NULL ? 0 : nrd_nomem(err);
}

#define SET(m, member) NRD_SET(&image_manifest_schema, (m), member)

static int
set_texts(const struct image_docker *image, size_t n, struct image_manifest *m, struct nrd_err *err)
{
	bool whole = n == image->doc.n_layers;
	const char *digest = whole ? image->id : image->doc.layers[n - 1].digest;
	char uuid[40], origin[40];
	int r = image_docker_uuid(image, n, uuid, err);

	if (r == 0 && n > 1)
		r = image_docker_uuid(image, n - 1, origin, err);
	if (r < 0)
		return r;
	m->name = name_of(image->repo);
	m->version = whole && image->tag != NULL
			     ? nrd_format("%s", image->tag)
			     : nrd_format("%.*s", SHORT_ID, digest + strlen(IMAGE_DIGEST_PREFIX));
	if (m->name == NULL || m->version == NULL || nrd_str_set(&m->uuid, uuid) < 0 ||
	    nrd_str_set(&m->published_at, image->config.created) < 0 ||
	    (n > 1 && nrd_str_set(&m->origin, origin) < 0))
		return nrd_nomem(err);
	SET(m, uuid);
	SET(m, name);
	SET(m, version);
	if (m->published_at != NULL)
		SET(m, published_at);
	if (m->origin != NULL)
		SET(m, origin);
	return 0;
}

static int
make_manifest(const struct image_docker *image, size_t n, const struct nrd_val *kept,
	      struct image_manifest *ret_manifest, struct nrd_err *err)
{
	NRD_AUTO(image_manifest) m = { .v = 2, .type = IMAGE_TYPE_DOCKER, .os = IMAGE_OS_LINUX };
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_MANIFEST_MAX);
	struct nrd_jw w;
	int r = set_texts(image, n, &m, err);

	if (r == 0)
		r = write_tags(image, n == image->doc.n_layers, kept, &m.tags, err);
	if (r < 0)
		return r;
	SET(&m, v);
	SET(&m, type);
	SET(&m, os);
	SET(&m, tags);
	/* By the same rules as all manifests: names and sizes come from outside. */
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	image_manifest_encode(&m, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : image_manifest_parse(nrd_buf_str(&text), text.len, 0, ret_manifest, err);
}

int
image_docker_manifest(const struct image_docker *image, size_t n, struct image_manifest *ret_manifest,
		      struct nrd_err *err)
{
	return make_manifest(image, n, NULL, ret_manifest, err);
}

/* ---- installing ---- */

struct layer_job {
	const struct image_opts *opts;
	struct image_place *place;
	const struct image_docker *image;
	size_t n; /* of this layer, from 0 */
};

static int
get_layer(void *arg, int *ret_fd, struct nrd_err *err)
{
	const struct layer_job *job = arg;

	return job->place->ops->blob(job->place, &job->image->doc.layers[job->n], ret_fd, err);
}

static int
fill_layer(void *arg, int fd, int root, struct nrd_err *err)
{
	const struct layer_job *job = arg;
	const struct image_layer layer = {
		.fd = fd,
		.name = job->image->doc.layers[job->n].digest,
		.diff_id = job->image->config.diff_ids[job->n],
		.bottom = job->n == 0,
	};

	return image_layer_apply(job->opts, &layer, root, err);
}

static bool
is_installed(const struct image_opts *opts, const char *uuid)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(image) image = { 0 };

	return store_open(&store, NULL) == 0 && image_read_in(store, image_pool(opts), uuid, &image, NULL) == 0 &&
	       image.final;
}

static int
install_layer(struct layer_job *job, const struct image_import *import, struct nrd_err *err)
{
	NRD_AUTO(image_manifest) m = { 0 };
	const struct image_input input = {
		.fd = -1,
		.name = job->image->doc.layers[job->n].digest,
		.source = job->place->url,
		.checked = true,
		.get = get_layer,
		.fill = fill_layer,
		.arg = job,
	};
	int r = image_docker_manifest(job->image, job->n + 1, &m, err);

	if (r < 0)
		return r;
	if (is_installed(job->opts, m.uuid))
		return 1;
	if (import->begin != NULL)
		import->begin(import->arg, &m, job->place->url);
	r = image_install(job->opts, &m, &input, err);
	if (r < 0)
		return r;
	job->place->ops->used(job->place, &job->image->doc.layers[job->n]);
	if (import->end != NULL)
		import->end(import->arg, &m, r > 0);
	return r;
}

/* ---- what it is called ---- */

/*
 * Layers that were there may have been the lower part of another image, or the same under another
 * tag. Those of another image altogether, which differs in nothing but how it is run, are this one now.
 */
static int
tell_locked(const struct image_opts *opts, const struct image_place *place, const struct image_docker *image,
	    const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(image) old = { 0 };
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *tags = NULL;
	const char *id, *repo;
	int r = store_open(&store, err);

	if (r == 0)
		r = image_read_in(store, image_pool(opts), uuid, &old, err);
	if (r < 0)
		return r;
	if (old.manifest.tags != NULL &&
	    nrd_json_parse(old.manifest.tags, strlen(old.manifest.tags), NULL, &doc, NULL) == 0)
		tags = nrd_json_root(doc);
	id = nrd_get_str(tags, IMAGE_TAG_ID);
	repo = nrd_get_str(tags, IMAGE_TAG_REPO);
	if (id != NULL && !nrd_streq(id, image->id))
		image_note(opts, "image %s was %s@%s, which has the same layers and is run in another way: it is "
			   "replaced", uuid, old.manifest.name, old.manifest.version);
	r = make_manifest(image, image->doc.n_layers,
			  nrd_streq(id, image->id) && nrd_streq(repo, image->repo) ? tags : NULL, &m, err);
	if (r < 0)
		return r;
	return image_record_write(image_pool(opts), &m, place->url, err);
}

static int
tell(const struct image_opts *opts, const struct image_place *place, const struct image_docker *image,
     const char *uuid, struct nrd_err *err)
{
	int lock = -1;
	int r = image_lock(uuid, true, &lock, err);

	if (r < 0)
		return r;
	r = tell_locked(opts, place, image, uuid, err);
	image_unlock(uuid, &lock);
	return r;
}

/* A tag names one image: the one that had it before has it no more. */
static int
untag(const struct image_opts *opts, struct image *old, const struct nrd_val *tags, const char *tag,
      struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_iter it = nrd_iter(tags);
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, tag))
			nrd_jw_kval(&w, it.key, it.val);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	if (nrd_str_set(&old->manifest.tags, nrd_buf_str(&text)) < 0)
		return nrd_nomem(err);
	return image_record_write(image_pool(opts), &old->manifest, old->source, err);
}

static int
untag_others(const struct image_opts *opts, const struct image_docker *image, const char *uuid,
	     struct nrd_err *err)
{
	NRD_FREE char *tag = image->tag != NULL ? nrd_format(IMAGE_TAG_TAG "%s", image->tag) : NULL;
	struct image *images = NULL;
	size_t n = 0;
	int r = tag != NULL ? image_list(&images, &n, err) : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct image *other = &images[i];
		NRD_AUTO(nrd_json) *doc = NULL;

		if (other->manifest.tags == NULL || nrd_streq(other->manifest.uuid, uuid) ||
		    !nrd_streq(other->zpool, image_pool(opts)) ||
		    nrd_json_parse(other->manifest.tags, strlen(other->manifest.tags), NULL, &doc, NULL) < 0 ||
		    !nrd_streq(nrd_get_str(nrd_json_root(doc), IMAGE_TAG_REPO), image->repo) ||
		    nrd_val_get(nrd_json_root(doc), tag) == NULL)
			continue;
		r = untag(opts, other, nrd_json_root(doc), tag, err);
	}
	image_list_free(images, n);
	return r;
}

int
image_docker_install(const struct image_opts *opts, struct image_place *place,
		     const struct image_docker *image, const struct image_import *import,
		     char ret_uuid[40], struct nrd_err *err)
{
	char uuid[40];
	bool missing = false;
	int r = image_docker_uuid(image, image->doc.n_layers, uuid, err);

	for (size_t i = 0; r >= 0 && i < image->doc.n_layers; i++) {
		struct layer_job job = { .opts = opts, .place = place, .image = image, .n = i };

		r = install_layer(&job, import, err);
		missing = missing || r == 0;
	}
	if (r >= 0)
		r = nrd_fault(err, "before it is named");
	if (r >= 0)
		r = tell(opts, place, image, uuid, err);
	if (r >= 0)
		r = untag_others(opts, image, uuid, err);
	if (r < 0)
		return r;
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return missing ? 0 : 1;
}

/* ---- where from ---- */

static int
copy_source(const struct image_source *s, struct image_source *ret_source, struct nrd_err *err)
{
	return image_source_make(s->url, image_source_type_names[s->type], s->insecure, ret_source, err);
}

int
image_docker_source(const struct image_sources *sources, const struct image_ref *ref,
		    struct image_source *ret_source, struct nrd_err *err)
{
	NRD_FREE char *url = ref->host != NULL ? nrd_format("https://%s", ref->host) : NULL;

	nrd_vec_each(s, sources) {
		NRD_FREE char *host = s->type == IMAGE_SOURCE_DOCKER ? image_registry_host(s) : NULL;

		if (host != NULL && (ref->host == NULL || nrd_streq(ref->host, host)))
			return copy_source(s, ret_source, err);
	}
	if (ref->host == NULL)
		return nrd_fail(err, ENOENT, "NoSources",
				"%s: no source is a registry; name one (HOST/%s), or add one with: imgadm sources -t "
				"docker -a https://docker.io", ref->path, ref->path);
	return url != NULL ? image_source_make(url, image_source_type_names[IMAGE_SOURCE_DOCKER], false, ret_source, err)
			   : nrd_nomem(err);
}
