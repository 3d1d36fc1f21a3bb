/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "proctab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "stat.h"

#define TEXT_MAX ((size_t)16 << 10)

/* Fields of stat behind the name, counted from 0: the state. */
enum field {
	F_STATE = 0,
	F_FLAGS = 6,
	F_UTIME = 11,
	F_STIME = 12,
	F_PRIORITY = 15,
	F_NICE = 16,
	F_THREADS = 17,
	F_START = 19,
	F_VSIZE = 20,
	F_RSS = 21,
	F_CPU = 36,
	N_FIELDS,
};

#define PF_KTHREAD 0x00200000

/* Those we read; others may be anything. */
#define WANTED                                                                                   \
	(1ull << F_FLAGS | 1ull << F_UTIME | 1ull << F_STIME | 1ull << F_PRIORITY |              \
	 1ull << F_NICE | 1ull << F_THREADS | 1ull << F_START | 1ull << F_VSIZE | 1ull << F_RSS | \
	 1ull << F_CPU)

static bool
number(struct nrd_str s, int64_t *ret_v)
{
	char text[24];

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return nrd_parse_i64(text, INT64_MIN, INT64_MAX, ret_v, NULL) == 0;
}

static uint64_t
scale(int64_t v, uint64_t by)
{
	return v < 0 || (uint64_t)v > UINT64_MAX / by ? 0 : (uint64_t)v * by;
}

/* "PID (NAME) STATE ...": the name may hold blanks and parentheses, the last one ends it. */
static bool
parse(const char *stat, uint64_t hz, uint64_t page, struct zone_process *p, bool *ret_kernel)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	struct nrd_str rest, word, state = { 0 };
	int64_t v[N_FIELDS] = { 0 }, pid;

	if (open == NULL || close == NULL || close < open || open == stat)
		return false;
	if (!number(nrd_str_trim(nrd_strn(stat, (size_t)(open - stat))), &pid) || pid <= 0 ||
	    pid > INT32_MAX)
		return false;
	rest = nrd_str_trim(nrd_str(close + 1));
	for (int i = 0; i < N_FIELDS; i++) {
		if (!nrd_str_word(&rest, &word) ||
		    ((WANTED >> i & 1) != 0 && !number(word, &v[i])))
			return false;
		if (i == F_STATE)
			state = word;
	}
	if (state.len != 1)
		return false;
	*p = (struct zone_process){
		.pid = (pid_t)pid,
		.state = state.data[0],
		.priority = (int)v[F_PRIORITY],
		.nice = (int)v[F_NICE],
		.cpu = (unsigned)v[F_CPU],
		.time_us = scale(v[F_UTIME], 1000000 / hz) + scale(v[F_STIME], 1000000 / hz),
		.start_ticks = (uint64_t)v[F_START],
		.lwps = scale(v[F_THREADS], 1),
		.size = scale(v[F_VSIZE], 1),
		.rss = scale(v[F_RSS], page),
	};
	(void)snprintf(p->name, sizeof(p->name), "%.*s", (int)(close - open - 1), open + 1);
	*ret_kernel = (v[F_FLAGS] & PF_KTHREAD) != 0;
	return true;
}

bool
zone_process_parse(const char *stat, uint64_t hz, uint64_t page, struct zone_process *ret_process)
{
	struct zone_process p;
	bool kernel;

	if (!parse(stat, hz, page, &p, &kernel))
		return false;
	*ret_process = p;
	return true;
}

static bool
read_text(int dir, const char *name, struct nrd_buf *text)
{
	NRD_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	nrd_buf_reset(text);
	return fd >= 0 && nrd_buf_read_fd(text, fd, NULL) == 0;
}

/* False for what has ended meanwhile, and for the kernel's own. */
static bool
read_process(int dir, uint64_t hz, uint64_t page, struct nrd_buf *text, struct zone_process *p)
{
	struct stat st;
	bool kernel;

	if (!read_text(dir, "stat", text) || !parse(nrd_buf_str(text), hz, page, p, &kernel) ||
	    kernel || fstat(dir, &st) < 0)
		return false;
	p->uid = st.st_uid;
	if (read_text(dir, "cgroup", text))
		(void)zone_stat_zone_of(nrd_buf_str(text), p->zone, sizeof(p->zone));
	return true;
}

static int
by_pid(const void *a, const void *b)
{
	const struct zone_process *pa = a, *pb = b;

	return pa->pid < pb->pid ? -1 : pa->pid > pb->pid;
}

void
zone_proctab_cleanup(struct zone_proctab *table)
{
	free(table->processes);
	*table = (struct zone_proctab){ 0 };
}

const struct zone_process *
zone_proctab_find(const struct zone_proctab *table, pid_t pid, uint64_t start_ticks)
{
	const struct zone_process key = { .pid = pid };
	const struct zone_process *p =
		table->n == 0 ? NULL :
				bsearch(&key, table->processes, table->n, sizeof(key), by_pid);

	return p != NULL && p->start_ticks == start_ticks ? p : NULL;
}

int
zone_proctab_read(const char *proc, struct zone_proctab *ret_table, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = opendir(proc ?: "/proc");
	NRD_AUTO(zone_proctab) table = { 0 };
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(TEXT_MAX);
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), page = (uint64_t)sysconf(_SC_PAGESIZE);
	const struct dirent *entry;
	size_t cap = 0;

	if (dir == NULL)
		return nrd_fail(err, errno, "ZoneStat", "open /proc: %m");
	while ((entry = readdir(dir)) != NULL) {
		struct zone_process p;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		NRD_CLOSE int fd = openat(dirfd(dir), entry->d_name,
					  O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || !read_process(fd, hz, page, &text, &p))
			continue;
		if (nrd_vec_grow(&table.processes, table.n, &cap, 1, sizeof(p)) < 0)
			return nrd_nomem(err);
		table.processes[table.n++] = p;
	}
	if (table.n > 1)
		qsort(table.processes, table.n, sizeof(*table.processes), by_pid);
	*ret_table = table;
	table = (struct zone_proctab){ 0 };
	return 0;
}
