/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Any bytes as a frame: said in each way, a line at least, of printable characters only. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "link/frame-text.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
sound(const struct nrd_buf *out, const char *head)
{
	const char *text = nrd_buf_str(out);

	assert(strncmp(text, head, strlen(head)) == 0);
	assert(out->len == strlen(text) && text[out->len - 1] == '\n');
	for (const char *c = text; *c != '\0'; c++)
		assert(isprint((unsigned char)*c) || *c == '\n' || *c == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Its own block, so that reading beyond it is seen. */
	NRD_FREE uint8_t *copy = malloc(size == 0 ? 1 : size);
	NRD_AUTO(nrd_buf) out = { 0 };

	assert(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	for (int how = FRAME_SUMMARY; how <= FRAME_VERBOSE; how++) {
		nrd_buf_reset(&out);
		assert(frame_text(copy, size, size, 0, (enum frame_text)how, "head ", &out) == 0);
		sound(&out, "head ");
	}
	nrd_buf_reset(&out);
	assert(frame_hex(copy, size, 14, 64, &out) == 0);
	return 0;
}
