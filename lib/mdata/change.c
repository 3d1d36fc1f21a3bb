/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine-priv.h"
#include "mdata/limits.h"
#include "mdata/machine.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/state.h"

#define SCHEMA (&zone_config_schema)

/* Quotes, colon, comma, line end and indentation of one key in the file. */
#define KEY_OVERHEAD 16

__attribute__((format(printf, 2, 3))) static int
fail(struct mdata_answer *answer, const char *fmt, ...)
{
	va_list ap;
	int r;

	answer->code = MDATA_FAILURE;
	va_start(ap, fmt);
	r = nrd_buf_vprintf(&answer->text, fmt, ap);
	va_end(ap);
	return r;
}

static int
done(struct mdata_answer *answer)
{
	answer->code = MDATA_SUCCESS;
	return nrd_buf_adds(&answer->text, "OK");
}

/* ---- limits ---- */

static size_t
json_len(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\' || *s == '\n' || *s == '\r' || *s == '\t')
			n += 2;
		else
			n += (unsigned char)*s < 0x20 ? 6 : 1;
	return n;
}

static size_t
pair_len(const char *key, const char *value)
{
	return json_len(key) + json_len(value) + KEY_OVERHEAD;
}

static void
add_up(char *const *map, size_t *keys, size_t *bytes)
{
	for (; map != NULL && *map != NULL; map += 2) {
		*bytes += pair_len(map[0], map[1]);
		*keys += 1;
	}
}

/* What an operator has put there counts as well, for the file is one. */
static bool
fits(const struct zone_config *config, const char *key, const char *old, const char *value)
{
	size_t before = old != NULL ? pair_len(key, old) : 0;
	size_t after = pair_len(key, value);
	size_t keys = 0, bytes = 0;

	add_up(config->customer_metadata, &keys, &bytes);
	add_up(config->internal_metadata, &keys, &bytes);
	if (old == NULL && keys >= MDATA_KEYS_MAX)
		return false;
	return after <= before || bytes - before + after <= MDATA_TOTAL_MAX;
}

/* ---- maps: key, value, key, value, NULL ---- */

static size_t
map_find(char *const *map, const char *key)
{
	size_t i = 0;

	while (map != NULL && map[i] != NULL && strcmp(map[i], key) != 0)
		i += 2;
	return i;
}

static void
map_remove(char **map, size_t at)
{
	size_t left = nrd_strv_len(NRD_CSTRV(map + at)) - 2;

	free(map[at]);
	free(map[at + 1]);
	memmove(map + at, map + at + 2, (left + 1) * sizeof(*map));
}

static int
map_add(char ***map, const char *key, const char *value)
{
	int r = nrd_strv_add(map, key);

	return r < 0 ? r : nrd_strv_add(map, value);
}

/* ---- the change ---- */

/* The namespace of the key when nothing in it is the machine's to write. */
static bool
is_closed(const struct zone_config *config, const char *key, struct nrd_str *ret_name)
{
	size_t n = strcspn(key, ":");
	NRD_FREE char *name = key[n] == ':' ? nrd_str_dup(nrd_strn(key, n)) : NULL;

	*ret_name = nrd_strn(key, n);
	return name != NULL &&
	       (strcmp(name, "sdc") == 0 ||
		nrd_strv_has(NRD_CSTRV(config->internal_metadata_namespaces), name));
}

static int
put(struct zone_config *config, char ***map, const char *key, const char *value,
    struct mdata_answer *answer, bool *ret_changed)
{
	size_t at = map_find(*map, key);
	const char *old = *map != NULL && (*map)[at] != NULL ? (*map)[at + 1] : NULL;
	int r;

	if (nrd_streq(old, value))
		return done(answer);
	if (!fits(config, key, old, value))
		return fail(answer, "no room for \"%s\": a machine has at most %d keys and %zu bytes of "
			    "metadata; delete some", key, MDATA_KEYS_MAX, MDATA_TOTAL_MAX);
	r = old != NULL ? nrd_str_set(&(*map)[at + 1], value) : map_add(map, key, value);
	if (r < 0)
		return r;
	*ret_changed = true;
	return done(answer);
}

int
mdata_machine_edit(struct zone_config *config, const struct mdata_request *request,
		   struct mdata_answer *answer, bool *ret_changed)
{
	const char *key = nrd_buf_str(&request->key);
	bool secret = nrd_ends(key, MDATA_SECRET_SUFFIX);
	char ***map = secret ? &config->internal_metadata : &config->customer_metadata;
	struct nrd_str name;
	size_t at;
	int r;

	*ret_changed = false;
	if (is_closed(config, key, &name))
		return fail(answer, "Cannot update the \"%.*s\" Namespace.", NRD_STR_ARG(name));
	if (request->op == MDATA_PUT && request->value.len > 0) {
		r = put(config, map, key, nrd_buf_str(&request->value), answer, ret_changed);
	} else {
		at = map_find(*map, key);
		*ret_changed = *map != NULL && (*map)[at] != NULL;
		if (*ret_changed)
			map_remove(*map, at);
		r = done(answer);
	}
	if (*ret_changed && secret)
		NRD_SET(SCHEMA, config, internal_metadata);
	else if (*ret_changed)
		NRD_SET(SCHEMA, config, customer_metadata);
	return r;
}

int
mdata_machine_change(const char *dir, const char *zone, const struct mdata_request *request,
		     struct mdata_answer *answer, bool *ret_changed, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_CLOSE int lock = -1;
	int r = zone_lock(zone, false, &lock, err);

	*ret_changed = false;
	if (r >= 0)
		r = zone_config_read(dir, zone, &config, err);
	if (r < 0)
		return r;
	if (mdata_machine_edit(&config, request, answer, ret_changed) < 0)
		return nrd_nomem(err);
	return *ret_changed ? zone_config_write(dir, &config, err) : 0;
}
