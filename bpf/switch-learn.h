/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Answers on their way to ports that learn their addresses: of DHCP servers and of routers. They
 * come from a wire, from the node, or from a port that may send them; guard() dropped all others.
 */
#include "switch-guard.h"

static __noinline void
learn(struct __sk_buff *skb, __u32 segment, __u32 vid, __u32 type, bool wire)
{
	struct ip6_chain c = { .off = ETH_HLEN + sizeof(struct frame_ip6) };
	struct frame_udp udp;
	struct frame_ip4 ip4;
	struct frame_ip6 ip6;
	__u32 off;
	struct nd_advert ra;

	if (type == bpf_htons(ETH_P_IP)) {
		if (!frame_read(skb, ETH_HLEN, &ip4) || ip4.protocol != IPPROTO_UDP_ ||
		    (bpf_ntohs(ip4.fragment) & (IP4_OFFSET | IP4_MORE)))
			return;
		off = ETH_HLEN + (ip4.version_ihl & 0xf) * 4;
		if (frame_read_at(skb, off, &udp) && udp.src == bpf_htons(67) && udp.dst == bpf_htons(68))
			learn_dhcp4(skb, segment, vid, off + sizeof(udp));
		return;
	}
	if (type != bpf_htons(ETH_P_IPV6) || !frame_read(skb, ETH_HLEN, &ip6))
		return;
	if (ip6.next == IP6_ICMP && ip6.hops == 255 && frame_read_at(skb, c.off, &ra) && ra.type == ND_ROUTER_ADVERT) {
		if (wire && is_link_local(ip6.src.b))
			learn_router(segment, vid, &ip6.src, bpf_ntohs(ra.lifetime));
		learn_prefixes(skb, segment, vid, c.off);
	}
	else if (ip6.next == IP6_UDP && frame_read_at(skb, c.off, &udp) && udp.src == bpf_htons(547) &&
		 udp.dst == bpf_htons(546))
		learn_dhcp6(skb, segment, vid, c.off + sizeof(udp));
}
