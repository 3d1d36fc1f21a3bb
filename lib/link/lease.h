/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "link/switch.h"
#include "nrd/err.h"

/*
 * Addresses that a NIC of the caller's own network namespace has for a time, of a DHCP server. They are told from others
 * by the time they are valid for: what was set for good is never touched.
 */
struct lease {
	struct switch_prefix address;  /* IPv4 */
	uint32_t seconds;
	struct switch_prefix router;   /* of family 0: none */
	unsigned metric;               /* of the route to it */
};

/* Sets it and removes what was leased before; lease NULL: only that. "LeaseSet"; "LeaseNic" (-ENODEV). */
int link_lease_set(const char *nic, const struct lease *lease, struct nrd_err *err);
