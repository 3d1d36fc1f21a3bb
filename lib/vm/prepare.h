/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "nrd/err.h"

/* Longest script: that of a metadata value. */
#define VM_PREPARE_SCRIPT_MAX (256 * 1024)

/* What the machine is brought back to: the snapshot of that name. */
#define VM_PREPARE_SNAPSHOT "imgadm-prepare"

/*
 * Makes a machine ready to become an image, as SmartOS's imgadm create -s does: it is stopped, snapshotted, and booted with
 * the script as its metadata sdc:operator-script. The script says how it goes by the key prepare-image:state,
 * "running", then "success", or "error" with the reason at prepare-image:error; then it shuts the machine down. Each
 * of these may take five minutes. Returns with a machine that is stopped and as the script left it, to be brought
 * back by vm_prepare_undo, which is told whether it ran before; after a failure it is back already. stop: set by a signal's handler, or NULL.
 * "VmWrongState", "PrepareImageDidNotRun", "PrepareImageError", "Interrupted", what vm_snapshot_create says.
 */
int vm_prepare(const char *uuid, const char *script, const volatile sig_atomic_t *stop, bool *ret_ran, struct nrd_err *err);

/* The machine as it was before vm_prepare; goes on after a failure, and tells the first. */
int vm_prepare_undo(const char *uuid, bool ran, struct nrd_err *err);
