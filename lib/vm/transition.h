/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "zone/config.h"

/* What is being done to a machine, as its file says it, beside BRAND_PROVISIONING (brand/provision.h). */
#define VM_DELETING       "deleting"
#define VM_RECEIVING      "receiving"
#define VM_REPROVISIONING "reprovisioning" /* the old root is to be put back */
#define VM_REPROVISIONED  "reprovisioned"  /* it is to go */

/* NULL: nothing. It neither names the state it ends in nor a time. -ENOMEM. */
int vm_transition_set(struct zone_config *config, const char *transition);
