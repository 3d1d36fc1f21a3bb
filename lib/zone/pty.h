/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/* Terminals of the zone's own devpts, so that their names are right inside. In a process of the zone. */

/* "ZonePty". */
int zone_pty_open(int *ret_master, int *ret_slave, struct nrd_err *err);

/* Makes it /dev/console. "ZonePty", "ZoneMount". */
int zone_pty_console(int slave, struct nrd_err *err);
