/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Short modules: uuid, mac, hash, suggest. */
#include "nrd-test.h"
#include "nrd/hash.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/suggest.h"
#include "nrd/uuid.h"

static void
uuids(void)
{
	struct nrd_err err = { 0 };
	struct nrd_uuid u = { 0 }, v = { 0 };
	char text[NRD_UUID_TEXT];

	CHECK(nrd_uuid_is_nil(&u));
	CHECK_OK(nrd_uuid_parse("6Ba7b810-9dad-11d1-80b4-00c04fd430c8", &u, &err), err);
	nrd_uuid_format(&u, text);
	CHECK_STR(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	CHECK_OK(nrd_uuid_new(&u, &err), err);
	nrd_uuid_format(&u, text);
	CHECK_INT(text[14], '4');
	CHECK(strchr("89ab", text[19]) != NULL);
	CHECK_OK(nrd_uuid_parse(text, &v, &err), err);
	CHECK(nrd_uuid_equal(&u, &v));
	const char *bad[] = {
		"", "6ba7b810", "6ba7b810-9dad-11d1-80b4-00c04fd430c8x",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b8109dad-11d1-80b4-00c04fd430c8-",
		"6ba7b810-9dad-11d1-80b4-00c04fd430cg", "../../../../../../../etc/passwd.....",
	};

	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(nrd_uuid_parse(bad[i], &v, &err), err, EINVAL, "BadUuid");
}

static void
macs(void)
{
	struct nrd_err err = { 0 };
	struct nrd_mac m = { 0 };
	char text[NRD_MAC_TEXT];

	CHECK(nrd_mac_is_zero(&m));
	CHECK_OK(nrd_mac_parse("2:8:20:aB:0:ff", &m, &err), err);
	nrd_mac_format(&m, text);
	CHECK_STR(text, "02:08:20:ab:00:ff");
	const char *bad[] = { "", "02:08:20:ab:00", "02:08:20:ab:00:ff:", "02:08:20:ab:00:fff",
			      "02-08-20-ab-00-ff", "02::20:ab:00:ff", "02:08:20:ab:00:f " };

	for (size_t i = 0; i < nrd_count(bad); i++)
		CHECK_FAILS(nrd_mac_parse(bad[i], &m, &err), err, EINVAL, "BadMac");
}

static void
hashes(void)
{
	struct nrd_err err = { 0 };
	char hex[NRD_HASH_TEXT];

	CHECK_OK(nrd_hash_bytes(NRD_SHA256, "abc", 3, hex, &err), err);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_OK(nrd_hash_bytes(NRD_SHA1, "abc", 3, hex, &err), err);
	CHECK_STR(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
	CHECK_OK(nrd_hash_file(NRD_SHA256, "/dev/null", hex, &err), err);
	CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	NRD_AUTO(nrd_hash) *h = NULL;

	CHECK_OK(nrd_hash_new(NRD_SHA256, &h, &err), err);
	CHECK_OK(nrd_hash_update(h, "a", 1, &err), err);
	CHECK_OK(nrd_hash_update(h, "bc", 2, &err), err);
	CHECK_OK(nrd_hash_finish(h, hex, &err), err);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_FAILS(nrd_hash_file(NRD_SHA256, "/none", hex, &err), err, ENOENT, "FileOpen");
}

static void
suggestions(void)
{
	const char *const verbs[] = { "list", "start", "stop", "delete", "update", NULL };
	char longest[66];

	CHECK_INT(nrd_edit_distance("kitten", "sitting"), 3);
	CHECK_INT(nrd_edit_distance("strat", "start"), 1);
	CHECK_INT(nrd_edit_distance("", "abc"), 3);
	CHECK_STR(nrd_suggest("strat", verbs), "start");
	CHECK_STR(nrd_suggest("ls", verbs), "list");
	CHECK_STR(nrd_suggest("del", verbs), "delete");
	CHECK(nrd_suggest("reboot", verbs) == NULL);
	CHECK(nrd_suggest("", verbs) == NULL);
	memset(longest, 'a', 65);
	longest[65] = '\0';
	CHECK(nrd_edit_distance(longest, "a") == SIZE_MAX);
	CHECK_INT(nrd_edit_distance(longest + 1, "a"), 63);
	CHECK(nrd_suggest(longest, verbs) == NULL);
}

TEST_MAIN(uuids, macs, hashes, suggestions)
