/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "item.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-check.h"

struct dataset {
	struct nrd_present present;
	char *name;
};

static const struct nrd_field dataset_fields[] = {
	NRD_FIELD_STR(struct dataset, name, NRD_OPTIONAL, zone_check_dataset),
};

static const struct nrd_schema dataset_schema =
	NRD_SCHEMA(struct dataset, present, dataset_fields, NULL);

static const struct cfg_rctl_name *
rctl_find(const char *name)
{
	const struct cfg_rctl_name *n = cfg_rctl_names;

	while (n->name != NULL && strcmp(n->name, name) != 0)
		n++;
	return n->name != NULL ? n : NULL;
}

static int
rctl_name_check(const char *s, struct nrd_err *err)
{
	if (rctl_find(s) == NULL)
		return nrd_fail(err, EINVAL, "BadProperty",
				"\"%.60s\" is no resource control of a zone; \"help rctl\" "
				"lists them",
				s);
	return 0;
}

static int
limit_check(const char *s, struct nrd_err *err)
{
	uint64_t v;

	return nrd_parse_size(s, 0, UINT64_MAX, &v, err);
}

static const struct nrd_field rctl_fields[] = {
	NRD_FIELD_STR(struct cfg_rctl, name, NRD_OPTIONAL, rctl_name_check),
	NRD_FIELD_STR(struct cfg_rctl, value, NRD_OPTIONAL, limit_check),
};

const struct nrd_schema cfg_rctl_schema =
	NRD_SCHEMA(struct cfg_rctl, present, rctl_fields, NULL);

/* ---- an item by itself ---- */

static const struct nrd_schema *
schema_of(const struct cfg_res *res)
{
	switch (res->store) {
	case CFG_STORE_ARRAY:
		return nrd_schema_find(&zone_config_schema, res->key)->schema;
	case CFG_STORE_NAMES:
		return &dataset_schema;
	case CFG_STORE_RCTL:
		return &cfg_rctl_schema;
	default:
		return &zone_config_schema;
	}
}

int
cfg_item_new(const struct cfg_res *res, struct cfg_item *ret_item, struct nrd_err *err)
{
	struct cfg_item item = { .res = res, .schema = schema_of(res) };

	item.obj = calloc(1, item.schema->size);
	if (item.obj == NULL)
		return nrd_nomem(err);
	*ret_item = item;
	return 0;
}

struct cfg_item
cfg_item_zone(struct zone_config *config)
{
	return (struct cfg_item){
		.res = &cfg_zone,
		.schema = &zone_config_schema,
		.obj = config,
		.borrowed = true,
	};
}

void
cfg_item_fini(struct cfg_item *item)
{
	if (item->obj != NULL && !item->borrowed) {
		nrd_object_fini(item->schema, item->obj);
		free(item->obj);
	}
	*item = (struct cfg_item){ 0 };
}

void
cfg_item_cleanup(struct cfg_item *item)
{
	cfg_item_fini(item);
}

/* ---- arrays of objects: reached by the table, as lib/nrd's decoder does ---- */

struct array {
	const struct nrd_field *field;
	const struct nrd_schema *schema;
	char *items;
	size_t n;
};

static struct array
array_of(const struct cfg_res *res, const struct zone_config *config)
{
	struct array a = { .field = nrd_schema_find(&zone_config_schema, res->key) };

	a.schema = a.field->schema;
	memcpy(&a.items, (const char *)config + a.field->offset, sizeof(a.items));
	memcpy(&a.n, (const char *)config + a.field->n_offset, sizeof(a.n));
	return a;
}

static void
array_put(const struct array *a, struct zone_config *config)
{
	memcpy((char *)config + a->field->offset, &a->items, sizeof(a->items));
	memcpy((char *)config + a->field->n_offset, &a->n, sizeof(a->n));
	nrd_field_set(&zone_config_schema, a->field, config);
}

static char *
array_at(const struct array *a, size_t i)
{
	return a->items + i * a->schema->size;
}

/* Moves the object into the array. */
static int
array_store(struct cfg_item *item, struct zone_config *config, size_t i, struct nrd_err *err)
{
	struct array a = array_of(item->res, config);

	if (i == a.n) {
		if (a.field->u64.max != 0 && a.n >= a.field->u64.max)
			return nrd_fail(err, E2BIG, "BadProperty",
					"%s: a zone has at most %" PRIu64 " of them",
					item->res->name, a.field->u64.max);
		char *more = realloc(a.items, (a.n + 1) * a.schema->size);

		if (more == NULL)
			return nrd_nomem(err);
		a.items = more;
		a.n++;
	} else {
		nrd_object_fini(a.schema, array_at(&a, i));
	}
	memcpy(array_at(&a, i), item->obj, a.schema->size);
	memset(item->obj, 0, a.schema->size);
	array_put(&a, config);
	return 0;
}

static void
array_remove(const struct cfg_res *res, struct zone_config *config, size_t i)
{
	struct array a = array_of(res, config);

	nrd_object_fini(a.schema, array_at(&a, i));
	a.n--;
	memmove(array_at(&a, i), array_at(&a, i + 1), (a.n - i) * a.schema->size);
	array_put(&a, config);
	if (a.n == 0)
		nrd_field_clear(&zone_config_schema, a.field, config);
}

/* ---- the zone's own properties under another name ---- */

/* Copies scalars between configurations; what src has not goes. */
static int
fields_copy(const struct cfg_res *res, struct zone_config *dst, const struct zone_config *src,
	    struct nrd_err *err)
{
	struct cfg_item from = { .res = res, .schema = &zone_config_schema };
	int r = 0;

	from.obj = malloc(sizeof(*src));
	if (from.obj == NULL)
		return nrd_nomem(err);
	memcpy(from.obj, src, sizeof(*src)); /* only looked at: nothing of it is freed */
	for (const struct cfg_prop *p = res->props; r >= 0 && p->name != NULL; p++) {
		struct cfg_item to = { .res = res, .schema = &zone_config_schema, .obj = dst };
		NRD_STRV char **v = NULL;

		if (p->key == NULL)
			continue;
		r = cfg_prop_get(&from, p, &v, err);
		if (r >= 0 && v == NULL)
			r = cfg_prop_clear(&to, p, err);
		else if (r >= 0)
			r = cfg_prop_set(&to, p, &(struct cfg_value){ CFG_SIMPLE, v }, err);
	}
	free(from.obj);
	return r;
}

static bool
fields_any(const struct cfg_res *res, const struct zone_config *config)
{
	struct zone_config look = *config; /* a shallow copy, nothing of it is freed */
	struct cfg_item item = { .res = res, .schema = &zone_config_schema, .obj = &look };
	bool any = false;

	for (const struct cfg_prop *p = res->props; !any && p->name != NULL; p++) {
		NRD_STRV char **v = NULL;

		any = cfg_prop_get(&item, p, &v, NULL) >= 0 && v != NULL;
	}
	return any;
}

/* ---- resource controls by illumos' names ---- */

static uint64_t
rctl_number(const struct zone_config *config, const struct cfg_rctl_name *n)
{
	const struct nrd_field *field = nrd_schema_find(&zone_config_schema, n->key);
	uint64_t v;

	memcpy(&v, (const char *)config + field->offset, sizeof(v));
	return v;
}

/* The i-th control that is set; their number when ret_name is NULL. */
static size_t
rctl_walk(const struct zone_config *config, size_t i, const struct cfg_rctl_name **ret_name)
{
	size_t n = 0;

	for (const struct cfg_rctl_name *r = cfg_rctl_names; r->name != NULL; r++) {
		if (rctl_number(config, r) == 0)
			continue;
		if (ret_name != NULL && n == i)
			*ret_name = r;
		n++;
	}
	return n;
}

static void
rctl_remove(struct zone_config *config, size_t i)
{
	const struct cfg_rctl_name *n = cfg_rctl_names;

	(void)rctl_walk(config, i, &n);
	nrd_field_clear(&zone_config_schema, nrd_schema_find(&zone_config_schema, n->key), config);
}

static int
rctl_store(const struct cfg_rctl *rctl, struct zone_config *config, size_t i, struct nrd_err *err)
{
	const struct cfg_rctl_name *n = rctl_find(rctl->name);
	uint64_t v = 0, unit = UINT64_C(1) << n->shift;
	int r = nrd_parse_size(rctl->value, 0, UINT64_MAX, &v, err);

	if (r < 0)
		return nrd_wrap(err, r, "%s", n->name);
	if (v % unit != 0)
		return nrd_fail(err, EINVAL, "BadProperty",
				"%s: must be whole MiB, such as 512m or 2g", n->name);
	NRD_FREE char *text = nrd_format("%" PRIu64, v / unit);

	/* One that was selected and got another name is no longer the one it was. */
	if (i < rctl_walk(config, 0, NULL))
		rctl_remove(config, i);
	return text != NULL ? nrd_decode_field(&zone_config_schema, n->key, text, config, err)
			    : nrd_nomem(err);
}

static int
rctl_load(const struct zone_config *config, size_t i, struct cfg_rctl *rctl, struct nrd_err *err)
{
	const struct cfg_rctl_name *n = cfg_rctl_names;

	(void)rctl_walk(config, i, &n);
	rctl->name = strdup(n->name);
	rctl->value = nrd_format("%" PRIu64, rctl_number(config, n) << n->shift);
	if (rctl->name == NULL || rctl->value == NULL)
		return nrd_nomem(err);
	NRD_SET(&cfg_rctl_schema, rctl, name);
	NRD_SET(&cfg_rctl_schema, rctl, value);
	return 0;
}

/* ---- delegated datasets ---- */

static int
names_put(struct zone_config *config, char **names)
{
	const struct nrd_field *field = NRD_FIELD_OF(&zone_config_schema, config, datasets);

	nrd_field_clear(&zone_config_schema, field, config);
	config->datasets = names;
	if (names != NULL)
		nrd_field_set(&zone_config_schema, field, config);
	return 0;
}

/* All names but number i, which becomes `name` (NULL: goes). */
static int
names_change(struct zone_config *config, size_t i, const char *name, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	size_t n = nrd_strv_len(NRD_CSTRV(config->datasets));
	int r = 0;

	for (size_t j = 0; r >= 0 && j < n; j++) {
		const char *kept = j != i ? config->datasets[j] : name;

		r = kept != NULL ? nrd_strv_add(&names, kept) : 0;
	}
	if (r >= 0 && i == n)
		r = nrd_strv_add(&names, name);
	return r < 0 ? nrd_nomem(err) : names_put(config, NRD_TAKE(names));
}

/* ---- all kinds ---- */

size_t
cfg_item_count(const struct cfg_res *res, const struct zone_config *config)
{
	switch (res->store) {
	case CFG_STORE_ARRAY:
		return array_of(res, config).n;
	case CFG_STORE_NAMES:
		return nrd_strv_len(NRD_CSTRV(config->datasets));
	case CFG_STORE_FIELDS:
		return fields_any(res, config);
	case CFG_STORE_RCTL:
		return rctl_walk(config, 0, NULL);
	default:
		return 0;
	}
}

static int
load(struct cfg_item *item, const struct zone_config *config, size_t i, struct nrd_err *err)
{
	struct dataset *dataset = item->obj;
	struct array a;

	switch (item->res->store) {
	case CFG_STORE_ARRAY:
		a = array_of(item->res, config);
		return nrd_object_copy(a.schema, array_at(&a, i), item->obj) < 0 ? nrd_nomem(err)
										 : 0;
	case CFG_STORE_NAMES:
		dataset->name = strdup(config->datasets[i]);
		NRD_SET(&dataset_schema, dataset, name);
		return dataset->name != NULL ? 0 : nrd_nomem(err);
	case CFG_STORE_RCTL:
		return rctl_load(config, i, item->obj, err);
	default:
		return fields_copy(item->res, item->obj, config, err);
	}
}

int
cfg_item_load(const struct cfg_res *res, const struct zone_config *config, size_t i,
	      struct cfg_item *ret_item, struct nrd_err *err)
{
	NRD_AUTO(cfg_item) item = { 0 };
	int r = cfg_item_new(res, &item, err);

	if (r >= 0)
		r = load(&item, config, i, err);
	if (r >= 0) {
		*ret_item = item;
		item = (struct cfg_item){ 0 };
	}
	return r;
}

int
cfg_item_remove(const struct cfg_res *res, struct zone_config *config, size_t i,
		struct nrd_err *err)
{
	struct zone_config nothing = { 0 };

	switch (res->store) {
	case CFG_STORE_ARRAY:
		array_remove(res, config, i);
		return 0;
	case CFG_STORE_NAMES:
		return names_change(config, i, NULL, err);
	case CFG_STORE_RCTL:
		rctl_remove(config, i);
		return 0;
	default:
		return fields_copy(res, config, &nothing, err);
	}
}

/* Is all set that must be, and something at all? */
static int
check_complete(const struct cfg_item *item, struct nrd_err *err)
{
	bool any = false;

	for (const struct cfg_prop *p = item->res->props; p->name != NULL; p++) {
		NRD_STRV char **v = NULL;
		int r = p->kind == CFG_REFUSED ? 0 : cfg_prop_get(item, p, &v, err);

		if (r < 0)
			return r;
		any = any || v != NULL;
		if (v == NULL && (p->flags & CFG_REQUIRED) != 0)
			return nrd_fail(err, EINVAL, "MissingProperty", "%s: %s is not set",
					item->res->name, p->name);
	}
	if (!any)
		return nrd_fail(err, EINVAL, "MissingProperty", "%s: nothing is set in it",
				item->res->name);
	return item->schema->check != NULL ? item->schema->check(item->obj, err) : 0;
}

static int
check_unlike(const struct cfg_item *item, const struct zone_config *config, size_t i,
	     struct nrd_err *err)
{
	const struct cfg_prop *p = item->res->props;
	NRD_FREE char *mine = NULL;
	int r;

	while (p->name != NULL && (p->flags & CFG_IDENTITY) == 0)
		p++;
	if (p->name == NULL)
		return 0;
	r = cfg_prop_text(item, p, &mine, err);
	for (size_t j = 0; r >= 0 && j < cfg_item_count(item->res, config); j++) {
		NRD_AUTO(cfg_item) other = { 0 };
		NRD_FREE char *theirs = NULL;

		if (j == i)
			continue;
		r = cfg_item_load(item->res, config, j, &other, err);
		if (r >= 0)
			r = cfg_prop_text(&other, p, &theirs, err);
		if (r >= 0 && nrd_streq(mine, theirs) && item->res->store != CFG_STORE_RCTL)
			return nrd_fail(err, EEXIST, "BadProperty",
					"%s: there is one with %s %s already", item->res->name,
					p->name, mine);
	}
	return r;
}

int
cfg_item_store(struct cfg_item *item, struct zone_config *config, size_t i, struct nrd_err *err)
{
	struct dataset *dataset = item->obj;
	int r = check_complete(item, err);

	if (r >= 0)
		r = check_unlike(item, config, i, err);
	if (r < 0)
		return r;
	switch (item->res->store) {
	case CFG_STORE_ARRAY:
		return array_store(item, config, i, err);
	case CFG_STORE_NAMES:
		return names_change(config, i, dataset->name, err);
	case CFG_STORE_RCTL:
		return rctl_store(item->obj, config, i, err);
	default:
		return fields_copy(item->res, config, item->obj, err);
	}
}
