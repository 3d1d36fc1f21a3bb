/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

/*
 * What zonecfg knows: resources and their properties, each beside the key of the zone's file it
 * stands for. Setting, showing, export, help, completion and the manual's check read these.
 */
enum cfg_kind {
	CFG_TEXT,    /* one word; the file's table knows what is right */
	CFG_TEXTS,   /* a list */
	CFG_BYTES,   /* a size with suffix; the file has it shifted right by `shift` */
	CFG_HEX,     /* hexadecimal number */
	CFG_PERCENT, /* CPUs with two decimals; the file has percent */
	CFG_IP_TYPE, /* always "exclusive" */
	CFG_PAIRS,   /* (name=,value=): any other property of the object */
	CFG_LIMIT,   /* (priv=,limit=,action=) of an rctl */
	CFG_REFUSED, /* help says why */
};

enum cfg_flags {
	CFG_REQUIRED = 1u << 0,
	CFG_IDENTITY = 1u << 1, /* no two of a kind have the same */
	CFG_FROZEN = 1u << 2,   /* cannot change once the zone is installed */
	CFG_ALWAYS = 1u << 3,   /* info shows it also when it is not set */
	CFG_CONTROL = 1u << 4,  /* info puts it in brackets; 0 is as good as not set */
	CFG_WHOLE = 1u << 5,    /* a single word is one item, whatever commas are in it */
	CFG_COMMAS = 1u << 6,   /* a list shown as one word with commas */
	CFG_DERIVED = 1u << 7,  /* follows from the name: not exported while it does */
};

struct cfg_prop {
	const char *name; /* NULL ends a table */
	const char *key;  /* in the file */
	enum cfg_kind kind;
	unsigned flags;
	unsigned shift;
	const char *values; /* what it may be, for help and completion: "true false" */
	const char *help;
};

enum cfg_store {
	CFG_STORE_ZONE,   /* the zone itself */
	CFG_STORE_ARRAY,  /* objects of an array */
	CFG_STORE_FIELDS, /* some of the zone's own properties, at most once */
	CFG_STORE_NAMES,  /* an array of strings */
	CFG_STORE_RCTL,   /* other names of the zone's resource controls */
	CFG_STORE_REFUSED,
};

struct cfg_res {
	const char *name; /* NULL ends the table */
	enum cfg_store store;
	const char *key;
	const struct cfg_prop *props;
	const char *help;
};

extern const struct cfg_res cfg_zone; /* the global scope */
extern const struct cfg_res cfg_resources[];

/* NULL: there is none of this name. */
const struct cfg_res *cfg_res_find(const char *name);
const struct cfg_prop *cfg_prop_find(const struct cfg_res *res, const char *name);

/* illumos' names of the resource controls. */
struct cfg_rctl_name {
	const char *name; /* NULL ends the table */
	const char *key;
	unsigned shift; /* the file's unit, in bits above illumos' one */
};
extern const struct cfg_rctl_name cfg_rctl_names[];
