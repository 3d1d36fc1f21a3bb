/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "zone/cgroup-bpf.h"

#define PAGE_BYTES 4096
#define IDS_MAX 32768 /* the kernel's IPCMNI */
#define NAME_BYTES 32 /* names of sysctls that are longer are none of ours */

/* What a zone is without a limit, as the kernel makes a new namespace. */
#define SHMMAX_DEFAULT (UINT64_MAX - (1 << 24))
#define SHMALL_DEFAULT SHMMAX_DEFAULT
#define SHMMNI_DEFAULT 4096
#define MSGMNI_DEFAULT 32000
#define SEMMNI_DEFAULT 32000

static uint64_t
ids(uint64_t limit, uint64_t def)
{
	return limit == 0 ? def : limit > IDS_MAX ? IDS_MAX : limit;
}

/* What it is, as the kernel wants it; the sysctls below /proc/sys, at most 15 bytes long. */
struct limit {
	const char *sysctl;
	bool limited;
	char text[64];
};

enum {
	SHMMAX,
	SHMALL,
	SHMMNI,
	MSGMNI,
	SEM,
	N_LIMITS,
};

static void
limits_of(const struct zone_config *c, struct limit ret_limits[N_LIMITS])
{
	uint64_t bytes = c->max_shm_memory << 20;

	ret_limits[SHMMAX] = (struct limit){ "kernel/shmmax", bytes != 0, "" };
	(void)snprintf(ret_limits[SHMMAX].text, sizeof(ret_limits[SHMMAX].text), "%" PRIu64,
		       bytes != 0 ? bytes : SHMMAX_DEFAULT);
	ret_limits[SHMALL] = (struct limit){ "kernel/shmall", bytes != 0, "" };
	(void)snprintf(ret_limits[SHMALL].text, sizeof(ret_limits[SHMALL].text), "%" PRIu64,
		       bytes != 0 ? bytes / PAGE_BYTES : SHMALL_DEFAULT);
	ret_limits[SHMMNI] = (struct limit){ "kernel/shmmni", c->max_shm_ids != 0, "" };
	(void)snprintf(ret_limits[SHMMNI].text, sizeof(ret_limits[SHMMNI].text), "%" PRIu64,
		       ids(c->max_shm_ids, SHMMNI_DEFAULT));
	ret_limits[MSGMNI] = (struct limit){ "kernel/msgmni", c->max_msg_ids != 0, "" };
	(void)snprintf(ret_limits[MSGMNI].text, sizeof(ret_limits[MSGMNI].text), "%" PRIu64,
		       ids(c->max_msg_ids, MSGMNI_DEFAULT));
	/* Semaphores a set and in all, operations a call: as they are anyway. */
	ret_limits[SEM] = (struct limit){ "kernel/sem", c->max_sem_ids != 0, "" };
	(void)snprintf(ret_limits[SEM].text, sizeof(ret_limits[SEM].text),
		       "32000 1024000000 500 %" PRIu64, ids(c->max_sem_ids, SEMMNI_DEFAULT));
}

static int
write_all(const struct limit *limits, bool fresh, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < N_LIMITS; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/sys/%s", limits[i].sysctl);
		if (limits[i].limited || !fresh)
			r = nrd_attr_write(AT_FDCWD, path, limits[i].text, err);
	}
	return r;
}

/*
 * The kernel lets the namespace's root write them and nobody else, not even the node's; and it is
 * the namespace of who opens the file that counts.
 */
int
zone_ipc_limit(const struct zone_config *config, int pidfd, bool fresh, struct nrd_err *err)
{
	NRD_CLOSE int own = -1;
	struct nrd_err why = { 0 };
	struct limit limits[N_LIMITS];
	bool any = !fresh;
	int r;

	limits_of(config, limits);
	for (size_t i = 0; i < N_LIMITS; i++)
		any = any || limits[i].limited;
	if (!any)
		return 0;
	own = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(pidfd, CLONE_NEWIPC) < 0)
		return nrd_fail(err, errno, "ZoneIpc", "join its ipc namespace: %m");
	if (seteuid((uid_t)config->id_base) < 0)
		r = nrd_fail(&why, errno, "ZoneIpc", "become its root: %m");
	else
		r = write_all(limits, fresh, &why);
	if (seteuid(0) < 0 || setns(own, CLONE_NEWIPC) < 0)
		return nrd_fail(err, errno, "ZoneIpc", "leave its ipc namespace: %m");
	return r < 0 ? nrd_fail(err, -r, "ZoneIpc", "limit System V IPC: %s", why.msg) : 0;
}

/* ---- the guard ---- */

/* A number of 64 bits takes two instructions. */
static void
load_number(struct zone_bpf *p, unsigned reg, uint64_t v)
{
	zone_bpf_emit(p, BPF_LD | BPF_DW | BPF_IMM, reg, 0, 0, (int32_t)(uint32_t)v);
	zone_bpf_emit(p, 0, 0, 0, 0, (int32_t)(uint32_t)(v >> 32));
}

/* The name is in r7 and r8, 16 bytes with what is zero behind it. */
static void
refuse(struct zone_bpf *p, const char *name)
{
	uint64_t words[2] = { 0 };

	memcpy(words, name, strlen(name));
	load_number(p, BPF_REG_1, words[0]);
	zone_bpf_emit(p, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_7, BPF_REG_1, 5, 0);
	load_number(p, BPF_REG_1, words[1]);
	zone_bpf_emit(p, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_8, BPF_REG_1, 2, 0);
	zone_bpf_return(p, 0);
}

static void
make(struct zone_bpf *p, const struct limit *limits)
{
	/* Who only reads, and names that do not fit, pass. */
	zone_bpf_emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	zone_bpf_emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct bpf_sysctl, write), 0);
	zone_bpf_emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 2, 0);
	zone_bpf_return(p, 1);
	for (int at = -NAME_BYTES; at < 0; at += 8)
		zone_bpf_emit(p, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0);
	zone_bpf_emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
	zone_bpf_emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	zone_bpf_emit(p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -NAME_BYTES);
	zone_bpf_emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, NAME_BYTES);
	zone_bpf_emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, 0);
	zone_bpf_emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sysctl_get_name);
	zone_bpf_emit(p, BPF_JMP | BPF_JSGE | BPF_K, BPF_REG_0, 0, 2, 0);
	zone_bpf_return(p, 1);
	zone_bpf_emit(p, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_10, -NAME_BYTES, 0);
	zone_bpf_emit(p, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_8, BPF_REG_10, -NAME_BYTES + 8, 0);
	for (size_t i = 0; i < N_LIMITS; i++)
		if (limits[i].limited)
			refuse(p, limits[i].sysctl);
	zone_bpf_return(p, 1);
}

int
zone_ipc_guard(const struct zone_config *config, int cgroup, bool fresh, struct nrd_err *err)
{
	static const struct zone_bpf_kind kind = {
		.type = BPF_PROG_TYPE_CGROUP_SYSCTL, .attach = BPF_CGROUP_SYSCTL, .name = "zone_ipc",
		.what = "the guard of its IPC limits", .code = "ZoneIpc",
	};
	struct limit limits[N_LIMITS];
	struct zone_bpf p = { .n = 0 };
	bool any = !fresh;

	limits_of(config, limits);
	for (size_t i = 0; i < N_LIMITS; i++)
		any = any || limits[i].limited;
	if (!any)
		return 0;
	make(&p, limits);
	return zone_bpf_attach(&p, &kind, cgroup, err);
}
