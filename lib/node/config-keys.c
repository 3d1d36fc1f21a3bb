/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <string.h>

#include "node/check.h"
#include "node/config.h"
#include "node/dhcp.h"
#include "nrd/mem.h"
#include "nrd/schema.h"
#include "nrd/str.h"

struct rule {
	const char *name;
	nrd_check_fn *check;
};

static const struct rule exact_rules[] = {
	{ "admin_nic_autoselect", node_check_bool },
	{ "admin_tag", node_check_tag },
	{ "compute_node_ntp_hosts", node_check_host_list },
	{ "default_keymap", node_check_keymap },
	{ "dns_domain", node_check_domain },
	{ "dns_resolvers", node_check_ip_list },
	{ "etherstub", node_check_etherstub_list },
	{ "headnode_default_gateway", node_check_ip4_none },
	{ "hostname", node_check_hostname },
	{ "ntp_conf_file", node_check_file_name },
	{ "ntp_hosts", node_check_host_list },
	{ "root_authorized_keys_file", node_check_file_name },
	{ "root_shadow", node_check_shadow },
	{ "smt_enabled", node_check_bool },
};

/* Of a tag (admin_nic), of the global zone's VNIC on a tag (external0_ip), of an aggregation. */
static const struct rule suffix_rules[] = {
	{ "_nic", node_check_nic },
	{ "_ip", node_check_ip4_dhcp },
	{ "_ip6", node_check_ip6_plen },
	{ "_netmask", node_check_netmask },
	{ "_network", node_check_ip4_network },
	{ "_gateway", node_check_ip4_none },
	{ "_gateway6", node_check_ip6 },
	{ "_vlan_id", node_check_vlan },
	{ "_mac", node_check_mac },
	{ "_mtu", node_check_mtu },
	{ "_device", node_check_device },
	{ "_aggr", node_check_mac_list },
#define X(id, name, check, text) { "_dhcp_" name, check },
	NODE_DHCP_KEYS(X)
#undef X
	{ "_lacp_mode", node_check_lacp },
};

static nrd_check_fn *
rule_of(const char *key)
{
	for (size_t i = 0; i < nrd_count(exact_rules); i++)
		if (nrd_streq(exact_rules[i].name, key))
			return exact_rules[i].check;
	for (size_t i = 0; i < nrd_count(suffix_rules); i++) {
		const char *suffix = suffix_rules[i].name;

		if (strlen(key) > strlen(suffix) && nrd_ends(key, suffix))
			return suffix_rules[i].check;
	}
	return NULL;
}

int
node_config_check(const char *key, const char *value, struct nrd_err *err)
{
	nrd_check_fn *check = rule_of(key);
	struct nrd_err why = { 0 };
	int r;

	/* "admin_gateway=" is how SmartOS writes: not given. */
	if (check == NULL || value[0] == '\0')
		return 0;
	r = check(value, &why);
	if (r < 0)
		return nrd_fail(err, EINVAL, "ConfigBadValue", "%s: %s", key, why.msg);
	return 0;
}
