/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "link/nic.h"
#include "node/config.h"
#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/mac.h"

/*
 * The global zone's own network out of /usbkey/config, as files for systemd-networkd: the admin
 * address on its NIC, VLAN or aggregation, and the NICs of the other tags brought up with the
 * largest MTU of their tags, without addresses. NICs are matched by MAC, so a NIC that appears
 * late is configured when it does.
 */
#define NODE_NETWORK_DIR "/run/systemd/network"

struct node_net_file {
	char name[64]; /* "10-nereid-admin.network" */
	char *text;
};

struct node_net {
	struct node_net_file *data;
	size_t len;
	size_t cap;
};

/*
 * A pure function. *ret_problem (caller frees) says in one line what is wrong with the admin
 * network (its NIC is missing, the address makes no sense), NULL when nothing is; the files are
 * then what could be made.
 */
int node_net_make(const struct node_config *config, const struct link_nics *nics,
		  struct node_net *ret_net, char **ret_problem, struct nrd_err *err);
void node_net_fini(struct node_net *net);
void node_net_cleanup(struct node_net *net);

/* Replaces our files in dir (NULL: NODE_NETWORK_DIR); others' are left alone. */
int node_net_write(const struct node_net *net, const char *dir, struct nrd_err *err);

/*
 * The admin NIC of the configuration among nics: borrowed, NULL when it is not there (or is an
 * aggregation, whose members then are).
 */
const struct link_nic *node_net_admin_nic(const struct node_config *config,
					  const struct link_nics *nics);

/*
 * What the configuration has the admin network on, there or not: a MAC or "aggrN"; NULL: nothing.
 * buf is used for a MAC that was chosen among nics, not configured.
 */
const char *node_net_admin_on(const struct node_config *config, const struct link_nics *nics,
			      char buf[NRD_MAC_TEXT]);

/* True when the admin address comes from DHCP. */
bool node_net_uses_dhcp(const struct node_config *config);

/* True when NICs that the admin network needs are not there (yet). */
bool node_net_nic_missing(const struct node_config *config, const struct link_nics *nics);

/*
 * The text of /etc/resolv.conf: the configuration's resolvers and search domain, else those in
 * lease, networkd's own state file (KEY=VALUE lines; NULL: none).
 */
int node_net_resolv(const struct node_config *config, const char *lease, struct nrd_buf *out,
		    struct nrd_err *err);

/* chrony's sources in the same way: one "server" line each. Names that break the rule are left out. */
int node_net_ntp(const struct node_config *config, const char *lease, struct nrd_buf *out,
		 struct nrd_err *err);
