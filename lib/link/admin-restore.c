/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * What is to be there is made: at boot, and when a NIC comes (again). A link is made when what it is over is, so the classes
 * have an order.
 */
#include <net/if.h>

#include "link/admin-priv.h"
#include "link/aggr.h"
#include "link/rtnl-priv.h"
#include "link/vnic.h"
#include "nrd/str.h"

static const enum datalink_class order[] = {
	DATALINK_AGGR, DATALINK_VLAN, DATALINK_ETHERSTUB, DATALINK_OVERLAY, DATALINK_VNIC,
};

struct failures {
	int first;
	struct nrd_err *err;
};

static void
tell(struct failures *f, int r, const struct nrd_err *why)
{
	if (r >= 0 || f->first < 0)
		return;
	f->first = r;
	if (f->err != NULL)
		*f->err = *why;
}

/* A port of an aggregation may be there again, or a VLAN link have gone with its NIC. */
static int
again(struct admin_work *w, const struct datalink *have, struct nrd_err *err)
{
	if (have->class_ == DATALINK_AGGR && rtnl_index(have->name) != 0) {
		int r = aggr_ports_set(have, err);

		return r == 0 ? admin_wire_again(w, have->name, err) : r;
	}
	return 0;
}

static int
restore(struct admin_work *w, struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(datalink) have = { 0 };
	bool has = datalink_read(DATALINK_RUN, NULL, d->name, &have, NULL) == 0;

	/* A VNIC that somebody's hand deleted, and nobody's dladm, stays so: only what went with its NIC is made again. */
	if (has && (d->class_ == DATALINK_VNIC || admin_classes[d->class_].is_there(&have)))
		return again(w, &have, err);
	return nrd_wrap(err, admin_classes[d->class_].up(w, d, err), "link '%s'", d->name);
}

static void
restore_all(struct admin_work *w, struct datalinks *links, struct failures *f)
{
	for (size_t c = 0; c < nrd_count(order); c++)
		for (size_t i = 0; i < links->n; i++) {
			struct nrd_err why = { 0 };

			if (links->links[i].class_ == order[c])
				tell(f, restore(w, &links->links[i], &why), &why);
		}
}

/* A NIC that was away has another index, and no program: those over it, of whichever zone, get their wire again. */
static void
wires_again(struct admin_work *w, struct failures *f)
{
	NRD_AUTO(datalinks) links = { 0 };
	struct nrd_err why = { 0 };
	const char *last = NULL;

	tell(f, datalinks_read(DATALINK_RUN, NULL, &links, &why), &why);
	for (size_t i = 0; i < links.n; i++) {
		const struct datalink *d = &links.links[i];

		if (d->class_ != DATALINK_VNIC || d->over == NULL || nrd_streq(d->over, last))
			continue;
		last = d->over;
		tell(f, admin_wire_again(w, d->over, &why), &why);
	}
}

int
admin_restore(struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	ADMIN_WORK w = { .lock = -1, .restores = true };
	struct failures f = { .err = err };
	int r = admin_begin(&(const struct admin_how){ 0 }, &w, err);

	if (r == 0)
		r = datalinks_read(w.keep, DATALINK_GLOBAL, &links, err);
	if (r < 0)
		return r;
	restore_all(&w, &links, &f);
	wires_again(&w, &f);
	return f.first;
}
