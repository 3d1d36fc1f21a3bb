/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Changing links that are there: properties, what a VNIC is over, an aggregation's ports, names. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "link/admin-priv.h"
#include "link/aggr.h"
#include "link/flow.h"
#include "link/linkprop.h"
#include "link/rtnl-priv.h"
#include "link/vnic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

/* ---- what is in force, and what is kept, by the same change ---- */

typedef int change_fn(struct datalink *d, const void *arg, struct nrd_err *err);
typedef int apply_fn(struct admin_work *w, const struct datalink *before, struct datalink *d, struct nrd_err *err);

struct change {
	const char *zone, *name;
	enum datalink_class class_;
	change_fn *fn;
	const void *arg;
	apply_fn *apply;
};

static int
change_kept(const struct admin_work *w, const struct change *c, struct nrd_err *err)
{
	NRD_AUTO(datalink) kept = { 0 };
	int r = datalink_read(w->keep, NULL, c->name, &kept, w->away ? err : NULL);

	/* One that is only there until the next boot stays so. */
	if (r < 0)
		return w->away ? r : 0;
	if (kept.class_ != c->class_)
		return nrd_fail(err, EINVAL, "LinkClass", "link '%s': it is of class %s, not %s", c->name,
				datalink_class_names[kept.class_], datalink_class_names[c->class_]);
	r = c->fn(&kept, c->arg, err);
	if (r == 0)
		r = admin_classes[c->class_].check(&kept, err);
	return r == 0 ? admin_keep(w, &kept, err) : r;
}

static int
change(struct admin_work *w, const struct change *c, struct nrd_err *err)
{
	NRD_AUTO(datalink) before = { 0 };
	NRD_AUTO(datalink) d = { 0 };
	int r = 0;

	if (!w->away)
		r = admin_find(w, c->zone, c->name, (int)c->class_, &d, err);
	if (r == 0 && !w->away && nrd_object_copy(SCHEMA, &d, &before) < 0)
		r = nrd_nomem(err);
	if (r == 0 && !w->away)
		r = c->fn(&d, c->arg, err);
	if (r == 0 && !w->away)
		r = admin_classes[c->class_].check(&d, err);
	if (r == 0 && !w->away)
		r = c->apply(w, &before, &d, err);
	return r < 0 || !w->keeps || c->zone != NULL ? r : change_kept(w, c, err);
}

/* ---- properties ---- */

static int
apply_props(struct admin_work *w, const struct datalink *before, struct datalink *d, struct nrd_err *err)
{
	int r = admin_switch(w, err);

	(void)before;
	return r == 0 ? vnic_apply(w->sw, d, err) : r;
}

static int
change_props(const char *zone, const char *name, const struct admin_how *how, change_fn *fn, const void *arg, struct nrd_err *err)
{
	const struct change c = {
		.zone = zone, .name = name, .class_ = DATALINK_VNIC, .fn = fn, .arg = arg, .apply = apply_props,
	};
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	return r == 0 ? change(&w, &c, err) : r;
}

static int
set_from_text(struct datalink *d, const void *arg, struct nrd_err *err)
{
	return linkprop_set_text(d, arg, err);
}

int
admin_props_set(const char *zone, const char *name, const char *text, const struct admin_how *how, struct nrd_err *err)
{
	return change_props(zone, name, how, set_from_text, text, err);
}

static int
reset_named(struct datalink *d, const void *arg, struct nrd_err *err)
{
	char *const *names = arg;
	int r = 0;

	for (const struct linkprop *p = linkprops; names == NULL && r == 0 && p->name != NULL; p++)
		if (!p->read_only)
			r = linkprop_set(d, p, NULL, err);
	for (size_t i = 0; names != NULL && r == 0 && names[i] != NULL; i++) {
		const struct linkprop *p;

		r = linkprop_find(names[i], &p, err);
		if (r == 0)
			r = linkprop_set(d, p, NULL, err);
	}
	return r;
}

int
admin_props_reset(const char *zone, const char *name, char *const *props, const struct admin_how *how, struct nrd_err *err)
{
	return change_props(zone, name, how, reset_named, props, err);
}

/* ---- modify-vnic ---- */

static int
change_vnic(struct datalink *d, const void *arg, struct nrd_err *err)
{
	const struct admin_vnic_change *change = arg;

	if (change->over != NULL && nrd_str_set(&d->over, change->over) < 0)
		return nrd_nomem(err);
	if (change->mac != NULL) {
		d->mac = *change->mac;
		d->mac_type = DATALINK_MAC_FIXED;
		NRD_SET(SCHEMA, d, mac_type);
	}
	if (change->vid >= 0) {
		d->vid = (uint64_t)change->vid;
		NRD_SET(SCHEMA, d, vid);
	}
	return 0;
}

static int
apply_vnic(struct admin_work *w, const struct datalink *before, struct datalink *d, struct nrd_err *err)
{
	int r = vnic_over_check(d, err);

	if (r == 0)
		r = admin_switch(w, err);
	return r == 0 ? vnic_move(w->sw, before, d, err) : r;
}

int
admin_vnic_modify(const char *name, const struct admin_vnic_change *how_it_is, const struct admin_how *how, struct nrd_err *err)
{
	const struct change c = { .name = name, .class_ = DATALINK_VNIC, .fn = change_vnic, .arg = how_it_is, .apply = apply_vnic };
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	return r == 0 ? change(&w, &c, err) : r;
}

/* ---- aggregations ---- */

static int
remove_port(struct datalink *d, const char *port, struct nrd_err *err)
{
	NRD_STRV char **left = NULL;

	if (!nrd_strv_has(NRD_CSTRV(d->ports), port))
		return nrd_fail(err, ENOENT, "PortNotFound", "link '%s' is no port of '%s'", port, d->name);
	for (size_t i = 0; d->ports[i] != NULL; i++)
		if (!nrd_streq(d->ports[i], port) && nrd_strv_add(&left, d->ports[i]) < 0)
			return nrd_nomem(err);
	if (left == NULL)
		return nrd_fail(err, EBUSY, "AggrPorts", "link '%s' is the last port of '%s': dladm delete-aggr removes that", port, d->name);
	nrd_strv_free(d->ports);
	d->ports = NRD_TAKE(left);
	return 0;
}

static int
change_mac(struct datalink *d, const char *mac, struct nrd_err *err)
{
	if (nrd_streq(mac, "auto")) {
		NRD_CLEAR(SCHEMA, d, mac);
		d->mac_type = DATALINK_MAC_RANDOM;
	} else {
		int r = nrd_mac_parse(mac, &d->mac, err);

		if (r < 0)
			return r;
		NRD_SET(SCHEMA, d, mac);
		d->mac_type = DATALINK_MAC_FIXED;
	}
	NRD_SET(SCHEMA, d, mac_type);
	return 0;
}

static int
change_aggr(struct datalink *d, const void *arg, struct nrd_err *err)
{
	const struct admin_aggr_change *change = arg;
	char policy[AGGR_POLICY_TEXT];
	int r = change->mac != NULL ? change_mac(d, change->mac, err) : 0;

	for (size_t i = 0; r == 0 && change->add != NULL && change->add[i] != NULL; i++)
		r = nrd_strv_add(&d->ports, change->add[i]) < 0 ? nrd_nomem(err) : 0;
	for (size_t i = 0; r == 0 && change->remove != NULL && change->remove[i] != NULL; i++)
		r = remove_port(d, change->remove[i], err);
	if (r == 0 && change->policy != NULL) {
		r = aggr_policy_parse(change->policy, policy, err);
		if (r == 0 && nrd_str_set(&d->policy, policy) < 0)
			r = nrd_nomem(err);
		NRD_SET(SCHEMA, d, policy);
	}
	if (change->lacp >= 0) {
		d->lacp = (enum datalink_lacp)change->lacp;
		NRD_SET(SCHEMA, d, lacp);
	}
	if (change->timer >= 0) {
		d->timer = (enum datalink_timer)change->timer;
		NRD_SET(SCHEMA, d, timer);
	}
	return r;
}

/* Another MAC is the node's on the segment from now on. */
static int
apply_aggr(struct admin_work *w, const struct datalink *before, struct datalink *d, struct nrd_err *err)
{
	int r = admin_ports_check(w, d, before->ports, err);

	if (r == 0)
		r = aggr_apply(d, err);
	return r == 0 ? admin_wire_again(w, d->name, err) : r;
}

int
admin_aggr_modify(const char *name, const struct admin_aggr_change *how_it_is, const struct admin_how *how, struct nrd_err *err)
{
	const struct change c = { .name = name, .class_ = DATALINK_AGGR, .fn = change_aggr, .arg = how_it_is, .apply = apply_aggr };
	NRD_AUTO(datalink) has = { 0 };
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	if (r == 0 && !w.away && datalink_read(DATALINK_RUN, NULL, name, &has, NULL) == -ENOENT && rtnl_index(name) != 0)
		r = nrd_fail(err, EPERM, "LinkFixed", "link '%s' is not of dladm's making: /usbkey/config may have it", name);
	return r == 0 ? change(&w, &c, err) : r;
}

/* ---- names ---- */

static int
rename_record(const char *dir, struct datalink *d, const char *to, struct nrd_err *err)
{
	NRD_FREE char *from = nrd_format("%s", d->name);
	int r;

	if (from == NULL || nrd_str_set(&d->name, to) < 0)
		return nrd_nomem(err);
	r = datalink_write(dir, d, err);
	return r == 0 ? datalink_remove(dir, NULL, from, err) : r;
}

static int
rename_segment(struct admin_work *w, const char *from, const char *to, struct nrd_err *err)
{
	uint32_t segment;
	int r = admin_switch(w, err);

	if (r < 0 || switch_segment_find(w->sw, from, &segment, NULL) < 0)
		return r;
	return switch_segment_rename(w->sw, segment, to, err);
}

static int
rename_now(struct admin_work *w, struct datalink *d, const char *to, struct nrd_err *err)
{
	NRD_AUTO(datalink) renamed = { 0 };
	int r = nrd_object_copy(SCHEMA, d, &renamed) < 0 || nrd_str_set(&renamed.name, to) < 0 ? nrd_nomem(err) : 0;

	if (r == 0)
		r = admin_classes[d->class_].check(&renamed, err);
	if (r < 0)
		return r;
	if (d->class_ == DATALINK_VNIC)
		r = vnic_rename(d, to, err);
	else
		r = rename_segment(w, d->name, to, err);
	if (r == 0 && (d->class_ == DATALINK_VLAN || d->class_ == DATALINK_AGGR))
		r = vnic_interface_rename(rtnl_index(d->name), to, err);
	return r == 0 ? rename_record(DATALINK_RUN, d, to, err) : r;
}

int
admin_rename(const char *zone, const char *from, const char *to, const struct admin_how *how, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	NRD_AUTO(datalink) kept = { 0 };
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	if (r == 0)
		r = admin_find(&w, zone, from, -1, &d, err);
	if (r == -ENOENT && !w.away && rtnl_index(from) != 0)
		return nrd_fail(err, EPERM, "LinkFixed", "link '%s' has its name of the kernel, and keeps it", from);
	if (r == 0 && !nrd_streq(d.zone, DATALINK_GLOBAL))
		r = nrd_fail(err, EBUSY, "LinkZone", "link '%s' is a NIC of zone '%s', whose configuration names it", from, zone);
	if (r == 0)
		r = admin_must_be_new(&w, to, err);
	if (r == 0)
		r = admin_check_unused(&w, from, err);
	if (r == 0 && !w.away && datalink_read(DATALINK_RUN, NULL, from, &kept, NULL) == 0)
		r = rename_now(&w, &d, to, err);
	if (r == 0 && !w.away)
		flow_keep_link(NULL, from, to);
	datalink_fini(&kept);
	if (r < 0 || datalink_read(w.keep, NULL, from, &kept, NULL) < 0)
		return r;
	return rename_record(w.keep, &kept, to, err);
}
