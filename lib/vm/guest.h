/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"
#include "vm/object.h"

/* What a guest's QEMU is asked while it runs. "NoGuest" (-ENOTSUP) for other machines, "VmNotRunning". */

/*
 * Writes an object with a member for each type: agent, block, blockstats, chardev, cpus, kvm, pci, status, version, vnc; "all" is
 * all of them, without "agent" when there is none. By the name of vnc a password is made, of "all" none. "BadType" for others,
 * "NoAgent", "NoVnc".
 */
int vm_guest_info(const struct vm *vm, const char *const *types, struct nrd_jw *w, struct nrd_err *err);

/* Adds a line for what the node has less of than the guest, which is slow then, but runs. -ENOMEM. */
int vm_guest_warn(const struct zone_config *config, char ***lines);

/* A non-maskable interrupt: a guest that has hung tells where. */
int vm_guest_nmi(const struct vm *vm, struct nrd_err *err);

/* What is on its screen, as a PPM file, which is made anew: caller frees the path. */
int vm_guest_screenshot(const struct vm *vm, char **ret_path, struct nrd_err *err);

/*
 * Its agent freezes its filesystems, so that what is on its disks is whole. They are thawed when the descriptor is closed, and
 * after some seconds in any case. *ret_fd: the caller closes. "NoAgent", "AgentFailed".
 */
int vm_guest_freeze(const struct vm *vm, int *ret_fd, struct nrd_err *err);

/* Says whether it was frozen until now: "NotFrozen", "AgentFailed" when it was not, or nobody knows. */
int vm_guest_thaw(const struct vm *vm, int fd, struct nrd_err *err);
