/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include "node/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "nrd/mac.h"
#include "nrd/schema.h"
#include "nrd/str.h"

#define LIST_MAX 64
#define TEXT_MAX 256 /* longest part of a list that can be good */

static int
bad(const char *s, const char *rule, struct nrd_err *err)
{
	return nrd_fail(err, EINVAL, "BadValue", "\"%.100s\" is not %s", s, rule);
}

static int
ip4_parse(const char *s, const char *rule, uint32_t *ret_host_order, struct nrd_err *err)
{
	struct in_addr a;

	if (inet_pton(AF_INET, s, &a) != 1)
		return bad(s, rule, err);
	*ret_host_order = ntohl(a.s_addr);
	return 0;
}

int
node_check_ip4(const char *s, struct nrd_err *err)
{
	static const char rule[] = "an IPv4 address of a host, such as 192.168.1.10";
	uint32_t ip = 0;
	int r = ip4_parse(s, rule, &ip, err);

	if (r < 0)
		return r;
	/* 0/8 and 127/8 never leave a host, 224/3 is multicast and reserved. */
	if (ip >> 24 == 0 || ip >> 24 == 127 || ip >> 29 == 7)
		return bad(s, rule, err);
	return 0;
}

int
node_check_ip4_dhcp(const char *s, struct nrd_err *err)
{
	if (!nrd_streq(s, "dhcp") && node_check_ip4(s, NULL) < 0)
		return bad(s, "dhcp or an IPv4 address of a host, such as 192.168.1.10", err);
	return 0;
}

int
node_check_ip4_none(const char *s, struct nrd_err *err)
{
	return nrd_streq(s, "none") ? 0 : node_check_ip4(s, err);
}

int
node_check_ip4_network(const char *s, struct nrd_err *err)
{
	uint32_t ip = 0;

	return ip4_parse(s, "an IPv4 network, such as 192.168.1.0", &ip, err);
}

int
node_netmask_prefix(const char *s, unsigned *ret_prefix, struct nrd_err *err)
{
	static const char rule[] = "a netmask, such as 255.255.255.0";
	uint32_t mask = 0;
	int r = ip4_parse(s, rule, &mask, err);

	if (r < 0)
		return r;
	/* Ones, then zeros: the complement plus one is a power of two. */
	if (mask == 0 || (~mask & (~mask + 1)) != 0)
		return bad(s, rule, err);
	*ret_prefix = (unsigned)__builtin_popcount(mask);
	return 0;
}

int
node_check_netmask(const char *s, struct nrd_err *err)
{
	unsigned prefix = 0;

	return node_netmask_prefix(s, &prefix, err);
}

int
node_check_ip6(const char *s, struct nrd_err *err)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, s, &a) != 1 || IN6_IS_ADDR_UNSPECIFIED(&a) ||
	    IN6_IS_ADDR_LOOPBACK(&a) || IN6_IS_ADDR_MULTICAST(&a) || IN6_IS_ADDR_V4MAPPED(&a))
		return bad(s, "an IPv6 address of a host, such as fd00::10", err);
	return 0;
}

int
node_check_ip6_plen(const char *s, struct nrd_err *err)
{
	static const char rule[] =
		"an IPv6 address with its prefix length, such as fd00::10/64, or addrconf";
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	uint64_t plen;

	if (nrd_streq(s, "addrconf"))
		return 0;
	if (slash == NULL || (size_t)(slash - s) >= sizeof(addr) ||
	    nrd_parse_u64(slash + 1, 1, 128, &plen, NULL) < 0)
		return bad(s, rule, err);
	memcpy(addr, s, (size_t)(slash - s));
	addr[slash - s] = '\0';
	if (node_check_ip6(addr, NULL) < 0)
		return bad(s, rule, err);
	return 0;
}

int
node_check_ip(const char *s, struct nrd_err *err)
{
	if (node_check_ip4(s, NULL) < 0 && node_check_ip6(s, NULL) < 0)
		return bad(s, "an IPv4 or IPv6 address of a host", err);
	return 0;
}

/* Every part between commas must pass; blanks around a part are not forgiven: a shell sees them. */
static int
check_list(const char *s, nrd_check_fn *check, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(s), part;
	size_t n = 0;

	while (nrd_str_split(&rest, ',', &part)) {
		char text[TEXT_MAX];
		int r;

		if (++n > LIST_MAX)
			return nrd_fail(err, EINVAL, "BadValue", "more than %d in the list",
					LIST_MAX);
		if (part.len >= sizeof(text))
			return nrd_fail(err, EINVAL, "BadValue", "\"%.40s...\" is too long",
					part.data);
		memcpy(text, part.data, part.len);
		text[part.len] = '\0';
		r = check(text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
node_check_ip_list(const char *s, struct nrd_err *err)
{
	return check_list(s, node_check_ip, err);
}

int
node_check_ip4_list(const char *s, struct nrd_err *err)
{
	size_t n = 1;

	for (const char *c = s; *c != '\0'; c++)
		n += *c == ',';
	return n > 4 ? bad(s, "at most 4 IPv4 addresses", err) : check_list(s, node_check_ip4, err);
}

int
node_dhcp_pool_parse(const char *s, uint32_t *ret_first, uint32_t *ret_last, unsigned *ret_bits, struct nrd_err *err)
{
	static const char rule[] = "a pool of addresses, such as 10.0.0.100-10.0.0.199/24";
	size_t dash = strcspn(s, "-"), slash = strcspn(s, "/");
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];
	uint64_t bits;

	if (s[dash] == '\0' || s[slash] == '\0' || dash > slash || dash >= sizeof(first) || slash - dash > sizeof(last))
		return bad(s, rule, err);
	(void)snprintf(first, sizeof(first), "%.*s", (int)dash, s);
	(void)snprintf(last, sizeof(last), "%.*s", (int)(slash - dash - 1), s + dash + 1);
	if (node_check_ip4(first, NULL) < 0 || node_check_ip4(last, NULL) < 0 || nrd_parse_u64(s + slash + 1, 8, 30, &bits, NULL) < 0)
		return bad(s, rule, err);
	*ret_bits = (unsigned)bits;
	(void)ip4_parse(first, rule, ret_first, NULL);
	(void)ip4_parse(last, rule, ret_last, NULL);
	if (*ret_last < *ret_first || *ret_last - *ret_first >= 65536 || (*ret_first ^ *ret_last) >> (32 - bits) != 0)
		return bad(s, "a pool of addresses: first to last, at most 65536, all in one network", err);
	return 0;
}

int
node_check_dhcp_pool(const char *s, struct nrd_err *err)
{
	uint32_t first, last;
	unsigned bits;

	return node_dhcp_pool_parse(s, &first, &last, &bits, err);
}

int
node_check_dhcp_lease(const char *s, struct nrd_err *err)
{
	uint64_t seconds;

	if (nrd_parse_u64(s, 60, UINT32_MAX - 1, &seconds, NULL) < 0)
		return bad(s, "a number of seconds of 60 or more", err);
	return 0;
}

int
node_check_mac(const char *s, struct nrd_err *err)
{
	struct nrd_mac mac;

	if (nrd_mac_parse(s, &mac, NULL) < 0 || nrd_mac_is_zero(&mac) || nrd_mac_is_group(&mac))
		return bad(s, "the MAC address of a NIC, such as 90:b8:d0:12:34:56", err);
	return 0;
}

int
node_check_mac_list(const char *s, struct nrd_err *err)
{
	return check_list(s, node_check_mac, err);
}

int
node_check_aggr(const char *s, struct nrd_err *err)
{
	const char *digits = nrd_starts(s, "aggr");
	uint64_t n;

	if (digits == NULL || nrd_parse_u64(digits, 0, 99999, &n, NULL) < 0)
		return bad(s, "an aggregation, such as aggr0", err);
	return 0;
}

int
node_check_nic(const char *s, struct nrd_err *err)
{
	if (node_check_aggr(s, NULL) < 0 && node_check_mac(s, NULL) < 0)
		return bad(s, "the MAC address of a NIC or an aggregation such as aggr0", err);
	return 0;
}

int
node_check_lacp(const char *s, struct nrd_err *err)
{
	if (!nrd_streq(s, "off") && !nrd_streq(s, "active") && !nrd_streq(s, "passive"))
		return bad(s, "an LACP mode: off, active or passive", err);
	return 0;
}

int
node_check_device(const char *s, struct nrd_err *err)
{
	return nrd_streq(s, "veth") || nrd_streq(s, "netkit") ? 0 : bad(s, "a kind of device: veth or netkit", err);
}

int
node_check_mtu(const char *s, struct nrd_err *err)
{
	uint64_t mtu;

	if (nrd_parse_u64(s, 1500, 9000, &mtu, NULL) < 0)
		return bad(s, "an MTU between 1500 and 9000", err);
	return 0;
}

int
node_check_vlan(const char *s, struct nrd_err *err)
{
	uint64_t id;

	if (nrd_parse_u64(s, 0, 4094, &id, NULL) < 0)
		return bad(s, "a VLAN id between 0 and 4094", err);
	return 0;
}

int
node_check_bool(const char *s, struct nrd_err *err)
{
	if (!nrd_streq(s, "true") && !nrd_streq(s, "false"))
		return bad(s, "true or false", err);
	return 0;
}

/* One label of RFC 1123; an underscore is accepted in the middle, as resolvers do. */
static bool
label_ok(struct nrd_str s)
{
	if (s.len == 0 || s.len > 63 || s.data[0] == '-' || s.data[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (!isalnum(c) && c != '-' && !(c == '_' && i > 0))
			return false;
	}
	return true;
}

static bool
domain_ok(const char *s)
{
	struct nrd_str rest = nrd_str(s), part;

	if (rest.len == 0 || rest.len > 253)
		return false;
	while (nrd_str_split(&rest, '.', &part)) {
		/* "example.com." is the same name, spelled out to the root. */
		if (part.len == 0 && rest.data == NULL && part.data > s)
			break;
		if (!label_ok(part))
			return false;
	}
	return true;
}

int
node_check_hostname(const char *s, struct nrd_err *err)
{
	if (strlen(s) > 63 || s[0] == '\0' || s[strlen(s) - 1] == '.' || !domain_ok(s))
		return bad(s, "a host name: letters, digits and hyphens, at most 63", err);
	return 0;
}

int
node_check_domain(const char *s, struct nrd_err *err)
{
	if (!domain_ok(s))
		return bad(s, "a domain name, such as example.com", err);
	return 0;
}

static int
check_host(const char *s, struct nrd_err *err)
{
	bool dotted = s[0] != '\0' && strspn(s, "0123456789.") == strlen(s);

	/* All digits and dots is meant as an address: 10.0.0.300 is not a host name. */
	if (node_check_ip(s, NULL) < 0 && (dotted || !domain_ok(s)))
		return bad(s, "a host name or an address", err);
	return 0;
}

int
node_check_host_list(const char *s, struct nrd_err *err)
{
	return check_list(s, check_host, err);
}

static bool
tag_ok(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return true;
}

int
node_check_tag(const char *s, struct nrd_err *err)
{
	if (!tag_ok(s, 30))
		return bad(s, "a NIC tag: 1 to 30 letters, digits and underscores", err);
	return 0;
}

int
node_check_etherstub(const char *s, struct nrd_err *err)
{
	if (!tag_ok(s, 31) || !isdigit((unsigned char)s[strlen(s) - 1]))
		return bad(s, "an etherstub: up to 31 letters, digits and underscores, "
			      "a digit last, such as stub0", err);
	return 0;
}

int
node_check_etherstub_list(const char *s, struct nrd_err *err)
{
	return s[0] == '\0' ? 0 : check_list(s, node_check_etherstub, err);
}

int
node_check_file_name(const char *s, struct nrd_err *err)
{
	static const char rule[] = "the name of a file below /usbkey/config.inc";
	struct nrd_str rest = nrd_str(s), part;

	if (rest.len == 0 || rest.len > 255)
		return bad(s, rule, err);
	while (nrd_str_split(&rest, '/', &part))
		if (part.len == 0 || nrd_str_eq(part, ".") || nrd_str_eq(part, ".."))
			return bad(s, rule, err);
	return 0;
}

int
node_check_shadow(const char *s, struct nrd_err *err)
{
	size_t len = strlen(s);

	/* The text is a secret: the message must not hold it. */
	if (len < 13 || len > 255 || strpbrk(s, " \t:\n*!") != NULL || s[0] != '$' ||
	    strchr(s + 1, '$') == NULL)
		return nrd_fail(err, EINVAL, "BadValue",
				"not a password hash of crypt(5), such as $6$SALT$HASH");
	return 0;
}

int
node_check_keymap(const char *s, struct nrd_err *err)
{
	size_t len = strlen(s);

	if (len == 0 || len > 64)
		return bad(s, "a keymap", err);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("-_.", s[i]) == NULL)
			return bad(s, "a keymap", err);
	return 0;
}

int
node_check_pool(const char *s, struct nrd_err *err)
{
	static const char *const taken[] = { "mirror", "raidz", "draid", "spare", NULL };
	static const char rule[] = "the name of a pool";
	size_t len = strlen(s);

	if (len == 0 || len > 63 || !isalpha((unsigned char)s[0]) || nrd_streq(s, "log"))
		return bad(s, rule, err);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("-_.:", s[i]) == NULL)
			return bad(s, rule, err);
	for (size_t i = 0; taken[i] != NULL; i++)
		if (nrd_starts(s, taken[i]) != NULL)
			return bad(s, rule, err);
	return 0;
}

int
node_check_network(const char *ip, const char *netmask, const char *gateway, struct nrd_err *err)
{
	uint32_t addr = 0, gate = 0, mask;
	unsigned prefix = 0;
	int r = node_check_ip4(ip, err);

	if (r < 0 || (r = node_netmask_prefix(netmask, &prefix, err)) < 0 ||
	    (r = ip4_parse(ip, "an IPv4 address", &addr, err)) < 0)
		return r;
	mask = prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
	/* /31 and /32 have neither network nor broadcast address (RFC 3021). */
	if (prefix < 31 && (addr & ~mask) == 0)
		return nrd_fail(err, EINVAL, "BadNetwork",
				"%s with netmask %s is the network's own address, not a host's", ip,
				netmask);
	if (prefix < 31 && (addr & ~mask) == ~mask)
		return nrd_fail(err, EINVAL, "BadNetwork",
				"%s with netmask %s is the broadcast address, not a host's", ip,
				netmask);
	if (gateway == NULL || nrd_streq(gateway, "none"))
		return 0;
	r = node_check_ip4(gateway, err);
	if (r < 0 || (r = ip4_parse(gateway, "an IPv4 address", &gate, err)) < 0)
		return nrd_wrap(err, r, "gateway");
	/* With /32 every gateway is off the network and is reached on the link. */
	if (prefix < 32 && (gate & mask) != (addr & mask))
		return nrd_fail(err, EINVAL, "BadNetwork",
				"gateway %s is not on the network of %s with netmask %s", gateway,
				ip, netmask);
	if (gate == addr)
		return nrd_fail(err, EINVAL, "BadNetwork",
				"gateway %s is the node's own address", gateway);
	return 0;
}
