/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as a payload: as a machine to be made and as a change of one. Either it is refused with a
 * line for people, or what came of it can be filled in and written. And as the beginning of a bundle.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "vm/bundle.h"
#include "vm/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WEB "{\"zonename\":\"web\",\"brand\":\"native\",\"max_physical_memory\":256,\"tags\":{\"a\":\"1\"}," \
	    "\"filesystems\":[{\"target\":\"/d\",\"source\":\"/s\",\"type\":\"lofs\"}]}"

static void
write_out(const struct zone_config *c)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_encode(&zone_config_schema, c, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
}

static void
check(const struct vm_bad *bad, struct zone_config *c)
{
	struct nrd_err err = { 0 };

	if (vm_bad_any(bad)) {
		assert(vm_bad_fail(bad, &err) < 0 && err.msg[0] != '\0');
		return;
	}
	assert(zone_config_fill(c, &err) == 0);
	(void)zone_config_verify(c, &err);
	write_out(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(zone_config) made = { 0 };
	NRD_AUTO(zone_config) changed = { 0 };
	NRD_AUTO(vm_bad) bad = { 0 };
	NRD_AUTO(vm_bad) bad_change = { 0 };
	struct vm_bundle_header header;
	struct vm_wish wish;
	struct nrd_err err = { 0 };

	if (size >= VM_BUNDLE_HEADER && vm_bundle_header_parse((const char *)data, &header, &err) == 0)
		assert(header.padded >= header.size && header.name[0] != '\0');
	if (nrd_json_parse((const char *)data, size, NULL, &doc, &err) < 0)
		return 0;
	assert(vm_payload_create(nrd_json_root(doc), &made, &wish, &bad, &err) == 0);
	check(&bad, &made);
	assert(nrd_decode_text(&zone_config_schema, WEB, strlen(WEB), NULL, 0, &changed, &err) == 0);
	assert(vm_payload_update(nrd_json_root(doc), &changed, &bad_change, &err) == 0);
	check(&bad_change, &changed);
	return 0;
}
