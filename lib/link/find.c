/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/find.h"

#include <errno.h>
#include <string.h>

#include "link/nic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

void
link_found_cleanup(struct link_found *found)
{
	datalink_fini(&found->d);
}

static int
by_record(const char *zone, const char *name, struct link_found *ret, struct nrd_err *err)
{
	int r = datalink_read(DATALINK_RUN, zone, name, &ret->d, err);

	if (r < 0)
		return r;
	ret->has_record = true;
	ret->ifindex = (unsigned)ret->d.ifindex;
	return 0;
}

/* 1: it is one. */
static int
by_nic(const char *name, struct link_found *ret, struct nrd_err *err)
{
	__attribute__((cleanup(link_nics_cleanup))) struct link_nics nics = { 0 };
	const struct link_nic *nic;
	int r = link_nics_read(NULL, 0, &nics, err);

	if (r < 0)
		return r;
	nic = link_nics_by_name(&nics, name);
	if (nic == NULL || (!nic->physical && !nrd_streq(nic->kind, "bond")))
		return 0;
	if (nrd_str_set(&ret->d.name, name) < 0 || nrd_str_set(&ret->d.zone, DATALINK_GLOBAL) < 0)
		return nrd_nomem(err);
	ret->ifindex = nic->index;
	return 1;
}

/* Of any zone, when there is one only. */
static int
by_name(const char *name, struct link_found *ret, struct nrd_err *err)
{
	NRD_AUTO(datalinks) all = { 0 };
	const struct datalink *only = NULL;
	int r = datalinks_read(DATALINK_RUN, NULL, &all, err);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (!nrd_streq(all.links[i].name, name))
			continue;
		if (only != NULL)
			return nrd_fail(err, EEXIST, "LinkAmbiguous", "link '%s': zones %s and %s have one of that name: say which, ZONE/%s",
					name, only->zone, all.links[i].zone, name);
		only = &all.links[i];
	}
	if (r == 0 && only == NULL)
		return nrd_fail(err, ENOENT, "LinkNotFound", "link '%s': object not found", name);
	return r == 0 ? by_record(only->zone, name, ret, err) : r;
}

int
link_find(const char *zone, const char *text, struct link_found *ret_found, struct nrd_err *err)
{
	const char *slash = strrchr(text, '/');
	NRD_FREE char *said = slash != NULL ? nrd_str_dup(nrd_strn(text, (size_t)(slash - text))) : NULL;
	const char *name = slash != NULL ? slash + 1 : text;
	NRD_AUTO(link_found) found = { 0 };
	bool none = zone == NULL && slash == NULL;
	int r;

	if (slash != NULL && said == NULL)
		return nrd_nomem(err);
	/* A record's name is a file's. */
	if (name[0] == '\0' || name[0] == '.' || (said != NULL && (strchr(said, '/') != NULL || said[0] == '.' || said[0] == '\0')))
		return nrd_fail(err, ENOENT, "LinkNotFound", "link '%.80s': object not found", text);
	if (zone == NULL)
		zone = said;
	r = by_record(zone, name, &found, err);
	if (r == -ENOENT && (zone == NULL || nrd_streq(zone, DATALINK_GLOBAL))) {
		r = by_nic(name, &found, err);
		if (r == 0)
			r = none ? by_name(name, &found, err) :
				   nrd_fail(err, ENOENT, "LinkNotFound", "link '%.80s': object not found", text);
	}
	if (r < 0)
		return r;
	*ret_found = found;
	found = (struct link_found){ 0 };
	return 0;
}
