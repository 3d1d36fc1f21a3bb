/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "nrd/json.h"
#include "zone/state.h"

/*
 * Talking to a zone's zoneadmd at /run/zones/NAME/sock (SOCK_SEQPACKET, mode 0600; one JSON object
 * a message, at most 64 KiB). Requests {"op": "ready"|"boot"|"halt"|"reboot"|"shutdown"|"status"|
 * "apply"|"console"|"guest"|"unplug"|"init_reboot", ...}; the answer is {"ok": true, ...} or {"code", "msg"}.
 */

/* Starts a zoneadmd when none answers (it adopts what runs). Caller closes. "ZoneadmdStart". */
int zone_client_open(const char *name, int *ret_fd, struct nrd_err *err);

struct zone_boot_request {
	bool single_user;      /* -s */
	const char *init;      /* -i, or NULL */
	const char *args;      /* replaces bootargs for this boot, or NULL */
	bool force;            /* a guest also where the node has too little memory for it */
};

/* Each blocks until it is done or has failed; what went wrong is the daemon's own words. */
int zone_client_ready(int fd, struct nrd_err *err);
int zone_client_boot(int fd, const struct zone_boot_request *request, struct nrd_err *err);
int zone_client_halt(int fd, struct nrd_err *err);
int zone_client_reboot(int fd, const struct zone_boot_request *request, struct nrd_err *err);
/* Asks init to go down; halts after timeout_s. */
int zone_client_shutdown(int fd, bool reboot, unsigned timeout_s, struct nrd_err *err);
/* Puts changed resource controls of the configuration in force. */
int zone_client_apply(int fd, struct nrd_err *err);

/*
 * Becomes a connection to the zone's console ("console"), or of a process without a terminal to
 * its standard input and output ("stdio") or its standard error ("stderr"): from then on bytes
 * both ways, raw. "ConsoleBusy" when somebody else has it for writing.
 */
enum zone_client_input {
	ZONE_INPUT_NONE, /* looks on only */
	ZONE_INPUT_ENDS, /* when the connection's input ends, so does the process's */
	ZONE_INPUT_KEPT, /* who types next goes on where this one stopped */
};
int zone_client_console(int fd, const char *stream, enum zone_client_input input,
			struct nrd_err *err);

/*
 * Asks a guest to let go of disks (their paths) and NICs (their interfaces); *ret_left is one that it has still, which the caller
 * frees, or NULL: it is asked again until there is none. "GuestNoPlace", "QemuFailed".
 */
int zone_client_unplug(int fd, const char *const *disks, const char *const *nics, char **ret_left, struct nrd_err *err);

/*
 * A command for the monitor of a guest's QEMU, of the few that zoneadmd hands on; arguments: its JSON object as text, or NULL.
 * The answer's "return" as JSON, the caller frees. "BadRequest", "QemuFailed".
 */
int zone_client_guest(int fd, const char *command, const char *arguments, struct nrd_json **ret_answer, struct nrd_err *err);
