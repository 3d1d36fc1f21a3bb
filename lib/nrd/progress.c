/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "progress.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

#define CLEAR     "\r\033[K"
#define MIB       (UINT64_C(1) << 20)
#define SECOND_MS 1000
#define TEXT_MAX  128
#define LINE_MAX_ 256
#define COLUMNS   80

/* ---- bytes ---- */

void
nrd_progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs(CLEAR, stderr);
}

void
nrd_progress_bytes(const char *what, uint64_t done, uint64_t total)
{
	static uint64_t shown;
	char done_text[NRD_SIZE_TEXT], total_text[NRD_SIZE_TEXT];
	bool end = total != 0 && done >= total;

	if (done < shown)
		shown = 0;
	if ((!end && done - shown < MIB) || !isatty(STDERR_FILENO))
		return;
	shown = done;
	nrd_size_format(done, done_text);
	nrd_size_format(total, total_text);
	if (end)
		(void)fputs(CLEAR, stderr);
	else if (total != 0)
		(void)fprintf(stderr, CLEAR "%s: %s of %s", what, done_text, total_text);
	else
		(void)fprintf(stderr, CLEAR "%s: %s", what, done_text);
}

/* ---- time ---- */

/* Messages to the child: a step, or, when empty, the end. One write each, shorter than a pipe's atomic size. */
static int busy_pipe = -1;
static pid_t busy_pid;

static void
show(const char *doing, const char *step, int64_t seconds)
{
	struct winsize size = { 0 };
	char line[LINE_MAX_], out[LINE_MAX_ + sizeof(CLEAR)];
	size_t columns = COLUMNS;
	int n;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		columns = size.ws_col;
	/* A line that is longer than the terminal is wide could not be taken back. */
	(void)snprintf(line, sizeof(line), "%s%s%s: %lld s", doing, step[0] != '\0' ? ": " : "", step, (long long)seconds);
	n = snprintf(out, sizeof(out), CLEAR "%.*s", (int)(columns - 1), line);
	(void)!write(STDERR_FILENO, out, (size_t)n);
}

/* The last message of those in the pipe; false: it is the end, ours or that of who asked. */
static bool
next_step(int fd, char step[TEXT_MAX])
{
	char text[4 * TEXT_MAX];
	ssize_t n = read(fd, text, sizeof(text));
	size_t last;

	if (n <= 0 || text[n - 1] != '\0')
		return false;
	for (last = (size_t)n - 1; last > 0 && text[last - 1] != '\0'; last--)
		;
	if (text[last] == '\0')
		return false;
	(void)snprintf(step, TEXT_MAX, "%.*s", TEXT_MAX - 1, text + last);
	return true;
}

static _Noreturn void
tick(int fd, pid_t parent, const char *doing)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	int64_t start = nrd_now_ms();
	char step[TEXT_MAX] = "";
	bool shown = false;

	/* ^C is for the work, which undoes what it has done: that is shown as well. */
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (bool on = getppid() == parent; on;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t now = nrd_now_ms() - start;

		if (poll(&p, 1, (int)(SECOND_MS - now % SECOND_MS)) > 0)
			on = next_step(fd, step);
		now = nrd_now_ms() - start;
		if (on && now >= SECOND_MS) {
			show(doing, step, now / SECOND_MS);
			shown = true;
		}
	}
	if (shown)
		(void)!write(STDERR_FILENO, CLEAR, sizeof(CLEAR) - 1);
	_exit(0);
}

void
nrd_busy_begin(const char *fmt, ...)
{
	char doing[TEXT_MAX];
	pid_t parent = getpid();
	int fds[2];
	va_list ap;

	if (busy_pipe >= 0 || !isatty(STDERR_FILENO) || pipe2(fds, O_CLOEXEC) < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);
	(void)fflush(NULL);
	busy_pid = fork();
	if (busy_pid == 0) {
		/* Locks of the work, too: they must end with it. */
		if (dup2(fds[0], STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
			_exit(1);
		tick(STDERR_FILENO + 1, parent, doing);
	}
	(void)close(fds[0]);
	if (busy_pid < 0)
		(void)close(fds[1]);
	else
		busy_pipe = fds[1];
}

static void
tell(const char *step)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	char text[TEXT_MAX];
	struct sigaction then;

	(void)snprintf(text, sizeof(text), "%s", step);
	/* Somebody may have ended the child. */
	(void)sigaction(SIGPIPE, &ignore, &then);
	(void)!write(busy_pipe, text, strlen(text) + 1);
	(void)sigaction(SIGPIPE, &then, NULL);
}

void
nrd_busy_step(const char *step)
{
	if (busy_pipe >= 0 && step[0] != '\0')
		tell(step);
}

void
nrd_busy_end(void)
{
	if (busy_pipe < 0)
		return;
	tell("");
	(void)close(busy_pipe);
	busy_pipe = -1;
	(void)waitpid(busy_pid, NULL, 0);
}
