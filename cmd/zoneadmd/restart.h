/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

/*
 * What Docker calls a restart policy: a docker zone whose process ended by itself is booted again,
 * after a pause, when "docker:restartpolicy" in its internal_metadata says so: "always",
 * "unless-stopped", "on-failure" or "on-failure:N", at most N times. Only while its autoboot is true.
 */
struct restart {
	int64_t at_ms;  /* then; 0: not at all */
	uint64_t count; /* since somebody booted it, or since it ran for a while */
};

struct zoneadmd;

/* Its process has ended like that (a wait(2) status), ran_ms after it was started, and the zone is down. */
void restart_plan(struct zoneadmd *z, int status, int64_t ran_ms);

/* *timeout_ms may become less; -1: for ever. */
void restart_poll(const struct zoneadmd *z, int *timeout_ms);
void restart_turn(struct zoneadmd *z);
