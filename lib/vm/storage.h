/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/* The name of the delegated dataset, below the root's. */
#define VM_DATA "data"

/* Properties of a new machine's datasets beside its quota, which its root has; its delegated one is made. */
int vm_storage_make(const struct zone_config *config, struct nrd_err *err);

/* Those of its root alone, newly made. */
int vm_storage_root(const struct zone_config *config, struct nrd_err *err);

/* Those that changed are set: quota, compression and the like. */
int vm_storage_change(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);
