/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * Small programs that the kernel asks about what a cgroup's processes want, put together as raw
 * instructions: too little for a compiler.
 */
#define ZONE_BPF_INSNS 128

struct zone_bpf {
	struct bpf_insn insns[ZONE_BPF_INSNS]; /* what does not fit is refused by the kernel, as it lacks its end */
	size_t n;
};

/* What a program is; its name has at most 15 bytes. */
struct zone_bpf_kind {
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	const char *name;
	const char *what; /* "the device filter", for messages */
	const char *code; /* of errors */
};

void zone_bpf_emit(struct zone_bpf *prog, unsigned code, unsigned dst, unsigned src, int off,
		   int32_t imm);

/* Ends the program with that answer. */
void zone_bpf_return(struct zone_bpf *prog, int32_t value);

/*
 * Puts it on the cgroup, in the place of one of its kind that is there: not with ALLOW_MULTI, so
 * that none below can loosen it.
 */
int zone_bpf_attach(const struct zone_bpf *prog, const struct zone_bpf_kind *kind, int cgroup,
		    struct nrd_err *err);
