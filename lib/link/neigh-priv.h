/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/switch.h"
#include "nrd/mac.h"

/* Rows of the kernel's neighbour tables: of a VXLAN interface which node has a MAC, and whose MAC an address is. */
struct neigh {
	unsigned ifindex;
	int family;               /* AF_BRIDGE: a MAC and the node that has it; else an address and its MAC */
	bool has_mac;
	struct nrd_mac mac;
	struct switch_prefix ip;  /* family 0: none */
	uint16_t port;            /* 0: none */
};

/* Puts it, or takes it away: 0 or -errno. */
int neigh_put(const struct neigh *n);
int neigh_remove(const struct neigh *n);

/*
 * The next row of a datagram of the kernel's, from *at on; false: no more. question: it is one, of a row the kernel misses.
 * The bytes come from outside: what does not add up ends the datagram.
 */
bool neigh_next(const void *data, size_t len, size_t *at, struct neigh *ret_n, bool *ret_question, bool *ret_done);

/* All of an interface and family, to fn. 0 or -errno. */
typedef void neigh_fn(void *arg, const struct neigh *n);
int neigh_each(unsigned ifindex, int family, neigh_fn *fn, void *arg);

/* A socket on which the kernel's questions are heard. -errno. */
int neigh_listen(void);
