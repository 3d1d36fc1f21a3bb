/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/bundle.h"

#include <string.h>

#include "nrd-test.h"

static void
there_and_back(const char *name, uint64_t size, uint64_t padded)
{
	char data[VM_BUNDLE_HEADER];
	struct vm_bundle_header h;
	struct nrd_err err = { 0 };

	CHECK(vm_bundle_header_make(name, size, data) == 0);
	CHECK_OK(vm_bundle_header_parse(data, &h, &err), err);
	CHECK_STR(h.name, name);
	CHECK(h.size == size && h.padded == padded);
}

static void
headers(void)
{
	char data[VM_BUNDLE_HEADER], name[VM_BUNDLE_NAME_MAX + 2];

	there_and_back("JSON", 1, 512);
	there_and_back("JSON", 512, 512);
	there_and_back("JSON", 513, 1024);
	there_and_back("zones/b4301a41-28c2-4159-b790-70c626fba3af", 0, 0);
	memset(name, 'x', sizeof(name));
	name[VM_BUNDLE_NAME_MAX + 1] = '\0';
	CHECK(vm_bundle_header_make(name, 0, data) < 0);
	name[VM_BUNDLE_NAME_MAX] = '\0';
	there_and_back(name, UINT32_MAX, (uint64_t)1 << 32);
	/* As SmartOS's vmadm writes it. */
	CHECK(vm_bundle_header_make("JSON", 1244, data) == 0);
	CHECK(memcmp(data, "MAGIC-VMBUNDLE\0" "1\0" "CHECKSUM\0JSON\0" "1244\0" "1536\0", 41) == 0);
}

static void
refused(const char *text, size_t len, const char *want)
{
	char data[VM_BUNDLE_HEADER] = { 0 };
	struct vm_bundle_header h;
	struct nrd_err err = { 0 };

	memcpy(data, text, len);
	CHECK(vm_bundle_header_parse(data, &h, &err) < 0);
	CHECK(nrd_err_is(&err, "BadBundle"));
	CHECK(strstr(err.msg, want) != NULL);
}

#define REFUSED(text, want) refused(text, sizeof(text) - 1, want)

static void
junk(void)
{
	char full[VM_BUNDLE_HEADER];

	memset(full, 'x', sizeof(full));
	refused(full, sizeof(full), "cut off");
	REFUSED("", "does not begin with");
	REFUSED("MAGIC-VMBUNDLF\0" "1\0\0JSON\0" "1\0" "512", "does not begin with");
	REFUSED("MAGIC-VMBUNDLE\0" "2\0\0JSON\0" "1\0" "512", "another version");
	REFUSED("MAGIC-VMBUNDLE\0" "1\0\0\0" "1\0" "512", "no good name");
	REFUSED("MAGIC-VMBUNDLE\0" "1\0\0JSON\0" "-1\0" "512", "no good size");
	REFUSED("MAGIC-VMBUNDLE\0" "1\0\0JSON\0" "513\0" "512", "no good size");
	REFUSED("MAGIC-VMBUNDLE\0" "1\0\0JSON\0" "1\0" "99999999999999999999", "no good size");
}

TEST_MAIN(headers, junk)
