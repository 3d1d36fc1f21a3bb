/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * A guest's TPM 2.0 is swtpm(8), to which QEMU talks by a socket. It is a jailed program of its own, under an id of the machine's
 * that QEMU has not: who has taken QEMU over can ask it what a guest may ask it, and no more. What it remembers is in a directory
 * below the zonepath, which snapshots and moves of the machine take along.
 */
#define GUEST_TPM      "tpm"       /* the directory, and the socket in the zone's directory in RAM */
#define GUEST_TPM_LOG  "swtpm.log" /* in ZONE_LOGS_DIR: what it says */
#define GUEST_TPM_ID   2           /* from the machine's first one on; QEMU is 1 */

/* Makes the directory, or gives its files to the ids that the machine has now. "TpmState". */
int tpm_prepare(const struct zone_config *config, struct nrd_err *err);

/* The program, as the spec's service. -ENOMEM. */
int tpm_service(const struct zone_config *config, struct zone_service *service);
