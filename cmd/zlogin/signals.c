/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "zlogin.h"

int
signals_open(int *ret_fd, struct nrd_err *err)
{
	static const int wanted[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGCONT };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < nrd_count(wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	/* A receiver that went away is an error of write(2), not our end. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0)
		return nrd_fail(err, errno, "Signals", "wait for signals: %m");
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*ret_fd < 0)
		return nrd_fail(err, errno, "Signals", "wait for signals: %m");
	return 0;
}

int
signals_read(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void
signals_suspend(void)
{
	/* The default action of SIGTSTP stops the whole job, this process within the call. */
	(void)kill(0, SIGTSTP);
}
