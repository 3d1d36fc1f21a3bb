/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "nrd/json.h"

/*
 * NICs as they were said before there were lists: `ip` (an address or "dhcp") with `netmask` for ips, `gateway` for
 * gateways. Payloads may say them still; what is shown says both.
 */

/*
 * nics: an array of NICs of a payload. Where it is said the old way *ret_doc is the same in lists, which go before what
 * the old way says when both are given; else it stays NULL. "BadProperty".
 */
int vm_nics_modern(const struct nrd_val *nics, struct nrd_json **ret_doc, struct nrd_err *err);

/* The array with the old members added, of the first IPv4 address and gateway. */
void vm_nics_write_old(const struct nrd_val *nics, struct nrd_jw *w);
