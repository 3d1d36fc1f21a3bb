/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "vm/object.h"

/*
 * Machines going up and down. All but vm_signal change what is said of autoboot: a machine that was
 * stopped stays so when the node boots. The caller holds zone_lock, but for stopping, which also ends a
 * boot that hangs.
 */
enum vm_stop {
	VM_STOP_ASK,  /* its init is asked, and given time */
	VM_STOP_FORCE,
};

/*
 * 1: it runs already. how: of a guest, for this boot alone, "order=cd cdrom=PATH,MODEL disk=PATH,MODEL", the paths within its
 * zone's root; NULL: as configured. force: a guest also where the node has too little memory. "VmWrongState", "NoMemory".
 */
int vm_start(struct vm *vm, const char *how, bool force, struct nrd_err *err);
/* 1: it is stopped already. */
int vm_stop(struct vm *vm, enum vm_stop how, unsigned timeout_s, struct nrd_err *err);
int vm_reboot(struct vm *vm, enum vm_stop how, unsigned timeout_s, struct nrd_err *err);

/* "VmNotRunning". */
int vm_signal(const struct vm *vm, int signal, struct nrd_err *err);

/* Without a word about autoboot. A machine that is down by itself meanwhile is what the latter two want. */
int vm_boot(struct vm *vm, struct nrd_err *err);
int vm_shutdown(struct vm *vm, unsigned timeout_s, struct nrd_err *err);
int vm_halt(struct vm *vm, struct nrd_err *err);
