/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Frames: their headers, read where they are when they are linear and copied when not. Nothing is
 * pulled: bpf_skb_pull_data would make each frame writable, which copies the head of every TCP
 * segment.
 */
#include <linux/if_ether.h>

#include "switch-maps.h"

struct frame_mac {
	__u8 b[6];
} __attribute__((aligned(2)));

struct frame_addr6 {
	__u8 b[16];
} __attribute__((aligned(8)));

struct frame_eth {
	__u8 dst[6];
	__u8 src[6];
	__u16 type;
};

struct frame_ip4 {
	__u8 version_ihl;
	__u8 tos;
	__u16 len;
	__u16 id;
	__u16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__u32 src;
	__u32 dst;
};

struct frame_ip6 {
	__u8 version_class;
	__u8 label[3];
	__u16 len;
	__u8 next;
	__u8 hops;
	struct frame_addr6 src;
	struct frame_addr6 dst;
};

struct frame_arp {
	__u16 hardware;
	__u16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__u16 op;
};

struct frame_udp {
	__u16 src;
	__u16 dst;
	__u16 len;
	__u16 check;
};

/*
 * Addresses stand at even places in all our structures, and the stack is read as it is aligned.
 *
 * off and sizeof(*(to)) are constants here; what is not linear is copied by the helper.
 */
#define frame_read(skb, off, to)                                                        \
	({                                                                              \
		void *data_ = (void *)(long)(skb)->data;                                \
		void *end_ = (void *)(long)(skb)->data_end;                             \
		bool read_ = true;                                                      \
		if (data_ + (off) + sizeof(*(to)) <= end_)                              \
			*(to) = *(__typeof__(to))(data_ + (off));                       \
		else                                                                    \
			read_ = bpf_skb_load_bytes((skb), (off), (to), sizeof(*(to))) == 0; \
		read_;                                                                  \
	})

/* For offsets that are found while reading. */
#define frame_read_at(skb, off, to) (bpf_skb_load_bytes((skb), (off), (to), sizeof(*(to))) == 0)

typedef _Bool bool;
#define true 1
#define false 0

static __always_inline bool
mac_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2])) == 0;
}

static __always_inline bool
ip6_is_any(const __u8 *addr)
{
	const __u64 *a = (const __u64 *)addr;

	return (a[0] | a[1]) == 0;
}

static __always_inline bool
ip6_equal(const __u8 *x, const __u8 *y)
{
	const __u64 *a = (const __u64 *)x, *b = (const __u64 *)y;

	return a[0] == b[0] && a[1] == b[1];
}

/* How many frames it is on a wire. A guest's says their size alone. */
static __always_inline __u32
frame_count(const struct __sk_buff *skb)
{
	__u32 size = skb->gso_size, n = skb->gso_segs;

	if (size == 0)
		return 1;
	return n != 0 ? n : (skb->len + size - 1) / size;
}

/* What each piece of a large one has in front of its payload. */
static __noinline __u32
frame_header_bytes(struct __sk_buff *skb)
{
	__u32 off = ETH_HLEN + sizeof(struct frame_ip6);
	/* Set, so that each path has a stack: the verifier of 6.18 mistakes one that has none yet for a bug of its own. */
	struct frame_ip4 ip = { 0 };
	__u8 next = 0, words = 0;

	if (!frame_read(skb, ETH_HLEN, &ip))
		return off;
	if ((ip.version_ihl >> 4) == 4) {
		off = ETH_HLEN + (ip.version_ihl & 0xf) * 4;
		next = ip.protocol;
	} else if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &next, 1) != 0) {
		return off;
	}
	if (next == 6 && bpf_skb_load_bytes(skb, off + 12, &words, 1) == 0)
		return off + (words >> 4) * 4;
	return off + 8;
}

/* Bytes as they are on a wire: each piece of a large one has its headers. */
static __always_inline __u64
frame_wire_bytes(struct __sk_buff *skb)
{
	__u64 bytes = skb->len;

	if (skb->gso_size != 0)
		bytes += (__u64)(frame_count(skb) - 1) * frame_header_bytes(skb);
	return bytes;
}
