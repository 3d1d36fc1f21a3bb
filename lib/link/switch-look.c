/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Ports and counts, as they are. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"
#include "nrd/file.h"
#include "nrd/str.h"

static const uint32_t priorities[] = {
	[SWITCH_PRIORITY_MEDIUM] = TC_PRIO_BESTEFFORT,
	[SWITCH_PRIORITY_HIGH] = TC_PRIO_INTERACTIVE,
	[SWITCH_PRIORITY_LOW] = TC_PRIO_FILLER,
};

uint32_t
switch_priority_row(enum switch_priority priority)
{
	return (unsigned)priority < nrd_count(priorities) ? priorities[priority] : 0;
}

enum switch_priority
switch_priority_of(uint32_t row)
{
	for (size_t i = 0; i < nrd_count(priorities); i++)
		if (priorities[i] == row)
			return (enum switch_priority)i;
	return SWITCH_PRIORITY_MEDIUM;
}

static void
port_of_row(struct link_switch *sw, unsigned ifindex, const struct switch_port_row *row,
	    struct switch_port *ret_port)
{
	struct switch_set_row set;

	*ret_port = (struct switch_port){
		.ifindex = ifindex,
		.port = row->port,
		.segment = row->segment,
		.vid = row->vid,
		.kind = row->kind,
		.mtu = row->mtu,
		.protect = row->protect & ~SWITCH_WATCHED,
		.maxbw = row->bits_a_second,
		.priority = switch_priority_of(row->priority),
		.rules = row->rules,
	};
	memcpy(ret_port->mac.b, row->mac, sizeof(row->mac));
	(void)switch_set_read(sw, row->set, &set);
	ret_port->n_allowed = set.n_prefixes;
	for (uint32_t i = 0; i < set.n_prefixes; i++) {
		struct switch_prefix *p = &ret_port->allowed[i];

		p->family = set.prefixes[i].family == 4 ? AF_INET : AF_INET6;
		p->bits = set.prefixes[i].bits;
		memcpy(p->addr, set.prefixes[i].addr, sizeof(p->addr));
	}
}

int
switch_port_get(struct link_switch *sw, unsigned ifindex, struct switch_port *ret_port,
		struct nrd_err *err)
{
	struct switch_port_row row;

	if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0) {
		char name[SWITCH_IFNAME];

		switch_ifname(ifindex, name);
		return nrd_fail(err, ENOENT, "PortNotFound", "%s is no port of the switch", name);
	}
	port_of_row(sw, ifindex, &row, ret_port);
	return 0;
}

int
switch_port_each(struct link_switch *sw, switch_port_fn *fn, void *arg, struct nrd_err *err)
{
	struct switch_port_row row;
	struct switch_port port;

	for (uint32_t number = 1; number < SWITCH_PORTS_MAX; number++) {
		unsigned ifindex;
		int r;

		if (link_bpf_get(sw->maps[MAP_numbers], &number, &ifindex) < 0 || ifindex == 0)
			continue;
		if (link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0 || row.port != number)
			continue; /* being made */
		port_of_row(sw, ifindex, &row, &port);
		r = fn(arg, &port, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- counts: a per-processor table is read and written for all possible processors at once ---- */

#define POSSIBLE "/sys/devices/system/cpu/possible"

/* "0-3,8": one more than the last number. */
size_t
switch_cpus(void)
{
	static size_t known;
	NRD_FREE char *text = NULL;
	struct nrd_str rest, part;
	uint64_t last = 0;

	if (known != 0)
		return known;
	if (nrd_file_read(POSSIBLE, 4096, &text, NULL, NULL) < 0)
		return 0;
	rest = nrd_str_trim(nrd_str(text));
	for (char *p = text; p < text + rest.len; p++)
		if (*p == '-')
			*p = ',';
	rest = nrd_str_trim(nrd_str(text));
	while (nrd_str_split(&rest, ',', &part)) {
		NRD_FREE char *number = nrd_str_dup(part);
		uint64_t v;

		if (number != NULL && nrd_parse_u64(number, 0, 65535, &v, NULL) == 0 && v > last)
			last = v;
	}
	known = (size_t)last + 1;
	return known;
}

void
switch_counts_clear(struct link_switch *sw, uint32_t port)
{
	size_t cpus = switch_cpus();
	NRD_FREE struct switch_count_row *rows = calloc(cpus, sizeof(*rows));

	if (rows != NULL && cpus > 0)
		(void)link_bpf_set(sw->maps[MAP_counts], &port, rows);
}

int
switch_counts_read(struct link_switch *sw, unsigned ifindex, struct switch_counts *ret_counts,
		   struct nrd_err *err)
{
	size_t cpus = switch_cpus();
	NRD_FREE struct switch_count_row *rows = calloc(cpus, sizeof(*rows));
	struct switch_counts counts = { 0 };
	struct switch_drop_row drops;
	struct switch_port_row row = { 0 };
	int r;

	if (cpus == 0)
		return nrd_fail(err, EIO, "SwitchCounts", "read %s: %m", POSSIBLE);
	if (rows == NULL)
		return nrd_nomem(err);
	if (ifindex != 0 && link_bpf_get(sw->maps[MAP_ports], &ifindex, &row) < 0)
		return nrd_fail(err, ENOENT, "PortNotFound", "interface %u is no port of the switch",
				ifindex);
	r = link_bpf_get(sw->maps[MAP_counts], &row.port, rows);
	if (r >= 0)
		r = link_bpf_get(sw->maps[MAP_drops], &row.port, &drops);
	if (r < 0)
		return nrd_fail(err, -r, "SwitchCounts", "read the counts of interface %u: %m", ifindex);
	for (size_t i = 0; i < cpus; i++) {
		counts.out_frames += rows[i].out_frames;
		counts.out_bytes += rows[i].out_bytes;
		counts.in_frames += rows[i].in_frames;
		counts.in_bytes += rows[i].in_bytes;
	}
	memcpy(counts.drops, drops.frames, sizeof(counts.drops));
	*ret_counts = counts;
	return 0;
}
