/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * DHCP over IPv4: who asks, whether it may, and which address it is granted. A port that asks
 * leaves a row in `pending`; the server's answer, which comes from elsewhere, makes the address
 * the port's in `owners`, one port's at a time.
 */
#include "switch-cid.h"

#define DHCP4_REQUEST_OP 1
#define DHCP4_REPLY_OP 2
#define DHCP4_FIXED 236 /* of the BOOTP part */
#define DHCP4_COOKIE 0x63825363
#define DHCP4_OPTIONS_MAX 64 /* that are looked at; a message with more is dropped */

enum {
	DHCP4_OPTION_REQUESTED = 50,
	DHCP4_OPTION_LEASE = 51,
	DHCP4_OPTION_OVERLOAD = 52,
	DHCP4_OPTION_TYPE = 53,
	DHCP4_OPTION_SERVER = 54,
	DHCP4_OPTION_CID = 61,
	DHCP4_OPTION_END = 255,
};

enum {
	DHCP4_TYPE_DISCOVER = 1,
	DHCP4_TYPE_OFFER = 2,
	DHCP4_TYPE_REQUEST = 3,
	DHCP4_TYPE_ACK = 5,
	DHCP4_TYPE_NAK = 6,
	DHCP4_TYPE_RELEASE = 7,
	DHCP4_TYPE_INFORM = 8,
};

struct dhcp4_head {
	__u8 op;
	__u8 hardware;
	__u8 hardware_len;
	__u8 hops;
	__u32 xid;
	__u16 seconds;
	__u16 flags;
	__u32 client;
	__u32 your;
	__u32 server;
	__u32 relay;
	struct frame_mac mac;
};

struct dhcp4 {
	__u32 type;
	__u32 lease;      /* seconds, 0: not said */
	__u32 requested;  /* address, as it stands; 0: not said */
	__u32 server;     /* the same of the one that is meant */
	__u32 cid;        /* where it stands, 0: there is none */
	__u32 cid_len;
	bool bad;         /* does not add up, or hides options where we do not look */
};

static __always_inline bool
is_dhcp4(const struct frame_udp *udp)
{
	return udp->src == bpf_htons(67) || udp->src == bpf_htons(68) || udp->dst == bpf_htons(67) ||
	       udp->dst == bpf_htons(68);
}

struct dhcp4_walk {
	struct __sk_buff *skb;
	__u32 off;
	bool done;
	struct dhcp4 found;
};

static long
dhcp4_option(__u64 i, struct dhcp4_walk *w)
{
	struct {
		__u8 code, len;
	} option;
	__u8 code, type;
	__u32 word;

	if (bpf_skb_load_bytes(w->skb, w->off, &code, 1) != 0) {
		w->done = true; /* without an end: as the clients, we take what there is */
		return 1;
	}
	if (code == 0) {
		w->off++;
		return 0;
	}
	if (code == DHCP4_OPTION_END) {
		w->done = true;
		return 1;
	}
	if (!frame_read_at(w->skb, w->off, &option) || w->off + 2 + option.len > w->skb->len) {
		w->found.bad = true;
		return 1;
	}
	if (code == DHCP4_OPTION_TYPE && option.len == 1 && bpf_skb_load_bytes(w->skb, w->off + 2, &type, 1) == 0)
		w->found.type = type;
	else if ((code == DHCP4_OPTION_LEASE || code == DHCP4_OPTION_REQUESTED || code == DHCP4_OPTION_SERVER) && option.len == 4 &&
		 frame_read_at(w->skb, w->off + 2, &word)) {
		if (code == DHCP4_OPTION_LEASE)
			w->found.lease = bpf_ntohl(word);
		else if (code == DHCP4_OPTION_REQUESTED)
			w->found.requested = word;
		else
			w->found.server = word;
	} else if (code == DHCP4_OPTION_OVERLOAD)
		w->found.bad = true;
	else if (code == DHCP4_OPTION_CID) {
		if (w->found.cid) /* the second of two is what some servers read */
			w->found.bad = true;
		w->found.cid = w->off + 2;
		w->found.cid_len = option.len;
	}
	w->off += 2 + option.len;
	return 0;
}

/* off: where the cookie stands. A message without it is BOOTP and has no options. */
static __always_inline void
dhcp4_options(struct __sk_buff *skb, __u32 off, struct dhcp4 *ret_found)
{
	struct dhcp4_walk w = { .skb = skb, .off = off + 4 };
	__u32 cookie;

	if (frame_read_at(skb, off, &cookie) && cookie == bpf_htonl(DHCP4_COOKIE)) {
		/* Padding is an option of one byte each. */
		bpf_loop(DHCP4_OPTIONS_MAX + 320, dhcp4_option, &w, 0);
		if (!w.done)
			w.found.bad = true;
	}
	*ret_found = w.found;
}

static __always_inline void
owner_of_ip4(struct switch_owner_key *key, __u32 segment, __u32 vid, __u32 addr)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->segment = segment;
	key->vid = vid;
	key->family = 4;
	*(__u32 *)key->addr = addr;
}

/* What a client asks for, remembered until the answer comes; what it gives back, forgotten. */
static __always_inline void
dhcp4_note(struct switch_port_row *port, const struct dhcp4_head *head, __u32 type)
{
	if (!(port->protect & SWITCH_LEARN_DHCPV4))
		return;
	if (type == DHCP4_TYPE_REQUEST)
		pending_add(port, head->xid, 4);
	else if (type == DHCP4_TYPE_RELEASE) {
		struct switch_owner_key key;

		owner_of_ip4(&key, port->segment, port->vid, head->client);
		owner_remove(port, &key);
	}
}

static __noinline __u32
guard_dhcp4(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, bool from_server_port)
{
	struct dhcp4_head head;
	struct dhcp4 dhcp;
	__u32 protect;

	if (!port)
		return SWITCH_DROP_NONE;
	protect = port->protect;
	if (!frame_read_at(skb, off, &head) || skb->len < off + DHCP4_FIXED)
		return !(protect & SWITCH_DHCP_NOSPOOF) || (protect & SWITCH_ALLOW_DHCP_SHORT) ? SWITCH_DROP_NONE :
												 SWITCH_DROP_DHCP_SHORT;
	if (from_server_port || head.op != DHCP4_REQUEST_OP)
		return !(protect & SWITCH_DHCP_NOSPOOF) || (protect & SWITCH_ALLOW_DHCP_SERVER) ? SWITCH_DROP_NONE :
												  SWITCH_DROP_DHCP_SERVER;
	if ((protect & SWITCH_IP_NOSPOOF) && port->has_static4 && !(protect & (SWITCH_LEARN_DHCPV4 | SWITCH_ANSWER_DHCPV4)))
		return SWITCH_DROP_DHCP_STATIC;
	dhcp4_options(skb, off + DHCP4_FIXED, &dhcp);
	if (protect & SWITCH_DHCP_NOSPOOF) {
		if (head.hardware_len == 6 && !own_mac(port, head.mac.b))
			return SWITCH_DROP_DHCP_MAC;
		if (!(protect & SWITCH_ALLOW_DHCP_CIDS)) {
			if (dhcp.bad)
				return SWITCH_DROP_DHCP_CID;
			if (dhcp.cid && !cid4_allowed(skb, port, dhcp.cid, dhcp.cid_len))
				return SWITCH_DROP_DHCP_CID;
		}
	}
	dhcp4_note(port, &head, dhcp.type);
	return SWITCH_DROP_NONE;
}

/* An answer on its way to a port: from the wire, the node, or a port that may be a server. */
static __noinline void
learn_dhcp4(struct __sk_buff *skb, __u32 segment, __u32 vid, __u32 off)
{
	struct switch_pending_key asked = { .segment = segment, .vid = vid, .family = 4 };
	struct switch_owner_key key;
	struct dhcp4_head head;
	struct dhcp4 dhcp;

	if (!frame_read_at(skb, off, &head) || head.op != DHCP4_REPLY_OP || head.your == 0)
		return;
	__builtin_memcpy(asked.mac, head.mac.b, sizeof(asked.mac));
	asked.xid = head.xid;
	if (!bpf_map_lookup_elem(&pending, &asked))
		return;
	dhcp4_options(skb, off + DHCP4_FIXED, &dhcp);
	if (dhcp.type != DHCP4_TYPE_ACK)
		return;
	owner_of_ip4(&key, segment, vid, head.your);
	pending_grant(&asked, &key, dhcp.lease);
}
