/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What a machine may send: each kind of frame, legal and hostile, under each setting of a port: through the program by
 * BPF_PROG_TEST_RUN, and sent by the machine itself, whatever kind of device its port is.
 */
#include <linux/if_tun.h>

#include "switch-frames.h"
#include "switch-world.h"

#define REDIRECTED 7 /* TCX_REDIRECT */
#define DROPPED 2

enum setting {
	FULL,    /* all protections and static addresses, as most machines have */
	DYNAMIC, /* all protections, no addresses */
	MAC,     /* mac-nospoof alone */
	NONE,    /* no protection */
	OPTED,   /* as FULL, with every opt-out and DHCP */
	SETTINGS,
};

static const char *const setting_names[SETTINGS] = { "full", "dynamic", "mac", "none", "opted" };

struct want {
	enum switch_drop reason[SETTINGS];
};

#define W(a, b, c, d, e)                                                                                \
	((struct want){ { SWITCH_DROP_##a, SWITCH_DROP_##b, SWITCH_DROP_##c, SWITCH_DROP_##d, SWITCH_DROP_##e } })
#define PASS W(NONE, NONE, NONE, NONE, NONE)
#define ALWAYS(x) W(x, x, x, x, x)
#define GUARDED(x) W(x, x, NONE, NONE, x)    /* by what is off with MAC and NONE */
#define STRICT(x) W(x, x, NONE, NONE, NONE)  /* where a port can be let off */
#define IF_STATIC(x) W(x, NONE, NONE, NONE, x)

static struct machine me, other, server;
static uint32_t stub;
static enum setting now;
static unsigned cases;
static int program;
static enum switch_kind kind = SWITCH_VETH; /* of `me` */
static bool for_real;

/* A netkit tells its sender that the frame was dropped. */
static int
sent_for_real(const struct machine *m)
{
	struct switch_counts before, after;
	ssize_t sent;

	CHECK_OK(switch_counts_read(sw, m->ifindex, &before, &err), err);
	sent = write(m->packets, frame, frame_len);
	CHECK(sent == (ssize_t)frame_len || (kind == SWITCH_NETKIT && errno == ENOBUFS));
	for (int i = 0; i < 1000; i++) {
		bool out;

		CHECK_OK(switch_counts_read(sw, m->ifindex, &after, &err), err);
		out = after.out_frames != before.out_frames;
		/* What finds nobody is counted as sent first, and a moment later as dropped. */
		if (out && memcmp(after.drops, before.drops, sizeof(after.drops)) == 0)
			CHECK_OK(switch_counts_read(sw, m->ifindex, &after, &err), err);
		if (memcmp(after.drops, before.drops, sizeof(after.drops)) != 0)
			return DROPPED;
		if (out)
			return REDIRECTED;
		(void)usleep(1000);
	}
	test_fail(__FILE__, __LINE__, "a frame of %zu bytes is lost", frame_len);
}

static int
run(const struct machine *m)
{
	struct __sk_buff ctx = { .ifindex = m->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (unsigned)frame_len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (for_real)
		return sent_for_real(m);
	if (bpf_prog_test_run_opts(program, &opts) == 0)
		return (int)opts.retval;
	/* IP that is shorter than its header is not run by newer kernels. */
	if (errno == EINVAL && frame_len < 14 + 40)
		return sent_for_real(m);
	test_fail(__FILE__, __LINE__, "a frame of %zu bytes, type %02x%02x: %s", frame_len, frame[12], frame[13],
		  strerror(errno));
}

static enum switch_drop
reason_of(unsigned ifindex, const uint64_t *before)
{
	struct switch_counts counts;

	CHECK_OK(switch_counts_read(sw, ifindex, &counts, &err), err);
	for (unsigned i = 0; i < SWITCH_DROP_MAX; i++)
		if (counts.drops[i] != before[i])
			return (enum switch_drop)i;
	return SWITCH_DROP_NONE;
}

/* What becomes of the frame, sent by that port. */
static enum switch_drop
sent_by(const struct machine *m)
{
	struct switch_counts before;
	enum switch_drop reason;
	int r;

	CHECK_OK(switch_counts_read(sw, m->ifindex, &before, &err), err);
	r = run(m);
	reason = reason_of(m->ifindex, before.drops);
	CHECK_INT(r, reason == SWITCH_DROP_NONE ? REDIRECTED : DROPPED);
	return reason;
}

static void
expect(const char *what, struct want want)
{
	enum switch_drop got = sent_by(&me);

	cases++;
	if (got != want.reason[now])
		test_fail(__FILE__, __LINE__, "%s, setting %s: %s, not %s", what, setting_names[now],
			  switch_drop_name(got), switch_drop_name(want.reason[now]));
}

static void
set(const struct machine *m, unsigned protect, bool addresses)
{
	struct switch_prefix allowed[] = {
		{ .family = AF_INET, .bits = 32 }, { .family = AF_INET, .bits = 24 },
		{ .family = AF_INET6, .bits = 128 }, { .family = AF_INET6, .bits = 64 },
	};
	struct switch_port_conf conf = world_conf(m, stub);

	CHECK(inet_pton(AF_INET, "10.0.0.2", allowed[0].addr) == 1);
	CHECK(inet_pton(AF_INET, "10.1.0.0", allowed[1].addr) == 1);
	CHECK(inet_pton(AF_INET6, "fd00::2", allowed[2].addr) == 1);
	CHECK(inet_pton(AF_INET6, "fd01::", allowed[3].addr) == 1);
	conf.kind = m->ifindex == me.ifindex ? kind : SWITCH_VETH;
	conf.protect = protect;
	conf.allowed = allowed;
	conf.n_allowed = addresses ? nrd_count(allowed) : 0;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
}

static void
link_layer(void)
{
	ip4("0.0.0.0", 6), zeros(20);
	expect("IPv4", PASS);
	memcpy(frame + 6, STRANGER, 6);
	expect("a foreign MAC", W(MAC, MAC, MAC, NONE, MAC));
	memcpy(frame + 6, OTHER, 6);
	expect("another machine's MAC", W(MAC, MAC, MAC, NONE, MAC));
	memcpy(frame + 6, EVERYBODY, 6);
	expect("a broadcast's MAC", ALWAYS(GROUP_SOURCE));
	memcpy(frame + 6, "\x03\x08\x20\x00\x00\x0a", 6);
	expect("a group's MAC", ALWAYS(GROUP_SOURCE));
	memcpy(frame + 6, "\0\0\0\0\0\0", 6);
	expect("no MAC", W(MAC, MAC, MAC, NONE, MAC));
	ip4("0.0.0.0", 6), memcpy(frame, ME, 6);
	expect("to itself", ALWAYS(HAIRPIN));
	memcpy(frame, STRANGER, 6);
	expect("to nobody", ALWAYS(UNKNOWN));
}

static void
ethertypes(void)
{
	static const struct {
		unsigned type;
		const char *what;
	} types[] = {
		{ 0x8035, "RARP" }, { 0x8100, "a tag of no VLAN before type 0" }, { 0x9100, "an old QinQ tag" },
		{ 0x8847, "MPLS" }, { 0x8848, "MPLS multicast" }, { 0x8863, "PPPoE discovery" },
		{ 0x8864, "PPPoE" }, { 0x888e, "EAPOL" }, { 0x88cc, "LLDP" }, { 0x8809, "LACP" },
		{ 0x88f7, "PTP" }, { 0x88e5, "MACsec" }, { 0x8808, "pause" }, { 0x8915, "RoCE" },
		{ 0x22f3, "TRILL" }, { 0x0026, "802.3, spanning tree" }, { 0x05dc, "802.3 of full length" },
		{ 0x0000, "type 0" }, { 0xffff, "type 0xffff" }, { 0x0801, "next to IPv4" },
	};

	for (size_t i = 0; i < nrd_count(types); i++) {
		eth(types[i].type), zeros(46);
		expect(types[i].what, GUARDED(ETHERTYPE));
	}
}

static void
tag_put(unsigned type, unsigned tci)
{
	memmove(frame + 16, frame + 12, frame_len - 12);
	frame[12] = (unsigned char)(type >> 8);
	frame[13] = (unsigned char)type;
	frame[14] = (unsigned char)(tci >> 8);
	frame[15] = (unsigned char)tci;
	frame_len += 4;
}

/* As a netkit's program sees them: in the frame. A tag is a way into another network, whatever else the port may. */
static void
tags(void)
{
	eth(0x8100), put16(5), put16(0x0800), zeros(46);
	expect("a tag in front of IPv4", ALWAYS(VLAN));
	eth(0x88a8), put16(5), put16(0x8100), put16(6), put16(0x0800), zeros(46);
	expect("two tags in front of IPv4", ALWAYS(VLAN));
	eth(0x88a8), zeros(46);
	expect("a service tag", ALWAYS(VLAN));
	eth(0x8100), put16(0), put16(0x8100), put16(5), put16(0x0800), zeros(46);
	expect("a VLAN behind a tag of none", ALWAYS(VLAN));
	eth(0x8100), put16(0), put16(0x88a8), put16(5), put16(0x0800), zeros(46);
	expect("a service tag behind a tag of no VLAN", ALWAYS(VLAN));
	ip4("10.0.0.2", 17), udp(1000, 53), tag_put(0x8100, 0);
	expect("a tag of no VLAN", W(NONE, IP4_SOURCE, NONE, NONE, NONE));
	ip4("10.0.0.3", 17), udp(1000, 53), tag_put(0x8100, 0xe000);
	expect("a neighbour's address behind a tag of no VLAN", GUARDED(IP4_SOURCE));
}

static void
ip4_sources(void)
{
	ip4("0.0.0.0", 17), udp(1000, 53);
	expect("from 0.0.0.0", PASS);
	ip4("10.0.0.2", 17), udp(1000, 53);
	expect("from the address", W(NONE, IP4_SOURCE, NONE, NONE, NONE));
	ip4("10.1.0.77", 1), zeros(8);
	expect("from an allowed prefix", W(NONE, IP4_SOURCE, NONE, NONE, NONE));
	ip4("10.1.1.77", 1), zeros(8);
	expect("next to an allowed prefix", GUARDED(IP4_SOURCE));
	ip4("10.0.0.3", 1), zeros(8);
	expect("from a neighbour's address", GUARDED(IP4_SOURCE));
	ip4("127.0.0.1", 1), zeros(8);
	expect("from loopback", GUARDED(IP4_SOURCE));
	ip4("255.255.255.255", 1), zeros(8);
	expect("from broadcast", GUARDED(IP4_SOURCE));
	ip4("224.0.0.1", 2), zeros(8);
	expect("from multicast", GUARDED(IP4_SOURCE));
	ip4_fragment("10.0.0.3", 17, 0x2000), zeros(40);
	expect("the first fragment from a neighbour's address", GUARDED(IP4_SOURCE));
	ip4_fragment("10.0.0.3", 17, 0x0010), zeros(40);
	expect("a later fragment from a neighbour's address", GUARDED(IP4_SOURCE));
	ip4_fragment("10.0.0.2", 17, 0x0010), zeros(40);
	expect("a later fragment", W(NONE, IP4_SOURCE, NONE, NONE, NONE));
	eth(0x0800), put16(0x4500), zeros(17);
	expect("IPv4 of 19 bytes", GUARDED(IP4_HEADER));
	eth(0x0800);
	expect("IPv4 of no bytes", GUARDED(IP4_HEADER));
	ip4("10.0.0.2", 6), frame[14] = 0x65;
	expect("version 6 as IPv4", GUARDED(IP4_HEADER));
	ip4("10.0.0.2", 6), frame[14] = 0x44;
	expect("a header of 16 bytes", GUARDED(IP4_HEADER));
}

static void
arps(void)
{
	for (unsigned op = 0; op <= 10; op++) {
		eth(0x0806), arp(op, ME, "0.0.0.0");
		expect("an ARP of any operation, probing", PASS);
		eth(0x0806), arp(op, ME, "10.0.0.3");
		expect("an ARP of any operation, for a neighbour's address", GUARDED(ARP_SOURCE));
	}
	eth(0x0806), arp(1, ME, "10.0.0.2");
	expect("ARP request", W(NONE, ARP_SOURCE, NONE, NONE, NONE));
	eth(0x0806), arp(2, ME, "10.0.0.2");
	expect("ARP reply", W(NONE, ARP_SOURCE, NONE, NONE, NONE));
	eth(0x0806), arp(2, OTHER, "10.0.0.2");
	expect("ARP with another's MAC", GUARDED(ARP_MAC));
	eth_to(OTHER, ME, 0x0806), arp(2, STRANGER, "0.0.0.0");
	expect("an ARP probe with a foreign MAC", GUARDED(ARP_MAC));
	eth(0x0806), arp(1, ME, "0.0.0.0"), frame_len -= 5;
	expect("ARP cut short", GUARDED(ARP_HEADER));
	eth(0x0806), zeros(7);
	expect("ARP of 7 bytes", GUARDED(ARP_HEADER));
	eth(0x0806), arp(1, ME, "0.0.0.0"), frame[18] = 8;
	expect("ARP with hardware addresses of 8 bytes", GUARDED(ARP_HEADER));
	eth(0x0806), arp(1, ME, "0.0.0.0"), frame[19] = 16;
	expect("ARP with protocol addresses of 16 bytes", GUARDED(ARP_HEADER));
	eth(0x0806), arp(1, ME, "0.0.0.0"), frame[16] = 0x86;
	expect("ARP for another protocol", GUARDED(ARP_HEADER));
	eth(0x0806), put16(1), put16(0x0800), put8(0), put8(4), put16(1), put_addr("10.0.0.3"), zeros(40);
	expect("ARP without hardware addresses, for a neighbour's", GUARDED(ARP_SOURCE));
	eth(0x0806), put16(1), put16(0x0800), put8(0), put8(4), put16(1), put_addr("0.0.0.0"), zeros(40);
	expect("ARP without hardware addresses, probing", PASS);
}

static void
ip6_sources(void)
{
	ip6("::", 58), icmp6(128);
	expect("from ::", PASS);
	ip6("fe80::8:20ff:fe00:a", 58), icmp6(128);
	expect("from the MAC's link-local", PASS);
	ip6("fe80::1234:5678:9abc:def0", 58), icmp6(128);
	expect("from a stable-privacy link-local", PASS);
	ip6("fe80:1::1", 58), icmp6(128);
	expect("from beyond fe80::/64", GUARDED(IP6_SOURCE));
	ip6("fd00::2", 6), zeros(20);
	expect("from the address", W(NONE, IP6_SOURCE, NONE, NONE, NONE));
	ip6("fd01::77", 6), zeros(20);
	expect("from an allowed prefix", W(NONE, IP6_SOURCE, NONE, NONE, NONE));
	ip6("fd00::3", 6), zeros(20);
	expect("from a neighbour's address", GUARDED(IP6_SOURCE));
	ip6("::1", 6), zeros(20);
	expect("from loopback", GUARDED(IP6_SOURCE));
	ip6("ff02::1", 6), zeros(20);
	expect("from multicast", GUARDED(IP6_SOURCE));
	ip6("::ffff:10.0.0.2", 6), zeros(20);
	expect("from a mapped IPv4 address", GUARDED(IP6_SOURCE));
	ip6("::", 58), frame_len = 14 + 39;
	expect("IPv6 of 39 bytes", GUARDED(IP6_HEADER));
	ip6("::", 58), frame[14] = 0x40;
	expect("version 4 as IPv6", GUARDED(IP6_HEADER));
}

static void
headers(void)
{
	ip6("fe80::1", 0), extension(58), icmp6(143);
	expect("a multicast listener report", PASS);
	ip6("fe80::1", 0), extension(6), zeros(20);
	expect("TCP behind hop-by-hop", PASS);
	ip6("fe80::1", 60), extension(58), neighbour(136, "fe80::1"), nd_option(2, OTHER);
	expect("ND behind destination options", W(ND_HEADERS, ND_HEADERS, NONE, NONE, ND_OPTION));
	ip6("fe80::1", 0), extension(60), extension(43), extension(58), neighbour(136, "fe80::1");
	expect("ND behind three headers", STRICT(ND_HEADERS));
	ip6("fe80::1", 44), fragment6(58, 1), neighbour(136, "fe80::1");
	expect("ND in a first fragment", STRICT(ND_HEADERS));
	ip6("fe80::1", 44), fragment6(58, 0), neighbour(136, "fe80::1");
	expect("ND in an atomic fragment", STRICT(ND_HEADERS));
	ip6("fe80::1", 44), fragment6(58, 8), zeros(40);
	expect("a later fragment", PASS);
	ip6("fe80::1", 44), fragment6(60, 1);
	expect("a first fragment that is cut in its headers", STRICT(IP6_HEADERS));
	ip6("fe80::1", 44), fragment6(58, 1);
	expect("a first fragment without its ICMP", STRICT(IP6_HEADERS));
	ip6("fe80::1", 60);
	for (int i = 0; i < 7; i++)
		extension(60);
	extension(58), neighbour(136, "fe80::1");
	expect("ND behind eight headers", STRICT(IP6_HEADERS));
	ip6("fe80::1", 51), put8(58), put8(4), zeros(22), neighbour(136, "fe80::1");
	expect("ND behind authentication", STRICT(ND_HEADERS));
	ip6("fe80::1", 50), zeros(40);
	expect("ESP", PASS);
	ip6("fe80::1", 59);
	expect("no next header", PASS);
}

static void
neighbours(void)
{
	ip6("fe80::1", 58), neighbour(135, "fd00::9"), nd_option(1, ME);
	expect("a solicitation", PASS);
	ip6("fe80::1", 58), neighbour(135, "fd00::9"), nd_option(1, OTHER);
	expect("a solicitation with another's MAC", GUARDED(ND_OPTION));
	ip6("::", 58), neighbour(135, "fe80::1");
	expect("a duplicate address probe", PASS);
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), nd_option(2, ME);
	expect("an advertisement", PASS);
	ip6("fe80::1", 58), neighbour(136, "fd00::2"), nd_option(2, ME);
	expect("an advertisement of the address", W(NONE, ND_TARGET, NONE, NONE, NONE));
	ip6("fe80::1", 58), neighbour(136, "fd00::3"), nd_option(2, ME);
	expect("an advertisement of a neighbour's address", GUARDED(ND_TARGET));
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), nd_option(2, OTHER);
	expect("an advertisement with another's MAC", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), nd_option(14, ME), nd_option(2, OTHER);
	expect("another's MAC in the second option", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), put16(0x0200), zeros(6);
	expect("an option of no length", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), put16(0x0202), put(ME, 6), zeros(8);
	expect("a MAC option of 16 bytes", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), neighbour(136, "fe80::1"), put16(0x0201), put(ME, 3);
	expect("an option cut short", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), icmp6(136), zeros(8);
	expect("an advertisement without a target", GUARDED(ND_TARGET));
	ip6("fe80::1", 58), neighbour(136, "fe80::1");
	for (int i = 0; i < 20; i++)
		nd_option(14, ME);
	expect("more options than are looked at", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), icmp6(133), nd_option(1, ME);
	expect("a router solicitation", PASS);
	ip6("fe80::1", 58), icmp6(133), nd_option(1, OTHER);
	expect("a router solicitation with another's MAC", GUARDED(ND_OPTION));
	ip6("fe80::1", 58), icmp6(134), zeros(8), nd_option(1, ME);
	expect("a router advertisement", STRICT(RA));
	ip6("fe80::1", 58), icmp6(134), zeros(8), nd_option(1, OTHER);
	expect("a router advertisement with another's MAC", W(RA, RA, NONE, NONE, ND_OPTION));
	ip6("fe80::1", 58), icmp6(137), zeros(32), nd_option(2, OTHER);
	expect("a redirect", STRICT(REDIRECT));
	ip6("fe80::1", 58), icmp6(1), zeros(8);
	expect("another ICMPv6 message", PASS);
}

static void
dhcp4_clients(void)
{
	discover(), end4();
	expect("a discover", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
	discover(), option4(61, "\x01" ME, 7), end4();
	expect("with the MAC as client id", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
	discover(), option4(61, "\x01" OTHER, 7), end4();
	expect("with another's MAC as client id", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	discover(), option4(61, "\0anything", 9), end4();
	expect("with any client id", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	discover(), option4(61, "\x01" ME, 7), option4(61, "\x01" OTHER, 7), end4();
	expect("with two client ids", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	discover(), option4(52, "\x03", 1), end4();
	expect("with options elsewhere", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	discover(), put8(61), put8(200), end4();
	expect("with an option beyond the end", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	ip4("0.0.0.0", 17), udp(68, 67), dhcp4(1, OTHER, 1, "0.0.0.0", 1), end4();
	expect("for another's MAC", W(DHCP_STATIC, DHCP_MAC, NONE, NONE, DHCP_MAC));
	ip4("0.0.0.0", 17), udp(4000, 67), dhcp4(1, OTHER, 1, "0.0.0.0", 1), end4();
	expect("for another's MAC, from another port", W(DHCP_STATIC, DHCP_MAC, NONE, NONE, DHCP_MAC));
	ip4("0.0.0.0", 17), udp(68, 67), zeros(100);
	expect("too short", STRICT(DHCP_SHORT));
	ip4("0.0.0.0", 17), udp(68, 67);
	expect("empty", STRICT(DHCP_SHORT));
	ip4("0.0.0.0", 17), zeros(6);
	expect("UDP cut short", STRICT(IP4_HEADER));
	ip4_fragment("0.0.0.0", 17, 0x2000), udp(68, 67), zeros(16);
	expect("in a first fragment", GUARDED(DHCP_FRAGMENT));
	ip4_fragment("0.0.0.0", 17, 0x2000), zeros(4);
	expect("a first fragment without its ports", GUARDED(DHCP_FRAGMENT));
	ip4_fragment("0.0.0.0", 17, 0x2000), udp(1000, 53), zeros(16);
	expect("a first fragment of something else", PASS);
	discover(), end4(), frame[14] = 0x46, memmove(frame + 38, frame + 34, frame_len - 34), frame_len += 4;
	expect("behind IP options", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
}

static void
dhcp4_servers(void)
{
	ip4("0.0.0.0", 17), udp(67, 68), dhcp4(2, OTHER, 1, "10.0.0.9", 2), end4();
	expect("an offer", STRICT(DHCP_SERVER));
	ip4("0.0.0.0", 17), udp(67, 68), dhcp4(2, ME, 1, "10.0.0.9", 5), end4();
	expect("an ack with the own MAC", STRICT(DHCP_SERVER));
	ip4("0.0.0.0", 17), udp(67, 67), dhcp4(1, ME, 1, "0.0.0.0", 1), end4();
	expect("from a relay's port", STRICT(DHCP_SERVER));
	ip4("0.0.0.0", 17), udp(1000, 68), dhcp4(2, ME, 1, "10.0.0.9", 5), end4();
	expect("an ack from another port", STRICT(DHCP_SERVER));
	ip4("0.0.0.0", 17), udp(68, 68), dhcp4(2, ME, 1, "10.0.0.9", 5), end4();
	expect("an ack from the clients' port", STRICT(DHCP_SERVER));
}

static void
dhcp6_both(void)
{
	static const char ll[] = "\0\x03\0\x01" ME, llt[] = "\0\x01\0\x01\x01\x02\x03\x04" ME, uuid[] = "\0\x04" "0123456789abcdef";
	static const char other_ll[] = "\0\x03\0\x01" OTHER;

	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), option6(1, ll, 10);
	expect("solicit, DUID-LL", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), option6(8, "\0\0", 2), option6(1, llt, 14);
	expect("solicit, DUID-LLT", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), option6(1, other_ll, 10);
	expect("solicit with another's DUID", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), option6(1, uuid, 18);
	expect("solicit with a DUID that is not listed", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), put16(1), put16(400), zeros(4);
	expect("an option beyond the end", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), dhcp6(11, 5);
	expect("information request without a DUID", W(DHCP_STATIC, NONE, NONE, NONE, NONE));
	ip6("fe80::1", 0), extension(17), udp(546, 547), dhcp6(1, 5), option6(1, other_ll, 10);
	expect("solicit with another's DUID behind a header", W(DHCP_STATIC, DHCP_CID, NONE, NONE, NONE));
	ip6("fe80::1", 17), udp(546, 547), zeros(2);
	expect("too short", STRICT(DHCP_SHORT));
	ip6("fe80::1", 44), fragment6(17, 1), udp(546, 547), dhcp6(1, 5);
	expect("in a first fragment", GUARDED(DHCP_FRAGMENT));
	ip6("fe80::1", 44), fragment6(17, 1), zeros(4);
	expect("a first fragment without its ports", STRICT(DHCP_FRAGMENT));
	ip6("fe80::1", 17), udp(547, 546), dhcp6(2, 5);
	expect("advertise", STRICT(DHCP_SERVER));
	ip6("fe80::1", 17), udp(546, 546), dhcp6(7, 5);
	expect("a reply from the clients' port", STRICT(DHCP_SERVER));
	ip6("fe80::1", 17), udp(546, 546), dhcp6(10, 5);
	expect("reconfigure", STRICT(DHCP_SERVER));
	ip6("fe80::1", 17), udp(547, 547), dhcp6(12, 5);
	expect("a relay's message", STRICT(DHCP_SERVER));
}

static void
under_each_setting(void)
{
	static const unsigned protect[SETTINGS] = {
		[FULL] = SWITCH_PROTECT_ALL,
		[DYNAMIC] = SWITCH_PROTECT_ALL,
		[MAC] = SWITCH_MAC_NOSPOOF,
		[NONE] = 0,
		[OPTED] = SWITCH_PROTECT_ALL | SWITCH_ALLOW_RA | SWITCH_ALLOW_REDIRECT | SWITCH_ALLOW_ND_HEADERS |
			  SWITCH_ALLOW_DHCP_SERVER | SWITCH_ALLOW_DHCP_SHORT | SWITCH_ALLOW_DHCP_CIDS |
			  SWITCH_LEARN_DHCPV4 | SWITCH_LEARN_DHCPV6,
	};
	static void (*const groups[])(void) = {
		link_layer, ethertypes, tags, ip4_sources, arps, ip6_sources, headers, neighbours, dhcp4_clients,
		dhcp4_servers, dhcp6_both,
	};

	for (now = FULL; now < SETTINGS; now++) {
		set(&me, protect[now], now != DYNAMIC);
		cases = 0;
		for (size_t i = 0; i < nrd_count(groups); i++)
			groups[i]();
		(void)printf("# setting %s: %u frames\n", setting_names[now], cases);
	}
}

/* False: there is none here. */
static bool
tap_machine(struct machine *ret)
{
	struct ifreq req = { .ifr_name = "tap0", .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct machine guest = { .mac = WORLD_MAC(0xa), .packets = open("/dev/net/tun", O_RDWR | O_CLOEXEC) };

	if (guest.packets < 0)
		return false;
	CHECK(ioctl(guest.packets, TUNSETIFF, &req) == 0);
	guest.ifindex = if_nametoindex("tap0");
	*ret = guest;
	return true;
}

static bool
netkit_machine(struct machine *ret)
{
	struct machine m = { .netns = world_netns(), .mac = WORLD_MAC(0xa) };
	struct veth_conf conf = { .host = "k10", .name = "net0", .netns = m.netns, .mac = m.mac, .netkit = true };

	if (veth_create(&conf, &m.ifindex, &err) == -EOPNOTSUPP)
		return false;
	CHECK_OK(m.ifindex == 0 ? -EINVAL : 0, err);
	world_inside(&m);
	*ret = m;
	return true;
}

/* The same frames from the machine's own side, for each kind of device. */
static void
sent_by_itself(void)
{
	static bool (*const make[])(struct machine *ret) = { [SWITCH_TAP] = tap_machine, [SWITCH_NETKIT] = netkit_machine };
	static const char *const names[] = { "veth", "tap", "netkit" };
	struct machine was = me;

	for_real = true;
	(void)printf("# veth\n");
	under_each_setting();
	CHECK_OK(switch_port_remove(sw, was.ifindex, &err), err);
	for (kind = SWITCH_TAP; kind <= SWITCH_NETKIT; kind++) {
		bool here = make[kind](&me);

		(void)printf("# %s%s\n", names[kind], here ? "" : ": not here");
		if (!here)
			continue;
		set(&me, SWITCH_PROTECT_ALL, true);
		if (kind == SWITCH_NETKIT)
			settle(&me);
		under_each_setting();
		CHECK_OK(switch_port_remove(sw, me.ifindex, &err), err);
		CHECK_OK(link_delete(me.ifindex, &err), err);
	}
	for_real = false;
	kind = SWITCH_VETH;
	me = was;
	set(&me, SWITCH_PROTECT_ALL, true);
	settle(&me);
}

static void
eui64_only(void)
{
	set(&me, SWITCH_PROTECT_ALL | SWITCH_EUI64_ONLY, true);
	ip6("fe80::8:20ff:fe00:a", 58), icmp6(128);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip6("fe80::1234:5678:9abc:def0", 58), icmp6(128);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);
}

static void
listed_client_ids(void)
{
	struct switch_cid cids[] = {
		{ .len = 9, .bytes = "\0anything" }, { .len = 18, .bytes = "\0\x04" "0123456789abcdef" },
	};
	struct switch_port_conf conf = world_conf(&me, stub);

	conf.cids = cids;
	conf.n_cids = nrd_count(cids);
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	discover(), option4(61, "\0anything", 9), end4();
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	discover(), option4(61, "\0anythinf", 9), end4();
	CHECK_INT(sent_by(&me), SWITCH_DROP_DHCP_CID);
	discover(), option4(61, "\0anything\0", 10), end4();
	CHECK_INT(sent_by(&me), SWITCH_DROP_DHCP_CID);
	ip6("fe80::1", 17), udp(546, 547), dhcp6(1, 5), option6(1, "\0\x04" "0123456789abcdef", 18);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
}

/* A lease makes the address the machine's, its release takes it away; another's ack makes none. */
static void
leases(void)
{
	set(&me, SWITCH_PROTECT_ALL, false);
	ip4("10.0.0.9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP4_SOURCE);
	eth_to(ME, "\x02\x08\x20\x00\x00\x0c", 0);
	ip4("10.0.0.1", 17), udp(67, 68), dhcp4(2, ME, 77, "10.0.0.9", 5), end4();
	memcpy(frame, ME, 6), memcpy(frame + 6, server.mac.b, 6);
	CHECK_INT(sent_by(&server), SWITCH_DROP_NONE);
	ip4("10.0.0.9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP4_SOURCE);

	ip4("0.0.0.0", 17), udp(68, 67), dhcp4(1, ME, 77, "0.0.0.0", 3), end4();
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip4("10.0.0.1", 17), udp(67, 68), dhcp4(2, ME, 77, "10.0.0.9", 5), option4(51, "\0\0\x0e\x10", 4), end4();
	memcpy(frame, ME, 6), memcpy(frame + 6, server.mac.b, 6);
	CHECK_INT(sent_by(&server), SWITCH_DROP_NONE);
	ip4("10.0.0.9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	eth(0x0806), arp(1, ME, "10.0.0.9");
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip4("10.0.0.10", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP4_SOURCE);

	ip4("10.0.0.9", 17), udp(68, 67), dhcp4(1, ME, 78, "0.0.0.0", 7), end4();
	put_addr("0.0.0.0"), frame_len -= 4;
	CHECK(inet_pton(AF_INET, "10.0.0.9", frame + 14 + 20 + 8 + 12) == 1);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip4("10.0.0.9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP4_SOURCE);
}

static void
leases6(void)
{
	unsigned char ia[12 + 4 + 24] = { [13] = 5, [15] = 24 };

	set(&me, SWITCH_PROTECT_ALL, false);
	CHECK(inet_pton(AF_INET6, "fd00::9", ia + 16) == 1);
	ia[34] = ia[38] = 0x0e;
	ip6("fe80::1", 17), udp(546, 547), dhcp6(3, 99), option6(1, "\0\x03\0\x01" ME, 10);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip6("fe80::c", 17), udp(547, 546), dhcp6(7, 98), option6(3, ia, sizeof(ia));
	memcpy(frame, ME, 6), memcpy(frame + 6, server.mac.b, 6);
	CHECK_INT(sent_by(&server), SWITCH_DROP_NONE);
	ip6("fd00::9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);
	ip6("fe80::c", 17), udp(547, 546), dhcp6(7, 99), option6(3, ia, sizeof(ia));
	memcpy(frame, ME, 6), memcpy(frame + 6, server.mac.b, 6);
	CHECK_INT(sent_by(&server), SWITCH_DROP_NONE);
	ip6("fd00::9", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
}

/* An address made of an announced prefix is whose question for it came first. */
static void
autoconfiguration(void)
{
	set(&me, SWITCH_PROTECT_ALL, false);
	set(&other, SWITCH_PROTECT_ALL, false);
	ip6("::", 58), neighbour(135, "fd05::abcd");
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip6("fd05::abcd", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);

	ip6("fe80::c", 58), icmp6(134), zeros(8), put16(0x0304), put8(64), put8(0xc0), put32(3600), put32(3600), put32(0);
	put_addr("fd05::");
	memcpy(frame, ME, 6), memcpy(frame + 6, server.mac.b, 6);
	CHECK_INT(sent_by(&server), SWITCH_DROP_NONE);
	ip6("fd05::abcd", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);
	ip6("::", 58), neighbour(135, "fd05::abcd");
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip6("fd05::abcd", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);

	ip6("::", 58), neighbour(135, "fd05::abcd");
	memcpy(frame, ME, 6), memcpy(frame + 6, OTHER, 6);
	CHECK_INT(sent_by(&other), SWITCH_DROP_NONE);
	ip6("fd05::abcd", 6), zeros(20);
	memcpy(frame, ME, 6), memcpy(frame + 6, OTHER, 6);
	CHECK_INT(sent_by(&other), SWITCH_DROP_IP6_SOURCE);
	/* Not more of them than a machine may have. */
	for (int i = 0; i < SWITCH_LEARNED_MAX + 4; i++) {
		char addr[32];

		(void)snprintf(addr, sizeof(addr), "fd05::1:%d", i);
		ip6("::", 58), neighbour(135, addr);
		(void)run(&me);
	}
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_ADDRESS_TABLE), 8); /* four were learned before */
	ip6("fd05::1:11", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	ip6("fd05::1:12", 6), zeros(20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);
}

/* A link-local address is its first user's; what is made of a MAC is that port's always. */
static void
link_locals(void)
{
	/* A port that is made anew has learned nothing. */
	CHECK_OK(switch_port_remove(sw, me.ifindex, &err), err);
	set(&me, SWITCH_PROTECT_ALL, true);
	set(&other, SWITCH_PROTECT_ALL, true);
	ip6("fe80::77", 58), icmp6(128);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	memcpy(frame, ME, 6), memcpy(frame + 6, OTHER, 6);
	CHECK_INT(sent_by(&other), SWITCH_DROP_IP6_SOURCE);
	ip6("fe80::b", 58), neighbour(136, "fe80::77"), nd_option(2, OTHER);
	memcpy(frame, ME, 6), memcpy(frame + 6, OTHER, 6);
	CHECK_INT(sent_by(&other), SWITCH_DROP_ND_TARGET);
	ip6("fe80::8:20ff:fe00:b", 58), icmp6(128);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);
	memcpy(frame, ME, 6), memcpy(frame + 6, OTHER, 6);
	CHECK_INT(sent_by(&other), SWITCH_DROP_NONE);
}

/* ---- what a wire brings, and what the node says on it ---- */

#define NODE "\x02\x08\x20\x00\x00\x01"
#define GOES_ON (-1) /* TCX_NEXT */

static int
run_as(int which, unsigned ifindex)
{
	struct __sk_buff ctx = { .ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (unsigned)frame_len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);

	CHECK_INT(bpf_prog_test_run_opts(which, &opts), 0);
	return (int)opts.retval;
}

static uint64_t
heard(const struct machine *m)
{
	struct switch_counts counts;

	CHECK_OK(switch_counts_read(sw, m->ifindex, &counts, &err), err);
	return counts.in_frames;
}

/* A frame of so many bytes that one member hears, or that goes on, or both. */
static void
carried(int which, unsigned ifindex, const char *dst, const char *src, int verdict, unsigned copies)
{
	uint64_t before = heard(&me);

	ip4("10.0.0.1", 6), zeros(26);
	memcpy(frame, dst, 6), memcpy(frame + 6, src, 6);
	CHECK_INT(run_as(which, ifindex), verdict);
	CHECK_INT(heard(&me) - before, copies);
}

static void
uplinks(void)
{
	static const struct nrd_mac node_mac = WORLD_MAC(1);
	struct machine far = { .netns = world_netns(), .mac = node_mac };
	struct veth_conf conf = { .host = "far0", .name = "w0", .netns = node_netns, .mac = node_mac };
	unsigned w0;
	uint32_t wire;
	char path[128];
	int from_wire, from_host;

	world_enter(far.netns);
	CHECK_OK(veth_create(&conf, &far.ifindex, &err), err);
	name_up("far0");
	world_enter(node_netns);
	name_up("w0");
	w0 = if_nametoindex("w0");
	(void)snprintf(path, sizeof(path), "%s/programs/from_wire", world_dir);
	from_wire = bpf_obj_get(path);
	(void)snprintf(path, sizeof(path), "%s/programs/from_host", world_dir);
	from_host = bpf_obj_get(path);

	CHECK_OK(switch_segment_get(sw, "wire", &wire, &err), err);
	CHECK_FAILS(switch_uplink_attach(sw, wire, me.ifindex, &err), err, EBUSY, "UplinkInUse");
	CHECK_OK(switch_port_remove(sw, me.ifindex, &err), err);
	stub = wire;
	set(&me, SWITCH_PROTECT_ALL, true);
	CHECK_OK(switch_uplink_attach(sw, wire, w0, &err), err);
	CHECK_OK(switch_uplink_attach(sw, wire, w0, &err), err);
	CHECK_FAILS(switch_segment_remove(sw, wire, &err), err, EBUSY, "SegmentInUse");

	carried(from_wire, w0, NODE, STRANGER, GOES_ON, 0);
	carried(from_wire, w0, STRANGER, NODE, GOES_ON, 0);
	carried(from_wire, w0, ME, STRANGER, REDIRECTED, 1);
	carried(from_wire, w0, EVERYBODY, STRANGER, GOES_ON, 1);
	carried(from_wire, w0, EVERYBODY, ME, DROPPED, 0);
	CHECK_INT(dropped(0, SWITCH_DROP_LOOP), 1);
	carried(from_wire, w0, "\x01\x80\xc2\x00\x00\x0e", STRANGER, GOES_ON, 0);
	carried(from_wire, w0, "\x01\x80\xc2\x00\x00\x10", STRANGER, GOES_ON, 1);
	carried(from_host, w0, ME, NODE, REDIRECTED, 1);
	carried(from_host, w0, STRANGER, NODE, GOES_ON, 0);
	carried(from_host, w0, EVERYBODY, NODE, GOES_ON, 1);

	/* A machine: to the node, to the world, to all of them. */
	ip4("10.0.0.2", 6), zeros(26);
	memcpy(frame, NODE, 6);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	memcpy(frame, STRANGER, 6);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	memcpy(frame, EVERYBODY, 6);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);

	/* The address of a router on the wire is no machine's. */
	ip6("fe80::99", 58), put8(134), zeros(5), put16(1800), zeros(8);
	memcpy(frame, EVERYBODY, 6), memcpy(frame + 6, STRANGER, 6);
	CHECK_INT(run_as(from_wire, w0), GOES_ON);
	ip6("fe80::99", 58), icmp6(128);
	CHECK_INT(sent_by(&me), SWITCH_DROP_IP6_SOURCE);

	CHECK_OK(switch_uplink_detach(sw, wire, &err), err);
	carried(from_wire, w0, ME, STRANGER, GOES_ON, 0);
	ip4("10.0.0.2", 6), memcpy(frame, STRANGER, 6);
	CHECK_INT(sent_by(&me), SWITCH_DROP_UNKNOWN);
	CHECK_OK(switch_port_remove(sw, me.ifindex, &err), err);
	CHECK_OK(switch_segment_remove(sw, wire, &err), err);
	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	set(&me, SWITCH_PROTECT_ALL, true);
}

static void
sizes(void)
{
	struct switch_counts before;
	struct switch_port_conf conf = world_conf(&other, stub);

	conf.mtu = 576;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	set(&me, SWITCH_PROTECT_ALL, true);
	ip4("10.0.0.2", 6), zeros(576 - 20);
	CHECK_INT(sent_by(&me), SWITCH_DROP_NONE);
	zeros(5);
	CHECK_OK(switch_counts_read(sw, other.ifindex, &before, &err), err);
	CHECK_INT(run(&me), DROPPED);
	CHECK_INT(reason_of(other.ifindex, before.drops), SWITCH_DROP_TOO_BIG);
}

static void
not_a_port(void)
{
	struct switch_counts before;
	const struct machine lo = { .ifindex = if_nametoindex("lo") };

	CHECK_OK(switch_counts_read(sw, 0, &before, &err), err);
	ip4("0.0.0.0", 6), zeros(20);
	CHECK_INT(run(&lo), DROPPED);
	CHECK_INT(reason_of(0, before.drops), SWITCH_DROP_NO_PORT);
}

static void
samples(void)
{
	struct switch_samples *reader, *second;
	struct switch_sample sample;
	unsigned n = 0;

	set(&me, SWITCH_PROTECT_ALL, true);
	CHECK_OK(switch_samples_open(sw, &reader, &err), err);
	CHECK_FAILS(switch_samples_open(sw, &second, &err), err, EBUSY, "SamplesBusy");
	CHECK_INT(switch_samples_next(reader, &sample), 0);
	(void)usleep(1100000); /* until what a burst may have is saved up */
	ip4("10.0.0.3", 6), zeros(100);
	CHECK_INT(run(&me), DROPPED);
	CHECK_INT(switch_samples_next(reader, &sample), 1);
	CHECK_INT(sample.reason, SWITCH_DROP_IP4_SOURCE);
	CHECK_INT(sample.ifindex, me.ifindex);
	CHECK_INT(sample.len, frame_len);
	CHECK_INT(sample.caught, SWITCH_SAMPLE_BYTES);
	CHECK(memcmp(sample.bytes, frame, SWITCH_SAMPLE_BYTES) == 0);
	eth(0x88cc);
	CHECK_INT(run(&me), DROPPED);
	CHECK_INT(switch_samples_next(reader, &sample), 1);
	CHECK_INT(sample.caught, 14);
	/* A flood of them is sampled, not told. */
	for (int i = 0; i < 1000; i++)
		CHECK_INT(run(&me), DROPPED);
	while (switch_samples_next(reader, &sample) == 1)
		n++;
	CHECK(n >= 10 && n < 100);
	switch_samples_close(reader);
}

int
main(void)
{
	static void (*const tests[])(void) = {
		under_each_setting, eui64_only, listed_client_ids, leases, leases6, autoconfiguration, link_locals,
		sizes, sent_by_itself, not_a_port, samples, uplinks,
	};
	const char *refused = world_refused();
	char path[128];

	if (refused != NULL) {
		(void)printf("1..0 # SKIP %s\n", refused);
		return 0;
	}
	world_make();
	(void)snprintf(path, sizeof(path), "%s/programs/from_port", world_dir);
	program = bpf_obj_get(path);
	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	me = world_machine(0xa);
	other = world_machine(0xb);
	server = world_machine(0xc);
	set(&me, SWITCH_PROTECT_ALL, true);
	set(&other, SWITCH_PROTECT_ALL, false);
	set(&server, 0, false);
	settle(&me);
	return test_run(tests, nrd_count(tests),
			"under_each_setting, eui64_only, listed_client_ids, leases, leases6, autoconfiguration, link_locals, "
			"sizes, sent_by_itself, not_a_port, samples, uplinks");
}
