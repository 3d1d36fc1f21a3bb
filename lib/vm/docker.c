/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "brand/root.h"
#include "image/docker.h"
#include "image/installed.h"
#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"
#include "store/dataset.h"

#define SCHEMA (&zone_config_schema)
#define PATH   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define bad(err, ...) nrd_fail((err), EINVAL, "BadPayload", __VA_ARGS__)

/* ---- internal_metadata ---- */

static const char *
said(const struct zone_config *c, const char *key)
{
	for (char *const *p = c->internal_metadata; p != NULL && p[0] != NULL; p += 2)
		if (nrd_streq(p[0], key))
			return p[1];
	return NULL;
}

/* Where it is not said. */
static int
say(struct zone_config *c, const char *key, const char *value)
{
	int r = 0;

	if (value == NULL || value[0] == '\0' || said(c, key) != NULL)
		return 0;
	r = nrd_strv_add(&c->internal_metadata, key);
	if (r == 0)
		r = nrd_strv_add(&c->internal_metadata, value);
	NRD_SET(SCHEMA, c, internal_metadata);
	return r;
}

/* A list, as JSON text. */
static int
say_list(struct zone_config *c, const char *key, const struct nrd_val *list)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (nrd_val_type(list) != NRD_VAL_ARR || nrd_val_len(list) == 0)
		return 0;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, list);
	return nrd_jw_finish(&w, NULL) < 0 ? -ENOMEM : say(c, key, nrd_buf_str(&text));
}

static int
say_name(struct zone_config *c, const struct nrd_val *tags)
{
	const char *repo = nrd_get_str(tags, IMAGE_TAG_REPO);
	struct nrd_iter it = nrd_iter(tags);

	while (repo != NULL && nrd_iter_next(&it)) {
		const char *tag = nrd_starts(it.key, IMAGE_TAG_TAG);
		NRD_FREE char *name = tag != NULL ? nrd_format("%s:%s", repo, tag) : NULL;

		if (tag != NULL)
			return name != NULL ? say(c, "docker:imagename", name) : -ENOMEM;
	}
	return 0;
}

static int
say_all(struct zone_config *c, const struct nrd_val *tags)
{
	const struct nrd_val *of = nrd_val_get(tags, IMAGE_TAG_CONFIG);
	bool own = said(c, "docker:entrypoint") != NULL;
	int r = say(c, "docker:imageid", nrd_get_str(tags, IMAGE_TAG_ID));

	if (r == 0)
		r = say_name(c, tags);
	if (r == 0)
		r = say_list(c, "docker:entrypoint", nrd_val_get(of, "Entrypoint"));
	/* It was an argument of another program. */
	if (r == 0 && !own)
		r = say_list(c, "docker:cmd", nrd_val_get(of, "Cmd"));
	if (r == 0)
		r = say_list(c, "docker:env", nrd_val_get(of, "Env"));
	if (r == 0)
		r = say(c, "docker:workdir", nrd_get_str(of, "WorkingDir"));
	return r < 0 ? r : say(c, "docker:user", nrd_get_str(of, "User"));
}

/* ---- what is run ---- */

/* The words of a list that is kept as text are added. */
static int
add_words(const struct zone_config *c, const char *key, char ***words, struct nrd_err *err)
{
	const char *text = said(c, key);
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_iter it;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (nrd_json_parse(text, strlen(text), NULL, &doc, NULL) < 0 ||
	    nrd_val_type(nrd_json_root(doc)) != NRD_VAL_ARR)
		return bad(err, "internal_metadata: %s: must be a JSON array of strings, as text", key);
	it = nrd_iter(nrd_json_root(doc));
	while (nrd_iter_next(&it)) {
		if (nrd_val_str(it.val) == NULL)
			return bad(err, "internal_metadata: %s: must be a JSON array of strings, as text", key);
		if (nrd_strv_add(words, nrd_val_str(it.val)) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* The variable takes the place of one with its name; what is none is dropped. */
static int
put_variable(char ***env, const char *text)
{
	size_t len = strcspn(text, "=") + 1;

	if (len == 1 || text[len - 1] == '\0')
		return 0;
	for (size_t i = 0; *env != NULL && (*env)[i] != NULL; i++)
		if (strncmp((*env)[i], text, len) == 0)
			return nrd_str_set(&(*env)[i], text);
	return nrd_strv_add(env, text);
}

static int
environment(const struct zone_config *c, const struct nrd_val *tags, char ***ret_env, struct nrd_err *err)
{
	NRD_STRV char **env = NULL, **own = NULL;
	struct nrd_iter it = nrd_iter(nrd_val_get(nrd_val_get(tags, IMAGE_TAG_CONFIG), "Env"));
	int r = add_words(c, "docker:env", &own, err);

	while (r == 0 && nrd_iter_next(&it))
		if (nrd_val_str(it.val) != NULL && put_variable(&env, nrd_val_str(it.val)) < 0)
			r = nrd_nomem(err);
	for (size_t i = 0; r == 0 && own != NULL && own[i] != NULL; i++)
		if (put_variable(&env, own[i]) < 0)
			r = nrd_nomem(err);
	if (r == 0)
		*ret_env = NRD_TAKE(env);
	return r;
}

/* A path as zones have it: "a//b/../c" below dir is "/dir/a/c". Caller frees. */
static char *
plain_path(const char *dir, const char *path)
{
	NRD_FREE char *whole = path[0] == '/' ? nrd_format("%s", path) : nrd_format("%s/%s", dir, path);
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_str rest = nrd_str(whole), part;

	while (whole != NULL && nrd_str_split(&rest, '/', &part)) {
		const char *slash = strrchr(nrd_buf_str(&out), '/');

		if (part.len == 0 || nrd_str_eq(part, "."))
			continue;
		if (nrd_str_eq(part, ".."))
			nrd_buf_truncate(&out, slash != NULL ? (size_t)(slash - nrd_buf_str(&out)) : 0);
		else
			(void)nrd_buf_printf(&out, "/%.*s", NRD_STR_ARG(part));
	}
	return whole == NULL || out.failed < 0 ? NULL : out.len > 0 ? nrd_buf_take(&out) : nrd_format("/");
}

static bool
is_program(int root, const char *path)
{
	NRD_CLOSE int fd = brand_root_file(root, path[1] != '\0' ? path + 1 : ".", O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

static const char *
search_path(char *const *env)
{
	for (; env != NULL && *env != NULL; env++)
		if (nrd_starts(*env, "PATH=") != NULL)
			return nrd_starts(*env, "PATH=");
	return PATH;
}

/* Where the program is that is called so; the caller frees. */
static int
find_program(int root, const char *name, const char *dir, char *const *env, char **ret_path, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(search_path(env)), part;

	if (strchr(name, '/') != NULL) {
		*ret_path = plain_path(dir, name);
		return *ret_path != NULL ? 0 : nrd_nomem(err);
	}
	while (nrd_str_split(&rest, ':', &part)) {
		NRD_FREE char *where = nrd_str_dup(part);
		NRD_FREE char *path = where != NULL ? plain_path(where, name) : NULL;

		if (path == NULL)
			return nrd_nomem(err);
		if (is_program(root, path)) {
			*ret_path = NRD_TAKE(path);
			return 0;
		}
	}
	return bad(err, "image_uuid: there is no program \"%.80s\" in the image's PATH", name);
}

static int
set_list(struct zone_config *c, const char *key, char *const *words, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_strv(&w, NRD_CSTRV(words));
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_decode_field(SCHEMA, key, nrd_buf_str(&text), c, err);
}

static bool
is_set(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* Docker makes the directory; here the root is the image's until the machine is made. */
static int
set_dir(struct zone_config *c, const char *dir, int root, struct nrd_err *err)
{
	if (is_set(c->init_dir) || nrd_streq(dir, "/"))
		return 0;
	if (!brand_root_has(root, dir + 1))
		return bad(err, "docker:workdir: there is no directory %.200s in the image", dir);
	return nrd_decode_field(SCHEMA, "init_dir", dir, c, err);
}

static int
set_program(struct zone_config *c, const char *dir, char *const *env, int root, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	NRD_FREE char *path = NULL;
	int r;

	if (is_set(c->init_name))
		return 0;
	r = add_words(c, "docker:entrypoint", &words, err);
	if (r == 0)
		r = add_words(c, "docker:cmd", &words, err);
	if (r < 0)
		return r;
	if (words == NULL)
		return bad(err, "image_uuid: the image says no program to run; say docker:cmd in internal_metadata, "
				"or init_name");
	r = find_program(root, words[0], dir, env, &path, err);
	if (r == 0)
		r = nrd_decode_field(SCHEMA, "init_name", path, c, err);
	if (r == 0 && words[1] != NULL && c->init_args == NULL)
		r = set_list(c, "init_args", words + 1, err);
	return r;
}

int
vm_docker_fill_from(struct zone_config *config, const struct nrd_val *tags, int root, struct nrd_err *err)
{
	NRD_STRV char **env = NULL;
	NRD_FREE char *dir = NULL;
	const char *user;
	int r = say_all(config, tags) < 0 ? nrd_nomem(err) : environment(config, tags, &env, err);

	if (r < 0)
		return r;
	user = said(config, "docker:user");
	dir = plain_path("", said(config, "docker:workdir") ?: "/");
	if (dir == NULL)
		return nrd_nomem(err);
	r = set_program(config, dir, env, root, err);
	if (r == 0)
		r = set_dir(config, dir, root, err);
	if (r == 0 && env != NULL && config->init_env == NULL)
		r = set_list(config, "init_env", env, err);
	if (r == 0 && is_set(user) && !is_set(config->init_user))
		r = nrd_decode_field(SCHEMA, "init_user", user, config, err);
	return r;
}

int
vm_docker_fill(struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_AUTO(image) image = { 0 };
	NRD_AUTO(nrd_json) *tags = NULL;
	NRD_FREE char *dataset = NULL;
	NRD_CLOSE int top = -1;
	NRD_CLOSE int root = -1;
	int r;

	if (!config->docker || !is_set(config->image_uuid))
		return 0;
	r = store_open(&store, err);
	if (r < 0)
		return r;
	/* That there is none is for others to say. */
	if (image_read_in(store, config->zpool, config->image_uuid, &image, NULL) < 0 ||
	    image.manifest.type != IMAGE_TYPE_DOCKER || image.manifest.tags == NULL)
		return 0;
	r = nrd_json_parse(image.manifest.tags, strlen(image.manifest.tags), NULL, &tags, err);
	if (r < 0)
		return r;
	dataset = nrd_format("%s/%s", config->zpool, config->image_uuid);
	r = dataset != NULL ? store_dataset_open(dataset, true, &top, err) : nrd_nomem(err);
	if (r < 0)
		return r;
	root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return nrd_fail(err, errno, "ImageRoot", "open the root of image %s: %m", config->image_uuid);
	return vm_docker_fill_from(config, nrd_json_root(tags), root, err);
}
