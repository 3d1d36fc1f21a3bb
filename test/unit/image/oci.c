/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "image/docker.h"
#include "image/oci.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define D(c) "\"sha256:" c c c c c c c c "\""
#define A    "aaaaaaaa"
#define B    "bbbbbbbb"
#define C    "cccccccc"
#define LAYER(d) "{\"digest\":" d ",\"size\":7,\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\"}"
#define CONFIG   "\"config\":{\"digest\":" D(C) ",\"size\":9}"

static int
doc(const char *text, struct image_doc *d, struct nrd_err *err)
{
	return image_doc_parse(text, strlen(text), d, err);
}

static void
manifests(void)
{
	NRD_AUTO(image_doc) d = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(doc("{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER(D(A)) "," LAYER(D(B)) "]}", &d, &err), err);
	CHECK(!d.index && d.n_layers == 2);
	CHECK_STR(d.layers[1].digest, "sha256:" B B B B B B B B);
	CHECK_INT(d.layers[0].size, 7);
	CHECK_INT(d.config.size, 9);
}

static void
bad_manifests(void)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
		{ "", "ImageDocument" },
		{ "[]", "ImageDocument" },
		{ "{}", "ImageDocument" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "ImageDocument" },
		{ "{" CONFIG ",\"layers\":[]}", "ImageDocument" },
		{ "{" CONFIG ",\"layers\":[{}]}", "ImageDigest" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":\"sha512:0\",\"size\":1}]}", "ImageDigest" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":" D(A) "}]}", "ImageDocument" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":" D(A) ",\"size\":-1}]}", "ImageDocument" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":" D(A) ",\"size\":2000000000000}]}", "ImageDocument" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":" D(A) ",\"size\":1,\"mediaType\":\"application/x\"}]}", "ImageDocument" },
		{ "{\"config\":{\"digest\":" D(C) ",\"size\":9,\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"},"
		  "\"layers\":[" LAYER(D(A)) "]}", "ImageDocument" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(image_doc) d = { 0 };
		struct nrd_err err = { 0 };

		CHECK(doc(cases[i].text, &d, &err) < 0);
		CHECK_STR(err.code, cases[i].code);
	}
}

#define OF(d, os, arch, more) \
	"{\"digest\":" d ",\"size\":5,\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"" more "}}"

static void
indexes(void)
{
	struct image_doc d = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(doc("{\"manifests\":[" OF(D(A), "linux", "arm64", "") "," OF(D(B), "linux", "amd64", ",\"variant\":\"v3\"") ","
		     OF(D(C), "linux", "amd64", "") "]}", &d, &err), err);
	CHECK(d.index);
	CHECK_STR(d.next.digest, "sha256:" C C C C C C C C);
	CHECK_OK(doc("{\"manifests\":[{\"digest\":" D(A) ",\"size\":5}," OF(D(B), "linux", "arm64", "") "]}", &d, &err), err);
	CHECK_STR(d.next.digest, "sha256:" A A A A A A A A);
	CHECK_FAILS(doc("{\"manifests\":[" OF(D(A), "windows", "amd64", "") "," OF(D(B), "unknown", "unknown", "") "]}", &d, &err),
		    err, ENOTSUP, "ImageArchitecture");
	CHECK_HAS(err.msg, "it is for windows/amd64");
	CHECK_FAILS(doc("{\"manifests\":[]}", &d, &err), err, ENOTSUP, "ImageArchitecture");
}

static int
find(const char *text, const char *repo, const char *tag, char **ret_name, struct nrd_err *err)
{
	struct image_blob blob;
	int r = image_layout_parse(text, strlen(text), repo, tag, &blob, ret_name, err);

	return r < 0 ? r : blob.digest[7];
}

static void
layouts(void)
{
	static const char one[] = "{\"manifests\":[{\"digest\":" D(A) ",\"size\":5}]}";
	static const char two[] =
		"{\"manifests\":[{\"digest\":" D(A) ",\"size\":5,\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.0\","
		"\"io.containerd.image.name\":\"docker.io/library/app:1.0\"}},"
		"{\"digest\":" D(B) ",\"size\":5,\"annotations\":{\"org.opencontainers.image.ref.name\":\"x.y/app:2\"}}]}";
	NRD_FREE char *name = NULL, *first = NULL, *second = NULL, *third = NULL;
	struct nrd_err err = { 0 };

	CHECK_INT(find(one, NULL, NULL, &name, &err), 'a');
	CHECK(name == NULL);
	CHECK_INT(find(one, "app", "3", &name, &err), 'a');
	CHECK_INT(find(two, "app", "1.0", &first, &err), 'a');
	CHECK_STR(first, "docker.io/library/app:1.0");
	CHECK_INT(find(two, "docker.io/library/app", "1.0", &second, &err), 'a');
	CHECK_INT(find(two, "x.y/app", "2", &third, &err), 'b');
	CHECK_FAILS(find(two, NULL, NULL, &name, &err), err, ENOENT, "ImageNotFound");
	CHECK_FAILS(find(two, "app", "2", &name, &err), err, ENOENT, "ImageNotFound");
	CHECK_FAILS(find("{}", NULL, NULL, &name, &err), err, EINVAL, "ImageDocument");
	CHECK_FAILS(find("{\"manifests\":[]}", NULL, NULL, &name, &err), err, ENOTSUP, "ImageArchitecture");
}

static int
config(const char *text, struct image_config *c, struct nrd_err *err)
{
	return image_config_parse(text, strlen(text), c, err);
}

#define FOR "\"os\":\"linux\",\"architecture\":\"amd64\""

static void
configs(void)
{
	static const char *const bad[] = {
		"{" FOR ",\"config\":{\"Cmd\":\"sh\"}}", "{" FOR ",\"config\":{\"Env\":[1]}}", "[]", "",
		"{" FOR ",\"rootfs\":{\"diff_ids\":{}}}",
	};
	NRD_AUTO(image_config) c = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(config("{" FOR ",\"created\":\"2026-01-31T12:00:00.123456789Z\",\"config\":{\"Cmd\":[\"a\",\"b c\"],"
			"\"Entrypoint\":null,\"Env\":[\"X=y\"],\"WorkingDir\":\"/w\",\"User\":\"\"},"
			"\"rootfs\":{\"diff_ids\":[" D(A) "]}}", &c, &err), err);
	CHECK(nrd_strv_len(NRD_CSTRV(c.cmd)) == 2 && c.entrypoint == NULL && c.user == NULL && c.n_diff_ids == 1);
	CHECK_STR(c.cmd[1], "b c");
	CHECK_STR(c.created, "2026-01-31T12:00:00Z");
	image_config_fini(&c);
	CHECK_OK(config("{" FOR ",\"created\":\"2026-01-31T12:00:00+02:00\"}", &c, &err), err);
	CHECK(c.created == NULL);
	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(config(bad[i], &c, &err), err, EINVAL, "ImageDocument");
	CHECK_FAILS(config("{" FOR ",\"rootfs\":{\"diff_ids\":[\"x\"]}}", &c, &err), err, EINVAL, "ImageDigest");
	CHECK_FAILS(config("{\"os\":\"linux\",\"architecture\":\"arm64\"}", &c, &err), err, ENOTSUP, "ImageArchitecture");
	CHECK_FAILS(config("{}", &c, &err), err, ENOTSUP, "ImageArchitecture");
}

static void
digests(void)
{
	struct nrd_err err = { 0 };

	CHECK_OK(image_digest_match("hello", 5, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "x",
				    &err), err);
	CHECK_FAILS(image_digest_match("hellO", 5, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
				       "x", &err), err, EBADMSG, "ImageDigest");
}

/* As other systems name them: sha256 of "sha256:aa.. sha256:bb..". */
static void
uuids_and_manifests(void)
{
	NRD_AUTO(image_docker) image = { 0 };
	NRD_AUTO(image_manifest) low = { 0 };
	NRD_AUTO(image_manifest) top = { 0 };
	struct nrd_err err = { 0 };
	char uuid[40];

	CHECK_OK(doc("{" CONFIG ",\"layers\":[" LAYER(D(A)) "," LAYER(D(B)) "]}", &image.doc, &err), err);
	CHECK(nrd_str_set(&image.repo, "docker.io/library/app") == 0 && nrd_str_set(&image.tag, "1.0") == 0);
	(void)nrd_strcpy_to(image.id, sizeof(image.id), image.doc.config.digest);
	CHECK(nrd_strv_add(&image.config.cmd, "sh") == 0);
	CHECK_OK(image_docker_uuid(&image, 1, uuid, &err), err);
	CHECK_STR(uuid, "9f447b1b-473d-3598-84f2-b8541a1ad0b7");
	CHECK_OK(image_docker_manifest(&image, 1, &low, &err), err);
	CHECK_OK(image_docker_manifest(&image, 2, &top, &err), err);
	CHECK_STR(low.uuid, uuid);
	CHECK(low.origin == NULL);
	CHECK_STR(low.version, "aaaaaaaaaaaa");
	CHECK_STR(top.origin, uuid);
	CHECK_STR(top.name, "app");
	CHECK_STR(top.version, "1.0");
	CHECK_INT(top.type, IMAGE_TYPE_DOCKER);
	CHECK_HAS(top.tags, "\"docker:tag:1.0\":true");
	CHECK_HAS(top.tags, "\"docker:config\":{\"Cmd\":[\"sh\"]}");
	CHECK(strstr(low.tags, "docker:id") == NULL);
}

TEST_MAIN(manifests, bad_manifests, indexes, layouts, configs, digests, uuids_and_manifests)
