/* SPDX-License-Identifier: MPL-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * What the switch program (switch.bpf.c) and its owner (lib/link/switch.c) share: the rows of its
 * maps. Addresses and ethertypes are in network byte order, all else in the processor's. A change
 * of any row's layout is another SWITCH_ABI, which is another directory of pins.
 */
#include <linux/types.h>

#define SWITCH_ABI 1
#define SWITCH_DIR "/sys/fs/bpf/nereid/switch-1"

#define SWITCH_PORTS_MAX 4096    /* port numbers 1..4095; 0 counts for devices that are no port */
#define SWITCH_SEGMENTS_MAX 1024 /* segment numbers 1..1023 */
#define SWITCH_FDB_MAX 16384
#define SWITCH_PREFIXES_MAX 64   /* of one port */
#define SWITCH_CIDS_MAX 20       /* of one port */
#define SWITCH_CID_BYTES 128     /* of one client id or DUID */
#define SWITCH_LEARNED_MAX 16    /* addresses learned of one port */
#define SWITCH_OWNERS_MAX 65536
#define SWITCH_NAME_MAX 32       /* of a segment, with the NUL */
#define SWITCH_SAMPLE_BYTES 64
#define SWITCH_FLOWS_MAX 4096      /* flow numbers 1..4095 */
#define SWITCH_PORT_FLOWS_MAX 64   /* of one port */
#define SWITCH_FLOW_NAME_MAX 32    /* with the NUL */

/* What a port may not send. The first four are illumos's link property "protection". */
#define SWITCH_MAC_NOSPOOF (1u << 0)
#define SWITCH_IP_NOSPOOF (1u << 1)
#define SWITCH_DHCP_NOSPOOF (1u << 2)
#define SWITCH_RESTRICTED (1u << 3)
#define SWITCH_PROTECT_ALL 0xfu

/* Where we are stricter than illumos, and how a port is let off. Each belongs to one of the above. */
#define SWITCH_ALLOW_RA (1u << 8)           /* ip: router advertisements */
#define SWITCH_ALLOW_REDIRECT (1u << 9)     /* ip: ICMPv6 redirects */
#define SWITCH_ALLOW_ND_HEADERS (1u << 10)  /* ip: neighbour discovery behind extension headers */
#define SWITCH_ALLOW_DHCP_SERVER (1u << 11) /* dhcp: answers of a DHCP server */
#define SWITCH_ALLOW_DHCP_SHORT (1u << 12)  /* dhcp: datagrams too short to be DHCP */
#define SWITCH_ALLOW_DHCP_CIDS (1u << 13)   /* dhcp: any client id (allow-all-dhcp-cids) */
#define SWITCH_EUI64_ONLY (1u << 14)        /* ip: as illumos, no link-local address but the MAC's */

/* The switch itself is the port's DHCP server; see `dhcp`. */
#define SWITCH_ANSWER_DHCPV4 (1u << 15)

/* Which addresses the switch learns (dynamic-methods). */
#define SWITCH_LEARN_DHCPV4 (1u << 16)
#define SWITCH_LEARN_DHCPV6 (1u << 17)
#define SWITCH_LEARN_SLAAC (1u << 18)
#define SWITCH_LEARN_ALL (7u << 16)

/* For its owner: somebody watches the node's end, so frames to the port take that way and not the short one. */
#define SWITCH_WATCHED (1u << 24)

/* How a frame gets to a port. */
#define SWITCH_TO_PEER (1u << 0) /* of a pair: bpf_redirect_peer unless it is paced */

/* Every reason a frame is dropped for, and illumos's counter that it belongs to. */
#define SWITCH_DROPS(X)                                                          \
	X(NONE, "none", "")                                                      \
	X(NO_PORT, "not_a_port", "")                                             \
	X(RUNT, "runt", "")                                                      \
	X(GROUP_SOURCE, "group_source", "macspoofed")                            \
	X(MAC, "mac_spoofed", "macspoofed")                                      \
	X(VLAN, "vlan", "restricted")                                            \
	X(ETHERTYPE, "ethertype", "restricted")                                  \
	X(IP4_HEADER, "ip4_header", "ipspoofed")                                 \
	X(IP4_SOURCE, "ip4_source", "ipspoofed")                                 \
	X(ARP_HEADER, "arp_header", "ipspoofed")                                 \
	X(ARP_MAC, "arp_mac", "ipspoofed")                                       \
	X(ARP_SOURCE, "arp_source", "ipspoofed")                                 \
	X(IP6_HEADER, "ip6_header", "ipspoofed")                                 \
	X(IP6_SOURCE, "ip6_source", "ipspoofed")                                 \
	X(IP6_HEADERS, "ip6_extension_headers", "ipspoofed")                     \
	X(ND_HEADERS, "nd_behind_headers", "ipspoofed")                          \
	X(ND_OPTION, "nd_option", "ipspoofed")                                   \
	X(ND_TARGET, "nd_target", "ipspoofed")                                   \
	X(RA, "router_advertisement", "ipspoofed")                               \
	X(REDIRECT, "icmp6_redirect", "ipspoofed")                               \
	X(DHCP_STATIC, "dhcp_with_static_address", "ipspoofed")                  \
	X(DHCP_FRAGMENT, "dhcp_fragment", "dhcpspoofed")                         \
	X(DHCP_SHORT, "dhcp_short", "dhcpspoofed")                               \
	X(DHCP_SERVER, "dhcp_server", "dhcpspoofed")                             \
	X(DHCP_MAC, "dhcp_hardware_address", "dhcpspoofed")                      \
	X(DHCP_CID, "dhcp_client_id", "dhcpspoofed")                             \
	X(ADDRESS_TABLE, "too_many_addresses", "dhcpdropped")                    \
	X(UNKNOWN, "unknown_destination", "")                                    \
	X(HAIRPIN, "hairpin", "")                                                \
	X(GROUP_RATE, "group_rate", "")                                          \
	X(TOO_BIG, "too_big", "")                                                \
	X(QUEUE, "queue_full", "")                                               \
	X(LOOP, "loop", "")

enum switch_drop {
#define X(id, name, counter) SWITCH_DROP_##id,
	SWITCH_DROPS(X)
#undef X
	SWITCH_DROP_COUNT,
};

#define SWITCH_DROP_MAX 40

/* Fixed-point nanoseconds a byte, for pacing: (10^9 << SHIFT) / bytes a second; 0 is no limit. */
#define SWITCH_COST_SHIFT 20
#define SWITCH_HORIZON_NS 2000000000ull /* what would leave later than this is dropped */

enum switch_port_kind {
	SWITCH_KIND_VETH,
	SWITCH_KIND_TAP,
	SWITCH_KIND_NETKIT,
};

/* ports: by the host end's interface index. */
struct switch_port_row {
	__u32 port;            /* its number */
	__u32 segment;
	__u32 protect;         /* SWITCH_MAC_NOSPOOF... */
	__u32 set;             /* of allowed prefixes and client ids; 0: none */
	__u8 mac[6];
	__u16 vid;             /* 0: untagged */
	__u32 ip4;             /* the first allowed host address, which is asked most; 0: none */
	__u8 ip6[16];
	__u8 has_static4;      /* allowed-ips has addresses of the family */
	__u8 has_static6;
	__u8 kind;             /* enum switch_port_kind */
	__u8 n_secondary;
	__u32 slot;            /* place among the members of its domain, for its owner */
	__u32 mtu;
	__u32 priority;        /* of its frames in fq: TC_PRIO_* */
	__u32 rules;           /* firewall: room for fwadm */
	__u32 flows;           /* what its flows are told apart by, and their set: SWITCH_FLOWS_WORD; 0: none */
	__u32 generation;      /* counts changes; part of `set` */
	__u64 out_cost;        /* maxbw, see SWITCH_COST_SHIFT */
	__u64 in_cost;
	__u64 group_cost;      /* nanoseconds between broadcasts and multicasts in the long run; 0: no limit */
	__u64 bits_a_second;   /* maxbw as it was asked for, for its owner */
};

_Static_assert(sizeof(struct switch_port_row) == 104, "struct switch_port_row is ABI");

/* segments: by number; an unused one has no name. */
struct switch_segment_row {
	char name[SWITCH_NAME_MAX];
	__u32 uplink;          /* interface index; 0: an etherstub */
	__u32 mtu;
	__u8 host_mac[6];      /* the node's own on the uplink */
	__u8 tunnel;           /* the uplink leads to other nodes' ports, and not to this node */
	__u8 pad;
};

_Static_assert(sizeof(struct switch_segment_row) == 48, "struct switch_segment_row is ABI");

/* uplinks: by interface index. */
struct switch_uplink_row {
	__u32 segment;
	__u8 host_mac[6];
	__u8 tunnel;           /* as in segments */
	__u8 pad;
};

_Static_assert(sizeof(struct switch_uplink_row) == 12, "struct switch_uplink_row is ABI");

/* fdb: whose a MAC is. No learning: all are registered. */
struct switch_fdb_key {
	__u32 segment;
	__u16 vid;
	__u8 mac[6];
};

struct switch_fdb_row {
	__u32 ifindex;
	__u32 port;
	__u32 flags;           /* SWITCH_TO_PEER */
	__u32 mtu;
	__u64 in_cost;
	__u32 protect;         /* of that port: whether it waits for what is learned */
	__u32 flows;           /* of that port */
};

_Static_assert(sizeof(struct switch_fdb_key) == 12, "struct switch_fdb_key is ABI");
_Static_assert(sizeof(struct switch_fdb_row) == 32, "struct switch_fdb_row is ABI");

/* domains: a segment and VLAN; members: its ports, slots 0..count-1, in no order. */
struct switch_domain_key {
	__u32 segment;
	__u32 vid;
};

struct switch_domain_row {
	__u32 count;
	__u32 learners;        /* members that learn addresses */
};

struct switch_member_key {
	__u32 segment;
	__u32 vid;
	__u32 slot;
};

struct switch_member_row {
	__u32 ifindex;
	__u32 port;
};

/* allowed4, allowed6: tries over a set of a port and an address. bits counts set's 32 too. */
struct switch_allowed4_key {
	__u32 bits;
	__u32 set;
	__u32 addr;
};

struct switch_allowed6_key {
	__u32 bits;
	__u32 set;
	__u8 addr[16];
};

/* cids: which DHCP client ids and DUIDs a set allows. */
struct switch_cid_key {
	__u32 set;
	__u32 len;
	__u8 bytes[SWITCH_CID_BYTES];
};

/* sets: what is in a set, for its owner. */
struct switch_prefix_row {
	__u8 family;           /* 4 or 6 */
	__u8 bits;
	__u8 pad[2];
	__u8 addr[16];         /* IPv4 uses the first 4 */
};

struct switch_set_row {
	__u32 n_prefixes;
	__u32 n_cids;
	struct switch_prefix_row prefixes[SWITCH_PREFIXES_MAX];
	struct {
		__u32 len;
		__u8 bytes[SWITCH_CID_BYTES];
	} cids[SWITCH_CIDS_MAX];
	__u8 secondary[16][6];
};

/* owners: which port an address is, learned of DHCP or router advertisements, or allowed to it. */
struct switch_owner_key {
	__u32 segment;
	__u16 vid;
	__u16 family;          /* 4 or 6 */
	__u8 addr[16];
};

enum switch_how {
	SWITCH_OF_STATIC,      /* in allowed-ips */
	SWITCH_OF_LEASE,       /* DHCP said so */
	SWITCH_OF_PREFIX,      /* as long as its prefix is announced */
	SWITCH_OF_USE,         /* a link-local address, whose first user it was */
};

struct switch_owner_row {
	__u32 port;            /* 0: a router's on the wire */
	__u16 how;             /* enum switch_how */
	__u16 shared;          /* several ports may have it: nobody is told whose it is */
	__u64 until_ns;        /* CLOCK_MONOTONIC; 0: for ever */
	__u64 used_ns;         /* last, to a second or so */
};

/* learned: which addresses of owners a port has learned, slots 0..SWITCH_LEARNED_MAX-1. */
struct switch_learned_key {
	__u32 port;
	__u32 slot;
};

/* pending: DHCP questions that wait for their answer. */
struct switch_pending_key {
	__u32 segment;
	__u16 vid;
	__u8 mac[6];
	__u32 xid;
	__u32 family;          /* 4 or 6 */
};

struct switch_pending_row {
	__u32 port;
	__u32 pad;
	__u64 until_ns;
};

/*
 * dhcp: by port number; what a port is told that asks for an address (RFC 2131): the BOOTP part of the answer, ready but for
 * what only the question says. Its options begin with the kind of message, the server and the lease, which others replace.
 */
#define SWITCH_DHCP_BYTES 436
#define SWITCH_DHCP_OPTIONS 240 /* where they begin: the kind of message */
#define SWITCH_DHCP_SERVER (SWITCH_DHCP_OPTIONS + 3)
#define SWITCH_DHCP_LEASE (SWITCH_DHCP_SERVER + 6)
#define SWITCH_DHCP_REST (SWITCH_DHCP_LEASE + 6)

struct switch_dhcp_row {
	__u32 your;
	__u32 server;
	__u8 packet[SWITCH_DHCP_BYTES];
};

_Static_assert(sizeof(struct switch_dhcp_row) == 444, "struct switch_dhcp_row is ABI");

/* prefixes: announced by routers that may, for addresses that machines make themselves. */
struct switch_announced_key {
	__u32 segment;
	__u32 vid;
	__u8 prefix[8];
};

struct switch_announced_row {
	__u64 until_ns;
};

/* counts: per processor, by port number. In and out are the machine's. */
struct switch_count_row {
	__u64 out_frames;
	__u64 out_bytes;
	__u64 in_frames;
	__u64 in_bytes;
};

/* drops: by port number. */
struct switch_drop_row {
	__u64 frames[SWITCH_DROP_MAX];
};

_Static_assert(SWITCH_DROP_COUNT <= SWITCH_DROP_MAX, "drop reasons fit their row");

/* clocks: by port number; when the next byte, copy or sample is due. Advanced by atomic adds. */
struct switch_clock_row {
	__u64 out_ns;
	__u64 in_ns;
	__u64 group_ns;
	__u64 sample_ns;
};

/*
 * Flows are a part of what a port sends and gets. All of a port's are told apart by the same thing, so one lookup finds a
 * frame's: the longest prefix of its key in flow_keys, where data is, from its first byte: the address family and the
 * address; 0, the transport protocol and, in network byte order, the port; 0 and the DS field.
 */
enum switch_flow_shape {
	SWITCH_FLOW_NONE,
	SWITCH_FLOW_LOCAL_IP,
	SWITCH_FLOW_REMOTE_IP,
	SWITCH_FLOW_TRANSPORT,
	SWITCH_FLOW_LOCAL_PORT,
	SWITCH_FLOW_REMOTE_PORT,
	SWITCH_FLOW_DSFIELD,
};

#define SWITCH_FLOW_SHAPE_SHIFT 28
#define SWITCH_FLOWS_WORD(shape, port, generation) \
	((__u32)(shape) << SWITCH_FLOW_SHAPE_SHIFT | (__u32)(port) << 16 | ((generation) & 0xffff))
#define SWITCH_FLOW_DATA 20

struct switch_flow_key {
	__u32 bits;            /* counts set's 32 too */
	__u32 set;             /* the whole word */
	__u8 data[SWITCH_FLOW_DATA];
};

_Static_assert(sizeof(struct switch_flow_key) == 28, "struct switch_flow_key is ABI");

/* flow_rows: by number. */
struct switch_flow_row {
	__u32 port;            /* 0: nobody's */
	__u32 priority;        /* TC_PRIO_*, with has_priority */
	__u64 cost;            /* maxbw, each way, see SWITCH_COST_SHIFT */
	__u64 bits_a_second;   /* for its owner */
	__u32 has_priority;
	__u32 pad;
};

_Static_assert(sizeof(struct switch_flow_row) == 32, "struct switch_flow_row is ABI");

/* flow_clocks: by number; when the next byte is due. Advanced by atomic adds. */
struct switch_flow_clock_row {
	__u64 out_ns;
	__u64 in_ns;
};

/* flow_counts: per processor, by number; drops are those of its own cap. */
struct switch_flow_count_row {
	__u64 out_frames;
	__u64 out_bytes;
	__u64 out_drops;
	__u64 in_frames;
	__u64 in_bytes;
	__u64 in_drops;
};

/* flow_sets: what is in a set, for its owner. */
struct switch_flow_desc {
	char name[SWITCH_FLOW_NAME_MAX];
	__u32 number;
	__u16 tport;
	__u8 transport;
	__u8 dsfield;
	__u8 mask;
	__u8 family;           /* 4 or 6 */
	__u8 bits;
	__u8 pad;
	__u8 addr[16];
};

struct switch_flow_set_row {
	__u32 n;
	struct switch_flow_desc flows[SWITCH_PORT_FLOWS_MAX];
};

_Static_assert(sizeof(struct switch_flow_desc) == 60, "struct switch_flow_desc is ABI");

/* samples: a ring buffer of dropped frames. */
struct switch_sample {
	__u64 time_ns;         /* CLOCK_MONOTONIC */
	__u32 port;
	__u32 ifindex;
	__u32 reason;
	__u32 len;             /* of the frame */
	__u16 vid;             /* that it was tagged with, which is not in bytes; 0: none */
	__u16 caught;          /* bytes of it that follow */
	__u32 pad;
	__u8 bytes[SWITCH_SAMPLE_BYTES];
};

_Static_assert(sizeof(struct switch_sample) == 96, "struct switch_sample is ABI");

/* version: one row. */
struct switch_version_row {
	__u32 abi;
	__u32 pad;
	char program[24];      /* which build is loaded */
};

/* Names of the maps, which are those of their pins: maps/NAME; programs: programs/NAME. */
#define SWITCH_MAPS(X)                                                                             \
	X(ports) X(segments) X(uplinks) X(fdb) X(domains) X(members) X(allowed4) X(allowed6)       \
	X(cids) X(sets) X(dhcp) X(owners) X(learned) X(pending) X(announced) X(counts) X(drops) X(clocks) X(samples)  \
	X(numbers) X(version) X(flow_rows) X(flow_keys) X(flow_sets) X(flow_clocks) X(flow_counts)

#define SWITCH_PROGRAMS(X) X(from_port) X(from_wire) X(from_host)
