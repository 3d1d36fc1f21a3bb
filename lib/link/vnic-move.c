/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What a VNIC is over, its MAC and its name change; its interfaces, and what the node has set on them, stay. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "link/nic.h"
#include "link/rtnl-priv.h"
#include "link/vnic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

/* 0: it is in another namespace. An index of that may be one of ours by chance, so both must say so. */
static int
far_end(const struct datalink *d, unsigned *ret_far, struct nrd_err *err)
{
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	const struct link_nic *near, *far;
	int r = link_nics_read(NULL, 0, &nics, err);

	if (r < 0)
		return r;
	near = link_nics_by_index(&nics, (unsigned)d->ifindex);
	far = near != NULL ? link_nics_by_index(&nics, near->lower) : NULL;
	*ret_far = far != NULL && far->lower == near->index && nrd_streq(far->kind, "veth") ? far->index : 0;
	return 0;
}

static int
set_text(unsigned ifindex, unsigned type, const char *text, struct nrd_err *err)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct rtnl_msg msg;
	int r;

	rtnl_begin(&msg, RTM_NEWLINK, 0, &body, sizeof(body));
	rtnl_add_text(&msg, type, text);
	r = rtnl_send(&msg);
	return r < 0 ? nrd_fail(err, -r, "LinkSet", "call interface %u '%s': %m", ifindex, text) : 0;
}

int
vnic_interface_rename(unsigned ifindex, const char *to, struct nrd_err *err)
{
	return set_text(ifindex, IFLA_IFNAME, to, err);
}

static int
far_rename(const struct datalink *d, const char *link, unsigned far, struct nrd_err *err)
{
	char name[VNIC_MAC_NAME];

	if (nrd_strcpy_to(name, sizeof(name), link) < 0)
		vnic_mac_name('n', &d->mac, name);
	return set_text(far, IFLA_IFNAME, name, err);
}

int
vnic_rename(const struct datalink *d, const char *to, struct nrd_err *err)
{
	NRD_FREE char *alias = nrd_format("%s/%s", d->zone, to);
	unsigned far = 0;
	int r = alias == NULL ? nrd_nomem(err) : far_end(d, &far, err);

	if (r == 0 && vnic_is_there(d))
		r = set_text((unsigned)d->ifindex, IFLA_IFALIAS, alias, err);
	return r == 0 && far != 0 ? far_rename(d, to, far, err) : r;
}

/* ---- moving ---- */

static int
set_mac(const struct datalink *d, unsigned far, struct nrd_err *err)
{
	int r = rtnl_set_mac(far, &d->mac);

	return r < 0 ? nrd_fail(err, -r, "LinkSet", "set the MAC address of '%s': %m", d->name) : 0;
}

static int
become(struct link_switch *sw, struct datalink *d, unsigned far, bool other_mac, struct nrd_err *err)
{
	char name[VNIC_MAC_NAME];
	int r = switch_port_remove(sw, (unsigned)d->ifindex, err);

	if (r == 0 && other_mac) {
		vnic_mac_name('v', &d->mac, name);
		r = set_text((unsigned)d->ifindex, IFLA_IFNAME, name, err);
		if (r == 0)
			r = nrd_str_set(&d->ifname, name) < 0 ? nrd_nomem(err) : set_mac(d, far, err);
		if (r == 0 && strlen(d->name) >= IF_NAMESIZE)
			r = far_rename(d, d->name, far, err);
	}
	return r == 0 ? vnic_apply(sw, d, err) : r;
}

int
vnic_move(struct link_switch *sw, const struct datalink *before, struct datalink *d, struct nrd_err *err)
{
	bool other_mac = !nrd_mac_equal(&before->mac, &d->mac);
	NRD_AUTO(datalink) old = { 0 };
	uint32_t segment;
	unsigned far = 0;
	int r;

	if (!vnic_is_there(before))
		return nrd_fail(err, ENODEV, "VnicAway", "link '%s': its interface is not there", d->name);
	r = far_end(before, &far, err);
	if (r == 0 && other_mac && far == 0)
		r = nrd_fail(err, EBUSY, "VnicAway", "link '%s': its interface was moved elsewhere, and keeps its MAC address", d->name);
	if (r == 0)
		r = vnic_segment(sw, d->over, &segment, err);
	if (r == 0 && nrd_object_copy(SCHEMA, before, &old) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	r = become(sw, d, far, other_mac, err);
	if (r < 0)
		(void)become(sw, &old, far, other_mac, NULL);
	return r;
}
