/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "nrd/str.h"

/* The tests use the shell as their child; the library never does. */
#define SH(script) ((const char *const[]){ "/bin/sh", "-c", (script), NULL })

static void
captures_output(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_run_argv(&out, &err, "echo", "a b", "$HOME", NULL), err);
	CHECK_STR(nrd_buf_str(&out), "a b $HOME\n");
	CHECK_OK(nrd_run_argv(NULL, &err, "true", NULL), err);
}

static void
tells_why_it_failed(void)
{
	struct nrd_err err = { 0 };
	const struct nrd_proc p = { .argv = SH("echo oops >&2; echo and more >&2; exit 3") };
	int status = -1;

	CHECK_FAILS(nrd_run(&p, NULL, NULL, &err), err, EIO, "ChildFailed");
	CHECK_STR(err.msg, "/bin/sh: exit status 3: oops; and more");
	CHECK_OK(nrd_run(&p, NULL, &status, &err), err);
	CHECK_INT(status, 3);
	CHECK_FAILS(nrd_run_argv(NULL, &err, "no-such-program", NULL), err, ENOENT, "ChildStart");
	CHECK_FAILS(nrd_run_argv(NULL, &err, "/no/such", NULL), err, ENOENT, "ChildStart");
	CHECK_FAILS(nrd_run_argv(NULL, &err, "/etc/passwd", NULL), err, EACCES, "ChildStart");
	const struct nrd_proc k = { .argv = SH("kill -SEGV $$") };

	CHECK_FAILS(nrd_run(&k, NULL, &status, &err), err, EIO, "ChildSignal");
	CHECK_HAS(err.msg, "SIGSEGV");
}

static void
keeps_the_end_of_long_stderr(void)
{
	struct nrd_err err = { 0 };
	const struct nrd_proc p = {
		.argv = SH("yes 'noise noise' | head -n 20000 >&2; echo cause >&2; exit 1"),
	};

	CHECK_FAILS(nrd_run(&p, NULL, NULL, &err), err, EIO, "ChildFailed");
	CHECK(nrd_ends(err.msg, "; cause"));
}

static void
stops_at_the_time_limit(void)
{
	struct nrd_err err = { 0 };
	const struct nrd_proc p = { .argv = SH("sleep 60 & sleep 60"), .timeout_ms = 100 };
	time_t start = time(NULL);

	CHECK_FAILS(nrd_run(&p, NULL, NULL, &err), err, ETIMEDOUT, "ChildTimeout");
	CHECK(time(NULL) - start < 10);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
}

static void
does_not_wait_for_grandchildren(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	const struct nrd_proc p = { .argv = SH("echo here; sleep 5 & exit 0") };
	time_t start = time(NULL);

	CHECK_OK(nrd_run(&p, &out, NULL, &err), err);
	CHECK_STR(nrd_buf_str(&out), "here\n");
	CHECK(time(NULL) - start < 4);
}

static void
limits_output(void)
{
	struct nrd_err err = { 0 };
	const char *const ten[] = { "printf", "0123456789", NULL };
	const char *const yes[] = { "yes", NULL };
	NRD_AUTO(nrd_buf) fits = NRD_BUF_INIT(10);
	NRD_AUTO(nrd_buf) small = NRD_BUF_INIT(9);
	NRD_AUTO(nrd_buf) endless = NRD_BUF_INIT(1 << 20);

	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = ten }, &fits, NULL, &err), err);
	CHECK_INT(fits.len, 10);
	CHECK_FAILS(nrd_run(&(struct nrd_proc){ .argv = ten }, &small, NULL, &err), err, EFBIG,
		    "ChildOutput");
	CHECK_FAILS(nrd_run(&(struct nrd_proc){ .argv = yes }, &endless, NULL, &err), err, EFBIG,
		    "ChildOutput");
}

static void
feeds_input(void)
{
	struct nrd_err err = { 0 };
	size_t len = 1 << 20;
	NRD_FREE char *big = malloc(len);
	NRD_AUTO(nrd_buf) out = { 0 };
	const char *const cat[] = { "cat", NULL };

	memset(big, 'x', len);
	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = cat, .input = big, .input_len = len }, &out,
			 NULL, &err), err);
	CHECK_INT(out.len, len);
	/* One that never reads: neither a signal nor a block. */
	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = SH("exit 0"), .input = big,
					     .input_len = len }, NULL, NULL, &err), err);
	nrd_buf_reset(&out);
	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = cat }, &out, NULL, &err), err);
	CHECK_INT(out.len, 0);
}

static void
environment_is_clean(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	const char *const argv[] = { "env", NULL };
	const char *const env[] = { "EXTRA=1", NULL };

	CHECK_INT(setenv("LD_LIBRARY_PATH", "/evil", 1), 0);
	CHECK_OK(nrd_run(&(struct nrd_proc){ .argv = argv, .env = env }, &out, NULL, &err), err);
	CHECK_STR(nrd_buf_str(&out), "PATH=" NRD_PROC_PATH "\nLC_ALL=C.UTF-8\nEXTRA=1\n");
}

static void
descriptors_are_only_those_named(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	int leaked = open("/dev/null", O_RDONLY); /* not CLOEXEC on purpose */
	int three = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int four = open("/dev/full", O_RDONLY | O_CLOEXEC);
	/* Handed over crosswise: each target number is another one's source. */
	const int fds[] = { four, three };
	const struct nrd_proc p = {
		.argv = SH("for f in 3 4 5 6 7 8 9; do readlink /proc/self/fd/$f; done; pwd"),
		.fds = fds, .n_fds = 2,
	};
	int status = 0;

	CHECK_OK(nrd_run(&p, &out, &status, &err), err);
	CHECK_STR(nrd_buf_str(&out), "/dev/full\n/dev/zero\n/\n");
	(void)close(leaked);
	(void)close(three);
	(void)close(four);
}

static int
collect(void *arg, const char *line, struct nrd_err *err)
{
	if (strcmp(line, "stop") == 0)
		return nrd_fail(err, ECANCELED, "Stopped", "by the callback");
	return nrd_buf_printf(arg, "<%s>", line);
}

static void
forwards_lines(void)
{
	struct nrd_err err = { 0 };
	NRD_AUTO(nrd_buf) got = { 0 };
	struct nrd_proc p = {
		.argv = SH("printf '1%%\\r2%%\\r\\n\\nlast'; echo other >&2"),
		.line = collect, .line_arg = &got,
	};

	CHECK_OK(nrd_run(&p, NULL, NULL, &err), err);
	CHECK_STR(nrd_buf_str(&got), "<1%><2%><><last>");
	nrd_buf_reset(&got);
	p.flags = NRD_PROC_LINES_ERR;
	CHECK_OK(nrd_run(&p, NULL, NULL, &err), err);
	CHECK_STR(nrd_buf_str(&got), "<other>");
	p.argv = SH("echo stop; sleep 60");
	p.flags = 0;
	CHECK_FAILS(nrd_run(&p, NULL, NULL, &err), err, ECANCELED, "Stopped");
}

static void
spawns_and_waits(void)
{
	struct nrd_err err = { 0 };
	NRD_CLOSE int fd = -1;
	pid_t pid = 0;
	int status = -1;

	CHECK_OK(nrd_spawn(&(struct nrd_proc){ .argv = SH("sleep 60") }, &fd, &pid, &err), err);
	CHECK(pid > 0);
	CHECK_FAILS(nrd_pidfd_wait(fd, 20, &status, &err), err, ETIMEDOUT, "ChildTimeout");
	CHECK_INT(kill(pid, SIGTERM), 0);
	CHECK_OK(nrd_pidfd_wait(fd, -1, &status, &err), err);
	CHECK_INT(status, 128 + SIGTERM);
	CHECK_FAILS(nrd_spawn(&(struct nrd_proc){ .argv = (const char *const[]){ "/x", NULL } },
			      &fd, NULL, &err), err, ENOENT, "ChildStart");
}

/* The end of a pipe that the child holds tells that it is gone. */
static void
does_not_outlive_us(void)
{
	struct nrd_err err = { 0 };
	int ends[2];
	char c;

	CHECK_FAILS(nrd_run(&(struct nrd_proc){ .argv = SH("echo why >&2; exit 3"),
						.flags = NRD_PROC_WITH_US }, NULL, NULL, &err),
		    err, EIO, "ChildFailed");
	CHECK_STR(err.msg, "/bin/sh: exit status 3: why");
	CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(stdout);
	pid_t between = fork();

	if (between == 0) {
		NRD_CLOSE int fd = -1;

		/* In the shell the descriptor is 3. */
		(void)nrd_spawn(&(struct nrd_proc){ .argv = SH("echo >&3; exec sleep 60"), .fds = &ends[1],
						    .n_fds = 1, .flags = NRD_PROC_WITH_US }, &fd, NULL, &err);
		(void)pause();
		_exit(0);
	}
	(void)close(ends[1]);
	CHECK_INT(read(ends[0], &c, 1), 1);
	CHECK_INT(kill(between, SIGKILL), 0);
	CHECK_INT(waitpid(between, NULL, 0), between);
	CHECK_INT(read(ends[0], &c, 1), 0);
	(void)close(ends[0]);
}

TEST_MAIN(captures_output, tells_why_it_failed, keeps_the_end_of_long_stderr,
	  stops_at_the_time_limit, does_not_wait_for_grandchildren, limits_output, feeds_input,
	  environment_is_clean, descriptors_are_only_those_named, forwards_lines,
	  spawns_and_waits, does_not_outlive_us)
