/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/nic.h"
#include "node/config.h"
#include "node/dhcp.h"
#include "nrd/err.h"
#include "nrd/mac.h"

/*
 * NIC tags: names that machines use for networks. A tag is bound to a physical NIC by its MAC
 * (`TAG_nic=MAC`) or to an aggregation (`TAG_nic=aggr0`), is an etherstub (`etherstub=a,b`), or
 * an overlay rule (`overlay_rule_NAME=...`). They live in /usbkey/config.
 */
#define NODE_ZONES_DIR "/etc/zones"
#define NODE_MTU_MIN 1500
#define NODE_MTU_MAX 9000

#define NODE_NICTAG_TYPES(X)                  \
	X(NODE_NICTAG_NORMAL, "normal")       \
	X(NODE_NICTAG_AGGR, "aggr")           \
	X(NODE_NICTAG_ETHERSTUB, "etherstub") \
	X(NODE_NICTAG_OVERLAY, "overlay rule")

enum node_nictag_type {
#define X(id, name) id,
	NODE_NICTAG_TYPES(X)
#undef X
};

const char *node_nictag_type_name(enum node_nictag_type type);

#define NODE_NICTAG_MAX 32 /* with the NUL */

struct node_nictag {
	char name[NODE_NICTAG_MAX];
	enum node_nictag_type type;
	bool has_mac;
	struct nrd_mac mac;
	char link[NODE_NICTAG_MAX]; /* the node's NIC or aggregation; "": none with that MAC now */
	bool down;                  /* that link is down, or there is none */
	uint64_t mtu;               /* 0: not given (1500) */
	bool netkit;                /* NICs of machines on it are netkit devices, not veth */
};

struct node_nictags {
	struct node_nictag *tags; /* owned; in the order of the file */
	size_t n;
};

/* Where things are; members left out are those of a real node. */
struct node_nictag_env {
	const char *config; /* NULL: NODE_CONFIG_PATH */
	const char *zones;  /* NULL: NODE_ZONES_DIR */
	const char *sysfs;  /* NULL: the kernel; see link_nics_read */
};

/* The tags a configuration defines. Lines that make no sense are skipped. */
int node_nictags_from(const struct node_config *config, const struct link_nics *nics,
		      struct node_nictags *ret_tags, struct nrd_err *err);
void node_nictags_fini(struct node_nictags *tags);
void node_nictags_cleanup(struct node_nictags *tags);
const struct node_nictag *node_nictags_find(const struct node_nictags *tags, const char *name);

/*
 * The tag a machine's nic_tag means: one of the node, or of an overlay rule one of its networks, "RULE/NUMBER". ret_vnetid:
 * that number, of others 0. "BadNicTag".
 */
int node_nictags_of(const struct node_nictags *tags, const char *nic_tag, const struct node_nictag **ret_tag, uint64_t *ret_vnetid,
		    struct nrd_err *err);

/* What create-overlay would be told of a rule; caller frees. "BadNicTag". */
int node_nictag_rule(const struct node_nictag_env *env, const char *name, char **ret_rule, struct nrd_err *err);

/*
 * What nictagadm does. "NoPersistentConfig" when there is no configuration file (the pool is not
 * imported, or the node not set up).
 */
int node_nictag_list(const struct node_nictag_env *env, struct node_nictags *ret_tags,
		     struct nrd_err *err);

struct node_nictag_spec {
	const char *name;
	const char *nic; /* MAC or aggrN; NULL: not given */
	const char *mtu; /* text; NULL: not given */
	const char *device; /* "veth", "netkit", "": as if it was never given; NULL: not given */
	bool etherstub;
	const char *dhcp[NODE_DHCP_N]; /* of its pool; NULL: not given, "": none any more */
};

/*
 * "NicTagExists", "NicTagBadName", "NicTagBadNic", "NicTagBadMtu", "NicTagBadDevice", "NicTagBadPool"; "NicTagNoNic" when the node
 * has no such NIC or aggregation.
 */
int node_nictag_add(const struct node_nictag_env *env, const struct node_nictag_spec *spec,
		    struct nrd_err *err);

/* The same, and "NicTagMissing", "NicTagFixed" (an etherstub or an overlay has no NIC). */
int node_nictag_update(const struct node_nictag_env *env, const struct node_nictag_spec *spec,
		       struct nrd_err *err);

/*
 * "NicTagMissing"; "NicTagInUse" names what uses it, "NicTagMachines" what could not be read:
 * neither with force. "NicTagAdmin": the admin network's own tag stays.
 */
int node_nictag_delete(const struct node_nictag_env *env, const char *name, bool force,
		       struct nrd_err *err);

/*
 * UUIDs of the machines with a NIC on the tag, sorted; caller frees (nrd_strv_free). A machine
 * file that cannot be read is "NicTagMachines": *ret_vms then holds the others.
 */
int node_nictag_vms(const struct node_nictag_env *env, const char *name, char ***ret_vms,
		    struct nrd_err *err);
