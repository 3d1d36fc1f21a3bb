/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/answers.h"

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB me@here"

static void
refused(const char *text, const char *code, const char *words)
{
	NRD_AUTO(node_answers) a = { 0 };
	struct nrd_err err = { 0 };

	CHECK(node_answers_parse(text, strlen(text), &a, &err) < 0);
	if (strstr(err.msg, words) == NULL)
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.msg, words);
	CHECK_STR(err.code, code);
	CHECK(strncmp(err.msg, "answers: ", 9) == 0);
}

static void
takes_smartos_files(void)
{
	static const char text[] =
		"{\"config_console\":\"ttyb\",\"skip_instructions\":true,\"simple_headers\":false,"
		"\"admin_nic\":\"2:8:20:0:0:1\",\"admin_ip\":\"10.0.0.5\","
		"\"admin_netmask\":\"255.255.255.0\",\"headnode_default_gateway\":\"10.0.0.1\","
		"\"dns_resolver1\":\"8.8.8.8\",\"dns_resolver2\":\"<default>\","
		"\"dns_search\":\"example.com\",\"ntp_host\":\"pool.ntp.org\","
		"\"skip_ntp_check\":\"true\",\"zpool_layout\":\"<default>\","
		"\"zpool_confirm_layout\":\"yes\",\"bootpool\":\"none\",\"pisource\":\"latest\","
		"\"install_pkgsrc\":\"y\",\"root_password\":\"hunter2\",\"hostname\":\"n1\","
		"\"skip_final_confirm\":true,\"skip_final_summary\":true}";
	NRD_AUTO(node_answers) a = { 0 };
	struct nrd_err err = { 0 };

	CHECK_INT(node_answers_parse(text, sizeof(text) - 1, &a, &err), 0);
	CHECK_STR(a.hostname, "n1");
	CHECK_STR(a.admin_ip, "10.0.0.5");
	CHECK_STR(a.dns_resolver1, "8.8.8.8");
	CHECK(a.dns_resolver2 == NULL);
	CHECK(a.zpool_layout == NULL);
	CHECK(a.skip_ntp_check);
	CHECK_STR(a.root_password, "hunter2");
}

static void
takes_our_keys(void)
{
	static const char text[] = "{\"admin_mac\":\"02:08:20:00:00:01\",\"admin_vlan_id\":12,"
				   "\"dns_resolvers\":[\"9.9.9.9\",\"fd00::1\"],\"disks\":[\"vda\"],"
				   "\"overwrite_disks\":[\"SERIAL 1\"],\"root_authorized_keys\":[\"" KEY
				   "\"]}";
	NRD_AUTO(node_answers) a = { 0 };
	struct nrd_err err = { 0 };

	CHECK_INT(node_answers_parse(text, sizeof(text) - 1, &a, &err), 0);
	CHECK_STR(a.admin_nic, "02:08:20:00:00:01");
	CHECK_INT(a.admin_vlan_id, 12);
	CHECK_INT(nrd_strv_len(NRD_CSTRV(a.dns_resolvers)), 2);
	CHECK_STR(a.disks[0], "vda");
	CHECK_STR(a.overwrite_disks[0], "SERIAL 1");
}

static void
names_the_nearest_key(void)
{
	refused("{\"root_passwrd\":\"x\"}", "UnknownProperty", "root_password");
	refused("{\"admin_mac\":\"02:08:20:00:00:01\",\"hostnam\":\"x\"}", "UnknownProperty",
		"hostname");
}

static void
refuses_impossible_values(void)
{
	refused("{\"admin_ip\":\"10.0.0.300\",\"root_password\":\"x\"}", "BadValue", "admin_ip");
	refused("{\"admin_ip\":\"10.0.0.0\",\"root_password\":\"x\"}", "BadNetwork", "admin_ip");
	refused("{\"admin_ip\":\"10.0.0.5\",\"headnode_default_gateway\":\"10.0.1.1\","
		"\"root_password\":\"x\"}", "BadNetwork", "gateway");
	refused("{\"admin_netmask\":\"255.255.255.0\",\"root_password\":\"x\"}", "BadAnswers",
		"admin_netmask");
	refused("{\"zpool_layout\":\"miror\",\"root_password\":\"x\"}", "BadAnswers", "mirror");
	refused("{\"zpool_layout\":\"manual\",\"root_password\":\"x\"}", "BadAnswers", "by hand");
	refused("{\"zpool_confirm_layout\":\"no\",\"root_password\":\"x\"}", "BadAnswers", "yes");
	refused("{\"admin_nic\":\"02:08:20\",\"root_password\":\"x\"}", "BadValue", "admin_nic");
	refused("{\"dns_resolvers\":[\"1.1.1.1\"],\"dns_resolver1\":\"8.8.8.8\","
		"\"root_password\":\"x\"}", "BadAnswers", "dns_resolvers");
	refused("{\"admin_vlan_id\":5000,\"root_password\":\"x\"}", "BadProperty", "4094");
	refused("{\"root_authorized_keys\":[\"ssh-ed25519 AAAA\"]}", "BadKey", "cut off");
	refused("{\"root_authorized_keys\":[\"hello\"]}", "BadKey", "not a public SSH key");
}

static void
wants_somebody_to_log_in(void)
{
	refused("{}", "BadAnswers", "nobody could log in");
	refused("{\"root_password\":\"\"}", "BadAnswers", "empty");
	refused("{\"root_password\":\"a\\nb\"}", "BadAnswers", "control character");
	refused("{\"root_password\":\"x\",\"root_password_hash\":\"$6$a$"
		"OVTO4gF0HAWRJ7ucJTKPcePmPIZ3dChkIk4PXmDqsQrjGT1a.Fp2WB2Xjs7Zv24nR5jwUMWbXYpeZxSKPJdYl/\"}",
		"BadAnswers", "root_password");
}

static void
refuses_what_is_no_object(void)
{
	refused("[]", "BadProperty", "object");
	refused("{\"hostname\":", "BadJson", "");
	refused("{\"hostname\":\"a\",\"hostname\":\"b\"}", "BadJson", "hostname");
	refused("{\"admin_mac\":[{}],\"root_password\":\"x\"}", "BadProperty", "admin_mac");
}

/* No message may repeat a secret. */
static void
keeps_secrets(void)
{
	static const char text[] = "{\"root_password\":\"s3cr\\u0001et\"}";
	NRD_AUTO(node_answers) a = { 0 };
	struct nrd_err err = { 0 };

	CHECK(node_answers_parse(text, sizeof(text) - 1, &a, &err) < 0);
	CHECK(strstr(err.msg, "s3cr") == NULL);
	CHECK_HAS(err.msg, "root_password: holds a control character");
}

static void
knows_rules_by_key(void)
{
	struct nrd_err err = { 0 };

	CHECK(node_answers_rule("nothing") == NULL);
	CHECK_INT(node_answers_rule("admin_ip")("dhcp", &err), 0);
	CHECK_INT(node_check_ssh_key("command=\"a b\" " KEY, &err), 0);
	CHECK(node_check_ssh_key(KEY "\n" KEY, &err) < 0);
}

TEST_MAIN(takes_smartos_files, takes_our_keys, names_the_nearest_key, refuses_impossible_values,
	  wants_somebody_to_log_in, refuses_what_is_no_object, keeps_secrets, knows_rules_by_key)
