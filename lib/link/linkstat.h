/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/switch.h"

/* Counters of links: a VNIC's by the switch, from its machine's side; all others' by the kernel. An etherstub has none. */
enum link_count {
	LINK_IN_FRAMES,
	LINK_IN_BYTES,
	LINK_IN_ERRORS,
	LINK_OUT_FRAMES,
	LINK_OUT_BYTES,
	LINK_OUT_ERRORS,                /* of a VNIC: what it may not send, or that found nobody */
	LINK_DROPS,                     /* + enum switch_drop; of a NIC none */
	LINK_COUNTS = LINK_DROPS + SWITCH_DROP_COUNT,
};

struct link_stat {
	char *zone, *name; /* owned */
	char *over;      /* of a VNIC: the link below; owned. NULL: it is none */
	bool nic;        /* of the node, or an aggregation of such */
	uint64_t since;  /* seconds after the boot when it was made, 0: with the node */
	uint64_t counts[LINK_COUNTS];
};

struct link_stats {
	struct link_stat *stats; /* owned */
	size_t n;
};
void link_stats_cleanup(struct link_stats *stats); /* NRD_AUTO(link_stats) s = { 0 }; */

/* Of the node's NICs, then of other links, by zone and name; zone and name NULL: all. "LinkNotFound": there is none of that name. */
int link_stats_read(const char *zone, const char *name, struct link_stats *ret_stats, struct nrd_err *err);
