/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "link/admin.h"
#include "link/datalink.h"
#include "link/nic.h"
#include "link/switch.h"
#include "nrd/cli.h"
#include "nrd/err.h"
#include "nrd/table.h"

extern const struct nrd_opt add_aggr_opts[], create_aggr_opts[], create_etherstub_opts[], create_overlay_opts[], create_vlan_opts[],
	create_vnic_opts[],
	delete_aggr_opts[], delete_etherstub_opts[], delete_overlay_opts[], delete_vlan_opts[], delete_vnic_opts[],
	modify_aggr_opts[], modify_overlay_opts[], modify_vnic_opts[], show_overlay_opts[],
	remove_aggr_opts[], rename_link_opts[], reset_linkprop_opts[], set_linkprop_opts[], show_aggr_opts[], show_etherstub_opts[],
	show_link_opts[], show_linkprop_opts[], show_phys_opts[], show_usage_opts[], show_vlan_opts[], show_vnic_opts[];

nrd_cmd_fn cmd_add_aggr, cmd_create_aggr, cmd_create_etherstub, cmd_create_overlay, cmd_create_vlan, cmd_create_vnic, cmd_delete_aggr,
	cmd_delete_overlay, cmd_modify_overlay, cmd_search_overlay, cmd_show_overlay, cmd_delete_etherstub, cmd_delete_vlan, cmd_delete_vnic, cmd_modify_aggr, cmd_modify_vnic, cmd_remove_aggr, cmd_rename_link,
	cmd_reset_linkprop, cmd_restore, cmd_set_linkprop, cmd_show_aggr, cmd_show_etherstub, cmd_show_link, cmd_show_linkprop,
	cmd_show_phys, cmd_show_usage, cmd_show_vlan, cmd_show_vnic;

/* Of verbs that change something. */
#define ROOT_HELP "change only what is kept below this root directory"
#define HOW_OPTS(t, m)                                                                 \
	NRD_OPT_FLAG('t', NULL, t, m.temporary, "until the next boot only"),           \
	NRD_OPT_STR('R', NULL, t, m.root, "DIR", ROOT_HELP)

/* illumos's options of what is shown: -p needs -o, and of one field nothing is escaped. */
struct show_opts {
	const char *fields;
	bool parsable, json;
};
#define SHOW_OPTS(t, m)                                                                            \
	NRD_OPT_STR('o', NULL, t, m.fields, "FIELD,...", "which columns, in this order"),          \
	NRD_OPT_FLAG('p', NULL, t, m.parsable, "for programs: no header, FIELD:FIELD; needs -o"),  \
	NRD_OPT_FLAG('j', NULL, t, m.json, "print JSON")

#define OPT_KEPT(t, m) NRD_OPT_FLAG('P', NULL, t, m, "what is there after a boot")

/* "Usage". The result's lifetime is opts'. */
int show_table(const struct show_opts *opts, const struct nrd_col *cols, size_t n, struct nrd_table_opts *table,
	       struct nrd_table **ret_table, struct nrd_err *err);

/* All links there are: NICs and bonds of the kernel's, and those of our own. */
struct all_links {
	struct link_nics nics;
	struct datalinks links;
};
void all_links_cleanup(struct all_links *all);
/* zone NULL: all zones. kept: the links that are made at each boot. */
int all_links_read(const char *zone, bool kept, struct all_links *all, struct nrd_err *err);

/* "LinkNotFound". */
int link_not_found(const char *name, struct nrd_err *err);
/* name NULL: all. */
bool link_is_wanted(const char *name, const char *wanted);

/* A row for each link of the node of that class, or that of name. "LinkNotFound". */
int show_records(enum datalink_class class_, bool kept, const char *name, void (*row)(struct nrd_table *t, const struct datalink *d),
		 struct nrd_table *t, struct nrd_err *err);

/* Which links' counters, how shown. */
struct counted {
	const struct show_opts *show;
	const char *zone, *name;
	bool vnics;       /* only these */
	const char *over; /* of VNICs: only those over this link; NULL: all */
};
/* interval in seconds, 0: once. "LinkNotFound". */
int show_counts(const struct counted *which, uint64_t interval, struct nrd_err *err);

/* show-aggr -s. interval in seconds, 0: once. */
int show_aggr_counts(const struct show_opts *show, uint64_t interval, const char *name, struct nrd_err *err);

/* A NIC or bond of the node that is a link of its own: not a VNIC's end, not the loopback. */
bool is_node_link(const struct link_nic *nic);

/* As illumos prints one, without leading zeros; in JSON with them. */
void mac_text(const struct nrd_mac *mac, bool json, char ret_text[NRD_MAC_TEXT]);

/* The NICs of an aggregation, with blanks between; nothing when it is none. */
int ports_text(const struct all_links *all, const struct link_nic *bond, struct nrd_buf *out);

/* What a VNIC's MTU and speed are, which are those of the link below unless its own are said. */
uint64_t mtu_of(const struct all_links *all, const struct datalink *d);
