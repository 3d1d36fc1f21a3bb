/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/veth.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "link/rtnl-priv.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define MTU_DEFAULT 1500
#define ALIAS_MAX 255
#define IPV6 "/proc/sys/net/ipv6/conf" /* not there where it is switched off */

static bool
name_ok(const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	return len > 0 && len < IF_NAMESIZE && strpbrk(name, "/: \t\n%") == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void
peer_add(struct rtnl_msg *msg, unsigned type, const struct veth_conf *conf, unsigned mtu)
{
	struct ifinfomsg peer = { 0 };
	size_t end = rtnl_nest(msg, type);

	rtnl_raw(msg, &peer, sizeof(peer));
	rtnl_add_text(msg, IFLA_IFNAME, conf->name);
	rtnl_add_u32(msg, IFLA_MTU, mtu);
	/* netkit takes none before it is there. */
	if (!conf->netkit)
		rtnl_add(msg, IFLA_ADDRESS, conf->mac.b, sizeof(conf->mac.b));
	rtnl_add_u32(msg, IFLA_NET_NS_FD, (uint32_t)conf->netns);
	rtnl_end(msg, end);
}

static void
build(struct rtnl_msg *msg, const struct veth_conf *conf, unsigned mtu)
{
	struct ifinfomsg host = { .ifi_flags = IFF_NOARP, .ifi_change = IFF_NOARP };
	size_t info, data;

	rtnl_begin(msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &host, sizeof(host));
	rtnl_add_text(msg, IFLA_IFNAME, conf->host);
	rtnl_add_u32(msg, IFLA_MTU, mtu);
	info = rtnl_nest(msg, IFLA_LINKINFO);
	rtnl_add_text(msg, IFLA_INFO_KIND, conf->netkit ? "netkit" : "veth");
	data = rtnl_nest(msg, IFLA_INFO_DATA);
	if (conf->netkit) {
		rtnl_add_u32(msg, IFLA_NETKIT_MODE, NETKIT_L2);
		rtnl_add_u32(msg, IFLA_NETKIT_POLICY, NETKIT_PASS);
		rtnl_add_u32(msg, IFLA_NETKIT_PEER_POLICY, NETKIT_DROP);
	}
	peer_add(msg, conf->netkit ? IFLA_NETKIT_PEER_INFO : VETH_INFO_PEER, conf, mtu);
	rtnl_end(msg, data);
	rtnl_end(msg, info);
}

static int
set_far_mac(const void *arg, struct nrd_err *err)
{
	const struct veth_conf *conf = arg;
	unsigned far = rtnl_index(conf->name);
	int r = far != 0 ? rtnl_set_mac(far, &conf->mac) : -ENODEV;

	return r < 0 ? nrd_fail(err, -r, "VethCreate", "set the MAC address of '%s': %m", conf->name) : 0;
}

int
link_set_alias(unsigned ifindex, const char *alias, struct nrd_err *err)
{
	struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;
	int r;

	if (strlen(alias) > ALIAS_MAX)
		return nrd_fail(err, EINVAL, "VethName", "the alias has more than %d bytes", ALIAS_MAX);
	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	rtnl_add(&msg, IFLA_IFALIAS, alias, strlen(alias));
	r = rtnl_send(&msg);
	return r < 0 ? nrd_fail(err, -r, "VethCreate", "set the alias '%s': %m", alias) : 0;
}

int
veth_create(const struct veth_conf *conf, unsigned *ret_ifindex, struct nrd_err *err)
{
	unsigned mtu = conf->mtu != 0 ? conf->mtu : MTU_DEFAULT, ifindex;
	struct rtnl_msg msg;
	int r;

	if (!name_ok(conf->host) || !name_ok(conf->name))
		return nrd_fail(err, EINVAL, "VethName",
				"create veth '%s' and '%s': a name has 1 to %d bytes, without blanks, '/', ':', '%%'",
				conf->host != NULL ? conf->host : "", conf->name != NULL ? conf->name : "",
				IF_NAMESIZE - 1);
	r = nrd_fault(err, "create veth %s", conf->host);
	if (r < 0)
		return r;
	build(&msg, conf, mtu);
	r = rtnl_send(&msg);
	if (r == -EEXIST)
		return nrd_fail(err, EEXIST, "VethName",
				"create veth '%s' and '%s': one of these names is taken", conf->host,
				conf->name);
	if (r < 0)
		return nrd_fail(err, -r, "VethCreate", "create veth '%s' and '%s': %m", conf->host,
				conf->name);
	ifindex = rtnl_index(conf->host);
	if (ifindex == 0)
		return nrd_fail(err, errno, "VethCreate",
				"find veth '%s' that was just made: %m", conf->host);
	r = link_set_mute(ifindex, err);
	if (r >= 0 && conf->netkit)
		r = rtnl_in_netns(conf->netns, conf->name, set_far_mac, conf, err);
	if (r >= 0 && conf->alias != NULL)
		r = link_set_alias(ifindex, conf->alias, err);
	if (r < 0) {
		(void)link_delete(ifindex, NULL);
		return nrd_wrap(err, r, "create veth '%s'", conf->host);
	}
	*ret_ifindex = ifindex;
	return 0;
}

int
link_delete(unsigned ifindex, struct nrd_err *err)
{
	struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;
	int r;

	rtnl_begin(&msg, RTM_DELLINK, 0, &body, sizeof(body));
	r = rtnl_send(&msg);
	if (r < 0 && r != -ENODEV)
		return nrd_fail(err, -r, "LinkDelete", "delete interface %u: %m", ifindex);
	return 0;
}

static int
set_flags(unsigned ifindex, unsigned flags, unsigned change, const char *what, struct nrd_err *err)
{
	struct ifinfomsg body = {
		.ifi_index = (int)ifindex, .ifi_flags = flags, .ifi_change = change,
	};
	struct rtnl_msg msg;
	int r = nrd_fault(err, "set interface %u %s", ifindex, what);

	if (r < 0)
		return r;
	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	r = rtnl_send(&msg);
	return r < 0 ? nrd_fail(err, -r, "LinkSet", "set interface %u %s: %m", ifindex, what) : 0;
}

int
link_set_up(unsigned ifindex, bool up, struct nrd_err *err)
{
	return set_flags(ifindex, up ? IFF_UP : 0, IFF_UP, up ? "up" : "down", err);
}

int
link_set_mtu(unsigned ifindex, unsigned mtu, struct nrd_err *err)
{
	struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;
	int r;

	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	rtnl_add_u32(&msg, IFLA_MTU, mtu);
	r = rtnl_send(&msg);
	return r < 0 ? nrd_fail(err, -r, "LinkSet", "set the MTU of interface %u to %u: %m", ifindex, mtu) : 0;
}

/* The address mode alone would leave multicast listening, whose reports go out. */
int
link_set_mute(unsigned ifindex, struct nrd_err *err)
{
	char name[IF_NAMESIZE], path[64];
	int r = set_flags(ifindex, IFF_NOARP, IFF_NOARP, "mute", err);

	if (r < 0)
		return r;
	if (if_indextoname(ifindex, name) == NULL)
		return nrd_fail(err, ENODEV, "LinkSet", "set interface %u mute: it is gone", ifindex);
	(void)snprintf(path, sizeof(path), IPV6 "/%s/disable_ipv6", name);
	if (!nrd_path_exists(IPV6))
		return 0;
	r = nrd_attr_write(-1, path, "1", err);
	return r < 0 ? nrd_wrap(err, r, "keep IPv6 from interface '%s'", name) : 0;
}

/* Addresses are what the node's configuration gives it, not what routers say. */
static void
no_autoconf(const char *name)
{
	static const char *const set[][2] = { { "addr_gen_mode", "1" }, { "accept_ra", "0" } };

	for (size_t i = 0; i < nrd_count(set); i++) {
		NRD_FREE char *path = nrd_format(IPV6 "/%s/%s", name, set[i][0]);

		if (path != NULL && nrd_path_exists(path))
			(void)nrd_attr_write(-1, path, set[i][1], NULL);
	}
}

int
link_open(unsigned ifindex, struct nrd_err *err)
{
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };

	if (fd < 0 || if_indextoname(ifindex, req.ifr_name) == NULL || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return nrd_fail(err, errno, "LinkSet", "set interface %u up: %m", ifindex);
	if ((req.ifr_flags & IFF_UP) != 0)
		return 0;
	no_autoconf(req.ifr_name);
	return link_set_up(ifindex, true, err);
}
