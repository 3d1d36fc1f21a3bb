/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Sets: the addresses and DHCP client ids a port may use. A change makes a whole new set, the
 * port's row is pointed to it in one write, and the old one is taken away.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"

static int
prefix_change(struct link_switch *sw, uint32_t set, const struct switch_prefix_row *prefix, bool add)
{
	struct switch_allowed4_key key4 = { .bits = 32u + prefix->bits, .set = set };
	struct switch_allowed6_key key6 = { .bits = 32u + prefix->bits, .set = set };
	int map = sw->maps[prefix->family == 4 ? MAP_allowed4 : MAP_allowed6];
	const void *key = prefix->family == 4 ? (const void *)&key4 : (const void *)&key6;
	uint32_t yes = 1;

	memcpy(&key4.addr, prefix->addr, sizeof(key4.addr));
	memcpy(key6.addr, prefix->addr, sizeof(key6.addr));
	return add ? link_bpf_set(map, key, &yes) : link_bpf_del(map, key);
}

static int
cid_change(struct link_switch *sw, uint32_t set, const unsigned char *bytes, uint32_t len, bool add)
{
	struct switch_cid_key key = { .set = set, .len = len };
	uint32_t yes = 1;

	memcpy(key.bytes, bytes, len);
	return add ? link_bpf_set(sw->maps[MAP_cids], &key, &yes) :
		     link_bpf_del(sw->maps[MAP_cids], &key);
}

/* The row first: whoever finds it can take away what is there of it. */
static int
make(struct link_switch *sw, uint32_t set, const struct switch_set_row *row, struct nrd_err *err)
{
	int r = link_bpf_set(sw->maps[MAP_sets], &set, row);

	if (r < 0)
		return switch_map_failed(r, "sets", err);
	for (uint32_t i = 0; i < row->n_prefixes; i++) {
		r = prefix_change(sw, set, &row->prefixes[i], true);
		if (r < 0)
			return switch_map_failed(r, row->prefixes[i].family == 4 ? "allowed4" : "allowed6",
						 err);
	}
	for (uint32_t i = 0; i < row->n_cids; i++) {
		r = cid_change(sw, set, row->cids[i].bytes, row->cids[i].len, true);
		if (r < 0)
			return switch_map_failed(r, "cids", err);
	}
	return 0;
}

int
switch_set_make(struct link_switch *sw, uint32_t set, const struct switch_port_conf *conf,
		struct nrd_err *err)
{
	struct switch_set_row row = { 0 };
	int r;

	row.n_prefixes = (uint32_t)conf->n_allowed;
	for (size_t i = 0; i < conf->n_allowed; i++) {
		const struct switch_prefix *p = &conf->allowed[i];

		row.prefixes[i].family = p->family == AF_INET ? 4 : 6;
		row.prefixes[i].bits = (uint8_t)p->bits;
		memcpy(row.prefixes[i].addr, p->addr, p->family == AF_INET ? 4 : 16);
	}
	row.n_cids = (uint32_t)conf->n_cids;
	for (size_t i = 0; i < conf->n_cids; i++) {
		row.cids[i].len = (uint32_t)conf->cids[i].len;
		memcpy(row.cids[i].bytes, conf->cids[i].bytes, conf->cids[i].len);
	}
	for (size_t i = 0; i < conf->n_secondary; i++)
		memcpy(row.secondary[i], conf->secondary[i].b, sizeof(row.secondary[i]));
	r = make(sw, set, &row, err);
	if (r < 0)
		switch_set_remove(sw, set);
	return r;
}

bool
switch_set_read(struct link_switch *sw, uint32_t set, struct switch_set_row *ret_set)
{
	if (set != 0 && link_bpf_get(sw->maps[MAP_sets], &set, ret_set) == 0)
		return true;
	memset(ret_set, 0, sizeof(*ret_set));
	return false;
}

void
switch_set_remove(struct link_switch *sw, uint32_t set)
{
	struct switch_set_row row;

	if (!switch_set_read(sw, set, &row))
		return;
	for (uint32_t i = 0; i < row.n_prefixes; i++)
		(void)prefix_change(sw, set, &row.prefixes[i], false);
	for (uint32_t i = 0; i < row.n_cids; i++)
		(void)cid_change(sw, set, row.cids[i].bytes, row.cids[i].len, false);
	(void)link_bpf_del(sw->maps[MAP_sets], &set);
}

/* ---- whose an address is ---- */

static bool
owner_key(const struct switch_port_row *row, const struct switch_prefix_row *prefix,
	  struct switch_owner_key *ret_key)
{
	if (prefix->bits != (prefix->family == 4 ? 32 : 128))
		return false;
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->segment = row->segment;
	ret_key->vid = row->vid;
	ret_key->family = prefix->family;
	memcpy(ret_key->addr, prefix->addr, prefix->family == 4 ? 4 : 16);
	return true;
}

/* An address that is allowed to two, which take it from each other as they fail. One whose interface is gone has no say. */
static void
share(struct link_switch *sw, const struct switch_owner_key *key, const struct switch_owner_row *claim)
{
	struct switch_owner_row owner;
	unsigned ifindex = 0;

	if (link_bpf_get(sw->maps[MAP_owners], key, &owner) < 0 || owner.port == claim->port)
		return;
	(void)link_bpf_get(sw->maps[MAP_numbers], &owner.port, &ifindex);
	if (ifindex != 0 && switch_port_reap(sw, ifindex)) {
		(void)link_bpf_add(sw->maps[MAP_owners], key, claim);
		return;
	}
	if (owner.how != SWITCH_OF_STATIC)
		return;
	owner.shared = 1;
	(void)link_bpf_set(sw->maps[MAP_owners], key, &owner);
}

void
switch_owners_claim(struct link_switch *sw, const struct switch_port_row *row)
{
	struct switch_owner_row owner = { .port = row->port };
	struct switch_owner_key key;
	struct switch_set_row set;

	(void)switch_set_read(sw, row->set, &set);
	for (uint32_t i = 0; i < set.n_prefixes; i++)
		if (owner_key(row, &set.prefixes[i], &key) &&
		    link_bpf_add(sw->maps[MAP_owners], &key, &owner) == -EEXIST)
			share(sw, &key, &owner);
}

static void
release_key(struct link_switch *sw, const struct switch_port_row *row,
	    const struct switch_owner_key *key)
{
	struct switch_owner_row owner;

	if (link_bpf_get(sw->maps[MAP_owners], key, &owner) == 0 && owner.port == row->port)
		(void)link_bpf_del(sw->maps[MAP_owners], key);
}

void
switch_owners_release(struct link_switch *sw, const struct switch_port_row *row, bool learned)
{
	struct switch_owner_key key;
	struct switch_set_row set;

	(void)switch_set_read(sw, row->set, &set);
	for (uint32_t i = 0; i < set.n_prefixes; i++)
		if (owner_key(row, &set.prefixes[i], &key))
			release_key(sw, row, &key);
	for (uint32_t i = 0; learned && i < SWITCH_LEARNED_MAX; i++) {
		struct switch_learned_key slot = { .port = row->port, .slot = i };

		if (link_bpf_get(sw->maps[MAP_learned], &slot, &key) < 0)
			continue;
		release_key(sw, row, &key);
		(void)link_bpf_del(sw->maps[MAP_learned], &slot);
	}
}
