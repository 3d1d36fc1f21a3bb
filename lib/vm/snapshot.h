/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "vm/object.h"

/*
 * Snapshots of a machine: DATASET@vmsnap-NAME. A machine with delegated datasets has none, as its
 * tenant's datasets would not go back with it.
 */
#define VM_SNAPSHOT_PREFIX "vmsnap-"
#define VM_SNAPSHOT_NAME_MAX 64

/* "yes" of one for which the guest's filesystems were frozen. */
#define VM_SNAPSHOT_QUIESCED "org.nereid:quiesced"

/* What vm_snapshot_create would say before it does anything. */
int vm_snapshot_check(const struct vm *vm, const char *name, struct nrd_err *err);

/*
 * A guest that runs: its agent has frozen its filesystems for it, or the snapshot is what a crash would have left, and why. The
 * snapshot itself says so, too.
 */
struct vm_snapshot_how {
	bool ran;           /* it is such a guest */
	bool quiesced;
	struct nrd_err why; /* it was not */
};

/* "SnapshotExists", "BadSnapshotName", "SnapshotsNotHere". */
int vm_snapshot_create(const struct vm *vm, const char *name, struct vm_snapshot_how *ret_how, struct nrd_err *err);
/* "SnapshotNotFound"; "SnapshotHasClones" (-EBUSY) names the machines that were cloned from it. */
int vm_snapshot_delete(const struct vm *vm, const char *name, struct nrd_err *err);

/*
 * The machine's files are again what they were; newer snapshots go. One that runs is halted before,
 * and booted after it. The caller holds zone_lock. "SnapshotHasClones" of one of those that would go.
 */
int vm_snapshot_rollback(struct vm *vm, const char *name, struct nrd_err *err);

/*
 * Its whole name, and the machine's configuration as it was then; of zones, which keep none in it, as it is now. Caller frees
 * the name. "SnapshotNotFound".
 */
int vm_snapshot_read(const struct vm *vm, const char *name, char **ret_snapshot, struct zone_config *ret_config, struct nrd_err *err);

/*
 * When a machine is deleted, those that were cloned from it take its snapshots over. "SnapshotHasClones" (-EBUSY) when one has a
 * snapshot of the same name.
 */
int vm_snapshots_check_heirs(const struct vm *vm, struct nrd_err *err);

/* The member "snapshots" of an object that is being written. */
int vm_snapshots_write(const struct vm *vm, struct nrd_jw *w, struct nrd_err *err);
