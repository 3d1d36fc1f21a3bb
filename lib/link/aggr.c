/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/aggr.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "link/rtnl-priv.h"
#include "link/veth.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)
#define MONITOR_MS 100
#define NICS __attribute__((cleanup(link_nics_cleanup))) struct link_nics

/* The kernel's numbers. */
enum {
	MODE_XOR = 2,
	MODE_LACP = 4,
};
enum {
	HASH_L2 = 0,
	HASH_L34 = 1,
	HASH_L23 = 2,
};

/* ---- policies ---- */

int
aggr_policy_parse(const char *text, char ret_text[AGGR_POLICY_TEXT], struct nrd_err *err)
{
	static const char *const layers[] = { "L2", "L3", "L4" };
	NRD_STRV char **words = NULL;
	unsigned has = 0;
	size_t len = 0;

	if (nrd_strv_split(text, ',', &words) < 0)
		return nrd_nomem(err);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		size_t l = 0;

		while (l < nrd_count(layers) && strcasecmp(layers[l], words[i]) != 0)
			l++;
		if (l == nrd_count(layers) || (has & 1u << l) != 0)
			return nrd_fail(err, EINVAL, "AggrPolicy", "policy \"%.40s\": it is of L2, L3 and L4, each at most once", text);
		has |= 1u << l;
	}
	if (has == 0)
		return nrd_fail(err, EINVAL, "AggrPolicy", "policy \"%.40s\": it is of L2, L3 and L4, by commas", text);
	for (size_t l = 0; l < nrd_count(layers); l++)
		if ((has & 1u << l) != 0)
			len += (size_t)snprintf(ret_text + len, AGGR_POLICY_TEXT - len, "%s%s", len > 0 ? "," : "", layers[l]);
	return 0;
}

/* A policy with a higher layer takes the lower one's addresses in as well. */
static uint8_t
hash_of(const char *policy)
{
	if (policy == NULL || strstr(policy, "L4") != NULL)
		return HASH_L34;
	return strstr(policy, "L3") != NULL ? HASH_L23 : HASH_L2;
}

/* ---- what can be ---- */

int
aggr_check(const struct datalink *d, struct nrd_err *err)
{
	size_t n = nrd_strv_len(NRD_CSTRV(d->ports));
	char policy[AGGR_POLICY_TEXT], mac[NRD_MAC_TEXT];

	if (strlen(d->name) >= IF_NAMESIZE)
		return nrd_fail(err, EINVAL, "LinkName", "invalid link name '%s': of an aggregation it has at most %d characters",
				d->name, IF_NAMESIZE - 1);
	if (n == 0 || n > DATALINK_PORTS_MAX)
		return nrd_fail(err, EINVAL, "AggrPorts", "aggregation '%s' has 1 to %d ports, not %zu", d->name, DATALINK_PORTS_MAX, n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (nrd_streq(d->ports[i], d->ports[k]))
				return nrd_fail(err, EINVAL, "AggrPorts", "link '%s' is given twice", d->ports[i]);
	nrd_mac_format(&d->mac, mac);
	if (nrd_mac_is_group(&d->mac) || (d->mac_type == DATALINK_MAC_FIXED && nrd_mac_is_zero(&d->mac)))
		return nrd_fail(err, EINVAL, "BadProperty", "MAC address %s is %s", mac, nrd_mac_is_zero(&d->mac) ? "nobody's" : "a group address");
	return d->policy != NULL ? aggr_policy_parse(d->policy, policy, err) : 0;
}

static bool
has_address(const struct link_nic *nic, char ret_text[LINK_ADDR_TEXT])
{
	for (size_t i = 0; i < nic->n_addrs; i++)
		if (!nic->addrs[i].link_local) {
			link_addr_format(&nic->addrs[i], ret_text);
			return true;
		}
	return false;
}

static int
port_check(const char *name, const char *port, const struct link_nics *nics, struct nrd_err *err)
{
	const struct link_nic *nic = link_nics_by_name(nics, port), *bond = link_nics_by_name(nics, name);
	const struct link_nic *master = nic != NULL ? link_nics_by_index(nics, nic->master) : NULL;
	char address[LINK_ADDR_TEXT];

	if (nic == NULL)
		return nrd_fail(err, ENODEV, "AggrPort", "link '%s' is not there; dladm show-phys lists the NICs there are", port);
	if (!nic->physical)
		return nrd_fail(err, EINVAL, "AggrPort", "link '%s' is no NIC: an aggregation is of NICs of the node", port);
	if (master != NULL && master != bond)
		return nrd_fail(err, EBUSY, "AggrPort", "link '%s' is a port of '%s': dladm remove-aggr takes it away there", port, master->name);
	if (has_address(nic, address))
		return nrd_fail(err, EBUSY, "AggrPort", "link '%s' has the node's address %s", port, address);
	for (size_t i = 0; i < nics->n; i++)
		if (nics->nics[i].lower == nic->index && nrd_streq(nics->nics[i].kind, "vlan"))
			return nrd_fail(err, EBUSY, "AggrPort", "link '%s': in use by %s", port, nics->nics[i].name);
	return 0;
}

int
aggr_check_ports(const char *name, char *const *ports, struct nrd_err *err)
{
	NICS nics = { 0 };
	int r = link_nics_read(NULL, 0, &nics, err);

	for (size_t i = 0; r == 0 && ports != NULL && ports[i] != NULL; i++)
		r = port_check(name, ports[i], &nics, err);
	return r;
}

int
aggr_check_idle(const char *name, struct nrd_err *err)
{
	NICS nics = { 0 };
	char address[LINK_ADDR_TEXT];
	const struct link_nic *bond;
	int r = link_nics_read(NULL, 0, &nics, err);

	if (r < 0)
		return r;
	bond = link_nics_by_name(&nics, name);
	if (bond != NULL && has_address(bond, address))
		return nrd_fail(err, EBUSY, "LinkBusy", "link '%s': in use by the node's address %s", name, address);
	return 0;
}

/* ---- ports ---- */

static int
set_master(unsigned ifindex, unsigned master)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;

	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	rtnl_add_u32(&msg, IFLA_MASTER, master);
	return rtnl_send(&msg);
}

/* The kernel takes in what is down, and sets it up itself. */
static int
take_in(const struct link_nic *nic, unsigned bond, const char *name, struct nrd_err *err)
{
	int r = link_set_up(nic->index, false, err);

	if (r < 0)
		return r;
	r = set_master(nic->index, bond);
	return r < 0 ? nrd_fail(err, -r, "AggrPort", "make '%s' a port of '%s': %m", nic->name, name) : 0;
}

static void
let_go(const struct link_nic *nic)
{
	(void)set_master(nic->index, 0);
	/* As a NIC of the node is: its tag may come back to it. */
	(void)link_set_up(nic->index, true, NULL);
}

/* Its own, or that of the first port that is there: not of whichever came first. NULL: there is none. */
static const struct nrd_mac *
mac_of(const struct datalink *d, const struct link_nics *nics)
{
	const struct nrd_mac *mac = d->mac_type == DATALINK_MAC_FIXED ? &d->mac : NULL;

	for (size_t i = 0; mac == NULL && d->ports[i] != NULL; i++) {
		const struct link_nic *nic = link_nics_by_name(nics, d->ports[i]);

		mac = nic != NULL ? &nic->perm_mac : NULL;
	}
	return mac;
}

static int
choose_mac(const struct datalink *d, const struct link_nics *nics, unsigned bond, struct nrd_err *err)
{
	const struct nrd_mac *mac = mac_of(d, nics);
	int r = mac != NULL ? rtnl_set_mac(bond, mac) : 0;

	return r < 0 ? nrd_fail(err, -r, "AggrSet", "set the MAC address of '%s': %m", d->name) : 0;
}

int
aggr_ports_set(const struct datalink *d, struct nrd_err *err)
{
	unsigned bond = rtnl_index(d->name);
	NICS nics = { 0 };
	struct nrd_err why = { 0 };
	int first = link_nics_read(NULL, 0, &nics, err), r;

	if (first < 0)
		return first;
	if (bond == 0)
		return nrd_fail(err, ENODEV, "AggrSet", "aggregation '%s' is not there", d->name);
	for (size_t i = 0; i < nics.n; i++)
		if (nics.nics[i].master == bond && !nrd_strv_has(NRD_CSTRV(d->ports), nics.nics[i].name))
			let_go(&nics.nics[i]);
	for (size_t i = 0; d->ports[i] != NULL; i++) {
		const struct link_nic *nic = link_nics_by_name(&nics, d->ports[i]);

		if (nic == NULL)
			r = nrd_fail(&why, ENODEV, "AggrPort", "port '%s' of '%s' is not there", d->ports[i], d->name);
		else
			r = nic->master == bond ? 0 : take_in(nic, bond, d->name, &why);
		if (r < 0 && first == 0) {
			first = r;
			if (err != NULL)
				*err = why;
		}
	}
	r = choose_mac(d, &nics, bond, &why);
	if (r < 0 && first == 0) {
		first = r;
		if (err != NULL)
			*err = why;
	}
	return first;
}

/* ---- up and down ---- */

static void
add_mode(struct rtnl_msg *msg, const struct datalink *d)
{
	bool lacp = d->lacp != DATALINK_LACP_OFF;

	rtnl_add_u8(msg, IFLA_BOND_MODE, lacp ? MODE_LACP : MODE_XOR);
	if (!lacp)
		return;
	rtnl_add_u8(msg, IFLA_BOND_AD_LACP_ACTIVE, d->lacp == DATALINK_LACP_ACTIVE);
	rtnl_add_u8(msg, IFLA_BOND_AD_LACP_RATE, d->timer == DATALINK_TIMER_SHORT);
}

int
aggr_up(struct datalink *d, struct nrd_err *err)
{
	struct rtnl_make make;
	struct nrd_err ports = { 0 };
	unsigned bond;
	NICS nics = { 0 };
	int r = link_nics_read(NULL, 0, &nics, err), of_ports;

	if (r < 0)
		return r;
	rtnl_make_begin(&make, d->name, "bond", 0, mac_of(d, &nics));
	add_mode(&make.msg, d);
	rtnl_add_u32(&make.msg, IFLA_BOND_MIIMON, MONITOR_MS);
	rtnl_add_u8(&make.msg, IFLA_BOND_XMIT_HASH_POLICY, hash_of(d->policy));
	r = rtnl_make_send(&make);
	if (r < 0)
		return nrd_fail(err, -r, "AggrCreate", "make aggregation '%s': %m", d->name);
	bond = rtnl_index(d->name);
	of_ports = aggr_ports_set(d, &ports);
	r = link_open(bond, err);
	d->ifindex = bond;
	NRD_SET(SCHEMA, d, ifindex);
	if (r == 0)
		r = datalink_write(DATALINK_RUN, d, err);
	if (r < 0) {
		(void)link_delete(bond, NULL);
		return r;
	}
	if (of_ports < 0 && err != NULL)
		*err = ports;
	return of_ports;
}

int
aggr_down(const struct datalink *d, struct nrd_err *err)
{
	unsigned bond = rtnl_index(d->name);
	NICS nics = { 0 };
	int r = link_nics_read(NULL, 0, &nics, err);

	for (size_t i = 0; r == 0 && bond != 0 && i < nics.n; i++)
		if (nics.nics[i].master == bond)
			let_go(&nics.nics[i]);
	if (r == 0 && bond != 0)
		r = link_delete(bond, err);
	return r == 0 ? datalink_remove(DATALINK_RUN, NULL, d->name, err) : r;
}

/* ---- changing ---- */

static int
send_change(struct rtnl_make *make, const char *name, const char *what, struct nrd_err *err)
{
	int r = rtnl_make_send(make);

	return r < 0 ? nrd_fail(err, -r, "AggrSet", "set the %s of '%s': %m", what, name) : 0;
}

/* Mode and timer change only while it has no port and is down. */
static int
set_mode(const struct datalink *d, unsigned bond, struct nrd_err *err)
{
	struct rtnl_make make;
	NICS nics = { 0 };
	int r = link_nics_read(NULL, 0, &nics, err);

	for (size_t i = 0; r == 0 && i < nics.n; i++)
		if (nics.nics[i].master == bond)
			(void)set_master(nics.nics[i].index, 0);
	if (r == 0)
		r = link_set_up(bond, false, err);
	if (r == 0) {
		rtnl_make_change(&make, bond, "bond");
		add_mode(&make.msg, d);
		r = send_change(&make, d->name, "LACP mode", err);
	}
	if (r == 0)
		return link_set_up(bond, true, err);
	(void)link_set_up(bond, true, NULL);
	return r;
}

/* "802.3ad 4" */
static unsigned
attr_last(const char *bond, const char *name)
{
	NRD_FREE char *path = nrd_format("/sys/class/net/%s/bonding/%s", bond, name);
	char text[64] = "";
	const char *blank;
	uint64_t n = 0;

	if (path == NULL || nrd_attr_read(AT_FDCWD, path, text, sizeof(text), NULL) < 0)
		return 0;
	blank = strrchr(text, ' ');
	(void)nrd_parse_u64(blank != NULL ? blank + 1 : text, 0, UINT32_MAX, &n, NULL);
	return (unsigned)n;
}

static enum datalink_lacp
lacp_now(const char *bond)
{
	if (attr_last(bond, "mode") != MODE_LACP)
		return DATALINK_LACP_OFF;
	return attr_last(bond, "lacp_active") != 0 ? DATALINK_LACP_ACTIVE : DATALINK_LACP_PASSIVE;
}

static bool
same_mode(const struct datalink *d)
{
	bool timer = d->lacp == DATALINK_LACP_OFF || (attr_last(d->name, "lacp_rate") != 0) == (d->timer == DATALINK_TIMER_SHORT);

	return lacp_now(d->name) == d->lacp && timer;
}

int
aggr_apply(const struct datalink *d, struct nrd_err *err)
{
	unsigned bond = rtnl_index(d->name);
	struct rtnl_make make;
	int r = 0;

	if (bond == 0)
		return nrd_fail(err, ENODEV, "AggrSet", "aggregation '%s' is not there", d->name);
	if (!same_mode(d))
		r = set_mode(d, bond, err);
	if (r == 0 && attr_last(d->name, "xmit_hash_policy") != hash_of(d->policy)) {
		rtnl_make_change(&make, bond, "bond");
		rtnl_add_u8(&make.msg, IFLA_BOND_XMIT_HASH_POLICY, hash_of(d->policy));
		r = send_change(&make, d->name, "policy", err);
	}
	if (r < 0) {
		(void)aggr_ports_set(d, NULL);
		return r;
	}
	r = aggr_ports_set(d, err);
	return r == 0 ? datalink_write(DATALINK_RUN, d, err) : r;
}

/* ---- looking ---- */

void
aggr_port_read(const struct link_nic *port, struct aggr_port *ret_port)
{
	static const char dir[] = "/sys/class/net";
	NRD_FREE char *lacp = nrd_format("%s/%s/bonding_slave/ad_actor_oper_port_state", dir, port->name);
	NRD_FREE char *status = nrd_format("%s/%s/bonding_slave/mii_status", dir, port->name);
	NRD_FREE char *duplex = nrd_format("%s/%s/duplex", dir, port->name);
	char text[16] = "";
	uint64_t bits = 0;

	*ret_port = (struct aggr_port){ .state = "down", .duplex = "unknown" };
	if (lacp == NULL || status == NULL || duplex == NULL)
		return;
	(void)nrd_attr_read_u64(AT_FDCWD, lacp, &bits, NULL);
	ret_port->lacp = (unsigned)bits;
	if (nrd_attr_read(AT_FDCWD, status, text, sizeof(text), NULL) == 0)
		(void)nrd_strcpy_to(ret_port->state, sizeof(ret_port->state), nrd_streq(text, "up") ? "up" : "down");
	if (nrd_attr_read(AT_FDCWD, duplex, text, sizeof(text), NULL) == 0)
		(void)nrd_strcpy_to(ret_port->duplex, sizeof(ret_port->duplex), text);
	ret_port->attached = nrd_streq(ret_port->state, "up") &&
			     (bits == 0 || (bits & AGGR_LACP_DISTRIBUTING) != 0);
}

int
aggr_of_kernel(const struct link_nic *bond, struct datalink *ret_d, struct nrd_err *err)
{
	unsigned hash = attr_last(bond->name, "xmit_hash_policy");

	if (nrd_str_set(&ret_d->name, bond->name) < 0 || nrd_str_set(&ret_d->zone, DATALINK_GLOBAL) < 0 ||
	    nrd_str_set(&ret_d->policy, hash == HASH_L2 ? "L2" : hash == HASH_L23 ? "L3" : "L4") < 0)
		return nrd_nomem(err);
	ret_d->class_ = DATALINK_AGGR;
	ret_d->mac = bond->mac;
	ret_d->mac_type = DATALINK_MAC_RANDOM;
	ret_d->lacp = lacp_now(bond->name);
	ret_d->timer = attr_last(bond->name, "lacp_rate") != 0 ? DATALINK_TIMER_SHORT : DATALINK_TIMER_LONG;
	return 0;
}
