/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
nrd_freep(void *p)
{
	void *mem;

	/* p is a `T **`; only a copy of its bytes may be read as a `void *`. */
	memcpy(&mem, p, sizeof(mem));
	free(mem);
}

void
nrd_closep(const int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;

	(void)close(*fd);
	errno = saved;
}

void
nrd_closedirp(DIR **dir)
{
	if (*dir == NULL)
		return;
	int saved = errno;

	(void)closedir(*dir);
	errno = saved;
}

void
nrd_fclosep(FILE **f)
{
	if (*f == NULL)
		return;
	int saved = errno;

	(void)fclose(*f);
	errno = saved;
}

int
nrd_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
