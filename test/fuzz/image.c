/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Manifests as servers and files give them: what is accepted is written, read again as strictly
 * as can be, and is the same. And what the first bytes of a file tell.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "image/format.h"
#include "image/manifest.h"
#include "nrd/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_it(const struct image_manifest *m, struct nrd_buf *out)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	image_manifest_encode(m, &w);
	assert(nrd_jw_finish(&w, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_AUTO(image_manifest) again = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_buf) text_again = { 0 };
	struct image_format format = { 0 };

	if (image_format_tell(data, size, &format))
		assert(format.packer == NULL && (format.kind == IMAGE_KIND_STREAM || size >= IMAGE_FORMAT_HEAD));
	if (image_manifest_parse((const char *)data, size, IMAGE_FOREIGN, &m, NULL) < 0)
		return 0;
	assert(m.v == 2 && image_uuid_valid(m.uuid) && m.n_files <= 1);
	write_it(&m, &text);
	assert(image_manifest_parse(nrd_buf_str(&text), text.len, 0, &again, NULL) == 0);
	write_it(&again, &text_again);
	assert(strcmp(nrd_buf_str(&text), nrd_buf_str(&text_again)) == 0);
	return 0;
}
