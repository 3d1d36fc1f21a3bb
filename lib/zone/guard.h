/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/*
 * What all zones together may not take, on the cgroup above them (dir): a zone without limits of its
 * own can then hurt zones, but the node stays one that an operator can log in to. "ZoneCgroup".
 */
int zone_guard(int dir, struct nrd_err *err);
