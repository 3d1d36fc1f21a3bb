/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/*
 * Completes a machine's NICs: each gets a MAC address (locally administered, random) and a name (netN, of an lx machine
 * ethN, of the lowest number that is free) unless it has them, and one of them is the primary one: that which was just
 * said to be, else that of old, else, when it went, the first with a public address, else the first. old: as it was
 * before the change, NULL: it is new. -ENOMEM, "RandomMac".
 */
int vm_nics_fill(struct zone_config *config, const struct zone_config *old, struct nrd_err *err);

/*
 * Whether the node has what they want: "BadNicTag" (Invalid nic tag "x"), "BadMtu"; "MacInUse" and "IpInUse" name the
 * machine that has it, of the latter on the same tag and VLAN.
 */
int vm_nics_check(const struct zone_config *config, struct nrd_err *err);
