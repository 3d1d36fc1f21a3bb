/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "brand/guest-device.h"
#include "nrd/err.h"
#include "nrd/json.h"
#include "qmp.h"
#include "zone/config.h"

/* QEMU of a guest: its monitor (QMP), its serial ports. A zone of another brand has none of it. */
struct guest {
	struct qmp qmp;    /* its monitor */
	int64_t retry_ms; /* when its second serial port is tried again */
	int64_t resume_ms; /* when a guest that waits for a disk of the node's is to go on; 0: it does not wait */
	bool io_error;     /* such an error was told, and not yet that it waits */
	bool device_gone;  /* one was told, and not looked at yet which */
	int64_t told_since_ms; /* of what happened to it: that minute, and how often in it */
	unsigned told;
	bool vnc_used;     /* somebody has come to its screen by the password, which is to expire */
};

struct zoneadmd;

/* Whether the node has the memory for it; one that only boots again has what it had. "NoMemory". */
int guest_fits(const struct zoneadmd *z, struct nrd_err *err);

/* What QEMU itself says goes to a file, from z->boot.stdio on. Before it is started. "Zoneadmd". */
int guest_prepare(struct zoneadmd *z, struct nrd_err *err);

/*
 * QEMU was executed: waits until it has put its devices together and has given up all privileges, takes its serial ports over,
 * and lets the guest run. "QemuFailed": what QEMU said of it.
 */
int guest_begin(struct zoneadmd *z, struct nrd_err *err);

/* Takes over what runs already: of a guest alone. */
void guest_adopt(struct zoneadmd *z);

/* It is gone, or will be. */
void guest_end(struct zoneadmd *z);

/*
 * What changed of what the guest sees while it runs: disks and NICs that are new, media, disks that have grown. Takes config's disks
 * into z->config, whose own are config's then. "GuestPlug": a device that did not come, and then none did; "QemuFailed".
 */
int guest_apply(struct zoneadmd *z, struct zone_config *config, struct nrd_err *err);

/* guest_apply's part of it in guest-plug.c: what comes, and media. "GuestPlug". */
int guest_plug(struct zoneadmd *z, const struct zone_config *config, struct nrd_err *err);

/*
 * Asks the guest to let go of devices: named is {"disks": [path, ...], "nics": [interface, ...]}. What it has let go is not in force
 * any more, and QEMU has nothing of it. *ret_left: one that it has still, ""; then it is called again. "GuestNoPlace", "QemuFailed".
 */
int guest_unplug(struct zoneadmd *z, const struct nrd_val *named, char ret_left[GUEST_NAME], struct nrd_err *err);

/* What the guest has let go meanwhile is not in force any more. */
void guest_plug_settle(struct zoneadmd *z);

/* Connects to one of QEMU's sockets, without waiting for it. The caller closes. "QemuFailed". */
int guest_connect(const struct zoneadmd *z, const char *name, struct nrd_err *err);

/* Presses the power button. "QemuFailed". */
int guest_powerdown(struct zoneadmd *z, struct nrd_err *err);

/*
 * Asks QEMU's monitor what `vmadm info` and `vmadm sysrq` want: command is one of guest_asked, arguments its JSON object or NULL.
 * Its answer as JSON text, the caller frees. "BadRequest", "QemuFailed".
 */
int guest_ask(struct zoneadmd *z, const char *command, const struct nrd_val *arguments, char **ret_text, struct nrd_err *err);

/* The loop's turn comes then at the latest. */
void guest_wake_at(int64_t at_ms, int *timeout_ms);
/* QEMU gets a socket for its screen, unless there is no VNC, and lets nobody in: before the guest runs. "ZoneHand", "QemuFailed". */
int guest_vnc_open(struct zoneadmd *z, struct nrd_err *err);

/*
 * A new password for one client and some seconds, {"password", "expires"} as JSON text, which the caller frees; no other is valid
 * from then on. "NoVnc", "QemuFailed".
 */
int guest_vnc_password(struct zoneadmd *z, char **ret_text, struct nrd_err *err);

/* A password that was used expires. */
void guest_vnc_turn(struct zoneadmd *z);

void guest_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms);
void guest_turn(struct zoneadmd *z, const struct pollfd *p);
