/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"

/*
 * A network for the time before the node has one: DHCP on every NIC with a link, by a networkd of
 * our own, as the service waits for the configuration that is being fetched.
 */
struct node_uplink;

/* Returns when an address is there. "NoUplink" (-ETIMEDOUT) after 60 s. */
int node_uplink_open(struct node_uplink **ret_uplink, struct nrd_err *err);

/* Addresses are given back. NULL is fine. */
void node_uplink_close(struct node_uplink *uplink);
