/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* Counting what passes and what is dropped, and samples of the latter. */
#include "switch-frame.h"

#define TCX_NEXT_ -1
#define TCX_PASS_ 0
#define TCX_DROP_ 2

#define SAMPLE_EVERY_NS 50000000ull /* of one port, in the long run */
#define SAMPLE_BURST 20

/*
 * When the next of something is due: clock has caught up with now, less what may be saved, and
 * has moved on by cost. Adds are atomic, so that no processor's share is lost.
 */
static __always_inline __u64
clock_advance(__u64 *clock, __u64 now, __u64 saved, __u64 cost)
{
	__u64 at = *(volatile __u64 *)clock;
	__u64 floor = now > saved ? now - saved : 0;

	if (at < floor)
		__sync_val_compare_and_swap(clock, at, floor); /* or another processor did */
	return __sync_fetch_and_add(clock, cost);
}

static __noinline void
sample(struct __sk_buff *skb, __u32 port, __u32 reason)
{
	struct switch_clock_row *clock = bpf_map_lookup_elem(&clocks, &port);
	struct switch_sample s = { 0 };
	__u32 len = skb->len;
	__u64 now, due;

	if (!clock)
		return;
	now = bpf_ktime_get_ns();
	due = clock_advance(&clock->sample_ns, now, SAMPLE_EVERY_NS * SAMPLE_BURST, SAMPLE_EVERY_NS);
	if (due > now) {
		__sync_fetch_and_add(&clock->sample_ns, -SAMPLE_EVERY_NS);
		return;
	}
	s.time_ns = now;
	s.port = port;
	s.ifindex = skb->ifindex;
	s.reason = reason;
	s.len = len;
	s.vid = skb->vlan_present ? skb->vlan_tci & 0xfff : 0;
	if (len > sizeof(s.bytes))
		len = sizeof(s.bytes);
	/* Two comparisons of one register: of the compiler's cleverer one older verifiers see nothing. */
	barrier_var(len);
	if (len > sizeof(s.bytes))
		return;
	barrier_var(len);
	if (len >= ETH_HLEN && bpf_skb_load_bytes(skb, 0, s.bytes, len) == 0)
		s.caught = len;
	bpf_ringbuf_output(&samples, &s, sizeof(s), 0);
}

/* Drops are rare, or an attack: one row for all processors. */
static __always_inline void
count_drop(__u32 port, __u32 reason)
{
	struct switch_drop_row *row = bpf_map_lookup_elem(&drops, &port);

	if (row && reason < SWITCH_DROP_MAX)
		__sync_fetch_and_add(&row->frames[reason], 1);
}

static __noinline int
drop(struct __sk_buff *skb, __u32 port, __u32 reason)
{
	count_drop(port, reason);
	sample(skb, port, reason);
	return TCX_DROP_;
}

static __always_inline void
count_out(__u32 port, __u64 bytes, __u32 frames)
{
	struct switch_count_row *row = bpf_map_lookup_elem(&counts, &port);

	if (row) {
		row->out_frames += frames;
		row->out_bytes += bytes;
	}
}

static __always_inline void
count_in(__u32 port, __u64 bytes, __u32 frames)
{
	struct switch_count_row *row = bpf_map_lookup_elem(&counts, &port);

	if (row) {
		row->in_frames += frames;
		row->in_bytes += bytes;
	}
}
