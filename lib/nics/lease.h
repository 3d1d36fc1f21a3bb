/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "node/dhcp.h"
#include "nrd/err.h"
#include "nrd/mac.h"

/*
 * Who has which address of a tag's pool: a line "MAC ADDRESS" each of NICS_LEASES/TAG. A NIC keeps its address for as long as
 * there is a machine that has the NIC; addresses of others are given away only when somebody new asks.
 */
#define NICS_LEASES "/usbkey/dhcp"

/*
 * The address of the NIC with that MAC, which it is given when it has none: in the processor's byte order. Safe with any
 * number of others at once. "PoolFull" (-ENOSPC), "LeaseRead", "FileWrite".
 */
int nics_lease(const char *tag, const struct node_dhcp *pool, const struct nrd_mac *mac, uint32_t *ret_address, struct nrd_err *err);
