/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/sources.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "image/auth.h"
#include "image/import.h"
#include "image/installed.h"
#include "image/lock.h"
#include "nrd-tree.h"
#include "nrd/file.h"
#include "nrd/mem.h"

static char dir[64];

static void
begin(void)
{
	test_mkdir(dir);
	image_dir_use(dir);
	image_lock_dir_use(dir);
}

static void
end(void)
{
	tree_remove(dir);
	image_dir_use(NULL);
	image_lock_dir_use(NULL);
}

static void
none_written_yet(void)
{
	NRD_AUTO(image_sources) s = { 0 };
	struct nrd_err err = { 0 };

	begin();
	CHECK_OK(image_sources_read(&s, &err), err);
	CHECK_INT(s.len, 1);
	CHECK_STR(s.data[0].url, IMAGE_SOURCE_DEFAULT);
	end();
}

static void
added_and_removed(void)
{
	NRD_AUTO(image_sources) s = { 0 };
	NRD_AUTO(image_source) one = { 0 };
	NRD_FREE char *text = NULL;
	struct nrd_err err = { 0 };

	begin();
	tree_file(dir, "imgadm.conf", "{\"upgradedToVer\": \"3\", \"sources\": []}");
	CHECK_OK(image_source_make("http://a.example//", NULL, true, &one, &err), err);
	CHECK_STR(one.url, "http://a.example");
	CHECK_INT(image_sources_add(&one, &err), 1);
	CHECK_INT(image_sources_add(&one, &err), 0);
	CHECK_OK(image_sources_read(&s, &err), err);
	CHECK_INT(s.len, 1);
	CHECK(s.data[0].insecure && s.data[0].type == IMAGE_SOURCE_IMGAPI);
	CHECK_OK(nrd_file_read(tree_path(dir, "imgadm.conf"), 4096, &text, NULL, &err), err);
	CHECK_HAS(text, "upgradedToVer");
	CHECK_FAILS(image_sources_remove("http://b.example", &err), err, ENOENT, "SourceNotFound");
	CHECK_OK(image_sources_remove("http://a.example/", &err), err);
	image_sources_fini(&s);
	CHECK_OK(image_sources_read(&s, &err), err);
	CHECK_INT(s.len, 0);
	end();
}

static void
bad_files(void)
{
	static const char *const texts[] = { "{", "[]", "{\"sources\":[{}]}", "{\"sources\":[{\"url\":\"x\"}]}",
					     "{\"sources\":[{\"url\":\"http://a\",\"type\":\"x\"}]}" };

	begin();
	for (size_t i = 0; i < nrd_count(texts); i++) {
		NRD_AUTO(image_sources) s = { 0 };
		struct nrd_err err = { 0 };

		tree_file(dir, "imgadm.conf", texts[i]);
		CHECK_FAILS(image_sources_read(&s, &err), err, EINVAL, "ConfigError");
		CHECK_HAS(err.msg, "imgadm.conf");
	}
	end();
}

static void
lines(void)
{
	NRD_AUTO(image_sources) s = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(image_sources_parse("# x\n\n  http://a \nhttps://b dsapi insecure\nfile:///c/", &s, &err), err);
	CHECK_INT(s.len, 3);
	CHECK_INT(s.data[1].type, IMAGE_SOURCE_DSAPI);
	CHECK(s.data[1].insecure && !s.data[0].insecure);
	CHECK_STR(s.data[2].url, "file:///c");
	CHECK_INT(s.data[2].type, IMAGE_SOURCE_DIR);
	image_sources_fini(&s);
	CHECK_FAILS(image_sources_parse("http://a\nfile:b\n", &s, &err), err, EINVAL, "SourceUrl");
	CHECK_HAS(err.msg, "line 2");
	CHECK_FAILS(image_sources_parse("http://a podman", &s, &err), err, EINVAL, "SourceType");
	CHECK_FAILS(image_sources_parse("file:///a docker", &s, &err), err, EINVAL, "SourceType");
	CHECK_FAILS(image_sources_parse("file:///a imgapi", &s, &err), err, EINVAL, "SourceType");
}

static void
platforms(void)
{
	static const char text[] =
		"{\"v\":2,\"uuid\":\"01234567-89ab-4def-8123-456789abcdef\",\"name\":\"a\",\"version\":\"1\","
		"\"type\":\"other\",\"os\":\"other\",\"requirements\":{\"min_platform\":{\"7.0\":"
		"\"20260101T000000Z\"},\"max_platform\":{\"7.0\":\"20270101T000000Z\"}}}";
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(image_manifest_parse(text, strlen(text), 0, &m, &err), err);
	CHECK_OK(image_platform_check(&m, "20260101T000000Z", &err), err);
	CHECK_OK(image_platform_check(&m, "20270101T000000Z", &err), err);
	CHECK_OK(image_platform_check(&m, NULL, &err), err);
	CHECK_FAILS(image_platform_check(&m, "20251231T000000Z", &err), err, ENOTSUP, "MinPlatform");
	CHECK_FAILS(image_platform_check(&m, "20270101T000001Z", &err), err, ENOTSUP, "MaxPlatform");
}

static void
auth_write(const char *text)
{
	struct nrd_err err = { 0 };
	NRD_FREE char *path = nrd_path_join(dir, "auth.json");

	CHECK_OK(nrd_file_write(path, text, strlen(text), 0600, &err), err);
}

static void
logins(void)
{
	NRD_FREE char *path = NULL;
	NRD_FREE char *line = image_auth_make("ann", "pass:word");
	NRD_FREE char *text = NULL;
	struct nrd_err err = { 0 };
	struct stat st;
	char *got;

	begin();
	path = nrd_path_join(dir, "auth.json");
	CHECK_STR(line, "Authorization: Basic YW5uOnBhc3M6d29yZA==");
	CHECK_OK(image_auth_find("a:5000", &got, &err), err);
	CHECK(got == NULL);
	CHECK_FAILS(image_auth_forget("a:5000", &err), err, ENOENT, "NotLoggedIn");
	/* What others have put there stays. */
	auth_write("{\"credHelpers\": {\"x\": \"y\"}, \"auths\": {\"b\": {\"auth\": \"Yjpi\", \"email\": \"e\"}}}");
	CHECK_OK(image_auth_keep("a:5000", line, &err), err);
	CHECK_OK(image_auth_find("a:5000", &got, &err), err);
	CHECK_STR(got, line);
	free(got);
	CHECK_OK(image_auth_find("b", &got, &err), err);
	CHECK_STR(got, "Authorization: Basic Yjpi");
	free(got);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK_OK(image_auth_forget("a:5000", &err), err);
	CHECK_OK(nrd_file_read(path, 65536, &text, NULL, &err), err);
	CHECK(strstr(text, "credHelpers") != NULL && strstr(text, "email") != NULL && strstr(text, "a:5000") == NULL);
	auth_write("{\"auths\": {\"a\": {\"auth\": \"x\\r\\ny\"}}}");
	CHECK_FAILS(image_auth_find("a", &got, &err), err, EINVAL, "AuthFile");
	auth_write("[]");
	CHECK_FAILS(image_auth_find("a", &got, &err), err, EINVAL, "AuthFile");
	CHECK_FAILS(image_auth_keep("a", line, &err), err, EINVAL, "AuthFile");
	end();
}

TEST_MAIN(none_written_yet, added_and_removed, bad_files, lines, platforms, logins)
