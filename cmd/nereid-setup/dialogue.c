/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/check.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "setup.h"

#define PASSWORD_MIN 6

void
setup_take(struct node_answers *a, size_t offset, char *text)
{
	const struct nrd_field *f = nrd_schema_at(&node_answers_schema, offset);
	char **member = (void *)((char *)a + offset);

	if (text == NULL || text[0] == '\0') {
		free(text);
		nrd_field_clear(&node_answers_schema, f, a);
		return;
	}
	free(*member);
	*member = text;
	nrd_field_set(&node_answers_schema, f, a);
}

/* Asks for a text and puts it into the field at offset. */
static int
ask_into(struct ask *ask, const struct ask_question *q, struct node_answers *a, size_t offset,
	 struct nrd_err *err)
{
	char *answer = NULL;
	int r = ask_text(ask, q, &answer, err);

	if (r >= 0)
		setup_take(a, offset, answer);
	return r;
}

#define ASK_INTO(ask, q, a, member, err) \
	ask_into((ask), (q), (a), NRD_OFFSET(struct node_answers, member, char *), (err))

static int
ask_hostname(struct ask *ask, const struct node_setup *s, struct node_answers *a,
	     struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = "Hostname",
		.dflt = a->hostname,
		.empty_ok = true,
		.empty_is = "the admin NIC's MAC address",
		.check = node_check_hostname,
		.help = "  The node's name: letters, digits and dashes, at most 63.",
	};

	(void)s;
	return ASK_INTO(ask, &q, a, hostname, err);
}

static int
show_nics(struct ask *ask, const struct link_nics *nics, struct nrd_err *err)
{
	static const struct nrd_col cols[] = {
		{ "number", 6, NRD_COL_RIGHT, "NUMBER" },
		{ "link", 10 },
		{ "mac", 17 },
		{ "state", 8 },
		{ "driver", 10 },
	};
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT((size_t)64 << 10);
	unsigned number = 0;
	int r = nrd_table_new(cols, nrd_count(cols), NULL, &t, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nics->n; i++) {
		const struct link_nic *nic = &nics->nics[i];
		char text[16];
		char mac[NRD_MAC_TEXT];

		if (!nic->physical)
			continue;
		(void)snprintf(text, sizeof(text), "%u", ++number);
		nrd_mac_format(&nic->perm_mac, mac);
		nrd_table_row(t, (const char *[]){ text, nic->name, mac,
						   link_state_name(nic->state), nic->driver });
	}
	r = nrd_table_format(t, &out, err);
	if (r >= 0)
		ask_say(ask, "\nThe network interfaces of this node:\n\n%s\n", nrd_buf_str(&out));
	return r;
}

/* The NIC a person means by a number of the table, a name or a MAC. */
static const struct link_nic *
find_nic(const struct link_nics *nics, const char *text)
{
	struct nrd_mac mac;
	uint64_t number;

	if (nrd_mac_parse(text, &mac, NULL) >= 0)
		return link_nics_by_mac(nics, &mac);
	if (nrd_parse_u64(text, 1, nics->n, &number, NULL) < 0)
		return link_nics_by_name(nics, text);
	for (size_t i = 0; i < nics->n; i++)
		if (nics->nics[i].physical && --number == 0)
			return &nics->nics[i];
	return NULL;
}

static const struct link_nic *
default_nic(const struct link_nics *nics, const struct node_answers *a)
{
	const struct link_nic *first = a->admin_nic != NULL ? find_nic(nics, a->admin_nic) : NULL;

	for (size_t i = 0; first == NULL && i < nics->n; i++)
		if (nics->nics[i].physical && nics->nics[i].state == LINK_UP)
			first = &nics->nics[i];
	for (size_t i = 0; first == NULL && i < nics->n; i++)
		if (nics->nics[i].physical)
			first = &nics->nics[i];
	return first;
}

static int
ask_nic(struct ask *ask, const struct node_setup *s, struct node_answers *a, struct nrd_err *err)
{
	const struct link_nic *dflt = default_nic(&s->nics, a);
	const struct ask_question q = {
		.prompt = "NIC of the admin network (number, link or MAC)",
		.dflt = dflt != NULL ? dflt->name : NULL,
		.help = "  The network on which the node itself is reached.",
	};
	int r;

	if (a->admin_nic != NULL && nrd_starts(a->admin_nic, "aggr") != NULL) {
		ask_say(ask, "The admin network is on the aggregation %s; see /usbkey/config.\n",
			a->admin_nic);
		return 0;
	}
	if (dflt == NULL) {
		ask_put(ask, "\nThis node has no network interface. It will use the first one that "
			     "appears.\n");
		return 0;
	}
	r = show_nics(ask, &s->nics, err);
	while (r >= 0) {
		NRD_FREE char *answer = NULL;
		const struct link_nic *nic;
		char mac[NRD_MAC_TEXT];

		r = ask_text(ask, &q, &answer, err);
		if (r < 0)
			break;
		nic = find_nic(&s->nics, answer);
		if (nic != NULL && nic->physical) {
			nrd_mac_format(&nic->perm_mac, mac);
			SETUP_TAKE(a, admin_nic, nrd_format("%s", mac));
			break;
		}
		ask_say(ask, "  There is no interface %s.\n", answer);
	}
	return r;
}

static bool
is_dhcp(const struct node_answers *a)
{
	return a->admin_ip == NULL || nrd_streq(a->admin_ip, "dhcp");
}

static int
ask_address(struct ask *ask, const struct node_setup *s, struct node_answers *a,
	    struct nrd_err *err)
{
	struct ask_question ip = {
		.prompt = "IPv4 address, or dhcp",
		.check = node_check_ip4_dhcp,
		.help = "  The node's address on the admin network, such as 10.0.0.5; dhcp: asked "
			"of the\n  network at each boot.",
	};
	struct ask_question mask = {
		.prompt = "Netmask",
		.check = node_check_netmask,
		.help = "  Such as 255.255.255.0.",
	};
	struct ask_question gw = {
		.prompt = "Default gateway, or none",
		.check = node_check_ip4_none,
		.help = "  The router to other networks; none: the node reaches its own only.",
	};
	int r;

	(void)s;
	for (;;) {
		struct nrd_err why = { 0 };

		ip.dflt = a->admin_ip != NULL ? a->admin_ip : "dhcp";
		r = ASK_INTO(ask, &ip, a, admin_ip, err);
		if (r >= 0 && is_dhcp(a)) {
			SETUP_TAKE(a, admin_netmask, NULL);
			SETUP_TAKE(a, headnode_default_gateway, NULL);
			return 0;
		}
		mask.dflt = a->admin_netmask != NULL ? a->admin_netmask : "255.255.255.0";
		if (r >= 0)
			r = ASK_INTO(ask, &mask, a, admin_netmask, err);
		gw.dflt = a->headnode_default_gateway != NULL ? a->headnode_default_gateway : "none";
		if (r >= 0)
			r = ASK_INTO(ask, &gw, a, headnode_default_gateway, err);
		if (r < 0)
			return r;
		if (node_check_network(a->admin_ip, a->admin_netmask, a->headnode_default_gateway,
				       &why) >= 0)
			return 0;
		ask_say(ask, "  %s\n", why.msg);
		SETUP_TAKE(a, headnode_default_gateway, NULL);
	}
}

static int
ask_dns(struct ask *ask, const struct node_setup *s, struct node_answers *a, struct nrd_err *err)
{
	bool dhcp = is_dhcp(a);
	const char *help = "  An address of a name server, such as 8.8.8.8.";
	const struct ask_question first = {
		.prompt = "First DNS server",
		.dflt = a->dns_resolver1 != NULL ? a->dns_resolver1 : dhcp ? NULL : "8.8.8.8",
		.empty_ok = dhcp,
		.empty_is = "from DHCP",
		.check = node_check_ip,
		.help = help,
	};
	const struct ask_question search = {
		.prompt = "Search domain",
		.dflt = a->dns_search,
		.empty_ok = true,
		.empty_is = "none",
		.check = node_check_domain,
		.help = "  Is appended to names without a dot, such as example.com.",
	};
	struct ask_question second = {
		.prompt = "Second DNS server",
		.empty_ok = true,
		.empty_is = "none",
		.check = node_check_ip,
		.help = help,
	};
	int r;

	(void)s;
	NRD_CLEAR(&node_answers_schema, a, dns_resolvers);
	r = ASK_INTO(ask, &first, a, dns_resolver1, err);
	if (r >= 0 && a->dns_resolver1 != NULL) {
		second.dflt = a->dns_resolver2 != NULL               ? a->dns_resolver2 :
			      nrd_streq(a->dns_resolver1, "8.8.8.8") ? "8.8.4.4" :
								       NULL;
		r = ASK_INTO(ask, &second, a, dns_resolver2, err);
	} else if (r >= 0) {
		SETUP_TAKE(a, dns_resolver2, NULL);
	}
	return r < 0 ? r : ASK_INTO(ask, &search, a, dns_search, err);
}

static int
ask_ntp(struct ask *ask, const struct node_setup *s, struct node_answers *a, struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = "Time servers",
		.dflt = a->ntp_host != NULL ? a->ntp_host : "pool.ntp.org",
		.check = node_check_host_list,
		.help = "  Names or addresses with commas between.",
	};

	(void)s;
	return ASK_INTO(ask, &q, a, ntp_host, err);
}

static int
ask_disks(struct ask *ask, const struct node_setup *s, struct node_answers *a, struct nrd_err *err)
{
	return s->configured ? 0 : setup_ask_disks(ask, s, a, err);
}

static int
check_password(const char *s, struct nrd_err *err)
{
	if (strlen(s) < PASSWORD_MIN)
		return nrd_fail(err, EINVAL, "BadAnswer", "at least %d characters", PASSWORD_MIN);
	return node_check_password(s, err);
}

static int
ask_password(struct ask *ask, const struct node_setup *s, struct node_answers *a,
	     struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = "\nPassword of root",
		.hidden = true,
		.empty_ok = s->configured,
		.empty_is = "as it is",
		.check = check_password,
		.help = "  For the console and, unless you use keys, for SSH. It is not shown while "
			"you type.",
	};
	const struct ask_question again = {
		.prompt = "The same again",
		.hidden = true,
		.empty_ok = true,
	};

	for (;;) {
		char *one = NULL;
		char *two = NULL;
		int r = ask_text(ask, &q, &one, err);
		bool same;

		if (r < 0)
			return r;
		if (one[0] == '\0') {
			SETUP_TAKE(a, root_password, one);
			return 0;
		}
		r = ask_text(ask, &again, &two, err);
		same = r >= 0 && nrd_streq(one, two);
		if (two != NULL)
			explicit_bzero(two, strlen(two));
		free(two);
		if (same) {
			SETUP_TAKE(a, root_password, one);
			return 0;
		}
		explicit_bzero(one, strlen(one));
		free(one);
		if (r < 0)
			return r;
		ask_put(ask, "  The two differ.\n");
	}
}

static int
ask_key(struct ask *ask, const struct node_setup *s, struct node_answers *a, struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = "Public SSH key of root",
		.dflt = a->root_authorized_keys != NULL ? a->root_authorized_keys[0] : NULL,
		.empty_ok = true,
		.empty_is = s->configured ? "as it is" : "none",
		.check = node_check_ssh_key,
		.help = "  One line such as ssh-ed25519 AAAA... you@example.com, pasted from your "
			"id_ed25519.pub.",
	};
	char *answer = NULL;
	int r = ask_text(ask, &q, &answer, err);

	if (r < 0)
		return r;
	NRD_CLEAR(&node_answers_schema, a, root_authorized_keys);
	if (answer[0] == '\0') {
		free(answer);
		return 0;
	}
	if (nrd_strv_take(&a->root_authorized_keys, answer) < 0)
		return nrd_nomem(err);
	NRD_SET(&node_answers_schema, a, root_authorized_keys);
	return 0;
}

/* The order in which a person is asked. */
static int (*const questions[])(struct ask *, const struct node_setup *, struct node_answers *,
				struct nrd_err *) = {
	ask_hostname, ask_nic, ask_address, ask_dns, ask_ntp, ask_disks, ask_password, ask_key,
};

int
setup_dialogue(struct ask *ask, const struct node_setup *setup, struct node_answers *a,
	       struct nrd_err *err)
{
	for (size_t i = 0; i < nrd_count(questions); i++) {
		int r = questions[i](ask, setup, a, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int
setup_from_config(const struct node_config *config, struct node_answers *a, struct nrd_err *err)
{
	static const struct {
		const char *key;
		size_t offset;
	} map[] = {
		{ "hostname", NRD_OFFSET(struct node_answers, hostname, char *) },
		{ "admin_nic", NRD_OFFSET(struct node_answers, admin_nic, char *) },
		{ "admin_ip", NRD_OFFSET(struct node_answers, admin_ip, char *) },
		{ "admin_netmask", NRD_OFFSET(struct node_answers, admin_netmask, char *) },
		{ "headnode_default_gateway",
		  NRD_OFFSET(struct node_answers, headnode_default_gateway, char *) },
		{ "dns_domain", NRD_OFFSET(struct node_answers, dns_search, char *) },
		{ "ntp_hosts", NRD_OFFSET(struct node_answers, ntp_host, char *) },
	};
	const char *dns = node_config_get_filled(config, "dns_resolvers");
	const char *vlan = node_config_get_filled(config, "admin_vlan_id");
	NRD_STRV char **resolvers = NULL;

	for (size_t i = 0; i < nrd_count(map); i++) {
		const char *v = node_config_get_filled(config, map[i].key);

		if (v != NULL)
			setup_take(a, map[i].offset, nrd_format("%s", v));
	}
	if (dns != NULL && nrd_strv_split(dns, ',', &resolvers) < 0)
		return nrd_nomem(err);
	if (resolvers != NULL && resolvers[0] != NULL) {
		SETUP_TAKE(a, dns_resolver1, nrd_format("%s", resolvers[0]));
		SETUP_TAKE(a, dns_resolver2,
			   resolvers[1] != NULL ? nrd_format("%s", resolvers[1]) : NULL);
	}
	if (vlan != NULL && nrd_parse_u64(vlan, 1, 4094, &a->admin_vlan_id, NULL) >= 0)
		NRD_SET(&node_answers_schema, a, admin_vlan_id);
	return 0;
}
