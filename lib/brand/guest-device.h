/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "zone/config.h"
#include "zone/spec.h"

/*
 * A guest's disks and NICs as QEMU is told of them: JSON, which its command line takes at boot and its monitor while it runs. A
 * device is called after what is behind it: the block node or netdev "disk0", the device "disk0-dev", its place "disk0-port".
 */

#define GUEST_NAME 64

/*
 * PCI Express ports for disks and for NICs: diskN and netN are at the Nth one, at each boot. Those with a higher number cannot be
 * plugged while the guest runs. Two more are for the controller of SCSI disks and for the seed. A microvm has none of them, as no
 * firmware numbers the buses behind them, and in it nothing comes or goes.
 */
#define GUEST_PORTS 8

/* Where a disk is. */
enum guest_place {
	GUEST_PLACE_PORT, /* of its own */
	GUEST_PLACE_SCSI, /* at the controller, which must be there: GUEST_SCSI */
	GUEST_PLACE_IDE,  /* at the controller's next port */
	GUEST_PLACE_SLOT, /* of PCI, of no port */
};
#define GUEST_SCSI "scsi"

/* "disk1" of a volume; "cdrom0" of the first cdrom among config's disks, and so on. i: which of them. */
void guest_disk_name(const struct zone_config *config, size_t i, char ret_name[GUEST_NAME]);

enum guest_place guest_disk_place(const struct zone_config *config, const struct zone_disk *disk, const char *name);

/* Why it cannot come or go while the guest runs, "GuestNoPlace"; 0: it can. */
int guest_disk_plugs(const struct zone_config *config, const struct zone_disk *disk, struct nrd_err *err);
int guest_nic_plugs(const struct zone_config *config, const struct zone_nic *nic, struct nrd_err *err);

/* What QEMU is handed of a disk. -ENOMEM, -E2BIG. */
int guest_disk_hand(struct zone_spec *spec, const struct zone_disk *disk, bool once, int *ret_fd);

/*
 * The following append the arguments of QMP's command of that name to out, whose `failed` tells what went wrong. set: the fdset
 * that holds what guest_disk_hand says. once: a file, for one boot. order: among what it boots from, 0: not said.
 */
void guest_disk_blockdev_add(struct nrd_buf *out, const struct zone_disk *disk, const char *name, bool once, unsigned set);

/* ide: the port of GUEST_PLACE_IDE. */
void guest_disk_device_add(struct nrd_buf *out, const struct zone_config *config, const struct zone_disk *disk, const char *name,
			   unsigned ide, unsigned order);
void guest_scsi_device_add(struct nrd_buf *out, const struct zone_config *config);
void guest_seed_device_add(struct nrd_buf *out, const struct zone_config *config);

/* Port n of all of them; false: there are no more. */
bool guest_port_device_add(struct nrd_buf *out, unsigned n);

/* What QEMU is handed of a NIC: numbers of the first ones of its queues, each of which has one. */
struct guest_nic_hands {
	unsigned queues;
	int tap;
	int vhost; /* -1: its model has none */
};

/* -ENOMEM, -E2BIG. */
int guest_nic_hand(struct zone_spec *spec, const struct zone_config *config, const struct zone_nic *nic, struct guest_nic_hands *ret_hands);

/* named: they are called by guest_nic_fd_name, which QMP's getfd gave them, and else by their numbers. */
void guest_nic_netdev_add(struct nrd_buf *out, const struct zone_nic *nic, const struct guest_nic_hands *hands, bool named);
void guest_nic_fd_name(const struct zone_nic *nic, int fd, char ret_name[GUEST_NAME]);

/* runs: the guest does already, and QEMU has left the files with which a guest boots from a network behind. */
void guest_nic_device_add(struct nrd_buf *out, const struct zone_config *config, const struct zone_nic *nic, bool runs, unsigned order);
