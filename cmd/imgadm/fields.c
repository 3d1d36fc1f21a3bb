/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fields.h"

#include <string.h>

#include "nrd/cli.h"
#include "nrd/clock.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/uuid.h"

int
fields_set(struct image_manifest *m, const char *key, const char *text, struct nrd_err *err)
{
	return nrd_decode_field(&image_manifest_schema, key, text, m, err);
}

int
fields_new(struct image_manifest *m, struct nrd_err *err)
{
	char uuid_text[NRD_UUID_TEXT], now_text[NRD_DATE_TEXT];
	struct nrd_uuid uuid;
	int r = nrd_uuid_new(&uuid, err);

	if (r < 0)
		return r;
	nrd_uuid_format(&uuid, uuid_text);
	nrd_date_format(nrd_date_ms(), now_text);
	r = fields_set(m, "v", "2", err);
	if (r == 0)
		r = fields_set(m, "uuid", uuid_text, err);
	return r == 0 ? fields_set(m, "published_at", now_text, err) : r;
}

int
fields_word(struct image_manifest *m, const char *word, struct nrd_err *err)
{
	const char *eq = strchr(word, '=');
	NRD_FREE char *key = NULL;

	if (eq == NULL || eq == word)
		return nrd_usage(err, "\"%.60s\" is no field: FIELD=VALUE", word);
	key = nrd_str_dup(nrd_strn(word, (size_t)(eq - word)));
	return key != NULL ? fields_set(m, key, eq + 1, err) : nrd_nomem(err);
}

int
fields_check(struct image_manifest *m, struct nrd_err *err)
{
	NRD_AUTO(image_manifest) again = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	image_manifest_encode(m, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : image_manifest_parse(nrd_buf_str(&text), text.len, 0, &again, err);
}
