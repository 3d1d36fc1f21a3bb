/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "nrd-test.h"
#include "nrd/mem.h"

static struct termios
modes_of(int fd)
{
	struct termios modes;

	memset(&modes, 0, sizeof(modes));
	CHECK(tcgetattr(fd, &modes) == 0);
	return modes;
}

static bool
same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
	       a->c_cflag == b->c_cflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static void
raw_and_back(void)
{
	int master, slave;
	struct nrd_err err = { 0 };

	CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	struct termios before = modes_of(slave);
	{
		NRD_AUTO(zone_terminal) terminal = ZONE_TERMINAL_INIT;

		CHECK_OK(zone_terminal_raw(&terminal, slave, &err), err);
		struct termios raw = modes_of(slave);

		CHECK((raw.c_lflag & (ICANON | ECHO | ISIG)) == 0);
		CHECK((raw.c_oflag & OPOST) == 0);
	}
	struct termios after = modes_of(slave);

	CHECK(same(&before, &after));
	CHECK(close(master) == 0 && close(slave) == 0);
}

/* As a job in the foreground, stopped and continued, then moved to the background. */
static void
again_only_in_the_foreground(void)
{
	int master, slave, status;
	pid_t pid;

	CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		NRD_AUTO(zone_terminal) terminal = ZONE_TERMINAL_INIT;
		struct nrd_err err = { 0 };

		CHECK(setsid() > 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
		struct termios before = modes_of(slave);

		CHECK_OK(zone_terminal_raw(&terminal, slave, &err), err);
		zone_terminal_restore(&terminal);
		struct termios now = modes_of(slave);

		CHECK(same(&before, &now));
		zone_terminal_again(&terminal);
		now = modes_of(slave);
		CHECK((now.c_lflag & ICANON) == 0);

		/* Another group has the terminal now; giving it back as it was works all the same. */
		pid_t other = fork();

		if (other == 0) {
			CHECK(setpgid(0, 0) == 0);
			(void)pause();
			_exit(0);
		}
		(void)setpgid(other, other);
		CHECK(tcsetpgrp(slave, other) == 0);
		zone_terminal_restore(&terminal);
		now = modes_of(slave);
		CHECK(same(&before, &now));
		zone_terminal_again(&terminal);
		now = modes_of(slave);
		CHECK(same(&before, &now));
		CHECK(kill(other, 9) == 0 && waitpid(other, NULL, 0) == other);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(close(master) == 0 && close(slave) == 0);
}

static void
nothing_without_a_terminal(void)
{
	NRD_AUTO(zone_terminal) terminal = ZONE_TERMINAL_INIT;
	struct nrd_err err = { 0 };
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK_OK(zone_terminal_raw(&terminal, fds[0], &err), err);
	CHECK(!terminal.raw);
	zone_terminal_again(&terminal);
	CHECK(!terminal.raw);
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

static void
copies_keys_and_size(void)
{
	struct winsize size = { .ws_row = 50, .ws_col = 132 };
	int m1, s1, m2, s2;

	CHECK(openpty(&m1, &s1, NULL, NULL, &size) == 0);
	CHECK(openpty(&m2, &s2, NULL, NULL, NULL) == 0);
	struct termios modes = modes_of(s1);

	modes.c_cc[VERASE] = '#';
	CHECK(tcsetattr(s1, TCSANOW, &modes) == 0);
	zone_terminal_copy_modes(s1, s2);
	zone_terminal_copy_size(s1, m2);
	CHECK_INT(modes_of(s2).c_cc[VERASE], '#');
	CHECK(ioctl(s2, TIOCGWINSZ, &size) == 0);
	CHECK_INT(size.ws_row, 50);
	CHECK_INT(size.ws_col, 132);

	/* Raw settings are not for a shell. */
	cfmakeraw(&modes);
	CHECK(tcsetattr(s1, TCSANOW, &modes) == 0);
	zone_terminal_copy_modes(s1, s2);
	CHECK((modes_of(s2).c_lflag & ICANON) != 0);
	CHECK(close(m1) == 0 && close(s1) == 0 && close(m2) == 0 && close(s2) == 0);
}

TEST_MAIN(raw_and_back, again_only_in_the_foreground, nothing_without_a_terminal,
	  copies_keys_and_size)
