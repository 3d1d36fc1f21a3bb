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
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/sys.h"

#define ANY UINT32_MAX
#define INSNS_MAX 128
#define ZFS_NUMBERS "/sys/class/misc/zfs/dev"

const struct zone_device_node zone_device_nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 },
	{ "urandom", 1, 9 }, { "tty", 5, 0 }, { NULL },
};

static const struct zone_device_node others[] = {
	{ "console", 5, 1 }, { "ptmx", 5, 2 }, { "pts", 136, ANY }, { "pts2", 137, ANY },
	{ "net/tun", 10, 200 }, { "fuse", 10, 229 },
};

struct program {
	struct bpf_insn insns[INSNS_MAX];
	size_t n;
};

static void
emit(struct program *p, struct bpf_insn insn)
{
	if (p->n < INSNS_MAX)
		p->insns[p->n++] = insn;
}

/* r1 is the context; r2, r3, r4 become type, major, minor. */
static void
load(struct program *p, int reg, size_t offset)
{
	emit(p, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (unsigned char)reg & 0xf,
				   .src_reg = 1, .off = (short)offset });
}

static void
jump_unless(struct program *p, int reg, uint32_t value, int skip)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (unsigned char)reg & 0xf,
				   .off = (short)skip, .imm = (int32_t)value });
}

static void
give_back(struct program *p, int value)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = value });
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static void
allow(struct program *p, uint32_t major, uint32_t minor)
{
	jump_unless(p, 3, major, minor == ANY ? 2 : 3);
	if (minor != ANY)
		jump_unless(p, 4, minor, 2);
	give_back(p, 1);
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
make(struct program *p, const struct zone_config *config)
{
	unsigned major, minor;

	load(p, 2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	load(p, 3, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(p, 4, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(p, (struct bpf_insn){ .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = 2, .imm = 0xffff });
	jump_unless(p, 2, BPF_DEVCG_DEV_CHAR, 1);
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = 2 });
	give_back(p, 0);
	for (size_t i = 0; zone_device_nodes[i].name != NULL; i++)
		allow(p, zone_device_nodes[i].major, zone_device_nodes[i].minor);
	for (size_t i = 0; i < nrd_count(others); i++)
		allow(p, others[i].major, others[i].minor);
	if (config->datasets != NULL && zone_device_zfs(&major, &minor))
		allow(p, major, minor);
	give_back(p, 0);
}

int
zone_devices_filter(const struct zone_config *config, int cgroup, struct nrd_err *err)
{
	static const char licence[] = "Dual BSD/GPL";
	struct program p = { .n = 0 };
	union bpf_attr load_attr = { 0 };
	union bpf_attr attach_attr = { 0 };
	NRD_CLOSE int prog = -1;
	int r = nrd_fault(err, "load the device filter");

	if (r < 0)
		return r;
	make(&p, config);
	load_attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load_attr.insns = (uint64_t)(uintptr_t)p.insns;
	load_attr.insn_cnt = (uint32_t)p.n;
	load_attr.license = (uint64_t)(uintptr_t)licence;
	(void)snprintf(load_attr.prog_name, sizeof(load_attr.prog_name), "zone_devices");
	prog = zone_sys_bpf(BPF_PROG_LOAD, &load_attr, sizeof(load_attr));
	if (prog < 0)
		return nrd_fail(err, errno, "ZoneDevices", "load the device filter: %m");
	/* Without ALLOW_MULTI: a second one takes the first one's place, and none below can loosen it. */
	attach_attr.target_fd = (uint32_t)cgroup;
	attach_attr.attach_bpf_fd = (uint32_t)prog;
	attach_attr.attach_type = BPF_CGROUP_DEVICE;
	r = nrd_fault(err, "attach the device filter");
	if (r < 0)
		return r;
	if (zone_sys_bpf(BPF_PROG_ATTACH, &attach_attr, sizeof(attach_attr)) < 0)
		return nrd_fail(err, errno, "ZoneDevices", "attach the device filter: %m");
	return 0;
}
