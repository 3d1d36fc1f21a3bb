/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as what a tenant sends to its metadata service: the first line is the file of a machine,
 * all others are requests. Each is dropped, or answered in a form that a client can read; what may
 * be written leaves a configuration that can be read again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "mdata/limits.h"
#include "mdata/machine.h"
#include "nrd/buf.h"
#include "nrd/json.h"
#include "nrd/str.h"
#include "zone/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_again(const struct zone_config *config)
{
	NRD_AUTO(zone_config) again = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode(&zone_config_schema, config, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
	assert(nrd_decode_text(&zone_config_schema, nrd_buf_str(&text), text.len, NULL, 0, &again,
			       NULL) == 0);
}

static void
check_answer(const struct mdata_request *request, const struct mdata_answer *answer)
{
	NRD_AUTO(mdata_answer) again = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };

	assert(mdata_answer_format(request, answer, &out) == 0);
	assert(out.len > 0 && out.data[out.len - 1] == '\n');
	if (!request->v2)
		return;
	assert(mdata_answer_parse(nrd_strn(out.data, out.len - 1), request->id, &again));
	assert(again.code == answer->code && again.text.len == answer->text.len);
}

static void
serve(const struct mdata_machine *machine, struct zone_config *config, struct nrd_str line)
{
	NRD_AUTO(mdata_request) request = { 0 };
	NRD_AUTO(mdata_answer) answer = { 0 };
	bool changed;

	assert(mdata_request_parse(line, &request) == 0);
	switch (request.op) {
	case MDATA_DROPPED:
		return;
	case MDATA_GET:
	case MDATA_KEYS:
		assert(mdata_machine_read(machine, &request, &answer) == 0);
		break;
	case MDATA_PUT:
	case MDATA_DELETE:
		assert(request.key.len > 0 && request.key.len <= MDATA_KEY_MAX);
		assert(request.value.len <= MDATA_VALUE_MAX);
		assert(mdata_machine_edit(config, &request, &answer, &changed) == 0);
		assert(!changed || answer.code == MDATA_SUCCESS);
		read_again(config);
		break;
	default:
		answer.code = MDATA_FAILURE;
	}
	check_answer(&request, &answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nrd_str rest = nrd_strn((const char *)data, size);
	NRD_AUTO(zone_config) config = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	struct nrd_str line;

	if (size == 0 || !nrd_str_split(&rest, '\n', &line) ||
	    nrd_json_parse(line.data, line.len, NULL, &doc, NULL) < 0)
		return 0;
	const struct mdata_machine machine = { "z1", nrd_json_root(doc), nrd_json_root(doc) };

	(void)nrd_decode(&zone_config_schema, nrd_json_root(doc), NRD_DECODE_UNKNOWN, &config, NULL);
	if (config.zonename == NULL)
		return 0;
	while (nrd_str_split(&rest, '\n', &line))
		serve(&machine, &config, line);
	return 0;
}
