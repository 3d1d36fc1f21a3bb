/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static int
bad(const struct cfg_prop *prop, struct nrd_err *err, const char *why)
{
	return nrd_fail(err, EINVAL, "BadProperty", "%s: %s", prop->name, why);
}

static const struct nrd_field *
field_of(const struct cfg_item *item, const char *key)
{
	return nrd_schema_find(item->schema, key);
}

/* The key in a message of the decoder becomes the name people know here. */
static int
decode(struct cfg_item *item, const char *name, const char *key, const char *text,
       struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_decode_field(item->schema, key, text, item->obj, &why);
	const char *rest = nrd_starts(why.msg, key);

	if (r < 0 && rest != NULL)
		return nrd_fail(err, -r, why.code, "%s%s", name, rest);
	return r < 0 ? nrd_fail(err, -r, why.code, "%s: %s", name, why.msg) : r;
}

/* A field's value as JSON. */
static int
encode(const struct cfg_item *item, const struct nrd_field *field, struct nrd_json **ret_doc,
       struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode_field(item->schema, field, item->obj, &w);
	int r = nrd_jw_finish(&w, err);

	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&text), text.len, NULL, ret_doc, err);
}

static int
number_of(const struct cfg_item *item, const struct cfg_prop *prop, uint64_t *ret_v,
	  struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = encode(item, field_of(item, prop->key), &doc, err);

	if (r >= 0 && !nrd_val_u64(nrd_json_root(doc), ret_v))
		*ret_v = 0;
	return r;
}

/* One word, or the words of an array. */
static int
words_of(const struct cfg_item *item, const struct nrd_field *field, char ***ret_v,
	 struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = encode(item, field, &doc, err);
	const struct nrd_val *root = nrd_json_root(doc);
	struct nrd_iter it = nrd_iter(root);
	bool b = false;
	uint64_t u = 0;

	if (r < 0)
		return r;
	if (nrd_val_type(root) == NRD_VAL_ARR)
		while (r >= 0 && nrd_iter_next(&it))
			r = nrd_strv_add(ret_v, nrd_val_str(it.val));
	else if (nrd_val_bool(root, &b))
		r = nrd_strv_add(ret_v, b ? "true" : "false");
	else if (nrd_val_u64(root, &u))
		r = nrd_strv_addf(ret_v, "%" PRIu64, u);
	else if (nrd_val_str(root) != NULL)
		r = nrd_strv_add(ret_v, nrd_val_str(root));
	return r < 0 ? nrd_nomem(err) : 0;
}

/* Exactly, with the largest suffix: 1536M, 2G. */
static int
add_bytes(uint64_t v, unsigned shift, char ***ret_v)
{
	static const char suffixes[] = "KMGTPE";
	unsigned up = shift / 10;

	while (v != 0 && v % 1024 == 0 && up < 6) {
		v /= 1024;
		up++;
	}
	if (v == 0 || up == 0)
		return nrd_strv_addf(ret_v, "%" PRIu64, v);
	return nrd_strv_addf(ret_v, "%" PRIu64 "%c", v, suffixes[up - 1]);
}

/* The properties of the object that have no name of their own here. */
static bool
is_pair(const struct cfg_item *item, const struct nrd_field *field)
{
	for (const struct cfg_prop *prop = item->res->props; prop->name != NULL; prop++) {
		if (nrd_streq(prop->key, nrd_field_key(field)))
			return false;
	}
	return true;
}

static int
get_pairs(const struct cfg_item *item, char ***ret_v, struct nrd_err *err)
{
	for (size_t i = 0; i < item->schema->n_fields; i++) {
		const struct nrd_field *field = &item->schema->fields[i];
		NRD_STRV char **words = NULL;
		NRD_FREE char *value = NULL;

		if (!is_pair(item, field) || !nrd_field_present(item->schema, field, item->obj))
			continue;
		int r = words_of(item, field, &words, err);

		if (r < 0)
			return r;
		value = nrd_strv_join(NRD_CSTRV(words), ",");
		if (value == NULL || nrd_strv_add(ret_v, nrd_field_key(field)) < 0 ||
		    nrd_strv_take(ret_v, NRD_TAKE(value)) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

static int
get_number(const struct cfg_item *item, const struct cfg_prop *prop, char ***ret_v,
	   struct nrd_err *err)
{
	uint64_t v = 0;
	int r = number_of(item, prop, &v, err);

	if (r < 0)
		return r;
	if (prop->kind == CFG_BYTES)
		r = add_bytes(v, prop->shift, ret_v);
	else if (prop->kind == CFG_HEX)
		r = nrd_strv_addf(ret_v, "%" PRIx64, v);
	else
		r = nrd_strv_addf(ret_v, "%" PRIu64 ".%02" PRIu64, v / 100, v % 100);
	return r < 0 ? nrd_nomem(err) : 0;
}

static bool
is_set(const struct cfg_item *item, const struct cfg_prop *prop)
{
	const struct nrd_field *field = prop->key != NULL ? field_of(item, prop->key) : NULL;
	uint64_t v = 0;

	if (field == NULL || !nrd_field_present(item->schema, field, item->obj))
		return false;
	if ((prop->flags & CFG_CONTROL) == 0 && item->res->store != CFG_STORE_FIELDS)
		return true;
	return field->type != NRD_TYPE_U64 || (number_of(item, prop, &v, NULL) == 0 && v != 0);
}

int
cfg_prop_get(const struct cfg_item *item, const struct cfg_prop *prop, char ***ret_v,
	     struct nrd_err *err)
{
	NRD_STRV char **v = NULL;
	int r = 0;

	if (prop->kind == CFG_IP_TYPE)
		r = nrd_strv_add(&v, "exclusive") < 0 ? nrd_nomem(err) : 0;
	else if (prop->kind == CFG_PAIRS)
		r = get_pairs(item, &v, err);
	else if (!is_set(item, prop))
		r = 0;
	else if (prop->kind == CFG_BYTES || prop->kind == CFG_HEX || prop->kind == CFG_PERCENT)
		r = get_number(item, prop, &v, err);
	else
		r = words_of(item, field_of(item, prop->key), &v, err);
	if (r >= 0)
		*ret_v = NRD_TAKE(v);
	return r;
}

int
cfg_prop_text(const struct cfg_item *item, const struct cfg_prop *prop, char **ret_text,
	      struct nrd_err *err)
{
	NRD_STRV char **v = NULL;
	int r = cfg_prop_get(item, prop, &v, err);

	if (r < 0 || v == NULL) {
		*ret_text = NULL;
		return r;
	}
	*ret_text = prop->kind == CFG_LIMIT
			    ? nrd_format("(priv=privileged,limit=%s,action=deny)", v[0])
			    : nrd_strv_join(NRD_CSTRV(v), ",");
	return *ret_text == NULL ? nrd_nomem(err) : 0;
}

/* ---- setting ---- */

static int
simple(const struct cfg_prop *prop, const struct cfg_value *value, const char **ret_text,
       struct nrd_err *err)
{
	if (value->kind != CFG_SIMPLE)
		return bad(prop, err, "takes one value, not a list");
	*ret_text = value->items[0];
	return 0;
}

/* A value as the words of a list: "a,b", [a,b], (a,b), or (a=b,c=d) as the words a=b and c=d. */
static int
list_of(const struct cfg_prop *prop, const struct cfg_value *value, char ***ret_v,
	struct nrd_err *err)
{
	int r = 0;

	if (value->kind == CFG_SIMPLE && (prop->flags & CFG_WHOLE) == 0)
		r = nrd_strv_split(value->items[0], ',', ret_v);
	else if (value->kind != CFG_COMPLEX)
		r = nrd_strv_copy(NRD_CSTRV(value->items), ret_v);
	else
		for (char **i = value->items; r >= 0 && *i != NULL; i += 2)
			r = nrd_strv_addf(ret_v, "%s=%s", i[0], i[1]);
	return r < 0 ? nrd_nomem(err) : 0;
}

static int
put_list(struct cfg_item *item, const struct cfg_prop *prop, char *const *v, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	if (v == NULL || v[0] == NULL) {
		nrd_field_clear(item->schema, field_of(item, prop->key), item->obj);
		return 0;
	}
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_strv(&w, NRD_CSTRV(v));
	int r = nrd_jw_finish(&w, err);

	return r < 0 ? r : decode(item, prop->name, prop->key, nrd_buf_str(&text), err);
}

static int
put_number(struct cfg_item *item, const struct cfg_prop *prop, uint64_t v, struct nrd_err *err)
{
	NRD_FREE char *text = nrd_format("%" PRIu64, v);

	return text != NULL ? decode(item, prop->name, prop->key, text, err) : nrd_nomem(err);
}

static int
set_bytes(struct cfg_item *item, const struct cfg_prop *prop, const char *text,
	  struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	uint64_t v = 0, unit = UINT64_C(1) << prop->shift;
	int r = nrd_parse_size(text, 0, UINT64_MAX, &v, &why);

	if (r < 0)
		return bad(prop, err, why.msg);
	if (v % unit != 0)
		return bad(prop, err,
			   prop->shift == 30 ? "must be whole GiB, such as 10g"
					     : "must be whole MiB, such as 512m or 2g");
	return put_number(item, prop, v / unit, err);
}

static int
set_hex(struct cfg_item *item, const struct cfg_prop *prop, const char *text, struct nrd_err *err)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = nrd_starts(text, "0x");
	uint64_t v = 0;

	if (at == NULL)
		at = text;
	for (size_t n = 0; n == 0 || *at != '\0'; at++, n++) {
		char low = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
		const char *digit = low != '\0' ? strchr(digits, low) : NULL;

		if (digit == NULL || n == 8)
			return bad(prop, err, "must be hexadecimal, 0 to fffffffe");
		v = v << 4 | (uint64_t)(digit - digits);
	}
	if (v > UINT64_C(0xfffffffe))
		return bad(prop, err, "must be hexadecimal, 0 to fffffffe");
	return put_number(item, prop, v, err);
}

/* "2", "1.5", "0.25": hundredths. */
static int
set_percent(struct cfg_item *item, const struct cfg_prop *prop, const char *text,
	    struct nrd_err *err)
{
	static const char rule[] = "must be a number of CPUs above 0, such as 2 or 1.5";
	NRD_FREE char *whole = strdup(text);
	char hundredths[] = "00";
	uint64_t cpus = 0, rest = 0;
	char *dot;

	if (whole == NULL)
		return nrd_nomem(err);
	dot = strchr(whole, '.');
	if (dot != NULL) {
		size_t len = strlen(dot + 1);

		if (len < 1 || len > 2)
			return bad(prop, err, rule);
		memcpy(hundredths, dot + 1, len);
		*dot = '\0';
	}
	if (nrd_parse_u64(whole, 0, 8192, &cpus, NULL) < 0 ||
	    nrd_parse_u64(hundredths, 0, 99, &rest, NULL) < 0 || cpus * 100 + rest == 0)
		return bad(prop, err, rule);
	return put_number(item, prop, cpus * 100 + rest, err);
}

static int
set_pair(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	 struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	const char *name = NULL, *text = NULL;
	struct cfg_prop as = { .flags = 0 };

	if (value->kind != CFG_COMPLEX)
		return bad(prop, err, "must be (name=NAME,value=VALUE)");
	for (char **i = value->items; *i != NULL; i += 2) {
		if (strcmp(i[0], "name") == 0)
			name = i[1];
		else if (strcmp(i[0], "value") == 0)
			text = i[1];
		else
			return bad(prop, err, "has a name and a value, nothing else");
	}
	if (name == NULL || text == NULL)
		return bad(prop, err, "needs both a name and a value");
	as.name = as.key = strcmp(name, "gateway") == 0 ? "gateways" : name;

	const struct nrd_field *field = field_of(item, as.key);

	if (field == NULL)
		return nrd_fail(err, EINVAL, "BadProperty", "%s: a %s has no property \"%.40s\"",
				prop->name, item->res->name, name);
	if (field->type != NRD_TYPE_STRV)
		return decode(item, name, as.key, text, err);
	if (nrd_strv_split(text, ',', &words) < 0)
		return nrd_nomem(err);
	return put_list(item, &as, words, err);
}

static int
set_limit(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	  struct nrd_err *err)
{
	static const char *const actions[] = { "none", "deny", NULL };
	const char *limit = NULL, *priv = NULL, *action = "deny";

	if (value->kind != CFG_COMPLEX)
		return bad(prop, err, "must be (priv=privileged,limit=NUMBER,action=deny)");
	for (char **i = value->items; *i != NULL; i += 2) {
		if (strcmp(i[0], "priv") == 0)
			priv = i[1];
		else if (strcmp(i[0], "limit") == 0)
			limit = i[1];
		else if (strcmp(i[0], "action") == 0)
			action = i[1];
		else
			return bad(prop, err, "has priv, limit and action, nothing else");
	}
	if (limit == NULL)
		return bad(prop, err, "needs a limit");
	if (!nrd_streq(priv, "privileged"))
		return bad(prop, err, "a zone's limit has priv=privileged");
	if (!nrd_strv_has(actions, action))
		return bad(prop, err, "action is deny or none; Linux sends no signals for it");
	return decode(item, prop->name, prop->key, limit, err);
}

int
cfg_prop_set(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	     struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	const char *text = NULL;
	int r;

	switch (prop->kind) {
	case CFG_REFUSED:
		return nrd_fail(err, ENOTSUP, "Refused", "%s: %s", prop->name, prop->help);
	case CFG_PAIRS:
		return set_pair(item, prop, value, err);
	case CFG_LIMIT:
		return set_limit(item, prop, value, err);
	case CFG_TEXTS:
		r = list_of(prop, value, &words, err);
		return r < 0 ? r : put_list(item, prop, words, err);
	default:
		break;
	}
	r = simple(prop, value, &text, err);
	if (r < 0)
		return r;
	switch (prop->kind) {
	case CFG_BYTES:
		return set_bytes(item, prop, text, err);
	case CFG_HEX:
		return set_hex(item, prop, text, err);
	case CFG_PERCENT:
		return set_percent(item, prop, text, err);
	case CFG_IP_TYPE:
		return strcmp(text, "exclusive") == 0
			       ? 0
			       : bad(prop, err, "every zone has its own network stack: exclusive");
	default:
		return decode(item, prop->name, prop->key, text, err);
	}
}

/* Adds to a list, or to what a property that is set but once holds: then it must be empty. */
int
cfg_prop_add(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	     struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	NRD_STRV char **more = NULL;
	int r;

	if (prop->kind == CFG_REFUSED || prop->kind == CFG_PAIRS || prop->kind == CFG_LIMIT)
		return cfg_prop_set(item, prop, value, err);
	if (prop->kind != CFG_TEXTS)
		return bad(prop, err, "has one value; use set");
	r = cfg_prop_get(item, prop, &words, err);
	if (r >= 0)
		r = list_of(prop, value, &more, err);
	for (char **w = more; r >= 0 && w != NULL && *w != NULL; w++) {
		if (nrd_strv_has(NRD_CSTRV(words), *w))
			return nrd_fail(err, EEXIST, "BadProperty",
					"%s: \"%.60s\" is there already", prop->name, *w);
		r = nrd_strv_add(&words, *w) < 0 ? nrd_nomem(err) : 0;
	}
	return r < 0 ? r : put_list(item, prop, words, err);
}

static int
drop_pair(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	  struct nrd_err *err)
{
	for (char **i = value->items; value->kind == CFG_COMPLEX && *i != NULL; i += 2) {
		const struct nrd_field *field = field_of(item, i[1]);

		if (strcmp(i[0], "name") != 0)
			continue;
		if (field == NULL || !nrd_field_present(item->schema, field, item->obj))
			return nrd_fail(err, ENOENT, "BadProperty", "%s: \"%.60s\" is not set",
					prop->name, i[1]);
		nrd_field_clear(item->schema, field, item->obj);
		return 0;
	}
	return bad(prop, err, "must be (name=NAME)");
}

int
cfg_prop_drop(struct cfg_item *item, const struct cfg_prop *prop, const struct cfg_value *value,
	      struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	NRD_STRV char **less = NULL;
	NRD_STRV char **left = NULL;
	int r;

	if (prop->kind == CFG_PAIRS)
		return drop_pair(item, prop, value, err);
	if (prop->kind != CFG_TEXTS)
		return bad(prop, err, "has one value; use clear");
	r = cfg_prop_get(item, prop, &words, err);
	if (r >= 0)
		r = list_of(prop, value, &less, err);
	for (char **w = less; r >= 0 && w != NULL && *w != NULL; w++) {
		if (!nrd_strv_has(NRD_CSTRV(words), *w))
			return nrd_fail(err, ENOENT, "BadProperty", "%s: there is no \"%.60s\"",
					prop->name, *w);
	}
	for (char **w = words; r >= 0 && w != NULL && *w != NULL; w++) {
		if (!nrd_strv_has(NRD_CSTRV(less), *w))
			r = nrd_strv_add(&left, *w) < 0 ? nrd_nomem(err) : 0;
	}
	return r < 0 ? r : put_list(item, prop, left, err);
}

int
cfg_prop_clear(struct cfg_item *item, const struct cfg_prop *prop, struct nrd_err *err)
{
	if (prop->kind == CFG_REFUSED)
		return nrd_fail(err, ENOTSUP, "Refused", "%s: %s", prop->name, prop->help);
	if (prop->kind == CFG_PAIRS) {
		for (size_t i = 0; i < item->schema->n_fields; i++) {
			if (is_pair(item, &item->schema->fields[i]))
				nrd_field_clear(item->schema, &item->schema->fields[i], item->obj);
		}
		return 0;
	}
	if (prop->key != NULL)
		nrd_field_clear(item->schema, field_of(item, prop->key), item->obj);
	return 0;
}
