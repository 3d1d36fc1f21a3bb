/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "http/client.h"
#include "installed.h"
#include "lock.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define FILE_NAME   "imgadm.conf"
#define SOURCES_MAX 256
#define URL_MAX     1024

#define X(id, text) text,
const char *const image_source_type_names[] = { IMAGE_SOURCE_TYPES(X) NULL };
#undef X

void
image_source_fini(struct image_source *source)
{
	free(source->url);
	*source = (struct image_source){ 0 };
}

void
image_source_cleanup(struct image_source *source)
{
	image_source_fini(source);
}

void
image_sources_fini(struct image_sources *sources)
{
	nrd_vec_each(s, sources)
		image_source_fini(s);
	nrd_vec_fini(sources);
}

void
image_sources_cleanup(struct image_sources *sources)
{
	image_sources_fini(sources);
}

/* ---- one source ---- */

static int
type_of(const char *url, const char *type, int *ret_type, struct nrd_err *err)
{
	bool dir = nrd_starts(url, "file:") != NULL;

	if (type == NULL) {
		*ret_type = dir ? IMAGE_SOURCE_DIR : IMAGE_SOURCE_IMGAPI;
		return 0;
	}
	for (int i = 0; image_source_type_names[i] != NULL; i++)
		if (nrd_streq(type, image_source_type_names[i])) {
			*ret_type = i;
			return dir == (i == IMAGE_SOURCE_DIR)
				       ? 0
				       : nrd_fail(err, EINVAL, "SourceType",
						  "%s: a source of type dir has a URL that begins "
						  "with file:, and no other has", url);
		}
	return nrd_fail(err, EINVAL, "SourceType",
			"%s: \"%.32s\" is no type of a source; imgapi, dsapi, dir and docker are", url,
			type);
}

static int
url_check(const char *url, int type, struct nrd_err *err)
{
	const char *path = nrd_starts(url, "file://");

	if (strlen(url) > URL_MAX)
		return nrd_fail(err, EINVAL, "SourceUrl", "the URL is longer than %d characters",
				URL_MAX);
	if (type != IMAGE_SOURCE_DIR)
		return http_url_check(url, err);
	if (path == NULL || path[0] != '/')
		return nrd_fail(err, EINVAL, "SourceUrl",
				"%s: the URL of a directory reads file:///DIRECTORY", url);
	return 0;
}

int
image_source_make(const char *url, const char *type, bool insecure,
		  struct image_source *ret_source, struct nrd_err *err)
{
	NRD_AUTO(image_source) s = { .insecure = insecure };
	size_t len = strlen(url);
	int r;

	while (len > 0 && url[len - 1] == '/')
		len--;
	s.url = nrd_str_dup(nrd_strn(url, len));
	if (s.url == NULL)
		return nrd_nomem(err);
	r = type_of(s.url, type, &s.type, err);
	if (r == 0)
		r = url_check(s.url, s.type, err);
	if (r < 0)
		return r;
	*ret_source = s;
	s = (struct image_source){ 0 };
	return 0;
}

/* ---- the file ---- */

static int
push(struct image_sources *sources, struct image_source *s, struct nrd_err *err)
{
	if (sources->len >= SOURCES_MAX)
		return nrd_fail(err, E2BIG, "ConfigError", "there are more than %d sources",
				SOURCES_MAX);
	if (nrd_vec_push(sources, *s) < 0)
		return nrd_nomem(err);
	*s = (struct image_source){ 0 };
	return 0;
}

static int
push_url(struct image_sources *sources, const char *url, const char *type, bool insecure,
	 struct nrd_err *err)
{
	NRD_AUTO(image_source) s = { 0 };
	int r = image_source_make(url, type, insecure, &s, err);

	return r < 0 ? r : push(sources, &s, err);
}

int
image_sources_read(struct image_sources *ret_sources, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *list;
	struct nrd_iter it;
	struct nrd_err why = { 0 };
	int r = image_conf_read(FILE_NAME, "ConfigError", &doc, err);

	if (r < 0)
		return r;
	list = doc != NULL ? nrd_val_get(nrd_json_root(doc), "sources") : NULL;
	if (list == NULL)
		r = push_url(&sources, IMAGE_SOURCE_DEFAULT, NULL, false, err);
	it = nrd_iter(list);
	while (r == 0 && nrd_iter_next(&it)) {
		const char *url = nrd_get_str(it.val, "url");
		bool insecure = false;

		(void)nrd_get_bool(it.val, "insecure", &insecure);
		r = url != NULL ? push_url(&sources, url, nrd_get_str(it.val, "type"), insecure,
					   &why)
				: nrd_fail(&why, EINVAL, "ConfigError", "it has no url");
		if (r < 0)
			return nrd_fail(err, -r, "ConfigError", "%s/" FILE_NAME ": sources[%zu]: %s",
					image_dir(), it.index, why.msg);
	}
	if (r < 0)
		return r;
	*ret_sources = sources;
	sources = (struct image_sources){ 0 };
	return 0;
}

static void
encode_sources(const struct image_sources *sources, struct nrd_jw *w)
{
	nrd_jw_key(w, "sources");
	nrd_jw_arr_open(w);
	nrd_vec_each(s, sources) {
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "url", s->url);
		nrd_jw_kstr(w, "type", image_source_type_names[s->type]);
		if (s->insecure)
			nrd_jw_kbool(w, "insecure", true);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

int
image_sources_write(const struct image_sources *sources, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(image_dir(), FILE_NAME);
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_iter it;
	struct nrd_jw w;
	int r = path != NULL ? image_conf_read(FILE_NAME, "ConfigError", &doc, err) : nrd_nomem(err);

	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_jw_obj_open(&w);
	encode_sources(sources, &w);
	it = nrd_iter(doc != NULL ? nrd_json_root(doc) : NULL);
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, "sources"))
			nrd_jw_kval(&w, it.key, it.val);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = nrd_mkdir_p(image_dir(), 0755, err);
	return r < 0 ? r : nrd_file_write(path, nrd_buf_str(&text), text.len, 0644, err);
}

/* ---- changes ---- */

/* Two commands must not take each other's change back. */
#define CONF_LOCK "sources"

static size_t
index_of(const struct image_sources *sources, const char *url)
{
	size_t i = 0;

	while (i < sources->len && !nrd_streq(sources->data[i].url, url))
		i++;
	return i;
}

static int
add_locked(const struct image_source *source, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	int r = image_sources_read(&sources, err);

	if (r < 0)
		return r;
	if (index_of(&sources, source->url) < sources.len)
		return 0;
	r = push_url(&sources, source->url, image_source_type_names[source->type],
		     source->insecure, err);
	if (r == 0)
		r = image_sources_write(&sources, err);
	return r < 0 ? r : 1;
}

int
image_sources_add(const struct image_source *source, struct nrd_err *err)
{
	int lock = -1;
	int r = image_lock(CONF_LOCK, true, &lock, err);

	if (r < 0)
		return r;
	r = add_locked(source, err);
	image_unlock(CONF_LOCK, &lock);
	return r;
}

static int
remove_locked(const char *url, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	int r = image_sources_read(&sources, err);
	size_t i;

	if (r < 0)
		return r;
	i = index_of(&sources, url);
	if (i == sources.len)
		return nrd_fail(err, ENOENT, "SourceNotFound",
				"%s is no source; imgadm sources lists them", url);
	image_source_fini(&sources.data[i]);
	nrd_vec_remove(&sources, i);
	return image_sources_write(&sources, err);
}

int
image_sources_remove(const char *url, struct nrd_err *err)
{
	NRD_FREE char *plain = nrd_format("%s", url);
	int lock = -1;
	int r;

	if (plain == NULL)
		return nrd_nomem(err);
	for (size_t len = strlen(plain); len > 0 && plain[len - 1] == '/';)
		plain[--len] = '\0';
	r = image_lock(CONF_LOCK, true, &lock, err);
	if (r < 0)
		return r;
	r = remove_locked(plain, err);
	image_unlock(CONF_LOCK, &lock);
	return r;
}

/* URL [TYPE] [insecure] */
static int
parse_line(struct nrd_str line, struct image_sources *sources, struct nrd_err *err)
{
	NRD_FREE char *url = NULL;
	NRD_FREE char *type = NULL;
	struct nrd_str word;
	bool insecure = false;

	if (!nrd_str_word(&line, &word) || word.data[0] == '#')
		return 0;
	url = nrd_str_dup(word);
	if (url == NULL)
		return nrd_nomem(err);
	while (nrd_str_word(&line, &word)) {
		if (nrd_str_eq(word, "insecure"))
			insecure = true;
		else if (type == NULL && (type = nrd_str_dup(word)) == NULL)
			return nrd_nomem(err);
	}
	return push_url(sources, url, type, insecure, err);
}

int
image_sources_parse(const char *text, struct image_sources *ret_sources, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	struct nrd_str rest = nrd_str(text), line;
	size_t n = 0;

	while (nrd_str_split(&rest, '\n', &line)) {
		int r = parse_line(nrd_str_trim(line), &sources, err);

		n++;
		if (r < 0)
			return nrd_wrap(err, r, "line %zu", n);
	}
	*ret_sources = sources;
	sources = (struct image_sources){ 0 };
	return 0;
}
