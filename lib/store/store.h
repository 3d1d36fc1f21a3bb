/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/*
 * The node's OpenZFS, through libzfs: one handle, used by one thread. What libzfs refuses comes
 * back with its own words and code "ZfsXxx"; those callers tell apart are named at the functions.
 */
struct store;

#define STORE_DEVICE "/dev/zfs"

/*
 * Waits until the ZFS module is there (it is loaded in the background while the node boots), on
 * an event, not by asking again. "ZfsMissing" (-ENODEV) after timeout_ms.
 */
int store_wait(unsigned timeout_ms, struct nrd_err *err);

/* True when the module is there now. */
bool store_present(void);

/* "ZfsMissing" (-ENODEV) without the module, "ZfsOpen". */
int store_open(struct store **ret_store, struct nrd_err *err);
void store_close(struct store *store);
void store_cleanup(struct store **store);
