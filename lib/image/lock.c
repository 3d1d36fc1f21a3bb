/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"

#define LOCK_DIR "/var/run"

static const char *dir_used = LOCK_DIR;

void
image_lock_dir_use(const char *dir)
{
	dir_used = dir != NULL ? dir : LOCK_DIR;
}

static char *
lock_path(const char *uuid)
{
	return nrd_format("%s/img.%s.import.lock", dir_used, uuid);
}

/* The holder removes the file before it lets go: then another one is at its place. */
static bool
still_there(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

int
image_lock(const char *uuid, bool wait, int *ret_fd, struct nrd_err *err)
{
	NRD_FREE char *path = lock_path(uuid);

	if (path == NULL)
		return nrd_nomem(err);
	for (;;) {
		NRD_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return nrd_fail(err, errno, "ImageLock", "open %s: %m", path);
		if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
			if (errno == EWOULDBLOCK)
				return nrd_fail(err, EBUSY, "ImageBusy",
						"image %s is being installed or deleted by another "
						"command", uuid);
			return nrd_fail(err, errno, "ImageLock", "lock %s: %m", path);
		}
		if (still_there(fd, path)) {
			*ret_fd = nrd_take_fd(&fd);
			return 0;
		}
	}
}

void
image_unlock(const char *uuid, int *fd)
{
	NRD_FREE char *path = lock_path(uuid);

	if (*fd < 0)
		return;
	if (path != NULL)
		(void)unlink(path);
	(void)close(*fd);
	*fd = -1;
}
