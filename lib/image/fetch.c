/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch-priv.h"
#include "http/client.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "place.h"

#define LIST_MAX     ((size_t)64 << 20)
#define LIST_DEPTH   (IMAGE_MANIFEST_DEPTH + 1)
#define LIST_PAGE    1000 /* what IMGAPI gives at once */
#define LIST_PAGES   100
#define ANSWER_S     120 /* for all but files */
#define PING_MAX     ((size_t)64 << 10)

void
image_manifests_fini(struct image_manifests *manifests)
{
	nrd_vec_each(m, manifests)
		image_manifest_fini(m);
	nrd_vec_fini(manifests);
}

void
image_manifests_cleanup(struct image_manifests *manifests)
{
	image_manifests_fini(manifests);
}

int
image_manifests_push(struct image_manifests *manifests, struct image_manifest *m,
		     struct nrd_err *err)
{
	if (nrd_vec_push(manifests, *m) < 0)
		return nrd_nomem(err);
	*m = (struct image_manifest){ 0 };
	return 0;
}

void
image_note(const struct image_opts *opts, const char *fmt, ...)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(1000);
	va_list ap;

	if (opts->note == NULL)
		return;
	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	opts->note(opts->arg, nrd_buf_str(&text));
}

static const char *
dir_of(const struct image_source *source)
{
	return source->type == IMAGE_SOURCE_DIR ? nrd_starts(source->url, "file://") : NULL;
}

/* ---- URLs ---- */

/*
 * The source's URL may have a query of its own, such as channel=dev: it goes behind the path. more
 * is a parameter "name=value", or NULL.
 */
static char *
url_of(const struct image_source *source, const char *path, const char *channel, const char *more)
{
	struct nrd_str base = nrd_str(source->url);
	const char *query = strchr(source->url, '?');
	NRD_AUTO(nrd_buf) url = NRD_BUF_INIT(8192);
	const char *sep = "?";

	if (query != NULL)
		base.len = (size_t)(query - source->url);
	while (base.len > 0 && base.data[base.len - 1] == '/')
		base.len--;
	(void)nrd_buf_add(&url, base.data, base.len);
	(void)nrd_buf_adds(&url, path);
	if (channel != NULL) {
		(void)nrd_buf_printf(&url, "%schannel=%s", sep, channel);
		sep = "&";
	} else if (query != NULL && query[1] != '\0') {
		(void)nrd_buf_printf(&url, "%s%s", sep, query + 1);
		sep = "&";
	}
	if (more != NULL)
		(void)nrd_buf_printf(&url, "%s%s", sep, more);
	return nrd_buf_take(&url);
}

bool
image_source_insecure(const struct image_source *source)
{
	const char *env = getenv("IMGADM_INSECURE");

	return source->insecure || (env != NULL && env[0] != '\0' && !nrd_streq(env, "0"));
}

static int
get(const struct image_source *source, const char *path, const char *channel, const char *more,
    struct nrd_buf *out, struct nrd_err *err)
{
	const struct http_opts how = { .total_s = ANSWER_S, .insecure = image_source_insecure(source) };
	NRD_FREE char *url = url_of(source, path, channel, more);

	return url != NULL ? http_get(url, &how, out, err) : nrd_nomem(err);
}

/* ---- lists ---- */

static bool
has(const struct image_manifests *manifests, const char *uuid)
{
	nrd_vec_each(m, manifests)
		if (nrd_streq(m->uuid, uuid))
			return true;
	return false;
}

/* Adds a page; how many of it were new. */
static int
page_add(const struct image_opts *opts, const struct image_source *source,
	 const struct nrd_val *list, struct image_manifests *manifests, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(list);
	/* Within a page nothing comes twice. */
	size_t before = manifests->len;
	int added = 0;

	while (nrd_iter_next(&it)) {
		NRD_AUTO(image_manifest) m = { 0 };
		struct nrd_err why = { 0 };
		struct image_manifests old = { .data = manifests->data, .len = before };
		int r = image_manifest_decode(it.val, IMAGE_FOREIGN, &m, &why);

		if (r < 0) {
			const char *uuid = nrd_get_str(it.val, "uuid");

			image_note(opts, "%s: image %.40s is left out: %s", source->url,
				   uuid != NULL ? uuid : "without uuid", why.msg);
			continue;
		}
		if (has(&old, m.uuid))
			continue;
		r = image_manifests_push(manifests, &m, err);
		if (r < 0)
			return r;
		added++;
	}
	return added;
}

static int
page_get(const struct image_opts *opts, const struct image_source *source, const char *channel,
	 const char *marker, struct image_manifests *manifests, size_t *ret_len,
	 struct nrd_err *err)
{
	static const struct nrd_json_limits limits = { .max = LIST_MAX, .depth = LIST_DEPTH };
	NRD_FREE char *more = marker != NULL ? nrd_format("marker=%s", marker) : NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LIST_MAX);
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_err why = { 0 };
	int r = get(source, "/images", channel, more, &text, err);

	if (r < 0)
		return r;
	r = nrd_json_parse(nrd_buf_str(&text), text.len, &limits, &doc, &why);
	if (r < 0 || nrd_val_type(nrd_json_root(doc)) != NRD_VAL_ARR)
		return nrd_fail(err, EINVAL, "InvalidManifest",
				"%s does not answer as an image server: %s", source->url,
				r < 0 ? why.msg : "the list of images is none");
	*ret_len = nrd_val_len(nrd_json_root(doc));
	return page_add(opts, source, nrd_json_root(doc), manifests, err);
}

int
image_fetch_list(const struct image_opts *opts, const struct image_source *source,
		 const char *channel, struct image_manifests *ret_manifests, struct nrd_err *err)
{
	NRD_AUTO(image_manifests) manifests = { 0 };
	const char *marker = NULL;
	size_t len = LIST_PAGE;
	int r = 1;

	/* A registry does not say what it has. */
	if (source->type == IMAGE_SOURCE_DOCKER)
		return 0;
	if (dir_of(source) != NULL)
		return image_dir_list(opts, dir_of(source), ret_manifests, err);
	/* A server that knows no pages gives the same again: then nothing of it is new. */
	for (unsigned i = 0; r > 0 && len == LIST_PAGE && i < LIST_PAGES; i++) {
		r = page_get(opts, source, channel, marker, &manifests, &len, err);
		if (manifests.len > 0)
			marker = manifests.data[manifests.len - 1].uuid;
	}
	if (r < 0)
		return r;
	*ret_manifests = manifests;
	manifests = (struct image_manifests){ 0 };
	return 0;
}

/* ---- one image ---- */

static int
not_found(const struct image_source *source, const char *uuid, struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "ImageNotFound", "%s has no image %s", source->url, uuid);
}

int
image_fetch_manifest(const struct image_source *source, const char *channel, const char *uuid,
		     struct image_manifest *ret_manifest, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("/images/%s", uuid);
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(IMAGE_MANIFEST_MAX);
	NRD_AUTO(image_manifest) m = { 0 };
	int r;

	if (dir_of(source) != NULL)
		return image_dir_manifest(dir_of(source), uuid, ret_manifest, err);
	if (path == NULL)
		return nrd_nomem(err);
	r = get(source, path, channel, NULL, &text, err);
	if (r == -ENOENT)
		return not_found(source, uuid, err);
	if (r == 0)
		r = nrd_wrap(err, image_manifest_parse(nrd_buf_str(&text), text.len, IMAGE_FOREIGN,
						       &m, err), "%s%s", source->url, path);
	if (r < 0)
		return r;
	if (!nrd_streq(m.uuid, uuid))
		return nrd_fail(err, EINVAL, "InvalidManifest",
				"%s was asked for image %s and answers with image %s", source->url,
				uuid, m.uuid);
	*ret_manifest = m;
	m = (struct image_manifest){ 0 };
	return 0;
}

/* ---- files ---- */

struct download {
	const struct image_opts *opts;
	char *what;
	uint64_t total;
};

static int
on_progress(void *arg, uint64_t done, uint64_t total, struct nrd_err *err)
{
	const struct download *d = arg;

	(void)total;
	(void)err;
	if (d->opts->progress != NULL)
		d->opts->progress(d->opts->arg, d->what, done, d->total);
	return 0;
}

int
image_download_unnamed(int *ret_fd, struct nrd_err *err)
{
	int r = nrd_mkdir_p(IMAGE_DOWNLOADS, 0700, err);
	int fd;

	if (r < 0)
		return r;
	fd = open(IMAGE_DOWNLOADS, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return nrd_fail(err, errno, "DownloadError", "make a file in " IMAGE_DOWNLOADS ": %m");
	*ret_fd = fd;
	return 0;
}

static int
download(const struct image_opts *opts, const struct image_source *source, const char *channel,
	 const struct image_manifest *m, int fd, struct nrd_err *err)
{
	struct download d = {
		.opts = opts,
		.what = nrd_format("%s@%s", m->name, m->version),
		.total = image_manifest_file(m)->size,
	};
	const struct http_opts how = {
		.progress = on_progress,
		.progress_arg = &d,
		.stop = opts->stop,
		.insecure = image_source_insecure(source),
	};
	NRD_FREE char *path = nrd_format("/images/%s/file", m->uuid);
	NRD_FREE char *url = path != NULL ? url_of(source, path, channel, NULL) : NULL;
	int r = url != NULL && d.what != NULL
			? http_get_file(url, &how, d.total, fd, NULL, NULL, err)
			: nrd_nomem(err);

	nrd_freep(&d.what);
	return r == -ENOENT ? nrd_fail(err, ENOENT, "DownloadError",
				       "%s has the manifest of image %s and not its file", source->url,
				       m->uuid)
			    : r;
}

int
image_fetch_file(const struct image_opts *opts, const struct image_source *source,
		 const char *channel, const struct image_manifest *manifest, int *ret_fd,
		 struct nrd_err *err)
{
	const struct image_file *file = image_manifest_file(manifest);
	NRD_CLOSE int fd = -1;
	struct nrd_err why = { 0 };
	int r;

	if (file == NULL)
		return nrd_fail(err, EINVAL, "DownloadError",
				"%s: the manifest of image %s names no file", source->url,
				manifest->uuid);
	if (dir_of(source) != NULL) {
		r = image_dir_file(dir_of(source), manifest, &fd, err);
	} else {
		r = image_download_unnamed(&fd, err);
		if (r == 0)
			r = download(opts, source, channel, manifest, fd, err);
	}
	if (r < 0)
		return r;
	if (image_file_check(file, fd, "the file", &why) < 0)
		return nrd_fail(err, why.num, "DownloadError", "image %s from %s: %s",
				manifest->uuid, source->url, why.msg);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

/* ---- ping ---- */

int
image_fetch_ping(const struct image_source *source, struct nrd_err *err)
{
	const char *path = source->type == IMAGE_SOURCE_DSAPI ? "/datasets" : "/ping";
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(source->type == IMAGE_SOURCE_DSAPI ? LIST_MAX
									    : PING_MAX);
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_err why = { 0 };

	if (source->type == IMAGE_SOURCE_DOCKER)
		return image_registry_ping(source, err);
	if (dir_of(source) != NULL) {
		if (access(dir_of(source), R_OK | X_OK) < 0)
			return nrd_fail(err, errno, "SourcePing", "%s: %m", source->url);
		return 0;
	}
	if (get(source, path, NULL, NULL, &text, &why) < 0)
		return nrd_fail(err, EIO, "SourcePing", "%s: %s", source->url, why.msg);
	if (nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, NULL) < 0)
		return nrd_fail(err, EIO, "SourcePing",
				"%s does not answer as an image server; is it one?", source->url);
	return 0;
}
