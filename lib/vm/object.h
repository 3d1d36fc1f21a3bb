/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "zone/config.h"
#include "zone/state.h"

/* A machine as `vmadm get` shows it: what stands in its file, and what is so now. */
struct vm {
	struct zone_config config;
	struct zone_run run;
};

void vm_fini(struct vm *vm);
void vm_cleanup(struct vm *vm);

/* The machine with that uuid. "ZoneNotFound" (-ENOENT: "UUID: No such zone configured"). */
int vm_read(const char *uuid, struct vm *ret_vm, struct nrd_err *err);
/* The machine of that zone. */
int vm_read_zone(const char *zonename, struct vm *ret_vm, struct nrd_err *err);
/* Under its lock (zone_lock), which is waited for, as it is then. Caller closes the lock. */
int vm_open(const char *uuid, struct vm *ret_vm, int *ret_lock, struct nrd_err *err);

/* "running", "stopped", "provisioning", "failed", ... */
const char *vm_state(const struct vm *vm);
/* "OS", "LX", "KVM" */
const char *vm_type(const struct vm *vm);

enum vm_parts {
	VM_PART_SNAPSHOTS = 1u << 0, /* asks ZFS */
	VM_PART_NODE = 1u << 1,      /* of the node: its uuid, its platform */
};
/* One JSON object; only: the members that are wanted, NULL: all. */
int vm_write(const struct vm *vm, unsigned parts, const char *const *only, struct nrd_jw *w, struct nrd_err *err);

/*
 * The same of a zone's machine, parsed. wanted NULL: all; else these members, for which no more is read of the file than
 * the fields they are told from. stopped: the caller knows (zone_run_list) that nothing is kept of its running. Caller frees.
 */
struct vm_wanted {
	const char *const *members;
	const char *const *fields; /* of vm_fields_told_from */
};
int vm_read_json(const char *zonename, bool stopped, const struct vm_wanted *wanted, struct nrd_json **ret_doc, struct nrd_err *err);

/* Caller frees. -ENOMEM. */
int vm_fields_told_from(const char *const *members, char ***ret_fields);
