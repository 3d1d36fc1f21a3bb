/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <poll.h>
#include <stdint.h>

/*
 * A zone's root may delete its NICs, with which the node's ends go as well. They are made again: at once the first time,
 * after a pause that doubles up to a minute when it does so again and again.
 */
struct nics_watch {
	int fd;           /* tells of links that went, of this zone's only; -1: it has none */
	int64_t at_ms;    /* then they are made again; 0: nothing is missing */
	int64_t last_ms;  /* when that was done last */
	uint64_t pause_ms;
	uint64_t count;
};

struct zoneadmd;

/* After each change of them, and before the first; what cannot be watched is told in the log. */
void nics_watch(struct zoneadmd *z);
void nics_unwatch(struct zoneadmd *z);

/* *timeout_ms may become less; -1: for ever. */
void nics_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms);
void nics_turn(struct zoneadmd *z, const struct pollfd *p);
