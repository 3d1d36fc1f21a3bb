/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dladm.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define MTU_DEFAULT 1500

int
show_table(const struct show_opts *opts, const struct nrd_col *cols, size_t n, struct nrd_table_opts *table,
	   struct nrd_table **ret_table, struct nrd_err *err)
{
	if (opts->parsable && opts->fields == NULL)
		return nrd_usage(err, "-p needs -o: which fields?");
	*table = (struct nrd_table_opts){ .columns = opts->fields, .parsable = opts->parsable, .json = opts->json, .one_bare = true };
	return nrd_table_new(cols, n, table, ret_table, err);
}

void
all_links_cleanup(struct all_links *all)
{
	link_nics_fini(&all->nics);
	datalinks_fini(&all->links);
}

int
all_links_read(const char *zone, bool kept, struct all_links *all, struct nrd_err *err)
{
	int r = link_nics_read(NULL, 0, &all->nics, err);

	return r == 0 ? datalinks_read(kept ? DATALINK_KEEP : DATALINK_RUN, zone, &all->links, err) : r;
}

bool
is_node_link(const struct link_nic *nic)
{
	return nic->physical || nrd_streq(nic->kind, "bond");
}

int
link_not_found(const char *name, struct nrd_err *err)
{
	return nrd_fail(err, ENOENT, "LinkNotFound", "link '%s': object not found", name);
}

bool
link_is_wanted(const char *name, const char *wanted)
{
	return wanted == NULL || nrd_streq(name, wanted);
}

int
show_records(enum datalink_class class_, bool kept, const char *name, void (*row)(struct nrd_table *t, const struct datalink *d),
	     struct nrd_table *t, struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	size_t n = 0;
	int r = datalinks_read(kept ? DATALINK_KEEP : DATALINK_RUN, DATALINK_GLOBAL, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (links.links[i].class_ == class_ && link_is_wanted(links.links[i].name, name)) {
			row(t, &links.links[i]);
			n++;
		}
	return r == 0 && n == 0 && name != NULL ? link_not_found(name, err) : r;
}

int
ports_text(const struct all_links *all, const struct link_nic *bond, struct nrd_buf *out)
{
	for (size_t i = 0; i < all->nics.n; i++)
		if (all->nics.nics[i].master == bond->index)
			(void)nrd_buf_printf(out, "%s%s", out->len > 0 ? " " : "", all->nics.nics[i].name);
	return out->failed;
}

void
mac_text(const struct nrd_mac *mac, bool json, char ret_text[NRD_MAC_TEXT])
{
	const uint8_t *b = mac->b;

	if (json)
		nrd_mac_format(mac, ret_text);
	else
		(void)snprintf(ret_text, NRD_MAC_TEXT, "%x:%x:%x:%x:%x:%x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

uint64_t
mtu_of(const struct all_links *all, const struct datalink *d)
{
	const struct link_nic *nic = link_nics_by_index(&all->nics, (unsigned)d->ifindex);

	if (d->mtu != 0)
		return d->mtu;
	return nic != NULL ? nic->mtu : MTU_DEFAULT;
}
