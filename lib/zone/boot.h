/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/init.h"
#include "zone/spec.h"

/*
 * One boot of a zone as its zoneadmd holds it: an ordered table of steps, each with its way back,
 * so that what fails leaves nothing, and halting is the same way back.
 */
struct zone_boot {
	const struct zone_config *config; /* borrowed, for as long as the zone is up */
	const struct zone_spec *spec;
	int payload;                      /* cgroup; -1: not made */
	int service;                      /* a pidfd: what serves init, a child; -1: nothing, or it is not ours */
	struct zone_init init;            /* pidfd -1: not started */
	const struct zone_network *network; /* borrowed; NULL: none */
	int stdio[3];                     /* borrowed: its 0, 1, 2; -1, -1, -1: the console */
};

#define ZONE_BOOT_NONE { .payload = -1, .service = -1, .init = { .pidfd = -1, .console = -1 }, .stdio = { -1, -1, -1 } }

/* How far it is to go. */
enum zone_boot_level {
	ZONE_BOOT_READY, /* no process yet */
	ZONE_BOOT_RUN,
};

/*
 * Goes up to level from wherever it is. On failure it is where it was before.
 */
int zone_boot_up(struct zone_boot *boot, enum zone_boot_level level, struct nrd_err *err);

/*
 * All the way down. What cannot be undone (a process that does not die) is told, and may be tried
 * again: "ZoneStuck".
 */
int zone_boot_down(struct zone_boot *boot, struct nrd_err *err);
