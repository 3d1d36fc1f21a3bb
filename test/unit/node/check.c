/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/check.h"

#include <string.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/schema.h"

/* One rule: texts it takes and texts it refuses. */
static void
judge(nrd_check_fn *check, const char *const *good, const char *const *bad)
{
	struct nrd_err err = { 0 };

	for (; *good != NULL; good++)
		CHECK_OK(check(*good, &err), err);
	for (; *bad != NULL; bad++) {
		memset(&err, 0, sizeof(err));
		if (check(*bad, &err) != -EINVAL)
			test_fail(__FILE__, __LINE__, "\"%s\" was taken", *bad);
		CHECK_STR(err.code, "BadValue");
		CHECK(err.msg[0] != '\0');
	}
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
addresses(void)
{
	judge(node_check_ip4, LIST("10.0.0.1", "192.168.1.254", "1.1.1.1"),
	      LIST("", "10.0.0", "10.0.0.256", "10.0.0.1 ", "127.0.0.1", "0.0.0.0", "224.0.0.1",
		   "255.255.255.255", "10.0.0.1/24", "::1", "010.0.0.1", "dhcp"));
	judge(node_check_ip4_dhcp, LIST("10.0.0.1", "dhcp"), LIST("DHCP", "none", ""));
	judge(node_check_ip4_none, LIST("10.0.0.1", "none"), LIST("dhcp", ""));
	judge(node_check_ip4_network, LIST("10.0.0.0", "0.0.0.0"), LIST("10.0.0", "10.0.0.0/24"));
	judge(node_check_ip6, LIST("fd00::1", "2001:db8::10", "fe80::1"),
	      LIST("", "::", "::1", "ff02::1", "::ffff:10.0.0.1", "fd00::1/64", "fd00::1%eth0"));
	judge(node_check_ip6_plen, LIST("fd00::1/64", "2001:db8::1/128", "addrconf"),
	      LIST("fd00::1", "fd00::1/", "fd00::1/0", "fd00::1/129", "fd00::1/6 4", "::1/128",
		   "fd00:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/64"));
	judge(node_check_ip, LIST("10.0.0.1", "fd00::1"), LIST("host", "10.0.0.300"));
	judge(node_check_ip_list, LIST("10.0.0.1", "10.0.0.1,fd00::1"),
	      LIST("", ",", "10.0.0.1,", "10.0.0.1, 10.0.0.2"));
}

static void
netmasks(void)
{
	struct nrd_err err = { 0 };
	unsigned prefix = 0;

	judge(node_check_netmask, LIST("255.255.255.0", "128.0.0.0", "255.255.255.255"),
	      LIST("", "0.0.0.0", "255.0.255.0", "0.0.0.255", "24", "255.255.255.1"));
	CHECK_OK(node_netmask_prefix("255.255.240.0", &prefix, &err), err);
	CHECK_INT(prefix, 20);
	CHECK_OK(node_netmask_prefix("255.255.255.255", &prefix, &err), err);
	CHECK_INT(prefix, 32);
}

static void
networks(void)
{
	struct nrd_err err = { 0 };

	CHECK_OK(node_check_network("10.0.0.5", "255.255.255.0", "10.0.0.1", &err), err);
	CHECK_OK(node_check_network("10.0.0.5", "255.255.255.0", NULL, &err), err);
	CHECK_OK(node_check_network("10.0.0.5", "255.255.255.0", "none", &err), err);
	CHECK_OK(node_check_network("10.0.0.0", "255.255.255.254", "10.0.0.1", &err), err);
	CHECK_OK(node_check_network("10.0.0.5", "255.255.255.255", "172.31.1.1", &err), err);
	CHECK_FAILS(node_check_network("10.0.0.0", "255.255.255.0", NULL, &err), err, EINVAL,
		    "BadNetwork");
	CHECK_HAS(err.msg, "the network's own address");
	CHECK_FAILS(node_check_network("10.0.0.255", "255.255.255.0", NULL, &err), err, EINVAL,
		    "BadNetwork");
	CHECK_HAS(err.msg, "broadcast");
	CHECK_FAILS(node_check_network("10.0.0.5", "255.255.255.0", "10.0.1.1", &err), err, EINVAL,
		    "BadNetwork");
	CHECK_HAS(err.msg, "is not on the network");
	CHECK_FAILS(node_check_network("10.0.0.5", "255.255.255.0", "10.0.0.5", &err), err, EINVAL,
		    "BadNetwork");
	CHECK_FAILS(node_check_network("10.0.0.5", "255.255.0.255", NULL, &err), err, EINVAL,
		    "BadValue");
}

static void
links(void)
{
	judge(node_check_mac, LIST("90:b8:d0:12:34:56", "2:8:20:0:1:2", "0A:1B:2C:3D:4E:5F"),
	      LIST("", "00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff",
		   "90-b8-d0-12-34-56", "90:b8:d0:12:34", "90:b8:d0:12:34:56:78"));
	judge(node_check_mac_list, LIST("90:b8:d0:12:34:56,90:b8:d0:12:34:57"),
	      LIST("", "90:b8:d0:12:34:56,"));
	judge(node_check_ip4_list, LIST("10.0.0.1", "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4"),
	      LIST("", "fd00::1", "10.0.0.1,", "1.0.0.1,1.0.0.2,1.0.0.3,1.0.0.4,1.0.0.5"));
	judge(node_check_dhcp_pool, LIST("10.0.0.1-10.0.0.1/24", "10.0.0.100-10.0.0.199/24", "10.0.0.1-10.0.255.254/8"),
	      LIST("", "10.0.0.1", "10.0.0.1-10.0.0.9", "10.0.0.1/24", "10.0.0.1/24-10.0.0.9", "10.0.0.9-10.0.0.1/24", "10.0.0.1-10.0.1.1/24",
		   "10.0.0.1-10.1.255.1/8", "10.0.0.1-10.0.0.9/31", "10.0.0.1-10.0.0.9/7", "10.0.0.1-10.0.0.9/24x", "fd00::1-fd00::9/64",
		   "10.0.0.1-10.0.0.9-10.0.0.11/24", "-/", "-/24", "10.0.0.1-/24", "1111111111111111111111111-10.0.0.9/24"));
	judge(node_check_dhcp_lease, LIST("60", "86400"), LIST("", "59", "-1", "1d", "4294967296"));
	judge(node_check_aggr, LIST("aggr0", "aggr12"), LIST("aggr", "aggr-1", "agg0", "aggr0x"));
	judge(node_check_nic, LIST("aggr0", "90:b8:d0:12:34:56"), LIST("eth0", ""));
	judge(node_check_device, LIST("veth", "netkit"), LIST("", "tap", "Veth"));
	judge(node_check_lacp, LIST("off", "active", "passive"), LIST("on", "", "Active"));
	judge(node_check_mtu, LIST("1500", "9000"), LIST("", "1499", "9001", "-1", "1500 "));
	judge(node_check_vlan, LIST("0", "4094"), LIST("", "4095", "-1"));
	judge(node_check_tag, LIST("admin", "a", "10g_net", "abcdefghijklmnopqrstuvwxyz1234"),
	      LIST("", "a-b", "a b", "abcdefghijklmnopqrstuvwxyz12345"));
	judge(node_check_etherstub, LIST("stub0", "abcdefghijklmnopqrstuvwxyz12345"),
	      LIST("", "stub", "stub-0", "abcdefghijklmnopqrstuvwxyz123456"));
	judge(node_check_etherstub_list, LIST("", "stub0", "stub0,stub1"), LIST("stub0,", "stub"));
}

static void
names(void)
{
	char label[65];

	memset(label, 'a', sizeof(label));
	label[64] = '\0';
	judge(node_check_hostname, LIST("node1", "a", "node-1.example.com", label + 1),
	      LIST("", "-a", "a-", "a.", "a..b", "a b", "_a", label));
	judge(node_check_domain, LIST("example.com", "example.com.", "local"),
	      LIST("", ".", "a..b", ".com", "exa mple"));
	judge(node_check_host_list, LIST("0.pool.ntp.org", "10.0.0.1,time.example.com", "fd00::1"),
	      LIST("", "10.0.0.300", "a,,b", "a b"));
	judge(node_check_file_name, LIST("keys", "sub/keys"),
	      LIST("", "/etc/shadow", "../shadow", "a/../../b", "a//b", "."));
	judge(node_check_bool, LIST("true", "false"), LIST("", "yes", "1"));
	judge(node_check_keymap, LIST("de-latin1", "us"), LIST("", "de latin1", "../x/"));
	judge(node_check_pool, LIST("zones", "data-1"),
	      LIST("", "1zones", "mirror", "raidz2", "log", "a/b", "a b"));
}

static void
hashes(void)
{
	struct nrd_err err = { 0 };

	judge(node_check_shadow, LIST("$6$saltsalt$abcdefghijklmnop", "$y$j9T$abc$defghijkl"),
	      LIST("", "*", "!", "secretpassword", "$6$a:b$abcdefghijk", "$6$a b$abcdefghijk"));
	/* The text of a bad one may be a password: it is not repeated. */
	CHECK_FAILS(node_check_shadow("secretpassword", &err), err, EINVAL, "BadValue");
	CHECK(strstr(err.msg, "secretpassword") == NULL);
}

TEST_MAIN(addresses, netmasks, networks, links, names, hashes)
