/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/switch.h"
#include "nrd/mem.h"

enum switch_map {
#define X(name) MAP_##name,
	SWITCH_MAPS(X)
#undef X
	MAP_COUNT,
};

enum switch_program {
#define X(name) PROGRAM_##name,
	SWITCH_PROGRAMS(X)
#undef X
	PROGRAM_COUNT,
};

extern const char *const switch_map_names[MAP_COUNT];
extern const char *const switch_program_names[PROGRAM_COUNT];

#define SWITCH_PATH_MAX 160
#define SWITCH_MAXBW_MIN 64000 /* bits a second: two seconds of queue hold ten full frames */

struct link_switch {
	char dir[96];
	int maps[MAP_COUNT];
	int programs[PROGRAM_COUNT];
};

/* Keeps others from changing anything while the descriptor (the caller's to close) is open. */
int switch_lock(struct link_switch *sw, int *ret_lock, struct nrd_err *err);

/* As nrd_fail for what a map answered. */
int switch_map_failed(int r, const char *map, struct nrd_err *err);

/* "SegmentNotFound". */
int switch_segment_read(struct link_switch *sw, uint32_t segment,
			struct switch_segment_row *ret_row, struct nrd_err *err);

/* For messages: the interface's name, or its index when it is gone. */
#define SWITCH_IFNAME 24
void switch_ifname(unsigned ifindex, char ret_name[SWITCH_IFNAME]);

/* ---- what is pinned at an interface: links/IFINDEX_PROGRAM ---- */

/* Attaches unless it is, where type (bpf's) says; a link of an interface that had this index before is replaced. */
int switch_link_attach(struct link_switch *sw, unsigned ifindex, enum switch_program program, unsigned type,
		       struct nrd_err *err);
void switch_link_detach(struct link_switch *sw, unsigned ifindex, enum switch_program program);
bool switch_link_alive(struct link_switch *sw, unsigned ifindex, enum switch_program program);

/* ---- members of domains (switch-domain.c) ---- */

/* new: it is a member of none, and need not be looked for among thousands. */
int switch_domain_add(struct link_switch *sw, struct switch_port_row *row, unsigned ifindex, bool new,
		      struct nrd_err *err);
void switch_domain_remove(struct link_switch *sw, const struct switch_port_row *row,
			  unsigned ifindex);

/* ---- sets of allowed addresses (switch-set.c) ---- */

/* Makes the set of conf with this number; when it fails nothing of it is left. */
int switch_set_make(struct link_switch *sw, uint32_t set, const struct switch_port_conf *conf,
		    struct nrd_err *err);
void switch_set_remove(struct link_switch *sw, uint32_t set); /* 0: nothing */

/* False, and all zero, when it has none. */
bool switch_set_read(struct link_switch *sw, uint32_t set, struct switch_set_row *ret_set);

/* Says whose the single addresses of a set are; those of another port are left to it. */
void switch_owners_claim(struct link_switch *sw, const struct switch_port_row *row);
void switch_owners_release(struct link_switch *sw, const struct switch_port_row *row, bool learned);

/* ---- what a port that asks for an address is told (switch-dhcp.c) ---- */

/* What conf->dhcp says, which is not NULL. */
int switch_dhcp_set(struct link_switch *sw, uint32_t port, const struct switch_port_conf *conf, struct nrd_err *err);
void switch_dhcp_remove(struct link_switch *sw, uint32_t port);

/* ---- wires (switch-uplink.c) ---- */

/* The segment's NIC, if it has one, is to take frames for that port. */
void switch_uplink_hear(struct link_switch *sw, const struct switch_port_row *row,
			const struct nrd_mac *macs, size_t n);
void switch_uplink_forget(struct link_switch *sw, uint32_t segment, const uint8_t mac[6]);

/* Gives the interface a queue that honours departure times. -ENOENT: the kernel has none. */
int switch_pace_start(unsigned ifindex);

/* Detaches what is attached to interfaces that are gone; how many. */
size_t switch_uplinks_clean(struct link_switch *sw);

/* ---- flows (switch-flow.c) ---- */

/* All of them, of a port that goes. */
void switch_flows_drop(struct link_switch *sw, const struct switch_port_row *row);

/* What the row says is in force: it, and what is said of its MACs. */
int switch_port_write(struct link_switch *sw, unsigned ifindex, const struct switch_port_row *row, struct nrd_err *err);

uint64_t switch_cost(uint64_t bits_a_second);
uint32_t switch_priority_row(enum switch_priority priority);
enum switch_priority switch_priority_of(uint32_t row);
bool switch_maxbw_is_sound(uint64_t bits_a_second); /* 0, or not below what a queue can hold */

/* Rows of a per-processor table are read and written for so many at once; 0: it cannot be told. */
size_t switch_cpus(void);

void switch_counts_clear(struct link_switch *sw, uint32_t port);

/* Both with the lock held. Reap says whether the interface was gone, and its port with it. */
int switch_port_drop(struct link_switch *sw, unsigned ifindex, struct nrd_err *err);
bool switch_port_reap(struct link_switch *sw, unsigned ifindex);
