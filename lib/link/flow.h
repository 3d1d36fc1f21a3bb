/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "link/datalink.h"
#include "link/switch.h"
#include "nrd/buf.h"
#include "nrd/err.h"

/*
 * Flows as flowadm has them: the attributes a flow is told apart by, its properties, and those that are made again whenever
 * their link is, KEEP/ZONE/LINK.json.
 */
#define FLOW_KEEP "/usbkey/flows"

/* "local_ip=10.0.0.0/8", "transport=tcp,local_port=80", "dsfield=0x2e:0xfc". "FlowAttr" (-EINVAL). */
int flow_attrs_parse(const char *text, struct switch_flow *f, struct nrd_err *err);
int flow_attrs_text(const struct switch_flow *f, struct nrd_buf *out);

/* "tcp" for 6; NULL: it has no name here. */
const char *flow_transport_name(unsigned transport);

struct flow_prop {
	const char *name, *possible; /* possible NULL: many */
};
extern const struct flow_prop flow_props[]; /* maxbw, priority; ends with a name that is NULL */

/* "maxbw=10M,priority=high". "FlowProp" (-EINVAL), with the nearest known name. */
int flow_props_set(struct switch_flow *f, const char *text, struct nrd_err *err);

/* By commas; NULL: all. */
int flow_props_reset(struct switch_flow *f, const char *names, struct nrd_err *err);
int flow_props_check(const char *names, struct nrd_err *err); /* whether there are such */

/* Nothing where it is not set. */
int flow_prop_text(const struct switch_flow *f, const char *name, struct nrd_buf *out);

/* ---- those there are ---- */

struct flow_item {
	char *zone, *link;  /* owned */
	struct switch_flow flow;
};

struct flows {
	struct flow_item *items; /* owned */
	size_t n;
};
void flows_cleanup(struct flows *flows); /* NRD_AUTO(flows) f = { 0 }; */

/* What a list is of; all NULL: everything. */
struct flow_query {
	const char *zone, *link, *name;
	bool kept;          /* what is kept, not what is there */
};

/* By zone, link and age. "FlowNotFound" when a name is asked for. */
int flows_read(const struct flow_query *query, struct flows *ret_flows, struct nrd_err *err);

/* ---- changing them; zone NULL: the node's; flags: of admin.h ---- */

/* "FlowExists": its zone has one of that name. "LinkClass": the link is no VNIC; what switch_flows_set says; "LinkKeep". */
int flow_add(const char *zone, const char *link, const struct switch_flow *f, unsigned flags, struct nrd_err *err);

/* The one of that name, or all of a link. "FlowNotFound". */
int flow_remove(const char *zone, const char *link, const char *name, unsigned flags, struct nrd_err *err);

/* Properties of one: set from text; or reset, those of names, NULL: all. */
int flow_change(const char *zone, const char *name, const char *text, const char *names, unsigned flags, struct nrd_err *err);

/* ---- with their links ---- */

/* A VNIC is up: the flows it is to have. */
int flow_restore(struct link_switch *sw, const struct datalink *d, struct nrd_err *err);

/* A link of the node, or a zone, is no more, or is called otherwise (new_name NULL: is no more). */
void flow_keep_link(const char *zone, const char *link, const char *new_name);
void flow_keep_zone(const char *zone, const char *new_name);
