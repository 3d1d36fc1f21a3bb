/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "node/state.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "setup.h"

#define LOCK_PATH NODE_RUN_DIR "/setup.lock"

int
setup_lock(int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	char who[128] = "";
	const char *tty = ttyname(STDIN_FILENO);
	int r = nrd_mkdir_p(NODE_RUN_DIR, 0755, err);

	if (r < 0)
		return r;
	fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return nrd_fail(err, errno, "SetupLock", "open " LOCK_PATH ": %m");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(fd, who, sizeof(who) - 1, 0);

		who[n > 0 ? n : 0] = '\0';
		who[strcspn(who, "\n")] = '\0';
		return nrd_fail(err, EBUSY, "SetupBusy", "setup is under way on %s",
				who[0] != '\0' ? who : "another terminal");
	}
	(void)snprintf(who, sizeof(who), "%s (process %d)\n", tty != NULL ? tty : "no terminal",
		       (int)getpid());
	if (ftruncate(fd, 0) < 0)
		return nrd_fail(err, errno, "SetupLock", "write " LOCK_PATH ": %m");
	r = nrd_write_all(fd, who, strlen(who), err);
	if (r < 0)
		return r;
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}
