/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/spec.h"

/*
 * Starts it, in the cgroup of that descriptor; it listens when this returns. *ret_pidfd: of a child, caller closes. "ZoneHand",
 * "ZoneService", "ChildStart".
 */
int zone_service_start(const struct zone_service *service, int cgroup, int *ret_pidfd, struct nrd_err *err);
