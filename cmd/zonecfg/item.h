/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "grammar.h"
#include "nrd/err.h"
#include "nrd/schema.h"
#include "tables.h"
#include "zone/config.h"

/*
 * One resource of a zone, whatever it is kept as in the zone's file: an object with properties.
 * It is a copy: what is changed in it enters the zone by cfg_item_store. The zone itself
 * (CFG_STORE_ZONE) is an item that borrows the configuration.
 */
struct cfg_item {
	const struct cfg_res *res;
	const struct nrd_schema *schema;
	void *obj;
	bool borrowed;
};

int cfg_item_new(const struct cfg_res *res, struct cfg_item *ret_item, struct nrd_err *err);
struct cfg_item cfg_item_zone(struct zone_config *config);
void cfg_item_fini(struct cfg_item *item);
void cfg_item_cleanup(struct cfg_item *item);

/* How many of the kind a zone has; load and remove take 0 to one below that. */
size_t cfg_item_count(const struct cfg_res *res, const struct zone_config *config);
int cfg_item_load(const struct cfg_res *res, const struct zone_config *config, size_t i,
		  struct cfg_item *ret_item, struct nrd_err *err);
int cfg_item_remove(const struct cfg_res *res, struct zone_config *config, size_t i,
		    struct nrd_err *err);

/*
 * Puts it in the place of number i, or behind the last one when i is their count. Checks that all
 * it needs is set and that there is no other one like it: "BadProperty", "MissingProperty".
 */
int cfg_item_store(struct cfg_item *item, struct zone_config *config, size_t i,
		   struct nrd_err *err);

/*
 * A property's value as words; none (*ret_v NULL) when it is not set. CFG_PAIRS: name, value,
 * name, value. Caller frees.
 */
int cfg_prop_get(const struct cfg_item *item, const struct cfg_prop *prop, char ***ret_v,
		 struct nrd_err *err);

/* The same in one word, as people see and scripts compare it; NULL: not set. Caller frees. */
int cfg_prop_text(const struct cfg_item *item, const struct cfg_prop *prop, char **ret_text,
		  struct nrd_err *err);

/* Messages begin with the property's name. "BadProperty", "Refused" and the checks' own codes. */
int cfg_prop_set(struct cfg_item *item, const struct cfg_prop *prop,
		 const struct cfg_value *value, struct nrd_err *err);
int cfg_prop_add(struct cfg_item *item, const struct cfg_prop *prop,
		 const struct cfg_value *value, struct nrd_err *err);
int cfg_prop_drop(struct cfg_item *item, const struct cfg_prop *prop,
		  const struct cfg_value *value, struct nrd_err *err);
int cfg_prop_clear(struct cfg_item *item, const struct cfg_prop *prop, struct nrd_err *err);

/* What an rctl is while it is being edited. */
struct cfg_rctl {
	struct nrd_present present;
	char *name;
	char *value; /* the limit in illumos' unit */
};
extern const struct nrd_schema cfg_rctl_schema;
