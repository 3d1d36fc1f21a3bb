/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/manifest.h"
#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define UUID "01234567-89ab-4def-8123-456789abcdef"
#define OTHER_UUID "11234567-89ab-4def-8123-456789abcdef"
#define SHA1 "0123456789abcdef0123456789abcdef01234567"
#define BASE "\"v\":2,\"uuid\":\"" UUID "\",\"name\":\"base-64\",\"version\":\"1.0.0\""
#define PLAIN BASE ",\"type\":\"lx-dataset\",\"os\":\"linux\""
#define ZVOL BASE ",\"type\":\"zvol\",\"os\":\"linux\",\"image_size\":10240," \
		  "\"disk_driver\":\"virtio\",\"nic_driver\":\"virtio\""

static int
parse(const char *text, unsigned flags, struct image_manifest *m, struct nrd_err *err)
{
	return image_manifest_parse(text, strlen(text), flags, m, err);
}

static void
least(void)
{
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse("{" PLAIN "}", 0, &m, &err), err);
	CHECK_STR(m.uuid, UUID);
	CHECK_STR(m.name, "base-64");
	CHECK_INT(m.type, IMAGE_TYPE_LX_DATASET);
	CHECK_INT(m.os, IMAGE_OS_LINUX);
	CHECK(image_manifest_file(&m) == NULL);
	CHECK(!IMAGE_HAS(&m, state));
}

/* What is read and written again is the same text. */
static void
everything_comes_back(void)
{
	static const char *const texts[] = {
		"{" PLAIN "}",
		"{" ZVOL ",\"cpu_type\":\"host\"}",
		"{\"v\":2,\"uuid\":\"" UUID "\",\"owner\":\"" OTHER_UUID "\",\"name\":\"n/a b\","
		"\"version\":\"1+2\",\"state\":\"active\",\"disabled\":false,\"activated\":true,"
		"\"public\":true,\"published_at\":\"2026-01-31T12:00:00.123Z\",\"type\":\"docker\","
		"\"os\":\"linux\",\"origin\":\"" OTHER_UUID "\",\"files\":[{\"sha1\":\"" SHA1
		"\",\"size\":5,\"compression\":\"bzip2\",\"dataset_guid\":\"123\"}],"
		"\"description\":\"d\",\"homepage\":\"http://a/\",\"eula\":\"https://b\","
		"\"requirements\":{\"networks\":[{\"name\":\"net0\",\"description\":\"x\"}],"
		"\"brand\":\"bhyve\",\"bootrom\":\"uefi\",\"ssh_key\":true,\"min_ram\":5,"
		"\"max_ram\":5,\"min_platform\":{\"7.0\":\"20260131T120000Z\"}},"
		"\"users\":[{\"name\":\"root\"}],\"generate_passwords\":false,"
		"\"inherited_directories\":[\"/a\"],\"acl\":[\"" UUID "\"],\"billing_tags\":[\"x\"],"
		"\"channels\":[\"dev\"],\"traits\":{\"a\":1},\"tags\":{\"b\":[true]},\"icon\":true,"
		"\"error\":{\"message\":\"m\"},\"urn\":\"a:b:c\"}",
	};

	for (size_t i = 0; i < nrd_count(texts); i++) {
		NRD_AUTO(image_manifest) m = { 0 };
		NRD_AUTO(image_manifest) copy = { 0 };
		NRD_AUTO(nrd_buf) out = { 0 };
		struct nrd_err err = { 0 };
		struct nrd_jw w;

		CHECK_OK(parse(texts[i], 0, &m, &err), err);
		CHECK_OK(image_manifest_copy(&m, &copy, &err), err);
		nrd_jw_init(&w, &out, NRD_JW_COMPACT);
		image_manifest_encode(&copy, &w);
		CHECK_OK(nrd_jw_finish(&w, &err), err);
		CHECK_STR(nrd_buf_str(&out), texts[i]);
	}
}

static void
rules(void)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "{}", "\"v\" is missing" },
		{ "{\"v\":3,\"uuid\":\"" UUID "\"}", "v: 3 is above 2" },
		{ "{\"v\":2}", "\"uuid\" is missing" },
		{ "{" BASE ",\"os\":\"linux\"}", "\"type\" is missing" },
		{ "{" BASE ",\"type\":\"zone\",\"os\":\"linux\"}", "\"zone\" is not one of" },
		{ "{" BASE ",\"type\":null,\"os\":\"linux\"}", "type: null only while" },
		{ "{" BASE ",\"type\":null,\"os\":\"linux\",\"state\":\"active\"}", "type: null" },
		{ "{" BASE ",\"type\":\"other\",\"os\":\"plan9\"}", "os: \"plan9\" is not one of" },
		{ "{" PLAIN ",\"nmae\":\"x\"}", "did you mean \"name\"" },
		{ "{" PLAIN ",\"image_size\":1}", "image_size: is for images of type zvol" },
		{ "{" PLAIN ",\"cpu_type\":\"host\"}", "cpu_type: is for" },
		{ "{" BASE ",\"type\":\"zvol\",\"os\":\"bsd\"}", "\"image_size\" is missing" },
		{ "{" PLAIN ",\"homepage\":\"ftp://x\"}", "homepage: must be an http" },
		{ "{" PLAIN ",\"eula\":\"http://\"}", "eula: must be an http" },
		{ "{" PLAIN ",\"published_at\":\"2026-01-31\"}", "published_at: \"2026-01-31\"" },
		{ "{" PLAIN ",\"origin\":\"" UUID "\"}", "does not build on itself" },
		{ "{" PLAIN ",\"origin\":\"" "0123456789AB" "\"}", "origin: " },
		{ "{" PLAIN ",\"tags\":[]}", "tags: must be an object" },
		{ "{" PLAIN ",\"users\":[{\"nam\":\"x\"}]}", "users[0]: unknown property" },
		{ "{" PLAIN ",\"files\":[{\"sha1\":\"" SHA1 "\",\"size\":1},{\"sha1\":\"" SHA1
		  "\",\"size\":1}]}", "files: has 2 members" },
		{ "{" PLAIN ",\"files\":[{\"sha1\":\"012\",\"size\":1}]}", "files[0].sha1: must be 40" },
		{ "{" PLAIN ",\"files\":[{\"sha1\":\"" SHA1 "\"}]}", "\"size\" is missing" },
		{ "{" PLAIN ",\"files\":[{\"sha1\":\"" SHA1 "\",\"size\":-1}]}", "files[0].size" },
		{ "{" PLAIN ",\"files\":[{\"sha1\":\"" SHA1
		  "\",\"size\":1,\"compression\":\"lz4\"}]}", "files[0].compression" },
		{ "{" PLAIN ",\"requirements\":{\"min_ram\":2,\"max_ram\":1}}",
		  "requirements: min_ram 2 is above max_ram 1" },
		{ "{" PLAIN ",\"requirements\":{\"bootrom\":\"uefi\"}}", "bootrom goes with" },
		{ "{" PLAIN ",\"requirements\":{\"bootrom\":\"efi\",\"brand\":\"bhyve\"}}",
		  "requirements.bootrom" },
		{ "{" PLAIN ",\"requirements\":{\"cpus\":1}}", "requirements: unknown property" },
		{ "{" PLAIN ",\"requirements\":{\"min_platform\":{\"7.0\":\"x\"}}}",
		  "requirements.min_platform" },
		{ "[]", "must be an object" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		struct image_manifest m = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse(cases[i].text, 0, &m, &err), err, EINVAL, "ManifestValidation");
		CHECK_HAS(err.msg, cases[i].says);
		CHECK(m.uuid == NULL);
	}
}

static void
lengths(void)
{
	char name[1100], text[1400];
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	memset(name, 'a', sizeof(name));
	name[1024] = '\0';
	(void)snprintf(text, sizeof(text), "{\"v\":2,\"uuid\":\"" UUID "\",\"name\":\"%s\",\"version\":"
		       "\"1\",\"type\":\"other\",\"os\":\"other\"}", name);
	CHECK_OK(parse(text, 0, &m, &err), err);
	name[1024] = 'a';
	name[1025] = '\0';
	(void)snprintf(text, sizeof(text), "{\"v\":2,\"uuid\":\"" UUID "\",\"name\":\"%s\",\"version\":"
		       "\"1\",\"type\":\"other\",\"os\":\"other\"}", name);
	CHECK_FAILS(parse(text, 0, &m, &err), err, EINVAL, "ManifestValidation");
	CHECK_HAS(err.msg, "1 to 1024");
}

static void
no_json(void)
{
	static const char *const texts[] = { "", "{", "{\"v\":2,\"v\":2}",
					     "{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}" };

	for (size_t i = 0; i < nrd_count(texts); i++) {
		struct image_manifest m = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse(texts[i], 0, &m, &err), err, EINVAL, "InvalidManifest");
	}
}

static void
being_made(void)
{
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse("{" BASE ",\"type\":null,\"os\":\"linux\",\"state\":\"creating\"}", 0, &m,
		       &err), err);
	CHECK_INT(m.state, IMAGE_STATE_CREATING);
}

static void
newer_servers(void)
{
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse("{" PLAIN ",\"later\":{}}", IMAGE_FOREIGN, &m, &err), err);
	CHECK_STR(m.version, "1.0.0");
}

static void
version_one(void)
{
	static const char text[] =
		"{\"uuid\":\"" UUID "\",\"name\":\"old\",\"version\":\"1.3\",\"urn\":\"sdc:sdc:old:1.3\","
		"\"creator_uuid\":\"" OTHER_UUID "\",\"creator_name\":\"sdc\",\"os\":\"smartos\","
		"\"type\":\"zone-dataset\",\"vendor_uuid\":\"" OTHER_UUID "\",\"platform_type\":\"x\","
		"\"published_at\":\"2011-02-03T04:05:06Z\",\"restricted_to_uuid\":\"" OTHER_UUID "\","
		"\"files\":[{\"path\":\"old.zfs.bz2\",\"sha1\":\"" SHA1 "\",\"size\":7,\"url\":\"u\"}]}";
	NRD_AUTO(image_manifest) m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse(text, 0, &m, &err), err);
	CHECK_INT(m.v, 2);
	CHECK_STR(m.owner, OTHER_UUID);
	CHECK(IMAGE_HAS(&m, public) && !m.public);
	CHECK_STR(m.acl[0], OTHER_UUID);
	CHECK_INT(image_manifest_file(&m)->compression, IMAGE_BZIP2);
	CHECK_INT(image_manifest_file(&m)->size, 7);
}

static void
version_one_with_two_files(void)
{
	struct image_manifest m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_FAILS(parse("{\"v\":1,\"uuid\":\"" UUID "\",\"files\":[{},{}]}", 0, &m, &err), err, EINVAL,
		    "ManifestValidation");
	CHECK_HAS(err.msg, "one file");
}

static void
uuids(void)
{
	static const char *const wrong[] = { "", "x", "01234567-89ab-4def-8123-456789abcde",
					     "01234567-89AB-4def-8123-456789abcdef",
					     "01234567-89ab-4def-8123-456789abcdef0",
					     "../../../../../../../etc/passwd/////" };

	CHECK(image_uuid_valid(UUID));
	for (size_t i = 0; i < nrd_count(wrong); i++) {
		struct nrd_err err = { 0 };

		CHECK_FAILS(image_uuid_check(wrong[i], &err), err, EINVAL, "InvalidUUID");
	}
}

TEST_MAIN(least, everything_comes_back, rules, lengths, no_json, being_made, newer_servers,
	  version_one, version_one_with_two_files, uuids)
