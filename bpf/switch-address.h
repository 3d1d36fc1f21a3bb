/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* Whether an address is a port's: its MACs, what is allowed to it, what was learned of it. */
#include "switch-count.h"

/* The port's address or one of its secondary ones, which are registered like it. */
static __always_inline bool
own_mac(struct switch_port_row *port, const __u8 *mac)
{
	struct switch_fdb_key key = { .segment = port->segment, .vid = port->vid };
	struct switch_fdb_row *row;

	if (mac_equal(mac, port->mac))
		return true;
	if (port->n_secondary == 0)
		return false;
	__builtin_memcpy(key.mac, mac, sizeof(key.mac));
	row = bpf_map_lookup_elem(&fdb, &key);
	return row && row->port == port->port;
}

#define USED_EVERY_NS 1000000000ull
#define IDLE_NS 600000000000ull /* after which a new address of the port may take an old one's slot */

static __always_inline bool
prefix_announced(__u32 segment, __u32 vid, const __u8 *addr)
{
	struct switch_announced_key key = { .segment = segment, .vid = vid };
	struct switch_announced_row *row;

	__builtin_memcpy(key.prefix, addr, sizeof(key.prefix));
	row = bpf_map_lookup_elem(&announced, &key);
	return row && (row->until_ns == 0 || row->until_ns > bpf_ktime_get_ns());
}

static __always_inline bool
still_owned(const struct switch_owner_key *key, const struct switch_owner_row *owner, __u64 now)
{
	if (owner->how == SWITCH_OF_PREFIX)
		return prefix_announced(key->segment, key->vid, key->addr);
	return owner->until_ns == 0 || owner->until_ns > now;
}

/* Learned, and still granted. */
static __always_inline bool
owned(struct switch_port_row *port, const struct switch_owner_key *key)
{
	struct switch_owner_row *owner = bpf_map_lookup_elem(&owners, key);
	__u64 now;

	if (!owner || owner->how == SWITCH_OF_STATIC || owner->port != port->port)
		return false;
	now = bpf_ktime_get_ns();
	if (!still_owned(key, owner, now))
		return false;
	if (now - owner->used_ns > USED_EVERY_NS)
		owner->used_ns = now;
	return true;
}

struct slot_search {
	__u32 port;
	__u32 best;       /* slot, ~0: none */
	__u64 oldest_ns;
	__u64 now;
};

/* A slot that is free or whose address is the port's no more, else the one used longest ago. */
static long
slot_look(__u64 slot, struct slot_search *s)
{
	struct switch_learned_key key = { .port = s->port, .slot = (__u32)slot };
	struct switch_owner_key *addr = bpf_map_lookup_elem(&learned, &key);
	struct switch_owner_row *owner;

	owner = addr ? bpf_map_lookup_elem(&owners, addr) : 0;
	if (!owner || owner->port != s->port || owner->how == SWITCH_OF_STATIC ||
	    !still_owned(addr, owner, s->now)) {
		s->best = (__u32)slot;
		s->oldest_ns = 0;
		return 1;
	}
	if (owner->used_ns < s->oldest_ns) {
		s->best = (__u32)slot;
		s->oldest_ns = owner->used_ns;
	}
	return 0;
}

/*
 * Makes an address a port's: renews what it has, takes what is nobody's or has run out, leaves what
 * is another's. A port has at most SWITCH_LEARNED_MAX; one not used for long makes room. False
 * when it is not the port's.
 */
static __noinline bool
owner_claim(__u32 number, const struct switch_owner_key *key, __u32 how, __u64 until)
{
	struct switch_owner_row row = { .port = number, .how = (__u16)how, .until_ns = until }, *has;
	struct slot_search search = { .port = number, .best = ~0u };
	struct switch_learned_key slot = { .port = number };
	struct switch_owner_key *old;
	__u64 now = bpf_ktime_get_ns();

	if (!key)
		return false;
	row.used_ns = now;
	has = bpf_map_lookup_elem(&owners, key);
	if (has && has->port == number) {
		if (has->how != SWITCH_OF_STATIC) {
			has->how = (__u16)how;
			has->until_ns = until;
			has->used_ns = now;
		}
		return true;
	}
	if (has && (has->how == SWITCH_OF_STATIC || still_owned(key, has, now)))
		return false;
	search.now = now;
	search.oldest_ns = now > IDLE_NS ? now - IDLE_NS : 0;
	bpf_loop(SWITCH_LEARNED_MAX, slot_look, &search, 0);
	if (search.best >= SWITCH_LEARNED_MAX) {
		count_drop(number, SWITCH_DROP_ADDRESS_TABLE); /* of the frame the caller says what becomes */
		return false;
	}
	slot.slot = search.best;
	old = bpf_map_lookup_elem(&learned, &slot);
	if (old) {
		struct switch_owner_key gone = *old;
		struct switch_owner_row *owner = bpf_map_lookup_elem(&owners, &gone);

		if (owner && owner->port == number && owner->how != SWITCH_OF_STATIC)
			bpf_map_delete_elem(&owners, &gone);
	}
	if (bpf_map_update_elem(&owners, key, &row, has ? BPF_ANY : BPF_NOEXIST) != 0)
		return false;
	bpf_map_update_elem(&learned, &slot, key, BPF_ANY);
	return true;
}

static __noinline bool
own_ip4(struct switch_port_row *port, __u32 addr)
{
	struct switch_allowed4_key key = { .bits = 64, .addr = addr };
	struct switch_owner_key owner = { 0 };

	if (!port)
		return false;
	if (addr == 0 || addr == port->ip4)
		return true;
	key.set = port->set;
	if (key.set && bpf_map_lookup_elem(&allowed4, &key))
		return true;
	if (!(port->protect & SWITCH_LEARN_DHCPV4))
		return false;
	owner.segment = port->segment;
	owner.vid = port->vid;
	owner.family = 4;
	*(__u32 *)owner.addr = addr;
	return owned(port, &owner);
}

/* fe80::/64 and the interface id that is made of the MAC. */
static __always_inline bool
is_eui64(const __u8 *addr, const __u8 *mac)
{
	return addr[8] == (mac[0] ^ 2) && addr[9] == mac[1] && addr[10] == mac[2] && addr[11] == 0xff &&
	       addr[12] == 0xfe && addr[13] == mac[3] && addr[14] == mac[4] && addr[15] == mac[5];
}

/* Whether the address is what another port makes of its MAC. */
static __always_inline bool
is_eui64_of_other(struct switch_port_row *port, const __u8 *addr)
{
	struct switch_fdb_key key = { .segment = port->segment, .vid = port->vid };
	struct switch_fdb_row *row;

	if (addr[11] != 0xff || addr[12] != 0xfe)
		return false;
	key.mac[0] = addr[8] ^ 2;
	key.mac[1] = addr[9];
	key.mac[2] = addr[10];
	key.mac[3] = addr[13];
	key.mac[4] = addr[14];
	key.mac[5] = addr[15];
	row = bpf_map_lookup_elem(&fdb, &key);
	return row && row->port != port->port;
}

static __always_inline bool
is_link_local(const __u8 *addr)
{
	const __u16 *a = (const __u16 *)addr;

	return a[0] == bpf_htons(0xfe80) && (a[1] | a[2] | a[3]) == 0;
}

/*
 * Link-local addresses: machines of today do not make them of the MAC, so the first to use one has
 * it, unless a router on the wire does. Else any machine could be everybody's router.
 */
static __always_inline bool
own_link_local(struct switch_port_row *port, struct switch_owner_key *key)
{
	if (is_eui64(key->addr, port->mac))
		return true;
	if ((port->protect & SWITCH_EUI64_ONLY) || is_eui64_of_other(port, key->addr))
		return false;
	return owned(port, key) || owner_claim(port->port, key, SWITCH_OF_USE, 0);
}

static __noinline bool
own_ip6(struct switch_port_row *port, const struct frame_addr6 *addr)
{
	struct switch_allowed6_key key = { .bits = 160 };
	struct switch_owner_key owner = { 0 };

	if (!port || !addr)
		return false;
	if (ip6_is_any(addr->b))
		return true;
	key.set = port->set;
	__builtin_memcpy(key.addr, addr->b, sizeof(key.addr));
	if (key.set && bpf_map_lookup_elem(&allowed6, &key))
		return true;
	owner.segment = port->segment;
	owner.vid = port->vid;
	owner.family = 6;
	__builtin_memcpy(owner.addr, addr->b, sizeof(owner.addr));
	if (is_link_local(addr->b))
		return own_link_local(port, &owner);
	if (!(port->protect & (SWITCH_LEARN_DHCPV6 | SWITCH_LEARN_SLAAC)))
		return false;
	return owned(port, &owner);
}
