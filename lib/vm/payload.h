/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "zone/config.h"

/*
 * Payloads of vmadm: JSON objects of properties (props.h). Nothing is dropped in silence: what is
 * not known, not for this brand or not for this act is refused, each by its name.
 */
#define VM_PAYLOAD_MAX ((size_t)4 << 20)

/* All that is wrong with a payload, as `vmadm validate` says it, and in lines for people. */
struct vm_bad {
	char *bad_brand;
	char **bad_properties, **bad_values, **missing_properties;
	char **lines;
};
void vm_bad_fini(struct vm_bad *bad);
void vm_bad_cleanup(struct vm_bad *bad);
bool vm_bad_any(const struct vm_bad *bad);
void vm_bad_write(const struct vm_bad *bad, struct nrd_jw *w);
/* "BadPayload" with all lines, when there are any; else 0. */
int vm_bad_fail(const struct vm_bad *bad, struct nrd_err *err);

/* What is said for the making alone. */
struct vm_wish {
	bool delegate_dataset;
	bool nowait;
};

/* From standard input ("-") or a file. "BadJson", "JsonTooBig", "PayloadRead". Caller frees. */
int vm_payload_read(const char *path, struct nrd_json **ret_doc, struct nrd_err *err);

/*
 * A machine to be made; defaults are not filled in. What is wrong is added to bad and is no error of
 * the call: that is -ENOMEM alone.
 */
int vm_payload_create(const struct nrd_val *payload, struct zone_config *ret_config, struct vm_wish *ret_wish,
		      struct vm_bad *bad, struct nrd_err *err);

/* Changes config, which is a machine's; when bad says something it is half changed. */
int vm_payload_update(const struct nrd_val *payload, struct zone_config *config, struct vm_bad *bad,
		      struct nrd_err *err);

/*
 * The same of a machine that is cloned: its uuid and all of its NICs may be said as well; its disks are those of the snapshot.
 */
int vm_payload_clone(const struct nrd_val *payload, struct zone_config *config, struct vm_bad *bad, struct nrd_err *err);

/* For `validate update BRAND`, where there is no machine: values alone are looked at. */
int vm_payload_check(const struct nrd_val *payload, int brand, struct vm_bad *bad, struct nrd_err *err);

/* The brand a name means, joyent and the like too; -1: none. */
int vm_brand_parse(const char *name);
