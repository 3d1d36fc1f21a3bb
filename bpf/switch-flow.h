/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Caps, and flows: which of a port's flows a frame is of, and what that means for when it may leave. A flow's cap is under
 * its port's: a frame has to wait for both.
 *
 * Functions that are not static are looked at by the kernel's verifier by themselves and once, not anew at each call; they
 * have a result whether one is wanted or not.
 */
#include "switch-count.h"

#define FLOW_EXTENSIONS 4 /* headers before the transport's that are looked behind */

/* When a frame of that size may leave or arrive; ~0: never, the queue is full. */
static __always_inline __u64
pace(__u64 *clock, __u64 now, __u64 cost_a_byte, __u64 bytes)
{
	__u64 cost = (bytes * cost_a_byte) >> SWITCH_COST_SHIFT;
	__u64 at = clock_advance(clock, now, 0, cost);

	if (at > now + SWITCH_HORIZON_NS) {
		__sync_fetch_and_add(clock, -cost);
		return ~0ull;
	}
	return at;
}

static __always_inline __u64
later(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

/* What a frame is told apart by. */
struct flow_frame {
	__u8 family;
	__u8 dsfield;
	__u8 transport;
	__u8 has_ports;         /* the datagram's first fragment, or all of it */
	__u32 ports_off;
	struct frame_addr6 local; /* of an IPv4 address the first four bytes */
	struct frame_addr6 remote;
};

static __always_inline bool
flow_read4(struct __sk_buff *skb, struct flow_frame *f, bool inbound)
{
	struct frame_ip4 ip;

	if (!frame_read(skb, ETH_HLEN, &ip))
		return false;
	f->family = 4;
	f->dsfield = ip.tos;
	f->transport = ip.protocol;
	f->has_ports = (ip.fragment & bpf_htons(0x1fff)) == 0;
	f->ports_off = ETH_HLEN + (ip.version_ihl & 0xf) * 4;
	*(__u32 *)f->local.b = inbound ? ip.dst : ip.src;
	*(__u32 *)f->remote.b = inbound ? ip.src : ip.dst;
	return true;
}

struct flow_extension {
	__u8 next;
	__u8 words;
	__u16 fragment;
};

static __always_inline bool
flow_read6(struct __sk_buff *skb, struct flow_frame *f, bool inbound)
{
	struct flow_extension e;
	struct frame_ip6 ip;

	if (!frame_read(skb, ETH_HLEN, &ip))
		return false;
	f->family = 6;
	f->dsfield = (__u8)(ip.version_class << 4 | ip.label[0] >> 4);
	f->transport = ip.next;
	f->has_ports = 1;
	f->ports_off = ETH_HLEN + sizeof(ip);
	f->local = inbound ? ip.dst : ip.src;
	f->remote = inbound ? ip.src : ip.dst;
	for (int i = 0; i < FLOW_EXTENSIONS; i++) {
		__u8 next = f->transport;

		/* Hop by hop, routing, fragment, destination options. */
		if (next != 0 && next != 43 && next != 44 && next != 60)
			break;
		if (!frame_read_at(skb, f->ports_off, &e))
			return true;
		f->transport = e.next;
		f->ports_off += next == 44 ? 8 : (e.words + 1) * 8;
		if (next == 44 && (e.fragment & bpf_htons(0xfff8))) {
			f->has_ports = 0;
			break;
		}
	}
	return true;
}

/* Which flow of that set a frame is of; 0: none. inbound: the port hears it, so what is local is where it goes. */
__noinline __u32
flow_of(struct __sk_buff *skb, __u32 flows, bool inbound)
{
	struct switch_flow_key key = { .bits = (sizeof(key) - sizeof(key.bits)) * 8, .set = flows };
	__u32 shape = flows >> SWITCH_FLOW_SHAPE_SHIFT, *number;
	struct flow_frame f = { 0 };
	__u16 type, tport;

	if (!frame_read_at(skb, ETH_HLEN - sizeof(type), &type))
		return 0;
	if (type == bpf_htons(ETH_P_IP) ? !flow_read4(skb, &f, inbound) :
	    type == bpf_htons(ETH_P_IPV6) ? !flow_read6(skb, &f, inbound) : true)
		return 0;
	switch (shape) {
	case SWITCH_FLOW_LOCAL_IP:
		key.data[0] = f.family;
		__builtin_memcpy(key.data + 1, f.local.b, sizeof(f.local.b));
		break;
	case SWITCH_FLOW_REMOTE_IP:
		key.data[0] = f.family;
		__builtin_memcpy(key.data + 1, f.remote.b, sizeof(f.remote.b));
		break;
	case SWITCH_FLOW_DSFIELD:
		key.data[1] = f.dsfield;
		break;
	case SWITCH_FLOW_TRANSPORT:
		key.data[1] = f.transport;
		break;
	default:
		/* The port of its sender is first. */
		if (((shape == SWITCH_FLOW_LOCAL_PORT) ^ inbound) == 0)
			f.ports_off += sizeof(tport);
		if (!f.has_ports || !frame_read_at(skb, f.ports_off, &tport))
			return 0;
		key.data[1] = f.transport;
		__builtin_memcpy(key.data + 2, &tport, sizeof(tport));
		break;
	}
	number = bpf_map_lookup_elem(&flow_keys, &key);
	return number ? *number : 0;
}

/* As pace; 0: it has no cap. */
__noinline __u64
flow_pace(__u32 flow, __u64 bytes, bool inbound)
{
	struct switch_flow_row *row = bpf_map_lookup_elem(&flow_rows, &flow);
	struct switch_flow_clock_row *clock = bpf_map_lookup_elem(&flow_clocks, &flow);
	struct switch_flow_count_row *count;
	__u64 at;

	if (!flow || !row || !clock || !row->cost)
		return 0;
	at = pace(inbound ? &clock->in_ns : &clock->out_ns, bpf_ktime_get_ns(), row->cost, bytes);
	if (at != ~0ull)
		return at;
	count = bpf_map_lookup_elem(&flow_counts, &flow);
	if (count && inbound)
		count->in_drops++;
	else if (count)
		count->out_drops++;
	return at;
}

/* Its port's cap let the frame go nowhere: its flow's has not been used. */
__noinline int
flow_unpace(__u32 flow, __u64 bytes, bool inbound)
{
	struct switch_flow_row *row = bpf_map_lookup_elem(&flow_rows, &flow);
	struct switch_flow_clock_row *clock = bpf_map_lookup_elem(&flow_clocks, &flow);

	if (flow && row && clock && row->cost)
		__sync_fetch_and_add(inbound ? &clock->in_ns : &clock->out_ns, -((bytes * row->cost) >> SWITCH_COST_SHIFT));
	return 0;
}

static __always_inline __u32
flow_priority(__u32 flow, __u32 priority)
{
	struct switch_flow_row *row = flow ? bpf_map_lookup_elem(&flow_rows, &flow) : 0;

	return row && row->has_priority ? row->priority : priority;
}

__noinline int
flow_count(__u32 flow, __u64 bytes, __u32 frames, bool inbound)
{
	struct switch_flow_count_row *row = bpf_map_lookup_elem(&flow_counts, &flow);

	if (!row)
		return 0;
	if (inbound) {
		row->in_frames += frames;
		row->in_bytes += bytes;
	} else {
		row->out_frames += frames;
		row->out_bytes += bytes;
	}
	return 0;
}
