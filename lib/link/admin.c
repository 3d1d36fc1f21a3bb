/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/admin-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "link/flow.h"
#include "link/rtnl-priv.h"
#include "link/vnic.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)
#define LOCK   DATALINK_RUN "/.lock"
#define NAMED_MAX 5

/* ---- what all verbs begin with ---- */

void
admin_work_cleanup(struct admin_work *w)
{
	nrd_closep(&w->lock);
	free(w->keep);
	switch_close(w->sw);
}

/* One command at a time changes the node's own links. */
int
admin_begin(const struct admin_how *how, struct admin_work *ret_w, struct nrd_err *err)
{
	int r = nrd_mkdir_p(DATALINK_RUN, 0755, err);

	if (r < 0)
		return r;
	ret_w->away = how->root != NULL;
	ret_w->keeps = !how->temporary;
	if (ret_w->away && how->temporary)
		return nrd_fail(err, EINVAL, "Usage", "-R changes what is kept, and -t keeps nothing: one of them");
	ret_w->keep = nrd_format("%s%s", ret_w->away ? how->root : "", DATALINK_KEEP);
	if (ret_w->keep == NULL)
		return nrd_nomem(err);
	ret_w->lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ret_w->lock < 0 || flock(ret_w->lock, LOCK_EX) < 0)
		return nrd_fail(err, errno, "LinkLock", "lock " LOCK ": %m");
	return 0;
}

int
admin_switch(struct admin_work *w, struct nrd_err *err)
{
	return w->sw != NULL ? 0 : switch_open(NULL, &w->sw, err);
}

/* What is below /usbkey without a pool is in memory. */
int
admin_has_place(const struct admin_work *w, struct nrd_err *err)
{
	NRD_FREE char *config = nrd_str_dup(nrd_strn(w->keep, strlen(w->keep) - strlen("links")));
	NRD_FREE char *path = config != NULL ? nrd_format("%sconfig", config) : NULL;

	if (path == NULL)
		return nrd_nomem(err);
	if (!w->keeps || nrd_path_exists(path))
		return 0;
	return nrd_fail(err, EROFS, "LinkKeep", "there is no persistent configuration (%s)%s", path,
			w->away ? "" : ": with -t it is there until the next boot");
}

int
admin_can_keep(unsigned flags, struct nrd_err *err)
{
	NRD_FREE char *keep = nrd_format("%s", DATALINK_KEEP);
	const struct admin_work w = { .keep = keep, .keeps = (flags & ADMIN_TEMPORARY) == 0 };

	return keep == NULL ? nrd_nomem(err) : admin_has_place(&w, err);
}

int
admin_must_be_new(const struct admin_work *w, const char *name, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	int r = datalink_name_check(name, err);

	if (r < 0)
		return r;
	if (datalink_read(w->keep, NULL, name, &d, NULL) == 0 ||
	    (!w->away && (datalink_read(DATALINK_RUN, NULL, name, &d, NULL) == 0 || rtnl_index(name) != 0)))
		return nrd_fail(err, EEXIST, "LinkExists", "link '%s': object already exists", name);
	return 0;
}

/* As it is now says nothing of the next boot. */
int
admin_keep(const struct admin_work *w, const struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(datalink) k = { 0 };

	if (!w->keeps)
		return 0;
	if (nrd_object_copy(SCHEMA, d, &k) < 0)
		return nrd_nomem(err);
	NRD_CLEAR(SCHEMA, &k, ifindex);
	NRD_CLEAR(SCHEMA, &k, ifname);
	NRD_CLEAR(SCHEMA, &k, since);
	return datalink_write(w->keep, &k, err);
}

int
admin_find(const struct admin_work *w, const char *zone, const char *name, int class_, struct datalink *ret_d, struct nrd_err *err)
{
	int r = w->away ? -ENOENT : datalink_read(DATALINK_RUN, zone, name, ret_d, err);

	/* One that did not come up at boot can be deleted all the same. */
	if (r == -ENOENT)
		r = datalink_read(w->keep, zone, name, ret_d, err);
	if (r == 0 && class_ >= 0 && (int)ret_d->class_ != class_)
		r = nrd_fail(err, EINVAL, "LinkClass", "link '%s': it is of class %s, not %s", name,
			     datalink_class_names[ret_d->class_], datalink_class_names[class_]);
	return r;
}

/* ---- what is over a link ---- */

struct users {
	const char *name;
	struct nrd_buf text;
	size_t n;
};

static void
users_add(struct users *users, const struct datalinks *links, const struct datalinks *but)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct datalink *d = &links->links[i];
		bool global = nrd_streq(d->zone, DATALINK_GLOBAL);

		if (!nrd_streq(d->over, users->name) || (but != NULL && datalinks_find(but, d->zone, d->name) != NULL))
			continue;
		if (users->n++ < NAMED_MAX)
			(void)nrd_buf_printf(&users->text, "%s%s%s%s", users->n > 1 ? ", " : "", global ? "" : d->zone,
					     global ? "" : "/", d->name);
	}
}

int
admin_check_unused(const struct admin_work *w, const char *name, struct nrd_err *err)
{
	NRD_AUTO(datalinks) now = { 0 };
	NRD_AUTO(datalinks) kept = { 0 };
	struct users users = { .name = name };
	int r = w->away ? 0 : datalinks_read(DATALINK_RUN, NULL, &now, err);

	if (r == 0)
		r = datalinks_read(w->keep, NULL, &kept, err);
	if (r < 0)
		return r;
	users_add(&users, &now, NULL);
	users_add(&users, &kept, &now);
	if (users.n > NAMED_MAX)
		(void)nrd_buf_printf(&users.text, " and %zu more", users.n - NAMED_MAX);
	if (users.n > 0)
		r = nrd_fail(err, EBUSY, "LinkBusy", "link '%s': in use by %s", name, nrd_buf_str(&users.text));
	nrd_buf_fini(&users.text);
	return r;
}

/* ---- making and deleting ---- */

static uint64_t
seconds_of_boot(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* A VNIC has a MAC of its own, chosen if it is not said; an aggregation only one that was said. */
static int
mac_fill(struct datalink *d, struct nrd_err *err)
{
	bool said = NRD_HAS(SCHEMA, d, mac);

	if (d->class_ != DATALINK_VNIC && d->class_ != DATALINK_AGGR)
		return 0;
	/* How it was come by may be said as well. */
	if (!NRD_HAS(SCHEMA, d, mac_type))
		d->mac_type = said ? DATALINK_MAC_FIXED : DATALINK_MAC_RANDOM;
	NRD_SET(SCHEMA, d, mac_type);
	if (said || d->class_ == DATALINK_AGGR)
		return 0;
	NRD_SET(SCHEMA, d, mac);
	return vnic_random_mac(NULL, 0, &d->mac, err);
}

int
admin_create(struct datalink *d, const struct admin_how *how, struct nrd_err *err)
{
	const struct admin_class *c = &admin_classes[d->class_];
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	if (r == 0)
		r = admin_has_place(&w, err);
	if (r == 0)
		r = admin_must_be_new(&w, d->name, err);
	if (r == 0 && nrd_str_set(&d->zone, DATALINK_GLOBAL) < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	NRD_SET(SCHEMA, d, name);
	NRD_SET(SCHEMA, d, zone);
	NRD_SET(SCHEMA, d, class_);
	d->since = seconds_of_boot();
	NRD_SET(SCHEMA, d, since);
	r = mac_fill(d, err);
	if (r == 0)
		r = c->check(d, err);
	if (r == 0 && !w.away)
		r = c->up(&w, d, err);
	if (r < 0)
		return r;
	r = admin_keep(&w, d, err);
	if (r < 0 && !w.away)
		(void)c->down(&w, d, NULL);
	return r;
}

int
admin_delete(const char *zone, const char *name, enum datalink_class class_, const struct admin_how *how, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	ADMIN_WORK w = { .lock = -1 };
	int r = admin_begin(how, &w, err);

	if (r == 0)
		r = admin_find(&w, zone, name, (int)class_, &d, err);
	if (r == 0 && !nrd_streq(d.zone, DATALINK_GLOBAL))
		r = nrd_fail(err, EBUSY, "LinkZone", "link '%s' is a NIC of zone '%s': vmadm update or zonecfg takes it away", name, zone);
	/* Nothing can be over a VNIC, and there may be thousands to look at. */
	if (r == 0 && class_ != DATALINK_VNIC)
		r = admin_check_unused(&w, name, err);
	if (r == 0 && !w.away)
		r = admin_classes[class_].down(&w, &d, err);
	if (r == 0 && w.keeps && !w.away && class_ == DATALINK_VNIC)
		flow_keep_link(NULL, name, NULL);
	return r == 0 && w.keeps ? datalink_remove(w.keep, NULL, name, err) : r;
}
