/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Who hears a broadcast: the members of a domain in slots 0..count-1, which the program walks. A
 * member leaves by the last one taking its slot, so for a moment the last may hear a frame twice,
 * never not at all. A command killed between two of these steps leaves a slot that does not say
 * what a port's row says; the next change looks and mends that.
 */
#include <errno.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"

static struct switch_domain_key
domain_of(const struct switch_port_row *row)
{
	return (struct switch_domain_key){ .segment = row->segment, .vid = row->vid };
}

static struct switch_member_key
slot_of(const struct switch_port_row *row, uint32_t slot)
{
	return (struct switch_member_key){ .segment = row->segment, .vid = row->vid, .slot = slot };
}

/* Its slot, or count when it has none. */
static uint32_t
find(struct link_switch *sw, const struct switch_port_row *row, unsigned ifindex, uint32_t count)
{
	struct switch_member_row member;
	struct switch_member_key key = slot_of(row, row->slot);

	if (row->slot < count && link_bpf_get(sw->maps[MAP_members], &key, &member) == 0 &&
	    member.ifindex == ifindex)
		return row->slot;
	for (uint32_t slot = 0; slot < count; slot++) {
		key = slot_of(row, slot);
		if (link_bpf_get(sw->maps[MAP_members], &key, &member) == 0 &&
		    member.ifindex == ifindex)
			return slot;
	}
	return count;
}

int
switch_domain_add(struct link_switch *sw, struct switch_port_row *row, unsigned ifindex, bool new,
		  struct nrd_err *err)
{
	struct switch_domain_key key = domain_of(row);
	struct switch_domain_row domain = { 0 };
	struct switch_member_row member = { .ifindex = ifindex, .port = row->port };
	struct switch_member_key slot;
	int r;

	(void)link_bpf_get(sw->maps[MAP_domains], &key, &domain);
	row->slot = new ? domain.count : find(sw, row, ifindex, domain.count);
	slot = slot_of(row, row->slot);
	r = link_bpf_set(sw->maps[MAP_members], &slot, &member);
	if (r < 0)
		return switch_map_failed(r, "members", err);
	if (row->slot < domain.count)
		return 0;
	domain.count++;
	r = link_bpf_set(sw->maps[MAP_domains], &key, &domain);
	return r < 0 ? switch_map_failed(r, "domains", err) : 0;
}

/* The last member takes the slot, and its port's row is told. */
static void
fill(struct link_switch *sw, const struct switch_port_row *row, uint32_t slot, uint32_t last)
{
	struct switch_member_key from = slot_of(row, last), to = slot_of(row, slot);
	struct switch_member_row member;
	struct switch_port_row moved;

	if (link_bpf_get(sw->maps[MAP_members], &from, &member) < 0)
		return;
	(void)link_bpf_set(sw->maps[MAP_members], &to, &member);
	if (link_bpf_get(sw->maps[MAP_ports], &member.ifindex, &moved) == 0) {
		moved.slot = slot;
		(void)link_bpf_set(sw->maps[MAP_ports], &member.ifindex, &moved);
	}
}

void
switch_domain_remove(struct link_switch *sw, const struct switch_port_row *row, unsigned ifindex)
{
	struct switch_domain_key key = domain_of(row);
	struct switch_domain_row domain;
	struct switch_member_key last;
	uint32_t slot;

	if (link_bpf_get(sw->maps[MAP_domains], &key, &domain) < 0 || domain.count == 0)
		return;
	slot = find(sw, row, ifindex, domain.count);
	if (slot == domain.count)
		return;
	domain.count--;
	if (slot != domain.count)
		fill(sw, row, slot, domain.count);
	if (domain.count > 0)
		(void)link_bpf_set(sw->maps[MAP_domains], &key, &domain);
	else
		(void)link_bpf_del(sw->maps[MAP_domains], &key);
	last = slot_of(row, domain.count);
	(void)link_bpf_del(sw->maps[MAP_members], &last);
}
