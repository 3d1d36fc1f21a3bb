/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/err.h"

/* The processes of the node and its zones. */
struct zone_process {
	pid_t pid;
	uid_t uid;            /* as the node counts */
	char name[32];        /* as the kernel has it; the zone chose it */
	char state;           /* of proc(5): R S D Z T I */
	int priority, nice;
	unsigned cpu;         /* last run on */
	uint64_t time_us;     /* CPU time, user and system */
	uint64_t start_ticks; /* tells it from another one of the same pid */
	uint64_t lwps, size, rss; /* bytes */
	char zone[64];        /* "": global */
};

/* The text of /proc/PID/stat; name may hold anything. False when it is none. */
bool zone_process_parse(const char *stat, uint64_t hz, uint64_t page, struct zone_process *ret_process);

struct zone_proctab {
	struct zone_process *processes; /* by pid */
	size_t n;
};

void zone_proctab_cleanup(struct zone_proctab *table);

/* The process with this pid that started then, or NULL. */
const struct zone_process *zone_proctab_find(const struct zone_proctab *table, pid_t pid,
					     uint64_t start_ticks);

/* proc NULL: /proc. Kernel threads are left out. "ZoneStat". */
int zone_proctab_read(const char *proc, struct zone_proctab *ret_table, struct nrd_err *err);
