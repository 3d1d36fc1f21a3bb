/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Taking all there is. Each runs only when asked for. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

#define MANY 100000

/* Until the kernel refuses; the children are killed with the attempt's process group. */
static int
fork_bomb(void)
{
	for (int i = 0; i < MANY; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno;
		if (pid == 0)
			for (;;)
				(void)pause();
	}
	return 0;
}

static int
memory_bomb(void)
{
	const size_t size = (size_t)4 << 30;
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	return 0;
}

static int
fill(const char *dir)
{
	char path[128];
	int r = 0, i;

	for (i = 0; r == 0 && i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "%s/probe-%d", dir, i);
		r = TRY(mknod(path, S_IFREG | 0600, 0));
	}
	while (i-- > 0) {
		(void)snprintf(path, sizeof(path), "%s/probe-%d", dir, i);
		(void)unlink(path);
	}
	return r;
}

static int inodes_of_dev(void) { return fill("/dev"); }

static int
descriptors(void)
{
	for (int i = 0; i < 2 * MANY; i++)
		if (open("/", O_PATH | O_CLOEXEC) < 0)
			return errno;
	return 0;
}

static int
inotifies(void)
{
	for (int i = 0; i < MANY; i++)
		if (inotify_init1(IN_CLOEXEC) < 0)
			return errno;
	return 0;
}

static int
cgroups(void)
{
	char path[128];
	int r = 0, i;

	for (i = 0; r == 0 && i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/probe-%d", i);
		r = TRY(mkdir(path, 0755));
	}
	while (i-- > 0) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/probe-%d", i);
		(void)rmdir(path);
	}
	return r;
}

const struct attempt attempts_exhaust[] = {
	{ "fork_bomb", fork_bomb, ALONE }, { "memory_bomb", memory_bomb, ALONE },
	{ "inodes_of_dev", inodes_of_dev, ALONE },
	{ "all_descriptors", descriptors, ALONE }, { "all_inotifies", inotifies, ALONE },
	{ "all_cgroups", cgroups, ALONE },
	{ NULL },
};
