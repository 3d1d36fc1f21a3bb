// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copyright 2026 The Nereid authors */

/*
 * The switch: one program at each port, two at each uplink. A port's frames are looked at by
 * guard() first, which can only drop; what is left goes to the port its destination is registered
 * for, to all members of its domain, or to the uplink. Nothing of a port ever reaches the node's
 * stack but what is addressed to it on an uplink: a port that is not known drops all.
 */
#include "switch-forward.h"
#include "switch-answer.h"
#include "switch-dhcpd.h"
#include "switch-learn.h"

/* A broadcast or multicast of a port: to the members, up to the node, out to the wire. */
static __noinline int
group_from_port(struct __sk_buff *skb, struct switch_port_row *port, struct switch_segment_row *segment, __u64 at,
		__u32 priority)
{
	__u32 uplink = segment->uplink, number = port->port, vid = port->vid;
	__u32 count = domain_count(port->segment, vid);

	if (port->group_cost) {
		struct switch_clock_row *clock = bpf_map_lookup_elem(&clocks, &number);
		__u64 now = bpf_ktime_get_ns();
		__u64 cost = port->group_cost + count * GROUP_COPY_NS;

		if (clock && clock_advance(&clock->group_ns, now, cost * GROUP_BURST, cost) > now) {
			__sync_fetch_and_add(&clock->group_ns, -cost);
			return drop(skb, number, SWITCH_DROP_GROUP_RATE);
		}
	}
	flood(skb, port->segment, vid, skb->ifindex, count);
	if (!uplink)
		return TCX_DROP_; /* all who should have it have their copies */
	if (!tag(skb, vid))
		return drop(skb, number, SWITCH_DROP_VLAN);
	if (!segment->tunnel) {
		skb->mark = MARK_SWITCHED;
		bpf_clone_redirect(skb, uplink, BPF_F_INGRESS);
	}
	return to_wire(skb, uplink, at, priority);
}

/* A port that may answer as a DHCP server or a router; of others no such frame is left here. */
static __always_inline bool
teaches(const struct switch_port_row *port)
{
	return (port->protect & (SWITCH_ALLOW_RA | SWITCH_ALLOW_DHCP_SERVER)) ||
	       (port->protect & (SWITCH_IP_NOSPOOF | SWITCH_DHCP_NOSPOOF)) != (SWITCH_IP_NOSPOOF | SWITCH_DHCP_NOSPOOF);
}

static __always_inline int
answer(struct __sk_buff *skb, struct switch_port_row *port, __u32 type)
{
	if (type == bpf_htons(ETH_P_ARP))
		return answer_arp(skb, port);
	return type == bpf_htons(ETH_P_IPV6) ? answer_nd(skb, port) : -1;
}

SEC("tcx/ingress")
int
from_port(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct switch_port_row *port = bpf_map_lookup_elem(&ports, &ifindex);
	struct switch_segment_row *segment;
	struct switch_fdb_key key = { 0 };
	struct switch_fdb_row *to;
	struct frame_eth eth;
	__u64 bytes, at = 0;
	__u32 reason, priority, flow = 0;

	if (!port)
		return drop(skb, 0, SWITCH_DROP_NO_PORT);
	if (!frame_read(skb, 0, &eth))
		return drop(skb, port->port, SWITCH_DROP_RUNT);
	reason = guard(skb, port, &eth);
	if (reason == GUARD_ANSWER_DHCP4)
		return answer_dhcp4(skb, port);
	if (reason != SWITCH_DROP_NONE)
		return drop(skb, port->port, reason);
	segment = bpf_map_lookup_elem(&segments, &port->segment);
	if (!segment)
		return drop(skb, port->port, SWITCH_DROP_NO_PORT);

	bytes = frame_wire_bytes(skb);
	priority = port->priority;
	if (port->flows) {
		flow = flow_of(skb, port->flows, false);
		at = flow_pace(flow, bytes, false);
		if (at == ~0ull)
			return drop(skb, port->port, SWITCH_DROP_QUEUE);
		priority = flow_priority(flow, priority);
	}
	if (port->out_cost) {
		struct switch_clock_row *clock = bpf_map_lookup_elem(&clocks, &port->port);
		__u64 link_at = clock ? pace(&clock->out_ns, bpf_ktime_get_ns(), port->out_cost, bytes) : 0;

		if (link_at == ~0ull) {
			flow_unpace(flow, bytes, false);
			return drop(skb, port->port, SWITCH_DROP_QUEUE);
		}
		at = later(at, link_at);
	}
	if (flow)
		flow_count(flow, bytes, frame_count(skb), false);
	count_out(port->port, bytes, frame_count(skb));

	if (teaches(port))
		learn(skb, port->segment, port->vid, eth.type, false);
	if (eth.dst[0] & 1) {
		int r = segment->uplink ? -1 : answer(skb, port, eth.type);

		return r >= 0 ? r : group_from_port(skb, port, segment, at, priority);
	}
	key.segment = port->segment;
	key.vid = port->vid;
	__builtin_memcpy(key.mac, eth.dst, sizeof(key.mac));
	to = bpf_map_lookup_elem(&fdb, &key);
	if (to) {
		if (to->ifindex == ifindex)
			return drop(skb, port->port, SWITCH_DROP_HAIRPIN);
		return deliver(skb, to, at, priority, port->kind != SWITCH_KIND_NETKIT);
	}
	if (!segment->uplink)
		return drop(skb, port->port, SWITCH_DROP_UNKNOWN);
	if (too_big(skb, segment->mtu))
		return drop(skb, port->port, SWITCH_DROP_TOO_BIG);
	if (!tag(skb, port->vid))
		return drop(skb, port->port, SWITCH_DROP_VLAN);
	if (!segment->tunnel && mac_equal(eth.dst, segment->host_mac))
		return to_node(skb, segment->uplink);
	return to_wire(skb, segment->uplink, at, priority);
}

/* 01:80:c2:00:00:0x ends at the next device: spanning tree, LACP, LLDP, pause. */
static __always_inline bool
is_of_the_link(const __u8 *mac)
{
	const __u16 *m = (const __u16 *)mac;

	return m[0] == bpf_htons(0x0180) && m[1] == bpf_htons(0xc200) && (m[2] & bpf_htons(0xfff0)) == 0;
}

/* What an uplink carries, in either direction: ports get theirs, the rest goes on as it would. */
static __always_inline int
from_uplink(struct __sk_buff *skb, bool ingress)
{
	__u32 ifindex = skb->ifindex, vid = 0, count, tci = 0;
	bool tagged = skb->vlan_present;
	struct switch_uplink_row *uplink;
	struct switch_fdb_key key = { 0 };
	struct switch_fdb_row *to;
	struct frame_eth eth;
	int on = TCX_NEXT_;

	if (skb->mark == MARK_SWITCHED) {
		skb->mark = 0;
		return TCX_NEXT_;
	}
	uplink = bpf_map_lookup_elem(&uplinks, &ifindex);
	if (!uplink)
		return TCX_NEXT_;
	/* The node neither hears nor is heard on a tunnel: what is not for a port ends here. */
	if (uplink->tunnel)
		on = TCX_DROP_;
	if (!frame_read(skb, 0, &eth))
		return on;
	if (tagged) {
		if (skb->vlan_proto != bpf_htons(ETH_P_8021Q))
			return on;
		tci = skb->vlan_tci;
		vid = tci & 0xfff;
	}
	key.segment = uplink->segment;
	key.vid = vid;
	if (eth.dst[0] & 1) {
		if (is_of_the_link(eth.dst))
			return on;
		count = domain_count(uplink->segment, vid);
		if (count == 0)
			return on;
		if (ingress) {
			/* Our own broadcast, come back from a switch beyond: none of us shall hear it twice. */
			__builtin_memcpy(key.mac, eth.src, sizeof(key.mac));
			if (bpf_map_lookup_elem(&fdb, &key))
				return drop(skb, 0, SWITCH_DROP_LOOP);
		}
		learn(skb, key.segment, vid, eth.type, true);
		if (tagged)
			bpf_skb_vlan_pop(skb);
		flood(skb, key.segment, vid, ifindex, count);
		if (tagged && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), tci) != 0)
			return TCX_DROP_;
		return on;
	}
	if (ingress && mac_equal(eth.dst, uplink->host_mac))
		return on;
	__builtin_memcpy(key.mac, eth.dst, sizeof(key.mac));
	to = bpf_map_lookup_elem(&fdb, &key);
	if (!to)
		return on;
	if (to->protect & SWITCH_LEARN_ALL)
		learn(skb, key.segment, vid, eth.type, true);
	if (tagged)
		bpf_skb_vlan_pop(skb);
	return deliver(skb, to, 0, 0, ingress);
}

SEC("tcx/ingress")
int
from_wire(struct __sk_buff *skb)
{
	return from_uplink(skb, true);
}

SEC("tcx/egress")
int
from_host(struct __sk_buff *skb)
{
	return from_uplink(skb, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
