/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"

/*
 * What happens to machines, from now on: each is looked at again when its file changes, or when its zone
 * says that it changed its state. There is no daemon to ask: who watches compares.
 */
struct vm_event {
	const char *type;         /* "create", "modify", "delete" */
	const char *uuid, *alias; /* alias "": none */
	int64_t time_ms;
	const struct nrd_val *vm;     /* as it is now; as it was, of one that was deleted */
	const struct nrd_val *before; /* of a modify, else NULL */
};

/* Negative ends the watch, with err filled. */
typedef int vm_event_fn(void *arg, const struct vm_event *event, struct nrd_err *err);

/*
 * Does not return but by what fn returns, or "VmWatch". uuid NULL: all. ready is called when nothing can
 * be missed any more; it may be NULL.
 */
int vm_watch(const char *uuid, vm_event_fn *fn, int (*ready)(void *arg, struct nrd_err *err), void *arg,
	     struct nrd_err *err);

/* One difference between two objects: old or new NULL where there is none. path is "nics.0.ip". */
typedef int vm_diff_fn(void *arg, const char *path, const struct nrd_val *old, const struct nrd_val *new);
int vm_diff(const struct nrd_val *old, const struct nrd_val *new, vm_diff_fn *fn, void *arg);
