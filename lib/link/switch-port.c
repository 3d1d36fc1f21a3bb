/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Making, changing and ending ports. A new one: its number, the set of its addresses, the program
 * at its interface (which drops all until there is a row), its row, its MACs, its membership, and
 * only then up. A change: the new set and MACs, the row (the moment it changes), and what was
 * before is taken away. Each step is fine when it was done before, so a command that was killed
 * is made up for by saying it again.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"
#include "link/veth.h"
#include "nrd/fault.h"

#define VID_MAX 4094
#define MTU_MIN 68
#define MTU_MAX 65535
#define MACS_MAX (1 + SWITCH_SECONDARY_MAX)
#define NS_A_SECOND 1000000000ull

/* ---- what may be asked for ---- */

static int
mac_check(const struct nrd_mac *mac, const char *what, struct nrd_err *err)
{
	char text[NRD_MAC_TEXT];

	nrd_mac_format(mac, text);
	if (nrd_mac_is_zero(mac))
		return nrd_fail(err, EINVAL, "PortConf", "%s %s: it is nobody's", what, text);
	if (nrd_mac_is_group(mac))
		return nrd_fail(err, EINVAL, "PortConf", "%s %s: it is a group address", what, text);
	return 0;
}

static int
prefix_check(const struct switch_prefix *p, struct nrd_err *err)
{
	static const unsigned char zero[16];
	unsigned most = p->family == AF_INET ? 32 : 128;

	if (p->family != AF_INET && p->family != AF_INET6)
		return nrd_fail(err, EINVAL, "PortConf", "allowed address: neither IPv4 nor IPv6");
	if (p->bits > most)
		return nrd_fail(err, EINVAL, "PortConf",
				"allowed address: a prefix of %u bits, of %u", p->bits, most);
	if (p->bits == most && memcmp(p->addr, zero, most / 8) == 0)
		return nrd_fail(err, EINVAL, "PortConf",
				"allowed address: the unspecified one is always allowed, and cannot be given");
	return 0;
}

static int
conf_check(const struct switch_port_conf *conf, struct nrd_err *err)
{
	int r;

	if (conf->ifindex == 0)
		return nrd_fail(err, EINVAL, "PortConf", "ifindex: none given");
	if (conf->vid > VID_MAX)
		return nrd_fail(err, EINVAL, "PortConf", "VLAN id %u: it is 1 to %d", conf->vid, VID_MAX);
	if (conf->kind != SWITCH_VETH && conf->kind != SWITCH_TAP && conf->kind != SWITCH_NETKIT)
		return nrd_fail(err, EINVAL, "PortConf", "kind %u: there is none", conf->kind);
	if (conf->mtu != 0 && (conf->mtu < MTU_MIN || conf->mtu > MTU_MAX))
		return nrd_fail(err, EINVAL, "PortConf", "mtu %u: it is %d to %d", conf->mtu, MTU_MIN,
				MTU_MAX);
	if (!switch_maxbw_is_sound(conf->maxbw))
		return nrd_fail(err, EINVAL, "PortConf", "maxbw: it is at least %d bits a second",
				SWITCH_MAXBW_MIN);
	if (conf->n_allowed > SWITCH_PREFIXES_MAX)
		return nrd_fail(err, EINVAL, "PortConf", "allowed addresses: %zu, at most %d",
				conf->n_allowed, SWITCH_PREFIXES_MAX);
	if (conf->n_cids > SWITCH_CIDS_MAX)
		return nrd_fail(err, EINVAL, "PortConf", "allowed DHCP client ids: %zu, at most %d",
				conf->n_cids, SWITCH_CIDS_MAX);
	if (conf->n_secondary > SWITCH_SECONDARY_MAX)
		return nrd_fail(err, EINVAL, "PortConf", "secondary MAC addresses: %zu, at most %d",
				conf->n_secondary, SWITCH_SECONDARY_MAX);
	r = mac_check(&conf->mac, "MAC address", err);
	for (size_t i = 0; r >= 0 && i < conf->n_secondary; i++)
		r = mac_check(&conf->secondary[i], "secondary MAC address", err);
	for (size_t i = 0; r >= 0 && i < conf->n_allowed; i++)
		r = prefix_check(&conf->allowed[i], err);
	for (size_t i = 0; r >= 0 && i < conf->n_cids; i++)
		if (conf->cids[i].len == 0 || conf->cids[i].len > SWITCH_CID_BYTES)
			r = nrd_fail(err, EINVAL, "PortConf",
				     "allowed DHCP client id: %zu bytes, it has 1 to %d",
				     conf->cids[i].len, SWITCH_CID_BYTES);
	return r;
}

/* ---- MAC addresses ---- */

struct macs {
	struct nrd_mac mac[MACS_MAX];
	size_t n;
};

static void
macs_of_conf(const struct switch_port_conf *conf, struct macs *ret_macs)
{
	ret_macs->n = 1 + conf->n_secondary;
	ret_macs->mac[0] = conf->mac;
	for (size_t i = 0; i < conf->n_secondary; i++)
		ret_macs->mac[1 + i] = conf->secondary[i];
}

static void
macs_of_row(struct link_switch *sw, const struct switch_port_row *row, struct macs *ret_macs)
{
	struct switch_set_row set;

	(void)switch_set_read(sw, row->set, &set);
	ret_macs->n = 1 + (size_t)row->n_secondary;
	memcpy(ret_macs->mac[0].b, row->mac, sizeof(row->mac));
	for (size_t i = 0; i < row->n_secondary && i < SWITCH_SECONDARY_MAX; i++)
		memcpy(ret_macs->mac[1 + i].b, set.secondary[i], sizeof(set.secondary[i]));
}

static bool
macs_have(const struct macs *macs, const struct nrd_mac *mac)
{
	for (size_t i = 0; i < macs->n; i++)
		if (nrd_mac_equal(&macs->mac[i], mac))
			return true;
	return false;
}

static struct switch_fdb_key
fdb_key(const struct switch_port_row *row, const struct nrd_mac *mac)
{
	struct switch_fdb_key key = { .segment = row->segment, .vid = row->vid };

	memcpy(key.mac, mac->b, sizeof(key.mac));
	return key;
}

static int
macs_check(struct link_switch *sw, const struct switch_port_row *row, const struct macs *macs,
	   const struct switch_segment_row *segment, struct nrd_err *err)
{
	for (size_t i = 0; i < macs->n; i++) {
		struct switch_fdb_key key = fdb_key(row, &macs->mac[i]);
		char text[NRD_MAC_TEXT], name[SWITCH_IFNAME];
		struct switch_fdb_row has;

		nrd_mac_format(&macs->mac[i], text);
		if (segment->uplink != 0 && memcmp(segment->host_mac, key.mac, sizeof(key.mac)) == 0)
			return nrd_fail(err, EEXIST, "MacInUse", "MAC address %s: it is the node's on '%s'",
					text, segment->name);
		if (link_bpf_get(sw->maps[MAP_fdb], &key, &has) < 0 || has.port == row->port)
			continue;
		/* What a machine that is no more has left. */
		if (switch_port_reap(sw, has.ifindex))
			continue;
		switch_ifname(has.ifindex, name);
		return nrd_fail(err, EEXIST, "MacInUse", "MAC address %s: %s has it on '%s'", text, name,
				segment->name);
	}
	return 0;
}

static int
macs_set(struct link_switch *sw, const struct switch_port_row *row, unsigned ifindex,
	 const struct macs *macs, struct nrd_err *err)
{
	struct switch_fdb_row to = {
		.ifindex = ifindex,
		.port = row->port,
		.flags = row->kind != SWITCH_TAP && (row->protect & SWITCH_WATCHED) == 0 ? SWITCH_TO_PEER : 0,
		.mtu = row->mtu,
		.in_cost = row->in_cost,
		.protect = row->protect,
		.flows = row->flows,
	};

	for (size_t i = 0; i < macs->n; i++) {
		struct switch_fdb_key key = fdb_key(row, &macs->mac[i]);
		int r = link_bpf_set(sw->maps[MAP_fdb], &key, &to);

		if (r < 0)
			return switch_map_failed(r, "fdb", err);
	}
	return 0;
}

/* Those that are not in keep (NULL: all). */
static void
macs_unset(struct link_switch *sw, const struct switch_port_row *row, const struct macs *macs,
	   const struct macs *keep)
{
	for (size_t i = 0; i < macs->n; i++) {
		struct switch_fdb_key key = fdb_key(row, &macs->mac[i]);
		struct switch_fdb_row has;

		if (keep != NULL && macs_have(keep, &macs->mac[i]))
			continue;
		if (link_bpf_get(sw->maps[MAP_fdb], &key, &has) < 0 || has.port != row->port)
			continue;
		(void)link_bpf_del(sw->maps[MAP_fdb], &key);
		switch_uplink_forget(sw, row->segment, key.mac);
	}
}

/* ---- numbers ---- */

/* Row 0 of the table says where the last search ended. */
static int
number_find(struct link_switch *sw, unsigned ifindex, uint32_t *ret_port, struct nrd_err *err)
{
	struct switch_drop_row no_drops = { 0 };
	struct switch_clock_row clock = { 0 };
	uint32_t hint_at = 0, hint = 0, port, has;

	(void)link_bpf_get(sw->maps[MAP_numbers], &hint_at, &hint);
	for (uint32_t i = 1; i < SWITCH_PORTS_MAX; i++) {
		port = 1 + (hint + i - 1) % (SWITCH_PORTS_MAX - 1);
		if (link_bpf_get(sw->maps[MAP_numbers], &port, &has) < 0)
			continue;
		if (has != 0 && has != ifindex)
			continue;
		int r = link_bpf_set(sw->maps[MAP_numbers], &port, &ifindex);

		if (r < 0)
			return switch_map_failed(r, "numbers", err);
		(void)link_bpf_set(sw->maps[MAP_numbers], &hint_at, &port);
		(void)link_bpf_set(sw->maps[MAP_drops], &port, &no_drops);
		(void)link_bpf_set(sw->maps[MAP_clocks], &port, &clock);
		switch_counts_clear(sw, port);
		*ret_port = port;
		return 0;
	}
	return nrd_fail(err, ENOSPC, "PortsFull", "make a port: there are %d already",
			SWITCH_PORTS_MAX - 1);
}

static int ports_clean(struct link_switch *sw, size_t *ret_n, struct nrd_err *err);

/* Those of interfaces that are gone are looked for when they are needed. */
static int
number_take(struct link_switch *sw, unsigned ifindex, uint32_t *ret_port, struct nrd_err *err)
{
	size_t cleaned;
	int r = number_find(sw, ifindex, ret_port, err);

	if (r != -ENOSPC || ports_clean(sw, &cleaned, NULL) < 0)
		return r;
	return number_find(sw, ifindex, ret_port, err);
}

static void
number_give(struct link_switch *sw, uint32_t port)
{
	uint32_t none = 0;

	(void)link_bpf_set(sw->maps[MAP_numbers], &port, &none);
}

/* ---- rows ---- */

/* As illumos: with no address allowed, all ways to get one are. */
static unsigned
methods(const struct switch_port_conf *conf)
{
	return conf->n_allowed == 0 ? conf->protect | SWITCH_LEARN_ALL : conf->protect;
}

bool
switch_maxbw_is_sound(uint64_t bits_a_second)
{
	return bits_a_second == 0 || bits_a_second >= SWITCH_MAXBW_MIN;
}

uint64_t
switch_cost(uint64_t bits_a_second)
{
	return bits_a_second == 0 ? 0 : (8 * NS_A_SECOND << SWITCH_COST_SHIFT) / bits_a_second;
}

static void
row_addresses(struct switch_port_row *row, const struct switch_port_conf *conf)
{
	bool first4 = true, first6 = true;

	for (size_t i = 0; i < conf->n_allowed; i++) {
		const struct switch_prefix *p = &conf->allowed[i];

		if (p->family == AF_INET) {
			row->has_static4 = 1;
			if (p->bits == 32 && first4)
				memcpy(&row->ip4, p->addr, sizeof(row->ip4));
			first4 &= p->bits != 32;
		} else {
			row->has_static6 = 1;
			if (p->bits == 128 && first6)
				memcpy(row->ip6, p->addr, sizeof(row->ip6));
			first6 &= p->bits != 128;
		}
	}
}

static void
row_of_conf(const struct switch_port_conf *conf, const struct switch_port_row *old,
	    struct switch_port_row *ret_row)
{
	struct switch_port_row row = {
		.port = old->port,
		.segment = conf->segment,
		.protect = methods(conf) | (old->protect & SWITCH_WATCHED) | (conf->dhcp != NULL ? SWITCH_ANSWER_DHCPV4 : 0),
		.vid = (uint16_t)conf->vid,
		.kind = (uint8_t)conf->kind,
		.n_secondary = (uint8_t)conf->n_secondary,
		.slot = old->slot,
		.mtu = conf->mtu,
		.priority = switch_priority_row(conf->priority),
		.rules = conf->rules,
		.flows = old->flows,
		.generation = old->generation + 1,
		.out_cost = switch_cost(conf->maxbw),
		.in_cost = switch_cost(conf->maxbw),
		.group_cost = NS_A_SECOND / (conf->group_rate != 0 ? conf->group_rate : SWITCH_GROUP_RATE),
		.bits_a_second = conf->maxbw,
	};

	memcpy(row.mac, conf->mac.b, sizeof(row.mac));
	row_addresses(&row, conf);
	if (conf->n_allowed + conf->n_cids + conf->n_secondary > 0)
		row.set = row.port << 16 | (row.generation & 0xffff);
	*ret_row = row;
}

/* ---- the steps ---- */

static int
interface_prepare(unsigned ifindex, const struct switch_port_conf *conf, bool new, struct nrd_err *err)
{
	int r = new ? link_set_mute(ifindex, err) : 0;

	if (r >= 0 && conf->mtu != 0)
		r = link_set_mtu(ifindex, conf->mtu, err);
	if (r < 0 || (!new && conf->maxbw == 0))
		return r;
	r = switch_pace_start(ifindex);
	if (r < 0 && (conf->maxbw != 0 || r == -ENODEV))
		return nrd_fail(err, -r, "PortPace", "give interface %u a queue that paces (fq): %m",
				ifindex);
	return 0;
}

/* What can fail, up to the row; and what makes it whole. */
static int
port_make(struct link_switch *sw, const struct switch_port_conf *conf, const struct macs *macs,
	  struct switch_port_row *row, bool new, struct nrd_err *err)
{
	int r = interface_prepare(conf->ifindex, conf, new, err);

	if (r >= 0 && row->set != 0)
		r = switch_set_make(sw, row->set, conf, err);
	if (r >= 0 && conf->dhcp != NULL)
		r = switch_dhcp_set(sw, row->port, conf, err);
	if (r >= 0)
		r = switch_link_attach(sw, conf->ifindex, PROGRAM_from_port,
				       conf->kind == SWITCH_NETKIT ? BPF_NETKIT_PEER : BPF_TCX_INGRESS, err);
	if (r >= 0)
		r = nrd_fault(err, "register the MAC addresses");
	if (r >= 0)
		r = macs_set(sw, row, conf->ifindex, macs, err);
	if (r >= 0)
		r = switch_domain_add(sw, row, conf->ifindex, new, err);
	if (r >= 0)
		r = nrd_fault(err, "write the port's row");
	if (r < 0)
		return r;
	r = link_bpf_set(sw->maps[MAP_ports], &conf->ifindex, row);
	return r < 0 ? switch_map_failed(r, "ports", err) : 0;
}

/* A new port's leavings; the interface is down. */
static void
port_unmake(struct link_switch *sw, unsigned ifindex, const struct switch_port_row *row,
	    const struct macs *macs)
{
	macs_unset(sw, row, macs, NULL);
	switch_domain_remove(sw, row, ifindex);
	(void)link_bpf_del(sw->maps[MAP_ports], &ifindex);
	switch_link_detach(sw, ifindex, PROGRAM_from_port);
	switch_owners_release(sw, row, true);
	switch_set_remove(sw, row->set);
	switch_flows_drop(sw, row);
	switch_dhcp_remove(sw, row->port);
	number_give(sw, row->port);
}

static int
set_new(struct link_switch *sw, const struct switch_port_conf *conf,
	const struct switch_segment_row *segment, struct nrd_err *err)
{
	struct switch_port_row row, none = { 0 };
	struct macs macs;
	int r = number_take(sw, conf->ifindex, &none.port, err);

	if (r < 0)
		return r;
	macs_of_conf(conf, &macs);
	row_of_conf(conf, &none, &row);
	r = macs_check(sw, &row, &macs, segment, err);
	if (r < 0) {
		number_give(sw, row.port);
		return r;
	}
	r = port_make(sw, conf, &macs, &row, true, err);
	if (r >= 0) {
		switch_owners_claim(sw, &row);
		switch_uplink_hear(sw, &row, macs.mac, macs.n);
		r = link_set_up(conf->ifindex, true, err);
	}
	if (r < 0)
		port_unmake(sw, conf->ifindex, &row, &macs);
	return r;
}

static int
set_old(struct link_switch *sw, const struct switch_port_conf *conf,
	const struct switch_segment_row *segment, const struct switch_port_row *old,
	struct nrd_err *err)
{
	struct macs macs, old_macs;
	struct switch_port_row row;
	struct switch_dhcp_row told;
	bool tells = link_bpf_get(sw->maps[MAP_dhcp], &old->port, &told) == 0;
	char name[SWITCH_IFNAME];
	int r;

	switch_ifname(conf->ifindex, name);
	if (old->segment != conf->segment || old->vid != conf->vid || old->kind != conf->kind)
		return nrd_fail(err, EINVAL, "PortMove",
				"change port %s: its segment, VLAN and kind stay; remove the port first",
				name);
	macs_of_conf(conf, &macs);
	macs_of_row(sw, old, &old_macs);
	row_of_conf(conf, old, &row);
	if (row.mtu == 0)
		row.mtu = old->mtu;
	r = macs_check(sw, &row, &macs, segment, err);
	if (r < 0)
		return r;
	r = port_make(sw, conf, &macs, &row, false, err);
	if (r < 0) {
		macs_unset(sw, old, &macs, &old_macs);
		(void)macs_set(sw, old, conf->ifindex, &old_macs, NULL);
		switch_set_remove(sw, row.set);
		if (tells)
			(void)link_bpf_set(sw->maps[MAP_dhcp], &old->port, &told);
		else
			switch_dhcp_remove(sw, old->port);
		return nrd_wrap(err, r, "change port %s", name);
	}
	macs_unset(sw, old, &old_macs, &macs);
	switch_owners_release(sw, old, false);
	switch_owners_claim(sw, &row);
	switch_set_remove(sw, old->set);
	if (conf->dhcp == NULL)
		switch_dhcp_remove(sw, row.port);
	switch_uplink_hear(sw, &row, macs.mac, macs.n);
	return link_set_up(conf->ifindex, true, err);
}

int
switch_port_set(struct link_switch *sw, const struct switch_port_conf *conf, struct nrd_err *err)
{
	struct switch_segment_row segment;
	struct switch_port_row old;
	NRD_CLOSE int lock = -1;
	int r = conf_check(conf, err);

	if (r >= 0)
		r = switch_lock(sw, &lock, err);
	if (r >= 0)
		r = switch_segment_read(sw, conf->segment, &segment, err);
	if (r < 0)
		return r;
	if (segment.uplink == conf->ifindex)
		return nrd_fail(err, EINVAL, "PortConf", "ifindex %u: it is the uplink of '%s'",
				conf->ifindex, segment.name);
	if (link_bpf_get(sw->maps[MAP_ports], &conf->ifindex, &old) == 0) {
		if (switch_link_alive(sw, conf->ifindex, PROGRAM_from_port))
			return set_old(sw, conf, &segment, &old, err);
		/* Of an interface that had this index before. */
		r = switch_port_drop(sw, conf->ifindex, err);
		if (r < 0)
			return r;
	}
	return set_new(sw, conf, &segment, err);
}

int
switch_port_drop(struct link_switch *sw, unsigned ifindex, struct nrd_err *err)
{
	struct switch_port_row row;
	struct macs macs;
	int r = 0;

	/*
	 * One that stays up without its program would reach the node's own stack. Where the program is
	 * not attached the interface is gone, and one of that index is another.
	 */
	if (switch_link_alive(sw, ifindex, PROGRAM_from_port))
		r = link_set_up(ifindex, false, err);
	if (r < 0 && r != -ENODEV)
		return nrd_wrap(err, r, "remove port");
	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0) {
		switch_link_detach(sw, ifindex, PROGRAM_from_port);
		return 0;
	}
	macs_of_row(sw, &row, &macs);
	port_unmake(sw, ifindex, &row, &macs);
	return 0;
}

int
switch_port_remove(struct link_switch *sw, unsigned ifindex, struct nrd_err *err)
{
	struct switch_port_row row;
	NRD_CLOSE int lock = -1;
	int r = switch_lock(sw, &lock, err);

	if (r < 0)
		return r;
	/* Never set down what was never a port: an uplink, say. */
	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0)
		return 0;
	return switch_port_drop(sw, ifindex, err);
}

int
switch_port_write(struct link_switch *sw, unsigned ifindex, const struct switch_port_row *row, struct nrd_err *err)
{
	struct macs macs;
	int r;

	macs_of_row(sw, row, &macs);
	r = macs_set(sw, row, ifindex, &macs, err);
	if (r < 0)
		return r;
	r = link_bpf_set(sw->maps[MAP_ports], &ifindex, row);
	return r < 0 ? switch_map_failed(r, "ports", err) : 0;
}

int
switch_port_watch(struct link_switch *sw, unsigned ifindex, bool on, struct nrd_err *err)
{
	struct switch_port_row row;
	NRD_CLOSE int lock = -1;
	int r = switch_lock(sw, &lock, err);

	if (r < 0)
		return r;
	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0)
		return nrd_fail(err, ENOENT, "PortNotFound", "interface %u is no port of the switch",
				ifindex);
	row.protect = on ? row.protect | SWITCH_WATCHED : row.protect & ~SWITCH_WATCHED;
	return switch_port_write(sw, ifindex, &row, err);
}

bool
switch_port_reap(struct link_switch *sw, unsigned ifindex)
{
	return !switch_link_alive(sw, ifindex, PROGRAM_from_port) && switch_port_drop(sw, ifindex, NULL) == 0;
}

static int
ports_clean(struct link_switch *sw, size_t *ret_n, struct nrd_err *err)
{
	struct switch_port_row row;

	*ret_n = 0;
	for (uint32_t port = 1; port < SWITCH_PORTS_MAX; port++) {
		unsigned ifindex;
		int r;

		if (link_bpf_get(sw->maps[MAP_numbers], &port, &ifindex) < 0 || ifindex == 0)
			continue;
		if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0) {
			/* Of a command that was killed before the interface was up. */
			switch_link_detach(sw, ifindex, PROGRAM_from_port);
			number_give(sw, port);
			continue;
		}
		if (row.port != port) {
			number_give(sw, port);
			continue;
		}
		if (switch_link_alive(sw, ifindex, PROGRAM_from_port))
			continue;
		r = switch_port_drop(sw, ifindex, err);
		if (r < 0)
			return r;
		++*ret_n;
	}
	return 0;
}

int
switch_clean(struct link_switch *sw, size_t *ret_n, struct nrd_err *err)
{
	NRD_CLOSE int lock = -1;
	size_t n;
	int r = switch_lock(sw, &lock, err);

	if (r >= 0)
		r = ports_clean(sw, &n, err);
	if (r < 0)
		return r;
	n += switch_uplinks_clean(sw);
	if (ret_n != NULL)
		*ret_n = n;
	return 0;
}
