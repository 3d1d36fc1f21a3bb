/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Any bytes as /usbkey/config: it always reads, writes back what it read, every value it gives
 * can be set and reads back the same; the NIC tags in it are sound.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "node/check.h"
#include "node/config.h"
#include "node/nictag.h"
#include "nrd/mem.h"
#include "nrd/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_again(const struct node_config *config, const uint8_t *data, size_t size)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	size_t bom = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	assert(node_config_format(config, &out, NULL) == 0);
	assert(out.len == size - bom || out.len == size - bom + 1);
	assert(size == bom || memcmp(out.data, data + bom, size - bom) == 0);
}

static void
set_again(const struct node_config *config)
{
	NRD_AUTO(node_config) *fresh = NULL;
	NRD_AUTO(node_config) *back = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	const char *key, *value;
	size_t pos = 0;

	assert(node_config_new(&fresh, NULL) == 0);
	while (node_config_next(config, &pos, &key, &value)) {
		/* Quoting can make a line longer than a line may be; nothing else is in the way. */
		if (strlen(value) < NODE_CONFIG_LINE_MAX / 5)
			assert(node_config_set(fresh, key, value, NULL) == 0);
	}
	assert(node_config_format(fresh, &out, NULL) == 0);
	if (out.len > NODE_CONFIG_MAX)
		return;
	assert(node_config_parse(nrd_buf_str(&out), out.len, &back, NULL) == 0);
	assert(node_config_problem_at(back, 0) == NULL);
	pos = 0;
	while (node_config_next(fresh, &pos, &key, &value))
		assert(nrd_streq(node_config_get(back, key), value));
}

static void
tags(const struct node_config *config)
{
	static const struct link_nics none;
	NRD_AUTO(node_nictags) list = { 0 };

	assert(node_nictags_from(config, &none, &list, NULL) == 0);
	for (size_t i = 0; i < list.n; i++)
		assert(node_check_tag(list.tags[i].name, NULL) == 0 ||
		       node_check_etherstub(list.tags[i].name, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_AUTO(node_config) *config = NULL;
	const struct node_config_problem *p;

	if (node_config_parse((const char *)data, size, &config, NULL) < 0) {
		assert(size > NODE_CONFIG_MAX);
		return 0;
	}
	for (size_t i = 0; (p = node_config_problem_at(config, i)) != NULL; i++)
		assert(p->line > 0 && p->what[0] != '\0');
	same_again(config, data, size);
	set_again(config);
	tags(config);
	return 0;
}
