/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/rtnl-priv.h"
#include "link/vnic.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/flow.h"
#include "link/prefix.h"
#include "link/tap.h"
#include "link/veth.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define OWN_NETNS "/proc/self/ns/net"

/* ---- properties ---- */

/* What is allocated of a port's configuration. */
struct lists {
	struct switch_prefix *allowed;
	struct switch_cid *cids;
	struct nrd_mac *secondary;
	struct switch_dhcp dhcp;
};

static void
lists_cleanup(struct lists *l)
{
	free(l->allowed);
	free(l->cids);
	free(l->secondary);
}

struct word {
	const char *name;
	unsigned bits;
};

static const struct word protections[] = {
	{ "mac-nospoof", SWITCH_MAC_NOSPOOF },
	{ "restricted", SWITCH_RESTRICTED },
	{ "ip-nospoof", SWITCH_IP_NOSPOOF },
	{ "dhcp-nospoof", SWITCH_DHCP_NOSPOOF },
};

static const struct word methods[] = {
	{ "dhcpv4", SWITCH_LEARN_DHCPV4 },
	{ "dhcpv6", SWITCH_LEARN_DHCPV6 },
	{ "slaac", SWITCH_LEARN_SLAAC },
	{ "addrconf", SWITCH_LEARN_DHCPV6 | SWITCH_LEARN_SLAAC },
};

static int
bits_of(char *const *values, const char *what, const struct word *words, size_t n, unsigned *bits, struct nrd_err *err)
{
	for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
		size_t w = 0;

		while (w < n && !nrd_streq(words[w].name, values[i]))
			w++;
		if (w == n)
			return nrd_fail(err, EINVAL, "BadProperty", "%s: there is no \"%.40s\"", what, values[i]);
		*bits |= words[w].bits;
	}
	return 0;
}

static int
prefix_parse(const char *text, struct switch_prefix *ret, struct nrd_err *err)
{
	/* All addresses at once are not a list of those allowed. */
	if (!link_prefix_parse(text, ret) || ret->bits == 0)
		return nrd_fail(err, EINVAL, "BadProperty", "allowed-ips: \"%.60s\" is no address or prefix", text);
	return 0;
}

static int
nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* "0x" and hexadecimal digits are bytes, all else is text. */
static int
cid_parse(const char *text, struct switch_cid *ret, struct nrd_err *err)
{
	size_t len = strlen(text);

	if (nrd_starts(text, "0x") == NULL) {
		if (len == 0 || len > SWITCH_CID_BYTES)
			return nrd_fail(err, EINVAL, "BadProperty", "allowed-dhcp-cids: \"%.60s\" has not 1 to %d bytes", text,
					SWITCH_CID_BYTES);
		ret->len = len;
		memcpy(ret->bytes, text, len);
		return 0;
	}
	text += 2;
	len -= 2;
	if (len == 0 || len % 2 != 0 || len / 2 > SWITCH_CID_BYTES)
		return nrd_fail(err, EINVAL, "BadProperty", "allowed-dhcp-cids: \"0x%.60s\" has not an even number of 2 to %d digits",
				text, 2 * SWITCH_CID_BYTES);
	ret->len = len / 2;
	for (size_t i = 0; i < ret->len; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return nrd_fail(err, EINVAL, "BadProperty", "allowed-dhcp-cids: \"0x%.60s\" is not hexadecimal", text);
		ret->bytes[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static int
lists_make(const struct datalink *d, struct lists *l, struct switch_port_conf *conf, struct nrd_err *err)
{
	size_t n_allowed = nrd_strv_len(NRD_CSTRV(d->allowed_ips)), n_cids = nrd_strv_len(NRD_CSTRV(d->allowed_dhcp_cids));
	size_t n_macs = nrd_strv_len(NRD_CSTRV(d->secondary_macs));
	int r = 0;

	l->allowed = calloc(n_allowed + 1, sizeof(*l->allowed));
	l->cids = calloc(n_cids + 1, sizeof(*l->cids));
	l->secondary = calloc(n_macs + 1, sizeof(*l->secondary));
	if (l->allowed == NULL || l->cids == NULL || l->secondary == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; r == 0 && i < n_allowed; i++)
		r = prefix_parse(d->allowed_ips[i], &l->allowed[i], err);
	for (size_t i = 0; r == 0 && i < n_cids; i++)
		r = cid_parse(d->allowed_dhcp_cids[i], &l->cids[i], err);
	for (size_t i = 0; r == 0 && i < n_macs; i++)
		r = nrd_wrap(err, nrd_mac_parse(d->secondary_macs[i], &l->secondary[i], err), "secondary-macs");
	conf->allowed = l->allowed;
	conf->n_allowed = n_allowed;
	conf->cids = l->cids;
	conf->n_cids = n_cids;
	conf->secondary = l->secondary;
	conf->n_secondary = n_macs;
	return r;
}

/* IPv4 addresses of a list, at most `most`; others are not DHCP's. */
static size_t
ip4s_of(char *const *texts, uint32_t *ret, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; texts != NULL && texts[i] != NULL && n < most; i++) {
		struct switch_prefix p;

		if (link_prefix_parse(texts[i], &p) && p.family == AF_INET)
			memcpy(&ret[n++], p.addr, sizeof(*ret));
	}
	return n;
}

static int
dhcp_make(const struct datalink *d, struct lists *l, struct switch_port_conf *conf, struct nrd_err *err)
{
	struct switch_prefix address, server;

	if (d->dhcp_address == NULL)
		return 0;
	if (d->dhcp_server == NULL || !link_prefix_parse(d->dhcp_address, &address) || !link_prefix_parse(d->dhcp_server, &server) ||
	    address.family != AF_INET || server.family != AF_INET)
		return nrd_fail(err, EINVAL, "BadProperty", "dhcp: %.60s is no address that the switch can give", d->dhcp_address);
	l->dhcp = (struct switch_dhcp){
		.bits = address.bits,
		.lease_s = (uint32_t)d->dhcp_lease,
		.hostname = d->dhcp_hostname,
		.domain = d->dhcp_domain,
	};
	memcpy(&l->dhcp.address, address.addr, sizeof(l->dhcp.address));
	memcpy(&l->dhcp.server, server.addr, sizeof(l->dhcp.server));
	l->dhcp.n_routers = ip4s_of(d->gateways, l->dhcp.routers, SWITCH_DHCP_ROUTERS_MAX);
	l->dhcp.n_resolvers = ip4s_of(d->dhcp_resolvers, l->dhcp.resolvers, SWITCH_DHCP_RESOLVERS_MAX);
	conf->dhcp = &l->dhcp;
	return 0;
}

static enum switch_priority
priority_of(const struct datalink *d)
{
	static const enum switch_priority of[] = { SWITCH_PRIORITY_HIGH, SWITCH_PRIORITY_MEDIUM, SWITCH_PRIORITY_LOW };

	/* As illumos has it: a link's is high unless it is said. */
	return NRD_HAS(&datalink_schema, d, priority) ? of[d->priority] : SWITCH_PRIORITY_HIGH;
}

static int
conf_of(const struct datalink *d, struct lists *l, struct switch_port_conf *conf, struct nrd_err *err)
{
	int r = bits_of(d->protection, "protection", protections, nrd_count(protections), &conf->protect, err);

	if (r == 0)
		r = bits_of(d->dynamic_methods, "dynamic-methods", methods, nrd_count(methods), &conf->protect, err);
	if (r == 0)
		r = lists_make(d, l, conf, err);
	if (r == 0)
		r = dhcp_make(d, l, conf, err);
	if (r < 0)
		return r;
	if (conf->n_cids == 0)
		conf->protect |= SWITCH_ALLOW_DHCP_CIDS;
	if (d->allow_ra)
		conf->protect |= SWITCH_ALLOW_RA;
	/* A VNIC of the node itself is in the switch's own namespace, where there is no way to a far end. */
	conf->kind = d->tap || nrd_streq(d->zone, DATALINK_GLOBAL) ? SWITCH_TAP : d->netkit ? SWITCH_NETKIT : SWITCH_VETH;
	conf->ifindex = (unsigned)d->ifindex;
	conf->vid = (unsigned)d->vid;
	conf->mac = d->mac;
	conf->mtu = (unsigned)d->mtu;
	conf->maxbw = d->maxbw;
	conf->priority = priority_of(d);
	return 0;
}

int
vnic_check(const struct datalink *d, struct nrd_err *err)
{
	__attribute__((cleanup(lists_cleanup))) struct lists l = { 0 };
	struct switch_port_conf conf = { 0 };
	char mac[NRD_MAC_TEXT];

	nrd_mac_format(&d->mac, mac);
	if (nrd_mac_is_group(&d->mac))
		return nrd_fail(err, EINVAL, "BadProperty", "MAC address %s is a group address", mac);
	return conf_of(d, &l, &conf, err);
}

void
vnic_mac_name(char prefix, const struct nrd_mac *mac, char ret_name[VNIC_MAC_NAME])
{
	const uint8_t *b = mac->b;

	(void)snprintf(ret_name, VNIC_MAC_NAME, "%c%02x%02x%02x%02x%02x%02x", prefix, b[0], b[1], b[2], b[3], b[4], b[5]);
}

int
vnic_random_mac(const uint8_t *prefix, size_t len, struct nrd_mac *ret_mac, struct nrd_err *err)
{
	static const uint8_t usual[] = { 0x02, 0x08, 0x20 };
	char name[VNIC_MAC_NAME];

	if (prefix == NULL) {
		prefix = usual;
		len = sizeof(usual);
	}
	/* Of thousands two are the same by chance, now and then. */
	for (int i = 0; i < 16; i++) {
		memcpy(ret_mac->b, prefix, len);
		if (getrandom(ret_mac->b + len, sizeof(ret_mac->b) - len, 0) != (ssize_t)(sizeof(ret_mac->b) - len))
			return nrd_fail(err, errno, "RandomMac", "make a MAC address: %m");
		vnic_mac_name('v', ret_mac, name);
		if (rtnl_index(name) == 0)
			return 0;
	}
	return nrd_fail(err, EEXIST, "RandomMac", "make a MAC address: 16 times one that is there already");
}

/* ---- up and down ---- */

int
etherstub_up(const char *name, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	int r = datalink_read(DATALINK_RUN, NULL, name, &d, NULL);

	if (r == 0 && d.class_ == DATALINK_ETHERSTUB)
		return 0;
	if (r == 0 || rtnl_index(name) != 0)
		return nrd_fail(err, EEXIST, "LinkExists", "link '%s' exists, and is no etherstub", name);
	datalink_fini(&d);
	if (nrd_str_set(&d.name, name) < 0 || nrd_str_set(&d.zone, DATALINK_GLOBAL) < 0)
		return nrd_nomem(err);
	d.class_ = DATALINK_ETHERSTUB;
	NRD_SET(&datalink_schema, &d, name);
	NRD_SET(&datalink_schema, &d, zone);
	NRD_SET(&datalink_schema, &d, class_);
	return datalink_write(DATALINK_RUN, &d, err);
}

int
vnic_segment(struct link_switch *sw, const char *over, uint32_t *ret_segment, struct nrd_err *err)
{
	NRD_AUTO(datalink) below = { 0 };
	bool ours = datalink_read(DATALINK_RUN, NULL, over, &below, NULL) == 0;
	bool stub = ours && below.class_ == DATALINK_ETHERSTUB, overlay = ours && below.class_ == DATALINK_OVERLAY;
	unsigned ifindex = stub ? 0 : rtnl_index(overlay ? below.ifname : over);
	int r;

	if (ours && below.class_ == DATALINK_VNIC)
		return nrd_fail(err, EINVAL, "VnicOver", "link '%s' is a VNIC: nothing can be over it", over);
	if (!stub && ifindex == 0)
		return nrd_fail(err, ENODEV, "VnicOver", "link '%s' is not there", over);
	r = switch_segment_get(sw, over, ret_segment, err);
	if (r == 0 && overlay)
		return switch_tunnel_attach(sw, *ret_segment, ifindex, err);
	if (r == 0 && !stub)
		r = link_open(ifindex, err);
	if (r == 0 && !stub)
		r = switch_uplink_attach(sw, *ret_segment, ifindex, err);
	return r;
}

static int
set_port(struct link_switch *sw, const struct datalink *d, struct nrd_err *err)
{
	__attribute__((cleanup(lists_cleanup))) struct lists l = { 0 };
	struct switch_port_conf conf = { 0 };
	int r = conf_of(d, &l, &conf, err);

	if (r == 0)
		r = vnic_segment(sw, d->over, &conf.segment, err);
	return r == 0 ? switch_port_set(sw, &conf, err) : r;
}

/* Of its MAC, which no other link of the node has. */
static int
set_ifname(struct datalink *d, struct nrd_err *err)
{
	char name[VNIC_MAC_NAME];

	vnic_mac_name('v', &d->mac, name);
	if (nrd_str_set(&d->ifname, name) < 0)
		return nrd_nomem(err);
	NRD_SET(&datalink_schema, d, ifname);
	return 0;
}

/* Its own, or that of the overlay it is on, over which no more fits. */
static unsigned
mtu_of(const struct datalink *d)
{
	NRD_AUTO(datalink) below = { 0 };

	if (d->mtu != 0 || datalink_read(DATALINK_RUN, NULL, d->over, &below, NULL) < 0 || below.class_ != DATALINK_OVERLAY)
		return (unsigned)d->mtu;
	return (unsigned)below.mtu;
}

static int
make_veth(struct datalink *d, int netns, const char *name, struct nrd_err *err)
{
	NRD_CLOSE int own = netns < 0 ? open(OWN_NETNS, O_RDONLY | O_CLOEXEC) : -1;
	NRD_FREE char *alias = nrd_format("%s/%s", d->zone, d->name);
	const struct veth_conf conf = {
		.host = d->ifname, .name = name, .netns = netns < 0 ? own : netns, .mac = d->mac, .mtu = mtu_of(d),
		.netkit = d->netkit, .alias = alias,
	};
	unsigned ifindex;
	int r;

	if (alias == NULL)
		return nrd_nomem(err);
	if (conf.netns < 0)
		return nrd_fail(err, errno, "VethCreate", "open " OWN_NETNS ": %m");
	r = veth_create(&conf, &ifindex, err);
	if (r < 0)
		return r;
	d->ifindex = ifindex;
	NRD_SET(&datalink_schema, d, ifindex);
	return 0;
}

/* Its interface is there: it becomes a port, and is recorded. */
static int
plug(struct link_switch *sw, const struct datalink *d, struct nrd_err *err)
{
	int r = set_port(sw, d, err);

	if (r == 0)
		r = datalink_write(DATALINK_RUN, d, err);
	if (r < 0)
		(void)vnic_down(sw, d, NULL);
	else
		/* A machine is not kept from running by a flow that cannot be made: flowadm show-flow lacks it. */
		(void)flow_restore(sw, d, NULL);
	return r;
}

int
vnic_up(struct link_switch *sw, struct datalink *d, int netns, const char *name, struct nrd_err *err)
{
	int r = set_ifname(d, err);

	if (r == 0)
		r = make_veth(d, netns, name, err);
	return r < 0 ? r : plug(sw, d, err);
}

int
vnic_tap_up(struct link_switch *sw, struct datalink *d, bool queues, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *alias = nrd_format("%s/%s", d->zone, d->name);
	NRD_CLOSE int fd = -1;
	unsigned ifindex = 0;
	int r = alias != NULL ? set_ifname(d, err) : nrd_nomem(err);

	if (r == 0)
		r = tap_create(d->ifname, queues, mtu_of(d), alias, &fd, &ifindex, err);
	if (r < 0)
		return r;
	d->ifindex = ifindex;
	d->tap = true;
	NRD_SET(&datalink_schema, d, ifindex);
	NRD_SET(&datalink_schema, d, tap);
	r = plug(sw, d, err);
	if (r == 0)
		*ret_fd = nrd_take_fd(&fd);
	return r;
}

int
vnic_apply(struct link_switch *sw, const struct datalink *d, struct nrd_err *err)
{
	int r = set_port(sw, d, err);

	return r == 0 ? datalink_write(DATALINK_RUN, d, err) : r;
}

/* An index may be another's by now; the name is its MAC's. */
bool
vnic_is_there(const struct datalink *d)
{
	return d->ifname != NULL && d->ifindex != 0 && rtnl_index(d->ifname) == d->ifindex;
}

int
vnic_down(struct link_switch *sw, const struct datalink *d, struct nrd_err *err)
{
	bool there = vnic_is_there(d);
	int r;

	/* The interface first: it takes its program with it, which otherwise the kernel would wait for once more. */
	if (there) {
		r = link_delete((unsigned)d->ifindex, err);
		if (r == 0)
			r = switch_port_remove(sw, (unsigned)d->ifindex, err);
	} else {
		r = switch_clean(sw, NULL, err);
	}
	return r == 0 ? datalink_remove(DATALINK_RUN, d->zone, d->name, err) : r;
}
