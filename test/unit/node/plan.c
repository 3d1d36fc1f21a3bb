/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/plan.h"

#include "nrd-test.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define GIB (UINT64_C(1) << 30)
#define MAC "02:08:20:00:00:01"

static char empty[] = "";
static struct disk disk_data[4];
static struct disk_list disks = { disk_data, 4, 4 };
static struct link_nic nic;
static struct link_nics nics = { &nic, 1 };
static struct node_plan_env env = { .disks = &disks, .nics = &nics };

/* vda, vdb blank; vdc holds something; vdd is the boot medium. */
static void
made_up_node(void)
{
	static char names[4][4] = { "vda", "vdb", "vdc", "vdd" };
	static char paths[4][9] = { "/dev/vda", "/dev/vdb", "/dev/vdc", "/dev/vdd" };
	static char serial[] = "SN-2";
	static char holds[] = "ext4 'root' on part 1";

	for (size_t i = 0; i < 4; i++)
		disk_data[i] = (struct disk){ .name = names[i], .path = paths[i], .use = empty,
					      .size_bytes = 10 * GIB, .sector_bytes = 512,
					      .bus = DISK_BUS_VIRTIO, .blank = i < 2 };
	disk_data[1].serial = serial;
	disk_data[2].use = holds;
	disk_data[3].use = holds;
	disk_data[3].boot_medium = true;
	nic = (struct link_nic){ .index = 2, .name = "eth0", .physical = true, .has_mac = true };
	CHECK_INT(nrd_mac_parse(MAC, &nic.mac, NULL), 0);
	nic.perm_mac = nic.mac;
	env.pool = NODE_PLAN_POOL_NONE;
	env.unfinished = NULL;
}

static int
plan_of(const char *text, struct node_plan *plan, struct nrd_err *err)
{
	NRD_AUTO(node_answers) a = { 0 };

	*err = (struct nrd_err){ 0 };
	CHECK_OK(node_answers_parse(text, strlen(text), &a, err), *err);
	return node_plan_make(&a, &env, plan, err);
}

static void
layout_is(const struct node_plan *plan, const char *words)
{
	NRD_AUTO(nrd_buf) b = { 0 };

	node_plan_layout_words(&plan->layout, &b);
	CHECK_STR(nrd_buf_str(&b), words);
}

static void
takes_the_blank_disks(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_err err;

	made_up_node();
	CHECK_OK(plan_of("{\"root_password_hash\":\"$6$ab$cdefghijklmnopqrstuvwxyz\"}", &plan, &err),
		 err);
	layout_is(&plan, "mirror vda vdb");
	CHECK(plan.force == NULL);
	CHECK_STR(node_config_get(plan.config, "admin_nic"), MAC);
	CHECK_STR(node_config_get(plan.config, "admin_ip"), "dhcp");
	CHECK_STR(node_config_get(plan.config, "ntp_hosts"), "pool.ntp.org");
	CHECK(node_config_get(plan.config, "dns_resolvers") == NULL);
	node_plan_describe(&plan, &disks, &b);
	CHECK_HAS(nrd_buf_str(&b), "mirror vda vdb");
	CHECK(strstr(nrd_buf_str(&b), "LOST") == NULL);
}

static void
writes_a_static_network(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	CHECK_OK(plan_of("{\"root_password\":\"x\",\"admin_nic\":\"eth0\",\"admin_ip\":\"10.1.2.3\","
			 "\"admin_netmask\":\"255.255.0.0\",\"admin_vlan_id\":7,\"hostname\":\"n\"}",
			 &plan, &err), err);
	CHECK_STR(node_config_get(plan.config, "admin_network"), "10.1.0.0");
	CHECK_STR(node_config_get(plan.config, "headnode_default_gateway"), "none");
	CHECK_STR(node_config_get(plan.config, "dns_resolvers"), "8.8.8.8,8.8.4.4");
	CHECK_STR(node_config_get(plan.config, "admin_vlan_id"), "7");
	CHECK_STR(node_config_get(plan.config, "hostname"), "n");
	CHECK(strncmp(plan.hash, "$y$", 3) == 0);
}

static void
never_takes_what_is_not_named(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	CHECK_FAILS(plan_of("{\"root_password\":\"x\",\"disks\":[\"vda\",\"vdc\"]}", &plan, &err), err,
		    EEXIST, "DiskInUse");
	CHECK_HAS(err.msg, "vdc holds ext4 'root' on part 1");
	CHECK_HAS(err.msg, "overwrite_disks");
	CHECK_FAILS(plan_of("{\"root_password\":\"x\",\"overwrite_disks\":[\"vdd\"]}", &plan, &err),
		    err, EBUSY, "DiskInUse");
	CHECK_HAS(err.msg, "boots from it");
	disk_data[0].blank = disk_data[1].blank = false;
	CHECK_FAILS(plan_of("{\"root_password\":\"x\"}", &plan, &err), err, ENOENT, "NoDisk");
	CHECK_HAS(err.msg, "overwrite_disks");
	made_up_node();
}

static void
takes_what_may_be_lost(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	NRD_AUTO(nrd_buf) b = { 0 };
	struct nrd_err err;

	CHECK_OK(plan_of("{\"root_password\":\"x\",\"disks\":[\"SN-2\",\"vdc\"],"
			 "\"overwrite_disks\":[\"/dev/vdc\"],\"zpool_layout\":\"mirror\"}", &plan, &err),
		 err);
	layout_is(&plan, "mirror vdb vdc");
	CHECK_STR(plan.force[0], "vdc");
	node_plan_describe(&plan, &disks, &b);
	CHECK_HAS(nrd_buf_str(&b), "ext4 'root' on part 1 on vdc");
}

static void
left_overs_count_as_blank(void)
{
	static const char *const left[] = { "vdc", NULL };
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	env.unfinished = left;
	CHECK_OK(plan_of("{\"root_password\":\"x\",\"disks\":[\"vdc\"]}", &plan, &err), err);
	layout_is(&plan, "single vdc");
	CHECK_STR(plan.force[0], "vdc");
	env.unfinished = NULL;
}

static void
names_what_is_missing(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	CHECK_FAILS(plan_of("{\"root_password\":\"x\",\"disks\":[\"vdq\"]}", &plan, &err), err, ENOENT,
		    "NoSuchDisk");
	CHECK_HAS(err.msg, "vda, vdb, vdc, vdd");
	CHECK_FAILS(plan_of("{\"root_password\":\"x\",\"admin_nic\":\"02:00:00:00:00:99\"}", &plan,
			    &err), err, ENOENT, "NoSuchNic");
	CHECK_HAS(err.msg, "eth0 " MAC);
	CHECK_FAILS(plan_of("{\"root_password\":\"x\",\"zpool_layout\":\"raidz3\"}", &plan, &err), err,
		    EINVAL, "DiskLayout");
}

static void
a_pool_that_is_there_is_taken_as_it_is(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	env.pool = NODE_PLAN_POOL_REUSE;
	CHECK_OK(plan_of("{\"root_password\":\"x\"}", &plan, &err), err);
	CHECK_INT(plan.layout.n_vdevs, 0);
	env.pool = NODE_PLAN_POOL_NONE;
}

static void
a_node_without_a_nic_can_be_set_up(void)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err err;

	nics.n = 0;
	CHECK_OK(plan_of("{\"root_password\":\"x\"}", &plan, &err), err);
	CHECK_STR(node_config_get(plan.config, "admin_nic_autoselect"), "true");
	nics.n = 1;
}

static void
changes_leave_an_aggregation_alone(void)
{
	NRD_AUTO(node_config) *config = NULL;
	NRD_AUTO(node_answers) a = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(node_config_parse("admin_nic=aggr0\nhostname=old\n#mine\n", 35, &config, &err), err);
	CHECK_INT(nrd_str_set(&a.admin_nic, "aggr0"), 0);
	CHECK_INT(nrd_str_set(&a.hostname, "new"), 0);
	CHECK_OK(node_plan_configure(&a, &nics, config, &err), err);
	CHECK_STR(node_config_get(config, "admin_nic"), "aggr0");
	CHECK_STR(node_config_get(config, "hostname"), "new");
	nrd_object_fini(&node_answers_schema, &a);
}

TEST_MAIN(takes_the_blank_disks, writes_a_static_network, never_takes_what_is_not_named,
	  takes_what_may_be_lost, left_overs_count_as_blank, names_what_is_missing,
	  a_pool_that_is_there_is_taken_as_it_is, a_node_without_a_nic_can_be_set_up,
	  changes_leave_an_aggregation_alone)
