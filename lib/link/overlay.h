/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "link/datalink.h"
#include "nrd/err.h"
#include "nrd/json.h"
#include "nrd/mac.h"

/*
 * Overlays: switches that reach over several nodes. What is not for a machine of this node goes by VXLAN to the node that
 * has it; which one that is
 *   direct  is always the same one;
 *   files   is in a table, a JSON file: {"2:8:20:0:0:1": {"ip": "10.0.0.2", "port": 4789, "arp": "192.168.0.1", "ndp": "fd00::1"}}
 *           of which arp and ndp are the machine's own addresses, for who asks for its MAC;
 *   agent   is asked of a program of the node's, see overlay-search.h.
 * Nothing is learned of what is heard. Machines hear only each other, never the node itself.
 */
#define OVERLAY_MTU 1400
#define OVERLAY_PORT 4789
#define OVERLAY_VNETID_MAX 16777215

enum overlay_search {
	OVERLAY_DIRECT,
	OVERLAY_FILES,
	OVERLAY_AGENT,
};
extern const char *const overlay_search_names[];

/* What of an overlay is set by -p: a row says all there is to know of one. */
struct overlay_prop {
	const char *name;
	const char *standard; /* NULL: it must be given */
	const char *possible;
	int search;           /* of this way only, -1: of all */
};
extern const struct overlay_prop overlay_props[]; /* ends with a name that is NULL */

/* "name=value,..." into d's; "OverlayProp" with the nearest known name. */
int overlay_props_set(struct datalink *d, const char *text, struct nrd_err *err);

/* As it is or by default; NULL: neither. */
const char *overlay_prop_get(const struct datalink *d, const char *name);

/* The options of create-overlay as /usbkey/config has them, "-e vxlan -s files -p ...": into d's. "OverlayRule". */
int overlay_rule_parse(const char *text, struct datalink *d, struct nrd_err *err);

/* "OverlayEncap", "OverlaySearch", "OverlayProp" (what is missing, or no value), "OverlayVnetid". */
int overlay_check(const struct datalink *d, struct nrd_err *err);

/*
 * Makes it, and its record of DATALINK_RUN. lenient: also when the node has not the address to listen on yet, or the table
 * cannot be read. "OverlayListen", "OverlayMtu" (it does not fit in what is below), "OverlayVnetid" (another one has it),
 * "OverlayTable".
 */
int overlay_up(struct datalink *d, bool lenient, struct nrd_err *err);
int overlay_down(const struct datalink *d, struct nrd_err *err);
bool overlay_is_there(const struct datalink *d);

/* ---- where machines are ---- */

struct overlay_target {
	struct nrd_mac mac;
	const char *ip;   /* of the node; borrowed */
	uint64_t port;
	const char *arp, *ndp; /* of the machine, or NULL; borrowed */
};

/* A table's rows, each to fn. "OverlayTable" names the row and the rule. */
typedef int overlay_target_fn(void *arg, const struct overlay_target *target, struct nrd_err *err);
int overlay_table_parse(const struct nrd_val *root, overlay_target_fn *fn, void *arg, struct nrd_err *err);

/* Says where a machine is, or that it is no longer known. "OverlayTarget". */
int overlay_target_set(const struct datalink *d, const struct overlay_target *target, struct nrd_err *err);
int overlay_target_remove(const struct datalink *d, const struct nrd_mac *mac, struct nrd_err *err);

/* All that is known: files is read anew, of direct nothing changes, an agent is asked again. */
int overlay_flush(const struct datalink *d, struct nrd_err *err);

/* What the kernel knows, to fn; text is "IP:PORT". */
typedef void overlay_row_fn(void *arg, const struct nrd_mac *mac, const char *text);
int overlay_targets_read(const struct datalink *d, overlay_row_fn *fn, void *arg, struct nrd_err *err);

/* 0: it works; else why not, in err. */
int overlay_fault(const struct datalink *d, struct nrd_err *err);
