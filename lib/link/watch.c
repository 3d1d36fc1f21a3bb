/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"

int
link_watch_start(struct link_switch *sw, unsigned ifindex, int *ret_watch, struct nrd_err *err)
{
	char path[64];
	int r = nrd_mkdir_p(LINK_WATCH_DIR, 0700, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), LINK_WATCH_DIR "/%u", ifindex);
	NRD_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_SH) < 0)
		return nrd_fail(err, errno, "LinkWatch", "lock %s: %m", path);
	r = switch_port_watch(sw, ifindex, true, err);
	if (r < 0)
		return r;
	*ret_watch = nrd_take_fd(&fd);
	return 0;
}

/* Who holds it alone is the last; the file stays, for it is what is locked. */
void
link_watch_stop(struct link_switch *sw, unsigned ifindex, int watch)
{
	if (flock(watch, LOCK_EX | LOCK_NB) == 0)
		(void)switch_port_watch(sw, ifindex, false, NULL);
	(void)close(watch);
}
