/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/datalink.h"
#include "link/nic.h"
#include "nrd/err.h"

/*
 * Aggregations: several NICs of the node as one link, the kernel's bond. LACP off is a static trunk, each frame going where
 * the policy says. Those of /usbkey/config (aggr0_aggr=MAC,MAC) are made before, and have no record.
 */
#define AGGR_POLICY_DEFAULT "L4"

/* "L2,L3,L4", each once, in any order and case, as illumos has it; ret_text in its order. "AggrPolicy". */
#define AGGR_POLICY_TEXT 12
int aggr_policy_parse(const char *text, char ret_text[AGGR_POLICY_TEXT], struct nrd_err *err);

/* "LinkName" (at most 15 characters), "AggrPorts": none, too many, or one twice; "AggrPolicy", "BadProperty" of the MAC. */
int aggr_check(const struct datalink *d, struct nrd_err *err);

/*
 * Whether these NICs can be ports of the aggregation: they are there, and nobody has them. "AggrPort" names the first that
 * cannot, and why.
 */
int aggr_check_ports(const char *name, char *const *ports, struct nrd_err *err);

/* "LinkBusy": the node has addresses on it. */
int aggr_check_idle(const char *name, struct nrd_err *err);

/*
 * Makes it of those ports that are there, and its record of DATALINK_RUN. "AggrPort" of one that is not: the aggregation is
 * made all the same.
 */
int aggr_up(struct datalink *d, struct nrd_err *err);
int aggr_down(const struct datalink *d, struct nrd_err *err);

/* Of one that is there: takes in those of its ports that it has not, and lets go of others. "AggrPort". */
int aggr_ports_set(const struct datalink *d, struct nrd_err *err);

/* What its policy, LACP and MAC are now said to be is in force. Another mode or timer stops it for a moment. "AggrSet". */
int aggr_apply(const struct datalink *d, struct nrd_err *err);

/* As the kernel has it. */
struct aggr_port {
	char state[8];        /* "up", "down" */
	char duplex[8];
	bool attached;
	unsigned lacp;        /* its own LACP state as it is sent, 0: none is spoken */
};
enum aggr_lacp_bits {
	AGGR_LACP_ACTIVE = 1u << 0,
	AGGR_LACP_SHORT = 1u << 1,
	AGGR_LACP_AGGREGATABLE = 1u << 2,
	AGGR_LACP_SYNC = 1u << 3,
	AGGR_LACP_COLLECTING = 1u << 4,
	AGGR_LACP_DISTRIBUTING = 1u << 5,
	AGGR_LACP_DEFAULTED = 1u << 6,
	AGGR_LACP_EXPIRED = 1u << 7,
};
void aggr_port_read(const struct link_nic *port, struct aggr_port *ret_port);

/* Of a bond that has no record: what of one is known of it. */
int aggr_of_kernel(const struct link_nic *bond, struct datalink *ret_d, struct nrd_err *err);
