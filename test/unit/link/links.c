/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/aggr.h"
#include "link/datalink.h"
#include "link/linkprop.h"
#include "link/vlan.h"
#include "nrd-tree.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

static struct nrd_err err;

static void
policies(void)
{
	char text[AGGR_POLICY_TEXT];

	CHECK_INT(aggr_policy_parse("L4", text, &err), 0);
	CHECK_STR(text, "L4");
	CHECK_INT(aggr_policy_parse("l4,L2", text, &err), 0);
	CHECK_STR(text, "L2,L4");
	CHECK_INT(aggr_policy_parse("L3,L4,L2", text, &err), 0);
	CHECK_STR(text, "L2,L3,L4");
	for (const char *const *bad = (const char *const[]){ "", ",", "L5", "L2,L2", "L2,l2", "4", "L2 L3", "L2,L3,L4,L2", NULL }; *bad != NULL; bad++) {
		CHECK_INT(aggr_policy_parse(*bad, text, &err), -EINVAL);
		CHECK_STR(err.code, "AggrPolicy");
	}
}

static void
vlan_names(void)
{
	NRD_FREE char *name = NULL;

	CHECK_INT(vlan_name("net2", 5, &name, &err), 0);
	CHECK_STR(name, "net5002");
	nrd_freep(&name);
	name = NULL;
	CHECK_INT(vlan_name("enp0s4", 4094, &name, &err), 0);
	CHECK_STR(name, "enp0s4094004");
	nrd_freep(&name);
	name = NULL;
	/* Where the number would not say which is which there is none. */
	CHECK_INT(vlan_name("net", 5, &name, &err), -EINVAL);
	CHECK_INT(vlan_name("net1000", 5, &name, &err), -EINVAL);
	CHECK_STR(err.code, "LinkName");
	CHECK(name == NULL);
}

static void
vlans(void)
{
	struct datalink d = { .class_ = DATALINK_VLAN, .vid = 1 };
	char fits[] = "fifteen_chars_1", longer[] = "sixteen_chars_01";

	d.name = fits;
	CHECK_INT(vlan_check(&d, &err), 0);
	d.vid = 4094;
	CHECK_INT(vlan_check(&d, &err), 0);
	d.vid = 4095;
	CHECK_INT(vlan_check(&d, &err), -EINVAL);
	d.vid = 0;
	CHECK_INT(vlan_check(&d, &err), -EINVAL);
	CHECK_STR(err.code, "VlanId");
	d.vid = 1;
	d.name = longer;
	CHECK_INT(vlan_check(&d, &err), -EINVAL);
	CHECK_STR(err.code, "LinkName");
}

/* As many ports as text has words. */
static int
checked(const char *ports, const char *mac)
{
	struct datalink d = { .class_ = DATALINK_AGGR };
	int r;

	CHECK_INT(nrd_str_set(&d.name, "aggr0"), 0);
	CHECK_INT(nrd_strv_split(ports, ',', &d.ports), 0);
	if (mac != NULL) {
		CHECK_INT(nrd_mac_parse(mac, &d.mac, &err), 0);
		d.mac_type = DATALINK_MAC_FIXED;
	}
	r = aggr_check(&d, &err);
	nrd_str_set(&d.name, NULL);
	nrd_strv_free(d.ports);
	return r;
}

static void
aggregations(void)
{
	CHECK_INT(checked("net0,net1", NULL), 0);
	CHECK_INT(checked("net0", "2:8:20:0:0:1"), 0);
	CHECK_INT(checked("net0", "3:8:20:0:0:1"), -EINVAL);
	CHECK_STR(err.code, "BadProperty");
	CHECK_INT(checked("net0", "0:0:0:0:0:0"), -EINVAL);
	CHECK_INT(checked("", NULL), -EINVAL);
	CHECK_STR(err.code, "AggrPorts");
	CHECK_INT(checked("net0,net1,net0", NULL), -EINVAL);
	CHECK_INT(checked("a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16", NULL), 0);
	CHECK_INT(checked("a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17", NULL), -EINVAL);
}

/* What is written is what is read, and foreign members do no harm. */
static void
records(void)
{
	char dir[] = "/tmp/nrd-links-XXXXXX";
	NRD_AUTO(datalink) d = { .class_ = DATALINK_AGGR, .lacp = DATALINK_LACP_PASSIVE, .timer = DATALINK_TIMER_LONG };
	NRD_AUTO(datalink) got = { 0 };

	CHECK(mkdtemp(dir) != NULL);
	CHECK_INT(nrd_str_set(&d.name, "aggr0"), 0);
	CHECK_INT(nrd_str_set(&d.zone, "global"), 0);
	CHECK_INT(nrd_str_set(&d.policy, "L2,L3"), 0);
	CHECK_INT(nrd_strv_split("net0,net1", ',', &d.ports), 0);
	NRD_SET(SCHEMA, &d, name);
	NRD_SET(SCHEMA, &d, zone);
	NRD_SET(SCHEMA, &d, class_);
	NRD_SET(SCHEMA, &d, policy);
	NRD_SET(SCHEMA, &d, ports);
	NRD_SET(SCHEMA, &d, lacp);
	NRD_SET(SCHEMA, &d, timer);
	CHECK_INT(datalink_write(dir, &d, &err), 0);
	CHECK_INT(datalink_read(dir, NULL, "aggr0", &got, &err), 0);
	CHECK_INT(got.class_, DATALINK_AGGR);
	CHECK_INT(got.lacp, DATALINK_LACP_PASSIVE);
	CHECK_INT(got.timer, DATALINK_TIMER_LONG);
	CHECK_STR(got.policy, "L2,L3");
	CHECK_INT(nrd_strv_len(NRD_CSTRV(got.ports)), 2);
	CHECK_STR(got.ports[1], "net1");
	datalink_fini(&got);
	tree_file(dir, "global/aggr1.json", "{\"name\":\"aggr1\",\"zone\":\"global\",\"class\":\"bridge\"}");
	CHECK_INT(datalink_read(dir, NULL, "aggr1", &got, &err), -EINVAL);
	CHECK_STR(err.code, "BadLinkFile");
	tree_file(dir, "global/aggr1.json", "{\"name\":\"aggr1\",\"zone\":\"global\",\"class\":\"aggr\",\"later\":[1]}");
	CHECK_INT(datalink_read(dir, NULL, "aggr1", &got, &err), 0);
	CHECK_INT(datalink_remove(dir, NULL, "aggr1", &err), 0);
	CHECK_INT(datalink_remove(dir, NULL, "aggr1", &err), 0);
	CHECK_INT(datalink_remove(dir, NULL, "aggr0", &err), 0);
	tree_remove(dir);
}

TEST_MAIN(policies, vlan_names, vlans, aggregations, records)
