/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "guest-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHERE "/mnt"
#define BYTES 8192
#define FILES 4096 /* for which there is room */

/* What file n holds. */
static void
fill(unsigned *words, unsigned n)
{
	for (unsigned i = 0; i < BYTES / sizeof(*words); i++)
		words[i] = n * 2654435761u + i;
}

static bool
mounted(void)
{
	(void)mkdir(WHERE, 0755);
	if (mount("/dev/vda", WHERE, "ext4", 0, NULL) == 0 || errno == EBUSY)
		return true;
	perror("mount /dev/vda");
	return false;
}

static int
opened(unsigned n, int flags)
{
	char path[32];

	(void)snprintf(path, sizeof(path), WHERE "/%u", n);
	return open(path, flags, 0644);
}

static bool
written(unsigned n, int dir)
{
	static unsigned words[BYTES / sizeof(unsigned)];
	int fd = opened(n, O_WRONLY | O_CREAT | O_TRUNC);
	bool ok;

	fill(words, n);
	ok = fd >= 0 && write(fd, words, BYTES) == BYTES && fsync(fd) == 0 && fsync(dir) == 0;
	if (!ok)
		perror("write a file");
	(void)close(fd);
	return ok;
}

void
files_write(void)
{
	unsigned n = 1;
	int dir, fd;

	if (!mounted())
		return;
	dir = open(WHERE, O_RDONLY | O_DIRECTORY);
	for (; (fd = opened(n, O_RDONLY)) >= 0; n++)
		(void)close(fd);
	for (; n <= FILES && written(n, dir); n++)
		(void)printf("has %u\n", n);
	(void)puts("that is all");
}

void
files_check(void)
{
	static unsigned words[BYTES / sizeof(unsigned)], want[BYTES / sizeof(unsigned)];
	unsigned n = 1;
	int fd;

	if (!mounted())
		return;
	for (; (fd = opened(n, O_RDONLY)) >= 0; n++) {
		ssize_t got = read(fd, words, BYTES);

		(void)close(fd);
		fill(want, n);
		if (got == BYTES && memcmp(words, want, BYTES) == 0)
			continue;
		(void)printf("bad %u: %zd bytes\n", n, got);
		break;
	}
	(void)printf("held %u\n", n - 1);
}
