/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Questions for an address whose owner is known are answered here, on etherstubs: the switch knows
 * all who are there, and a question that is not copied to a thousand machines costs them nothing.
 * Behind a wire there may be others, so there they are asked. What does not fit goes the usual way.
 */
#include "switch-guard.h"
#include "switch-forward.h"

#define ARP_BYTES 42
#define NS_BYTES 78
#define NA_BYTES 86

struct answer_arp {
	struct frame_eth eth;
	struct frame_arp arp;
	struct frame_mac sender;
	__u8 sender_ip[4];
	struct frame_mac target;
	__u8 target_ip[4];
} __attribute__((packed, aligned(2)));

_Static_assert(sizeof(struct answer_arp) == ARP_BYTES, "an ARP frame");

/* What is summed up: the message, and what stands for the IPv6 header. */
struct answer_na {
	struct frame_addr6 src;
	struct frame_addr6 dst;
	__u32 len;
	__u32 next;
	__u8 type;
	__u8 code;
	__u16 check;
	__u32 flags;
	struct frame_addr6 target;
	__u8 option;
	__u8 option_len;
	struct frame_mac mac;
};

_Static_assert(sizeof(struct answer_na) == 72, "a neighbour advertisement and its pseudo header");

#define NA_SOLICITED_OVERRIDE 0x60000000

/* The MAC of the port whose address it is; 0: not known for certain, or the asker's own. */
static __always_inline struct switch_port_row *
owner_of(struct switch_port_row *asker, const struct switch_owner_key *key)
{
	struct switch_owner_row *owner = bpf_map_lookup_elem(&owners, key);
	struct switch_port_row *port;
	__u32 number, *ifindex;

	if (!owner || owner->shared || owner->port == 0 || owner->port == asker->port ||
	    !still_owned(key, owner, bpf_ktime_get_ns()))
		return 0;
	number = owner->port;
	ifindex = bpf_map_lookup_elem(&numbers, &number);
	if (!ifindex)
		return 0;
	port = bpf_map_lookup_elem(&ports, ifindex);
	/* Without ip-nospoof others may be using it as well. */
	return port && port->port == number && (port->protect & SWITCH_IP_NOSPOOF) ? port : 0;
}

/* Back through the end that it came in by. */
static __always_inline int
send_back(struct __sk_buff *skb, struct switch_port_row *asker)
{
	count_in(asker->port, skb->len, 1);
	bpf_skb_change_type(skb, 0 /* PACKET_HOST */);
	return asker->kind == SWITCH_KIND_VETH && !(asker->protect & SWITCH_WATCHED) ? bpf_redirect_peer(skb->ifindex, 0) : bpf_redirect(skb->ifindex, 0);
}

/* A verdict, or -1: to be asked of all. */
static __noinline int
answer_arp(struct __sk_buff *skb, struct switch_port_row *asker)
{
	struct switch_owner_key key = { 0 };
	struct switch_port_row *owner;
	struct answer_arp f;

	if (!asker || !frame_read_at(skb, 0, &f))
		return -1;
	if (f.arp.op != bpf_htons(1) || f.arp.hardware_len != 6 || f.arp.protocol_len != 4 ||
	    f.arp.hardware != bpf_htons(1) || f.arp.protocol != bpf_htons(ETH_P_IP))
		return -1;
	key.segment = asker->segment;
	key.vid = asker->vid;
	key.family = 4;
	__builtin_memcpy(key.addr, f.target_ip, 4);
	owner = owner_of(asker, &key);
	if (!owner)
		return -1;
	f.arp.op = bpf_htons(2);
	f.target = f.sender;
	__builtin_memcpy(f.target_ip, f.sender_ip, 4);
	__builtin_memcpy(f.sender.b, owner->mac, 6);
	__builtin_memcpy(f.sender_ip, key.addr, 4);
	__builtin_memcpy(f.eth.dst, f.eth.src, 6);
	__builtin_memcpy(f.eth.src, owner->mac, 6);
	if (bpf_skb_store_bytes(skb, 0, &f, sizeof(f), 0) != 0)
		return -1;
	return send_back(skb, asker);
}

static __always_inline __u16
sum_of(struct answer_na *na)
{
	__s64 sum = bpf_csum_diff(0, 0, (__be32 *)na, sizeof(*na), 0);
	__u32 s = (__u32)sum;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (__u16)~s;
}

/* Puts the advertisement in the question's place. */
static __noinline int
answer_na(struct __sk_buff *skb, struct switch_port_row *asker, struct switch_port_row *owner, struct answer_na *na)
{
	struct {
		struct frame_eth eth;
		struct frame_ip6 ip;
	} __attribute__((packed, aligned(2))) head = { 0 };

	if (!asker || !owner || !na)
		return -1;
	__builtin_memcpy(head.eth.dst, asker->mac, 6);
	__builtin_memcpy(head.eth.src, owner->mac, 6);
	head.eth.type = bpf_htons(ETH_P_IPV6);
	head.ip.version_class = 0x60;
	head.ip.len = bpf_htons(NA_BYTES - 54);
	head.ip.next = IP6_ICMP;
	head.ip.hops = 255;
	head.ip.src = na->src;
	head.ip.dst = na->dst;
	if (bpf_skb_change_tail(skb, NA_BYTES, 0) != 0 || bpf_skb_store_bytes(skb, 0, &head, sizeof(head), 0) != 0 ||
	    bpf_skb_store_bytes(skb, sizeof(head), &na->type, NA_BYTES - 54, 0) != 0)
		return drop(skb, asker->port, SWITCH_DROP_RUNT); /* no memory, in the middle of it */
	return send_back(skb, asker);
}

/* As answer_arp. A question of whether an address is free has no source, and is for all. */
static __noinline int
answer_nd(struct __sk_buff *skb, struct switch_port_row *asker)
{
	struct switch_owner_key key = { 0 };
	struct switch_port_row *owner;
	struct answer_na na = { 0 };
	struct frame_ip6 ip;
	__u8 type;

	if (!asker || !frame_read(skb, ETH_HLEN, &ip) || ip.next != IP6_ICMP || ip.hops != 255 || ip6_is_any(ip.src.b))
		return -1;
	if (!frame_read_at(skb, 54, &type) || type != ND_SOLICIT || skb->len < NS_BYTES || skb->len > NA_BYTES ||
	    !frame_read_at(skb, 62, &na.target))
		return -1;
	key.segment = asker->segment;
	key.vid = asker->vid;
	key.family = 6;
	__builtin_memcpy(key.addr, na.target.b, sizeof(key.addr));
	owner = owner_of(asker, &key);
	if (!owner)
		return -1;
	na.src = na.target;
	na.dst = ip.src;
	na.len = bpf_htonl(NA_BYTES - 54);
	na.next = bpf_htonl(IP6_ICMP);
	na.type = ND_ADVERT;
	na.flags = bpf_htonl(NA_SOLICITED_OVERRIDE);
	na.option = ND_OPTION_TARGET;
	na.option_len = 1;
	__builtin_memcpy(na.mac.b, owner->mac, 6);
	na.check = sum_of(&na);
	return answer_na(skb, asker, owner, &na);
}
