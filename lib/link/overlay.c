/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/overlay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/neigh-priv.h"
#include "link/nic.h"
#include "link/prefix.h"
#include "link/rtnl-priv.h"
#include "link/veth.h"
#include "link/vnic.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)
#define TABLE_MAX ((size_t)16 << 20)
#define OVER_IP4 50 /* bytes before a frame's: Ethernet, IP, UDP, VXLAN */
#define OVER_IP6 70

static uint64_t
number_of(const struct datalink *d, const char *name)
{
	const char *text = overlay_prop_get(d, name);
	uint64_t n = 0;

	if (text != NULL)
		(void)nrd_parse_u64(text, 0, UINT32_MAX, &n, NULL);
	return n;
}

static bool
address_of(const struct datalink *d, const char *name, struct switch_prefix *ret)
{
	const char *text = overlay_prop_get(d, name);

	return text != NULL && link_prefix_parse(text, ret);
}

/* ---- what is below ---- */

static const struct link_nic *
nic_with(const struct link_nics *nics, const struct switch_prefix *ip)
{
	for (size_t i = 0; i < nics->n; i++)
		for (size_t a = 0; a < nics->nics[i].n_addrs; a++)
			if (nics->nics[i].addrs[a].family == ip->family && memcmp(nics->nics[i].addrs[a].b, ip->addr, ip->bits / 8) == 0)
				return &nics->nics[i];
	return NULL;
}

static int
below_check(const struct datalink *d, struct nrd_err *err)
{
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	struct switch_prefix ip;
	const struct link_nic *nic;
	unsigned head;
	int r = link_nics_read(NULL, 0, &nics, err);

	if (r < 0 || !address_of(d, "vxlan/listen_ip", &ip))
		return r;
	nic = nic_with(&nics, &ip);
	head = ip.family == AF_INET ? OVER_IP4 : OVER_IP6;
	if (nic == NULL)
		return nrd_fail(err, ENODEV, "OverlayListen", "vxlan/listen_ip %s is no address of this node",
				overlay_prop_get(d, "vxlan/listen_ip"));
	if (!nic->loopback && number_of(d, "mtu") + head > nic->mtu)
		return nrd_fail(err, EINVAL, "OverlayMtu", "mtu %s and the %u bytes before it are more than the %u of '%s'",
				overlay_prop_get(d, "mtu"), head, nic->mtu, nic->name);
	return 0;
}

static int
vnetid_check(const struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	int r = datalinks_read(DATALINK_RUN, DATALINK_GLOBAL, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (links.links[i].class_ == DATALINK_OVERLAY && links.links[i].vnetid == d->vnetid && !nrd_streq(links.links[i].name, d->name))
			r = nrd_fail(err, EEXIST, "OverlayVnetid", "virtual network %llu is that of overlay '%s'",
				     (unsigned long long)d->vnetid, links.links[i].name);
	return r;
}

/* ---- up and down ---- */

static void
add_address(struct rtnl_msg *msg, const struct switch_prefix *ip, unsigned type4, unsigned type6)
{
	rtnl_add(msg, ip->family == AF_INET ? type4 : type6, ip->addr, ip->bits / 8);
}

static int
make_interface(const struct datalink *d, struct nrd_err *err)
{
	bool direct = nrd_streq(d->search, "direct");
	uint16_t port = htons((uint16_t)number_of(d, "vxlan/listen_port"));
	struct switch_prefix listen;
	struct rtnl_make make;
	struct nrd_mac mac;
	int r = vnic_random_mac(NULL, 0, &mac, err);

	if (r < 0)
		return r;
	rtnl_make_begin(&make, d->ifname, "vxlan", 0, &mac);
	rtnl_add_u32(&make.msg, IFLA_VXLAN_ID, (uint32_t)d->vnetid);
	rtnl_add_u8(&make.msg, IFLA_VXLAN_LEARNING, 0);
	rtnl_add(&make.msg, IFLA_VXLAN_PORT, &port, sizeof(port));
	if (address_of(d, "vxlan/listen_ip", &listen))
		add_address(&make.msg, &listen, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
	if (!direct) {
		rtnl_add_u8(&make.msg, IFLA_VXLAN_PROXY, 1);
		rtnl_add_u8(&make.msg, IFLA_VXLAN_L2MISS, 1);
		rtnl_add_u8(&make.msg, IFLA_VXLAN_L3MISS, 1);
	}
	r = rtnl_make_send(&make);
	return r < 0 ? nrd_fail(err, -r, "OverlayCreate", "make overlay '%s': %m", d->name) : 0;
}

/* What machines on it say is nothing to the node; it answers only for what its table says. */
static int
be_deaf(const char *name, struct nrd_err *err)
{
	static const char *const set[][2] = { { "4/conf/%s/arp_ignore", "8" }, { "6/conf/%s/addr_gen_mode", "1" }, { "6/conf/%s/accept_ra", "0" } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(set); i++) {
		const char *rest = strchr(set[i][0], '%') + 2;
		NRD_FREE char *path = nrd_format("/proc/sys/net/ipv%.7s%s%s", set[i][0], name, rest);

		if (path == NULL)
			return nrd_nomem(err);
		r = access(path, F_OK) == 0 ? nrd_attr_write(AT_FDCWD, path, set[i][1], err) : 0;
	}
	return r;
}

static int
set_record(struct datalink *d, struct nrd_err *err)
{
	NRD_FREE char *name = nrd_format("overlay%llu", (unsigned long long)d->vnetid);

	if (name == NULL || nrd_str_set(&d->ifname, name) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, d, ifname);
	d->mtu = number_of(d, "mtu");
	NRD_SET(SCHEMA, d, mtu);
	return 0;
}

int
overlay_up(struct datalink *d, bool lenient, struct nrd_err *err)
{
	unsigned ifindex;
	int r = lenient ? 0 : below_check(d, err);

	if (r == 0)
		r = vnetid_check(d, err);
	if (r == 0)
		r = set_record(d, err);
	if (r == 0)
		r = make_interface(d, err);
	if (r < 0)
		return r;
	ifindex = rtnl_index(d->ifname);
	d->ifindex = ifindex;
	NRD_SET(SCHEMA, d, ifindex);
	r = be_deaf(d->ifname, err);
	if (r == 0)
		r = link_set_mtu(ifindex, (unsigned)number_of(d, "mtu"), err);
	if (r == 0)
		r = link_set_up(ifindex, true, err);
	if (r == 0)
		r = overlay_flush(d, err);
	if (r < 0 && lenient)
		r = 0; /* show-overlay -f tells */
	if (r == 0)
		r = datalink_write(DATALINK_RUN, d, err);
	if (r < 0)
		(void)link_delete(ifindex, NULL);
	return r;
}

bool
overlay_is_there(const struct datalink *d)
{
	return d->ifname != NULL && rtnl_index(d->ifname) == d->ifindex && d->ifindex != 0;
}

int
overlay_down(const struct datalink *d, struct nrd_err *err)
{
	int r = overlay_is_there(d) ? link_delete((unsigned)d->ifindex, err) : 0;

	return r == 0 ? datalink_remove(DATALINK_RUN, NULL, d->name, err) : r;
}

/* ---- where machines are ---- */

static int
put(const struct datalink *d, const struct neigh *n, const char *what, struct nrd_err *err)
{
	int r = neigh_put(n);

	return r < 0 ? nrd_fail(err, -r, "OverlayTarget", "overlay '%s': set %s: %m", d->name, what) : 0;
}

static int
put_address(const struct datalink *d, const struct nrd_mac *mac, const char *ip, struct nrd_err *err)
{
	struct neigh n = { .ifindex = (unsigned)d->ifindex, .has_mac = true, .mac = *mac };

	if (ip == NULL || !link_prefix_parse(ip, &n.ip))
		return 0;
	n.family = n.ip.family;
	return put(d, &n, ip, err);
}

int
overlay_target_set(const struct datalink *d, const struct overlay_target *target, struct nrd_err *err)
{
	struct neigh n = {
		.ifindex = (unsigned)d->ifindex, .family = AF_BRIDGE, .has_mac = true, .mac = target->mac, .port = (uint16_t)target->port,
	};
	int r;

	if (!overlay_is_there(d))
		return nrd_fail(err, ENODEV, "OverlayTarget", "overlay '%s': its interface is not there", d->name);
	if (nrd_streq(d->search, "direct"))
		return nrd_fail(err, EINVAL, "OverlayTarget", "overlay '%s': with search direct all go to the same node", d->name);
	if (!link_prefix_parse(target->ip, &n.ip) || nrd_mac_is_group(&n.mac))
		return nrd_fail(err, EINVAL, "OverlayTarget", "overlay '%s': \"%.60s\" is no IP address, or the MAC address no machine's",
				d->name, target->ip);
	r = put(d, &n, target->ip, err);
	if (r == 0)
		r = put_address(d, &target->mac, target->arp, err);
	return r == 0 ? put_address(d, &target->mac, target->ndp, err) : r;
}

struct removal {
	const struct nrd_mac *mac; /* NULL: all */
	int r;
	size_t n;
};

static void
remove_one(void *arg, const struct neigh *n)
{
	struct removal *rm = arg;
	int r;

	if (!n->has_mac || (rm->mac != NULL && !nrd_mac_equal(&n->mac, rm->mac)))
		return;
	rm->n++;
	r = neigh_remove(n);
	if (r < 0)
		rm->r = r;
}

static int
remove_rows(const struct datalink *d, const struct nrd_mac *mac, size_t *ret_n, struct nrd_err *err)
{
	static const int families[] = { AF_BRIDGE, AF_INET, AF_INET6 };
	struct removal rm = { .mac = mac };
	int r = 0;

	for (size_t i = 0; r == 0 && i < nrd_count(families); i++)
		r = neigh_each((unsigned)d->ifindex, families[i], remove_one, &rm);
	*ret_n = rm.n;
	if (r == 0)
		r = rm.r;
	return r < 0 ? nrd_fail(err, -r, "OverlayTarget", "overlay '%s': forget where machines are: %m", d->name) : 0;
}

int
overlay_target_remove(const struct datalink *d, const struct nrd_mac *mac, struct nrd_err *err)
{
	size_t n = 0;
	char text[NRD_MAC_TEXT];
	int r = remove_rows(d, mac, &n, err);

	nrd_mac_format(mac, text);
	return r == 0 && n == 0 ? nrd_fail(err, ENOENT, "TargetNotFound", "overlay '%s': %s is not in its table", d->name, text) : r;
}

static int
put_row(void *arg, const struct overlay_target *target, struct nrd_err *err)
{
	return overlay_target_set(arg, target, err);
}

static int
count_row(void *arg, const struct overlay_target *target, struct nrd_err *err)
{
	(void)target;
	(void)err;
	(*(size_t *)arg)++;
	return 0;
}

static int
table_read(const struct datalink *d, struct nrd_json **ret_doc, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = TABLE_MAX };
	const char *path = overlay_prop_get(d, "files/config");
	size_t n = 0;
	int r = nrd_json_read_file(path, &limits, ret_doc, err);

	/* A table with a bad row changes nothing. */
	if (r == 0)
		r = nrd_wrap(err, overlay_table_parse(nrd_json_root(*ret_doc), count_row, &n, err), "%s", path);
	return r;
}

/* All that is not for this node's machines, broadcasts as well. */
static int
direct_set(const struct datalink *d, struct nrd_err *err)
{
	struct neigh n = {
		.ifindex = (unsigned)d->ifindex, .family = AF_BRIDGE, .has_mac = true, .port = (uint16_t)number_of(d, "direct/dest_port"),
	};

	return address_of(d, "direct/dest_ip", &n.ip) ? put(d, &n, "direct/dest_ip", err) : 0;
}

int
overlay_flush(const struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	struct datalink copy = *d;
	size_t n;
	int r = 0;

	if (nrd_streq(d->search, "direct"))
		return direct_set(d, err);
	if (nrd_streq(d->search, "files"))
		r = table_read(d, &doc, err);
	if (r == 0)
		r = remove_rows(d, NULL, &n, err);
	return r == 0 && doc != NULL ? overlay_table_parse(nrd_json_root(doc), put_row, &copy, err) : r;
}

struct reading {
	overlay_row_fn *fn;
	void *arg;
	uint64_t port;
};

static void
read_one(void *arg, const struct neigh *n)
{
	const struct reading *rd = arg;
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	if (!n->has_mac || n->ip.family == 0 || inet_ntop(n->ip.family, n->ip.addr, ip, sizeof(ip)) == NULL)
		return;
	(void)snprintf(text, sizeof(text), n->ip.family == AF_INET ? "%s:%u" : "[%s]:%u", ip, n->port != 0 ? n->port : (unsigned)rd->port);
	rd->fn(rd->arg, nrd_mac_is_zero(&n->mac) ? NULL : &n->mac, text);
}

int
overlay_targets_read(const struct datalink *d, overlay_row_fn *fn, void *arg, struct nrd_err *err)
{
	struct reading rd = { .fn = fn, .arg = arg, .port = number_of(d, "vxlan/listen_port") };
	int r = neigh_each((unsigned)d->ifindex, AF_BRIDGE, read_one, &rd);

	return r < 0 ? nrd_fail(err, -r, "OverlayTarget", "overlay '%s': read its table: %m", d->name) : 0;
}

int
overlay_fault(const struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;

	if (!overlay_is_there(d))
		return nrd_fail(err, ENODEV, "OverlayListen", "its interface is not there");
	if (nrd_streq(d->search, "files") && table_read(d, &doc, err) < 0)
		return -EINVAL;
	return below_check(d, err);
}
