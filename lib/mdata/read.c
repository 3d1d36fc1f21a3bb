/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <string.h>

#include "machine-priv.h"
#include "mdata/limits.h"
#include "mdata/machine.h"
#include "nrd/str.h"

int
mdata_say_value(const struct nrd_val *val, struct mdata_answer *answer)
{
	const char *text = nrd_val_str(val);
	struct nrd_jw w;

	answer->code = MDATA_SUCCESS;
	answer->text.max = MDATA_ANSWER_MAX;
	if (text != NULL)
		return nrd_buf_adds(&answer->text, text);
	nrd_jw_init(&w, &answer->text, NRD_JW_COMPACT);
	nrd_jw_val(&w, val);
	return nrd_jw_finish(&w, NULL);
}

int
mdata_say_text(const char *text, struct mdata_answer *answer)
{
	answer->code = MDATA_SUCCESS;
	return nrd_buf_adds(&answer->text, text);
}

int
mdata_say_none(struct mdata_answer *answer)
{
	answer->code = MDATA_NOTFOUND;
	return 0;
}

/* "ns:..." of one of the namespaces in an array of names. */
static bool
in_namespaces(const struct nrd_val *namespaces, const char *key)
{
	struct nrd_iter it = nrd_iter(namespaces);

	while (nrd_iter_next(&it)) {
		const char *name = nrd_val_str(it.val);
		const char *rest = name != NULL ? nrd_starts(key, name) : NULL;

		if (rest != NULL && rest[0] == ':')
			return true;
	}
	return false;
}

static bool
is_internal(const struct mdata_machine *machine, const char *key)
{
	return nrd_ends(key, MDATA_SECRET_SUFFIX) ||
	       in_namespaces(nrd_val_get(machine->config, "internal_metadata_namespaces"), key);
}

static int
answer_get(const struct mdata_machine *machine, const char *key, struct mdata_answer *answer)
{
	const char *property = nrd_starts(key, MDATA_SDC);
	const struct nrd_val *map, *val;

	if (property != NULL)
		return mdata_machine_property(machine, property, answer);
	map = nrd_val_get(machine->config, is_internal(machine, key) ? "internal_metadata"
								     : "customer_metadata");
	val = nrd_val_get(map, key);
	if (nrd_val_type(val) == NRD_VAL_NONE || nrd_val_type(val) == NRD_VAL_NULL)
		return mdata_say_none(answer);
	return mdata_say_value(val, answer);
}

/* One a line: a key that has several lines would be several keys. */
static int
add_keys(const struct mdata_machine *machine, const char *map, bool internal,
	 struct nrd_buf *out)
{
	struct nrd_iter it = nrd_iter(nrd_val_get(machine->config, map));

	while (nrd_iter_next(&it)) {
		if (it.key == NULL || is_internal(machine, it.key) != internal ||
		    strchr(it.key, '\n') != NULL)
			continue;
		if (out->len > 0)
			(void)nrd_buf_addc(out, '\n');
		(void)nrd_buf_adds(out, it.key);
	}
	return out->failed;
}

int
mdata_machine_read(const struct mdata_machine *machine, const struct mdata_request *request,
		   struct mdata_answer *answer)
{
	int r;

	if (request->op == MDATA_GET)
		return answer_get(machine, nrd_buf_str(&request->key), answer);
	answer->code = MDATA_SUCCESS;
	answer->text.max = MDATA_ANSWER_MAX;
	r = add_keys(machine, "customer_metadata", false, &answer->text);
	return r < 0 ? r : add_keys(machine, "internal_metadata", true, &answer->text);
}
