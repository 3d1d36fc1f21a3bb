/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include "image/challenge.h"
#include "image/docker.h"
#include "image/place.h"
#include "image/ref.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void
names(void)
{
	static const struct {
		const char *text, *host, *path, *tag, *digest;
	} cases[] = {
		{ "busybox", NULL, "busybox", "latest", NULL },
		{ "some/app:1.0", NULL, "some/app", "1.0", NULL },
		{ "docker.io/library/app", "docker.io", "library/app", "latest", NULL },
		{ "localhost/app", "localhost", "app", "latest", NULL },
		{ "10.0.2.2:5000/a/b-c__d:v_1", "10.0.2.2:5000", "a/b-c__d", "v_1", NULL },
		{ "[::1]:5000/app", "[::1]:5000", "app", "latest", NULL },
		{ "app@sha256:" ZEROS, NULL, "app", NULL, "sha256:" ZEROS },
		{ "h.x/app:1@sha256:" ZEROS, "h.x", "app", "1", "sha256:" ZEROS },
	};
	static const char *const bad[] = {
		"", ":", "app:", "app:-x", "App", "a//b", "/a", "a/", "a..b", "-a", "a-", "a b", "a@", "a@md5:0",
		"a@sha256:00", "a:b:c", "http://a/b", "a.b:port/x", "a.b:/x", "a.b:123456/x", "../x", "a/../b", "a\tb",
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(image_ref) ref = { 0 };
		struct nrd_err err = { 0 };

		CHECK_OK(image_ref_parse(cases[i].text, &ref, &err), err);
		CHECK(nrd_streq(ref.host, cases[i].host) && nrd_streq(ref.path, cases[i].path));
		CHECK(nrd_streq(ref.tag, cases[i].tag) && nrd_streq(ref.digest, cases[i].digest));
	}
	for (size_t i = 0; i < nrd_count(bad); i++) {
		NRD_AUTO(image_ref) ref = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(image_ref_parse(bad[i], &ref, &err), err, EINVAL, "InvalidName");
	}
}

static void
long_names(void)
{
	char text[IMAGE_REF_MAX + 2];
	NRD_AUTO(image_ref) ref = { 0 };
	struct nrd_err err = { 0 };

	memset(text, 'a', sizeof(text));
	text[IMAGE_REF_MAX] = '\0';
	CHECK_OK(image_ref_parse(text, &ref, &err), err);
	text[IMAGE_REF_MAX] = 'a';
	text[IMAGE_REF_MAX + 1] = '\0';
	image_ref_fini(&ref);
	CHECK_FAILS(image_ref_parse(text, &ref, &err), err, EINVAL, "InvalidName");
}

static void
hosts_own_images(void)
{
	NRD_AUTO(image_ref) ref = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *hub = NULL, *other = NULL, *none = NULL;

	CHECK_OK(image_ref_parse("busybox", &ref, &err), err);
	hub = image_ref_repo(&ref, "docker.io");
	other = image_ref_repo(&ref, "quay.io");
	none = image_ref_repo(&ref, NULL);
	CHECK_STR(hub, "docker.io/library/busybox");
	CHECK_STR(other, "quay.io/busybox");
	CHECK_STR(none, "busybox");
}

static void
host_of(const char *text, const char *host)
{
	struct image_source s = { .url = (char *)(uintptr_t)text };
	NRD_FREE char *have = image_registry_host(&s);

	CHECK_STR(have, host);
}

static void
sources_of_names(void)
{
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_AUTO(image_source) found = { 0 };
	NRD_AUTO(image_ref) plain = { 0 };
	NRD_AUTO(image_ref) there = { 0 };
	NRD_AUTO(image_ref) elsewhere = { 0 };
	struct nrd_err err = { 0 };

	host_of("https://docker.io", "docker.io");
	host_of("http://joe:secret@h:5000/x?y", "h:5000");
	CHECK_OK(image_ref_parse("app", &plain, &err), err);
	CHECK_OK(image_ref_parse("h:5000/app", &there, &err), err);
	CHECK_OK(image_ref_parse("quay.io/app", &elsewhere, &err), err);
	CHECK_OK(image_sources_parse("https://images.smartos.org\n", &sources, &err), err);
	CHECK_FAILS(image_docker_source(&sources, &plain, &found, &err), err, ENOENT, "NoSources");
	image_sources_fini(&sources);
	CHECK_OK(image_sources_parse("https://images.smartos.org\nhttps://docker.io docker\nhttp://h:5000 docker insecure\n",
				     &sources, &err), err);
	CHECK_OK(image_docker_source(&sources, &plain, &found, &err), err);
	CHECK_STR(found.url, "https://docker.io");
	image_source_fini(&found);
	CHECK_OK(image_docker_source(&sources, &there, &found, &err), err);
	CHECK_STR(found.url, "http://h:5000");
	CHECK(found.insecure && found.type == IMAGE_SOURCE_DOCKER);
	image_source_fini(&found);
	CHECK_OK(image_docker_source(&sources, &elsewhere, &found, &err), err);
	CHECK_STR(found.url, "https://quay.io");
	CHECK(!found.insecure);
}

static void
challenges(void)
{
	static const struct {
		const char *text, *url;
	} cases[] = {
		{ "Bearer realm=\"https://a/token\",service=\"s r\",scope=\"repository:x:pull\"",
		  "https://a/token?service=s%20r&scope=repository%3Ax%3Apull" },
		{ "bearer Realm=https://a/t", "https://a/t?scope=fallback" },
		{ "Basic realm=\"b\", Bearer realm=\"https://a/t?x=1\"", "https://a/t?x=1&scope=fallback" },
		{ "Bearer realm=\"https://a/\\\"q\\\"\" , Basic realm=\"b\"", "https://a/\"q\"?scope=fallback" },
		{ "Bearer realm=\"https://a\" realm=\"https://b\"", "https://a?scope=fallback" },
	};
	static const char *const none[] = {
		"", "Basic realm=\"x\"", "Bearer", "Bearer service=\"x\"", "Bearer realm=\"x", "Bearer realm=\"\"",
		"Bearer realm=\"x\\", "Digest realm=\"x\"", ",,,", "=", "Bearer =x",
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(image_challenge) c = { 0 };
		NRD_FREE char *url = NULL;

		CHECK(image_challenge_parse(cases[i].text, &c));
		url = image_challenge_url(&c, "fallback");
		CHECK_STR(url, cases[i].url);
	}
	for (size_t i = 0; i < nrd_count(none); i++) {
		NRD_AUTO(image_challenge) c = { 0 };

		CHECK(!image_challenge_parse(none[i], &c));
	}
}

static int
token(const char *text, char **ret_token, struct nrd_err *err)
{
	return image_token_parse(text, strlen(text), ret_token, err);
}

static void
tokens(void)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"token\":1}", "{\"token\":\"\"}", "{\"token\":\"a b\"}", "{\"token\":\"a\\r\\nX: y\"}",
	};
	NRD_FREE char *a = NULL, *b = NULL, *c = NULL;
	struct nrd_err err = { 0 };

	CHECK_OK(token("{\"token\":\"x.y-z\",\"access_token\":\"q\"}", &a, &err), err);
	CHECK_OK(token("{\"access_token\":\"q==\"}", &b, &err), err);
	CHECK_STR(a, "x.y-z");
	CHECK_STR(b, "q==");
	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(token(bad[i], &c, &err), err, EINVAL, "ImageToken");
}

TEST_MAIN(names, long_names, hosts_own_images, sources_of_names, challenges, tokens)
