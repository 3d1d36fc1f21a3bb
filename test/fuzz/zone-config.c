/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as a zone's file: decoded or refused with a reason; what was decoded can be filled,
 * checked, written, and read back the same.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "nrd/buf.h"
#include "nrd/json.h"
#include "zone/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode(const struct zone_config *c, struct nrd_buf *out)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_encode(&zone_config_schema, c, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_AUTO(zone_config) c = { 0 };
	NRD_AUTO(zone_config) again = { 0 };
	NRD_AUTO(nrd_buf) first = { 0 };
	NRD_AUTO(nrd_buf) second = { 0 };
	struct nrd_err err = { 0 };

	if (nrd_decode_text(&zone_config_schema, (const char *)data, size, NULL,
			    NRD_DECODE_UNKNOWN, &c, &err) < 0) {
		assert(err.num > 0 && err.msg[0] != '\0');
		return 0;
	}
	assert(zone_name_check(c.zonename, NULL) == 0);
	assert(zone_config_fill(&c, &err) == 0);
	assert(c.zonepath != NULL && c.zfs_filesystem != NULL && !nrd_uuid_is_nil(&c.uuid));
	err = (struct nrd_err){ 0 };
	if (zone_config_verify(&c, &err) < 0)
		assert(strcmp(err.code, "BadConfig") == 0);
	encode(&c, &first);
	assert(nrd_decode_text(&zone_config_schema, nrd_buf_str(&first), first.len, NULL, 0, &again,
			       &err) == 0);
	encode(&again, &second);
	assert(strcmp(nrd_buf_str(&first), nrd_buf_str(&second)) == 0);
	return 0;
}
