/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * What a port may send. In illumos's order: MAC address, ethertype, addresses, DHCP; the first
 * that fails is the reason. Each function gives a reason, SWITCH_DROP_NONE for "may pass".
 */
#include "switch-guard4.h"
#include "switch-guard6.h"

/* 802.1Q of the port's own VLAN or of none is taken off; any other is another network. */
static __always_inline __u32
guard_vlan(struct __sk_buff *skb, struct switch_port_row *port)
{
	__u32 vid;

	if (!skb->vlan_present)
		return SWITCH_DROP_NONE;
	vid = skb->vlan_tci & 0xfff;
	if (skb->vlan_proto != bpf_htons(ETH_P_8021Q) || (vid != 0 && vid != port->vid))
		return SWITCH_DROP_VLAN;
	return bpf_skb_vlan_pop(skb) == 0 ? SWITCH_DROP_NONE : SWITCH_DROP_VLAN;
}

static __always_inline __u32
guard(struct __sk_buff *skb, struct switch_port_row *port, const struct frame_eth *eth)
{
	__u32 protect = port->protect, reason;

	if (eth->src[0] & 1)
		return SWITCH_DROP_GROUP_SOURCE;
	if ((protect & SWITCH_MAC_NOSPOOF) && !own_mac(port, eth->src))
		return SWITCH_DROP_MAC;
	reason = guard_vlan(skb, port);
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
