/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/payload.h"

#include <stdlib.h>
#include <string.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/legacy.h"
#include "vm/props.h"

static struct nrd_json *
parse(const char *text)
{
	struct nrd_json *doc = NULL;
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_json_parse(text, strlen(text), NULL, &doc, &err), err);
	return doc;
}

static void
check_list(char **have, const char *want)
{
	char *text = have != NULL ? nrd_strv_join(NRD_CSTRV(have), " ") : strdup("");

	CHECK_STR(text, want);
	free(text);
}

/* Names with blanks between them; line: what must be in the lines for people. */
static void
check_bad(const struct vm_bad *bad, const char *properties, const char *values, const char *missing, const char *line)
{
	struct nrd_err err = { 0 };

	check_list(bad->bad_properties, properties);
	check_list(bad->bad_values, values);
	check_list(bad->missing_properties, missing);
	if (line == NULL) {
		CHECK(!vm_bad_any(bad));
		return;
	}
	CHECK(vm_bad_fail(bad, &err) < 0);
	CHECK(strstr(err.msg, line) != NULL);
}

static void
create(const char *text, struct zone_config *c, struct vm_wish *wish, struct vm_bad *bad)
{
	struct nrd_json *doc = parse(text);
	struct nrd_err err = { 0 };

	CHECK_OK(vm_payload_create(nrd_json_root(doc), c, wish, bad, &err), err);
	nrd_json_free(doc);
}

static void
refused(const char *text, const char *properties, const char *values, const char *missing, const char *line)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };
	struct vm_wish wish;

	create(text, &c, &wish, &bad);
	check_bad(&bad, properties, values, missing, line);
	vm_bad_fini(&bad);
	zone_config_fini(&c);
}

static void
created(void)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };
	struct vm_wish wish;

	create("{\"brand\":\"joyent-minimal\",\"alias\":\"a b\",\"ram\":\"512\",\"autoboot\":\"false\","
	       "\"quota\":3,\"resolvers\":\"10.0.0.1,10.0.0.2\",\"tags\":{\"n\":5,\"t\":true,\"s\":\"x\"},"
	       "\"delegate_dataset\":true,\"hostname\":null,\"dns_domain\":\"\"}", &c, &wish, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.brand, ZONE_NATIVE);
	CHECK_INT(c.max_physical_memory, 512);
	CHECK(!c.autoboot);
	CHECK_INT(c.quota, 3);
	check_list(c.resolvers, "10.0.0.1 10.0.0.2");
	check_list(c.tags, "n \0015 t \001true s x");
	CHECK(wish.delegate_dataset && !wish.nowait);
	CHECK(c.hostname == NULL && c.dns_domain == NULL);
	zone_config_fini(&c);
}

static void
wrong(void)
{
	refused("{}", "", "", "brand", "brand: missing");
	refused("{\"brand\":\"zx\"}", "", "", "", "\"zx\" is none of native, lx, kvm");
	refused("{\"brand\":7}", "", "", "", "is none of");
	refused("{\"brand\":\"lx\"}", "", "", "image_uuid", "made of an image");
	refused("[]", "", "", "", "must be an object");
	refused("{\"brand\":\"native\",\"rma\":5}", "rma", "", "", "rma: there is no such property; did you mean ram?");
	refused("{\"brand\":\"native\",\"docker\":true}", "docker", "", "", "a machine of brand native has none");
	refused("{\"brand\":\"native\",\"state\":\"running\"}", "state", "", "", "state: it is only shown");
	refused("{\"brand\":\"native\",\"set_tags\":{}}", "set_tags", "", "", "only for update");
	refused("{\"brand\":\"native\",\"ram\":\"much\",\"quota\":-1}", "", "ram quota", "", "ram: ");
	refused("{\"brand\":\"native\",\"ram\":512,\"max_physical_memory\":256}", "", "max_physical_memory", "",
		"say one of them");
	refused("{\"brand\":\"native\",\"nics\":[{\"vlan_id\":5000}]}", "", "nics", "", "nics[0].vlan_id: ");
	refused("{\"brand\":\"native\",\"tags\":{\"a\":[1]}}", "", "tags", "", "tags");
	refused("{\"brand\":\"native\",\"nowait\":3}", "", "nowait", "", "must be true or false");
	/* All of it at once. */
	refused("{\"brand\":\"native\",\"alais\":1,\"state\":1,\"cpu_cap\":\"x\"}", "alais state", "cpu_cap", "", "alias?");
}

#define WEB "{\"zonename\":\"web\",\"brand\":\"native\",\"max_physical_memory\":256,\"max_swap\":256," \
	    "\"max_locked_memory\":256,\"tmpfs\":128,\"tags\":{\"a\":\"1\",\"b\":\"2\"}," \
	    "\"filesystems\":[{\"target\":\"/d\",\"source\":\"/s\",\"type\":\"lofs\"}]}"

static void
update(const char *text, struct zone_config *c, struct vm_bad *bad)
{
	struct nrd_json *doc = parse(text);
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_decode_text(&zone_config_schema, WEB, strlen(WEB), NULL, 0, c, &err), err);
	CHECK_OK(vm_payload_update(nrd_json_root(doc), c, bad, &err), err);
	nrd_json_free(doc);
}

/* As an update, but for what is the new machine's own; its disks are the snapshot's. */
static void
cloned(void)
{
	static const struct {
		const char *text, *properties;
	} cases[] = {
		{ "{\"uuid\":\"9e61c0a2-63f4-4e3c-a1a6-0d5b8d1dd2b0\",\"alias\":\"b\",\"nics\":[{\"nic_tag\":\"admin\"}],\"ram\":64}", "" },
		{ "{\"update_nics\":[]}", "" },
		{ "{\"disks\":[]}", "disks" },
		{ "{\"add_disks\":[]}", "add_disks" },
		{ "{\"brand\":\"lx\"}", "brand" },
		{ "{\"zpool\":\"other\"}", "zpool" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		NRD_AUTO(zone_config) c = { .brand = ZONE_KVM, .ram = 32 };
		NRD_AUTO(vm_bad) bad = { 0 };
		struct nrd_json *doc = parse(cases[i].text);
		struct nrd_err err = { 0 };

		CHECK_OK(vm_payload_clone(nrd_json_root(doc), &c, &bad, &err), err);
		CHECK_INT(vm_bad_any(&bad), cases[i].properties[0] != '\0');
		if (vm_bad_any(&bad))
			CHECK_STR(bad.bad_properties[0], cases[i].properties);
		else if (i == 0)
			CHECK(c.n_nics == 1 && nrd_streq(c.alias, "b"));
		nrd_json_free(doc);
	}
}

static void
not_updated(const char *text, const char *properties, const char *values, const char *line)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };

	update(text, &c, &bad);
	check_bad(&bad, properties, values, "", line);
	vm_bad_fini(&bad);
	zone_config_fini(&c);
}

static void
maps(void)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };

	update("{\"set_tags\":{\"b\":3,\"c\":\"4\"},\"remove_customer_metadata\":[\"none\"]}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	check_list(c.tags, "a 1 b \0013 c 4");
	zone_config_fini(&c);
	update("{\"remove_tags\":[\"a\",\"zz\"]}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	check_list(c.tags, "b 2");
	zone_config_fini(&c);
	not_updated("{\"tags\":{}}", "tags", "", "changed by set_tags and remove_tags");
	not_updated("{\"set_tags\":[]}", "", "set_tags", "must be an object");
	not_updated("{\"remove_tags\":{}}", "", "remove_tags", "must be an array of names");
}

static void
arrays(void)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };

	update("{\"add_filesystems\":[{\"target\":\"/e\",\"source\":\"/t\",\"type\":\"lofs\"}],"
	       "\"update_filesystems\":[{\"target\":\"/d\",\"options\":[\"ro\"]}]}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.n_filesystems, 2);
	CHECK_STR(c.filesystems[0].source, "/s");
	check_list(c.filesystems[0].options, "ro");
	CHECK_STR(c.filesystems[1].target, "/e");
	zone_config_fini(&c);
	update("{\"remove_filesystems\":[\"/d\"]}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.n_filesystems, 0);
	zone_config_fini(&c);
	not_updated("{\"update_filesystems\":[{\"target\":\"/x\"}]}", "", "update_filesystems", "there is none with target /x");
	not_updated("{\"update_filesystems\":[{}]}", "", "update_filesystems", "says no target");
	not_updated("{\"remove_filesystems\":[\"/x\"]}", "", "remove_filesystems", "there is none with target /x");
	not_updated("{\"remove_filesystems\":\"/d\"}", "", "remove_filesystems", "must be an array");
	not_updated("{\"add_filesystems\":[{\"target\":\"/f\"}]}", "", "add_filesystems", "add_filesystems: filesystems[1]: ");
	not_updated("{\"update_filesystems\":[{\"target\":\"/d\",\"type\":null}]}", "", "update_filesystems", "filesystems[0]: ");
	refused("{\"brand\":\"native\",\"filesystems\":[{\"target\":\"/f\"}]}", "", "filesystems", "", "filesystems[0]: ");
	not_updated("{\"filesystems\":[]}", "filesystems", "", "changed by add_filesystems");
	not_updated("{\"brand\":\"lx\"}", "brand", "", "said when a machine is made");
	not_updated("{\"uuid\":\"x\"}", "uuid", "", "said when a machine is made");
}

/* What was not said follows physical memory. */
static void
memory(void)
{
	struct zone_config c = { 0 };
	struct vm_bad bad = { 0 };

	update("{\"ram\":512}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.max_physical_memory, 512);
	CHECK_INT(c.max_swap, 512);
	CHECK_INT(c.max_locked_memory, 512);
	CHECK_INT(c.tmpfs, 256);
	zone_config_fini(&c);
	update("{\"ram\":64,\"max_swap\":1024,\"tmpfs\":0}", &c, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.max_swap, 1024);
	CHECK_INT(c.max_locked_memory, 64);
	CHECK_INT(c.tmpfs, 0);
	zone_config_fini(&c);
}

/* Each row that is a field of the file is one, and can be said by the name in the table. */
static void
table(void)
{
	for (const struct vm_prop *p = vm_props; p->name != NULL; p++) {
		if (p->kind == VM_FIELD)
			CHECK(nrd_schema_find(&zone_config_schema, p->name) != NULL);
		if (p->of != NULL)
			CHECK(nrd_schema_find(&zone_config_schema, p->of) != NULL);
		CHECK(p[1].name == NULL || !nrd_streq(p->name, p[1].name) || (p->brands & p[1].brands) == 0);
		CHECK(vm_prop_find(p->name, p->brands) == p);
	}
	CHECK(vm_prop_find("nope", VM_ANY) == NULL);
	CHECK_STR(vm_prop_suggest("qouta", VM_LX, VM_UPDATE), "quota");
}

static void
says(const char *nics, const char *ips, const char *gateway)
{
	NRD_FREE char *payload = nrd_format("{\"brand\":\"native\",\"nics\":%s}", nics);
	NRD_FREE char *first = NULL;
	struct zone_config c = { 0 };
	struct vm_wish wish;
	struct vm_bad bad = { 0 };

	create(payload, &c, &wish, &bad);
	check_bad(&bad, "", "", "", NULL);
	CHECK_INT(c.n_nics, 1);
	first = nrd_format("%s", c.nics[0].ips != NULL ? c.nics[0].ips[0] : "");
	CHECK_STR(first, ips);
	CHECK_STR(c.nics[0].gateways != NULL ? c.nics[0].gateways[0] : "", gateway);
	zone_config_fini(&c);
}

#define NIC "\"mac\":\"02:00:00:00:00:01\",\"interface\":\"net0\",\"nic_tag\":\"admin\""

/* As payloads said it before there were lists, which go before it. */
static void
old_nics(void)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_err err = { 0 };
	struct nrd_jw w;

	says("[{" NIC ",\"ip\":\"10.0.0.2\",\"netmask\":\"255.255.240.0\",\"gateway\":\"10.0.0.1\"}]", "10.0.0.2/20", "10.0.0.1");
	says("[{" NIC ",\"ip\":\"dhcp\"}]", "dhcp", "");
	says("[{" NIC ",\"ip\":\"10.0.0.2\",\"netmask\":\"255.0.0.0\",\"ips\":[\"10.0.0.3/24\"]}]", "10.0.0.3/24", "");
	says("[{" NIC ",\"gateway\":\"10.0.0.9\",\"gateways\":[\"10.0.0.1\"]}]", "", "10.0.0.1");
	refused("{\"brand\":\"native\",\"nics\":[{" NIC ",\"ip\":\"10.0.0.2\"}]}", "", "nics", "", "Missing .netmask option for NIC");
	refused("{\"brand\":\"native\",\"nics\":[{" NIC ",\"netmask\":\"255.0.0.0\"}]}", "", "nics", "", "of which ip?");
	refused("{\"brand\":\"native\",\"nics\":[{" NIC ",\"ip\":7}]}", "", "nics", "", "must be a string");
	refused("{\"brand\":\"native\",\"nics\":[{" NIC ",\"ip\":\"10.0.0.2\",\"netmask\":\"255.0.255.0\"}]}", "", "nics", "", "netmask");
	refused("{\"brand\":\"native\",\"nics\":[{" NIC ",\"gateway\":\"router\"}]}", "", "nics", "", "gateways");
	doc = parse("[{\"ips\":[\"fd00::1/64\",\"10.0.0.2/20\"],\"gateways\":[\"10.0.0.1\"]},{\"ips\":[\"dhcp\"]},{}]");
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	vm_nics_write_old(nrd_json_root(doc), &w);
	CHECK_OK(nrd_jw_finish(&w, &err), err);
	CHECK_STR(nrd_buf_str(&text), "[{\"ips\":[\"fd00::1/64\",\"10.0.0.2/20\"],\"gateways\":[\"10.0.0.1\"],\"ip\":\"10.0.0.2\","
		  "\"netmask\":\"255.255.240.0\",\"gateway\":\"10.0.0.1\"},{\"ips\":[\"dhcp\"],\"ip\":\"dhcp\"},{}]");
}

TEST_MAIN(created, wrong, cloned, maps, arrays, memory, old_nics, table)
