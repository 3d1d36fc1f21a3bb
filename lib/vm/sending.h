/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "store/store.h"

/* The snapshots that are sent, here and where they arrive. */
#define VM_SENDING "sending"

/* Destroys them, of a dataset and of all below it. */
int vm_sending_forget(struct store *store, const char *dataset, struct nrd_err *err);
