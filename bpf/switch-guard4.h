/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* IPv4 and ARP. */
#include "switch-dhcp4.h"

#define IPPROTO_UDP_ 17
#define GUARD_ANSWER_DHCP4 (~0u) /* no reason to drop it: it is for the switch itself */
#define IP4_MORE 0x2000
#define IP4_OFFSET 0x1fff

/* UDP, wherever its header is; only the first fragment of a datagram has it. */
static __noinline __u32
guard_udp4(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, __u32 fragment)
{
	struct frame_udp udp;
	__u32 protect, reason;

	if (!port || (fragment & IP4_OFFSET))
		return SWITCH_DROP_NONE;
	protect = port->protect;
	if (!frame_read_at(skb, off, &udp)) {
		/* Cut before the ports, it may be anything. */
		if ((fragment & IP4_MORE) && (protect & SWITCH_DHCP_NOSPOOF))
			return SWITCH_DROP_DHCP_FRAGMENT;
		return protect & SWITCH_ALLOW_DHCP_SHORT || !(protect & SWITCH_DHCP_NOSPOOF) ? SWITCH_DROP_NONE :
											 SWITCH_DROP_IP4_HEADER;
	}
	if (!is_dhcp4(&udp))
		return SWITCH_DROP_NONE;
	if (fragment & IP4_MORE)
		return protect & SWITCH_DHCP_NOSPOOF ? SWITCH_DROP_DHCP_FRAGMENT : SWITCH_DROP_NONE;
	reason = guard_dhcp4(skb, port, off + sizeof(udp), udp.src == bpf_htons(67));
	if (reason == SWITCH_DROP_NONE && (protect & SWITCH_ANSWER_DHCPV4) && udp.src == bpf_htons(68) && udp.dst == bpf_htons(67))
		return GUARD_ANSWER_DHCP4;
	return reason;
}

static __always_inline __u32
guard_ip4(struct __sk_buff *skb, struct switch_port_row *port)
{
	struct frame_ip4 ip;
	__u32 header;

	if (!frame_read(skb, ETH_HLEN, &ip))
		return SWITCH_DROP_IP4_HEADER;
	header = (ip.version_ihl & 0xf) * 4;
	if ((ip.version_ihl >> 4) != 4 || header < sizeof(ip))
		return SWITCH_DROP_IP4_HEADER;
	if ((port->protect & SWITCH_IP_NOSPOOF) && ip.src != port->ip4 && !own_ip4(port, ip.src))
		return SWITCH_DROP_IP4_SOURCE;
	if (ip.protocol != IPPROTO_UDP_)
		return SWITCH_DROP_NONE;
	return guard_udp4(skb, port, ETH_HLEN + header, bpf_ntohs(ip.fragment));
}

/* Any operation; who is asked for is nobody's business. */
static __noinline __u32
guard_arp(struct __sk_buff *skb, struct switch_port_row *port)
{
	struct frame_arp arp;
	struct frame_mac sender;
	__u32 off = ETH_HLEN + sizeof(arp), addr, whole;

	if (!port || !frame_read(skb, ETH_HLEN, &arp))
		return SWITCH_DROP_ARP_HEADER;
	if ((arp.hardware_len != 6 && arp.hardware_len != 0) || arp.protocol_len != 4 ||
	    arp.protocol != bpf_htons(ETH_P_IP))
		return SWITCH_DROP_ARP_HEADER;
	whole = off + 2 * (arp.hardware_len + 4);
	if (skb->len < whole)
		return SWITCH_DROP_ARP_HEADER;
	if (arp.hardware_len == 6) {
		if (!frame_read_at(skb, off, &sender))
			return SWITCH_DROP_ARP_HEADER;
		if (!own_mac(port, sender.b))
			return SWITCH_DROP_ARP_MAC;
		off += 6;
	}
	if (!frame_read_at(skb, off, &addr))
		return SWITCH_DROP_ARP_HEADER;
	return own_ip4(port, addr) ? SWITCH_DROP_NONE : SWITCH_DROP_ARP_SOURCE;
}
