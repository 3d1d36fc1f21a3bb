/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/*
 * Limits of System V IPC: max-shm-memory, max-shm-ids, max-msg-ids, max-sem-ids. They are sysctls of
 * the ipc namespace, which the zone's root could set anew: a BPF program on the zone's cgroup refuses
 * to write those that are limited. No mount could: a zone's root may unmount what covers them, or
 * mount another /proc.
 */

/*
 * Sets them in the ipc namespace of a process. fresh: it is new, and has the kernel's defaults.
 * "ZoneIpc".
 */
int zone_ipc_limit(const struct zone_config *config, int pidfd, bool fresh, struct nrd_err *err);

/* Puts the guard on the zone's cgroup in the place of the one before. fresh: as above. "ZoneIpc". */
int zone_ipc_guard(const struct zone_config *config, int cgroup, bool fresh, struct nrd_err *err);
