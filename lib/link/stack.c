/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/prefix.h"
#include "link/rtnl-priv.h"
#include "link/veth.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define CONF4 "/proc/sys/net/ipv4/conf"
#define CONF6 "/proc/sys/net/ipv6/conf" /* not there where it is switched off */

/* Of its family, in bytes. */
static size_t
length(const struct switch_prefix *p)
{
	return p->family == AF_INET ? 4 : 16;
}

/* ---- addresses ---- */

static int
change_address(unsigned type, unsigned ifindex, const struct switch_prefix *a)
{
	const struct ifaddrmsg body = {
		.ifa_family = (uint8_t)a->family, .ifa_prefixlen = (uint8_t)a->bits, .ifa_index = ifindex,
	};
	unsigned flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct rtnl_msg msg;

	rtnl_begin(&msg, type, flags, &body, sizeof(body));
	rtnl_add(&msg, IFA_LOCAL, a->addr, length(a));
	rtnl_add(&msg, IFA_ADDRESS, a->addr, length(a));
	if (a->family == AF_INET && a->bits < 31) {
		uint32_t net, host = a->bits == 0 ? UINT32_MAX : (UINT32_C(1) << (32 - a->bits)) - 1;

		memcpy(&net, a->addr, sizeof(net));
		net |= htonl(host);
		rtnl_add(&msg, IFA_BROADCAST, &net, sizeof(net));
	}
	/* Whose it is the switch knows: nobody needs to be asked before it is used. */
	if (a->family == AF_INET6)
		rtnl_add_u32(&msg, IFA_FLAGS, IFA_F_NODAD);
	return rtnl_send(&msg);
}

static bool
has_address(const struct stack_nic *nic, const struct switch_prefix *a)
{
	struct switch_prefix other;

	for (size_t i = 0; nic->addresses != NULL && nic->addresses[i] != NULL; i++)
		if (link_prefix_parse(nic->addresses[i], &other) && other.family == a->family && other.bits == a->bits &&
		    memcmp(other.addr, a->addr, length(a)) == 0)
			return true;
	return false;
}

static int
set_addresses(unsigned ifindex, const struct stack_nic *nic, const struct stack_nic *old, struct nrd_err *err)
{
	struct switch_prefix a;

	for (size_t i = 0; old != NULL && old->addresses != NULL && old->addresses[i] != NULL; i++)
		/* The machine's root may have taken it away before. */
		if (link_prefix_parse(old->addresses[i], &a) && !has_address(nic, &a))
			(void)change_address(RTM_DELADDR, ifindex, &a);
	for (size_t i = 0; nic->addresses != NULL && nic->addresses[i] != NULL; i++) {
		int r = link_prefix_parse(nic->addresses[i], &a) ? change_address(RTM_NEWADDR, ifindex, &a) : 0;

		if (r < 0)
			return nrd_fail(err, -r, "StackSet", "%s: set address %s: %m", nic->name, nic->addresses[i]);
	}
	return 0;
}

/* ---- routes ---- */

static int
change_route(unsigned type, unsigned ifindex, const struct switch_prefix *gateway, unsigned metric)
{
	/* A gateway outside the NIC's network is on its wire all the same: it was said of this NIC. */
	const struct rtmsg body = {
		.rtm_family = (uint8_t)gateway->family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST, .rtm_flags = RTNH_F_ONLINK,
	};
	struct rtnl_msg msg;

	rtnl_begin(&msg, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof(body));
	rtnl_add(&msg, RTA_GATEWAY, gateway->addr, length(gateway));
	rtnl_add_u32(&msg, RTA_OIF, ifindex);
	rtnl_add_u32(&msg, RTA_PRIORITY, metric);
	return rtnl_send(&msg);
}

/* Each of several has a metric of its own: the first is used while it can be. */
static int
set_gateways(unsigned ifindex, const struct stack_nic *nic, const struct stack_nic *old, struct nrd_err *err)
{
	struct switch_prefix a;

	for (size_t i = 0; old != NULL && old->gateways != NULL && old->gateways[i] != NULL; i++)
		if (link_prefix_parse(old->gateways[i], &a))
			(void)change_route(RTM_DELROUTE, ifindex, &a, old->metric + (unsigned)i);
	for (size_t i = 0; nic->gateways != NULL && nic->gateways[i] != NULL; i++) {
		int r = link_prefix_parse(nic->gateways[i], &a) ? change_route(RTM_NEWROUTE, ifindex, &a, nic->metric + (unsigned)i) : 0;

		if (r < 0)
			return nrd_fail(err, -r, "StackSet", "%s: set gateway %s: %m", nic->name, nic->gateways[i]);
	}
	return 0;
}

/* ---- in the namespace ---- */

static int
set_conf(const char *family, const char *nic, const char *name, bool on, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/%s/%s", family, nic, name);

	if (path == NULL)
		return nrd_nomem(err);
	return nrd_path_exists(path) ? nrd_attr_write(AT_FDCWD, path, on ? "1" : "0", err) : 0;
}

/*
 * A NIC that comes up says so: others may know its addresses of one with another MAC, and on a switch that does not guess
 * would talk to nobody. So the addresses come before it is up, and the routes, which need it up, after.
 */
static int
set_inside(const struct stack_nic *nic, const struct stack_nic *old, struct nrd_err *err)
{
	unsigned ifindex = rtnl_index(nic->name);
	int r = nrd_fault(err, "set up %s", nic->name);

	if (r < 0)
		return r;
	if (ifindex == 0)
		return nrd_fail(err, ENODEV, "StackNic", "there is no interface %s", nic->name);
	r = set_conf(CONF6, nic->name, "accept_ra", nic->autoconf, err);
	if (r == 0)
		r = set_conf(CONF4, nic->name, "arp_notify", true, err);
	/* The others of a network stay when its first address goes. */
	if (r == 0)
		r = set_conf(CONF4, nic->name, "promote_secondaries", true, err);
	if (r == 0)
		r = set_conf(CONF6, nic->name, "ndisc_notify", true, err);
	if (r == 0)
		r = set_addresses(ifindex, nic, old, err);
	if (r == 0)
		r = link_set_up(ifindex, true, err);
	return r == 0 ? set_gateways(ifindex, nic, old, err) : r;
}

/* ---- from outside ---- */

struct nic_change {
	const struct stack_nic *nic, *old;
};

static int
change_nic(const void *arg, struct nrd_err *err)
{
	const struct nic_change *change = arg;

	return set_inside(change->nic, change->old, err);
}

int
stack_nic_set(int netns, const struct stack_nic *nic, const struct stack_nic *old, struct nrd_err *err)
{
	const struct nic_change change = { .nic = nic, .old = old };

	return rtnl_in_netns(netns, nic->name, change_nic, &change, err);
}

static int
add_route(const void *arg, struct nrd_err *err)
{
	const struct stack_route *route = arg;
	unsigned ifindex = route->interface != NULL ? rtnl_index(route->interface) : 0;
	struct switch_prefix to = { 0 }, gateway = { 0 };
	bool by_default = nrd_streq(route->destination, "default");
	struct rtmsg body = { .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST };
	struct rtnl_msg msg;
	int r;

	if ((!by_default && !link_prefix_parse(route->destination, &to)) || (route->gateway != NULL && !link_prefix_parse(route->gateway, &gateway)) ||
	    (route->interface != NULL && ifindex == 0))
		return nrd_fail(err, EINVAL, "StackSet", "route %s: %s is no address, or not there", route->destination,
				route->gateway != NULL ? route->gateway : route->interface);
	body.rtm_family = (uint8_t)(by_default ? gateway.family : to.family);
	body.rtm_dst_len = (uint8_t)to.bits;
	body.rtm_scope = route->gateway != NULL ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rtnl_begin(&msg, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	if (to.bits > 0)
		rtnl_add(&msg, RTA_DST, to.addr, length(&to));
	if (route->gateway != NULL)
		rtnl_add(&msg, RTA_GATEWAY, gateway.addr, length(&gateway));
	if (ifindex != 0)
		rtnl_add_u32(&msg, RTA_OIF, ifindex);
	r = rtnl_send(&msg);
	return r < 0 ? nrd_fail(err, -r, "StackSet", "route %s by %s: %m", route->destination,
				route->gateway != NULL ? route->gateway : route->interface) : 0;
}

int
stack_route_set(int netns, const struct stack_route *route, struct nrd_err *err)
{
	return rtnl_in_netns(netns, route->destination, add_route, route, err);
}
