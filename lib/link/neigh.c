/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/neigh-priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "link/rtnl-priv.h"
#include "nrd/mem.h"

#define DATAGRAM_MAX ((size_t)32 << 10)

static size_t
length(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int
change(const struct neigh *n, unsigned type, unsigned flags)
{
	const struct ndmsg body = {
		.ndm_family = (uint8_t)n->family, .ndm_ifindex = (int)n->ifindex, .ndm_state = NUD_PERMANENT,
		.ndm_flags = n->family == AF_BRIDGE ? NTF_SELF : 0,
	};
	uint16_t port = htons(n->port);
	struct rtnl_msg msg;

	rtnl_begin(&msg, type, flags, &body, sizeof(body));
	if (n->has_mac)
		rtnl_add(&msg, NDA_LLADDR, n->mac.b, sizeof(n->mac.b));
	if (n->ip.family != 0)
		rtnl_add(&msg, NDA_DST, n->ip.addr, length(n->ip.family));
	if (n->port != 0)
		rtnl_add(&msg, NDA_PORT, &port, sizeof(port));
	return rtnl_send(&msg);
}

int
neigh_put(const struct neigh *n)
{
	/* A row for all MACs is one of several by the kernel's rules, and not replaced. */
	bool all = n->family == AF_BRIDGE && nrd_mac_is_zero(&n->mac);

	return change(n, RTM_NEWNEIGH, NLM_F_CREATE | (all ? NLM_F_APPEND : NLM_F_REPLACE));
}

int
neigh_remove(const struct neigh *n)
{
	int r = change(n, RTM_DELNEIGH, 0);

	return r == -ENOENT ? 0 : r;
}

/* ---- reading ---- */

static void
take(const unsigned char *p, size_t left, struct neigh *n)
{
	struct rtattr head;

	while (left >= sizeof(head)) {
		const unsigned char *data = p + sizeof(head);
		size_t len, step;

		memcpy(&head, p, sizeof(head));
		if (head.rta_len < sizeof(head) || head.rta_len > left)
			return;
		len = head.rta_len - sizeof(head);
		if ((head.rta_type & NLA_TYPE_MASK) == NDA_LLADDR && len == sizeof(n->mac.b)) {
			memcpy(n->mac.b, data, len);
			n->has_mac = true;
		} else if ((head.rta_type & NLA_TYPE_MASK) == NDA_DST && (len == 4 || len == 16)) {
			n->ip.family = len == 4 ? AF_INET : AF_INET6;
			n->ip.bits = (unsigned)(8 * len);
			memcpy(n->ip.addr, data, len);
		} else if ((head.rta_type & NLA_TYPE_MASK) == NDA_PORT && len == sizeof(n->port)) {
			memcpy(&n->port, data, len);
			n->port = ntohs(n->port);
		}
		step = RTA_ALIGN((size_t)head.rta_len);
		if (step > left)
			return;
		p += step;
		left -= step;
	}
}

bool
neigh_next(const void *data, size_t len, size_t *at, struct neigh *ret_n, bool *ret_question, bool *ret_done)
{
	const unsigned char *p = data;
	struct nlmsghdr head;
	struct ndmsg body;

	*ret_done = false;
	while (*at <= len && len - *at >= sizeof(head)) {
		const unsigned char *msg = p + *at;
		size_t rest = NLMSG_ALIGN(sizeof(body));

		memcpy(&head, msg, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len - *at)
			return false;
		*at += NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) {
			*ret_done = true;
			return false;
		}
		if ((head.nlmsg_type != RTM_NEWNEIGH && head.nlmsg_type != RTM_GETNEIGH) ||
		    head.nlmsg_len < sizeof(head) + rest)
			continue;
		memcpy(&body, msg + sizeof(head), sizeof(body));
		*ret_n = (struct neigh){ .ifindex = (unsigned)body.ndm_ifindex, .family = body.ndm_family };
		*ret_question = head.nlmsg_type == RTM_GETNEIGH;
		take(msg + sizeof(head) + rest, head.nlmsg_len - sizeof(head) - rest, ret_n);
		return true;
	}
	return false;
}

static int
open_socket(uint32_t groups)
{
	const struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	return nrd_take_fd(&fd);
}

int
neigh_listen(void)
{
	return open_socket(RTMGRP_NEIGH);
}

int
neigh_each(unsigned ifindex, int family, neigh_fn *fn, void *arg)
{
	static const struct timeval limit = { .tv_sec = 10 };
	struct {
		struct nlmsghdr head;
		struct ndmsg body;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .ndm_family = (uint8_t)family },
	};
	NRD_CLOSE int fd = open_socket(0);
	NRD_FREE unsigned char *buf = malloc(DATAGRAM_MAX);
	bool done = false;

	if (buf == NULL)
		return -ENOMEM;
	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	while (!done) {
		ssize_t n = recv(fd, buf, DATAGRAM_MAX, 0);
		size_t at = 0;
		bool question;
		struct neigh row;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		while (neigh_next(buf, (size_t)n, &at, &row, &question, &done))
			if (row.ifindex == ifindex && row.family == family)
				fn(arg, &row);
	}
	return 0;
}
