/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/vlan.h"

#include <ctype.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "link/nic.h"
#include "link/rtnl-priv.h"
#include "link/veth.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

int
vlan_name(const char *over, unsigned vid, char **ret_name, struct nrd_err *err)
{
	size_t stem = strlen(over);
	uint64_t number;

	while (stem > 0 && isdigit((unsigned char)over[stem - 1]))
		stem--;
	if (nrd_parse_u64(over + stem, 0, 999, &number, NULL) < 0)
		return nrd_fail(err, EINVAL, "LinkName", "VLAN %u of '%s' has no name by itself: give one", vid, over);
	*ret_name = nrd_format("%.*s%u", (int)stem, over, vid * 1000 + (unsigned)number);
	return *ret_name == NULL ? nrd_nomem(err) : 0;
}

int
vlan_check(const struct datalink *d, struct nrd_err *err)
{
	if (strlen(d->name) >= IF_NAMESIZE)
		return nrd_fail(err, EINVAL, "LinkName", "invalid link name '%s': of a VLAN link it has at most %d characters", d->name,
				IF_NAMESIZE - 1);
	if (d->vid < 1 || d->vid > 4094)
		return nrd_fail(err, EINVAL, "VlanId", "VLAN %d: it is 1 to 4094", (int)d->vid);
	return 0;
}

static int
over_check(const struct datalink *d, unsigned *ret_lower, struct nrd_err *err)
{
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	NRD_AUTO(datalink) below = { 0 };
	const struct link_nic *nic;
	int r = link_nics_read(NULL, 0, &nics, err);

	if (r < 0)
		return r;
	nic = link_nics_by_name(&nics, d->over);
	if (datalink_read(DATALINK_RUN, NULL, d->over, &below, NULL) == 0 && below.class_ != DATALINK_AGGR)
		return nrd_fail(err, EINVAL, "VlanOver", "link '%s' is of class %s, which has no VLAN links", d->over,
				datalink_class_names[below.class_]);
	if (nic == NULL || !(nic->physical || nrd_streq(nic->kind, "bond")))
		return nrd_fail(err, ENODEV, "VlanOver", "link '%s' is %s", d->over, nic == NULL ? "not there" : "neither a NIC nor an aggregation");
	if (nic->master != 0)
		return nrd_fail(err, EBUSY, "VlanOver", "link '%s' is a port of an aggregation", d->over);
	for (size_t i = 0; i < nics.n; i++)
		if (nrd_streq(nics.nics[i].kind, "vlan") && nics.nics[i].lower == nic->index && nics.nics[i].vlan_id == d->vid)
			return nrd_fail(err, EEXIST, "VlanExists", "VLAN %d of '%s' is '%s' already", (int)d->vid, d->over, nics.nics[i].name);
	*ret_lower = nic->index;
	return 0;
}

int
vlan_up(struct datalink *d, struct nrd_err *err)
{
	uint16_t vid = (uint16_t)d->vid;
	struct rtnl_make make;
	unsigned lower = 0;
	int r = over_check(d, &lower, err);

	if (r == 0)
		r = link_open(lower, err);
	if (r < 0)
		return r;
	rtnl_make_begin(&make, d->name, "vlan", lower, NULL);
	rtnl_add(&make.msg, IFLA_VLAN_ID, &vid, sizeof(vid));
	r = rtnl_make_send(&make);
	if (r < 0)
		return nrd_fail(err, -r, "VlanCreate", "make '%s': VLAN %d over %s: %m", d->name, (int)d->vid, d->over);
	d->ifindex = rtnl_index(d->name);
	NRD_SET(SCHEMA, d, ifindex);
	r = datalink_write(DATALINK_RUN, d, err);
	if (r < 0)
		(void)link_delete((unsigned)d->ifindex, NULL);
	return r;
}

int
vlan_down(const struct datalink *d, struct nrd_err *err)
{
	unsigned ifindex = rtnl_index(d->name);
	int r = ifindex != 0 ? link_delete(ifindex, err) : 0;

	return r == 0 ? datalink_remove(DATALINK_RUN, NULL, d->name, err) : r;
}
