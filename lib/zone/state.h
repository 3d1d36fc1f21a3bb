/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/clock.h"
#include "nrd/err.h"

/*
 * What runs: /run/zones/ZONENAME/state.json, written by the zone's zoneadmd alone and replaced
 * atomically. RAM: a node that was cut off comes back with nothing running.
 */
#define ZONE_RUN_DIR "/run/zones"

/* In a zone's directory there: what the zone sees as /.zonecontrol. */
#define ZONE_CONTROL "zonecontrol"

#define ZONE_STATES(X)                        \
	X(ZONE_ST_CONFIGURED, "configured")   \
	X(ZONE_ST_INCOMPLETE, "incomplete")   \
	X(ZONE_ST_INSTALLED, "installed")     \
	X(ZONE_ST_READY, "ready")             \
	X(ZONE_ST_RUNNING, "running")         \
	X(ZONE_ST_SHUTTING_DOWN, "shutting_down") \
	X(ZONE_ST_DOWN, "down")

enum zone_state {
#define X(id, name) id,
	ZONE_STATES(X)
#undef X
};
const char *zone_state_name(enum zone_state state);

struct zone_run {
	enum zone_state state;  /* ZONE_ST_INSTALLED when there is no file: nothing runs */
	uint64_t zoneid;        /* of this boot, 0: none */
	pid_t zoneadmd;         /* may be gone: it is adopted again */
	pid_t init;             /* in the node's pid namespace; 0: none */
	uint64_t init_pidfd_ino; /* which process init is, whatever its number became */
	uint64_t boots;         /* since the zoneadmd's zone was readied */
	char boot_time[NRD_DATE_TEXT];
	uint64_t seq;           /* of the last event */
	bool exited;            /* the last init's end is known */
	int exit_status;        /* wait(2) status */
	char exit_time[NRD_DATE_TEXT];
	uint64_t init_restarts;
	bool frozen;            /* a guest's filesystems, by us: who takes over thaws them */
	char missing_dataset[256]; /* of those delegated: "" when all are there */
};

/* Fine when there is none. "BadZoneState". */
int zone_run_read(const char *name, struct zone_run *ret_run, struct nrd_err *err);
/*
 * For who asks of all zones, one look instead of one at each: the zones of which anything is kept here, sorted; any other
 * one is installed and no more. "FileRead".
 */
int zone_run_list(char ***ret_names, struct nrd_err *err);
int zone_run_write(const char *name, const struct zone_run *run, struct nrd_err *err);
/* What ran of a zone that is no more. */
void zone_run_remove(const char *name);

/* A number for a zone that becomes ready: never twice while the node is up. "ZoneId". */
int zone_next_id(uint64_t *ret_id, struct nrd_err *err);

/* The state people see: from the configuration's zone_installed and zone_run. */
enum zone_state zone_state_of(int installed, const struct zone_run *run);

/*
 * Held by who changes a zone: /run/zones/.locks/NAME. wait false: "ZoneBusy" (-EBUSY, "zone NAME:
 * another command is at work on it") at once. Caller closes.
 */
int zone_lock(const char *name, bool wait, int *ret_fd, struct nrd_err *err);
