/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/nic-priv.h"
#include "nrd/mem.h"
#include "nrd/str.h"

/* Linux's IF_OPER_* without <linux/if.h>, which quarrels with <net/if.h>. */
enum {
	OPER_NOTPRESENT = 1,
	OPER_DOWN = 2,
	OPER_LOWERLAYERDOWN = 3,
	OPER_DORMANT = 5,
	OPER_UP = 6,
};

#define DATAGRAM_MAX ((size_t)64 << 10)
#define ADDRS_MAX 256 /* kept of one interface */
#define ATTEMPTS 5

/* A slice of attributes, read one by one with every length checked. */
struct attrs {
	const unsigned char *p;
	size_t left;
};

struct attr {
	unsigned type;
	const unsigned char *data;
	size_t len;
};

static bool
attr_next(struct attrs *attrs, struct attr *ret_attr)
{
	struct rtattr head;
	size_t step;

	if (attrs->left < sizeof(head))
		return false;
	memcpy(&head, attrs->p, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > attrs->left)
		return false;
	ret_attr->type = head.rta_type & NLA_TYPE_MASK;
	ret_attr->data = attrs->p + sizeof(head);
	ret_attr->len = head.rta_len - sizeof(head);
	step = RTA_ALIGN((size_t)head.rta_len);
	if (step > attrs->left)
		step = attrs->left;
	attrs->p += step;
	attrs->left -= step;
	return true;
}

static void
attr_text(const struct attr *attr, char *dst, size_t size)
{
	size_t len = strnlen((const char *)attr->data, attr->len);

	if (len >= size)
		len = size - 1;
	memcpy(dst, attr->data, len);
	dst[len] = '\0';
}

static void
attr_u32(const struct attr *attr, unsigned *ret_v)
{
	uint32_t v;

	if (attr->len < sizeof(v))
		return;
	memcpy(&v, attr->data, sizeof(v));
	*ret_v = v;
}

static bool
attr_mac(const struct attr *attr, struct nrd_mac *ret_mac)
{
	if (attr->len != sizeof(ret_mac->b))
		return false;
	memcpy(ret_mac->b, attr->data, sizeof(ret_mac->b));
	return true;
}

static void
info_data_take(const struct attr *data, struct link_nic *nic)
{
	struct attrs in = { data->data, data->len };
	struct attr a;

	while (attr_next(&in, &a)) {
		if (nrd_streq(nic->kind, "bond") && a.type == IFLA_BOND_MODE && a.len >= 1)
			nic->bond_mode = a.data[0];
		if (nrd_streq(nic->kind, "vlan") && a.type == IFLA_VLAN_ID && a.len >= 2) {
			uint16_t id;

			memcpy(&id, a.data, sizeof(id));
			nic->vlan_id = id;
		}
	}
}

static void
linkinfo_take(const struct attr *info, struct link_nic *nic)
{
	struct attrs in = { info->data, info->len };
	struct attr a, data = { 0 };

	while (attr_next(&in, &a)) {
		if (a.type == IFLA_INFO_KIND)
			attr_text(&a, nic->kind, sizeof(nic->kind));
		else if (a.type == IFLA_INFO_DATA)
			data = a;
	}
	/* What the data mean depends on the kind, whichever came first. */
	if (data.data != NULL)
		info_data_take(&data, nic);
}

static enum link_state
state_of(const struct link_nic *nic, unsigned oper, int carrier)
{
	if (!nic->admin_up)
		return LINK_UNKNOWN;
	switch (oper) {
	case OPER_UP:
		return LINK_UP;
	case OPER_NOTPRESENT:
	case OPER_DOWN:
	case OPER_LOWERLAYERDOWN:
	case OPER_DORMANT:
		return LINK_DOWN;
	default:
		/* Drivers that never set operstate still tell whether there is a carrier. */
		return carrier < 0 ? LINK_UNKNOWN : carrier > 0 ? LINK_UP : LINK_DOWN;
	}
}

static int
link_take(const unsigned char *data, size_t len, struct nic_list *list, struct nrd_err *err)
{
	struct link_nic *nic;
	struct ifinfomsg head;
	struct attrs in;
	struct attr a;
	bool has_perm = false;
	unsigned oper = 0;
	int carrier = -1;

	if (len < sizeof(head))
		return nrd_fail(err, EBADMSG, "LinkList", "the kernel's link message is cut short");
	memcpy(&head, data, sizeof(head));
	/* Bridges answer as AF_BRIDGE too; index 0 is nobody. */
	if (head.ifi_family != AF_UNSPEC || head.ifi_index <= 0)
		return 0;
	if (nic_list_find(list, (unsigned)head.ifi_index) != NULL)
		return 0;
	nic = nic_list_add(list, (unsigned)head.ifi_index);
	if (nic == NULL)
		return nrd_nomem(err);
	nic->admin_up = (head.ifi_flags & IFF_UP) != 0;
	nic->loopback = (head.ifi_flags & IFF_LOOPBACK) != 0;
	in = (struct attrs){ data + NLMSG_ALIGN(sizeof(head)),
			     len < NLMSG_ALIGN(sizeof(head)) ? 0 :
							       len - NLMSG_ALIGN(sizeof(head)) };
	while (attr_next(&in, &a)) {
		switch (a.type) {
		case IFLA_IFNAME:
			attr_text(&a, nic->name, sizeof(nic->name));
			break;
		case IFLA_ADDRESS:
			nic->has_mac = attr_mac(&a, &nic->mac);
			break;
		case IFLA_PERM_ADDRESS:
			has_perm = attr_mac(&a, &nic->perm_mac) &&
				   !nrd_mac_is_zero(&nic->perm_mac);
			break;
		case IFLA_MTU:
			attr_u32(&a, &nic->mtu);
			break;
		case IFLA_MAX_MTU:
			attr_u32(&a, &nic->max_mtu);
			break;
		case IFLA_MASTER:
			attr_u32(&a, &nic->master);
			break;
		case IFLA_LINK:
			attr_u32(&a, &nic->lower);
			break;
		case IFLA_OPERSTATE:
			if (a.len >= 1)
				oper = a.data[0];
			break;
		case IFLA_CARRIER:
			if (a.len >= 1)
				carrier = a.data[0];
			break;
		case IFLA_LINKINFO:
			linkinfo_take(&a, nic);
			break;
		case IFLA_PARENT_DEV_NAME:
			attr_text(&a, nic->bus, sizeof(nic->bus));
			break;
		default:
			break;
		}
	}
	if (!has_perm)
		nic->perm_mac = nic->mac;
	nic->state = state_of(nic, oper, carrier);
	nic->physical = head.ifi_type == ARPHRD_ETHER && nic->bus[0] != '\0';
	return 0;
}

static int
addr_take(const unsigned char *data, size_t len, struct nic_list *list, struct nrd_err *err)
{
	struct link_addr addr = { 0 }, *grown;
	struct link_nic *nic;
	struct ifaddrmsg head;
	struct attrs in;
	struct attr a;
	bool has_local = false, has_any = false;
	size_t size;

	if (len < sizeof(head))
		return nrd_fail(err, EBADMSG, "LinkList",
				"the kernel's address message is cut short");
	memcpy(&head, data, sizeof(head));
	nic = nic_list_find(list, head.ifa_index);
	if (nic == NULL || nic->n_addrs >= ADDRS_MAX)
		return 0;
	if (head.ifa_family == AF_INET)
		size = 4;
	else if (head.ifa_family == AF_INET6)
		size = 16;
	else
		return 0;
	addr.family = head.ifa_family;
	addr.prefix = head.ifa_prefixlen;
	addr.dynamic = (head.ifa_flags & IFA_F_PERMANENT) == 0;
	in = (struct attrs){ data + NLMSG_ALIGN(sizeof(head)),
			     len < NLMSG_ALIGN(sizeof(head)) ? 0 :
							       len - NLMSG_ALIGN(sizeof(head)) };
	while (attr_next(&in, &a)) {
		/* On point-to-point links IFA_ADDRESS is the other end's. */
		if (a.type == IFA_LOCAL ? a.len == size :
					  a.type == IFA_ADDRESS && a.len == size && !has_local) {
			memcpy(addr.b, a.data, size);
			has_local |= a.type == IFA_LOCAL;
			has_any = true;
		}
	}
	if (!has_any || addr.prefix > 8 * size)
		return 0;
	addr.link_local = addr.family == AF_INET ? addr.b[0] == 169 && addr.b[1] == 254 :
						   addr.b[0] == 0xfe && (addr.b[1] & 0xc0) == 0x80;
	grown = reallocarray(nic->addrs, nic->n_addrs + 1, sizeof(*grown));
	if (grown == NULL)
		return nrd_nomem(err);
	nic->addrs = grown;
	nic->addrs[nic->n_addrs++] = addr;
	return 0;
}

static int
error_of(const unsigned char *data, size_t len, struct nrd_err *err)
{
	struct nlmsgerr e;

	if (len < sizeof(e))
		return nrd_fail(err, EBADMSG, "LinkList", "the kernel's answer is cut short");
	memcpy(&e, data, sizeof(e));
	if (e.error >= 0 || e.error < -4095)
		return nrd_fail(err, EBADMSG, "LinkList", "the kernel answered nothing");
	return nrd_fail(err, -e.error, "LinkList", "ask the kernel for its links: %m");
}

int
nic_dump_parse(const void *data, size_t len, struct nic_list *list, struct nrd_err *err)
{
	const unsigned char *p = data;

	while (len > 0) {
		struct nlmsghdr head;
		const unsigned char *body;
		size_t body_len, step;
		int r = 0;

		if (len < sizeof(head))
			return nrd_fail(err, EBADMSG, "LinkList", "the kernel's answer is cut short");
		memcpy(&head, p, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len)
			return nrd_fail(err, EBADMSG, "LinkList",
					"the kernel's answer has a wrong length");
		if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			return nrd_fail(err, EAGAIN, "LinkList", "the links changed meanwhile");
		body = p + sizeof(head);
		body_len = head.nlmsg_len - sizeof(head);
		if (head.nlmsg_type == NLMSG_DONE)
			return 1;
		if (head.nlmsg_type == NLMSG_ERROR)
			return error_of(body, body_len, err);
		if (head.nlmsg_type == RTM_NEWLINK)
			r = link_take(body, body_len, list, err);
		else if (head.nlmsg_type == RTM_NEWADDR)
			r = addr_take(body, body_len, list, err);
		if (r < 0)
			return r;
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step > len)
			step = len;
		p += step;
		len -= step;
	}
	return 0;
}

static int
dump_one(int fd, unsigned type, struct nic_list *list, struct nrd_err *err)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
	} ask = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
			.nlmsg_type = (uint16_t)type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.body = { .rtgen_family = AF_UNSPEC },
	};
	NRD_FREE void *buf = malloc(DATAGRAM_MAX);
	int r = 0;

	if (buf == NULL)
		return nrd_nomem(err);
	if (send(fd, &ask, ask.head.nlmsg_len, 0) < 0)
		return nrd_fail(err, errno, "LinkList", "ask the kernel for its links: %m");
	while (r == 0) {
		ssize_t n = recv(fd, buf, DATAGRAM_MAX, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nrd_fail(err, n < 0 ? errno : EIO, "LinkList",
					"read the kernel's links: %m");
		if ((size_t)n > DATAGRAM_MAX)
			return nrd_fail(err, EMSGSIZE, "LinkList",
					"the kernel's answer is larger than %zu bytes",
					DATAGRAM_MAX);
		r = nic_dump_parse(buf, (size_t)n, list, err);
	}
	return r < 0 ? r : 0;
}

static int
dump_both(struct nic_list *list, struct nrd_err *err)
{
	/* The kernel answers at once; the limit is against a bug, not against waiting. */
	static const struct timeval limit = { .tv_sec = 5 };
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return nrd_fail(err, errno, "LinkList", "open an rtnetlink socket: %m");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r = dump_one(fd, RTM_GETLINK, list, err);
	return r < 0 ? r : dump_one(fd, RTM_GETADDR, list, err);
}

int
nic_dump_read(struct nic_list *list, struct nrd_err *err)
{
	int r = -EAGAIN;

	/* A new socket each time: an interrupted dump leaves its rest in the old one. */
	for (int i = 0; r == -EAGAIN && i < ATTEMPTS; i++) {
		nic_list_fini(list);
		r = dump_both(list, err);
	}
	return r;
}
