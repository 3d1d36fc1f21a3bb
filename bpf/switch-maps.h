/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "switch.abi.h"

#define SWITCH_MAP(name, kind, entries, key_type, value_type, flags) \
	struct {                                                     \
		__uint(type, BPF_MAP_TYPE_##kind);                   \
		__uint(max_entries, entries);                        \
		__type(key, key_type);                               \
		__type(value, value_type);                           \
		__uint(map_flags, flags);                            \
	} name SEC(".maps")

/* Hashes take memory as they fill; that frames are received while they do is what the flag allows. */
#define GROWS BPF_F_NO_PREALLOC

SWITCH_MAP(ports, HASH, SWITCH_PORTS_MAX, __u32, struct switch_port_row, GROWS);
SWITCH_MAP(segments, ARRAY, SWITCH_SEGMENTS_MAX, __u32, struct switch_segment_row, 0);
SWITCH_MAP(uplinks, HASH, SWITCH_SEGMENTS_MAX, __u32, struct switch_uplink_row, GROWS);
SWITCH_MAP(fdb, HASH, SWITCH_FDB_MAX, struct switch_fdb_key, struct switch_fdb_row, GROWS);
SWITCH_MAP(domains, HASH, SWITCH_PORTS_MAX, struct switch_domain_key, struct switch_domain_row, GROWS);
SWITCH_MAP(members, HASH, SWITCH_PORTS_MAX, struct switch_member_key, struct switch_member_row, GROWS);
SWITCH_MAP(allowed4, LPM_TRIE, SWITCH_PORTS_MAX * SWITCH_PREFIXES_MAX, struct switch_allowed4_key, __u32, GROWS);
SWITCH_MAP(allowed6, LPM_TRIE, SWITCH_PORTS_MAX * SWITCH_PREFIXES_MAX, struct switch_allowed6_key, __u32, GROWS);
SWITCH_MAP(cids, HASH, SWITCH_PORTS_MAX * 2, struct switch_cid_key, __u32, GROWS);
SWITCH_MAP(sets, HASH, SWITCH_PORTS_MAX * 2, __u32, struct switch_set_row, GROWS);
SWITCH_MAP(dhcp, HASH, SWITCH_PORTS_MAX, __u32, struct switch_dhcp_row, GROWS);
SWITCH_MAP(owners, HASH, SWITCH_OWNERS_MAX, struct switch_owner_key, struct switch_owner_row, GROWS);
SWITCH_MAP(learned, HASH, SWITCH_OWNERS_MAX, struct switch_learned_key, struct switch_owner_key, GROWS);
/* The oldest questions make room: a flood of them costs addresses of machines that ask right now. */
SWITCH_MAP(pending, LRU_HASH, 16384, struct switch_pending_key, struct switch_pending_row, 0);
SWITCH_MAP(announced, LRU_HASH, 4096, struct switch_announced_key, struct switch_announced_row, 0);
SWITCH_MAP(counts, PERCPU_ARRAY, SWITCH_PORTS_MAX, __u32, struct switch_count_row, 0);
SWITCH_MAP(drops, ARRAY, SWITCH_PORTS_MAX, __u32, struct switch_drop_row, 0);
SWITCH_MAP(clocks, ARRAY, SWITCH_PORTS_MAX, __u32, struct switch_clock_row, 0);
SWITCH_MAP(numbers, ARRAY, SWITCH_PORTS_MAX, __u32, __u32, 0);
SWITCH_MAP(flow_rows, ARRAY, SWITCH_FLOWS_MAX, __u32, struct switch_flow_row, 0);
SWITCH_MAP(flow_keys, LPM_TRIE, SWITCH_FLOWS_MAX * 256, struct switch_flow_key, __u32, GROWS);
SWITCH_MAP(flow_sets, HASH, SWITCH_PORTS_MAX * 2, __u32, struct switch_flow_set_row, GROWS);
SWITCH_MAP(flow_clocks, ARRAY, SWITCH_FLOWS_MAX, __u32, struct switch_flow_clock_row, 0);
SWITCH_MAP(flow_counts, PERCPU_ARRAY, SWITCH_FLOWS_MAX, __u32, struct switch_flow_count_row, 0);
SWITCH_MAP(version, ARRAY, 1, __u32, struct switch_version_row, 0);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} samples SEC(".maps");

/* Client ids are too long for the stack; programs are not preempted by others of the same kind. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct switch_cid_key);
} scratch SEC(".maps");
