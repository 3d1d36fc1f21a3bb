/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/*
 * Child programs. No shell, no inherited environment (PATH and LC_ALL=C.UTF-8 only), all signals
 * at their defaults, no descriptors but those named here. argv[0] without a slash is looked up
 * in NRD_PROC_PATH.
 */
#define NRD_PROC_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

enum nrd_proc_flags {
	NRD_PROC_STDIN = 1u << 0,  /* the child shares our standard input (default: /dev/null) */
	NRD_PROC_STDOUT = 1u << 1, /* ... our standard output (default: captured) */
	NRD_PROC_STDERR = 1u << 2, /* ... our standard error (default: captured into err) */
	NRD_PROC_LINES_ERR = 1u << 3, /* `line` is fed from standard error instead of output */
	NRD_PROC_SAME_GROUP = 1u << 4, /* stay in our process group: ^C reaches the child as well */
	NRD_PROC_WITH_US = 1u << 5, /* does not outlive us, however we end */
	NRD_PROC_SESSION = 1u << 6, /* a session of its own: no terminal is its */
};

/* Gets one line without its end. A negative result kills the child and becomes the run's result. */
typedef int nrd_line_fn(void *arg, const char *line, struct nrd_err *err);

struct nrd_proc {
	const char *const *argv;  /* NULL terminated */
	const char *const *env;   /* "NAME=value" ... added to the clean environment, or NULL */
	const char *dir;          /* working directory, NULL: "/" */
	const void *input;        /* bytes for standard input, or NULL */
	size_t input_len;
	int stdin_fd;             /* > 0: the child's standard input; stays ours to close */
	int stdout_fd;            /* > 0: the child's standard output; stays ours to close */
	int cgroup_fd;            /* > 0: the cgroup v2 directory it is started in */
	const int *fds;           /* become 3, 4, ... in the child (not closed here) */
	size_t n_fds;
	unsigned timeout_ms;      /* 0: none */
	unsigned flags;           /* enum nrd_proc_flags */
	nrd_line_fn *line;        /* or NULL: gets every line (also up to a CR) instead of out */
	void *line_arg;
};

#define NRD_PROC_OUT_MAX ((size_t)16 << 20)  /* captured output when `out` has no max of its own */
#define NRD_PROC_LINE_MAX ((size_t)64 << 10) /* a longer line is handed over in pieces */

/*
 * Runs a child to its end. Standard output is appended to out (NULL: dropped) up to out->max:
 * beyond it the child is killed. ret_status NULL: only exit status 0 is success, anything else
 * is "ChildFailed" (-EIO) with the last of its standard error in the message. ret_status given:
 * every exit status is success and is stored. Errors: "ChildStart" (errno of exec),
 * "ChildTimeout" (-ETIMEDOUT; the process group was killed), "ChildOutput" (-EFBIG),
 * "ChildSignal" (-EIO).
 */
int nrd_run(const struct nrd_proc *proc, struct nrd_buf *out, int *ret_status, struct nrd_err *err);

/*
 * The short form: nrd_run_argv(&out, &err, "zfs", "list", "-H", NULL), 60 s limit, status 0
 * expected.
 */
int nrd_run_argv(struct nrd_buf *out, struct nrd_err *err, const char *argv0, ...)
	__attribute__((sentinel));

/*
 * Starts a child that outlives the call and gives its pidfd (CLOEXEC, caller closes) and, unless
 * NULL, its pid. input, line and timeout_ms must be unset; standard output and error that were
 * not given go to /dev/null. "ChildStart".
 */
int nrd_spawn(const struct nrd_proc *proc, int *ret_pidfd, pid_t *ret_pid, struct nrd_err *err);

/*
 * Waits for and reaps the child behind a pidfd. *ret_status: exit status, or 128 + signal.
 * timeout_ms -1: for ever. "ChildTimeout" (-ETIMEDOUT) leaves it running, "ChildWait".
 */
int nrd_pidfd_wait(int pidfd, int timeout_ms, int *ret_status, struct nrd_err *err);
