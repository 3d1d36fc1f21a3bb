/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/*
 * Whether its disks and NICs can be those of config while the guest runs, old being what it has: each that comes or goes has a
 * place for that, and as many drives for cdroms as before are there. Of machines of other brands all can. "GuestNoPlace".
 */
int vm_plug_check(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);

/*
 * The guest lets go of what of old config has not; who comes back from this with success may destroy it. When the guest does not
 * within 20 s it has all of it again: "GuestBusy" (-EBUSY).
 */
int vm_plug_remove(const struct zone_config *old, const struct zone_config *config, struct nrd_err *err);

/* What its file has and the guest has not comes again, as far as it can. */
void vm_plug_again(const char *zonename);
