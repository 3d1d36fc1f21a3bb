/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * The command line of a guest's QEMU, and what it is handed. It opens nothing itself but its own firmware, then leaves its root
 * for an empty directory as a user without privileges; it waits there, stopped, until it is told to go on (-S). Every disk is a
 * block node of QEMU's named as its volume ("disk0"), its device "disk0-dev"; every NIC a netdev of its name, and "net0-dev".
 */

/* Sockets in the zone's directory in RAM at which QEMU listens, for zoneadmd alone. */
#define GUEST_QMP  "qmp"  /* its monitor */
#define GUEST_COM1 "com1" /* the console */
#define GUEST_COM2 "com2" /* the metadata service, as SmartOS has it */
#define GUEST_AGENT "agent" /* a port of virtio-serial, at which the guest's agent listens when it has one */
#define GUEST_VNC  "vnc"  /* its screen, keyboard and mouse; from when it runs */

/* Files below the zonepath. */
#define GUEST_LOG  "qemu.log" /* in ZONE_LOGS_DIR: what QEMU itself says */

/* Firmware of UEFI, below /usr/share/OVMF of the platform, and what it remembers, below the zonepath. */
struct guest_firmware {
	const char *bootrom;
	const char *code;
	const char *template; /* of what it remembers, at the first boot */
	const char *vars;
	bool secure;          /* starts only what is signed; what it remembers only itself writes, from SMM */
};

#define GUEST_OVMF "/usr/share/OVMF/"

/* NULL: none, as SeaBIOS remembers nothing. */
const struct guest_firmware *guest_firmware(const struct zone_config *config);

/* Of the node, where its processors can. */
#define GUEST_KVM "/dev/kvm"

/* In its root: nothing is ever there. */
#define GUEST_EMPTY "var/empty"

/*
 * once: for this boot alone, "order=cd cdrom=PATH,MODEL disk=PATH,MODEL", the paths within its zone's root; NULL: nothing.
 * "BadBoot" for what once says, "BadDisk". -ENOMEM.
 */
int guest_spec(const struct zone_config *config, const char *once, struct zone_spec *spec, struct nrd_err *err);
