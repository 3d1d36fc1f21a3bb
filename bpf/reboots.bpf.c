// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copyright 2026 The Nereid authors */

/*
 * Whether a zone rebooted or halted, for a zoneadmd that is not the parent of its init. The kernel
 * tells only the parent: to all others init of a process id namespace that called reboot(2) looks
 * like one that was killed.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "reboots.abi.h"

/* Of the kernel's own types, what is read; where it stands in them is found when this is loaded. */
struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct pid_namespace {
	struct task_struct *child_reaper;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REBOOTS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} reboots SEC(".maps");

SEC("fentry/reboot_pid_ns")
int
BPF_PROG(on_reboot, struct pid_namespace *ns, int cmd)
{
	__u32 init = (__u32)ns->child_reaper->tgid;
	__u32 what = (__u32)cmd;

	bpf_map_update_elem(&reboots, &init, &what, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
