/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/nictag.h"

#include <string.h>
#include <sys/stat.h>

#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define MAC0 "52:54:00:aa:00:00"
#define MAC1 "52:54:00:aa:00:01"
#define MAC2 "52:54:00:aa:00:02"

static struct nrd_err err;
static char dir[64], config[96], zones[96], sys[96];
static const struct node_nictag_env env = { .config = config, .zones = zones, .sysfs = sys };

static void
node_up(const char *text)
{
	test_mkdir(dir);
	(void)snprintf(config, sizeof(config), "%s/usbkey/config", dir);
	(void)snprintf(zones, sizeof(zones), "%s/zones", dir);
	(void)snprintf(sys, sizeof(sys), "%s/sys", dir);
	tree_nic(sys, "eth0", 2, MAC0, "../drivers/virtio_net", "up");
	tree_nic(sys, "eth1", 3, MAC1, "../drivers/igb", "down");
	if (text != NULL)
		tree_file(dir, "usbkey/config", text);
}

static void
node_down(void)
{
	tree_remove(dir);
}

static void
config_is(const char *want)
{
	NRD_FREE char *text = NULL;

	CHECK_OK(nrd_file_read(config, 65536, &text, NULL, &err), err);
	CHECK_STR(text, want);
}

static void
lists_every_type(void)
{
	NRD_AUTO(node_nictags) tags = { 0 };
	const struct node_nictag *t;

	node_up("admin_nic=" MAC0 "\nadmin_mtu=9000\nexternal_nic=" MAC1 "\nstorage_nic=aggr0\n"
		"gone_nic=" MAC2 "\noverlay_rule_ov='-e vxlan'\netherstub=stub0,stub1\n"
		"broken_nic=eth0\nadmin_ip=dhcp\n");
	tree_nic(sys, "aggr0", 9, MAC2, NULL, "up");
	tree_file(sys, "class/net/aggr0/bonding/mode", "802.3ad 4\n");
	CHECK_OK(node_nictag_list(&env, &tags, &err), err);
	CHECK_INT(tags.n, 7);
	t = node_nictags_find(&tags, "admin");
	CHECK(t != NULL && t->type == NODE_NICTAG_NORMAL && t->has_mac && !t->down);
	CHECK_STR(t->link, "eth0");
	CHECK_INT(t->mtu, 9000);
	t = node_nictags_find(&tags, "external");
	CHECK(t != NULL && t->down);
	CHECK_STR(t->link, "eth1");
	t = node_nictags_find(&tags, "storage");
	CHECK(t != NULL && t->type == NODE_NICTAG_AGGR && t->has_mac);
	CHECK_STR(t->link, "aggr0");
	t = node_nictags_find(&tags, "ov");
	CHECK(t != NULL && t->type == NODE_NICTAG_OVERLAY && !t->has_mac);
	t = node_nictags_find(&tags, "stub1");
	CHECK(t != NULL && t->type == NODE_NICTAG_ETHERSTUB);
	CHECK_STR(node_nictag_type_name(NODE_NICTAG_OVERLAY), "overlay rule");
	/* MAC2 is only the aggregation's: no NIC has it. */
	t = node_nictags_find(&tags, "gone");
	CHECK(t != NULL && t->has_mac && t->down);
	CHECK_STR(t->link, "");
	CHECK(node_nictags_find(&tags, "broken") == NULL);
	node_down();
}

static void
says_when_nothing_is_kept(void)
{
	NRD_AUTO(node_nictags) tags = { 0 };
	NRD_STRV char **vms = NULL;

	node_up(NULL);
	CHECK_FAILS(node_nictag_list(&env, &tags, &err), err, ENOENT, "NoPersistentConfig");
	CHECK_HAS(err.msg, "the pool is not imported");
	CHECK_FAILS(node_nictag_add(&env, &(struct node_nictag_spec){ .name = "a", .nic = MAC0 },
				    &err),
		    err, ENOENT, "NoPersistentConfig");
	CHECK_FAILS(node_nictag_delete(&env, "a", true, &err), err, ENOENT, "NoPersistentConfig");
	CHECK_FAILS(node_nictag_vms(&env, "a", &vms, &err), err, ENOENT, "NoPersistentConfig");
	node_down();
}

static void
adds(void)
{
	struct stat st;

	node_up("# mine\nadmin_nic=" MAC0 "\n");
	CHECK_OK(node_nictag_add(&env,
				 &(struct node_nictag_spec){
					 .name = "external", .nic = "52:54:0:AA:0:1", .mtu = "9000" },
				 &err),
		 err);
	CHECK_OK(node_nictag_add(&env,
				 &(struct node_nictag_spec){ .name = "stub0", .etherstub = true },
				 &err),
		 err);
	CHECK_OK(node_nictag_add(&env,
				 &(struct node_nictag_spec){ .name = "stub1", .etherstub = true },
				 &err),
		 err);
	config_is("# mine\nadmin_nic=" MAC0 "\nexternal_nic=" MAC1
		  "\nexternal_mtu=9000\netherstub=stub0,stub1\n");
	CHECK(stat(config, &st) == 0 && (st.st_mode & 0777) == 0600);
	node_down();
}

static void
add_refuses(void)
{
	static const struct {
		struct node_nictag_spec spec;
		int num;
		const char *code;
	} bad[] = {
		{ { .name = "admin", .nic = MAC1 }, EEXIST, "NicTagExists" },
		{ { .name = "stub0", .etherstub = true }, EEXIST, "NicTagExists" },
		{ { .name = "a-b", .nic = MAC1 }, EINVAL, "NicTagBadName" },
		{ { .name = "", .nic = MAC1 }, EINVAL, "NicTagBadName" },
		{ { .name = "abcdefghijklmnopqrstuvwxyz12345", .nic = MAC1 }, EINVAL,
		  "NicTagBadName" },
		{ { .name = "stub", .etherstub = true }, EINVAL, "NicTagBadName" },
		{ { .name = "eth0", .etherstub = true }, EEXIST, "NicTagBadName" },
		{ { .name = "overlay_rule_a", .nic = MAC1 }, EINVAL, "NicTagBadName" },
		{ { .name = "new", .nic = "eth1" }, EINVAL, "NicTagBadNic" },
		{ { .name = "new" }, EINVAL, "NicTagBadNic" },
		{ { .name = "new", .nic = MAC2 }, ENODEV, "NicTagNoNic" },
		{ { .name = "new", .nic = "aggr7" }, ENODEV, "NicTagNoNic" },
		{ { .name = "new", .nic = MAC1, .mtu = "1400" }, EINVAL, "NicTagBadMtu" },
		{ { .name = "new", .nic = MAC1, .mtu = "9001" }, EINVAL, "NicTagBadMtu" },
		{ { .name = "new", .nic = MAC1, .mtu = "big" }, EINVAL, "NicTagBadMtu" },
	};
	static const char text[] = "admin_nic=" MAC0 "\netherstub=stub0\n";

	node_up(text);
	for (size_t i = 0; i < nrd_count(bad); i++) {
		CHECK_FAILS(node_nictag_add(&env, &bad[i].spec, &err), err, bad[i].num,
			    bad[i].code);
		CHECK_HAS(err.msg, "NIC tag ");
		config_is(text);
	}
	node_down();
}

static void
updates(void)
{
	node_up("admin_nic=" MAC0 "\naggr0_aggr=" MAC1 "," MAC2 "\netherstub=stub0\n");
	CHECK_OK(node_nictag_update(&env,
				    &(struct node_nictag_spec){ .name = "admin", .mtu = "9000" },
				    &err),
		 err);
	CHECK_OK(node_nictag_update(&env,
				    &(struct node_nictag_spec){ .name = "admin", .nic = "aggr0" },
				    &err),
		 err);
	config_is("admin_nic=aggr0\naggr0_aggr=" MAC1 "," MAC2 "\netherstub=stub0\n"
		  "admin_mtu=9000\n");
	CHECK_FAILS(node_nictag_update(&env,
				       &(struct node_nictag_spec){ .name = "stub0", .mtu = "9000" },
				       &err),
		    err, EINVAL, "NicTagFixed");
	CHECK_FAILS(node_nictag_update(&env,
				       &(struct node_nictag_spec){ .name = "none", .mtu = "9000" },
				       &err),
		    err, ENOENT, "NicTagMissing");
	node_down();
}

#define UUID_A "11111111-2222-4333-8444-aaaaaaaaaaaa"
#define UUID_B "11111111-2222-4333-8444-bbbbbbbbbbbb"

static void
machines(void)
{
	NRD_STRV char **vms = NULL;

	node_up("admin_nic=" MAC0 "\next_nic=" MAC1 "\next_mtu=9000\next2_nic=" MAC1
		"\noverlay_rule_ov=x\netherstub=stub0,stub1\n");
	tree_file(dir, "zones/" UUID_B ".json",
		  "{\"uuid\":\"" UUID_B "\",\"alias\":\"web\",\"nics\":[{\"nic_tag\":\"admin\"},"
		  "{\"nic_tag\":\"ext\"},{\"nic_tag\":\"ov/123\"}]}");
	tree_file(dir, "zones/" UUID_A ".json", "{\"nics\":[{\"nic_tag\":\"ext\"}]}");
	tree_file(dir, "zones/index", "not a machine");
	CHECK_OK(node_nictag_vms(&env, "ext", &vms, &err), err);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(vms)), 2);
	CHECK_STR(vms[0], UUID_A);
	CHECK_STR(vms[1], UUID_B);
	nrd_strv_free(NRD_TAKE(vms));
	CHECK_OK(node_nictag_vms(&env, "ov", &vms, &err), err);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(vms)), 1);
	nrd_strv_free(NRD_TAKE(vms));
	CHECK_OK(node_nictag_vms(&env, "ext2", &vms, &err), err);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(vms)), 0);
	CHECK_FAILS(node_nictag_vms(&env, "none", &vms, &err), err, ENOENT, "NicTagMissing");

	CHECK_FAILS(node_nictag_delete(&env, "ext", false, &err), err, EBUSY, "NicTagInUse");
	CHECK_STR(err.msg, "NIC tag ext: in use by " UUID_A ", " UUID_B
			   " (web); -f deletes it all the same");
	CHECK_OK(node_nictag_delete(&env, "ext2", false, &err), err);
	CHECK_OK(node_nictag_delete(&env, "ext", true, &err), err);
	CHECK_OK(node_nictag_delete(&env, "stub0", false, &err), err);
	CHECK_FAILS(node_nictag_delete(&env, "stub0", false, &err), err, ENOENT, "NicTagMissing");
	CHECK_FAILS(node_nictag_delete(&env, "ov", false, &err), err, EBUSY, "NicTagInUse");
	CHECK_OK(node_nictag_delete(&env, "ov", true, &err), err);
	config_is("admin_nic=" MAC0 "\netherstub=stub1\n");
	CHECK_OK(node_nictag_delete(&env, "stub1", false, &err), err);
	config_is("admin_nic=" MAC0 "\n");
	CHECK_FAILS(node_nictag_delete(&env, "admin", true, &err), err, EBUSY, "NicTagAdmin");

	/* A file that cannot be read may be a user's. */
	tree_file(dir, "usbkey/config", "ext_nic=" MAC1 "\n");
	tree_file(dir, "zones/" UUID_A ".json", "{\"nics\":[");
	CHECK_FAILS(node_nictag_vms(&env, "ext", &vms, &err), err, EINVAL, "NicTagMachines");
	CHECK_INT(nrd_strv_len(NRD_CSTRV(vms)), 1);
	tree_file(dir, "zones/" UUID_B ".json", "{}");
	CHECK_FAILS(node_nictag_delete(&env, "ext", false, &err), err, EINVAL, "NicTagMachines");
	CHECK_HAS(err.msg, UUID_A);
	CHECK_OK(node_nictag_delete(&env, "ext", true, &err), err);
	node_down();
}

static void
the_nodes_own_vnics(void)
{
	node_up("ext_nic=" MAC1 "\next0_ip=10.0.0.5\nother_nic=" MAC1 "\nother_ip=\n");
	CHECK_FAILS(node_nictag_delete(&env, "ext", false, &err), err, EBUSY, "NicTagInUse");
	CHECK_HAS(err.msg, "ext0_ip");
	CHECK_OK(node_nictag_delete(&env, "other", false, &err), err);
	node_down();
}

/* What is there and what is given is looked at together, and goes with the tag. */
static void
pools(void)
{
	struct node_nictag_spec spec = { .name = "stub0", .etherstub = true };
	NRD_AUTO(node_config) *read = NULL;
	struct node_dhcp pool;

	node_up("admin_nic=" MAC0 "\n");
	spec.dhcp[NODE_DHCP_POOL] = "10.0.0.100-10.0.0.199/24";
	spec.dhcp[NODE_DHCP_ROUTER] = "10.0.0.1";
	CHECK_OK(node_nictag_add(&env, &spec, &err), err);
	config_is("admin_nic=" MAC0 "\netherstub=stub0\nstub0_dhcp_pool=10.0.0.100-10.0.0.199/24\nstub0_dhcp_router=10.0.0.1\n");
	spec = (struct node_nictag_spec){ .name = "stub0", .dhcp = { [NODE_DHCP_ROUTER] = "10.0.0.150" } };
	CHECK_FAILS(node_nictag_update(&env, &spec, &err), err, EINVAL, "NicTagBadPool");
	spec.dhcp[NODE_DHCP_ROUTER] = "10.0.1.1";
	CHECK_FAILS(node_nictag_update(&env, &spec, &err), err, EINVAL, "NicTagBadPool");
	spec.dhcp[NODE_DHCP_ROUTER] = "";
	spec.dhcp[NODE_DHCP_RESOLVERS] = "10.0.0.53,9.9.9.9";
	spec.dhcp[NODE_DHCP_DOMAIN] = "example.com";
	spec.dhcp[NODE_DHCP_LEASE_KEY] = "600";
	CHECK_OK(node_nictag_update(&env, &spec, &err), err);
	CHECK_OK(node_config_read(config, &read, &err), err);
	CHECK_INT(node_dhcp_from(read, "stub0", &pool, &err), 1);
	CHECK_INT(pool.first, 0x0a000064);
	CHECK_INT(pool.last, 0x0a0000c7);
	CHECK_INT(pool.bits, 24);
	CHECK_INT(pool.router, 0);
	CHECK_INT(pool.n_resolvers, 2);
	CHECK_INT(pool.resolvers[1], 0x09090909);
	CHECK_STR(pool.domain, "example.com");
	CHECK_INT(pool.lease_s, 600);
	CHECK_INT(node_dhcp_from(read, "admin", &pool, &err), 0);
	CHECK_OK(node_nictag_delete(&env, "stub0", false, &err), err);
	config_is("admin_nic=" MAC0 "\n");
	node_down();
}

TEST_MAIN(lists_every_type, says_when_nothing_is_kept, adds, add_refuses, updates, machines,
	  the_nodes_own_vnics, pools)
