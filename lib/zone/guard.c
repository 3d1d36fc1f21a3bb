/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "nrd/file.h"

#define THREADS_MAX "/proc/sys/kernel/threads-max"
/* Of memory, for the node: this, and one part in so many. */
#define NODE_BYTES ((uint64_t)256 << 20)
#define NODE_PART 16

static int
put_u64(int dir, const char *file, uint64_t value, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	char text[32];
	int r;

	if (faccessat(dir, file, W_OK, 0) < 0)
		return 0; /* a kernel without that controller */
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	r = nrd_attr_write(dir, file, text, &why);
	return r < 0 ? nrd_fail(err, -r, "ZoneCgroup", "guard the node: %s", why.msg) : 0;
}

int
zone_guard(int dir, struct nrd_err *err)
{
	struct sysinfo info;
	uint64_t threads, bytes;
	int r = nrd_attr_read_u64(AT_FDCWD, THREADS_MAX, &threads, err);

	if (r >= 0)
		r = put_u64(dir, "pids.max", threads / 4 * 3, err);
	if (r < 0)
		return r;
	if (sysinfo(&info) < 0)
		return nrd_fail(err, errno, "ZoneCgroup", "size of the node's memory: %m");
	bytes = (uint64_t)info.totalram * info.mem_unit;
	bytes -= bytes / NODE_PART;
	return bytes > 2 * NODE_BYTES ? put_u64(dir, "memory.max", bytes - NODE_BYTES, err) : 0;
}
