/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/mac.h"
#include "nrd/schema.h"

/*
 * Datalinks by their Crossbow names, which are longer than the kernel's and of which each zone has its own. What stands of
 * one is a JSON file DIR/ZONE/NAME.json: below DATALINK_RUN what is there now, below DATALINK_KEEP what is made again at
 * each boot. NICs of the node, and bonds that /usbkey/config has, are the kernel's to tell (nic.h) and have no file.
 */
#define DATALINK_RUN    "/run/nereid/links"
#define DATALINK_KEEP   "/usbkey/links"
#define DATALINK_GLOBAL "global" /* the zone of the node itself */
#define DATALINK_NAME_MAX 32     /* with the NUL, as illumos has it */

#define DATALINK_CLASSES(X)           \
	X(DATALINK_VNIC, "vnic")          \
	X(DATALINK_ETHERSTUB, "etherstub") \
	X(DATALINK_VLAN, "vlan")           \
	X(DATALINK_AGGR, "aggr")           \
	X(DATALINK_OVERLAY, "overlay")

enum datalink_class {
#define X(id, name) id,
	DATALINK_CLASSES(X)
#undef X
};
extern const char *const datalink_class_names[];

/* How it came by its MAC, as dladm show-vnic says it. */
enum datalink_mac_type {
	DATALINK_MAC_RANDOM,
	DATALINK_MAC_FIXED,
	DATALINK_MAC_VRRP, /* of a virtual router: others may have it elsewhere */
};
extern const char *const datalink_mac_type_names[];

extern const char *const datalink_priority_names[]; /* high, medium, low */

/* Who begins to speak LACP on an aggregation, and how often it is spoken. */
enum datalink_lacp {
	DATALINK_LACP_OFF,
	DATALINK_LACP_ACTIVE,
	DATALINK_LACP_PASSIVE,
};
extern const char *const datalink_lacp_names[];

enum datalink_timer {
	DATALINK_TIMER_SHORT,
	DATALINK_TIMER_LONG,
};
extern const char *const datalink_timer_names[];

#define DATALINK_PORTS_MAX 16 /* of an aggregation */

struct datalink {
	struct nrd_present present;
	char *name;
	char *zone;
	enum datalink_class class_;
	char *over;               /* the link below, NULL: none */
	struct nrd_mac mac;
	enum datalink_mac_type mac_type;
	uint64_t vid;
	uint64_t mtu;             /* 0: that of the link below */
	/* Now: */
	uint64_t ifindex;         /* the node's end */
	char *ifname;
	bool tap;                 /* a tap device, of a guest's NIC */
	bool netkit;              /* a netkit pair, not a veth pair: of a machine's NIC */
	uint64_t since;           /* when it was made: seconds after the boot */
	/* Properties; NULL and absent: their defaults. */
	uint64_t maxbw;           /* bits a second, 0: none */
	int priority;
	char **protection;        /* mac-nospoof, restricted, ip-nospoof, dhcp-nospoof */
	char **allowed_ips;
	char **allowed_dhcp_cids;
	char **dynamic_methods;
	char **secondary_macs;
	bool allow_ra;
	/* Of an aggregation. */
	char **ports;             /* the node's NICs */
	char *policy;             /* "L2,L3,L4" */
	enum datalink_lacp lacp;
	enum datalink_timer timer;
	/* Of a VLAN link, for show-vlan: it was asked for with force. */
	bool force;
	/* Of an overlay. */
	char *encap;
	char *search;
	uint64_t vnetid;
	char **overlay_props;     /* "vxlan/listen_ip", "10.0.0.1", ... */
	/* Of a machine's NIC: what its own side was given. */
	char **addresses;
	char **gateways;
	/* What the switch tells who asks for an address; no address: it does not. */
	char *dhcp_address;       /* with its network's length */
	char *dhcp_server;
	char **dhcp_resolvers;
	char *dhcp_hostname;
	char *dhcp_domain;
	uint64_t dhcp_lease;      /* seconds */
};
extern const struct nrd_schema datalink_schema;

void datalink_fini(struct datalink *d);
void datalink_cleanup(struct datalink *d); /* NRD_AUTO(datalink) d = { 0 }; */

/*
 * A letter, then letters, digits, '_' and '.', and a number at the end that has no leading zero: at most 31 bytes.
 * "LinkName".
 */
int datalink_name_check(const char *name, struct nrd_err *err);

/* zone NULL: the global one. "LinkNotFound" (-ENOENT), "BadLinkFile". */
int datalink_read(const char *dir, const char *zone, const char *name, struct datalink *ret_d, struct nrd_err *err);

/* Whole or not at all. */
int datalink_write(const char *dir, const struct datalink *d, struct nrd_err *err);

/* Fine when it is not there. */
int datalink_remove(const char *dir, const char *zone, const char *name, struct nrd_err *err);

struct datalinks {
	struct datalink *links; /* owned */
	size_t n;
};
void datalinks_fini(struct datalinks *links);
void datalinks_cleanup(struct datalinks *links);
const struct datalink *datalinks_find(const struct datalinks *links, const char *zone, const char *name);

/* All of a directory, or of one zone, by zone and name. A directory that is not there has none. */
int datalinks_read(const char *dir, const char *zone, struct datalinks *ret_links, struct nrd_err *err);

/* The same, but nothing is looked at but these members (NULL: all): for who shows thousands and little of each. */
int datalinks_read_some(const char *dir, const char *zone, const char *const *only, struct datalinks *ret_links, struct nrd_err *err);

/* Names in a directory that end so, without that, in their order; the caller's (nrd_strv_free). None where there is no directory. */
int datalink_names_in(const char *path, const char *suffix, char ***ret_names, struct nrd_err *err);
