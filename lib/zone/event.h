/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"

/*
 * What happens to zones, for whoever watches the node: /run/zones/.events, one JSON object a line,
 * appended only: {"seq": 17, "time": RFC 3339, "zone": NAME, "event": "state", "from": ..., "to": ...}.
 * Numbers increase by one on the whole node, so a reader sees what it missed.
 */
#define ZONE_EVENTS_PATH "/run/zones/.events"

/* from and to may be NULL for events that are no change of state. "ZoneEvent". */
int zone_event(const char *zone, const char *event, const char *from, const char *to,
	       uint64_t *ret_seq, struct nrd_err *err);
