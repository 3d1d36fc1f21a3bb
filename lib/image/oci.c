/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "oci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/buf.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define OCI          "application/vnd.oci.image."
#define DOCKER       "application/vnd.docker."
#define INDEXES_MAX  1024 /* manifests of an index */
#define WORDS_MAX    4096 /* of a command, or variables of an environment */

#define bad(err, ...) nrd_fail((err), EINVAL, "ImageDocument", __VA_ARGS__)

static const struct nrd_json_limits limits = { .max = IMAGE_DOC_MAX, .depth = 64 };

void
image_doc_fini(struct image_doc *doc)
{
	free(doc->layers);
	*doc = (struct image_doc){ 0 };
}

void
image_doc_cleanup(struct image_doc *doc)
{
	image_doc_fini(doc);
}

void
image_config_fini(struct image_config *config)
{
	nrd_strv_free(config->entrypoint);
	nrd_strv_free(config->cmd);
	nrd_strv_free(config->env);
	nrd_strv_free(config->diff_ids);
	free(config->working_dir);
	free(config->user);
	free(config->created);
	*config = (struct image_config){ 0 };
}

void
image_config_cleanup(struct image_config *config)
{
	image_config_fini(config);
}

int
image_digest_bytes(const void *data, size_t len, char ret_digest[IMAGE_DIGEST_TEXT],
		   struct nrd_err *err)
{
	char hex[NRD_HASH_TEXT];
	int r = nrd_hash_bytes(NRD_SHA256, data, len, hex, err);

	if (r < 0)
		return r;
	memcpy(ret_digest, IMAGE_DIGEST_PREFIX, strlen(IMAGE_DIGEST_PREFIX));
	memcpy(ret_digest + strlen(IMAGE_DIGEST_PREFIX), hex, sizeof(hex));
	return 0;
}

int
image_digest_match(const void *data, size_t len, const char *digest, const char *what,
		   struct nrd_err *err)
{
	char have[IMAGE_DIGEST_TEXT];
	int r = image_digest_bytes(data, len, have, err);

	if (r < 0 || nrd_streq(have, digest))
		return r;
	return nrd_fail(err, EBADMSG, "ImageDigest", "the digest of %s is %s, and %s was expected", what,
			have, digest);
}

static int
parse(const char *text, size_t len, const char *what, struct nrd_json **ret_doc, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_json_parse(text, len, &limits, ret_doc, &why);

	if (r == -ENOMEM)
		return nrd_nomem(err);
	if (r < 0)
		return bad(err, "%s: %s", what, why.msg);
	if (nrd_val_type(nrd_json_root(*ret_doc)) != NRD_VAL_OBJ)
		return bad(err, "%s: it is %s, not an object", what, nrd_val_type_name(nrd_json_root(*ret_doc)));
	return 0;
}

/* ---- descriptors ---- */

static int
blob_of(const struct nrd_val *v, uint64_t max, const char *what, struct image_blob *ret_blob,
	struct nrd_err *err)
{
	const char *digest = nrd_get_str(v, "digest");
	struct image_blob blob;
	int r = image_digest_check(digest, what, err);

	if (r < 0)
		return r;
	if (!nrd_get_u64(v, "size", &blob.size) || blob.size > max)
		return bad(err, "%s: its size is missing or above %llu bytes", what, (unsigned long long)max);
	(void)nrd_strcpy_to(blob.digest, sizeof(blob.digest), digest);
	*ret_blob = blob;
	return 0;
}

static bool
type_in(const char *type, const char *const *types)
{
	return type == NULL || type[0] == '\0' || nrd_strv_has(types, type);
}

static bool
is_index_type(const char *type)
{
	return nrd_streq(type, OCI "index.v1+json") ||
	       nrd_streq(type, DOCKER "distribution.manifest.list.v2+json");
}

/* ---- an index ---- */

/* How well what an index names suits this node; 0: not at all. */
static unsigned
suits(const struct nrd_val *v)
{
	static const char *const types[] = {
		OCI "index.v1+json", OCI "manifest.v1+json", DOCKER "distribution.manifest.list.v2+json",
		DOCKER "distribution.manifest.v2+json", NULL,
	};
	const struct nrd_val *platform = nrd_val_get(v, "platform");
	const char *os = nrd_get_str(platform, "os");
	const char *variant = nrd_get_str(platform, "variant");

	if (!type_in(nrd_get_str(v, "mediaType"), types))
		return 0;
	if (platform == NULL)
		return 1;
	if (!nrd_streq(os, "linux") || !nrd_streq(nrd_get_str(platform, "architecture"), IMAGE_ARCH))
		return 0;
	/* Programs for the plain architecture run everywhere. */
	return variant == NULL || variant[0] == '\0' || nrd_streq(variant, "v1") ? 3 : 2;
}

/* "linux/arm64, linux/s390x": what there is instead. */
static void
add_platform(struct nrd_buf *text, const struct nrd_val *v)
{
	const struct nrd_val *platform = nrd_val_get(v, "platform");
	const char *os = nrd_get_str(platform, "os"), *arch = nrd_get_str(platform, "architecture");

	if (os != NULL && arch != NULL && !nrd_streq(arch, "unknown"))
		(void)nrd_buf_printf(text, "%s%.20s/%.20s", text->len > 0 ? ", " : "", os, arch);
}

static int
choose(const struct nrd_val *manifests, struct image_blob *ret_blob, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) others = NRD_BUF_INIT(200);
	struct nrd_iter it = nrd_iter(manifests);
	const struct nrd_val *best = NULL;
	unsigned best_suits = 0;

	if (nrd_val_len(manifests) > INDEXES_MAX)
		return bad(err, "the index names more than %d manifests", INDEXES_MAX);
	while (nrd_iter_next(&it)) {
		unsigned s = suits(it.val);

		if (s == 0)
			add_platform(&others, it.val);
		if (s > best_suits) {
			best_suits = s;
			best = it.val;
		}
	}
	if (best == NULL)
		return nrd_fail(err, ENOTSUP, "ImageArchitecture",
				"the image is not for linux/" IMAGE_ARCH "%s%s", others.len > 0 ? "; it is for " : "",
				nrd_buf_str(&others));
	return blob_of(best, IMAGE_DOC_MAX, "the manifest of an index", ret_blob, err);
}

/* ---- a manifest ---- */

static int
layers_of(const struct nrd_val *list, struct image_doc *doc, struct nrd_err *err)
{
	static const char *const types[] = {
		OCI "layer.v1.tar", OCI "layer.v1.tar+gzip", OCI "layer.v1.tar+zstd",
		OCI "layer.nondistributable.v1.tar", OCI "layer.nondistributable.v1.tar+gzip",
		OCI "layer.nondistributable.v1.tar+zstd", DOCKER "image.rootfs.diff.tar",
		DOCKER "image.rootfs.diff.tar.gzip", DOCKER "image.rootfs.diff.tar.zstd",
		DOCKER "image.rootfs.foreign.diff.tar.gzip", NULL,
	};
	size_t n = nrd_val_len(list);
	struct nrd_iter it = nrd_iter(list);

	if (n == 0 || n > IMAGE_LAYERS_MAX)
		return bad(err, "the manifest names %zu layers; 1 to %d are understood", n, IMAGE_LAYERS_MAX);
	doc->layers = calloc(n, sizeof(*doc->layers));
	if (doc->layers == NULL)
		return nrd_nomem(err);
	doc->n_layers = n;
	while (nrd_iter_next(&it)) {
		const char *type = nrd_get_str(it.val, "mediaType");
		int r = blob_of(it.val, IMAGE_BLOB_MAX, "a layer", &doc->layers[it.index], err);

		if (r < 0)
			return r;
		if (!type_in(type, types))
			return bad(err, "layer %zu is of type \"%.80s\": it is no image that machines are made of",
				   it.index, type);
	}
	return 0;
}

static int
manifest_of(const struct nrd_val *root, struct image_doc *doc, struct nrd_err *err)
{
	static const char *const types[] = { OCI "config.v1+json", DOCKER "container.image.v1+json", NULL };
	const struct nrd_val *config = nrd_val_get(root, "config");
	const struct nrd_val *layers = nrd_val_get(root, "layers");
	int r;

	if (nrd_val_type(config) != NRD_VAL_OBJ || nrd_val_type(layers) != NRD_VAL_ARR)
		return bad(err, "the manifest names no config or no layers");
	if (!type_in(nrd_get_str(config, "mediaType"), types))
		return bad(err, "its config is of type \"%.80s\": it is no image that machines are made of",
			   nrd_get_str(config, "mediaType"));
	r = blob_of(config, IMAGE_DOC_MAX, "the config", &doc->config, err);
	return r < 0 ? r : layers_of(layers, doc, err);
}

int
image_doc_parse(const char *text, size_t len, struct image_doc *ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *json = NULL;
	NRD_AUTO(image_doc) doc = { 0 };
	const struct nrd_val *root, *manifests;
	uint64_t version = 2;
	int r = parse(text, len, "the manifest", &json, err);

	if (r < 0)
		return r;
	root = nrd_json_root(json);
	manifests = nrd_val_get(root, "manifests");
	(void)nrd_get_u64(root, "schemaVersion", &version);
	if (version != 2)
		return bad(err, "the manifest is of version %llu, and only 2 is understood; push the image "
			   "again with a newer program", (unsigned long long)version);
	doc.index = is_index_type(nrd_get_str(root, "mediaType")) ||
		    (nrd_val_type(manifests) == NRD_VAL_ARR && nrd_val_get(root, "layers") == NULL);
	r = doc.index ? choose(manifests, &doc.next, err) : manifest_of(root, &doc, err);
	if (r < 0)
		return r;
	*ret_doc = doc;
	doc = (struct image_doc){ 0 };
	return 0;
}

/* ---- the index of a layout ---- */

/* Docker and containerd say the whole name, everybody the tag, or the name at the tag's place. */
static const char *
name_in_layout(const struct nrd_val *v)
{
	const struct nrd_val *notes = nrd_val_get(v, "annotations");

	return nrd_get_str(notes, "io.containerd.image.name")
		       ?: nrd_get_str(notes, "org.opencontainers.image.ref.name");
}

static bool
is_called(const struct nrd_val *v, const char *repo, const char *tag)
{
	const char *tagged = nrd_get_str(nrd_val_get(v, "annotations"), "org.opencontainers.image.ref.name");
	NRD_AUTO(image_ref) ref = { 0 };
	NRD_FREE char *theirs = NULL, *ours = NULL;
	const char *name = name_in_layout(v);

	if (name == NULL)
		return false;
	if (nrd_streq(tagged, tag) || nrd_streq(name, tag))
		return true;
	if (image_ref_parse(name, &ref, NULL) < 0)
		return false;
	theirs = image_ref_repo(&ref, ref.host);
	ours = nrd_format("docker.io/library/%s", repo);
	return nrd_streq(ref.tag, tag) && theirs != NULL && ours != NULL &&
	       (nrd_streq(theirs, repo) || nrd_streq(theirs, ours) || nrd_streq(theirs, ours + strlen("docker.io/library/")));
}

int
image_layout_parse(const char *text, size_t len, const char *repo, const char *tag,
		   struct image_blob *ret_blob, char **ret_name, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *json = NULL;
	NRD_AUTO(nrd_buf) there = NRD_BUF_INIT(200);
	const struct nrd_val *list, *found = NULL;
	struct nrd_iter it;
	size_t n = 0, called = 0;
	int r = parse(text, len, "index.json", &json, err);

	if (r < 0)
		return r;
	list = nrd_val_get(nrd_json_root(json), "manifests");
	if (nrd_val_type(list) != NRD_VAL_ARR || nrd_val_len(list) > INDEXES_MAX)
		return bad(err, "index.json: it names no manifests, or more than %d", INDEXES_MAX);
	it = nrd_iter(list);
	while (nrd_iter_next(&it)) {
		bool is = tag != NULL && is_called(it.val, repo, tag);

		if (suits(it.val) == 0)
			continue;
		(void)nrd_buf_printf(&there, "%s%.80s", n > 0 ? ", " : "", name_in_layout(it.val) ?: "one without a name");
		n++;
		if (found == NULL || (is && called == 0))
			found = it.val;
		called += is;
	}
	if (n == 0)
		return nrd_fail(err, ENOTSUP, "ImageArchitecture", "it holds no image for linux/" IMAGE_ARCH);
	if (called == 0 && n > 1)
		return nrd_fail(err, ENOENT, "ImageNotFound", "it holds %zu images: %s; say which, by its name", n,
				nrd_buf_str(&there));
	r = blob_of(found, IMAGE_DOC_MAX, "index.json", ret_blob, err);
	if (r < 0)
		return r;
	*ret_name = NULL;
	if (name_in_layout(found) != NULL && (*ret_name = nrd_format("%s", name_in_layout(found))) == NULL)
		return nrd_nomem(err);
	return 0;
}

/* ---- the configuration ---- */

static int
words_of(const struct nrd_val *v, const char *what, char ***ret_words, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	struct nrd_iter it = nrd_iter(v);

	if (v == NULL || nrd_val_type(v) == NRD_VAL_NULL)
		return 0;
	if (nrd_val_type(v) != NRD_VAL_ARR || nrd_val_len(v) > WORDS_MAX)
		return bad(err, "the config: %s is no list of at most %d words", what, WORDS_MAX);
	while (nrd_iter_next(&it)) {
		if (nrd_val_str(it.val) == NULL)
			return bad(err, "the config: %s[%zu] is %s, not a string", what, it.index,
				   nrd_val_type_name(it.val));
		if (nrd_strv_add(&words, nrd_val_str(it.val)) < 0)
			return nrd_nomem(err);
	}
	*ret_words = NRD_TAKE(words);
	return 0;
}

static int
text_of(const struct nrd_val *v, const char *key, char **ret_text, struct nrd_err *err)
{
	const char *s = nrd_get_str(v, key);

	if (s == NULL || s[0] == '\0')
		return 0;
	return nrd_str_set(ret_text, s) < 0 ? nrd_nomem(err) : 0;
}

/* Nanoseconds are cut to what manifests have; a time that is not UTC's is left out. */
static char *
time_of(const char *s)
{
	static const char pattern[] = "0000-00-00T00:00:00";
	size_t i = 0;

	while (s != NULL && pattern[i] != '\0' &&
	       (pattern[i] == '0' ? s[i] >= '0' && s[i] <= '9' : s[i] == pattern[i]))
		i++;
	if (s == NULL || pattern[i] != '\0' || !nrd_ends(s, "Z"))
		return NULL;
	return nrd_format("%.19sZ", s);
}

static int
diff_ids_of(const struct nrd_val *root, struct image_config *c, struct nrd_err *err)
{
	int r = words_of(nrd_val_get(nrd_val_get(root, "rootfs"), "diff_ids"), "diff_ids", &c->diff_ids, err);

	c->n_diff_ids = nrd_strv_len(NRD_CSTRV(c->diff_ids));
	for (size_t i = 0; r == 0 && i < c->n_diff_ids; i++)
		r = image_digest_check(c->diff_ids[i], "the config's diff_ids", err);
	return r;
}

int
image_config_parse(const char *text, size_t len, struct image_config *ret_config, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *json = NULL;
	NRD_AUTO(image_config) c = { 0 };
	const struct nrd_val *root, *run;
	const char *os, *arch, *created;
	int r = parse(text, len, "the config", &json, err);

	if (r < 0)
		return r;
	root = nrd_json_root(json);
	run = nrd_val_get(root, "config");
	os = nrd_get_str(root, "os");
	arch = nrd_get_str(root, "architecture");
	if (!nrd_streq(os, "linux") || !nrd_streq(arch, IMAGE_ARCH))
		return nrd_fail(err, ENOTSUP, "ImageArchitecture",
				"the image is for %.20s/%.20s, not for linux/" IMAGE_ARCH, os ?: "?", arch ?: "?");
	r = words_of(nrd_val_get(run, "Entrypoint"), "Entrypoint", &c.entrypoint, err);
	if (r == 0)
		r = words_of(nrd_val_get(run, "Cmd"), "Cmd", &c.cmd, err);
	if (r == 0)
		r = words_of(nrd_val_get(run, "Env"), "Env", &c.env, err);
	if (r == 0)
		r = text_of(run, "WorkingDir", &c.working_dir, err);
	if (r == 0)
		r = text_of(run, "User", &c.user, err);
	if (r == 0)
		r = diff_ids_of(root, &c, err);
	if (r < 0)
		return r;
	created = nrd_get_str(root, "created");
	c.created = time_of(created);
	*ret_config = c;
	c = (struct image_config){ 0 };
	return 0;
}
