/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "reboots.h"

#include <linux/bpf.h>
#include <unistd.h>

#include "bpf/reboots.abi.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "zone/sys.h"

#define PROGRAM "/usr/lib/nereid/zone-reboots"

int
zone_reboots_watch(struct nrd_err *err)
{
	if (access(REBOOTS_LINK, F_OK) == 0)
		return 0;
	return nrd_run_argv(NULL, err, PROGRAM, NULL);
}

static int
open_map(void)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)REBOOTS_MAP };

	return zone_sys_bpf(BPF_OBJ_GET, &attr, sizeof(attr));
}

void
zone_reboots_forget(pid_t init)
{
	NRD_CLOSE int map = open_map();
	uint32_t key = (uint32_t)init;
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = (uint64_t)(uintptr_t)&key };

	if (map >= 0)
		(void)zone_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
}

bool
zone_reboots_asked(pid_t init, uint32_t *ret_cmd)
{
	NRD_CLOSE int map = open_map();
	uint32_t key = (uint32_t)init;
	uint32_t value = 0;
	union bpf_attr attr = {
		.map_fd = (uint32_t)map,
		.key = (uint64_t)(uintptr_t)&key,
		.value = (uint64_t)(uintptr_t)&value,
	};

	if (map < 0 || zone_sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0)
		return false;
	*ret_cmd = value;
	return true;
}
