/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "vm/object.h"

/*
 * Gives a machine a new root, a clone of the image the payload names ({"image_uuid"}), and keeps all
 * else: its uuid, its properties, its metadata, its delegated dataset. Its snapshots go with the old
 * root. One that runs is halted before, and it is booted after that. What fails leaves the old root in
 * its place. A native machine that has no image gets a fresh root of the platform from {}.
 *
 * ret_waits: vm_await says when it is provisioned. "BadPayload", "ImageNotInstalled", "BadImage",
 * "VmIndestructible", "VmNotReprovisionable".
 */
int vm_reprovision(const char *uuid, const struct nrd_val *payload, bool *ret_waits, struct nrd_err *err);

/* It is in the middle of that; as the caller holds zone_lock, nobody is at it. */
bool vm_reprovision_cut_off(const struct vm *vm);

/* Finishes or takes back what was cut off. */
int vm_reprovision_mend(struct vm *vm, struct nrd_err *err);
