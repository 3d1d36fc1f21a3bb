/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/* What both DHCPs have in common: client ids, questions that wait, addresses that are granted. */
#include "switch-address.h"

#define PENDING_NS 60000000000ull

/* Whether a client id or DUID is one of those that are given in allowed-dhcp-cids. */
static __noinline bool
cid_listed(struct __sk_buff *skb, __u32 set, __u32 off, __u32 len)
{
	struct switch_cid_key *key;
	__u32 zero = 0;

	if (set == 0 || len == 0 || len > SWITCH_CID_BYTES)
		return false;
	key = bpf_map_lookup_elem(&scratch, &zero);
	if (!key)
		return false;
	__builtin_memset(key, 0, sizeof(*key));
	key->set = set;
	key->len = len;
	/* As in sample(). */
	barrier_var(len);
	if (len > SWITCH_CID_BYTES)
		return false;
	barrier_var(len);
	if (len < 1)
		return false;
	if (bpf_skb_load_bytes(skb, off, key->bytes, len) != 0)
		return false;
	return bpf_map_lookup_elem(&cids, key) != 0;
}

/* Type 1 (Ethernet) and the MAC, or one that is listed. */
static __noinline bool
cid4_allowed(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, __u32 len)
{
	struct {
		__u8 pad;
		__u8 type;
		struct frame_mac mac;
	} id = { 0 };

	if (!port)
		return false;
	if (len == 7 && bpf_skb_load_bytes(skb, off, &id.type, 7) == 0 && id.type == 1 && own_mac(port, id.mac.b))
		return true;
	return cid_listed(skb, port->set, off, len);
}

/* DUID-LLT and DUID-LL that end in the MAC, or one that is listed. */
static __noinline bool
duid_allowed(struct __sk_buff *skb, struct switch_port_row *port, __u32 off, __u32 len)
{
	struct frame_mac mac;
	__u16 type;

	if (!port)
		return false;
	if (frame_read_at(skb, off, &type) &&
	    ((type == bpf_htons(1) && len == 14) || (type == bpf_htons(3) && len == 10)) &&
	    frame_read_at(skb, off + len - 6, &mac) && own_mac(port, mac.b))
		return true;
	return cid_listed(skb, port->set, off, len);
}

static __noinline void
pending_add(struct switch_port_row *port, __u32 xid, __u32 family)
{
	struct switch_pending_key key = { 0 };
	struct switch_pending_row row = { 0 };

	if (!port)
		return;
	key.segment = port->segment;
	key.vid = port->vid;
	key.xid = xid;
	key.family = family;
	/* Answers are for this MAC, so nobody takes another's by asking with its number. */
	__builtin_memcpy(key.mac, port->mac, sizeof(key.mac));
	row.port = port->port;
	row.until_ns = bpf_ktime_get_ns() + PENDING_NS;
	bpf_map_update_elem(&pending, &key, &row, BPF_ANY);
}

/* What a port gives back is nobody's. */
static __noinline void
owner_remove(struct switch_port_row *port, const struct switch_owner_key *key)
{
	struct switch_owner_row *owner;

	if (!port || !key)
		return;
	owner = bpf_map_lookup_elem(&owners, key);
	if (owner && owner->how != SWITCH_OF_STATIC && owner->port == port->port)
		bpf_map_delete_elem(&owners, key);
}

/* The answer to a question: seconds of lease, 0 or ~0 for ever. */
static __noinline void
pending_grant(const struct switch_pending_key *asked, const struct switch_owner_key *key,
	      __u32 seconds)
{
	struct switch_pending_row *row;
	__u64 now = bpf_ktime_get_ns();

	if (!asked || !key)
		return;
	row = bpf_map_lookup_elem(&pending, asked);
	if (!row)
		return;
	if (row->until_ns > now)
		owner_claim(row->port, key, SWITCH_OF_LEASE,
			    seconds == 0 || seconds == ~0u ? 0 : now + (__u64)seconds * 1000000000ull);
	bpf_map_delete_elem(&pending, asked);
}
