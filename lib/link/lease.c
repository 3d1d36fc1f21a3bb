/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/lease.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/rtnl-priv.h"
#include "nrd/mem.h"

#define LEASED_MAX 64 /* that are removed at once */

static int
change(unsigned type, unsigned ifindex, const struct switch_prefix *a, uint32_t seconds)
{
	const struct ifaddrmsg body = { .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)a->bits, .ifa_index = ifindex };
	const struct ifa_cacheinfo valid = { .ifa_prefered = seconds, .ifa_valid = seconds };
	struct rtnl_msg msg;

	rtnl_begin(&msg, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof(body));
	rtnl_add(&msg, IFA_LOCAL, a->addr, 4);
	rtnl_add(&msg, IFA_ADDRESS, a->addr, 4);
	if (type == RTM_NEWADDR)
		rtnl_add(&msg, IFA_CACHEINFO, &valid, sizeof(valid));
	return rtnl_send(&msg);
}

static int
set_router(unsigned ifindex, const struct lease *lease)
{
	const struct rtmsg body = {
		.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_DHCP, .rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST, .rtm_flags = RTNH_F_ONLINK,
	};
	struct rtnl_msg msg;

	rtnl_begin(&msg, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	rtnl_add(&msg, RTA_GATEWAY, lease->router.addr, 4);
	rtnl_add_u32(&msg, RTA_OIF, ifindex);
	rtnl_add_u32(&msg, RTA_PRIORITY, lease->metric);
	return rtnl_send(&msg);
}

/* ---- what is leased ---- */

struct leased {
	unsigned ifindex;
	struct switch_prefix found[LEASED_MAX];
	size_t n;
};

static void
look_at(struct leased *l, const struct ifaddrmsg *body, struct rtattr *attr, size_t left)
{
	struct switch_prefix a = { .family = AF_INET, .bits = body->ifa_prefixlen };
	uint32_t flags = body->ifa_flags;
	bool has = false;

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type == IFA_LOCAL && RTA_PAYLOAD(attr) == 4) {
			memcpy(a.addr, RTA_DATA(attr), 4);
			has = true;
		} else if (attr->rta_type == IFA_FLAGS && RTA_PAYLOAD(attr) == sizeof(flags)) {
			memcpy(&flags, RTA_DATA(attr), sizeof(flags));
		}
	}
	if (has && body->ifa_index == l->ifindex && (flags & IFA_F_PERMANENT) == 0 && l->n < LEASED_MAX)
		l->found[l->n++] = a;
}

/* 1: more to come. */
static int
look_through(struct leased *l, unsigned char *data, size_t left)
{
	struct nlmsghdr *head = (void *)data;

	for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
		struct ifaddrmsg *body = NLMSG_DATA(head);

		if (head->nlmsg_type == NLMSG_DONE)
			return 0;
		if (head->nlmsg_type == NLMSG_ERROR)
			return -EPROTO;
		if (head->nlmsg_type == RTM_NEWADDR && head->nlmsg_len >= NLMSG_LENGTH(sizeof(*body)))
			look_at(l, body, IFA_RTA(body), IFA_PAYLOAD(head));
	}
	return 1;
}

static int
find_leased(struct leased *l)
{
	const struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .ifa_family = AF_INET },
	};
	_Alignas(struct nlmsghdr) unsigned char data[16384];
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r = 1;

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	while (r == 1) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : look_through(l, data, (size_t)n);
	}
	return r;
}

int
link_lease_set(const char *nic, const struct lease *lease, struct nrd_err *err)
{
	struct leased old = { .ifindex = rtnl_index(nic) };
	int r = 0;

	if (old.ifindex == 0)
		return nrd_fail(err, ENODEV, "LeaseNic", "there is no interface %s", nic);
	r = find_leased(&old);
	if (r < 0)
		return nrd_fail(err, -r, "LeaseSet", "%s: read its addresses: %m", nic);
	for (size_t i = 0; i < old.n; i++)
		if (lease == NULL || memcmp(old.found[i].addr, lease->address.addr, 4) != 0 || old.found[i].bits != lease->address.bits)
			(void)change(RTM_DELADDR, old.ifindex, &old.found[i], 0);
	if (lease == NULL)
		return 0;
	r = change(RTM_NEWADDR, old.ifindex, &lease->address, lease->seconds);
	if (r < 0)
		return nrd_fail(err, -r, "LeaseSet", "%s: set its address: %m", nic);
	r = lease->router.family != 0 ? set_router(old.ifindex, lease) : 0;
	return r < 0 ? nrd_fail(err, -r, "LeaseSet", "%s: set its router: %m", nic) : 0;
}
