/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What making and ending a link is, by its class. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "link/admin-priv.h"
#include "link/aggr.h"
#include "link/overlay.h"
#include "link/rtnl-priv.h"
#include "link/vlan.h"
#include "link/vnic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

/* Fine when it never had a port. */
static int
segment_forget(struct admin_work *w, const char *name, struct nrd_err *err)
{
	uint32_t segment;
	int r = admin_switch(w, err);

	if (r < 0 || switch_segment_find(w->sw, name, &segment, NULL) < 0)
		return r;
	(void)switch_uplink_detach(w->sw, segment, NULL);
	return switch_segment_remove(w->sw, segment, err);
}

/* ---- etherstubs ---- */

static int
etherstub_check(const struct datalink *d, struct nrd_err *err)
{
	(void)d;
	(void)err;
	return 0;
}

static int
etherstub_make(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	(void)w;
	return etherstub_up(d->name, err);
}

static int
etherstub_end(struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	int r = segment_forget(w, d->name, err);

	return r == 0 ? datalink_remove(DATALINK_RUN, NULL, d->name, err) : r;
}

static bool
etherstub_is_there(const struct datalink *d)
{
	NRD_AUTO(datalink) have = { 0 };

	return datalink_read(DATALINK_RUN, NULL, d->name, &have, NULL) == 0;
}

/* ---- VNICs ---- */

int
vnic_over_check(const struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(datalink) below = { 0 };

	if (datalink_read(DATALINK_RUN, NULL, d->over, &below, NULL) < 0)
		return 0;
	if (below.class_ == DATALINK_VLAN)
		return nrd_fail(err, EINVAL, "VnicOver", "link '%s' is a VLAN link: make the VNIC over %s with -v %d", d->over, below.over,
				(int)below.vid);
	if (below.class_ == DATALINK_VNIC)
		return nrd_fail(err, EINVAL, "VnicOver", "link '%s' is a VNIC: make this one over %s as well", d->over, below.over);
	if (d->vid != 0 && below.class_ == DATALINK_ETHERSTUB)
		return nrd_fail(err, EINVAL, "LinkVlan", "link '%s' is an etherstub, which has no VLANs", d->over);
	if (d->vid != 0 && below.class_ == DATALINK_OVERLAY)
		return nrd_fail(err, EINVAL, "LinkVlan", "link '%s' is an overlay, which has no VLANs", d->over);
	return 0;
}

/* The kernel's names are shorter than ours. */
static int
vnic_make(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	char name[VNIC_MAC_NAME];
	int r = vnic_over_check(d, err);

	if (nrd_strcpy_to(name, sizeof(name), d->name) < 0)
		vnic_mac_name('n', &d->mac, name);

	if (r == 0)
		r = admin_switch(w, err);
	return r == 0 ? vnic_up(w->sw, d, -1, name, err) : r;
}

static int
vnic_end(struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	int r = admin_switch(w, err);

	return r == 0 ? vnic_down(w->sw, d, err) : r;
}

/* ---- VLAN links ---- */

static int
vlan_make(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	(void)w;
	return vlan_up(d, err);
}

static int
vlan_end(struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	(void)w;
	return vlan_down(d, err);
}

static bool
named_is_there(const struct datalink *d)
{
	return rtnl_index(d->name) != 0;
}

/* ---- aggregations ---- */

/* A NIC that had VNICs once is a segment still. */
int
admin_ports_check(struct admin_work *w, const struct datalink *aggr, char *const *before, struct nrd_err *err)
{
	NRD_STRV char **added = NULL;
	int r = 0;

	for (size_t i = 0; aggr->ports[i] != NULL; i++)
		if (!nrd_strv_has(NRD_CSTRV(before), aggr->ports[i]) && nrd_strv_add(&added, aggr->ports[i]) < 0)
			return nrd_nomem(err);
	if (added == NULL)
		return 0;
	r = aggr_check_ports(aggr->name, added, err);
	for (size_t i = 0; r == 0 && added[i] != NULL; i++)
		r = admin_check_unused(w, added[i], err);
	for (size_t i = 0; r == 0 && added[i] != NULL; i++)
		r = segment_forget(w, added[i], err);
	return r;
}

int
admin_wire_again(struct admin_work *w, const char *name, struct nrd_err *err)
{
	uint32_t segment;
	int r = admin_switch(w, err);

	if (r < 0 || switch_segment_find(w->sw, name, &segment, NULL) < 0)
		return r;
	/* One that is away is no failure: this is for when it comes. */
	r = vnic_segment(w->sw, name, &segment, err);
	return r == -ENODEV ? 0 : r;
}

/* At boot one of its NICs may be missing: it is told, and no reason to be without the others. */
static int
aggr_make(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	int r = w->restores ? 0 : admin_ports_check(w, d, NULL, err);

	if (r < 0)
		return r;
	r = aggr_up(d, err);
	if (r < 0 && !w->restores)
		(void)aggr_down(d, NULL);
	return r;
}

static int
aggr_end(struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	int r = aggr_check_idle(d->name, err);

	if (r == 0)
		r = segment_forget(w, d->name, err);
	return r == 0 ? aggr_down(d, err) : r;
}

/* ---- overlays ---- */

static int
overlay_make(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	return overlay_up(d, w->restores, err);
}

static int
overlay_end(struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	int r = segment_forget(w, d->name, err);

	return r == 0 ? overlay_down(d, err) : r;
}

const struct admin_class admin_classes[] = {
	[DATALINK_VNIC] = { vnic_check, vnic_make, vnic_end, vnic_is_there },
	[DATALINK_ETHERSTUB] = { etherstub_check, etherstub_make, etherstub_end, etherstub_is_there },
	[DATALINK_VLAN] = { vlan_check, vlan_make, vlan_end, named_is_there },
	[DATALINK_OVERLAY] = { overlay_check, overlay_make, overlay_end, overlay_is_there },
	[DATALINK_AGGR] = { aggr_check, aggr_make, aggr_end, named_is_there },
};
