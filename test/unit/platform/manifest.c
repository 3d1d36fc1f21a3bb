/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILE_(n) "{\"name\":\"" n "\",\"size\":3,\"sha256\":\"" SUM "\"}"
#define MANIFEST(stamp, files) "{\"stamp\":\"" stamp "\",\"version\":1,\"files\":[" files "]}"
#define GOOD(stamp) MANIFEST(stamp, FILE_("kernel") "," FILE_("boot_archive"))

static int
parse(const char *text, struct platform_manifest *m, struct nrd_err *err)
{
	return platform_manifest_parse(text, strlen(text), m, err);
}

static void
stamps(void)
{
	static const char *const good[] = { A, "20991231T235960Z", "00000101T000000Z" };
	static const char *const wrong[] = { "", "20260101T000000", A "Z", "20261301T000000Z",
					     "20260100T000000Z", "20260101T240000Z",
					     "20260101 000000Z", "2026010xT000000Z",
					     "../../etc/passwdZ" };

	for (size_t i = 0; i < nrd_count(good); i++)
		CHECK(platform_stamp_valid(good[i]));
	for (size_t i = 0; i < nrd_count(wrong); i++)
		CHECK(!platform_stamp_valid(wrong[i]));
	CHECK(!platform_stamp_valid(NULL));
}

static void
running_version(void)
{
	struct fixture f;
	char stamp[PLATFORM_STAMP_TEXT];
	struct nrd_err err = { 0 };

	fixture_init(&f);
	CHECK_OK(platform_stamp_running(f.os_release, stamp, &err), err);
	CHECK_STR(stamp, A);
	put(f.os_release, "VERSION_ID=\"" B "\"\nID='nereid'\n");
	CHECK_OK(platform_stamp_running(f.os_release, stamp, &err), err);
	CHECK_STR(stamp, B);
	put(f.os_release, "ID=debian\nVERSION_ID=" B "\n");
	CHECK_FAILS(platform_stamp_running(f.os_release, stamp, &err), err, ENOENT, "NotNereid");
	put(f.os_release, "ID=nereid\nVERSION_ID=13\n");
	CHECK_FAILS(platform_stamp_running(f.os_release, stamp, &err), err, ENOENT, "NotNereid");
	fixture_fini(&f);
}

static void
good_manifest(void)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse(GOOD(A), &m, &err), err);
	CHECK_STR(m.stamp, A);
	CHECK_INT(m.n_files, 2);
	CHECK_STR(m.files[1].name, "boot_archive");
	CHECK_INT(platform_manifest_bytes(&m), 6);
}

static void
later_fields_are_skipped(void)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(parse("{\"stamp\":\"" A "\",\"version\":1,\"signature\":{\"x\":[1]},\"files\":["
		       FILE_("kernel") "," FILE_("boot_archive") "]}", &m, &err), err);
}

static void
bad_manifests(void)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "", "" },
		{ "[]", "" },
		{ "{", "" },
		{ GOOD(A) "x", "" },
		{ GOOD("2026"), "2026" },
		{ MANIFEST(A, FILE_("kernel")), "boot_archive is missing" },
		{ MANIFEST(A, ""), "kernel is missing" },
		{ MANIFEST(A, FILE_("kernel") "," FILE_("boot_archive") "," FILE_("KERNEL")),
		  "twice" },
		{ MANIFEST(A, FILE_("kernel") "," FILE_("boot_archive") "," FILE_("../x")),
		  "not a file's name" },
		{ MANIFEST(A, FILE_("kernel") "," FILE_("boot_archive") "," FILE_("a/b")),
		  "not a file's name" },
		{ MANIFEST(A, FILE_("kernel") "," FILE_("boot_archive") "," FILE_("manifest.json")),
		  "not a file's name" },
		{ "{\"stamp\":\"" A "\",\"version\":2,\"files\":[]}", "version" },
		{ MANIFEST(A, FILE_("kernel") ",{\"name\":\"boot_archive\",\"size\":0,\"sha256\":\""
			      SUM "\"}"), "size" },
		{ MANIFEST(A, FILE_("kernel") ",{\"name\":\"boot_archive\",\"size\":1,"
			      "\"sha256\":\"abc\"}"), "SHA-256" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = {
			0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse(cases[i].text, &m, &err), err, EBADMSG, "BadManifest");
		CHECK_HAS(err.msg, cases[i].says);
	}
}

static void
files_are_checked(void)
{
	__attribute__((cleanup(platform_manifest_cleanup))) struct platform_manifest m = { 0 };
	struct fixture f;
	NRD_FREE char *dir = NULL;
	NRD_FREE char *kernel = NULL;
	struct nrd_err err = { 0 };

	fixture_init(&f);
	dir = make_platform(&f, A, 100, 200);
	kernel = nrd_path_join(dir, "kernel");
	CHECK_OK(platform_manifest_read(dir, &m, &err), err);
	CHECK_OK(platform_manifest_check(&m, dir, &err), err);
	put(kernel, "short");
	CHECK_FAILS(platform_manifest_check_sizes(&m, dir, &err), err, EBADMSG,
		    "PlatformDamaged");
	CHECK(truncate(kernel, 100) == 0);
	CHECK_OK(platform_manifest_check_sizes(&m, dir, &err), err);
	CHECK_FAILS(platform_manifest_check(&m, dir, &err), err, EBADMSG, "PlatformDamaged");
	CHECK(unlink(kernel) == 0);
	CHECK_FAILS(platform_manifest_check_sizes(&m, dir, &err), err, EBADMSG,
		    "PlatformDamaged");
	CHECK(mkdir(kernel, 0755) == 0);
	CHECK_FAILS(platform_manifest_check_sizes(&m, dir, &err), err, EBADMSG,
		    "PlatformDamaged");
	CHECK_HAS(err.msg, "not a file");
	fixture_fini(&f);
}

static void
index_is_sorted(void)
{
	NRD_AUTO(platform_index) index = { 0 };
	static const char text[] = "[" GOOD(B) "," GOOD(A) "," GOOD(C) "]";
	struct nrd_err err = { 0 };

	CHECK_OK(platform_index_parse(text, strlen(text), &index, &err), err);
	CHECK_INT(index.len, 3);
	CHECK_STR(index.data[0].stamp, A);
	CHECK_STR(index.data[2].stamp, C);
}

static void
bad_indexes(void)
{
	static const char *const texts[] = { "", "{}", "[1]", "[" GOOD(A) ",{}]",
					     "[" GOOD("x") "]" };

	for (size_t i = 0; i < nrd_count(texts); i++) {
		NRD_AUTO(platform_index) index = { 0 };
		struct nrd_err err = { 0 };

		CHECK_FAILS(platform_index_parse(texts[i], strlen(texts[i]), &index, &err), err,
			    EBADMSG, "BadIndex");
	}
}

TEST_MAIN(stamps, running_version, good_manifest, later_fields_are_skipped, bad_manifests,
	  files_are_checked, index_is_sorted, bad_indexes)
