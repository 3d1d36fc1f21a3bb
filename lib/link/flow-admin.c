/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What flowadm does. What is there is the switch's to tell; what is kept stands in files beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "link/admin.h"
#include "link/find.h"
#include "link/flow-keep.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define LOCK "/run/nereid/flows.lock"

void
flows_cleanup(struct flows *flows)
{
	for (size_t i = 0; i < flows->n; i++) {
		free(flows->items[i].zone);
		free(flows->items[i].link);
	}
	free(flows->items);
	*flows = (struct flows){ 0 };
}

/* ---- lists ---- */

static int
add_items(struct flows *flows, const char *zone, const char *link, const struct switch_flow *f, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		struct flow_item item = { .flow = f[i] }, *grown;

		if (name != NULL && !nrd_streq(f[i].name, name))
			continue;
		grown = reallocarray(flows->items, flows->n + 1, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		flows->items = grown;
		grown[flows->n++] = item;
		if (nrd_str_set(&grown[flows->n - 1].zone, zone) < 0 || nrd_str_set(&grown[flows->n - 1].link, link) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool
is_wanted(const char *name, const char *wanted)
{
	return wanted == NULL || nrd_streq(name, wanted);
}

static int
read_live(const struct flow_query *q, struct flows *flows, struct nrd_err *err)
{
	struct switch_flow found[SWITCH_PORT_FLOWS_MAX];
	NRD_AUTO(datalinks) links = { 0 };
	NRD_AUTO(link_switch) *sw = NULL;
	size_t n;
	int r = datalinks_read(DATALINK_RUN, q->zone, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++) {
		const struct datalink *d = &links.links[i];

		if (d->ifindex == 0 || !is_wanted(d->name, q->link))
			continue;
		if (sw == NULL)
			r = switch_open(NULL, &sw, err);
		/* One that went meanwhile is no news. */
		if (r < 0 || switch_flows_read(sw, (unsigned)d->ifindex, found, &n, NULL) < 0)
			continue;
		if (add_items(flows, d->zone, d->name, found, n, q->name) < 0)
			r = nrd_nomem(err);
	}
	return r;
}

static int
read_kept_zone(const struct flow_query *q, const char *zone, struct flows *flows, struct nrd_err *err)
{
	NRD_STRV char **links = NULL;
	int r = flow_keep_names(zone, &links, err);

	for (size_t i = 0; r == 0 && links != NULL && links[i] != NULL; i++) {
		NRD_FREE struct switch_flow *kept = NULL;
		size_t n;

		if (!is_wanted(links[i], q->link))
			continue;
		r = flow_keep_read(zone, links[i], &kept, &n, err);
		if (r == 0 && add_items(flows, zone, links[i], kept, n, q->name) < 0)
			r = nrd_nomem(err);
	}
	return r;
}

static int
read_kept(const struct flow_query *q, struct flows *flows, struct nrd_err *err)
{
	NRD_STRV char **zones = NULL;
	int r = 0;

	if (q->zone != NULL)
		return read_kept_zone(q, q->zone, flows, err);
	r = flow_keep_names(NULL, &zones, err);
	for (size_t i = 0; r == 0 && zones != NULL && zones[i] != NULL; i++)
		r = read_kept_zone(q, zones[i], flows, err);
	return r;
}

int
flows_read(const struct flow_query *query, struct flows *ret_flows, struct nrd_err *err)
{
	NRD_AUTO(flows) flows = { 0 };
	int r = query->kept ? read_kept(query, &flows, err) : read_live(query, &flows, err);

	if (r == 0 && flows.n == 0 && query->name != NULL)
		r = nrd_fail(err, ENOENT, "FlowNotFound", "flow '%s': object not found", query->name);
	if (r < 0)
		return r;
	*ret_flows = flows;
	flows = (struct flows){ 0 };
	return 0;
}

/* ---- one link's, to be changed ---- */

struct change {
	struct link_switch *sw;      /* owned */
	int lock;
	char *zone, *link;           /* owned */
	unsigned ifindex;            /* 0: the link is not there now */
	struct switch_flow *live;    /* owned, room for SWITCH_PORT_FLOWS_MAX + 1 */
	size_t n_live;
	struct switch_flow *kept;    /* likewise */
	size_t n_kept;
};

static void
change_cleanup(struct change *c)
{
	switch_close(c->sw);
	nrd_closep(&c->lock);
	free(c->zone);
	free(c->link);
	free(c->live);
	free(c->kept);
}

static int
change_lock(struct change *c, struct nrd_err *err)
{
	int r = nrd_mkdir_p("/run/nereid", 0755, err);

	if (r < 0)
		return r;
	c->lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->lock < 0 || flock(c->lock, LOCK_EX) < 0)
		return nrd_fail(err, errno, "FlowLock", "lock " LOCK ": %m");
	return switch_open(NULL, &c->sw, err);
}

/* What is there, and what is kept, of that link. */
static int
change_read(struct change *c, const char *zone, const char *link, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	NRD_FREE struct switch_flow *kept = NULL;
	int r;

	c->live = calloc(SWITCH_PORT_FLOWS_MAX + 1, sizeof(*c->live));
	c->kept = calloc(SWITCH_PORT_FLOWS_MAX + 1, sizeof(*c->kept));
	if (c->live == NULL || c->kept == NULL || nrd_str_set(&c->zone, zone) < 0 || nrd_str_set(&c->link, link) < 0)
		return nrd_nomem(err);
	if (datalink_read(DATALINK_RUN, zone, link, &d, NULL) == 0) {
		c->ifindex = (unsigned)d.ifindex;
		if (switch_flows_read(c->sw, c->ifindex, c->live, &c->n_live, NULL) < 0)
			c->ifindex = 0;
	}
	r = flow_keep_read(zone, link, &kept, &c->n_kept, err);
	if (r == 0 && c->n_kept > 0)
		memcpy(c->kept, kept, c->n_kept * sizeof(*kept));
	return r;
}

/* Now, and then on disk: when that fails it is as it was. */
static int
change_write(struct change *c, const struct switch_flow *live, size_t n_live, unsigned flags, struct nrd_err *err)
{
	int r = c->ifindex != 0 ? switch_flows_set(c->sw, c->ifindex, live, n_live, err) : 0;

	if (r < 0 || (flags & ADMIN_TEMPORARY) != 0)
		return r;
	r = flow_keep_write(c->zone, c->link, c->kept, c->n_kept, err);
	if (r < 0 && c->ifindex != 0)
		(void)switch_flows_set(c->sw, c->ifindex, c->live, c->n_live, NULL);
	return r;
}

static size_t
find(const struct switch_flow *flows, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && !nrd_streq(flows[i].name, name))
		i++;
	return i;
}

static void
take_out(struct switch_flow *flows, size_t *n, const char *name)
{
	size_t i = name != NULL ? find(flows, *n, name) : *n;

	if (name == NULL)
		*n = 0;
	else if (i < *n)
		nrd_vec_cut(flows, n, i, sizeof(*flows));
}

static int
must_be_new(const char *zone, const char *name, struct nrd_err *err)
{
	for (int kept = 0; kept < 2; kept++) {
		const struct flow_query q = { .zone = zone, .name = name, .kept = kept == 1 };
		NRD_AUTO(flows) has = { 0 };
		int r = flows_read(&q, &has, NULL);

		if (r == 0)
			return nrd_fail(err, EEXIST, "FlowExists", "flow '%s': object already exists, on link %s", name, has.items[0].link);
		if (r != -ENOENT)
			return flows_read(&q, &has, err);
	}
	return 0;
}

/* The link of a flow, of what is there or is kept. */
static int
link_of(const char *zone, const char *name, char **ret_link, struct nrd_err *err)
{
	struct flow_query q = { .zone = zone, .name = name };
	NRD_AUTO(flows) has = { 0 };
	int r = flows_read(&q, &has, NULL);

	if (r == -ENOENT) {
		q.kept = true;
		r = flows_read(&q, &has, err);
	} else if (r < 0) {
		return flows_read(&q, &has, err);
	}
	if (r == 0 && nrd_str_set(ret_link, has.items[0].link) < 0)
		r = nrd_nomem(err);
	return r;
}

int
flow_add(const char *zone, const char *link, const struct switch_flow *f, unsigned flags, struct nrd_err *err)
{
	__attribute__((cleanup(change_cleanup))) struct change c = { .lock = -1 };
	NRD_FREE struct switch_flow *live = calloc(SWITCH_PORT_FLOWS_MAX + 1, sizeof(*live));
	NRD_AUTO(link_found) found = { 0 };
	int r = live != NULL ? admin_can_keep(flags, err) : nrd_nomem(err);

	if (r == 0)
		r = change_lock(&c, err);
	if (r == 0)
		r = link_find(zone, link, &found, err);
	if (r == 0 && (!found.has_record || found.d.class_ != DATALINK_VNIC))
		r = nrd_fail(err, EINVAL, "LinkClass", "link '%s': flows are of VNICs, and it is none", link);
	if (r == 0)
		r = must_be_new(found.d.zone, f->name, err);
	if (r == 0)
		r = change_read(&c, found.d.zone, found.d.name, err);
	if (r < 0)
		return r;
	if (c.ifindex == 0)
		return nrd_fail(err, ENOENT, "LinkWrongState", "link '%s': its port is not there", link);
	if (c.n_live == SWITCH_PORT_FLOWS_MAX || c.n_kept == SWITCH_PORT_FLOWS_MAX)
		return nrd_fail(err, ENOSPC, "FlowsFull", "link '%s' has %d flows already", link, SWITCH_PORT_FLOWS_MAX);
	memcpy(live, c.live, c.n_live * sizeof(*live));
	live[c.n_live] = *f;
	c.kept[c.n_kept] = *f;
	if ((flags & ADMIN_TEMPORARY) == 0)
		c.n_kept++;
	return change_write(&c, live, c.n_live + 1, flags, err);
}

int
flow_remove(const char *zone, const char *link, const char *name, unsigned flags, struct nrd_err *err)
{
	__attribute__((cleanup(change_cleanup))) struct change c = { .lock = -1 };
	NRD_FREE struct switch_flow *live = calloc(SWITCH_PORT_FLOWS_MAX + 1, sizeof(*live));
	NRD_AUTO(link_found) found = { 0 };
	NRD_FREE char *of = NULL;
	size_t n;
	int r = live != NULL ? change_lock(&c, err) : nrd_nomem(err);

	if (zone == NULL)
		zone = DATALINK_GLOBAL;
	if (r == 0 && name != NULL)
		r = link_of(zone, name, &of, err);
	else if (r == 0)
		r = link_find(zone, link, &found, err);
	if (r == 0)
		r = change_read(&c, name != NULL ? zone : found.d.zone, name != NULL ? of : found.d.name, err);
	if (r < 0)
		return r;
	n = c.n_live;
	memcpy(live, c.live, n * sizeof(*live));
	take_out(live, &n, name);
	take_out(c.kept, &c.n_kept, name);
	return change_write(&c, live, n, flags, err);
}

int
flow_change(const char *zone, const char *name, const char *text, const char *names, unsigned flags, struct nrd_err *err)
{
	__attribute__((cleanup(change_cleanup))) struct change c = { .lock = -1 };
	NRD_FREE struct switch_flow *live = calloc(SWITCH_PORT_FLOWS_MAX + 1, sizeof(*live));
	NRD_FREE char *link = NULL;
	int r = live != NULL ? change_lock(&c, err) : nrd_nomem(err);
	size_t at, kept;

	if (zone == NULL)
		zone = DATALINK_GLOBAL;
	if (r == 0)
		r = link_of(zone, name, &link, err);
	if (r == 0)
		r = change_read(&c, zone, link, err);
	if (r < 0)
		return r;
	memcpy(live, c.live, c.n_live * sizeof(*live));
	at = find(live, c.n_live, name);
	kept = find(c.kept, c.n_kept, name);
	if (at < c.n_live)
		r = text != NULL ? flow_props_set(&live[at], text, err) : flow_props_reset(&live[at], names, err);
	/* One that is only there until the next boot stays so. */
	if (r == 0 && kept < c.n_kept)
		r = text != NULL ? flow_props_set(&c.kept[kept], text, err) : flow_props_reset(&c.kept[kept], names, err);
	return r == 0 ? change_write(&c, live, c.n_live, flags, err) : r;
}

int
flow_restore(struct link_switch *sw, const struct datalink *d, struct nrd_err *err)
{
	NRD_FREE struct switch_flow *kept = NULL;
	size_t n;
	int r = flow_keep_read(d->zone, d->name, &kept, &n, err);

	return r == 0 && n > 0 ? switch_flows_set(sw, (unsigned)d->ifindex, kept, n, err) : r;
}
