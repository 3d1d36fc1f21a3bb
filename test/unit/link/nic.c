/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/nic.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "link/nic-priv.h"
#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static struct nrd_err err;

/* A datagram as the kernel would send it. */
static unsigned char msg[8192];
static size_t msg_len, msg_start;

static void
put(const void *data, size_t len)
{
	memcpy(msg + msg_len, data, len);
	memset(msg + msg_len + len, 0, NLMSG_ALIGN(len) - len);
	msg_len += NLMSG_ALIGN(len);
}

static void
msg_open(unsigned type, const void *body, size_t len)
{
	struct nlmsghdr head = { .nlmsg_type = (uint16_t)type };

	msg_start = msg_len;
	put(&head, sizeof(head));
	put(body, len);
}

static void
msg_close(void)
{
	uint32_t len = (uint32_t)(msg_len - msg_start);

	memcpy(msg + msg_start, &len, sizeof(len));
}

static void
attr(unsigned type, const void *data, size_t len)
{
	struct rtattr head = { .rta_len = (uint16_t)(sizeof(head) + len),
			       .rta_type = (uint16_t)type };

	memcpy(msg + msg_len, &head, sizeof(head));
	msg_len += sizeof(head);
	put(data, len);
}

static void
link_open(int index, unsigned flags, const char *name)
{
	struct ifinfomsg info = { .ifi_index = index, .ifi_type = ARPHRD_ETHER, .ifi_flags = flags };

	msg_open(RTM_NEWLINK, &info, sizeof(info));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
}

static void
done(void)
{
	static const int zero = 0;

	msg_open(NLMSG_DONE, &zero, sizeof(zero));
	msg_close();
}

static const unsigned char mac_a[6] = { 0x52, 0x54, 0, 0xaa, 0, 1 };
static const unsigned char mac_b[6] = { 0x52, 0x54, 0, 0xaa, 0, 2 };

/* eth0 in bond aggr0, out of order, and a VLAN on it with addresses. */
static void
make_dump(void)
{
	static const uint32_t mtu = 9000, max = 9710, master = 5, lower = 5;
	static const unsigned char up = 6, mode = 4;
	static const uint16_t id = 12;
	unsigned char info[64];
	struct rtattr a;
	size_t n;

	msg_len = 0;
	link_open(5, IFF_UP, "aggr0");
	attr(IFLA_ADDRESS, mac_b, 6);
	attr(IFLA_OPERSTATE, &up, 1);
	/* Data before kind: the order is the kernel's business. */
	a = (struct rtattr){ .rta_len = 4 + 5, .rta_type = IFLA_BOND_MODE };
	memset(info, 0, sizeof(info));
	n = 4;
	memcpy(info + n, &(struct rtattr){ .rta_len = 5, .rta_type = IFLA_BOND_MODE }, 4);
	info[n + 4] = mode;
	a = (struct rtattr){ .rta_len = 9, .rta_type = IFLA_INFO_DATA };
	memcpy(info, &a, 4);
	n = 12;
	a = (struct rtattr){ .rta_len = 9, .rta_type = IFLA_INFO_KIND };
	memcpy(info + n, &a, 4);
	memcpy(info + n + 4, "bond", 5);
	attr(IFLA_LINKINFO | NLA_F_NESTED, info, n + 9);
	msg_close();

	link_open(2, IFF_UP, "eth0");
	attr(IFLA_ADDRESS, mac_b, 6);
	attr(IFLA_PERM_ADDRESS, mac_a, 6);
	attr(IFLA_MTU, &mtu, 4);
	attr(IFLA_MAX_MTU, &max, 4);
	attr(IFLA_MASTER, &master, 4);
	attr(IFLA_OPERSTATE, &up, 1);
	attr(IFLA_PARENT_DEV_NAME, "0000:00:03.0", 13);
	msg_close();

	link_open(7, IFF_UP, "ext0");
	attr(IFLA_LINK, &lower, 4);
	memset(info, 0, sizeof(info));
	a = (struct rtattr){ .rta_len = 9, .rta_type = IFLA_INFO_KIND };
	memcpy(info, &a, 4);
	memcpy(info + 4, "vlan", 5);
	a = (struct rtattr){ .rta_len = 10, .rta_type = IFLA_INFO_DATA };
	memcpy(info + 12, &a, 4);
	a = (struct rtattr){ .rta_len = 6, .rta_type = IFLA_VLAN_ID };
	memcpy(info + 16, &a, 4);
	memcpy(info + 20, &id, 2);
	attr(IFLA_LINKINFO, info, 22);
	msg_close();
}

static void
make_addrs(void)
{
	static const unsigned char ip[4] = { 10, 0, 0, 5 }, peer[4] = { 10, 0, 0, 6 };
	static const unsigned char ip6[16] = { 0xfe, 0x80, [15] = 1 };
	struct ifaddrmsg head = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 7 };

	msg_len = 0;
	msg_open(RTM_NEWADDR, &head, sizeof(head));
	attr(IFA_ADDRESS, peer, 4);
	attr(IFA_LOCAL, ip, 4);
	msg_close();
	head = (struct ifaddrmsg){ .ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 7,
				   .ifa_flags = IFA_F_PERMANENT };
	msg_open(RTM_NEWADDR, &head, sizeof(head));
	attr(IFA_ADDRESS, ip6, 16);
	msg_close();
	head.ifa_index = 99; /* a link nobody listed */
	msg_open(RTM_NEWADDR, &head, sizeof(head));
	attr(IFA_ADDRESS, ip6, 16);
	msg_close();
	done();
}

static void
reads_a_dump(void)
{
	struct nic_list list = { 0 };
	const struct link_nic *nic;
	char text[LINK_ADDR_TEXT];

	make_dump();
	CHECK_OK(nic_dump_parse(msg, msg_len, &list, &err), err);
	CHECK_INT(list.len, 3);
	nic = &list.data[0];
	CHECK_STR(nic->name, "eth0");
	CHECK(nic->physical && nic->admin_up && nic->state == LINK_UP);
	CHECK(memcmp(nic->perm_mac.b, mac_a, 6) == 0 && memcmp(nic->mac.b, mac_b, 6) == 0);
	CHECK_INT(nic->mtu, 9000);
	CHECK_INT(nic->max_mtu, 9710);
	CHECK_INT(nic->master, 5);
	CHECK_STR(nic->bus, "0000:00:03.0");
	CHECK_INT(nic->bond_mode, -1);
	nic = &list.data[1];
	CHECK_STR(nic->kind, "bond");
	CHECK_INT(nic->bond_mode, 4);
	CHECK(!nic->physical && memcmp(nic->perm_mac.b, mac_b, 6) == 0);
	nic = &list.data[2];
	CHECK_STR(nic->kind, "vlan");
	CHECK_INT(nic->vlan_id, 12);
	CHECK_INT(nic->lower, 5);
	CHECK_INT(nic->state, LINK_UNKNOWN);

	make_addrs();
	CHECK_INT(nic_dump_parse(msg, msg_len, &list, &err), 1);
	nic = &list.data[2];
	CHECK_INT(nic->n_addrs, 2);
	link_addr_format(&nic->addrs[0], text);
	CHECK_STR(text, "10.0.0.5");
	CHECK_INT(nic->addrs[0].prefix, 24);
	CHECK(nic->addrs[0].dynamic && !nic->addrs[0].link_local);
	link_addr_format(&nic->addrs[1], text);
	CHECK_STR(text, "fe80::1");
	CHECK(!nic->addrs[1].dynamic && nic->addrs[1].link_local);
	nic_list_fini(&list);
}

/* Every prefix of a good dump, and every byte of it changed: an error or a result, never more. */
static void
torn_dumps(void)
{
	make_dump();
	for (size_t len = 0; len < msg_len; len++) {
		struct nic_list list = { 0 };
		NRD_FREE unsigned char *copy = malloc(len == 0 ? 1 : len);

		CHECK(copy != NULL);
		memcpy(copy, msg, len);
		CHECK(nic_dump_parse(copy, len, &list, NULL) <= 0);
		nic_list_fini(&list);
	}
	for (size_t i = 0; i < msg_len; i++) {
		struct nic_list list = { 0 };
		NRD_FREE unsigned char *copy = malloc(msg_len);

		CHECK(copy != NULL);
		memcpy(copy, msg, msg_len);
		copy[i] ^= 0xff;
		(void)nic_dump_parse(copy, msg_len, &list, NULL);
		CHECK(list.len <= 3);
		nic_list_fini(&list);
	}
}

static void
kernel_says_no(void)
{
	struct nlmsgerr e = { .error = -EPERM };
	struct nic_list list = { 0 };
	uint16_t intr = NLM_F_DUMP_INTR;

	msg_len = 0;
	msg_open(NLMSG_ERROR, &e, sizeof(e));
	msg_close();
	CHECK_FAILS(nic_dump_parse(msg, msg_len, &list, &err), err, EPERM, "LinkList");
	make_dump();
	memcpy(msg + offsetof(struct nlmsghdr, nlmsg_flags), &intr, sizeof(intr));
	CHECK_FAILS(nic_dump_parse(msg, msg_len, &list, &err), err, EAGAIN, "LinkList");
	nic_list_fini(&list);
}

static void
this_machine(void)
{
	NRD_AUTO(link_nics) nics = { 0 };
	NRD_AUTO(link_nics) physical = { 0 };
	const struct link_nic *lo;

	CHECK_OK(link_nics_read(NULL, 0, &nics, &err), err);
	lo = link_nics_by_name(&nics, "lo");
	CHECK(lo != NULL && lo->loopback && !lo->physical);
	CHECK(link_nics_by_index(&nics, lo->index) == lo);
	CHECK_OK(link_nics_read(NULL, LINK_NICS_PHYSICAL, &physical, &err), err);
	CHECK(physical.n < nics.n);
	for (size_t i = 0; i < physical.n; i++)
		CHECK(physical.nics[i].physical);
}

static void
made_up_sysfs(void)
{
	NRD_AUTO(link_nics) nics = { 0 };
	const struct link_nic *nic;
	struct nrd_mac mac;
	char dir[64];

	test_mkdir(dir);
	tree_nic(dir, "eth0", 2, "52:54:00:aa:00:00", "../drivers/igb", "up");
	tree_file(dir, "class/net/eth0/speed", "10000\n");
	tree_nic(dir, "eth1", 3, "52:54:00:aa:00:00", "../drivers/igb", "lowerlayerdown");
	tree_file(dir, "class/net/eth1/speed", "-1\n");
	tree_file(dir, "class/net/eth1/bonding_slave/perm_hwaddr", "52:54:00:aa:00:01\n");
	tree_link(dir, "class/net/eth1/master", "../aggr0");
	tree_nic(dir, "aggr0", 9, "52:54:00:aa:00:00", NULL, "up");
	tree_file(dir, "class/net/aggr0/bonding/mode", "balance-rr 0\n");
	tree_nic(dir, "vnet0", 10, "52:54:00:aa:00:09", NULL, "unknown");
	tree_file(dir, "class/net/broken/ifindex", "many\n");
	CHECK_OK(link_nics_read(dir, 0, &nics, &err), err);
	CHECK_INT(nics.n, 4);
	nic = link_nics_by_name(&nics, "eth0");
	CHECK(nic != NULL && nic->physical && nic->state == LINK_UP);
	CHECK_STR(nic->driver, "igb");
	CHECK_STR(nic->bus, "eth0");
	CHECK_INT(nic->speed_mbit, 10000);
	CHECK_INT(nic->mtu, 1500);
	nic = link_nics_by_name(&nics, "eth1");
	CHECK(nic != NULL && nic->state == LINK_DOWN);
	CHECK_INT(nic->speed_mbit, 0);
	CHECK_INT(nic->master, 9);
	CHECK_OK(nrd_mac_parse("52:54:00:aa:00:01", &mac, &err), err);
	CHECK(link_nics_by_mac(&nics, &mac) == nic);
	CHECK_OK(nrd_mac_parse("52:54:00:aa:00:00", &mac, &err), err);
	CHECK(link_nics_by_mac(&nics, &mac) == link_nics_by_name(&nics, "eth0"));
	CHECK_OK(nrd_mac_parse("52:54:00:aa:00:77", &mac, &err), err);
	CHECK(link_nics_by_mac(&nics, &mac) == NULL);
	nic = link_nics_by_name(&nics, "aggr0");
	CHECK(nic != NULL && !nic->physical && nic->bond_mode == 0);
	CHECK_STR(nic->kind, "bond");
	CHECK_STR(link_state_name(link_nics_by_name(&nics, "vnet0")->state), "unknown");
	tree_remove(dir);
	CHECK_FAILS(link_nics_read(dir, 0, &nics, &err), err, ENOENT, "LinkList");
}

TEST_MAIN(reads_a_dump, torn_dumps, kernel_says_no, this_machine, made_up_sysfs)
