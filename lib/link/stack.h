/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/* The machine's side of its NIC: set from the node, whatever distribution is in it, before its first process runs. */
struct stack_nic {
	const char *name;          /* in the namespace */
	char *const *addresses;    /* "10.0.0.2/24", "fd00::2/64"; without a prefix: one address. Others ("dhcp") are skipped */
	char *const *gateways;     /* of default routes */
	unsigned metric;           /* of these routes: 0 is the best */
	bool autoconf;             /* it may take addresses of router advertisements */
};

/*
 * Sets the NIC up with what nic says. old: what was set before, of which goes what nic does not say; NULL: nothing was.
 * netns: the machine's network namespace. The caller is the node's root, has one thread, and is in its own namespace
 * again afterwards. "StackSet"; "StackNic" (-ENODEV): there is no such interface.
 */
int stack_nic_set(int netns, const struct stack_nic *nic, const struct stack_nic *old, struct nrd_err *err);

struct stack_route {
	const char *destination; /* "10.1.0.0/16", one address, or "default" */
	const char *gateway;     /* NULL: what is there is on the wire of that NIC */
	const char *interface;   /* NULL: that which the gateway is on */
};

/* Adds it, or puts it in the place of what leads there. "StackSet" names it. */
int stack_route_set(int netns, const struct stack_route *route, struct nrd_err *err);
