/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "link/rtnl-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"

void
rtnl_raw(struct rtnl_msg *msg, const void *data, size_t len)
{
	size_t padded = NLMSG_ALIGN(len);

	if (msg->full || padded > sizeof(msg->data) - msg->len) {
		msg->full = true;
		return;
	}
	if (len > 0)
		memcpy(msg->data + msg->len, data, len);
	memset(msg->data + msg->len + len, 0, padded - len);
	msg->len += padded;
}

void
rtnl_begin(struct rtnl_msg *msg, unsigned type, unsigned flags, const void *body, size_t len)
{
	struct nlmsghdr head = {
		.nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST | NLM_F_ACK),
		.nlmsg_seq = 1,
	};

	msg->len = 0;
	msg->full = false;
	rtnl_raw(msg, &head, sizeof(head));
	rtnl_raw(msg, body, len);
}

void
rtnl_add(struct rtnl_msg *msg, unsigned type, const void *data, size_t len)
{
	struct rtattr head = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = (uint16_t)type };

	if (len > RTNL_MSG_MAX) {
		msg->full = true;
		return;
	}
	rtnl_raw(msg, &head, sizeof(head));
	rtnl_raw(msg, data, len);
}

void
rtnl_add_u32(struct rtnl_msg *msg, unsigned type, uint32_t value)
{
	rtnl_add(msg, type, &value, sizeof(value));
}

void
rtnl_add_u8(struct rtnl_msg *msg, unsigned type, uint8_t value)
{
	rtnl_add(msg, type, &value, sizeof(value));
}

void
rtnl_add_text(struct rtnl_msg *msg, unsigned type, const char *text)
{
	rtnl_add(msg, type, text, strlen(text) + 1);
}

size_t
rtnl_nest(struct rtnl_msg *msg, unsigned type)
{
	size_t at = msg->len;

	rtnl_add(msg, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void
rtnl_end(struct rtnl_msg *msg, size_t nest)
{
	uint16_t len = (uint16_t)(msg->len - nest);

	if (!msg->full)
		memcpy(msg->data + nest + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

static int
answer(int fd)
{
	_Alignas(8) unsigned char buf[4096];
	struct nlmsghdr head;
	struct nlmsgerr e;

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(head) + sizeof(e))
			return -EBADMSG;
		memcpy(&head, buf, sizeof(head));
		memcpy(&e, buf + sizeof(head), sizeof(e));
		if (head.nlmsg_type != NLMSG_ERROR)
			continue;
		return e.error <= 0 && e.error >= -4095 ? e.error : -EBADMSG;
	}
}

int
rtnl_send(struct rtnl_msg *msg)
{
	static const struct timeval limit = { .tv_sec = 10 };
	uint32_t len = (uint32_t)msg->len;

	if (msg->full)
		return -EMSGSIZE;
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	memcpy(msg->data + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	if (send(fd, msg->data, msg->len, 0) < 0)
		return -errno;
	return answer(fd);
}

int
rtnl_set_mac(unsigned ifindex, const struct nrd_mac *mac)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;

	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	rtnl_add(&msg, IFLA_ADDRESS, mac->b, sizeof(mac->b));
	return rtnl_send(&msg);
}

/* As if_nametoindex(3), which in a static program brings all of getifaddrs(3) with it. */
unsigned
rtnl_index(const char *name)
{
	struct ifreq req = { 0 };

	if (nrd_strcpy_to(req.ifr_name, sizeof(req.ifr_name), name) < 0)
		return 0;
	NRD_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && ioctl(fd, SIOCGIFINDEX, &req) == 0 ? (unsigned)req.ifr_ifindex : 0;
}

/* ---- in another namespace ---- */

int
rtnl_in_netns(int netns, const char *what, rtnl_in_netns_fn *fn, const void *arg, struct nrd_err *err)
{
	NRD_CLOSE int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
		return nrd_fail(err, errno, "StackSet", "%s: go into the machine's network: %m", what);
	r = fn(arg, err);
	/* Whoever cannot come back must not go on: he would take the machine's network for the node's. */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return r;
}

/* ---- interfaces of a kind ---- */

static void
kind_begin(struct rtnl_make *make, const char *kind)
{
	make->info = rtnl_nest(&make->msg, IFLA_LINKINFO);
	rtnl_add_text(&make->msg, IFLA_INFO_KIND, kind);
	make->data = rtnl_nest(&make->msg, IFLA_INFO_DATA);
}

void
rtnl_make_begin(struct rtnl_make *make, const char *name, const char *kind, unsigned lower, const struct nrd_mac *mac)
{
	const struct ifinfomsg body = { 0 };

	rtnl_begin(&make->msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	rtnl_add_text(&make->msg, IFLA_IFNAME, name);
	if (lower != 0)
		rtnl_add_u32(&make->msg, IFLA_LINK, lower);
	if (mac != NULL)
		rtnl_add(&make->msg, IFLA_ADDRESS, mac->b, sizeof(mac->b));
	kind_begin(make, kind);
}

void
rtnl_make_change(struct rtnl_make *make, unsigned ifindex, const char *kind)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };

	rtnl_begin(&make->msg, RTM_NEWLINK, 0, &body, sizeof(body));
	kind_begin(make, kind);
}

int
rtnl_make_send(struct rtnl_make *make)
{
	rtnl_end(&make->msg, make->data);
	rtnl_end(&make->msg, make->info);
	return rtnl_send(&make->msg);
}
