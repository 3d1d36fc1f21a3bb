/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "nrd/buf.h"
#include "zone/config.h"

/*
 * The properties of a machine: who may have them, when they may be said, and when they take effect.
 * Those of the machine's file are zone_config_schema's, which knows what they must look like; the
 * others are words of a payload alone.
 */
enum vm_brands {
	VM_NATIVE = 1u << ZONE_NATIVE,
	VM_LX = 1u << ZONE_LX,
	VM_KVM = 1u << ZONE_KVM,
	VM_OS = VM_NATIVE | VM_LX,
	VM_ANY = VM_OS | VM_KVM,
};

enum vm_when {
	VM_CREATE = 1u << 0,
	VM_UPDATE = 1u << 1,
	VM_READ = 0, /* `vmadm get` shows it, nobody sets it */
};

enum vm_effect {
	VM_NOTE, /* nothing that runs depends on it */
	VM_LIVE,
	VM_BOOT,
};

enum vm_kind {
	VM_FIELD,    /* a field of zone_config_schema */
	VM_FLAG,     /* of the payload: true or false */
	VM_RAM,      /* another name of max_physical_memory */
	VM_IMAGE,    /* another name of image_uuid */
	VM_SHOWN,    /* computed */
	VM_SET,      /* set_X: an object whose members replace those of the map X */
	VM_REMOVE,   /* remove_X of a map: the keys that go */
	VM_ADD,      /* add_X: objects appended to the array X */
	VM_CHANGE,   /* update_X: objects that say which, by its key, and what is new */
	VM_TAKE,     /* remove_X of an array: the keys of those that go */
};

struct vm_prop {
	const char *name;
	enum vm_kind kind;
	unsigned brands; /* enum vm_brands */
	unsigned when;   /* enum vm_when */
	enum vm_effect effect;
	const char *of;  /* the field behind a verb */
	const char *key; /* what tells the objects of the array `of` apart */
	const char *help; /* where the schema has none */
};

/* Ends with a name of NULL. */
extern const struct vm_prop vm_props[];

/*
 * The property of that name that a machine of one of these brands (enum vm_brands) has, else one that others have. NULL: there
 * is none.
 */
const struct vm_prop *vm_prop_find(const char *name, unsigned brands);

/* The nearest name of a property that could be meant, NULL: none is near. */
const char *vm_prop_suggest(const char *name, unsigned brand, unsigned when);

/* One line a property: its name, type, who, when, effect, and what it is. */
void vm_props_describe(struct nrd_buf *out);
