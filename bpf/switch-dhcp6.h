/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* DHCP over IPv6, as switch-dhcp4.h. */
#include "switch-cid.h"

#define DHCP6_OPTIONS_MAX 64

enum {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE = 2,
	DHCP6_REQUEST = 3,
	DHCP6_CONFIRM = 4,
	DHCP6_RENEW = 5,
	DHCP6_REBIND = 6,
	DHCP6_REPLY = 7,
	DHCP6_RELEASE = 8,
	DHCP6_DECLINE = 9,
	DHCP6_INFORMATION = 11,
};

enum {
	DHCP6_OPTION_CID = 1,
	DHCP6_OPTION_IA_NA = 3,
	DHCP6_OPTION_IA_TA = 4,
	DHCP6_OPTION_ADDRESS = 5,
};

static __always_inline bool
is_dhcp6(const struct frame_udp *udp)
{
	return udp->src == bpf_htons(546) || udp->src == bpf_htons(547) || udp->dst == bpf_htons(546) ||
	       udp->dst == bpf_htons(547);
}

static __always_inline bool
is_from_client(__u32 type)
{
	return type == DHCP6_SOLICIT || (type >= DHCP6_REQUEST && type <= DHCP6_REBIND) ||
	       type == DHCP6_RELEASE || type == DHCP6_DECLINE || type == DHCP6_INFORMATION;
}

struct dhcp6_option {
	__u16 code, len;
};

struct dhcp6_address {
	struct frame_addr6 addr;
	__u32 preferred;
	__u32 valid;
};

struct dhcp6_walk {
	struct __sk_buff *skb;
	struct switch_port_row *port;        /* of a question: whose DUID is looked at */
	struct switch_pending_key *asked;    /* of an answer: whose addresses are learned */
	__u32 off;
	__u32 number;
	bool release;
	bool done;
	bool refused;
};

static __always_inline void
owner_of_ip6(struct switch_owner_key *key, __u32 segment, __u32 vid, const struct frame_addr6 *addr)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->segment = segment;
	key->vid = vid;
	key->family = 6;
	__builtin_memcpy(key->addr, addr->b, sizeof(key->addr));
}

static __noinline bool
dhcp6_learn_address(struct __sk_buff *skb, const struct switch_pending_key *asked, __u32 number, __u32 off)
{
	struct switch_owner_key key;
	struct dhcp6_address a;
	__u32 seconds;

	if (!asked || !frame_read_at(skb, off, &a))
		return false;
	seconds = bpf_ntohl(a.valid);
	if (seconds == 0)
		return false;
	owner_of_ip6(&key, asked->segment, asked->vid, &a.addr);
	owner_claim(number, &key, SWITCH_OF_LEASE, seconds == ~0u ? 0 : bpf_ktime_get_ns() + seconds * 1000000000ull);
	return true;
}

/* IA_NA and IA_TA hold the addresses: what follows their heads is walked as if it stood outside. */
static long
dhcp6_answer_option(__u64 i, struct dhcp6_walk *w)
{
	struct dhcp6_option option;
	__u32 code, len;

	if (!frame_read_at(w->skb, w->off, &option))
		return 1;
	code = bpf_ntohs(option.code);
	len = bpf_ntohs(option.len);
	if (code == DHCP6_OPTION_IA_NA)
		len = 12;
	else if (code == DHCP6_OPTION_IA_TA)
		len = 4;
	else if (code == DHCP6_OPTION_ADDRESS)
		dhcp6_learn_address(w->skb, w->asked, w->number, w->off + 4);
	w->off += 4 + len;
	return 0;
}

static long
dhcp6_question_option(__u64 i, struct dhcp6_walk *w)
{
	struct dhcp6_option option;
	__u32 code, len;

	if (w->off == w->skb->len) {
		w->done = true;
		return 1;
	}
	if (!frame_read_at(w->skb, w->off, &option)) {
		w->refused = true;
		return 1;
	}
	code = bpf_ntohs(option.code);
	len = bpf_ntohs(option.len);
	if (w->off + 4 + len > w->skb->len ||
	    (code == DHCP6_OPTION_CID && !duid_allowed(w->skb, w->port, w->off + 4, len))) {
		w->refused = true;
		return 1;
	}
	w->off += 4 + len;
	return 0;
}

static __noinline __u32
guard_dhcp6(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, bool from_server_port)
{
	__u32 protect, head, type;

	if (!port)
		return SWITCH_DROP_NONE;
	protect = port->protect;
	if (!frame_read_at(skb, off, &head))
		return !(protect & SWITCH_DHCP_NOSPOOF) || (protect & SWITCH_ALLOW_DHCP_SHORT) ? SWITCH_DROP_NONE :
												 SWITCH_DROP_DHCP_SHORT;
	type = bpf_ntohl(head) >> 24;
	if (from_server_port || !is_from_client(type))
		return !(protect & SWITCH_DHCP_NOSPOOF) || (protect & SWITCH_ALLOW_DHCP_SERVER) ? SWITCH_DROP_NONE :
												  SWITCH_DROP_DHCP_SERVER;
	if ((protect & SWITCH_IP_NOSPOOF) && port->has_static6 && !(protect & SWITCH_LEARN_DHCPV6))
		return SWITCH_DROP_DHCP_STATIC;
	if ((protect & SWITCH_DHCP_NOSPOOF) && !(protect & SWITCH_ALLOW_DHCP_CIDS)) {
		struct dhcp6_walk w = { .skb = skb, .port = port, .off = off + 4 };

		bpf_loop(DHCP6_OPTIONS_MAX, dhcp6_question_option, &w, 0);
		if (w.refused || !w.done)
			return SWITCH_DROP_DHCP_CID;
	}
	if ((protect & SWITCH_LEARN_DHCPV6) &&
	    (type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_REBIND || type == DHCP6_SOLICIT))
		pending_add(port, bpf_ntohl(head) & 0xffffff, 6);
	return SWITCH_DROP_NONE;
}

/* A server's REPLY: its client is the one that the frame is for. */
static __noinline void
learn_dhcp6(struct __sk_buff *skb, __u32 segment, __u32 vid, __u32 off)
{
	struct switch_pending_key asked = { .segment = segment, .vid = vid, .family = 6 };
	struct switch_pending_row *row;
	struct dhcp6_walk w = { .skb = skb, .off = off + 4, .asked = &asked };
	struct frame_eth eth;
	__u32 head;

	if (!frame_read(skb, 0, &eth) || !frame_read_at(skb, off, &head) || bpf_ntohl(head) >> 24 != DHCP6_REPLY)
		return;
	__builtin_memcpy(asked.mac, eth.dst, sizeof(asked.mac));
	asked.xid = bpf_ntohl(head) & 0xffffff;
	row = bpf_map_lookup_elem(&pending, &asked);
	if (!row || row->until_ns < bpf_ktime_get_ns())
		return;
	w.number = row->port;
	bpf_loop(DHCP6_OPTIONS_MAX, dhcp6_answer_option, &w, 0);
	bpf_map_delete_elem(&pending, &asked);
}
