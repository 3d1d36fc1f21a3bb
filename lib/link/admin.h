/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/datalink.h"
#include "link/nic.h"
#include "link/switch.h"
#include "nrd/err.h"

enum admin_flags {
	ADMIN_TEMPORARY = 1u << 0,
};

/* Whether there is a place for what is not temporary: "LinkKeep". */
int admin_can_keep(unsigned flags, struct nrd_err *err);

/* What dladm does to links of the node itself: now, and, unless it is temporary, at each boot. */
struct admin_how {
	bool temporary;
	const char *root; /* NULL: this node; else nothing happens but to what is kept below this directory */
};

/*
 * Makes a link: d says its name, class and what the verb was told of it; zone, MAC and the like are filled in. "LinkName",
 * "LinkExists", "LinkKeep" (there is no place for what is to survive a reboot: it can only be temporary), and of a
 *   VNIC         "VnicOver", "LinkVlan" (an etherstub has none), "MacInUse", "BadProperty";
 *   VLAN link    what vlan.h says; without a name it is called as illumos does;
 *   aggregation  what aggr.h says;
 *   overlay      what overlay.h says.
 */
int admin_create(struct datalink *d, const struct admin_how *how, struct nrd_err *err);

/*
 * "LinkNotFound", "LinkClass"; "LinkBusy" names what is over it; "LinkZone": it is a NIC of that zone, whose configuration
 * has it.
 */
int admin_delete(const char *zone, const char *name, enum datalink_class class_, const struct admin_how *how, struct nrd_err *err);

/* Another name for a link that nothing is over. The above, "LinkFixed": a NIC has its name of the kernel. */
int admin_rename(const char *zone, const char *from, const char *to, const struct admin_how *how, struct nrd_err *err);

/* What of a VNIC can be changed; NULL and -1: as it is. Its interface and addresses stay. */
struct admin_vnic_change {
	const char *over;
	const struct nrd_mac *mac;
	int vid; /* 0: untagged */
};
int admin_vnic_modify(const char *name, const struct admin_vnic_change *change, const struct admin_how *how, struct nrd_err *err);

/* Of an aggregation; NULL and -1: as it is. ports are added, or removed. */
struct admin_aggr_change {
	const char *policy;
	int lacp, timer;
	const char *mac; /* "auto": that of its first port */
	char *const *add;
	char *const *remove;
};
int admin_aggr_modify(const char *name, const struct admin_aggr_change *change, const struct admin_how *how, struct nrd_err *err);

/*
 * Properties of a link, in force at once. text NULL: those of names, or all, get their defaults. Of a zone's NIC only
 * temporarily: its configuration says what it is at its next boot.
 */
int admin_props_set(const char *zone, const char *name, const char *text, const struct admin_how *how, struct nrd_err *err);
int admin_props_reset(const char *zone, const char *name, char *const *props, const struct admin_how *how, struct nrd_err *err);

/*
 * Makes what is to be there at each boot, as far as it is not, and gives links whose NIC came back their wire again; goes on
 * after a failure, and tells the first.
 */
int admin_restore(struct nrd_err *err);
