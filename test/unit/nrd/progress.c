/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/progress.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nrd-test.h"
#include "nrd/buf.h"
#include "nrd/hold.h"
#include "nrd/mem.h"

#define CLEAR "\r\033[K"

static void
wait_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void
work_of_a_second(void)
{
	nrd_busy_begin("making %s", "it");
	nrd_busy_step("the first");
	nrd_busy_step("the second");
	wait_ms(1400);
	nrd_busy_end();
	nrd_busy_end();
}

static void
work_of_no_time(void)
{
	nrd_busy_begin("making it");
	nrd_busy_step("the first");
	nrd_busy_end();
}

static void
work_whose_child_was_ended(void)
{
	nrd_busy_begin("making it");
	(void)kill(0, SIGINT); /* ^C: the whole group has it */
	wait_ms(1400);
	nrd_busy_end();
}

static void
work_of_bytes(void)
{
	nrd_progress_bytes("image", 1 << 20, 4 << 20);
	nrd_progress_bytes("image", (1 << 20) + 1, 4 << 20);
	nrd_progress_bytes("image", 4 << 20, 4 << 20);
}

/* What the work shows on a terminal of its own, or in a file. */
static void
shown_by(void (*work)(void), bool terminal, struct nrd_buf *out)
{
	NRD_CLOSE int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int files[2] = { -1, -1 };
	int status;
	pid_t pid;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && pipe(files) == 0);
	pid = fork();
	if (pid == 0) {
		int fd = terminal ? open(ptsname(master), O_RDWR | O_NOCTTY) : files[1];

		(void)setpgid(0, 0);
		(void)nrd_hold_signals();
		(void)dup2(fd, STDERR_FILENO);
		work();
		_exit(0);
	}
	(void)close(files[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fcntl(master, F_SETFL, O_NONBLOCK) == 0);
	(void)nrd_buf_read_fd(out, terminal ? master : files[0], NULL);
	(void)close(files[0]);
}

static void
is_shown_after_a_second_and_gone_at_the_end(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	shown_by(work_of_a_second, true, &out);
	CHECK_STR(nrd_buf_str(&out), CLEAR "making it: the second: 1 s" CLEAR);
}

static void
what_is_soon_done_shows_nothing(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	shown_by(work_of_no_time, true, &out);
	CHECK_STR(nrd_buf_str(&out), "");
}

static void
goes_on_after_an_interrupt(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	shown_by(work_whose_child_was_ended, true, &out);
	CHECK_STR(nrd_buf_str(&out), CLEAR "making it: 1 s" CLEAR);
}

static void
is_for_terminals(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_AUTO(nrd_buf) bytes = { 0 };

	shown_by(work_of_a_second, false, &out);
	shown_by(work_of_bytes, false, &bytes);
	CHECK_STR(nrd_buf_str(&out), "");
	CHECK_STR(nrd_buf_str(&bytes), "");
}

static void
bytes_are_shown_by_the_mebibyte(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	shown_by(work_of_bytes, true, &out);
	CHECK_STR(nrd_buf_str(&out), CLEAR "image: 1M of 4M" CLEAR);
}

TEST_MAIN(is_shown_after_a_second_and_gone_at_the_end, what_is_soon_done_shows_nothing, goes_on_after_an_interrupt,
	  is_for_terminals, bytes_are_shown_by_the_mebibyte)
