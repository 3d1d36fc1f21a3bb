/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "node/config.h"
#include "nrd/err.h"

/*
 * Pools of IPv4 addresses for the machines on a NIC tag that ask for one, in /usbkey/config:
 *	TAG_dhcp_pool=10.0.0.100-10.0.0.199/24
 *	TAG_dhcp_router=10.0.0.1             none: the network has no way out
 *	TAG_dhcp_resolvers=10.0.0.53,9.9.9.9 none
 *	TAG_dhcp_domain=example.com          none
 *	TAG_dhcp_lease=86400                 seconds
 * A tag without the first has no pool: its network has a DHCP server of its own, or none.
 */
#define NODE_DHCP_KEYS(X)                                                                 \
	X(POOL, "pool", node_check_dhcp_pool, "FIRST-LAST/BITS: addresses for machines")  \
	X(ROUTER, "router", node_check_ip4, "their gateway")                              \
	X(RESOLVERS, "resolvers", node_check_ip4_list, "who answers them for names")      \
	X(DOMAIN, "domain", node_check_domain, "the domain of their names")               \
	X(LEASE_KEY, "lease", node_check_dhcp_lease, "seconds until they ask again")

enum node_dhcp_key {
#define X(id, name, check, text) NODE_DHCP_##id,
	NODE_DHCP_KEYS(X)
#undef X
	NODE_DHCP_N,
};

/* "dhcp_pool": of nictagadm's -p, and behind the tag and '_' the key of the file. */
extern const char *const node_dhcp_names[NODE_DHCP_N];

#define NODE_DHCP_RESOLVERS_MAX 4
#define NODE_DHCP_LEASE 86400
#define NODE_DHCP_LEASE_MIN 60

/* Addresses are numbers in the processor's byte order. */
struct node_dhcp {
	uint32_t first;
	uint32_t last;
	unsigned bits;
	uint32_t router; /* 0: none */
	uint32_t resolvers[NODE_DHCP_RESOLVERS_MAX];
	size_t n_resolvers;
	char domain[256]; /* "": none */
	uint32_t lease_s;
};

/* 1, or 0 when the tag has no pool. "BadDhcpPool" names what of it does not fit together. */
int node_dhcp_from(const struct node_config *config, const char *tag, struct node_dhcp *ret_pool, struct nrd_err *err);
