/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/*
 * DHCP in a zone, on a network that has a server of its own: zoneadmd starts this in the zone for each NIC that asks, with
 * the node's busybox as standard input, of which it becomes the client; which calls it again with what it was told.
 */

/* What both are told by the environment. */
#define ENV_METRIC "NEREID_METRIC"       /* of the default route */
#define ENV_RESOLVERS "NEREID_RESOLVERS" /* there: the server's are written, as the machine has none of its own */

/* A client in the background, in the place of one that the NIC has. */
int client_start(const char *nic, const char *hostname, struct nrd_err *err);

/* Ends it; fine when there is none. */
int client_stop(const char *nic, struct nrd_err *err);

/* What the client says: "bound", "renew", "deconfig", ... and by its environment. */
int told(const char *event, struct nrd_err *err);
