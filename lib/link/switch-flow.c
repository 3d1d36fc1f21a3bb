/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Flows of a port. A change makes a whole new set, as that of a port's addresses does: its keys, then the port's rows are
 * pointed to it, then the old one is taken away. What stays the same keeps its number, and with it its counts and clocks.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"
#include "nrd/fault.h"

#define IP_TCP 6
#define IP_UDP 17
#define IP_SCTP 132
#define DS_VALUES 256
#define SET_BITS 32

/* ---- what may be asked for ---- */

static int
name_check(const char *name, struct nrd_err *err)
{
	size_t len = strnlen(name, SWITCH_FLOW_NAME_MAX);

	if (len == 0 || len == SWITCH_FLOW_NAME_MAX || !isalpha((unsigned char)name[0]))
		return nrd_fail(err, EINVAL, "FlowConf", "invalid flow name '%.40s': it begins with a letter and has at most %d characters",
				name, SWITCH_FLOW_NAME_MAX - 1);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("_.-", *c) == NULL)
			return nrd_fail(err, EINVAL, "FlowConf", "invalid flow name '%s': it consists of letters, digits, '_', '.' and '-'",
					name);
	return 0;
}

static bool
has_port(enum switch_flow_shape shape)
{
	return shape == SWITCH_FLOW_LOCAL_PORT || shape == SWITCH_FLOW_REMOTE_PORT;
}

static int
flow_check(const struct switch_flow *f, struct nrd_err *err)
{
	unsigned most = f->addr.family == AF_INET ? 32 : 128;

	if (!switch_maxbw_is_sound(f->maxbw))
		return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': maxbw is at least %d bits a second", f->name, SWITCH_MAXBW_MIN);
	switch (f->shape) {
	case SWITCH_FLOW_LOCAL_IP:
	case SWITCH_FLOW_REMOTE_IP:
		if ((f->addr.family != AF_INET && f->addr.family != AF_INET6) || f->addr.bits == 0 || f->addr.bits > most)
			return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': its prefix has 1 to %u bits", f->name, most);
		return 0;
	case SWITCH_FLOW_TRANSPORT:
		return f->transport > 0 && f->transport < 256 ? 0 :
			nrd_fail(err, EINVAL, "FlowConf", "flow '%s': there is no transport %u", f->name, f->transport);
	case SWITCH_FLOW_LOCAL_PORT:
	case SWITCH_FLOW_REMOTE_PORT:
		if (f->transport != IP_TCP && f->transport != IP_UDP && f->transport != IP_SCTP)
			return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': ports are of tcp, udp and sctp", f->name);
		return f->port > 0 && f->port < 65536 ? 0 : nrd_fail(err, EINVAL, "FlowConf", "flow '%s': a port is 1 to 65535", f->name);
	case SWITCH_FLOW_DSFIELD:
		if (f->dsfield > 255 || f->mask == 0 || f->mask > 255 || (f->dsfield & ~f->mask) != 0)
			return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': dsfield 0x%x is not within its mask 0x%x", f->name, f->dsfield,
					f->mask);
		return 0;
	default:
		return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': it is told apart by nothing", f->name);
	}
}

/* Of prefixes the bits that count. */
static void
prefix_cut(const struct switch_prefix *p, uint8_t ret_addr[16])
{
	memset(ret_addr, 0, 16);
	for (unsigned i = 0; i < 16 && i * 8 < p->bits; i++)
		ret_addr[i] = p->bits >= (i + 1) * 8 ? p->addr[i] : (uint8_t)(p->addr[i] & 0xff << (8 - p->bits % 8));
}

static bool
same_meaning(const struct switch_flow *a, const struct switch_flow *b)
{
	uint8_t x[16], y[16];

	if (a->shape != b->shape)
		return false;
	switch (a->shape) {
	case SWITCH_FLOW_LOCAL_IP:
	case SWITCH_FLOW_REMOTE_IP:
		prefix_cut(&a->addr, x);
		prefix_cut(&b->addr, y);
		return a->addr.family == b->addr.family && a->addr.bits == b->addr.bits && memcmp(x, y, sizeof(x)) == 0;
	case SWITCH_FLOW_DSFIELD:
		return a->dsfield == b->dsfield && a->mask == b->mask;
	default:
		return a->transport == b->transport && (!has_port(a->shape) || a->port == b->port);
	}
}

static int
flows_check(const struct switch_flow *flows, size_t n, struct nrd_err *err)
{
	if (n > SWITCH_PORT_FLOWS_MAX)
		return nrd_fail(err, ENOSPC, "FlowsFull", "a link has at most %d flows", SWITCH_PORT_FLOWS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = name_check(flows[i].name, err);

		if (r >= 0)
			r = flow_check(&flows[i], err);
		if (r < 0)
			return r;
		if (flows[i].shape != flows[0].shape)
			return nrd_fail(err, EINVAL, "FlowConf", "flow '%s': all flows of a link are told apart by the same attributes, and "
					"'%s' has others", flows[i].name, flows[0].name);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(flows[i].name, flows[j].name) == 0)
				return nrd_fail(err, EEXIST, "FlowExists", "flow '%s': object already exists", flows[i].name);
			if (same_meaning(&flows[i], &flows[j]))
				return nrd_fail(err, EEXIST, "FlowExists", "flow '%s': '%s' is the same", flows[i].name, flows[j].name);
		}
	}
	return 0;
}

/* ---- sets ---- */

static void
desc_of(const struct switch_flow *f, struct switch_flow_desc *ret)
{
	*ret = (struct switch_flow_desc){
		.number = f->number,
		.tport = (uint16_t)f->port,
		.transport = (uint8_t)f->transport,
		.dsfield = (uint8_t)f->dsfield,
		.mask = (uint8_t)f->mask,
		.family = f->addr.family == AF_INET ? 4 : 6,
		.bits = (uint8_t)f->addr.bits,
	};
	memcpy(ret->name, f->name, sizeof(ret->name));
	prefix_cut(&f->addr, ret->addr);
}

static int
key_change(struct link_switch *sw, struct switch_flow_key *key, unsigned bits, uint32_t number)
{
	key->bits = SET_BITS + bits;
	return number != 0 ? link_bpf_set(sw->maps[MAP_flow_keys], key, &number) : link_bpf_del(sw->maps[MAP_flow_keys], key);
}

/* Of the masks that fit a value the longest; of two that are as long the one that was there first. */
static const struct switch_flow_desc *
by_dsfield(const struct switch_flow_set_row *row, unsigned value)
{
	const struct switch_flow_desc *best = NULL;

	for (uint32_t i = 0; i < row->n; i++) {
		const struct switch_flow_desc *d = &row->flows[i];

		if ((value & d->mask) == d->dsfield && (best == NULL || __builtin_popcount(d->mask) > __builtin_popcount(best->mask)))
			best = d;
	}
	return best;
}

static int
dsfields_change(struct link_switch *sw, uint32_t word, const struct switch_flow_set_row *row, bool add)
{
	int r = 0;

	for (unsigned value = 0; r >= 0 && value < DS_VALUES; value++) {
		const struct switch_flow_desc *d = by_dsfield(row, value);
		struct switch_flow_key key = { .set = word, .data = { 0, (uint8_t)value } };

		if (d != NULL)
			r = key_change(sw, &key, 16, add ? d->number : 0);
		if (!add)
			r = 0;
	}
	return r;
}

/* Its keys, made or taken away. */
static int
keys_change(struct link_switch *sw, uint32_t word, const struct switch_flow_set_row *row, bool add)
{
	enum switch_flow_shape shape = word >> SWITCH_FLOW_SHAPE_SHIFT;
	int r = 0;

	if (shape == SWITCH_FLOW_DSFIELD)
		return dsfields_change(sw, word, row, add);
	for (uint32_t i = 0; r >= 0 && i < row->n; i++) {
		const struct switch_flow_desc *d = &row->flows[i];
		struct switch_flow_key key = { .set = word };
		unsigned bits = 8;

		if (shape == SWITCH_FLOW_LOCAL_IP || shape == SWITCH_FLOW_REMOTE_IP) {
			key.data[0] = d->family;
			memcpy(key.data + 1, d->addr, sizeof(d->addr));
			bits += d->bits;
		} else {
			key.data[1] = d->transport;
			key.data[2] = (uint8_t)(d->tport >> 8);
			key.data[3] = (uint8_t)d->tport;
			bits += has_port(shape) ? 24 : 8;
		}
		r = key_change(sw, &key, bits, add ? d->number : 0);
		if (!add)
			r = 0;
	}
	return r;
}

static bool
set_read(struct link_switch *sw, uint32_t word, struct switch_flow_set_row *ret)
{
	if (word != 0 && link_bpf_get(sw->maps[MAP_flow_sets], &word, ret) == 0 && ret->n <= SWITCH_PORT_FLOWS_MAX)
		return true;
	memset(ret, 0, sizeof(*ret));
	return false;
}

static void
set_remove(struct link_switch *sw, uint32_t word, const struct switch_flow_set_row *row)
{
	if (word == 0)
		return;
	(void)keys_change(sw, word, row, false);
	(void)link_bpf_del(sw->maps[MAP_flow_sets], &word);
}

/* The row first: whoever finds it can take away what is there of it. */
static int
set_make(struct link_switch *sw, uint32_t word, const struct switch_flow_set_row *row, struct nrd_err *err)
{
	int r = nrd_fault(err, "make the set of flows");

	if (r < 0)
		return r;
	r = link_bpf_set(sw->maps[MAP_flow_sets], &word, row);
	if (r < 0)
		return switch_map_failed(r, "flow_sets", err);
	r = keys_change(sw, word, row, true);
	if (r >= 0)
		return 0;
	set_remove(sw, word, row);
	return switch_map_failed(r, "flow_keys", err);
}

/* ---- numbers ---- */

static void
counts_clear(struct link_switch *sw, uint32_t number)
{
	size_t cpus = switch_cpus();
	NRD_FREE struct switch_flow_count_row *rows = calloc(cpus + 1, sizeof(*rows));

	if (rows != NULL && cpus > 0)
		(void)link_bpf_set(sw->maps[MAP_flow_counts], &number, rows);
}

static int
number_take(struct link_switch *sw, uint32_t port, uint32_t *from, uint32_t *ret_number, struct nrd_err *err)
{
	struct switch_flow_row row, mine = { .port = port };
	struct switch_flow_clock_row clock = { 0 };

	for (; *from < SWITCH_FLOWS_MAX; ++*from) {
		if (link_bpf_get(sw->maps[MAP_flow_rows], from, &row) < 0 || row.port != 0)
			continue;
		(void)link_bpf_set(sw->maps[MAP_flow_clocks], from, &clock);
		counts_clear(sw, *from);
		*ret_number = *from;
		return link_bpf_set(sw->maps[MAP_flow_rows], from, &mine);
	}
	return nrd_fail(err, ENOSPC, "FlowsFull", "there are %d flows already", SWITCH_FLOWS_MAX - 1);
}

static void
number_give(struct link_switch *sw, uint32_t number)
{
	struct switch_flow_row none = { 0 };

	if (number != 0 && number < SWITCH_FLOWS_MAX)
		(void)link_bpf_set(sw->maps[MAP_flow_rows], &number, &none);
}

static bool
has_number(const struct switch_flow_set_row *row, uint32_t number)
{
	for (uint32_t i = 0; i < row->n; i++)
		if (row->flows[i].number == number)
			return true;
	return false;
}

/* Those of one set that are not in another. */
static void
numbers_give(struct link_switch *sw, const struct switch_flow_set_row *row, const struct switch_flow_set_row *keep)
{
	for (uint32_t i = 0; i < row->n; i++)
		if (!has_number(keep, row->flows[i].number))
			number_give(sw, row->flows[i].number);
}

/* ---- changing ---- */

static void
flow_of_desc(const struct switch_flow_desc *d, enum switch_flow_shape shape, struct switch_flow *ret)
{
	*ret = (struct switch_flow){
		.shape = shape, .transport = d->transport, .port = d->tport, .dsfield = d->dsfield, .mask = d->mask, .number = d->number,
	};
	memcpy(ret->name, d->name, sizeof(ret->name));
	ret->name[sizeof(ret->name) - 1] = '\0';
	if (shape != SWITCH_FLOW_LOCAL_IP && shape != SWITCH_FLOW_REMOTE_IP)
		return;
	ret->addr.family = d->family == 4 ? AF_INET : AF_INET6;
	ret->addr.bits = d->bits;
	memcpy(ret->addr.addr, d->addr, sizeof(d->addr));
}

/* The number of one that is the same, 0: it is new. */
static uint32_t
number_of(const struct switch_flow *f, const struct switch_flow_set_row *old, uint32_t old_word)
{
	for (uint32_t i = 0; i < old->n; i++) {
		struct switch_flow has;

		flow_of_desc(&old->flows[i], old_word >> SWITCH_FLOW_SHAPE_SHIFT, &has);
		if (strcmp(has.name, f->name) == 0 && same_meaning(&has, f))
			return has.number;
	}
	return 0;
}

static int
row_write(struct link_switch *sw, uint32_t port, const struct switch_flow *f, uint32_t number, struct nrd_err *err)
{
	const struct switch_flow_row row = {
		.port = port,
		.cost = switch_cost(f->maxbw),
		.bits_a_second = f->maxbw,
		.has_priority = f->has_priority,
		.priority = switch_priority_row(f->priority),
	};
	int r = link_bpf_set(sw->maps[MAP_flow_rows], &number, &row);

	return r < 0 ? switch_map_failed(r, "flow_rows", err) : 0;
}

/* Of those that are kept, or of those that are new, which nothing is yet looked up by. */
static int
rows_write(struct link_switch *sw, uint32_t port, const struct switch_flow *flows, size_t n, const struct switch_flow_set_row *new,
	   const struct switch_flow_set_row *old, bool kept, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (has_number(old, new->flows[i].number) == kept)
			r = row_write(sw, port, &flows[i], new->flows[i].number, err);
	return r;
}

/* The new set with its numbers; those that are new are given back when it fails. */
static int
numbers_take(struct link_switch *sw, uint32_t port, const struct switch_flow *flows, size_t n, const struct switch_flow_set_row *old,
	     uint32_t old_word, struct switch_flow_set_row *new, struct nrd_err *err)
{
	uint32_t from = 1;
	int r = 0;

	memset(new, 0, sizeof(*new));
	for (size_t i = 0; r >= 0 && i < n; i++) {
		desc_of(&flows[i], &new->flows[i]);
		new->flows[i].number = number_of(&flows[i], old, old_word);
		if (new->flows[i].number == 0)
			r = number_take(sw, port, &from, &new->flows[i].number, err);
		new->n = (uint32_t)i + 1;
	}
	if (r < 0)
		numbers_give(sw, new, old);
	return r;
}

static int
pace(unsigned ifindex, const struct switch_flow *flows, size_t n, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (flows[i].maxbw != 0)
			r = switch_pace_start(ifindex);
	return r < 0 ? nrd_fail(err, -r, "PortPace", "give interface %u a queue that paces (fq): %m", ifindex) : 0;
}

static int
replace(struct link_switch *sw, unsigned ifindex, struct switch_port_row *row, const struct switch_flow *flows, size_t n,
	struct switch_flow_set_row *old, struct switch_flow_set_row *new, struct nrd_err *err)
{
	uint32_t old_word = row->flows;
	int r = numbers_take(sw, row->port, flows, n, old, old_word, new, err);

	if (r < 0)
		return r;
	row->generation++;
	row->flows = n > 0 ? SWITCH_FLOWS_WORD(flows[0].shape, row->port, row->generation) : 0;
	if (n > 0)
		r = set_make(sw, row->flows, new, err);
	r = r < 0 ? r : rows_write(sw, row->port, flows, n, new, old, false, err);
	if (r >= 0)
		r = nrd_fault(err, "write the port's rows");
	if (r >= 0)
		r = switch_port_write(sw, ifindex, row, err);
	if (r < 0) {
		set_remove(sw, row->flows, new);
		numbers_give(sw, new, old);
		return r;
	}
	set_remove(sw, old_word, old);
	numbers_give(sw, old, new);
	return rows_write(sw, row->port, flows, n, new, old, true, err);
}

static int
port_read(struct link_switch *sw, unsigned ifindex, struct switch_port_row *ret, struct nrd_err *err)
{
	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, ret) == 0)
		return 0;
	return nrd_fail(err, ENOENT, "PortNotFound", "interface %u is no port of the switch", ifindex);
}

int
switch_flows_set(struct link_switch *sw, unsigned ifindex, const struct switch_flow *flows, size_t n, struct nrd_err *err)
{
	NRD_FREE struct switch_flow_set_row *old = malloc(sizeof(*old)), *new = malloc(sizeof(*new));
	struct switch_port_row row;
	NRD_CLOSE int lock = -1;
	int r = flows_check(flows, n, err);

	if (old == NULL || new == NULL)
		return nrd_nomem(err);
	if (r >= 0)
		r = switch_lock(sw, &lock, err);
	if (r >= 0)
		r = port_read(sw, ifindex, &row, err);
	if (r >= 0)
		r = pace(ifindex, flows, n, err);
	if (r < 0)
		return r;
	(void)set_read(sw, row.flows, old);
	return replace(sw, ifindex, &row, flows, n, old, new, err);
}

void
switch_flows_drop(struct link_switch *sw, const struct switch_port_row *row)
{
	NRD_FREE struct switch_flow_set_row *set = row->flows != 0 ? malloc(sizeof(*set)) : NULL;
	const struct switch_flow_set_row none = { 0 };

	if (set == NULL || !set_read(sw, row->flows, set))
		return;
	set_remove(sw, row->flows, set);
	numbers_give(sw, set, &none);
}

/* ---- looking ---- */

int
switch_flows_read(struct link_switch *sw, unsigned ifindex, struct switch_flow ret_flows[SWITCH_PORT_FLOWS_MAX], size_t *ret_n,
		  struct nrd_err *err)
{
	NRD_FREE struct switch_flow_set_row *set = malloc(sizeof(*set));
	struct switch_port_row port;
	struct switch_flow_row row;
	int r = set != NULL ? port_read(sw, ifindex, &port, err) : nrd_nomem(err);

	if (r < 0)
		return r;
	(void)set_read(sw, port.flows, set);
	for (uint32_t i = 0; i < set->n; i++) {
		struct switch_flow *f = &ret_flows[i];

		flow_of_desc(&set->flows[i], port.flows >> SWITCH_FLOW_SHAPE_SHIFT, f);
		if (link_bpf_get(sw->maps[MAP_flow_rows], &f->number, &row) < 0)
			continue;
		f->maxbw = row.bits_a_second;
		f->has_priority = row.has_priority != 0;
		f->priority = switch_priority_of(row.priority);
	}
	*ret_n = set->n;
	return 0;
}

int
switch_flow_counts_read(struct link_switch *sw, uint32_t number, struct switch_flow_counts *ret_counts, struct nrd_err *err)
{
	size_t cpus = switch_cpus();
	NRD_FREE struct switch_flow_count_row *rows = calloc(cpus + 1, sizeof(*rows));
	struct switch_flow_counts c = { 0 };
	int r;

	if (rows == NULL)
		return nrd_nomem(err);
	r = cpus > 0 ? link_bpf_get(sw->maps[MAP_flow_counts], &number, rows) : -EIO;
	if (r < 0)
		return nrd_fail(err, -r, "SwitchCounts", "read the counts of flow %u: %m", number);
	for (size_t i = 0; i < cpus; i++) {
		c.out_frames += rows[i].out_frames;
		c.out_bytes += rows[i].out_bytes;
		c.out_drops += rows[i].out_drops;
		c.in_frames += rows[i].in_frames;
		c.in_bytes += rows[i].in_bytes;
		c.in_drops += rows[i].in_drops;
	}
	*ret_counts = c;
	return 0;
}
