/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Any text as what sysinfo reads: the kernel's command line, lists, mounts, a kept object. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "node/sysinfo-priv.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
boot(const char *text)
{
	NRD_STRV char **pairs = NULL;
	size_t n;

	assert(sysinfo_boot_parse(text, &pairs) == 0);
	n = nrd_strv_len(NRD_CSTRV(pairs));
	assert(n % 2 == 0);
	for (size_t i = 0; i < n; i += 2) {
		assert(pairs[i][0] != '\0');
		for (size_t j = 0; j < i; j += 2)
			assert(!nrd_streq(pairs[i], pairs[j]));
	}
}

/* Outside quotes there is nothing but KEY= and line ends. */
static void
shell(const char *text, size_t size)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	bool quoted = false;

	if (nrd_json_parse(text, size, NULL, &doc, NULL) < 0)
		return;
	assert(node_sysinfo_shell(nrd_json_root(doc), &out, NULL) == 0);
	for (size_t i = 0; i < out.len; i++) {
		char c = out.data[i];

		if (c == '\'')
			quoted = !quoted;
		else if (!quoted && c == '\\')
			i++;
		else if (!quoted)
			assert(isalnum((unsigned char)c) || strchr("_=\n", c) != NULL);
	}
	assert(!quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_FREE char *text = nrd_str_dup(nrd_strn((const char *)data, size));
	uint64_t first;
	char name[64];

	assert(text != NULL);
	boot(text);
	(void)sysinfo_list_count(text, &first);
	if (sysinfo_pool_of(text, name, sizeof(name)))
		assert(name[0] != '\0' && strchr(name, '/') == NULL);
	shell((const char *)data, size);
	return 0;
}
