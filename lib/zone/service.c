/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/service.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zone/hands.h"

#define LOG_BYTES ((off_t)1 << 20) /* then it begins anew */

static int
open_log(const char *path, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size > LOG_BYTES && ftruncate(fd, 0) < 0))
		return nrd_fail(err, errno, "ZoneService", "open %s: %m", path);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

int
zone_service_start(const struct zone_service *service, int cgroup, int *ret_pidfd, struct nrd_err *err)
{
	NRD_CLOSE int listener = -1;
	NRD_CLOSE int log = -1;
	int r = zone_hands_listen(service->socket, &listener, err);

	if (r == 0)
		r = open_log(service->log, &log, err);
	if (r < 0)
		return r;
	const int fds[] = { listener, log };
	const struct nrd_proc proc = {
		.argv = NRD_CSTRV(service->argv), .dir = service->dir, .cgroup_fd = cgroup, .fds = fds, .n_fds = nrd_count(fds), .flags = NRD_PROC_SESSION,
	};

	return nrd_spawn(&proc, ret_pidfd, NULL, err);
}
