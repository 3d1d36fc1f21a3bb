/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * The switch as DHCP server of a port: which address a port has is settled when the port is made, so its questions are
 * answered from one row, by whoever's processor they are on. They go no further than here.
 */
#include "switch-answer.h"
#include "switch-dhcp4.h"

#define DHCPD_BROADCAST 0x8000 /* of the flags: the client hears nothing else yet */

struct dhcpd_head {
	struct frame_eth eth;
	struct frame_ip4 ip;
	struct frame_udp udp;
} __attribute__((packed, aligned(2)));

#define DHCPD_BYTES (sizeof(struct dhcpd_head) + SWITCH_DHCP_BYTES)

/* The kind of answer; 0: none. */
static __always_inline __u32
dhcpd_kind(const struct switch_dhcp_row *row, const struct dhcp4_head *head, const struct dhcp4 *asked)
{
	__u32 wanted = asked->requested ? asked->requested : head->client;

	switch (asked->type) {
	case DHCP4_TYPE_DISCOVER:
		return DHCP4_TYPE_OFFER;
	case DHCP4_TYPE_REQUEST:
		if (asked->server && asked->server != row->server)
			return 0;
		return wanted == row->your ? DHCP4_TYPE_ACK : DHCP4_TYPE_NAK;
	case DHCP4_TYPE_INFORM:
		return DHCP4_TYPE_ACK;
	default:
		return 0;
	}
}

static __always_inline void
dhcpd_frame(struct dhcpd_head *f, const struct switch_port_row *asker, const struct switch_dhcp_row *row, bool broadcast)
{
	static const __u8 us[6] = { 0x06, 'd', 'h', 'c', 'p', '4' }; /* of nobody: a local address */
	struct frame_ip4 ip = {
		.version_ihl = 0x45,
		.len = bpf_htons(DHCPD_BYTES - ETH_HLEN),
		.ttl = 64,
		.protocol = IPPROTO_UDP_,
		.src = row->server,
		.dst = broadcast ? ~0u : row->your,
	};
	__u32 sum = (__u32)bpf_csum_diff(0, 0, (__be32 *)&ip, sizeof(ip), 0);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = (__u16)~sum;
	__builtin_memset(f, 0, sizeof(*f));
	__builtin_memcpy(f->eth.dst, asker->mac, 6);
	if (broadcast)
		__builtin_memset(f->eth.dst, 0xff, 6);
	__builtin_memcpy(f->eth.src, us, 6);
	f->eth.type = bpf_htons(ETH_P_IP);
	f->ip = ip;
	f->udp.src = bpf_htons(67);
	f->udp.dst = bpf_htons(68);
	f->udp.len = bpf_htons(sizeof(f->udp) + SWITCH_DHCP_BYTES); /* without a checksum, as IPv4 allows */
}

/* What differs from the row's answer. at: where it stands in the frame. */
static __always_inline int
dhcpd_fill(struct __sk_buff *skb, const struct dhcp4_head *head, __u32 kind, bool inform)
{
	static const __u8 end = DHCP4_OPTION_END;
	static const __u8 no_lease[6] = { 0 };
	__u32 at = sizeof(struct dhcpd_head), none = 0;
	__u8 type = kind;
	int r = bpf_skb_store_bytes(skb, at + 4, &head->xid, 4, 0);

	r |= bpf_skb_store_bytes(skb, at + 10, &head->flags, 2, 0);
	r |= bpf_skb_store_bytes(skb, at + SWITCH_DHCP_OPTIONS + 2, &type, 1, 0);
	if (kind == DHCP4_TYPE_ACK)
		r |= bpf_skb_store_bytes(skb, at + 12, &head->client, 4, 0);
	if (kind == DHCP4_TYPE_NAK || inform)
		r |= bpf_skb_store_bytes(skb, at + 16, &none, 4, 0);
	if (kind == DHCP4_TYPE_NAK)
		r |= bpf_skb_store_bytes(skb, at + SWITCH_DHCP_LEASE, &end, 1, 0);
	else if (inform)
		r |= bpf_skb_store_bytes(skb, at + SWITCH_DHCP_LEASE, no_lease, sizeof(no_lease), 0);
	return r;
}

static __noinline int
answer_dhcp4(struct __sk_buff *skb, struct switch_port_row *asker)
{
	struct switch_dhcp_row *row;
	struct dhcp4_head head;
	struct dhcpd_head f;
	struct dhcp4 asked;
	__u32 off, kind, number;
	__u8 version_ihl;

	if (!asker || !frame_read_at(skb, ETH_HLEN, &version_ihl))
		return TCX_DROP_;
	number = asker->port;
	count_out(number, frame_wire_bytes(skb), 1);
	row = bpf_map_lookup_elem(&dhcp, &number);
	off = ETH_HLEN + (version_ihl & 0xf) * 4 + sizeof(struct frame_udp);
	if (!row || !frame_read_at(skb, off, &head) || !mac_equal(head.mac.b, asker->mac))
		return TCX_DROP_;
	dhcp4_options(skb, off + DHCP4_FIXED, &asked);
	kind = asked.bad ? 0 : dhcpd_kind(row, &head, &asked);
	if (!kind)
		return TCX_DROP_;
	dhcpd_frame(&f, asker, row, (head.flags & bpf_htons(DHCPD_BROADCAST)) || kind == DHCP4_TYPE_NAK);
	if (bpf_skb_change_tail(skb, DHCPD_BYTES, 0) != 0 || bpf_skb_store_bytes(skb, 0, &f, sizeof(f), 0) != 0 ||
	    bpf_skb_store_bytes(skb, sizeof(f), row->packet, SWITCH_DHCP_BYTES, 0) != 0 ||
	    dhcpd_fill(skb, &head, kind, asked.type == DHCP4_TYPE_INFORM) != 0)
		return drop(skb, number, SWITCH_DROP_RUNT); /* no memory, in the middle of it */
	return send_back(skb, asker);
}
