/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"

/* What became of an update. */
struct vm_change {
	char **waiting; /* properties that take effect at the next boot; owned */
	char *not_in_force; /* why what should be in force is not, though it is saved; owned */
};
void vm_change_fini(struct vm_change *change);
void vm_change_cleanup(struct vm_change *change);

/*
 * The file is changed first; then what runs, as far as it can be. "ZoneNotFound", "BadPayload", what
 * zone_config_verify says.
 */
int vm_update(const char *uuid, const struct nrd_val *payload, struct vm_change *ret_change, struct nrd_err *err);

/* What it would change, one line each: "ram: 256 -> 512 (live)". Caller frees. */
int vm_update_describe(const char *uuid, const struct nrd_val *payload, char ***ret_lines, struct nrd_err *err);

/* The machine as it was before its last update. "NothingToUndo". */
int vm_undo(const char *uuid, struct vm_change *ret_change, struct nrd_err *err);
