/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "node/bootparam.h"
#include "node/config.h"
#include "nrd/err.h"

/*
 * Puts the node's configuration in force on the running system: hostname, passwords, keys,
 * resolvers, time servers, network files. Each part is tried whatever became of the others;
 * applying again changes what has changed.
 */
struct node_apply {
	const struct node_bootparam *param;
	const char *pool;         /* the system pool, mounted; NULL: none */
	char problem[480];        /* first thing that is wrong, with what to do; "" : nothing */
	bool login;               /* root's password or key is known */
};

/* With a pool: from /usbkey. Fails only when nothing can be done at all ("NoMemory"). */
int node_apply_config(struct node_apply *apply, struct nrd_err *err);

/* Without one: hostname and root's password as far as boot parameters give them. */
int node_apply_bare(struct node_apply *apply, struct nrd_err *err);

/* Writes /etc/resolv.conf and chrony's sources again, for what DHCP brought meanwhile. */
int node_apply_lease(struct nrd_err *err);
