/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "cgroup-bpf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bpf/reboots.abi.h"
#include "nrd/fault.h"
#include "nrd/mem.h"
#include "zone/sys.h"

void
zone_bpf_emit(struct zone_bpf *prog, unsigned code, unsigned dst, unsigned src, int off, int32_t imm)
{
	if (prog->n < ZONE_BPF_INSNS)
		prog->insns[prog->n++] = (struct bpf_insn){
			.code = (unsigned char)code, .dst_reg = (unsigned char)(dst & 0xf),
			.src_reg = (unsigned char)(src & 0xf), .off = (short)off, .imm = imm,
		};
}

void
zone_bpf_return(struct zone_bpf *prog, int32_t value)
{
	zone_bpf_emit(prog, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	zone_bpf_emit(prog, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* ---- one program for all zones that want the same: pinned, by its kind and what it is ---- */

#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

static void
pin_path(const struct zone_bpf *prog, const struct zone_bpf_kind *kind, char ret_path[128])
{
	const unsigned char *bytes = (const unsigned char *)prog->insns;
	uint64_t hash = FNV_BASIS;

	for (size_t i = 0; i < prog->n * sizeof(prog->insns[0]); i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	(void)snprintf(ret_path, 128, REBOOTS_DIR "/%s-%016" PRIx64, kind->name, hash);
}

static int
pinned(const char *path)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)path };

	return zone_sys_bpf(BPF_OBJ_GET, &attr, sizeof(attr));
}

/* The next zone is spared the loading; where nothing can be pinned, it is not. */
static void
pin(int prog, const char *path)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)path, .bpf_fd = (uint32_t)prog };

	(void)zone_sys_bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
}

static int
load(const struct zone_bpf *prog, const struct zone_bpf_kind *kind)
{
	static const char licence[] = "Dual BSD/GPL";
	union bpf_attr attr = {
		.prog_type = kind->type,
		.expected_attach_type = kind->attach,
		.insns = (uint64_t)(uintptr_t)prog->insns,
		.insn_cnt = (uint32_t)prog->n,
		.license = (uint64_t)(uintptr_t)licence,
	};

	(void)snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", kind->name);
	return zone_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int
attach(int prog, const struct zone_bpf_kind *kind, int cgroup)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)prog,
		.attach_type = kind->attach,
	};

	return zone_sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

int
zone_bpf_attach(const struct zone_bpf *prog, const struct zone_bpf_kind *kind, int cgroup,
		struct nrd_err *err)
{
	char path[128];
	int r = nrd_fault(err, "load %s", kind->what);

	if (r < 0)
		return r;
	pin_path(prog, kind, path);
	NRD_CLOSE int fd = pinned(path);
	if (fd < 0) {
		fd = load(prog, kind);
		if (fd < 0)
			return nrd_fail(err, errno, kind->code, "load %s: %m", kind->what);
		pin(fd, path);
	}
	r = nrd_fault(err, "attach %s", kind->what);
	if (r < 0)
		return r;
	if (attach(fd, kind, cgroup) < 0)
		return nrd_fail(err, errno, kind->code, "attach %s: %m", kind->what);
	return 0;
}
