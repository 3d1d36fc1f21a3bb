/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nics/nics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/datalink.h"
#include "link/nic.h"
#include "link/stack.h"
#include "link/switch.h"
#include "link/tap.h"
#include "link/vnic.h"
#include "nics/lease.h"
#include "nics/nics-priv.h"
#include "node/nictag.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define SCHEMA       (&datalink_schema)
#define METRIC_OTHER 256 /* of the gateways of NICs that are not the primary one, and so on for each */

/* ---- what a NIC's link is to be ---- */

static int
over_of(const struct node_nictags *tags, const struct zone_nic *nic, struct datalink *d, struct nrd_err *err)
{
	const struct node_nictag *tag = NULL;
	uint64_t vnetid = 0;
	bool stub;
	int r = node_nictags_of(tags, nic->nic_tag != NULL ? nic->nic_tag : "", &tag, &vnetid, err);

	if (r < 0)
		return r;
	stub = tag->type == NODE_NICTAG_ETHERSTUB;
	d->netkit = tag->netkit;
	if (d->netkit)
		NRD_SET(SCHEMA, d, netkit);
	if (tag->type == NODE_NICTAG_OVERLAY) {
		d->mtu = nic->mtu;
		return nics_overlay(tag->name, vnetid, &d->over, err);
	}
	if (!stub && tag->link[0] == '\0')
		return nrd_fail(err, ENODEV, "BadNicTag", "nic tag \"%s\": its link is not there", tag->name);
	if (tag->mtu != 0 && nic->mtu > tag->mtu)
		return nrd_fail(err, EINVAL, "BadNicTag", "mtu %llu is above that of nic tag \"%s\" (%llu)", (unsigned long long)nic->mtu,
				tag->name, (unsigned long long)tag->mtu);
	if (nrd_str_set(&d->over, stub ? tag->name : tag->link) < 0)
		return nrd_nomem(err);
	d->mtu = nic->mtu != 0 ? nic->mtu : tag->mtu;
	return stub ? etherstub_up(tag->name, err) : 0;
}

static int
protect(const struct zone_nic *nic, struct datalink *d)
{
	bool dhcp_server = nic->allow_dhcp_spoofing || nic->dhcp_server;
	int r = 0;

	if (!nic->allow_mac_spoofing)
		r = nrd_strv_add(&d->protection, "mac-nospoof");
	if (r == 0 && !nic->allow_restricted_traffic)
		r = nrd_strv_add(&d->protection, "restricted");
	/* Who serves DHCP also sends what an address that is not its own would. */
	if (r == 0 && !nic->allow_ip_spoofing && !dhcp_server)
		r = nrd_strv_add(&d->protection, "ip-nospoof");
	return r == 0 && !dhcp_server ? nrd_strv_add(&d->protection, "dhcp-nospoof") : r;
}

static int
rates(const struct zone_nic *nic, struct datalink *d)
{
	d->maxbw = nic->max_bandwidth;
	for (int i = 0; nic->priority != NULL && datalink_priority_names[i] != NULL; i++)
		if (nrd_streq(datalink_priority_names[i], nic->priority)) {
			d->priority = i;
			NRD_SET(SCHEMA, d, priority);
		}
	if (nrd_strv_copy(NRD_CSTRV(nic->allowed_dhcp_cids), &d->allowed_dhcp_cids) < 0)
		return -ENOMEM;
	return nrd_strv_copy(NRD_CSTRV(nic->secondary_macs), &d->secondary_macs);
}

/* ---- addresses ---- */

#define DHCP_SERVER "169.254.169.254" /* of a network without a router: no machine's */

static bool
asks(const struct zone_nic *nic)
{
	/* Of a network's VLANs the pool is that without a tag. */
	return nrd_strv_has(NRD_CSTRV(nic->ips), "dhcp") && nic->vlan_id == 0 && nic->nic_tag != NULL;
}

static int
text_of(uint32_t address, const char *after, char **ret_text)
{
	struct in_addr a = { .s_addr = htonl(address) };
	char text[INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &a, text, sizeof(text));
	*ret_text = nrd_format("%s%s", text, after);
	return *ret_text != NULL ? 0 : -ENOMEM;
}

static int
resolvers_of(const struct node_dhcp *pool, char ***ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pool->n_resolvers; i++) {
		NRD_FREE char *text = NULL;

		r = text_of(pool->resolvers[i], "", &text);
		if (r == 0)
			r = nrd_strv_add(ret, text);
	}
	return r;
}

const char *
nics_hostname(const struct zone_config *c)
{
	return c->hostname != NULL ? c->hostname : c->alias != NULL ? c->alias : c->zonename;
}

/* What the machine said itself goes before what the pool says. */
static int
told(const struct zone_config *c, const struct node_dhcp *pool, uint32_t address, struct datalink *d)
{
	const char *domain = pool->domain[0] != '\0' && !zone_config_has_domain(c) ? pool->domain : c->dns_domain;
	char bits[8];
	int r;

	(void)snprintf(bits, sizeof(bits), "/%u", pool->bits);
	d->dhcp_lease = pool->lease_s;
	r = text_of(address, bits, &d->dhcp_address);
	if (r == 0)
		r = pool->router != 0 ? text_of(pool->router, "", &d->dhcp_server) : nrd_str_set(&d->dhcp_server, DHCP_SERVER);
	if (r == 0 && pool->router != 0 && d->gateways == NULL)
		r = nrd_strv_add(&d->gateways, d->dhcp_server);
	if (r == 0)
		r = c->resolvers != NULL ? nrd_strv_copy(NRD_CSTRV(c->resolvers), &d->dhcp_resolvers) : resolvers_of(pool, &d->dhcp_resolvers);
	if (r == 0)
		r = nrd_str_set(&d->dhcp_hostname, nics_hostname(c));
	return r == 0 && domain != NULL ? nrd_str_set(&d->dhcp_domain, domain) : r;
}

#define STATIC_LEASE_S (24 * 60 * 60)

/* A guest's own address is told to it by the switch, as SmartOS's guests get theirs: who asks need not know it. */
static int
tell_static(const struct zone_config *c, const struct zone_nic *nic, struct datalink *d)
{
	const char *ip = NULL;
	int r;

	for (size_t i = 0; ip == NULL && nic->ips != NULL && nic->ips[i] != NULL; i++)
		if (strchr(nic->ips[i], '.') != NULL)
			ip = nic->ips[i];
	if (ip == NULL || !zone_is_guest(c))
		return 0;
	d->dhcp_lease = STATIC_LEASE_S;
	r = nrd_str_set(&d->dhcp_address, ip);
	if (r == 0)
		r = nrd_str_set(&d->dhcp_server, nic->gateways != NULL && nic->gateways[0] != NULL ? nic->gateways[0] : DHCP_SERVER);
	if (r == 0)
		r = nrd_strv_copy(NRD_CSTRV(c->resolvers), &d->dhcp_resolvers);
	if (r == 0)
		r = nrd_str_set(&d->dhcp_hostname, nics_hostname(c));
	if (r == 0 && c->dns_domain != NULL)
		r = nrd_str_set(&d->dhcp_domain, c->dns_domain);
	return r < 0 ? r : 1;
}

/*
 * A NIC that asks for an address on a tag with a pool is given one here and now: its own side is set to it like to any
 * other, and the switch tells it to whoever asks in there.
 */
static int
lease(const struct zone_config *c, const struct zone_nic *nic, const struct node_config *node, struct datalink *d, struct nrd_err *err)
{
	static const size_t set[] = {
		offsetof(struct datalink, dhcp_address), offsetof(struct datalink, dhcp_server), offsetof(struct datalink, dhcp_resolvers),
		offsetof(struct datalink, dhcp_hostname), offsetof(struct datalink, dhcp_lease),
	};
	struct node_dhcp pool;
	uint32_t address;
	int r = tell_static(c, nic, d);

	if (r < 0)
		return nrd_nomem(err);
	if (r == 0) {
		if (node == NULL || !asks(nic))
			return 0;
		r = node_dhcp_from(node, nic->nic_tag, &pool, err);
		if (r <= 0)
			return r;
		r = nics_lease(nic->nic_tag, &pool, &nic->mac, &address, err);
		if (r < 0)
			return r;
		if (told(c, &pool, address, d) < 0)
			return nrd_nomem(err);
	}
	for (size_t i = 0; i < nrd_count(set); i++)
		nrd_field_set(SCHEMA, nrd_schema_at(SCHEMA, set[i]), d);
	if (d->dhcp_domain != NULL)
		NRD_SET(SCHEMA, d, dhcp_domain);
	return 0;
}

static int
addresses(const struct zone_nic *nic, struct datalink *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && nic->ips != NULL && nic->ips[i] != NULL; i++) {
		bool dhcp = nrd_streq(nic->ips[i], "dhcp");
		const char *ip = dhcp && d->dhcp_address != NULL ? d->dhcp_address : nic->ips[i], *slash = strchr(ip, '/');

		if (dhcp && d->dhcp_address == NULL)
			r = nrd_strv_add(&d->dynamic_methods, "dhcpv4");
		else if (nrd_streq(ip, "addrconf"))
			r = nrd_strv_add(&d->dynamic_methods, "addrconf");
		else
			r = nrd_strv_addf(&d->allowed_ips, "%.*s", (int)(slash != NULL ? (size_t)(slash - ip) : strlen(ip)), ip);
		if (r == 0)
			r = nrd_strv_add(&d->addresses, ip);
	}
	for (size_t i = 0; r == 0 && nic->allowed_ips != NULL && nic->allowed_ips[i] != NULL; i++)
		r = nrd_strv_add(&d->allowed_ips, nic->allowed_ips[i]);
	return r;
}

static int
wanted(const struct zone_config *c, const struct zone_nic *nic, const struct node_nictags *tags, const struct node_config *node,
       struct datalink *d, struct nrd_err *err)
{
	static const size_t set[] = {
		offsetof(struct datalink, name), offsetof(struct datalink, zone), offsetof(struct datalink, class_),
		offsetof(struct datalink, over), offsetof(struct datalink, mac), offsetof(struct datalink, mac_type),
		offsetof(struct datalink, vid), offsetof(struct datalink, mtu), offsetof(struct datalink, protection),
		offsetof(struct datalink, allowed_ips), offsetof(struct datalink, dynamic_methods),
		offsetof(struct datalink, maxbw), offsetof(struct datalink, allowed_dhcp_cids),
		offsetof(struct datalink, secondary_macs), offsetof(struct datalink, addresses), offsetof(struct datalink, gateways),
	};
	int r = over_of(tags, nic, d, err);

	if (r == 0 && nic->gateways != NULL && nrd_strv_copy(NRD_CSTRV(nic->gateways), &d->gateways) < 0)
		return nrd_nomem(err);
	if (r == 0)
		r = lease(c, nic, node, d, err);
	if (r < 0)
		return r;
	d->class_ = DATALINK_VNIC;
	d->mac = nic->mac;
	d->mac_type = DATALINK_MAC_FIXED;
	d->vid = nic->vlan_id;
	r = nrd_str_set(&d->name, nic->interface);
	if (r == 0)
		r = nrd_str_set(&d->zone, c->zonename);
	if (r == 0)
		r = protect(nic, d);
	if (r == 0)
		r = rates(nic, d);
	if (r == 0)
		r = addresses(nic, d);
	for (size_t i = 0; i < nrd_count(set); i++)
		nrd_field_set(SCHEMA, nrd_schema_at(SCHEMA, set[i]), d);
	return r < 0 ? nrd_nomem(err) : 0;
}

/* ---- made so ---- */

unsigned
nics_metric(const struct zone_config *c, size_t nic)
{
	return c->nics[nic].primary ? 0 : METRIC_OTHER * (unsigned)(nic + 1);
}

static void
stack_of(const struct datalink *d, const struct zone_config *c, size_t index, struct stack_nic *ret)
{
	*ret = (struct stack_nic){
		.name = d->name,
		.addresses = d->addresses,
		.gateways = d->gateways,
		.metric = nics_metric(c, index),
		.autoconf = nrd_strv_has(NRD_CSTRV(d->addresses), "addrconf"),
	};
}

/* What of a link cannot change while it is there. */
static bool
same_link(const struct datalink *a, const struct datalink *b)
{
	return nrd_streq(a->over, b->over) && nrd_mac_equal(&a->mac, &b->mac) && a->vid == b->vid && a->mtu == b->mtu;
}

static int
keep_link(const struct datalink *have, struct datalink *d, struct nrd_err *err)
{
	d->netkit = have->netkit;
	d->tap = have->tap;
	if (d->netkit)
		NRD_SET(SCHEMA, d, netkit);
	if (d->tap)
		NRD_SET(SCHEMA, d, tap);
	d->ifindex = have->ifindex;
	NRD_SET(SCHEMA, d, ifindex);
	if (nrd_str_set(&d->ifname, have->ifname) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, d, ifname);
	return 0;
}

static int
set_nic(struct link_switch *sw, const struct datalink *have, struct datalink *d, const struct zone_config *c, size_t index, int netns,
	struct nrd_err *err)
{
	struct stack_nic now, then;
	bool kept = have != NULL && vnic_is_there(have) && same_link(have, d);
	int r = 0;

	/* A guest's far end is in the guest, who sets its own addresses. What cannot change while it runs waits. */
	if (zone_is_guest(c) && !kept)
		return 0;
	if (have != NULL && !kept)
		r = vnic_down(sw, have, err);
	if (r == 0 && kept)
		r = keep_link(have, d, err);
	if (r == 0)
		r = kept ? vnic_apply(sw, d, err) : vnic_up(sw, d, netns, d->name, err);
	if (r < 0 || zone_is_guest(c))
		return r;
	stack_of(d, c, index, &now);
	if (kept)
		stack_of(have, c, index, &then);
	r = stack_nic_set(netns, &now, kept ? &then : NULL, err);
	if (r < 0 && !kept)
		(void)vnic_down(sw, d, NULL);
	return r;
}

static bool
has_nic(const struct zone_config *c, const char *name)
{
	for (size_t i = 0; i < c->n_nics; i++)
		if (nrd_streq(c->nics[i].interface, name))
			return true;
	return false;
}

static int
remove_others(struct link_switch *sw, const struct zone_config *c, const struct datalinks *have, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < have->n; i++)
		if (!has_nic(c, have->links[i].name))
			r = vnic_down(sw, &have->links[i], err);
	return r;
}

/* "nics[0]", "macs[02:08:20:00:00:01]": the wire of that NIC; else a gateway. */
static int
route_of(const struct zone_config *c, const char *to, const char *by, struct stack_route *ret, struct nrd_err *err)
{
	const char *number = nrd_starts(by, "nics["), *mac = nrd_starts(by, "macs[");
	const char *text = number != NULL ? number : mac;
	NRD_FREE char *inner = text != NULL ? nrd_str_dup(nrd_strn(text, strcspn(text, "]"))) : NULL;
	struct nrd_mac wanted = { 0 };
	uint64_t index = c->n_nics;

	*ret = (struct stack_route){ .destination = to, .gateway = by };
	if (text == NULL)
		return 0;
	if (inner == NULL)
		return nrd_nomem(err);
	if (number != NULL)
		(void)nrd_parse_u64(inner, 0, UINT32_MAX, &index, NULL);
	for (size_t i = 0; mac != NULL && nrd_mac_parse(inner, &wanted, NULL) == 0 && i < c->n_nics; i++)
		if (nrd_mac_equal(&c->nics[i].mac, &wanted))
			index = i;
	if (index >= c->n_nics)
		return nrd_fail(err, ENOENT, "BadRoute", "route %s: there is no NIC %s", to, by);
	*ret = (struct stack_route){ .destination = to, .interface = c->nics[index].interface };
	return 0;
}

static int
set_routes(const struct zone_config *c, int netns, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && c->routes != NULL && c->routes[i] != NULL; i += 2) {
		struct stack_route route;

		r = route_of(c, c->routes[i], c->routes[i + 1], &route, err);
		if (r == 0)
			r = stack_route_set(netns, &route, err);
	}
	return r;
}

int
nics_names(const struct zone_config *c, struct zone_names *ret_names, struct nrd_err *err)
{
	NRD_AUTO(node_config) *node = NULL;
	struct node_dhcp pool;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nics; i++) {
		if (!asks(&c->nics[i]))
			continue;
		if (node == NULL)
			r = node_config_read(NULL, &node, err);
		if (r == 0)
			r = node_dhcp_from(node, c->nics[i].nic_tag, &pool, err);
	}
	if (r <= 0)
		return r;
	if (resolvers_of(&pool, &ret_names->resolvers) < 0 ||
	    (pool.domain[0] != '\0' && nrd_str_set(&ret_names->domain, pool.domain) < 0)) {
		zone_names_fini(ret_names);
		return nrd_nomem(err);
	}
	return 0;
}

int
nics_set(const struct zone_config *c, int netns, struct nrd_err *err)
{
	__attribute__((cleanup(node_nictags_cleanup))) struct node_nictags tags = { 0 };
	NRD_AUTO(link_switch) *sw = NULL;
	NRD_AUTO(datalinks) have = { 0 };
	NRD_AUTO(node_config) *node = NULL;
	int r = datalinks_read(DATALINK_RUN, c->zonename, &have, err);

	if (r < 0 || (c->n_nics == 0 && have.n == 0))
		return r;
	r = switch_open(NULL, &sw, err);
	if (r == 0 && c->n_nics > 0)
		r = node_nictag_list(&(const struct node_nictag_env){ 0 }, &tags, err);
	for (size_t i = 0; r == 0 && node == NULL && i < c->n_nics; i++)
		if (asks(&c->nics[i]))
			r = node_config_read(NULL, &node, err);
	/* Of one whose guest has it still, the device would go. */
	if (r == 0 && !zone_is_guest(c))
		r = remove_others(sw, c, &have, err);
	for (size_t i = 0; r == 0 && i < c->n_nics; i++) {
		const struct zone_nic *nic = &c->nics[i];
		NRD_AUTO(datalink) d = { 0 };

		r = wanted(c, nic, &tags, node, &d, err);
		if (r == 0)
			r = set_nic(sw, datalinks_find(&have, c->zonename, nic->interface), &d, c, i, netns, err);
		r = nrd_wrap(err, r, "NIC %s", nic->interface);
	}
	if (r == 0 && !zone_is_guest(c))
		r = set_routes(c, netns, err);
	if (r < 0 && have.n == 0)
		(void)nics_down(c->zonename, NULL);
	return r;
}

static int
first_queue(const struct zone_config *c, const struct zone_nic *nic, const struct datalink *before, int *ret_fd, struct nrd_err *err)
{
	__attribute__((cleanup(node_nictags_cleanup))) struct node_nictags tags = { 0 };
	NRD_AUTO(link_switch) *sw = NULL;
	NRD_AUTO(node_config) *node = NULL;
	NRD_AUTO(datalink) d = { 0 };
	int r = switch_open(NULL, &sw, err);

	if (r == 0)
		r = node_nictag_list(&(const struct node_nictag_env){ 0 }, &tags, err);
	if (r == 0 && asks(nic))
		r = node_config_read(NULL, &node, err);
	if (r == 0)
		r = wanted(c, nic, &tags, node, &d, err);
	if (r == 0 && before != NULL)
		r = vnic_down(sw, before, err);
	return r == 0 ? vnic_tap_up(sw, &d, zone_nic_queues(c, nic) > 1, ret_fd, err) : r;
}

int
nics_tap(const struct zone_config *c, const char *name, unsigned queue, int *ret_fd, struct nrd_err *err)
{
	NRD_AUTO(datalinks) have = { 0 };
	const struct zone_nic *nic = NULL;
	const struct datalink *link;
	int r;

	for (size_t i = 0; i < c->n_nics; i++)
		if (nrd_streq(c->nics[i].interface, name))
			nic = &c->nics[i];
	if (nic == NULL)
		return nrd_fail(err, ENOENT, "ZoneHand", "there is no NIC %s", name);
	r = datalinks_read(DATALINK_RUN, c->zonename, &have, err);
	link = datalinks_find(&have, c->zonename, name);
	if (r == 0 && queue > 0)
		r = tap_add_queue(link != NULL ? link->ifname : name, ret_fd, err);
	else if (r == 0)
		r = first_queue(c, nic, link, ret_fd, err);
	return nrd_wrap(err, r, "NIC %s", name);
}

int
nics_apply(const struct zone_config *config, pid_t pid, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("/proc/%d/ns/net", (int)pid);
	NRD_CLOSE int netns = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (path == NULL)
		return nrd_nomem(err);
	if (netns < 0)
		return nrd_fail(err, errno, "ZoneNetwork", "open its network namespace: %m");
	return nics_set(config, netns, err);
}

int
nics_remove(const char *zonename, const char *nic, struct nrd_err *err)
{
	NRD_AUTO(link_switch) *sw = NULL;
	NRD_AUTO(datalinks) have = { 0 };
	const struct datalink *d;
	int r = datalinks_read(DATALINK_RUN, zonename, &have, err);

	d = r == 0 ? datalinks_find(&have, zonename, nic) : NULL;
	if (d == NULL)
		return r;
	r = switch_open(NULL, &sw, err);
	return r == 0 ? vnic_down(sw, d, err) : r;
}

int
nics_down(const char *zonename, struct nrd_err *err)
{
	NRD_AUTO(link_switch) *sw = NULL;
	NRD_AUTO(datalinks) have = { 0 };
	struct nrd_err why = { 0 };
	int first = datalinks_read(DATALINK_RUN, zonename, &have, err);

	if (first < 0 || have.n == 0)
		return first;
	first = switch_open(NULL, &sw, err);
	for (size_t i = 0; first == 0 && i < have.n; i++) {
		int r = vnic_down(sw, &have.links[i], &why);

		if (r < 0 && first == 0) {
			first = r;
			if (err != NULL)
				*err = why;
		}
	}
	return first;
}
