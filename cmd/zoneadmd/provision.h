/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <poll.h>
#include <stdint.h>

/* A machine's first boot, as long as it is waited for: brand/provision.h. */
struct provision {
	int inotify;     /* -1: it cannot be watched */
	int64_t end_ms;  /* then it has failed; 0: nothing is waited for */
	int64_t look_ms; /* looked at again then */
};
#define PROVISION_NONE ((struct provision){ .inotify = -1 })

struct zoneadmd;

/* The zone runs, newly or still. */
void provision_begin(struct zoneadmd *z);
void provision_end(struct provision *p);

/* Its init has ended by itself: it has failed. */
void provision_died(struct zoneadmd *z);

/* *timeout_ms may become less; -1: for ever. */
void provision_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms);
void provision_turn(struct zoneadmd *z, const struct pollfd *p);
