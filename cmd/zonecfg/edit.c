/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "session.h"

/* The open resource, or the zone. */
static struct cfg_item
here(struct cfg_session *s)
{
	if (!s->inside)
		return cfg_item_zone(&s->config);
	return (struct cfg_item){
		.res = s->item.res,
		.schema = s->item.schema,
		.obj = s->item.obj,
		.borrowed = true,
	};
}

static int
check_frozen(const struct cfg_session *s, const struct cfg_prop *prop, struct nrd_err *err)
{
	if ((prop->flags & CFG_FROZEN) == 0 || s->config.installed == ZONE_CONFIGURED)
		return 0;
	return nrd_fail(err, EBUSY, "ZoneWrongState", "%s: cannot change while the zone is %s",
			prop->name, zone_installed_names[s->config.installed]);
}

/* What follows from the name or the pool follows when that changes. */
static int
follow(struct zone_config *c, const struct zone_config *before, struct nrd_err *err)
{
	static const char *const keys[] = { "zonepath", "zfs_filesystem" };
	char **const members[] = { &c->zonepath, &c->zfs_filesystem };

	for (size_t i = 0; i < nrd_count(keys); i++) {
		NRD_FREE char *was = cfg_derived(before, keys[i]);
		NRD_FREE char *is = cfg_derived(c, keys[i]);

		if (was == NULL || is == NULL)
			return nrd_nomem(err);
		if (nrd_streq(*members[i], was) && nrd_str_set(members[i], is) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* A limit of processes is one of threads, which is what the kernel counts. */
static void
tasks(struct zone_config *c)
{
	if (c->max_processes == 0 || c->max_lwps != 0)
		return;
	c->max_lwps = c->max_processes <= UINT32_MAX / 10 ? c->max_processes * 10 : UINT32_MAX;
	NRD_SET(&zone_config_schema, c, max_lwps);
}

/* Unsets a property of the zone; what it cannot be without falls back to what it was made with. */
static int
clear_zone(struct zone_config *c, const struct cfg_prop *prop, struct nrd_err *err)
{
	struct cfg_item item = cfg_item_zone(c);
	NRD_FREE char *back = NULL;

	if (nrd_streq(prop->key, "zonename"))
		return nrd_fail(err, EINVAL, "BadProperty", "zonename: a zone has a name");
	if ((prop->flags & CFG_DERIVED) != 0) {
		back = cfg_derived(c, prop->key);
		if (back == NULL)
			return nrd_nomem(err);
		return nrd_decode_field(&zone_config_schema, prop->key, back, c, err);
	}
	int r = cfg_prop_clear(&item, prop, err);

	if (r >= 0 && nrd_streq(prop->key, "brand"))
		r = nrd_decode_field(&zone_config_schema, "brand", "native", c, err);
	if (r >= 0 && nrd_streq(prop->key, "autoboot"))
		r = nrd_decode_field(&zone_config_schema, "autoboot", "false", c, err);
	return r;
}

typedef int change_fn(struct cfg_item *item, const struct cfg_prop *prop,
		      const struct cfg_value *value, struct nrd_err *err);

/* Changes a property of the zone; value NULL: unsets it. */
static int
change_zone(struct cfg_session *s, const struct cfg_prop *prop, const struct cfg_value *value,
	    change_fn *fn, struct nrd_err *err)
{
	NRD_AUTO(zone_config) before = { 0 };
	struct cfg_item item = cfg_item_zone(&s->config);
	bool empty = value == NULL ||
		     (value->kind == CFG_SIMPLE && value->items[0][0] == '\0' &&
		      fn == cfg_prop_set && !nrd_streq(prop->key, "zfs_filesystem"));
	int r;

	/* What will not do must leave no trace, and no property is worth two ways of changing. */
	if (nrd_object_copy(&zone_config_schema, &s->config, &before) < 0)
		return nrd_nomem(err);
	r = prop->kind == CFG_REFUSED ? cfg_prop_clear(&item, prop, err)
				      : check_frozen(s, prop, err);
	if (r >= 0)
		r = empty ? clear_zone(&s->config, prop, err) : fn(&item, prop, value, err);
	if (r >= 0)
		r = follow(&s->config, &before, err);
	if (r < 0) {
		zone_config_fini(&s->config);
		s->config = before;
		before = (struct zone_config){ 0 };
		return r;
	}
	tasks(&s->config);
	s->changed = true;
	return 0;
}

static int
change(struct cfg_session *s, const char *name, const struct cfg_value *value, change_fn *fn,
       struct nrd_err *err)
{
	struct cfg_item item = here(s);
	const struct cfg_prop *prop = NULL;
	int r = cfg_property(item.res, name, &prop, err);

	if (r < 0)
		return r;
	if (!s->inside)
		return change_zone(s, prop, value, fn, err);
	return value == NULL ? cfg_prop_clear(&item, prop, err) : fn(&item, prop, value, err);
}

int
cfg_verb_set(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	const struct cfg_arg *arg = call->args;

	if (call->n == 0 || arg->word == NULL || arg->value.kind == CFG_NONE)
		return nrd_usage(err, "PROPERTY=VALUE expected");
	if (call->n > 1)
		return nrd_usage(err, "one PROPERTY=VALUE; a value with blanks needs quotes");
	return change(s, arg->word, &arg->value, cfg_prop_set, err);
}

int
cfg_verb_clear(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	if (call->n != 1 || call->args->word == NULL || call->args->value.kind != CFG_NONE)
		return nrd_usage(err, "the name of one property expected");
	return change(s, call->args->word, NULL, NULL, err);
}

/* "add options ro", "add options size=64m", "add options [ro,nodev]": the last argument's value. */
static int
value_of(const struct cfg_arg *arg, struct cfg_value *ret_value, struct nrd_err *err)
{
	NRD_STRV char **items = NULL;
	int r = 0;

	if (arg->word == NULL) {
		ret_value->kind = arg->value.kind;
		return nrd_strv_copy(NRD_CSTRV(arg->value.items), &ret_value->items) < 0
			       ? nrd_nomem(err)
			       : 0;
	}
	if (arg->value.kind == CFG_NONE)
		r = nrd_strv_add(&items, arg->word);
	else if (arg->value.kind == CFG_SIMPLE)
		r = nrd_strv_addf(&items, "%s=%s", arg->word, arg->value.items[0]);
	else
		return nrd_usage(err, "PROPERTY VALUE expected");
	if (r < 0)
		return nrd_nomem(err);
	ret_value->kind = CFG_SIMPLE;
	ret_value->items = NRD_TAKE(items);
	return 0;
}

static int
change_list(struct cfg_session *s, const struct cfg_call *call, change_fn *fn, struct nrd_err *err)
{
	struct cfg_value value = { 0 };
	int r;

	if (call->n != 2 || call->args->word == NULL || call->args->value.kind != CFG_NONE)
		return nrd_usage(err, "PROPERTY VALUE expected");
	r = value_of(&call->args[1], &value, err);
	if (r >= 0)
		r = change(s, call->args->word, &value, fn, err);
	cfg_value_fini(&value);
	return r;
}

/* The first argument as a resource's name. */
static int
resource_of(const struct cfg_call *call, const struct cfg_res **ret_res, struct nrd_err *err)
{
	if (call->n == 0 || call->args->word == NULL || call->args->value.kind != CFG_NONE)
		return nrd_usage(err, "the name of a resource expected");
	return cfg_resource(call->args->word, ret_res, err);
}

int
cfg_verb_add(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	const struct cfg_res *res = NULL;
	int r;

	if (s->inside || call->n > 1)
		return change_list(s, call, cfg_prop_add, err);
	r = resource_of(call, &res, err);
	if (r < 0)
		return r;
	if (res->store == CFG_STORE_FIELDS && cfg_item_count(res, &s->config) > 0)
		return nrd_fail(err, EEXIST, "BadProperty",
				"there is a %s already; \"select %s\" to change it", res->name,
				res->name);
	r = cfg_item_new(res, &s->item, err);
	if (r < 0)
		return r;
	s->index = cfg_item_count(res, &s->config);
	s->inside = true;
	return 0;
}

static int
none_of(const struct cfg_res *res, struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "BadProperty", "there is no such %s", res->name);
}

int
cfg_verb_select(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	struct cfg_places places = { 0 };
	const struct cfg_res *res = NULL;
	int r = resource_of(call, &res, err);

	if (r >= 0)
		r = cfg_match(s, res, call->args + 1, call->n - 1, &places, err);
	if (r >= 0 && places.at.len == 0)
		r = none_of(res, err);
	else if (r >= 0 && places.at.len > 1)
		r = nrd_fail(err, EINVAL, "BadProperty",
			     "%zu of its %s are so; name more PROPERTY=VALUE", places.at.len,
			     res->name);
	else if (r >= 0)
		r = cfg_item_load(res, &s->config, places.at.data[0], &s->item, err);
	if (r >= 0) {
		s->index = places.at.data[0];
		s->inside = true;
	}
	nrd_vec_fini(&places.at);
	return r;
}

static int
remove_all(struct cfg_session *s, const struct cfg_res *res, const struct cfg_places *places,
	   struct nrd_err *err)
{
	int r = 0;

	for (size_t i = places->at.len; r >= 0 && i > 0; i--) {
		r = cfg_item_remove(res, &s->config, places->at.data[i - 1], err);
		s->changed = s->changed || r >= 0;
	}
	return r;
}

int
cfg_verb_remove(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	struct cfg_places places = { 0 };
	const struct cfg_res *res = NULL;
	bool list = call->n == 2 && call->args->word != NULL &&
		    cfg_prop_find(&cfg_zone, call->args->word) != NULL;
	int r;

	if (s->inside || list)
		return change_list(s, call, cfg_prop_drop, err);
	r = resource_of(call, &res, err);
	if (r >= 0)
		r = cfg_match(s, res, call->args + 1, call->n - 1, &places, err);
	if (r >= 0 && places.at.len == 0 && !call->opts->force)
		r = none_of(res, err);
	if (r >= 0 && places.at.len > 1) {
		NRD_FREE char *question = nrd_format("remove %zu resources %s", places.at.len,
						     res->name);

		r = question == NULL ? nrd_nomem(err)
				     : cfg_confirm(s, call->opts->force, question, err);
	}
	if (r >= 0)
		r = remove_all(s, res, &places, err);
	tasks(&s->config);
	nrd_vec_fini(&places.at);
	return r;
}

int
cfg_verb_cancel(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	if (call->n > 0)
		return nrd_usage(err, "takes no arguments");
	cfg_item_fini(&s->item);
	s->inside = false;
	return 0;
}

int
cfg_verb_end(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	int r;

	if (call->n > 0)
		return nrd_usage(err, "takes no arguments");
	r = cfg_item_store(&s->item, &s->config, s->index, err);
	if (r < 0)
		return r; /* still inside: it can be put right */
	cfg_item_fini(&s->item);
	tasks(&s->config);
	s->inside = false;
	s->changed = true;
	return 0;
}
