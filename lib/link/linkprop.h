/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/datalink.h"
#include "nrd/buf.h"
#include "nrd/err.h"

/* Link properties, as dladm show-linkprop lists them: one row says all there is to know of each. */
struct linkprop {
	const char *name;
	const char *field;     /* of datalink_schema */
	const char *standard;  /* its default, "" none */
	const char *possible;  /* "" many */
	bool list;             /* values by commas */
	bool bandwidth;        /* bits a second: Mbit/s unless there is a suffix */
	bool read_only;
};

extern const struct linkprop linkprops[]; /* ends with a name that is NULL */

/* "LinkProp" (-EINVAL), with the nearest known name. */
int linkprop_find(const char *name, const struct linkprop **ret_prop, struct nrd_err *err);

/* value NULL: its default. "BadProperty"; "LinkPropFixed" when it is only shown. Says nothing of what goes together. */
int linkprop_set(struct datalink *d, const struct linkprop *prop, const char *value, struct nrd_err *err);

/* Its value, nothing where it is not set. */
int linkprop_text(const struct datalink *d, const struct linkprop *prop, struct nrd_buf *out);

/* "maxbw=10M,protection=mac-nospoof,ip-nospoof": what has no "=" goes on with the list before it. */
int linkprop_set_text(struct datalink *d, const char *text, struct nrd_err *err);

/* Bits a second: a number of Mbit/s, or with K, M or G; and as it is shown, Mbit/s. "BadProperty". */
int linkprop_bandwidth_parse(const char *text, uint64_t *ret, struct nrd_err *err);
int linkprop_bandwidth_text(uint64_t bits, struct nrd_buf *out);
