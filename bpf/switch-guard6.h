/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* IPv6: the chain of headers, neighbour discovery, DHCPv6. */
#include "switch-dhcp6.h"
#include "switch-nd.h"

#define IP6_HEADERS_MAX 8
#define IP6_MORE 1
#define IP6_OFFSET 0xfff8

enum {
	IP6_HOP_BY_HOP = 0,
	IP6_UDP = 17,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AUTH = 51,
	IP6_ICMP = 58,
	IP6_DESTINATION = 60,
	IP6_MOBILITY = 135,
	IP6_HIP = 139,
	IP6_SHIM6 = 140,
};

/* Where a datagram's own protocol begins. */
struct ip6_chain {
	__u32 off;
	__u32 next;
	__u32 headers;    /* extension headers before it */
	__u32 fragment;   /* offset and more-flag as they stand in the fragment header */
	bool fragmented;
};

/*
 * False when the chain is cut before its end or longer than we look. A fragment that is not the
 * first has no more of it: next is then what the first one goes on with.
 */
static __always_inline bool
ip6_walk(struct __sk_buff *skb, struct ip6_chain *c)
{
	struct {
		__u8 next, len;
		__u16 offset;
	} h;

	for (int i = 0; i < IP6_HEADERS_MAX; i++) {
		switch (c->next) {
		case IP6_HOP_BY_HOP:
		case IP6_ROUTING:
		case IP6_DESTINATION:
		case IP6_MOBILITY:
		case IP6_HIP:
		case IP6_SHIM6:
		case IP6_AUTH:
		case IP6_FRAGMENT:
			break;
		default:
			return true;
		}
		if (!frame_read_at(skb, c->off, &h))
			return false;
		c->headers++;
		if (c->next == IP6_FRAGMENT) {
			c->fragmented = true;
			c->fragment = bpf_ntohs(h.offset);
			c->off += 8;
			c->next = h.next;
			if (c->fragment & IP6_OFFSET)
				return true;
			continue;
		}
		c->off += c->next == IP6_AUTH ? (h.len + 2) * 4 : (h.len + 1) * 8;
		c->next = h.next;
	}
	return false;
}

static __noinline __u32
guard_upper6(struct __sk_buff *skb, struct switch_port_row *port, const struct ip6_chain *c, bool unspecified)
{
	struct frame_udp udp;
	__u32 protect;
	__u8 type;

	if (!port || !c)
		return SWITCH_DROP_NONE;
	protect = port->protect;
	if (c->fragment & IP6_OFFSET)
		return SWITCH_DROP_NONE; /* without its first fragment, which was looked at, it is nothing */
	if (c->next == IP6_ICMP) {
		if (!(protect & SWITCH_IP_NOSPOOF))
			return SWITCH_DROP_NONE;
		if (!frame_read_at(skb, c->off, &type))
			return c->headers && !(protect & SWITCH_ALLOW_ND_HEADERS) ? SWITCH_DROP_IP6_HEADERS :
										   SWITCH_DROP_NONE;
		if (!is_nd(type))
			return SWITCH_DROP_NONE;
		if (c->headers && !(protect & SWITCH_ALLOW_ND_HEADERS))
			return SWITCH_DROP_ND_HEADERS;
		return guard_nd(skb, port, c->off, type, unspecified);
	}
	if (c->next != IP6_UDP)
		return SWITCH_DROP_NONE;
	if (!frame_read_at(skb, c->off, &udp)) {
		if (!(protect & SWITCH_DHCP_NOSPOOF) || (protect & SWITCH_ALLOW_DHCP_SHORT))
			return SWITCH_DROP_NONE;
		return c->fragmented ? SWITCH_DROP_DHCP_FRAGMENT : SWITCH_DROP_IP6_HEADERS;
	}
	if (!is_dhcp6(&udp))
		return SWITCH_DROP_NONE;
	if (c->fragment & IP6_MORE)
		return protect & SWITCH_DHCP_NOSPOOF ? SWITCH_DROP_DHCP_FRAGMENT : SWITCH_DROP_NONE;
	return guard_dhcp6(skb, port, c->off + sizeof(udp), udp.src == bpf_htons(547));
}

static __noinline __u32
guard_ip6(struct __sk_buff *skb, struct switch_port_row *port)
{
	struct ip6_chain c = { .off = ETH_HLEN + sizeof(struct frame_ip6) };
	struct frame_ip6 ip;

	if (!port)
		return SWITCH_DROP_NONE;
	if (!frame_read(skb, ETH_HLEN, &ip) || (ip.version_class >> 4) != 6)
		return SWITCH_DROP_IP6_HEADER;
	if ((port->protect & SWITCH_IP_NOSPOOF) && !own_ip6(port, &ip.src))
		return SWITCH_DROP_IP6_SOURCE;
	c.next = ip.next;
	if (!ip6_walk(skb, &c))
		return port->protect & SWITCH_ALLOW_ND_HEADERS ? SWITCH_DROP_NONE : SWITCH_DROP_IP6_HEADERS;
	return guard_upper6(skb, port, &c, ip6_is_any(ip.src.b));
}
