/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * cgroup v2 has no device controller but a BPF program, asked at every open and mknod with access
 * and type in one word and the two numbers. This is a list of (major, minor) pairs, as raw
 * instructions: too little for a compiler.
 */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cgroup-bpf.h"

#define ANY UINT32_MAX
#define ZFS_NUMBERS "/sys/class/misc/zfs/dev"

const struct zone_device_node zone_device_nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 },
	{ "urandom", 1, 9 }, { "tty", 5, 0 }, { NULL },
};

static const struct zone_device_node others[] = {
	{ "console", 5, 1 }, { "ptmx", 5, 2 }, { "pts", 136, ANY }, { "pts2", 137, ANY },
	{ "net/tun", 10, 200 }, { "fuse", 10, 229 },
};

/* r1 is the context; r2, r3, r4 become type, major, minor. */
static void
load(struct zone_bpf *p, unsigned reg, size_t offset)
{
	zone_bpf_emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, (int)offset, 0);
}

static void
jump_unless(struct zone_bpf *p, unsigned reg, uint32_t value, int skip)
{
	zone_bpf_emit(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, skip, (int32_t)value);
}

static void
allow(struct zone_bpf *p, uint32_t major, uint32_t minor)
{
	jump_unless(p, 3, major, minor == ANY ? 2 : 3);
	if (minor != ANY)
		jump_unless(p, 4, minor, 2);
	zone_bpf_return(p, 1);
}

bool
zone_device_zfs(unsigned *ret_major, unsigned *ret_minor)
{
	NRD_STRV char **numbers = NULL;
	uint64_t major = 0, minor = 0;
	char text[32];

	if (nrd_attr_read(AT_FDCWD, ZFS_NUMBERS, text, sizeof(text), NULL) < 0 ||
	    nrd_strv_split(text, ':', &numbers) < 0 || nrd_strv_len(NRD_CSTRV(numbers)) != 2 ||
	    nrd_parse_u64(numbers[0], 0, 4095, &major, NULL) < 0 ||
	    nrd_parse_u64(numbers[1], 0, 1048575, &minor, NULL) < 0)
		return false;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return true;
}

static void
make(struct zone_bpf *p, const struct zone_config *config)
{
	unsigned major, minor;

	load(p, 2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	load(p, 3, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(p, 4, offsetof(struct bpf_cgroup_dev_ctx, minor));
	zone_bpf_emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	jump_unless(p, 2, BPF_DEVCG_DEV_CHAR, 1);
	zone_bpf_emit(p, BPF_JMP | BPF_JA, 0, 0, 2, 0);
	zone_bpf_return(p, 0);
	for (size_t i = 0; zone_device_nodes[i].name != NULL; i++)
		allow(p, zone_device_nodes[i].major, zone_device_nodes[i].minor);
	for (size_t i = 0; i < nrd_count(others); i++)
		allow(p, others[i].major, others[i].minor);
	if (config->datasets != NULL && zone_device_zfs(&major, &minor))
		allow(p, major, minor);
	zone_bpf_return(p, 0);
}

int
zone_devices_filter(const struct zone_config *config, int cgroup, struct nrd_err *err)
{
	static const struct zone_bpf_kind kind = {
		.type = BPF_PROG_TYPE_CGROUP_DEVICE, .attach = BPF_CGROUP_DEVICE,
		.name = "zone_devices", .what = "the device filter", .code = "ZoneDevices",
	};
	struct zone_bpf p = { .n = 0 };

	make(&p, config);
	return zone_bpf_attach(&p, &kind, cgroup, err);
}
