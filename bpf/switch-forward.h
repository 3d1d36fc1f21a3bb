/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* Where frames go: one port, all of a domain, the uplink, the node's own stack. */
#include "switch-flow.h"

/*
 * Marks a frame that the switch itself sends through an uplink, in or out, so that the programs
 * there let it pass. Marks do not cross network namespaces, so no machine can set it; the node's
 * root can, and only takes frames of the node past the switch with it.
 */
#define MARK_SWITCHED 0x6e726473

#define VLAN_BYTES 4
/* A broadcast costs its sender what was set for it, and something for each of its copies. */
#define GROUP_BURST 256
#define GROUP_COPY_NS 2000

struct flood {
	struct __sk_buff *skb;
	__u32 segment;
	__u32 vid;
	__u32 self;
	__u32 frames;
	__u64 bytes;
};

static long
flood_one(__u64 slot, struct flood *f)
{
	struct switch_member_key key = { f->segment, f->vid, (__u32)slot };
	struct switch_member_row *member = bpf_map_lookup_elem(&members, &key);

	if (!member || member->ifindex == f->self)
		return 0;
	if (bpf_clone_redirect(f->skb, member->ifindex, 0) == 0)
		count_in(member->port, f->bytes, f->frames);
	return 0;
}

static __always_inline __u32
domain_count(__u32 segment, __u32 vid)
{
	struct switch_domain_key key = { segment, vid };
	struct switch_domain_row *domain = bpf_map_lookup_elem(&domains, &key);

	return domain ? domain->count : 0;
}

/* Copies to all members but self. */
static __always_inline void
flood(struct __sk_buff *skb, __u32 segment, __u32 vid, __u32 self, __u32 members_count)
{
	struct flood f = { skb, segment, vid, self, frame_count(skb), frame_wire_bytes(skb) };

	if (members_count > SWITCH_PORTS_MAX)
		members_count = SWITCH_PORTS_MAX;
	bpf_loop(members_count, flood_one, &f, 0);
}

/* Larger than what may go there. Of large ones that will be cut, their pieces are: a guest says how large. */
static __always_inline bool
too_big(const struct __sk_buff *skb, __u32 mtu)
{
	if (mtu == 0)
		return false;
	return skb->gso_size != 0 ? skb->gso_size > mtu : skb->len > mtu + ETH_HLEN + VLAN_BYTES;
}

/*
 * To the port an address is. at: when a paced frame may leave, 0 when its sender is not capped;
 * ingress: whether this runs where frames come in, which bpf_redirect_peer demands; a netkit's program runs where they leave.
 */
static __always_inline int
deliver(struct __sk_buff *skb, const struct switch_fdb_row *to, __u64 at, __u32 priority, bool ingress)
{
	__u64 bytes = frame_wire_bytes(skb), in;
	__u32 flow = 0;

	if (too_big(skb, to->mtu))
		return drop(skb, to->port, SWITCH_DROP_TOO_BIG);
	if (to->flows) {
		flow = flow_of(skb, to->flows, true);
		in = flow_pace(flow, bytes, true);
		if (in == ~0ull)
			return drop(skb, to->port, SWITCH_DROP_QUEUE);
		at = later(at, in);
		priority = flow_priority(flow, priority);
	}
	if (to->in_cost) {
		struct switch_clock_row *clock = bpf_map_lookup_elem(&clocks, &to->port);

		in = clock ? pace(&clock->in_ns, bpf_ktime_get_ns(), to->in_cost, bytes) : 0;
		if (in == ~0ull) {
			flow_unpace(flow, bytes, true);
			return drop(skb, to->port, SWITCH_DROP_QUEUE);
		}
		at = later(at, in);
	}
	if (flow)
		flow_count(flow, bytes, frame_count(skb), true);
	count_in(to->port, bytes, frame_count(skb));
	bpf_skb_change_type(skb, 0 /* PACKET_HOST */);
	if (at == 0 && ingress && (to->flags & SWITCH_TO_PEER))
		return bpf_redirect_peer(to->ifindex, 0);
	if (at != 0)
		bpf_skb_set_tstamp(skb, at, BPF_SKB_TSTAMP_DELIVERY_MONO);
	skb->priority = priority;
	return bpf_redirect(to->ifindex, 0);
}

static __always_inline bool
tag(struct __sk_buff *skb, __u32 vid)
{
	return vid == 0 || bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vid) == 0;
}

/* Out to the wire, or up to the node's own stack: the caller has taken care of all else. */
static __always_inline int
to_wire(struct __sk_buff *skb, __u32 uplink, __u64 at, __u32 priority)
{
	skb->mark = MARK_SWITCHED;
	if (at != 0)
		bpf_skb_set_tstamp(skb, at, BPF_SKB_TSTAMP_DELIVERY_MONO);
	skb->priority = priority;
	return bpf_redirect(uplink, 0);
}

static __always_inline int
to_node(struct __sk_buff *skb, __u32 uplink)
{
	skb->mark = MARK_SWITCHED;
	return bpf_redirect(uplink, BPF_F_INGRESS);
}
