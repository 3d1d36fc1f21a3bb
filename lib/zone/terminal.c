/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int
set_modes(int fd, const struct termios *modes)
{
	int r;

	do {
		r = tcsetattr(fd, TCSADRAIN, modes);
	} while (r < 0 && errno == EINTR);
	return r;
}

static int
make_raw(struct zone_terminal *terminal)
{
	struct termios modes = terminal->modes;

	cfmakeraw(&modes);
	modes.c_cc[VMIN] = 1;
	modes.c_cc[VTIME] = 0;
	return set_modes(terminal->fd, &modes);
}

int
zone_terminal_raw(struct zone_terminal *terminal, int fd, struct nrd_err *err)
{
	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &terminal->modes) < 0)
		return nrd_fail(err, errno, "Terminal", "settings of the terminal: %m");
	terminal->fd = fd;
	if (make_raw(terminal) < 0)
		return nrd_fail(err, errno, "Terminal", "set the terminal raw: %m");
	terminal->raw = true;
	return 0;
}

void
zone_terminal_again(struct zone_terminal *terminal)
{
	/* In the background the terminal is somebody else's. */
	if (terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp())
		terminal->raw = make_raw(terminal) == 0;
}

void
zone_terminal_restore(struct zone_terminal *terminal)
{
	sigset_t block, before;

	if (!terminal->raw)
		return;
	/* In the background this would stop us. */
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &block, &before);
	(void)set_modes(terminal->fd, &terminal->modes);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	terminal->raw = false;
}

void
zone_terminal_cleanup(struct zone_terminal *terminal)
{
	zone_terminal_restore(terminal);
}

void
zone_terminal_copy_modes(int from, int pty)
{
	struct termios modes;

	/* A terminal that is raw already says nothing about what its user is used to. */
	if (tcgetattr(from, &modes) == 0 && (modes.c_lflag & ICANON) != 0)
		(void)tcsetattr(pty, TCSANOW, &modes);
}

void
zone_terminal_copy_size(int from, int pty)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		(void)ioctl(pty, TIOCSWINSZ, &size);
}
