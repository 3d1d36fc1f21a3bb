/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * What a port may send. In illumos's order: MAC address, ethertype, addresses, DHCP; the first
 * that fails is the reason. Each function gives a reason, SWITCH_DROP_NONE for "may pass".
 */
#include "switch-guard4.h"
#include "switch-guard6.h"

static __always_inline bool
is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/*
 * 802.1Q of the port's own VLAN or of none is taken off; any other is another network, and so is one behind another, which
 * on a wire would be the first. The kernel takes the first one out of the frame before a veth's program, not before a
 * netkit's.
 */
static __always_inline __u32
guard_vlan(struct __sk_buff *skb, struct switch_port_row *port, struct frame_eth *eth)
{
	bool inside = is_tag(eth->type);
	__be16 proto = skb->vlan_proto, tci;
	__u32 vid = skb->vlan_tci & 0xfff;

	if (!skb->vlan_present && !inside)
		return SWITCH_DROP_NONE;
	if (inside) {
		if (skb->vlan_present || bpf_skb_load_bytes(skb, ETH_HLEN, &tci, sizeof(tci)) != 0)
			return SWITCH_DROP_VLAN;
		proto = eth->type;
		vid = bpf_ntohs(tci) & 0xfff;
	}
	if (proto != bpf_htons(ETH_P_8021Q) || (vid != 0 && vid != port->vid))
		return SWITCH_DROP_VLAN;
	if (bpf_skb_vlan_pop(skb) != 0 || skb->vlan_present)
		return SWITCH_DROP_VLAN;
	return !inside || (frame_read(skb, 0, eth) && !is_tag(eth->type)) ? SWITCH_DROP_NONE : SWITCH_DROP_VLAN;
}

static __always_inline __u32
guard(struct __sk_buff *skb, struct switch_port_row *port, struct frame_eth *eth)
{
	__u32 protect = port->protect, reason;

	if (eth->src[0] & 1)
		return SWITCH_DROP_GROUP_SOURCE;
	if ((protect & SWITCH_MAC_NOSPOOF) && !own_mac(port, eth->src))
		return SWITCH_DROP_MAC;
	reason = guard_vlan(skb, port, eth);
	if (reason != SWITCH_DROP_NONE)
		return reason;
	switch (eth->type) {
	case bpf_htons(ETH_P_IP):
		return protect & (SWITCH_IP_NOSPOOF | SWITCH_DHCP_NOSPOOF | SWITCH_ANSWER_DHCPV4) ? guard_ip4(skb, port) :
												    SWITCH_DROP_NONE;
	case bpf_htons(ETH_P_IPV6):
		return protect & (SWITCH_IP_NOSPOOF | SWITCH_DHCP_NOSPOOF) ? guard_ip6(skb, port) : SWITCH_DROP_NONE;
	case bpf_htons(ETH_P_ARP):
		return protect & SWITCH_IP_NOSPOOF ? guard_arp(skb, port) : SWITCH_DROP_NONE;
	default:
		return protect & SWITCH_RESTRICTED ? SWITCH_DROP_ETHERTYPE : SWITCH_DROP_NONE;
	}
}
