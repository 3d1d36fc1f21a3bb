/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Neighbour discovery: the MAC that a message ties to an address is the port's, the address too.
 * Addresses that machines make themselves are learned from the question whether anybody has
 * them, where a router that may has announced their prefix.
 */
#include "switch-cid.h"

#define ND_OPTIONS_MAX 16

enum {
	ND_ROUTER_SOLICIT = 133,
	ND_ROUTER_ADVERT = 134,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_REDIRECT = 137,
};

enum {
	ND_OPTION_SOURCE = 1,
	ND_OPTION_TARGET = 2,
	ND_OPTION_PREFIX = 3,
};

#define ND_PREFIX_AUTONOMOUS 0x40
#define ND_FOREVER 0xffffffffu

static __always_inline bool
is_nd(__u32 type)
{
	return type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT;
}

/* The option that says a MAC, and where the options begin. */
static __always_inline __u32
nd_option_of(__u32 type)
{
	return type == ND_ADVERT ? ND_OPTION_TARGET : type == ND_REDIRECT ? 0 : ND_OPTION_SOURCE;
}

static __always_inline __u32
nd_fixed(__u32 type)
{
	return type == ND_ROUTER_SOLICIT ? 8 : type == ND_ROUTER_ADVERT ? 16 : type == ND_REDIRECT ? 40 : 24;
}

struct nd_option {
	__u8 type, len;
	struct frame_mac mac;
};

static __always_inline __u32
guard_nd_options(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, __u32 wanted)
{
	struct nd_option option;
	__u32 head;

	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		if (off + 2 > skb->len)
			return SWITCH_DROP_NONE;
		if (!frame_read_at(skb, off, &option))
			return SWITCH_DROP_ND_OPTION; /* every option has 8 bytes at least */
		if (option.len == 0)
			return SWITCH_DROP_ND_OPTION;
		head = option.type;
		if (head == wanted && (option.len != 1 || !own_mac(port, option.mac.b)))
			return SWITCH_DROP_ND_OPTION;
		off += option.len * 8;
	}
	return SWITCH_DROP_ND_OPTION;
}

/* Whoever asks first whether an address is taken has it, if its prefix was announced. */
static __always_inline void
learn_slaac(struct switch_port_row *port, const struct frame_addr6 *target)
{
	struct switch_owner_key owner = { 0 };

	if (!prefix_announced(port->segment, port->vid, target->b))
		return;
	owner.segment = port->segment;
	owner.vid = port->vid;
	owner.family = 6;
	__builtin_memcpy(owner.addr, target->b, sizeof(owner.addr));
	owner_claim(port->port, &owner, SWITCH_OF_PREFIX, 0);
}

static __noinline __u32
guard_nd(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, __u32 type, bool unspecified)
{
	struct frame_addr6 target;

	if (!port)
		return SWITCH_DROP_NONE;
	if (type == ND_ROUTER_ADVERT && !(port->protect & SWITCH_ALLOW_RA))
		return SWITCH_DROP_RA;
	if (type == ND_REDIRECT)
		return port->protect & SWITCH_ALLOW_REDIRECT ? SWITCH_DROP_NONE : SWITCH_DROP_REDIRECT;
	if (type == ND_SOLICIT || type == ND_ADVERT) {
		if (!frame_read_at(skb, off + 8, &target))
			return SWITCH_DROP_ND_TARGET;
		if (type == ND_SOLICIT && unspecified && (port->protect & SWITCH_LEARN_SLAAC))
			learn_slaac(port, &target);
		if (type == ND_ADVERT && !own_ip6(port, &target))
			return SWITCH_DROP_ND_TARGET;
	}
	return guard_nd_options(skb, port, off + nd_fixed(type), nd_option_of(type));
}

struct nd_advert {
	__u8 type, code;
	__u16 check;
	__u8 hops, flags;
	__u16 lifetime;   /* seconds */
};

struct nd_prefix {
	__u8 type, len, bits, flags;
	__u32 valid;
	__u32 preferred;
	__u32 reserved;
	__u8 prefix[8];
};

/* A router on the wire has its address for as long as it says it is one. */
static __always_inline void
learn_router(__u32 segment, __u32 vid, const struct frame_addr6 *src, __u32 seconds)
{
	struct switch_owner_row row = { .how = SWITCH_OF_LEASE };
	struct switch_owner_key key = { .segment = segment, .vid = vid, .family = 6 };
	struct switch_owner_row *has;

	__builtin_memcpy(key.addr, src->b, sizeof(key.addr));
	row.used_ns = bpf_ktime_get_ns();
	row.until_ns = row.used_ns + seconds * 1000000000ull;
	has = bpf_map_lookup_elem(&owners, &key);
	if (!has || (has->port == 0 && has->how != SWITCH_OF_STATIC))
		bpf_map_update_elem(&owners, &key, &row, BPF_ANY);
}

/* A router advertisement on its way to ports, from where one may come from. */
static __noinline void
learn_prefixes(struct __sk_buff *skb, __u32 segment, __u32 vid, __u32 off)
{
	struct switch_announced_key key = { .segment = segment, .vid = vid };
	struct switch_announced_row row;
	struct nd_prefix p;
	__u32 seconds;

	off += 16;
	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		struct {
			__u8 type, len;
		} option;

		if (!frame_read_at(skb, off, &option) || option.len == 0)
			return;
		if (option.type == ND_OPTION_PREFIX && option.len == 4 && frame_read_at(skb, off, &p) &&
		    p.bits == 64 && (p.flags & ND_PREFIX_AUTONOMOUS) && p.prefix[0] != 0xfe && p.prefix[0] != 0xff) {
			seconds = bpf_ntohl(p.valid);
			__builtin_memcpy(key.prefix, p.prefix, sizeof(key.prefix));
			row.until_ns = seconds == ND_FOREVER ? 0 :
							      bpf_ktime_get_ns() + seconds * 1000000000ull;
			bpf_map_update_elem(&announced, &key, &row, BPF_ANY);
		}
		off += option.len * 8;
	}
}
