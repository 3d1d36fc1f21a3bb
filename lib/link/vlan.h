/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/datalink.h"
#include "nrd/err.h"

/*
 * VLAN links: an interface of the node itself that sends with a tag over a NIC or an aggregation, with its MAC. Machines'
 * NICs have a VLAN of their own instead.
 */

/* As illumos calls one that has no name: 1000 times the VLAN is added to the number at the end: net2 and VLAN 5: net5002. */
int vlan_name(const char *over, unsigned vid, char **ret_name, struct nrd_err *err);

/* "LinkName" (the kernel's own names are shorter than a link's), "VlanId". */
int vlan_check(const struct datalink *d, struct nrd_err *err);

/*
 * Makes it, and its record of DATALINK_RUN. "VlanOver": what is below is not there, or cannot have VLANs; "VlanExists": the
 * link has an interface of that VLAN.
 */
int vlan_up(struct datalink *d, struct nrd_err *err);
int vlan_down(const struct datalink *d, struct nrd_err *err);
