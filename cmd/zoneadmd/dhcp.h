/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

struct zoneadmd;

/* NICs that have a DHCP client in the zone, each as "NAME INDEX" of the link it was started for. */
struct dhcp {
	char **clients;
};

/*
 * Each NIC of a running zone that asks for an address, on a network without a pool of the node's, has a client; others have
 * none. What of it fails is logged: a zone runs without an address, too.
 */
void dhcp_sync(struct zoneadmd *z);

/* The clients run already: zoneadmd is another one. */
void dhcp_adopt(struct zoneadmd *z);

/* They went with the zone. */
void dhcp_forget(struct zoneadmd *z);
