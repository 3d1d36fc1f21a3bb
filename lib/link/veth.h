/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"
#include "nrd/mac.h"

/* A pair of virtual interfaces, veth or netkit: one end stays with the node, the other is a machine's NIC. */
struct veth_conf {
	const char *host;      /* name of the node's end: at most 15 bytes */
	const char *name;      /* of the machine's end */
	int netns;             /* namespace of the machine's end: /proc/PID/ns/net or a bind mount; borrowed */
	struct nrd_mac mac;    /* of the machine's end */
	unsigned mtu;          /* of both ends; 0: 1500 */
	bool netkit;           /* a netkit pair, which passes nothing of the machine's without a program */
	const char *alias;     /* of the node's end, for people (`ip link`): NULL or at most 255 bytes */
};

/*
 * Makes the pair. The node's end has a MAC of the kernel's choice, no IPv6 and no ARP, and is
 * down until switch_port_set; the machine's end is down until the machine sets it up. Nothing is
 * left when it fails. "VethName" (-EEXIST, -EINVAL), "VethCreate".
 */
int veth_create(const struct veth_conf *conf, unsigned *ret_ifindex, struct nrd_err *err);

/* Deletes an interface, of a pair both ends. Fine when it is not there. "LinkDelete". */
int link_delete(unsigned ifindex, struct nrd_err *err);

/* Sets it up or down. "LinkSet" (-ENODEV when it is not there). */
int link_set_up(unsigned ifindex, bool up, struct nrd_err *err);

/* "LinkSet". */
int link_set_mtu(unsigned ifindex, unsigned mtu, struct nrd_err *err);

/* For people (`ip link`), at most 255 bytes. "VethName", "LinkSet". */
int link_set_alias(unsigned ifindex, const char *alias, struct nrd_err *err);

/* What the node's end of a machine's NIC must be before it is up: deaf and dumb. "LinkSet". */
int link_set_mute(unsigned ifindex, struct nrd_err *err);

/*
 * What is to carry others' frames is up: one that nobody has set up yet is set up, and takes no address by itself.
 * "LinkSet".
 */
int link_open(unsigned ifindex, struct nrd_err *err);
