/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"

/*
 * Carries bytes between an operator's descriptors and a zone's, so that none of the operator's ever
 * enters the zone. A lane is one direction: what is read from one descriptor is written to another,
 * whole and in order. Lanes do not wait for each other; a lane whose receiver is slow stops reading.
 */

/*
 * Escapes of the operator: the character counts at the beginning of a line only. `~.` detaches,
 * `~^Z` suspends, `~~` is one `~`; before anything else it is itself.
 */
enum zone_escape_action {
	ZONE_ESCAPE_NONE,
	ZONE_ESCAPE_DETACH,
	ZONE_ESCAPE_SUSPEND,
};

struct zone_escape {
	int ch;      /* -1: none is recognised */
	bool alone;  /* it detaches wherever it stands, and nothing follows it */
	bool inside; /* of a line: something was sent since its beginning */
	bool held;   /* the character was read and what follows decides */
};

/* "c" or "^c" (a control character), as -e takes it. "Usage". */
int zone_escape_parse(const char *text, int *ret_ch, struct nrd_err *err);

/*
 * Reads up to len bytes and writes what is to be sent to out, which has room for len + 1 and may
 * begin one byte before in. Returns how many it wrote; stops behind an escape that asks for
 * something: *ret_used says where.
 */
size_t zone_escape_feed(struct zone_escape *escape, const char *in, size_t len, char *out,
			size_t *ret_used, enum zone_escape_action *ret_action);

struct zone_pump;

enum zone_lane_flags {
	ZONE_LANE_INPUT = 1u << 0,    /* towards the zone: dropped when the pump drains */
	ZONE_LANE_LAST = 1u << 1,     /* the pump ends with this lane */
	ZONE_LANE_SHUTDOWN = 1u << 2, /* at the end no more is sent on the socket `to` */
};

int zone_pump_new(struct zone_pump **ret_pump, struct nrd_err *err);
void zone_pump_free(struct zone_pump *pump);
void zone_pump_cleanup(struct zone_pump **pump);

/*
 * Adds a lane, which owns both descriptors from now on, also when this fails: `from` is closed when
 * nothing more comes from it or nobody takes it, `to` when everything was written. At most 4. Both
 * should not block; sockets, and what zone_pump_borrow gives, may. "Pump".
 */
int zone_pump_lane(struct zone_pump *pump, int from, int to, unsigned flags, struct nrd_err *err);

/*
 * A descriptor of ours for a lane, that stands for one the whole session shares (0, 1, 2): pipes and
 * terminals are opened anew, without blocking, so that the setting of the shared one stays.
 * "Pump".
 */
int zone_pump_borrow(int fd, int *ret_fd, struct nrd_err *err);

/* Returns 0 to go on, -errno to end zone_pump_run with that; a watch 1 to be called no more. */
typedef int zone_pump_fn(void *arg, struct nrd_err *err);

/* Calls fn whenever fd (borrowed) is readable. At most 4. "Pump". */
int zone_pump_watch(struct zone_pump *pump, int fd, zone_pump_fn *fn, void *arg,
		    struct nrd_err *err);

/*
 * Looks for escapes in the input lanes. Detaching stops the pump; suspend (NULL: not possible, sent
 * as it is) is called for its escape.
 */
void zone_pump_escape(struct zone_pump *pump, int ch, zone_pump_fn *suspend, void *arg);

/* Looks for that one character instead, anywhere in a line, which detaches. */
void zone_pump_leave(struct zone_pump *pump, int ch);

/*
 * Input lanes lead to the pty whose other side this is (borrowed). A pty has no end of input, only a
 * character that means it: from the end on it is sent whenever the zone has read everything, for a
 * program that just changes the terminal's settings may miss it.
 */
void zone_pump_eof(struct zone_pump *pump, int slave);

/*
 * The other side has ended: no more input, and the pump stops when what it has written until now
 * was handed on.
 */
void zone_pump_drain(struct zone_pump *pump);

/* Stops at once. */
void zone_pump_stop(struct zone_pump *pump);

/* True when an escape asked for the end. */
bool zone_pump_detached(const struct zone_pump *pump);

/*
 * Runs until drained or stopped, a LAST lane has ended, or there is nothing left to wait for.
 * "Pump".
 */
int zone_pump_run(struct zone_pump *pump, struct nrd_err *err);
