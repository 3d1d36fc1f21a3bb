/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "vm/object.h"

/*
 * Snapshots of a machine: DATASET@vmsnap-NAME. A machine with delegated datasets has none, as its
 * tenant's datasets would not go back with it.
 */
#define VM_SNAPSHOT_PREFIX "vmsnap-"
#define VM_SNAPSHOT_NAME_MAX 64

/* What vm_snapshot_create would say before it does anything. */
int vm_snapshot_check(const struct vm *vm, const char *name, struct nrd_err *err);

/* "SnapshotExists", "BadSnapshotName", "SnapshotsNotHere". */
int vm_snapshot_create(const struct vm *vm, const char *name, struct nrd_err *err);
/* "SnapshotNotFound". */
int vm_snapshot_delete(const struct vm *vm, const char *name, struct nrd_err *err);

/*
 * The machine's files are again what they were; newer snapshots go. One that runs is halted before,
 * and booted after it. The caller holds zone_lock.
 */
int vm_snapshot_rollback(struct vm *vm, const char *name, struct nrd_err *err);

/* The member "snapshots" of an object that is being written. */
int vm_snapshots_write(const struct vm *vm, struct nrd_jw *w, struct nrd_err *err);
