/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as answers.json: refused with a message, or taken; then what was taken written out as
 * JSON is taken again, and a plan can be tried with it.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "node/answers.h"
#include "node/plan.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_AUTO(node_answers) a = { 0 };
	NRD_AUTO(node_answers) again = { 0 };
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	NRD_AUTO(node_plan) plan = { 0 };
	static const struct disk_list no_disks;
	static const struct link_nics no_nics;
	const struct node_plan_env env = { .disks = &no_disks, .nics = &no_nics };
	struct nrd_err err = { 0 };
	struct nrd_jw w;

	if (node_answers_parse((const char *)data, size, &a, &err) < 0) {
		assert(err.msg[0] != '\0' && strchr(err.msg, '\n') == NULL);
		return 0;
	}
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_encode(&node_answers_schema, &a, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
	if (out.len <= NODE_ANSWERS_MAX)
		assert(node_answers_parse(nrd_buf_str(&out), out.len, &again, &err) == 0);
	/* Hashing a password takes long by design. */
	if (a.root_password == NULL)
		assert(node_plan_make(&a, &env, &plan, &err) < 0);
	return 0;
}
