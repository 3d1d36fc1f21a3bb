/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/spec.h"

/*
 * What uname says in a zone whose first process waits behind pidfd, where the spec has that differ
 * from the node's. A kernel without nereid_uts (a build machine's) is no reason not to boot: there
 * it says what it says on the node. "ZoneUname".
 */
int zone_uts_set(const struct zone_spec *spec, int pidfd, struct nrd_err *err);
