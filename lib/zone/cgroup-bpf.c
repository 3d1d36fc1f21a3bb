/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "cgroup-bpf.h"

#include <errno.h>
#include <stdio.h>

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

int
zone_bpf_attach(const struct zone_bpf *prog, const struct zone_bpf_kind *kind, int cgroup,
		struct nrd_err *err)
{
	static const char licence[] = "Dual BSD/GPL";
	union bpf_attr load = { 0 };
	union bpf_attr attach = { 0 };
	NRD_CLOSE int fd = -1;
	int r = nrd_fault(err, "load %s", kind->what);

	if (r < 0)
		return r;
	load.prog_type = kind->type;
	load.expected_attach_type = kind->attach;
	load.insns = (uint64_t)(uintptr_t)prog->insns;
	load.insn_cnt = (uint32_t)prog->n;
	load.license = (uint64_t)(uintptr_t)licence;
	(void)snprintf(load.prog_name, sizeof(load.prog_name), "%s", kind->name);
	fd = zone_sys_bpf(BPF_PROG_LOAD, &load, sizeof(load));
	if (fd < 0)
		return nrd_fail(err, errno, kind->code, "load %s: %m", kind->what);
	r = nrd_fault(err, "attach %s", kind->what);
	if (r < 0)
		return r;
	attach.target_fd = (uint32_t)cgroup;
	attach.attach_bpf_fd = (uint32_t)fd;
	attach.attach_type = kind->attach;
	if (zone_sys_bpf(BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return nrd_fail(err, errno, kind->code, "attach %s: %m", kind->what);
	return 0;
}
