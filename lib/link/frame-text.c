/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Each protocol is a function that takes its header off the bytes that are left, says one line of it and its fields, and
 * hands the rest to the next. What is cut short is said as far as it is there.
 */
#include "link/frame-text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "nrd/mem.h"
#include "nrd/str.h"

#define TAGS_MAX 4      /* of VLANs, one in another */
#define EXTENSIONS_MAX 8
#define NAME_MAX_ 64    /* bytes of a name in a DNS question */

struct bytes {
	const uint8_t *p;
	size_t len;
};

struct text {
	enum frame_text how;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	struct nrd_buf lines;  /* one a protocol */
	struct nrd_buf fields; /* one a field */
};

static const uint8_t *
take(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (b->len < n)
		return NULL;
	b->p += n;
	b->len -= n;
	return p;
}

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

__attribute__((format(printf, 3, 4))) static void
say(struct text *t, const char *protocol, const char *fmt, ...)
{
	va_list ap;

	(void)nrd_buf_printf(&t->lines, "%s ", protocol);
	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&t->lines, fmt, ap);
	va_end(ap);
	(void)nrd_buf_addc(&t->lines, '\n');
}

__attribute__((format(printf, 4, 5))) static void
field(struct text *t, const char *protocol, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (t->how != FRAME_VERBOSE)
		return;
	(void)nrd_buf_printf(&t->fields, "%s:  %s = ", protocol, name);
	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&t->fields, fmt, ap);
	va_end(ap);
	(void)nrd_buf_addc(&t->fields, '\n');
}

static void
cut(struct text *t, const char *protocol)
{
	say(t, protocol, "(cut short)");
	field(t, protocol, "Rest", "missing");
}

static void
mac_text(const uint8_t *mac, char ret[INET6_ADDRSTRLEN])
{
	(void)snprintf(ret, INET6_ADDRSTRLEN, "%x:%x:%x:%x:%x:%x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

struct word {
	unsigned value;
	const char *name;
};

/* The tables end with a name that is NULL. */
static const char *
word_of(const struct word *words, unsigned value)
{
	while (words->name != NULL && words->value != value)
		words++;
	return words->name;
}

/* ---- what UDP and TCP carry ---- */

static const struct word services[] = {
	{ 20, "FTP-DATA" }, { 21, "FTP" }, { 22, "SSH" }, { 23, "TELNET" }, { 25, "SMTP" }, { 53, "DNS" }, { 67, "DHCP" },
	{ 68, "DHCP" }, { 69, "TFTP" }, { 80, "HTTP" }, { 111, "PORTMAP" }, { 123, "NTP" }, { 161, "SNMP" }, { 179, "BGP" },
	{ 443, "HTTPS" }, { 514, "SYSLOG" }, { 546, "DHCPv6" }, { 547, "DHCPv6" }, { 2049, "NFS" }, { 3260, "iSCSI" },
	{ 4789, "VXLAN" }, { 5353, "mDNS" }, { 0, NULL },
};

/* The name in a question, as far as it is printable. */
static void
dns_name(struct bytes *b, char ret[NAME_MAX_])
{
	size_t n = 0;
	const uint8_t *length;

	while ((length = take(b, 1)) != NULL && *length > 0 && *length < 64) {
		const uint8_t *label = take(b, *length);

		if (label == NULL)
			break;
		for (size_t i = 0; i < *length && n < NAME_MAX_ - 2; i++)
			ret[n++] = isgraph(label[i]) ? (char)label[i] : '?';
		ret[n++] = '.';
		if (n >= NAME_MAX_ - 2)
			break;
	}
	ret[n] = '\0';
}

static void
dns(struct text *t, struct bytes b)
{
	static const struct word types[] = {
		{ 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" }, { 15, "MX" }, { 16, "TXT" }, { 28, "AAAA" },
		{ 33, "SRV" }, { 65, "HTTPS" }, { 255, "ANY" }, { 0, NULL },
	};
	const uint8_t *h = take(&b, 12), *type;
	char name[NAME_MAX_] = "";
	const char *what;
	bool answer;

	if (h == NULL)
		return;
	answer = (h[2] & 0x80) != 0;
	dns_name(&b, name);
	type = take(&b, 2);
	what = type != NULL ? word_of(types, be16(type)) : NULL;
	if (answer)
		say(t, "DNS", "R %s Error: %u, %u answers", name, h[3] & 0xfu, be16(h + 6));
	else
		say(t, "DNS", "C %s Internet %s ?", name, what != NULL ? what : "");
	field(t, "DNS", "Identifier", "%u", be16(h));
	field(t, "DNS", answer ? "Response to" : "Question", "%s %s", name, what != NULL ? what : "");
	field(t, "DNS", "Answers", "%u", be16(h + 6));
}

#define DHCP_FIXED 236

static void
dhcp4(struct text *t, struct bytes b)
{
	static const struct word types[] = {
		{ 1, "DISCOVER" }, { 2, "OFFER" }, { 3, "REQUEST" }, { 4, "DECLINE" }, { 5, "ACK" }, { 6, "NAK" }, { 7, "RELEASE" },
		{ 8, "INFORM" }, { 0, NULL },
	};
	const uint8_t *h = take(&b, DHCP_FIXED), *cookie = take(&b, 4), *code;
	const char *what = NULL;
	char mine[INET6_ADDRSTRLEN];

	if (h == NULL || cookie == NULL)
		return;
	while ((code = take(&b, 1)) != NULL && *code != 255) {
		const uint8_t *length = *code != 0 ? take(&b, 1) : NULL, *value;

		if (*code == 0)
			continue;
		value = length != NULL ? take(&b, *length) : NULL;
		if (value == NULL)
			break;
		if (*code == 53 && *length == 1)
			what = word_of(types, *value);
	}
	say(t, "DHCP/BOOTP", "%s", what != NULL ? what : h[0] == 1 ? "request" : "reply");
	field(t, "DHCP", "Message", "%s", what != NULL ? what : "none");
	field(t, "DHCP", "Transaction ID", "0x%08" PRIx32, be32(h + 4));
	(void)inet_ntop(AF_INET, h + 16, mine, sizeof(mine));
	field(t, "DHCP", "Your address", "%s", mine);
	mac_text(h + 28, mine);
	field(t, "DHCP", "Client hardware address", "%s", mine);
}

static void
dhcp6(struct text *t, struct bytes b)
{
	static const struct word types[] = {
		{ 1, "Solicit" }, { 2, "Advertise" }, { 3, "Request" }, { 4, "Confirm" }, { 5, "Renew" }, { 6, "Rebind" }, { 7, "Reply" },
		{ 8, "Release" }, { 9, "Decline" }, { 10, "Reconfigure" }, { 11, "Information-Request" }, { 12, "Relay-Forward" },
		{ 13, "Relay-Reply" }, { 0, NULL },
	};
	const uint8_t *h = take(&b, 4);
	const char *what;

	if (h == NULL)
		return;
	what = word_of(types, h[0]);
	say(t, "DHCPv6", "%s", what != NULL ? what : "message");
	field(t, "DHCPv6", "Message type", "%u %s", h[0], what != NULL ? what : "");
	field(t, "DHCPv6", "Transaction ID", "0x%06" PRIx32, be32(h) & 0xffffff);
}

/* By the lower of its ports, which is the one that is known. */
static void
service(struct text *t, unsigned source, unsigned dest, struct bytes b, bool udp)
{
	unsigned low = source < dest ? source : dest, port = word_of(services, low) != NULL ? low : source + dest - low;
	const char *name = word_of(services, port);

	if (name == NULL || b.len == 0)
		return;
	if (udp && (port == 53 || port == 5353))
		dns(t, b);
	else if (udp && (port == 67 || port == 68))
		dhcp4(t, b);
	else if (udp && (port == 546 || port == 547))
		dhcp6(t, b);
	else
		say(t, name, "%s port=%u", port == dest ? "C" : "R", port == dest ? source : dest);
}

static void
udp(struct text *t, struct bytes b, size_t whole)
{
	const uint8_t *h = take(&b, 8);

	(void)whole;
	if (h == NULL) {
		cut(t, "UDP");
		return;
	}
	say(t, "UDP", "D=%u S=%u LEN=%u", be16(h + 2), be16(h), be16(h + 4));
	field(t, "UDP", "Source port", "%u", be16(h));
	field(t, "UDP", "Destination port", "%u", be16(h + 2));
	field(t, "UDP", "Length", "%u", be16(h + 4));
	field(t, "UDP", "Checksum", "%04x", be16(h + 6));
	service(t, be16(h), be16(h + 2), b, true);
}

static void
tcp_flags(unsigned flags, uint32_t acked, struct nrd_buf *out)
{
	static const struct word names[] = {
		{ 0x02, "Syn" }, { 0x01, "Fin" }, { 0x04, "Rst" }, { 0x20, "Urg" }, { 0x08, "Push" }, { 0x40, "Ece" }, { 0x80, "Cwr" },
		{ 0, NULL },
	};

	for (const struct word *w = names; w->name != NULL; w++)
		if ((flags & w->value) != 0)
			(void)nrd_buf_printf(out, "%s ", w->name);
	if ((flags & 0x10) != 0)
		(void)nrd_buf_printf(out, "Ack=%" PRIu32 " ", acked);
}

static void
tcp(struct text *t, struct bytes b, size_t whole)
{
	NRD_AUTO(nrd_buf) flags = { 0 };
	const uint8_t *h = take(&b, 20);
	size_t header = h != NULL ? (size_t)(h[12] >> 4) * 4 : 0;

	if (h == NULL || header < 20) {
		cut(t, "TCP");
		return;
	}
	tcp_flags(h[13], be32(h + 8), &flags);
	say(t, "TCP", "D=%u S=%u %sSeq=%" PRIu32 " Len=%zu Win=%u", be16(h + 2), be16(h), nrd_buf_str(&flags), be32(h + 4),
	    whole > header ? whole - header : 0, be16(h + 14));
	field(t, "TCP", "Source port", "%u", be16(h));
	field(t, "TCP", "Destination port", "%u", be16(h + 2));
	field(t, "TCP", "Sequence number", "%" PRIu32, be32(h + 4));
	field(t, "TCP", "Acknowledgement number", "%" PRIu32, be32(h + 8));
	field(t, "TCP", "Data offset", "%zu bytes", header);
	field(t, "TCP", "Flags", "0x%02x %s", h[13], nrd_buf_str(&flags));
	field(t, "TCP", "Window", "%u", be16(h + 14));
	field(t, "TCP", "Checksum", "0x%04x", be16(h + 16));
	if (take(&b, header - 20) != NULL)
		service(t, be16(h), be16(h + 2), b, false);
}

static void
sctp(struct text *t, struct bytes b, size_t whole)
{
	const uint8_t *h = take(&b, 12);

	(void)whole;
	if (h == NULL) {
		cut(t, "SCTP");
		return;
	}
	say(t, "SCTP", "D=%u S=%u Tag=0x%08" PRIx32, be16(h + 2), be16(h), be32(h + 4));
	field(t, "SCTP", "Source port", "%u", be16(h));
	field(t, "SCTP", "Destination port", "%u", be16(h + 2));
}

/* ---- ICMP ---- */

static void
icmp(struct text *t, struct bytes b, size_t whole)
{
	static const struct word types[] = {
		{ 0, "Echo reply" }, { 3, "Destination unreachable" }, { 4, "Source quench" }, { 5, "Redirect" }, { 8, "Echo request" },
		{ 9, "Router advertisement" }, { 10, "Router solicitation" }, { 11, "Time exceeded" }, { 12, "Parameter problem" },
		{ 0, NULL },
	};
	const uint8_t *h = take(&b, 8);
	const char *what;

	(void)whole;
	if (h == NULL) {
		cut(t, "ICMP");
		return;
	}
	what = word_of(types, h[0]);
	if (h[0] == 0 || h[0] == 8)
		say(t, "ICMP", "%s (ID: %u Sequence number: %u)", what, be16(h + 4), be16(h + 6));
	else
		say(t, "ICMP", "%s (type %u code %u)", what != NULL ? what : "message", h[0], h[1]);
	field(t, "ICMP", "Type", "%u (%s)", h[0], what != NULL ? what : "unknown");
	field(t, "ICMP", "Code", "%u", h[1]);
	field(t, "ICMP", "Checksum", "%04x", be16(h + 2));
}

#define ND_SOLICIT 135
#define ND_ADVERT 136

static void
icmp6(struct text *t, struct bytes b, size_t whole)
{
	static const struct word types[] = {
		{ 1, "Destination unreachable" }, { 2, "Packet too big" }, { 3, "Time exceeded" }, { 4, "Parameter problem" },
		{ 128, "Echo request" }, { 129, "Echo reply" }, { 130, "Multicast listener query" }, { 131, "Multicast listener report" },
		{ 132, "Multicast listener done" }, { 133, "Router solicitation" }, { 134, "Router advertisement" },
		{ ND_SOLICIT, "Neighbor solicitation" }, { ND_ADVERT, "Neighbor advertisement" }, { 137, "Redirect" },
		{ 143, "Multicast listener report" }, { 0, NULL },
	};
	const uint8_t *h = take(&b, 8), *target;
	char text[INET6_ADDRSTRLEN];
	const char *what;

	(void)whole;
	if (h == NULL) {
		cut(t, "ICMPv6");
		return;
	}
	what = word_of(types, h[0]);
	target = h[0] == ND_SOLICIT || h[0] == ND_ADVERT ? take(&b, 16) : NULL;
	if (target != NULL && inet_ntop(AF_INET6, target, text, sizeof(text)) != NULL)
		say(t, "ICMPv6", "%s %s", what, text);
	else if (h[0] == 128 || h[0] == 129)
		say(t, "ICMPv6", "%s (ID: %u Sequence number: %u)", what, be16(h + 4), be16(h + 6));
	else
		say(t, "ICMPv6", "%s (type %u code %u)", what != NULL ? what : "message", h[0], h[1]);
	field(t, "ICMPv6", "Type", "%u (%s)", h[0], what != NULL ? what : "unknown");
	field(t, "ICMPv6", "Code", "%u", h[1]);
	if (target != NULL)
		field(t, "ICMPv6", "Target", "%s", text);
}

/* ---- IP ---- */

/* What is in a datagram; whole: as long as it was, from here on. */
static void
transport(struct text *t, unsigned protocol, struct bytes b, size_t whole)
{
	static const struct {
		unsigned protocol;
		void (*say)(struct text *t, struct bytes b, size_t whole);
	} known[] = {
		{ IPPROTO_ICMP, icmp }, { IPPROTO_TCP, tcp }, { IPPROTO_UDP, udp }, { IPPROTO_ICMPV6, icmp6 }, { IPPROTO_SCTP, sctp },
	};

	for (size_t i = 0; i < nrd_count(known); i++)
		if (known[i].protocol == protocol)
			known[i].say(t, b, whole);
}

static void
ip4(struct text *t, struct bytes b)
{
	const uint8_t *h = take(&b, 20);
	size_t header = h != NULL ? (size_t)(h[0] & 0xf) * 4 : 0, len;
	unsigned fragment;

	if (h == NULL || header < 20 || h[0] >> 4 != 4) {
		cut(t, "IP");
		return;
	}
	len = be16(h + 2);
	fragment = be16(h + 6);
	(void)inet_ntop(AF_INET, h + 12, t->from, sizeof(t->from));
	(void)inet_ntop(AF_INET, h + 16, t->to, sizeof(t->to));
	say(t, "IP", "D=%s S=%s LEN=%zu, ID=%u, TOS=0x%x, TTL=%u%s", t->to, t->from, len, be16(h + 4), h[1], h[8],
	    (fragment & 0x1fff) != 0 ? ", continuation of a datagram" : "");
	field(t, "IP", "Version", "4");
	field(t, "IP", "Header length", "%zu bytes", header);
	field(t, "IP", "Type of service", "0x%02x", h[1]);
	field(t, "IP", "Total length", "%zu bytes", len);
	field(t, "IP", "Identification", "%u", be16(h + 4));
	field(t, "IP", "Flags", "0x%x%s%s", fragment >> 13, (fragment & 0x4000) != 0 ? ", do not fragment" : "",
	      (fragment & 0x2000) != 0 ? ", more fragments" : "");
	field(t, "IP", "Fragment offset", "%u bytes", (fragment & 0x1fff) * 8);
	field(t, "IP", "Time to live", "%u seconds/hops", h[8]);
	field(t, "IP", "Protocol", "%u", h[9]);
	field(t, "IP", "Header checksum", "%04x", be16(h + 10));
	field(t, "IP", "Source address", "%s", t->from);
	field(t, "IP", "Destination address", "%s", t->to);
	/* What Ethernet fills short frames with is not of the datagram. */
	if (len > 20 && b.len > len - 20)
		b.len = len - 20;
	if ((fragment & 0x1fff) == 0 && take(&b, header - 20) != NULL)
		transport(t, h[9], b, len > header ? len - header : 0);
}

static void
ip6(struct text *t, struct bytes b)
{
	const uint8_t *h = take(&b, 40), *e;
	size_t whole;
	unsigned next;

	if (h == NULL || h[0] >> 4 != 6) {
		cut(t, "IPv6");
		return;
	}
	next = h[6];
	whole = be16(h + 4);
	(void)inet_ntop(AF_INET6, h + 8, t->from, sizeof(t->from));
	(void)inet_ntop(AF_INET6, h + 24, t->to, sizeof(t->to));
	say(t, "IPv6", "S=%s D=%s LEN=%zu HOPS=%u CLASS=0x%x FLOW=0x%05" PRIx32, t->from, t->to, whole, h[7],
	    be16(h) >> 4 & 0xffu, be32(h) & 0xfffff);
	field(t, "IPv6", "Traffic class", "0x%02x", be16(h) >> 4 & 0xffu);
	field(t, "IPv6", "Payload length", "%zu", whole);
	field(t, "IPv6", "Next header", "%u", next);
	field(t, "IPv6", "Hop limit", "%u", h[7]);
	field(t, "IPv6", "Source address", "%s", t->from);
	field(t, "IPv6", "Destination address", "%s", t->to);
	if (b.len > whole)
		b.len = whole;
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		bool fragment = next == IPPROTO_FRAGMENT;
		size_t len;

		if (!fragment && next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			break;
		e = take(&b, 8);
		len = e != NULL && !fragment ? (size_t)e[1] * 8 : 0;
		if (e == NULL || take(&b, len) == NULL) {
			cut(t, "IPv6");
			return;
		}
		field(t, "IPv6", fragment ? "Fragment header" : "Extension header", "%u", next);
		if (fragment && (be16(e + 2) & 0xfff8) != 0)
			return;
		next = e[0];
		whole = whole > len + 8 ? whole - len - 8 : 0;
	}
	transport(t, next, b, whole);
}

static void
arp(struct text *t, struct bytes b)
{
	const uint8_t *h = take(&b, 8), *a;
	char mac[INET6_ADDRSTRLEN], sender[INET6_ADDRSTRLEN], target[INET6_ADDRSTRLEN];

	a = h != NULL && h[4] == 6 && h[5] == 4 ? take(&b, 20) : NULL;
	if (a == NULL) {
		cut(t, "ARP");
		return;
	}
	mac_text(a, mac);
	(void)inet_ntop(AF_INET, a + 6, sender, sizeof(sender));
	(void)inet_ntop(AF_INET, a + 16, target, sizeof(target));
	if (be16(h + 6) == 1)
		say(t, "ARP", "C Who is %s ? (from %s)", target, sender);
	else
		say(t, "ARP", "R %s is %s", sender, mac);
	field(t, "ARP", "Opcode", "%u (%s)", be16(h + 6), be16(h + 6) == 1 ? "request" : be16(h + 6) == 2 ? "reply" : "other");
	field(t, "ARP", "Sender's hardware address", "%s", mac);
	field(t, "ARP", "Sender's protocol address", "%s", sender);
	mac_text(a + 10, mac);
	field(t, "ARP", "Target hardware address", "%s", mac);
	field(t, "ARP", "Target protocol address", "%s", target);
}

/* ---- Ethernet ---- */

static void
tag(struct text *t, unsigned tci)
{
	say(t, "VLAN", "ID=%u Priority=%u", tci & 0xfff, tci >> 13);
	field(t, "VLAN", "ID", "%u", tci & 0xfff);
	field(t, "VLAN", "Priority", "%u", tci >> 13);
}

static void
ethernet(struct text *t, struct bytes b, size_t len, unsigned vid)
{
	static const struct word types[] = {
		{ ETH_P_IP, "IP" }, { ETH_P_ARP, "ARP" }, { ETH_P_RARP, "RARP" }, { ETH_P_IPV6, "IPv6" }, { ETH_P_8021Q, "VLAN" },
		{ ETH_P_8021AD, "VLAN" }, { ETH_P_LLDP, "LLDP" }, { ETH_P_SLOW, "LACP" }, { ETH_P_PAE, "EAPOL" }, { 0, NULL },
	};
	const uint8_t *h = take(&b, 14), *more;
	const char *name;
	unsigned type;

	if (h == NULL) {
		cut(t, "ETHER");
		return;
	}
	type = be16(h + 12);
	name = type < 1536 ? "LLC/802.3" : word_of(types, type);
	mac_text(h, t->to);
	mac_text(h + 6, t->from);
	say(t, "ETHER", "Type=%04X (%s), size=%zu bytes", type, name != NULL ? name : "Unknown", len);
	field(t, "ETHER", "Packet size", "%zu bytes", len);
	field(t, "ETHER", "Destination", "%s", t->to);
	field(t, "ETHER", "Source", "%s", t->from);
	field(t, "ETHER", "Ethertype", "%04X (%s)", type, name != NULL ? name : "Unknown");
	if (vid != 0)
		tag(t, vid);
	for (int i = 0; i < TAGS_MAX && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		more = take(&b, 4);
		if (more == NULL) {
			cut(t, "VLAN");
			return;
		}
		tag(t, be16(more));
		type = be16(more + 2);
	}
	if (type == ETH_P_IP)
		ip4(t, b);
	else if (type == ETH_P_IPV6)
		ip6(t, b);
	else if (type == ETH_P_ARP)
		arp(t, b);
}

/* The lines, each with its head; of a summary the last one. */
static void
put(const struct text *t, const char *head, struct nrd_buf *out)
{
	struct nrd_str rest = nrd_str(nrd_buf_str(t->how == FRAME_VERBOSE ? &t->fields : &t->lines)), line;

	while (nrd_str_split(&rest, '\n', &line)) {
		if (line.len == 0 || (t->how == FRAME_SUMMARY && rest.len > 0))
			continue;
		if (t->how == FRAME_VERBOSE)
			(void)nrd_buf_printf(out, "%s%.*s\n", head, NRD_STR_ARG(line));
		else
			(void)nrd_buf_printf(out, "%s%12s -> %-12s %.*s\n", head, t->from, t->to, NRD_STR_ARG(line));
	}
}

int
frame_text(const uint8_t *frame, size_t caught, size_t len, unsigned vid, enum frame_text how, const char *head,
	   struct nrd_buf *out)
{
	struct text t = { .how = how, .from = "?", .to = "?" };
	int r;

	ethernet(&t, (struct bytes){ frame, caught }, len, vid);
	put(&t, head, out);
	r = t.lines.failed != 0 ? t.lines.failed : t.fields.failed != 0 ? t.fields.failed : out->failed;
	nrd_buf_fini(&t.lines);
	nrd_buf_fini(&t.fields);
	return r;
}

#define A_LINE 16

int
frame_hex(const uint8_t *frame, size_t caught, size_t offset, size_t n, struct nrd_buf *out)
{
	size_t end = n == 0 || offset > caught || n > caught - offset ? caught : offset + n;

	for (size_t at = offset; at < end; at += A_LINE) {
		(void)nrd_buf_printf(out, "\t%4zu: ", at - offset);
		for (size_t i = at; i < at + A_LINE; i++) {
			if (i < end)
				(void)nrd_buf_printf(out, "%02x", frame[i]);
			else
				(void)nrd_buf_adds(out, "  ");
			if (i % 2 != at % 2)
				(void)nrd_buf_addc(out, ' ');
		}
		(void)nrd_buf_adds(out, "   ");
		for (size_t i = at; i < at + A_LINE && i < end; i++)
			(void)nrd_buf_addc(out, isprint(frame[i]) ? (char)frame[i] : '.');
		(void)nrd_buf_addc(out, '\n');
	}
	return out->failed;
}
