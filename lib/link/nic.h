/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/mac.h"

/* The network interfaces of this network namespace, as the kernel tells them. */
enum link_state {
	LINK_UNKNOWN, /* the driver does not tell, or the interface is administratively down */
	LINK_DOWN,
	LINK_UP,
};

const char *link_state_name(enum link_state state); /* "up", "down", "unknown" */

struct link_addr {
	int family;           /* AF_INET or AF_INET6 */
	unsigned char b[16];  /* network byte order; IPv4 uses the first 4 */
	unsigned prefix;
	bool link_local;      /* IPv6 fe80::, IPv4 169.254 */
	bool dynamic;         /* has a lifetime: DHCP or router advertisement */
};

#define LINK_ADDR_TEXT 46 /* INET6_ADDRSTRLEN */

/* Without the prefix length. */
void link_addr_format(const struct link_addr *addr, char ret_text[LINK_ADDR_TEXT]);

#define LINK_DRIVER_MAX 32
#define LINK_KIND_MAX 16

struct link_nic {
	unsigned index;
	char name[IF_NAMESIZE];
	char kind[LINK_KIND_MAX];     /* rtnetlink's: "bond", "vlan", "veth"; "" for hardware, lo */
	char driver[LINK_DRIVER_MAX]; /* "" unknown */
	char bus[LINK_DRIVER_MAX];    /* of the device: "0000:00:03.0", "virtio0"; "" none */
	bool physical;                /* Ethernet with a device behind it */
	bool loopback;
	bool admin_up;
	enum link_state state;
	bool has_mac;
	struct nrd_mac mac;
	struct nrd_mac perm_mac;      /* burnt in: stays when a bond changes mac; else equals mac */
	uint64_t speed_mbit;          /* 0: unknown */
	unsigned mtu;
	unsigned max_mtu;             /* 0: unknown */
	unsigned master;              /* index of the bond or bridge, 0: none */
	unsigned lower;               /* index of the interface below (VLAN), 0: none */
	unsigned vlan_id;             /* of a VLAN interface, else 0 */
	int bond_mode;                /* kernel's number (4: LACP), -1: not a bond */
	struct link_addr *addrs;      /* owned */
	size_t n_addrs;
};

struct link_nics {
	struct link_nic *nics; /* owned, in order of index */
	size_t n;
};

enum link_nics_flags {
	LINK_NICS_PHYSICAL = 1u << 0, /* only these */
};

/*
 * sysfs NULL: asks the kernel over rtnetlink, takes driver and speed from /sys. sysfs given: the
 * tree of a made-up node ("DIR", holding class/net): no addresses then. "LinkList".
 */
int link_nics_read(const char *sysfs, unsigned flags, struct link_nics *ret_nics,
		   struct nrd_err *err);
void link_nics_fini(struct link_nics *nics);
void link_nics_cleanup(struct link_nics *nics);

/* Borrowed, or NULL. By MAC: a physical one with this permanent MAC, else with this MAC. */
const struct link_nic *link_nics_by_name(const struct link_nics *nics, const char *name);
const struct link_nic *link_nics_by_index(const struct link_nics *nics, unsigned index);
const struct link_nic *link_nics_by_mac(const struct link_nics *nics, const struct nrd_mac *mac);

/* Mbit/s of one interface; 0: not known, or there is none. */
uint64_t link_speed_read(const char *name);
