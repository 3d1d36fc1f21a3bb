/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * The node's switch: one program in the kernel at each port (the node's end of a machine's NIC)
 * and at each uplink (a NIC or bond of the node), and its tables. It learns no MAC addresses: all
 * are registered here. Everything is pinned, so frames pass with no process of ours running, and
 * is changed by whichever command has it open, one at a time.
 *
 * A segment is one switch: without an uplink an etherstub, with one the network behind it. Frames
 * stay in their domain, which is a segment and a VLAN id. What is dropped, and counted by reason, is
 * SWITCH_DROPS in switch.abi.h.
 *
 * The order of life: switch_open; switch_segment_get; for a wire switch_uplink_attach;
 * veth_create (veth.h), whose node's end is down; switch_port_set, which puts the program and
 * the rows in place and then sets that end up. A port that was never set, or whose setting
 * failed, passes nothing.
 *
 * All functions are for the node's root in the node's network namespace.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/switch.abi.h"
#include "nrd/err.h"
#include "nrd/mac.h"

struct link_switch;

/*
 * Opens the switch of this node. The first to do so after a boot has it loaded
 * (/usr/lib/nereid/switch-load), which takes some 0.3 s of a processor; later ones take none. dir NULL:
 * SWITCH_DIR; another one, on a bpf filesystem, is for tests and must be loaded already. Safe
 * with any number of others at once. "SwitchLoad", "SwitchOpen".
 */
int switch_open(const char *dir, struct link_switch **ret_sw, struct nrd_err *err);
void switch_close(struct link_switch *sw);
void link_switch_cleanup(struct link_switch **sw); /* NRD_AUTO(link_switch) *sw = NULL; */

/*
 * Replaces the program by the one this build of the node brings, at every port and uplink, one
 * after the other: tables stay, no frame is lost. Nothing happens when it is that one already.
 * "SwitchLoad".
 */
int switch_upgrade(struct nrd_err *err);

/* ---- segments ---- */

/*
 * The number of the segment of that name (a link's: at most SWITCH_NAME_MAX - 1 bytes), made when
 * there is none. Numbers are those of this boot. "SegmentName" (-EINVAL), "SegmentsFull"
 * (-ENOSPC; there are SWITCH_SEGMENTS_MAX - 1).
 */
int switch_segment_get(struct link_switch *sw, const char *name, uint32_t *ret_segment,
		       struct nrd_err *err);

/* As above, but only looks. "SegmentNotFound" (-ENOENT). */
int switch_segment_find(struct link_switch *sw, const char *name, uint32_t *ret_segment,
			struct nrd_err *err);
int switch_segment_rename(struct link_switch *sw, uint32_t segment, const char *name,
			  struct nrd_err *err);

/* Forgets it. "SegmentInUse" (-EBUSY): it has ports, the first of which is named, or an uplink. */
int switch_segment_remove(struct link_switch *sw, uint32_t segment, struct nrd_err *err);

/*
 * Gives the segment a wire: the interface keeps serving the node's own stack, and ports and the
 * node hear each other on it. Fine when it is attached already: what changed (its MAC, its MTU,
 * an interface that came back with another index) is taken over, ports stay. Frames to MACs of
 * ports are accepted by the NIC from then on; once a port of the segment has a VLAN, or a NIC
 * takes no further address, it is set promiscuous. One uplink a segment, one segment an uplink:
 * "UplinkInUse" (-EBUSY). "UplinkAttach".
 */
int switch_uplink_attach(struct link_switch *sw, uint32_t segment, unsigned ifindex,
			 struct nrd_err *err);

/*
 * The same of an interface that leads to ports of other nodes, and where this node itself is not: it neither hears nor is
 * heard there.
 */
int switch_tunnel_attach(struct link_switch *sw, uint32_t segment, unsigned ifindex, struct nrd_err *err);

/* The segment goes on as an etherstub. Fine when it has none or the interface is gone. */
int switch_uplink_detach(struct link_switch *sw, uint32_t segment, struct nrd_err *err);

/* ---- ports ---- */

enum switch_kind {
	SWITCH_VETH = SWITCH_KIND_VETH, /* the node's end of a veth pair whose other end is in another namespace */
	SWITCH_TAP = SWITCH_KIND_TAP, /* of a guest */
	SWITCH_NETKIT = SWITCH_KIND_NETKIT, /* the node's end of a netkit pair whose other end is in another namespace */
};

enum switch_priority {
	SWITCH_PRIORITY_MEDIUM,
	SWITCH_PRIORITY_HIGH,
	SWITCH_PRIORITY_LOW,
};

struct switch_prefix {
	int family;            /* AF_INET, AF_INET6 */
	unsigned bits;         /* 32 and 128 are one address */
	unsigned char addr[16]; /* network byte order; IPv4 uses the first 4 */
};

struct switch_cid {
	size_t len;            /* 1..SWITCH_CID_BYTES */
	unsigned char bytes[SWITCH_CID_BYTES];
};

/*
 * What a port is told when it asks for an address (DHCPv4): the switch is its server then, and its questions reach nobody
 * else. Addresses are in network byte order. What does not fit in an answer is left out, the domain first.
 */
#define SWITCH_DHCP_ROUTERS_MAX 4
#define SWITCH_DHCP_RESOLVERS_MAX 4
struct switch_dhcp {
	uint32_t address;      /* the port's, of whose allowed-ips it is to be one */
	unsigned bits;         /* of the network's prefix */
	uint32_t server;       /* who the answers come from: the switch says so, no machine need have it */
	uint32_t routers[SWITCH_DHCP_ROUTERS_MAX];
	size_t n_routers;
	uint32_t resolvers[SWITCH_DHCP_RESOLVERS_MAX];
	size_t n_resolvers;
	uint32_t lease_s;
	const char *hostname;  /* NULL: none */
	const char *domain;    /* NULL: none */
};

#define SWITCH_SECONDARY_MAX 16
#define SWITCH_GROUP_RATE 4000 /* a second, when group_rate is 0; less in a domain of hundreds */

/*
 * What a port is. All of it is given each time; arrays are the caller's and are copied. Zero is a
 * sound value of each member after mtu but `protect`: SWITCH_PROTECT_ALL is what machines have.
 */
struct switch_port_conf {
	unsigned ifindex;      /* of the node's end */
	uint32_t segment;
	unsigned vid;          /* 1..4094, as the wire tags it; 0: untagged */
	struct nrd_mac mac;
	enum switch_kind kind;
	unsigned mtu;          /* of the port; the node's end is set to it; 0: as it is */
	unsigned protect;      /* SWITCH_MAC_NOSPOOF... | SWITCH_ALLOW_... | SWITCH_LEARN_... */
	const struct switch_prefix *allowed; /* allowed-ips */
	size_t n_allowed;      /* at most SWITCH_PREFIXES_MAX */
	const struct switch_cid *cids; /* allowed-dhcp-cids */
	size_t n_cids;         /* at most SWITCH_CIDS_MAX */
	const struct nrd_mac *secondary; /* further addresses that are this port's */
	size_t n_secondary;    /* at most SWITCH_SECONDARY_MAX */
	uint64_t maxbw;        /* bits a second, each way; 0: none */
	enum switch_priority priority;
	unsigned group_rate;   /* broadcasts and multicasts it may send a second; 0: the default */
	uint32_t rules;        /* firewall rule set; 0: none */
	const struct switch_dhcp *dhcp; /* NULL: who asks for an address asks the network */
};

/*
 * Makes the interface a port, or changes the port it is: the same function at boot and live. What
 * it may send changes at one moment, without a lost frame. If it fails the port is as it was, or
 * not there (one that is new) and passes nothing; the interface stays down then. The machine's end
 * carries frames some milliseconds after the node's end is up: that is the kernel's, who tells by
 * IFF_RUNNING.
 *
 * With allowed empty for both families, every method of SWITCH_LEARN_* is on, as in illumos.
 * "PortConf" (-EINVAL; the message names the member), "MacInUse" (-EEXIST; names who has it),
 * "PortsFull" (-ENOSPC), "PortMove" (-EINVAL: segment, VLAN and kind of a port do not change:
 * remove it first), "PortAttach", "PortPace" (a cap, and the kernel has no fq).
 */
int switch_port_set(struct link_switch *sw, const struct switch_port_conf *conf,
		    struct nrd_err *err);

/*
 * Ends it: sets the interface down if it is still there, then takes away program and rows. Fine
 * when it is no port. The interface itself is the caller's to delete, before or after.
 */
int switch_port_remove(struct link_switch *sw, unsigned ifindex, struct nrd_err *err);

/*
 * Whether all that is sent to the port passes its node's end, where a packet socket sees it; what it sends does always. It
 * costs the port some speed. link/watch.h counts who looks. "PortNotFound".
 */
int switch_port_watch(struct link_switch *sw, unsigned ifindex, bool on, struct nrd_err *err);

/*
 * Removes ports and uplinks whose interface is gone, as when a machine's root deleted its end.
 * ret_n (may be NULL): how many.
 */
int switch_clean(struct link_switch *sw, size_t *ret_n, struct nrd_err *err);

/* ---- looking ---- */

struct switch_counts {
	uint64_t out_frames;   /* sent by the machine: what passed the guard */
	uint64_t out_bytes;    /* as on a wire: each segment of a large one with its headers */
	uint64_t in_frames;    /* handed to it */
	uint64_t in_bytes;
	uint64_t drops[SWITCH_DROP_MAX]; /* by enum switch_drop */
};

struct switch_port {
	unsigned ifindex;
	uint32_t port;         /* its number: of samples and counts */
	uint32_t segment;
	unsigned vid;
	struct nrd_mac mac;
	enum switch_kind kind;
	unsigned mtu;
	unsigned protect;      /* as it is in force: with the methods that an empty list means */
	uint64_t maxbw;
	enum switch_priority priority;
	uint32_t rules;
	size_t n_allowed;
	struct switch_prefix allowed[SWITCH_PREFIXES_MAX];
};

/* "PortNotFound" (-ENOENT). */
int switch_port_get(struct link_switch *sw, unsigned ifindex, struct switch_port *ret_port,
		    struct nrd_err *err);

/* Calls fn for each port, in the order of their numbers, until it gives a negative result. */
typedef int switch_port_fn(void *arg, const struct switch_port *port, struct nrd_err *err);
int switch_port_each(struct link_switch *sw, switch_port_fn *fn, void *arg, struct nrd_err *err);

/* Since the port was made. Of ifindex 0: what came from interfaces that are no ports. */
int switch_counts_read(struct link_switch *sw, unsigned ifindex, struct switch_counts *ret_counts,
		       struct nrd_err *err);

/* "ip4_source"; the counter of illumos that it adds to: "ipspoofed", "" when to none. */
const char *switch_drop_name(enum switch_drop reason);
const char *switch_drop_counter(enum switch_drop reason);

/* ---- flows ---- */

/*
 * A part of what a port sends and gets, with a cap and a priority of its own, under those of its port. All flows of a port
 * are of one shape: what they are told apart by. Of prefixes and DS fields the longest that fits is a frame's.
 */
struct switch_flow {
	char name[SWITCH_FLOW_NAME_MAX];
	enum switch_flow_shape shape;
	struct switch_prefix addr;     /* LOCAL_IP, REMOTE_IP */
	unsigned transport;            /* IP's number: TRANSPORT, LOCAL_PORT, REMOTE_PORT */
	unsigned port;
	unsigned dsfield, mask;        /* DSFIELD: a frame's, under the mask, is dsfield */
	uint64_t maxbw;                /* bits a second, each way; 0: none */
	bool has_priority;
	enum switch_priority priority; /* else its port's */
	uint32_t number;               /* read: of its counts */
};

struct switch_flow_counts {
	uint64_t out_frames, out_bytes, out_drops; /* drops: by its own cap */
	uint64_t in_frames, in_bytes, in_drops;
};

/*
 * These are the port's flows from here on; those that were there with the same name and meaning go on counting. When it
 * fails they are as they were. "FlowConf" (-EINVAL; says what is wrong), "FlowsFull" (-ENOSPC), "PortPace", "PortNotFound".
 */
int switch_flows_set(struct link_switch *sw, unsigned ifindex, const struct switch_flow *flows, size_t n, struct nrd_err *err);

/* All of a port's. "PortNotFound". */
int switch_flows_read(struct link_switch *sw, unsigned ifindex, struct switch_flow ret_flows[SWITCH_PORT_FLOWS_MAX],
		      size_t *ret_n, struct nrd_err *err);
int switch_flow_counts_read(struct link_switch *sw, uint32_t number, struct switch_flow_counts *ret_counts, struct nrd_err *err);

/*
 * Samples of dropped frames, at most 20 a second of each port in the long run. One reader at a
 * time: "SamplesBusy" (-EBUSY). What was sampled before opening is skipped.
 */
struct switch_samples;
int switch_samples_open(struct link_switch *sw, struct switch_samples **ret_samples,
			struct nrd_err *err);
int switch_samples_fd(const struct switch_samples *samples); /* readable: there is one */

/* 1 and a sample, 0 when there is none now. */
int switch_samples_next(struct switch_samples *samples, struct switch_sample *ret_sample);
void switch_samples_close(struct switch_samples *samples);
