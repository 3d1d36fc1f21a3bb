/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/datalink.h"
#include "link/switch.h"
#include "nrd/err.h"

/*
 * VNICs: a datalink's record made into a veth pair and a port of the switch. One of a zone has its far end in the
 * zone's network namespace; one of the node's own has it in the node's, under the link's name.
 */

/*
 * Makes it, and its record of DATALINK_RUN: d->ifindex and d->ifname are filled in. netns: where its far end goes, or -1:
 * the node. name: what that end is called there. When it fails nothing of it is left. "VnicOver": the link below is not
 * there. "LinkExists", what veth_create and switch_port_set say.
 */
int vnic_up(struct link_switch *sw, struct datalink *d, int netns, const char *name, struct nrd_err *err);

/*
 * The same of a guest: its far end is *ret_fd, which the caller closes when the guest has it; with the last copy of it the
 * VNIC's interface goes. queues: tap_add_queue may add some. "TapName", "TapCreate".
 */
int vnic_tap_up(struct link_switch *sw, struct datalink *d, bool queues, int *ret_fd, struct nrd_err *err);

/* What its properties now say is in force, without a lost frame, and recorded. Link below, MAC and VLAN must be as before. */
int vnic_apply(struct link_switch *sw, const struct datalink *d, struct nrd_err *err);

/*
 * Link below, MAC and VLAN become those of d: its interfaces stay, and the node's addresses on them. When it fails it is as
 * before. d->ifname may change. "VnicAway": its far end is not the node's any more, and its MAC is to change.
 */
int vnic_move(struct link_switch *sw, const struct datalink *before, struct datalink *d, struct nrd_err *err);

/* Its interface of the node, if it still is the node's, and its alias are called so; the record is the caller's. */
int vnic_rename(const struct datalink *d, const char *to, struct nrd_err *err);
int vnic_interface_rename(unsigned ifindex, const char *to, struct nrd_err *err);

/* Whether what is recorded is in the kernel: a machine's root may have deleted its end, with which the node's goes. */
bool vnic_is_there(const struct datalink *d);

/* Its port, its ends and its record are gone. Fine when something of it is not there. */
int vnic_down(struct link_switch *sw, const struct datalink *d, struct nrd_err *err);

/* The segment of a link below: an etherstub, or a NIC or bond of the node, which becomes its uplink. "VnicOver". */
int vnic_segment(struct link_switch *sw, const char *over, uint32_t *ret_segment, struct nrd_err *err);

/* A switch without a wire: its record of DATALINK_RUN. Fine when it is there; "LinkExists" when that is something else. */
int etherstub_up(const char *name, struct nrd_err *err);

/* Whether the properties make sense: what vnic_apply would refuse. "BadProperty". */
int vnic_check(const struct datalink *d, struct nrd_err *err);

/*
 * What the kernel calls the ends of a VNIC with that MAC, which no other link of the node has: 'v' the node's own, 'n' a far
 * end whose name it would take for too long.
 */
#define VNIC_MAC_NAME 16
void vnic_mac_name(char prefix, const struct nrd_mac *mac, char ret_name[VNIC_MAC_NAME]);

/* A MAC of a prefix, at most five bytes, and random ones; none that a VNIC has already. prefix NULL: dladm's, 2:8:20. */
int vnic_random_mac(const uint8_t *prefix, size_t len, struct nrd_mac *ret_mac, struct nrd_err *err);
