/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/net.h"

#include "nrd-test.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define MAC1 "02:08:20:00:00:01"
#define MAC2 "02:08:20:00:00:02"

static struct link_nic nic_list[2];
static struct link_nics nics = { nic_list, 2 };
static struct link_nics none = { NULL, 0 };

static void
two_nics(void)
{
	static const char *const macs[] = { MAC1, MAC2 };

	for (size_t i = 0; i < 2; i++) {
		nic_list[i] = (struct link_nic){ .index = (unsigned)i + 2, .physical = true,
						 .has_mac = true };
		(void)snprintf(nic_list[i].name, sizeof(nic_list[i].name), "eth%zu", i);
		CHECK_INT(nrd_mac_parse(macs[i], &nic_list[i].mac, NULL), 0);
		nic_list[i].perm_mac = nic_list[i].mac;
	}
	nic_list[1].state = LINK_UP;
}

static char *problem;

/* The made files, of which name is wanted; kept until the next call. */
static const char *
made(const char *config_text, const struct link_nics *there, const char *name)
{
	static struct node_net net;
	struct nrd_err err = { 0 };
	NRD_AUTO(node_config) *config = NULL;

	node_net_fini(&net);
	free(problem);
	problem = NULL;
	CHECK_OK(node_config_parse(config_text, strlen(config_text), &config, &err), err);
	CHECK_OK(node_net_make(config, there, &net, &problem, &err), err);
	for (size_t i = 0; i < net.len; i++)
		if (nrd_streq(net.data[i].name, name))
			return net.data[i].text;
	return NULL;
}

static void
static_address(void)
{
	const char *text;

	two_nics();
	text = made("admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\nadmin_netmask=255.255.254.0\n"
		    "headnode_default_gateway=10.0.0.1\nadmin_gateway=10.0.0.9\n",
		    &nics, "10-nereid-admin.network");
	CHECK(text != NULL);
	CHECK(problem == NULL);
	CHECK_HAS(text, "MACAddress=" MAC1 "\nKind=!*\n");
	CHECK_HAS(text, "Address=10.0.0.5/23\n");
	CHECK_HAS(text, "Gateway=10.0.0.1\n");
	CHECK_HAS(text, "DHCP=no\n");
	CHECK(strstr(text, "10.0.0.9") == NULL);
}

static void
dhcp_with_the_mac_as_identity(void)
{
	const char *text = made("admin_nic=" MAC1 "\nadmin_ip=dhcp\n", &nics,
				"10-nereid-admin.network");

	CHECK(text != NULL && problem == NULL);
	CHECK_HAS(text, "DHCP=ipv4\n");
	CHECK_HAS(text, "ClientIdentifier=mac\n");
	CHECK_HAS(text, "UseGateway=yes\n");
	text = made("admin_nic=" MAC1 "\nadmin_ip=dhcp\nheadnode_default_gateway=none\n", &nics,
		    "10-nereid-admin.network");
	CHECK_HAS(text, "UseGateway=no\n");
}

static void
ip6(void)
{
	const char *text = made("admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\nadmin_ip6=fd00::5/64\n"
				"admin_gateway6=fd00::1\n", &nics, "10-nereid-admin.network");

	CHECK_HAS(text, "Address=fd00::5/64\n");
	CHECK_HAS(text, "Gateway=fd00::1\n");
	CHECK_HAS(text, "LinkLocalAddressing=ipv6\n");
	text = made("admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\nadmin_ip6=addrconf\n", &nics,
		    "10-nereid-admin.network");
	CHECK_HAS(text, "IPv6AcceptRA=yes\n");
}

static void
a_vlan_carries_the_address(void)
{
	static const char config[] = "admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\nadmin_vlan_id=12\n";
	const char *text = made(config, &nics, "10-nereid-admin.network");

	CHECK_HAS(text, "VLAN=admin0\n");
	CHECK(strstr(text, "\nAddress=") == NULL);
	CHECK_HAS(made(config, &nics, "10-nereid-admin0.netdev"), "Kind=vlan\n\n[VLAN]\nId=12\n");
	CHECK_HAS(made(config, &nics, "10-nereid-admin0.network"), "Address=10.0.0.5/24\n");
}

static void
an_aggregation(void)
{
	static const char config[] = "admin_nic=aggr0\nadmin_ip=10.0.0.5\naggr0_aggr=" MAC1 "," MAC2
				     "\naggr0_lacp_mode=active\naggr0_mtu=9000\n";
	const char *text = made(config, &nics, "10-nereid-aggr0.netdev");

	CHECK(problem == NULL);
	CHECK_HAS(text, "Kind=bond\nMTUBytes=9000\n");
	CHECK_HAS(text, "Mode=802.3ad\n");
	CHECK_HAS(made(config, &nics, "10-nereid-aggr0-1.network"), "PermanentMACAddress=" MAC2);
	CHECK_HAS(made(config, &nics, "10-nereid-admin.network"), "Name=aggr0\n");
	nics.n = 1;
	CHECK(made(config, &nics, "10-nereid-admin.network") != NULL);
	CHECK_HAS(problem, "a NIC of aggr0 is missing");
	nics.n = 2;
	CHECK(made("admin_nic=aggr0\n", &nics, "x") == NULL);
	CHECK_HAS(problem, "aggr0 in /usbkey/config has no members");
}

static void
other_tags_are_brought_up(void)
{
	static const char config[] = "admin_nic=" MAC1 "\nadmin_ip=dhcp\nexternal_nic=" MAC2
				     "\nexternal_mtu=9000\nstorage_nic=" MAC1 "\nstorage_mtu=4000\n";
	const char *text = made(config, &nics, "10-nereid-external.network");

	CHECK_HAS(text, "MACAddress=" MAC2);
	CHECK_HAS(text, "MTUBytes=9000\n");
	CHECK(strstr(text, "DHCP") == NULL);
	/* The NIC has the largest MTU of its tags. */
	CHECK_HAS(made(config, &nics, "10-nereid-admin.network"), "MTUBytes=4000\n");
	CHECK(made(config, &nics, "10-nereid-storage.network") == NULL);
}

static void
a_missing_nic_is_told_and_still_configured(void)
{
	NRD_AUTO(node_config) *config = NULL;
	static const char text[] = "admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\n";

	CHECK(made(text, &none, "10-nereid-admin.network") != NULL);
	CHECK_HAS(problem, "the admin NIC " MAC1 " is missing");
	CHECK_INT(node_config_parse(text, sizeof(text) - 1, &config, NULL), 0);
	CHECK(node_net_nic_missing(config, &none));
	CHECK(!node_net_nic_missing(config, &nics));
	CHECK(made("admin_ip=dhcp\n", &nics, "x") == NULL);
	CHECK_HAS(problem, "no admin_nic");
	CHECK_HAS(made("admin_nic=02:08:20:00:00:77\nadmin_nic_autoselect=true\n", &nics,
		       "10-nereid-admin.network"), "MACAddress=" MAC2);
}

static void
an_impossible_gateway_is_told(void)
{
	CHECK(made("admin_nic=" MAC1 "\nadmin_ip=10.0.0.5\nadmin_gateway=10.9.9.9\n", &nics,
		   "10-nereid-admin.network") != NULL);
	CHECK_HAS(problem, "10.9.9.9");
}

static void
resolvers_from_config_or_lease(void)
{
	static const char lease[] = "OPER_STATE=routable\nDNS=10.0.2.3 fd00::3\nNTP=10.0.2.2 bad/name\n"
				    "DOMAINS=lan example.com\n";
	static const char text[] = "dns_resolvers=9.9.9.9,8.8.8.8\nntp_hosts=ntp.example.com\n";
	NRD_AUTO(node_config) *config = NULL;
	NRD_AUTO(node_config) *empty = NULL;
	NRD_AUTO(nrd_buf) a = { 0 };
	NRD_AUTO(nrd_buf) b = { 0 };
	NRD_AUTO(nrd_buf) c = { 0 };

	CHECK_INT(node_config_parse(text, sizeof(text) - 1, &config, NULL), 0);
	CHECK_INT(node_config_new(&empty, NULL), 0);
	CHECK_INT(node_net_resolv(config, lease, &a, NULL), 0);
	CHECK_STR(nrd_buf_str(&a), "search lan example.com\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n");
	CHECK_INT(node_net_resolv(empty, lease, &b, NULL), 0);
	CHECK_HAS(nrd_buf_str(&b), "nameserver 10.0.2.3\nnameserver fd00::3\n");
	CHECK_INT(node_net_ntp(empty, lease, &c, NULL), 0);
	CHECK_STR(nrd_buf_str(&c), "server 10.0.2.2 iburst\n");
	nrd_buf_reset(&c);
	CHECK_INT(node_net_ntp(config, NULL, &c, NULL), 0);
	CHECK_STR(nrd_buf_str(&c), "server ntp.example.com iburst\n");
}

TEST_MAIN(static_address, dhcp_with_the_mac_as_identity, ip6, a_vlan_carries_the_address,
	  an_aggregation, other_tags_are_brought_up, a_missing_nic_is_told_and_still_configured,
	  an_impossible_gateway_is_told, resolvers_from_config_or_lease)
