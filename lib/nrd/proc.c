/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"
#include "str.h"
#include "vec.h"

/*
 * posix_spawn does the fork: with glibc it is clone(CLONE_VM | CLONE_VFORK), whose cost does not
 * grow with the caller's memory, and it reports a failed exec as an errno. Input is a memfd
 * rather than a pipe, so a child that never reads cannot block us nor a closed pipe kill us.
 */

#define STDERR_KEPT ((size_t)4 << 10)
#define READ_CHUNK ((size_t)16 << 10)

/* Descriptors of one child, before they are renumbered. */
struct stdio {
	int in, out, err; /* < 0: /dev/null */
};

/* First descriptor number behind those the child gets. */
static int
fd_floor(const struct nrd_proc *proc)
{
	return 3 + (int)proc->n_fds;
}

/* argv[0] as a path to run. */
static int
find_program(const char *name, char **ret_path, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(NRD_PROC_PATH), dir;

	if (strchr(name, '/') != NULL) {
		*ret_path = strdup(name);
		return *ret_path != NULL ? 0 : nrd_nomem(err);
	}
	while (nrd_str_split(&rest, ':', &dir)) {
		NRD_FREE char *path = nrd_format("%.*s/%s", NRD_STR_ARG(dir), name);

		if (path == NULL)
			return nrd_nomem(err);
		if (access(path, X_OK) == 0) {
			*ret_path = NRD_TAKE(path);
			return 0;
		}
	}
	return nrd_fail(err, ENOENT, "ChildStart", "run %s: not found in " NRD_PROC_PATH, name);
}

static int
make_env(const struct nrd_proc *proc, char ***ret_env, struct nrd_err *err)
{
	NRD_STRV char **env = NULL;
	int r = nrd_strv_add(&env, "PATH=" NRD_PROC_PATH);

	if (r == 0)
		r = nrd_strv_add(&env, "LC_ALL=C.UTF-8");
	for (const char *const *e = proc->env; r == 0 && e != NULL && *e != NULL; e++)
		r = nrd_strv_add(&env, *e);
	if (r < 0)
		return nrd_nomem(err);
	*ret_env = NRD_TAKE(env);
	return 0;
}

/*
 * Adds "target becomes source". The source is first copied above every target, since a plain
 * dup2 could overwrite a descriptor that is still to be moved. The copies are closed by the
 * caller.
 */
static int
add_fd(posix_spawn_file_actions_t *actions, int source, int target, int floor, int *ret_copy)
{
	if (source < 0)
		return posix_spawn_file_actions_addopen(actions, target, "/dev/null",
							target == 0 ? O_RDONLY : O_WRONLY, 0);
	*ret_copy = fcntl(source, F_DUPFD_CLOEXEC, floor);
	if (*ret_copy < 0)
		return errno;
	return posix_spawn_file_actions_adddup2(actions, *ret_copy, target);
}

static int
add_fds(posix_spawn_file_actions_t *actions, const struct nrd_proc *proc, const struct stdio *io,
	int *copies)
{
	const int std[3] = { io->in, io->out, io->err };
	int floor = fd_floor(proc);

	for (int i = 0; i < floor; i++) {
		int source = i < 3 ? std[i] : proc->fds[i - 3];
		int num = i >= 3 && source < 0 ? EBADF
					       : add_fd(actions, source, i, floor, &copies[i]);

		if (num != 0)
			return num;
	}
	int num = posix_spawn_file_actions_addclosefrom_np(actions, floor);

	if (num == 0)
		num = posix_spawn_file_actions_addchdir_np(
			actions, proc->dir != NULL ? proc->dir : "/");
	return num;
}

static int
set_attributes(posix_spawnattr_t *attr, const struct nrd_proc *proc)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	if ((proc->flags & NRD_PROC_SESSION) != 0)
		flags |= POSIX_SPAWN_SETSID;
	else if ((proc->flags & NRD_PROC_SAME_GROUP) == 0)
		flags |= POSIX_SPAWN_SETPGROUP;
	int num = posix_spawnattr_setsigdefault(attr, &all);

	if (num == 0)
		num = posix_spawnattr_setsigmask(attr, &none);
	if (num == 0)
		num = posix_spawnattr_setpgroup(attr, 0);
	if (num == 0 && proc->cgroup_fd > 0) {
		num = posix_spawnattr_setcgroup_np(attr, proc->cgroup_fd);
		flags |= POSIX_SPAWN_SETCGROUP;
	}
	if (num == 0)
		num = posix_spawnattr_setflags(attr, flags);
	return num;
}

/* posix_spawn cannot ask for a signal at our death; setpriv of util-linux can. */
static int
with_us(const struct nrd_proc *proc, char ***ret_argv, struct nrd_err *err)
{
	static const char *const before[] = { "setpriv", "--pdeathsig", "KILL", "--", NULL };
	NRD_STRV char **argv = NULL;
	int r = nrd_strv_copy(before, &argv);

	for (const char *const *a = proc->argv; r == 0 && *a != NULL; a++)
		r = nrd_strv_add(&argv, *a);
	if (r < 0)
		return nrd_nomem(err);
	*ret_argv = NRD_TAKE(argv);
	return 0;
}

/* Everything between "arguments are ready" and "a child runs". Returns an errno. */
static int
spawn(const struct nrd_proc *proc, const char *path, char **argv, char **env,
      const struct stdio *io, int *copies, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int num = posix_spawn_file_actions_init(&actions);

	if (num != 0)
		return num;
	num = posix_spawnattr_init(&attr);
	if (num == 0) {
		num = add_fds(&actions, proc, io, copies);
		if (num == 0)
			num = set_attributes(&attr, proc);
		if (num == 0)
			num = posix_spawn(ret_pid, path, &actions, &attr, argv, env);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return num;
}

static int
start(const struct nrd_proc *proc, const struct stdio *io, int *ret_pidfd, pid_t *ret_pid,
      struct nrd_err *err)
{
	NRD_FREE char *path = NULL;
	NRD_STRV char **env = NULL;
	NRD_STRV char **argv = NULL;
	int r = find_program(proc->argv[0], &path, err);

	if (r == 0 && (proc->flags & NRD_PROC_WITH_US) != 0) {
		free(path);
		path = NULL;
		r = with_us(proc, &argv, err);
		if (r == 0)
			r = find_program(argv[0], &path, err);
	} else if (r == 0 && nrd_strv_copy(proc->argv, &argv) < 0) {
		r = nrd_nomem(err);
	}
	if (r == 0)
		r = make_env(proc, &env, err);
	if (r < 0)
		return r;
	size_t n = (size_t)fd_floor(proc);
	NRD_FREE int *copies = malloc(n * sizeof(int));
	pid_t pid = 0;

	if (copies == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; i < n; i++)
		copies[i] = -1;
	int num = spawn(proc, path, argv, env, io, copies, &pid);

	for (size_t i = 0; i < n; i++)
		nrd_closep(&copies[i]);
	if (num != 0)
		return nrd_fail(err, num, "ChildStart", "run %s: %m", proc->argv[0]);
	/* Nobody but us reaps our child, so the number still means it. */
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0) {
		num = errno;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return nrd_fail(err, num, "ChildStart", "run %s: pidfd: %m", proc->argv[0]);
	}
	*ret_pidfd = pidfd;
	*ret_pid = pid;
	return 0;
}

static int
reap(int pidfd, int *ret_status, bool *ret_signalled)
{
	siginfo_t info = { 0 };

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*ret_signalled = info.si_code != CLD_EXITED;
	*ret_status = *ret_signalled ? 128 + info.si_status : info.si_status;
	return 0;
}

static uint64_t
now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One captured stream. */
struct stream {
	int fd; /* -1: closed or not captured */
	struct nrd_buf *buf;
	bool tail;  /* keep the end, drop the beginning */
	bool lines; /* feed the callback */
	bool after_cr;
};

struct run {
	const struct nrd_proc *proc;
	struct stream out, err;
	struct nrd_buf partial; /* the line that is still coming */
	int pidfd;
	pid_t pid;
	struct nrd_err *error;
};

static int
line_done(struct run *run)
{
	int r = run->proc->line(run->proc->line_arg, nrd_buf_str(&run->partial), run->error);

	nrd_buf_reset(&run->partial);
	return r < 0 ? r : 0;
}

/* Lines end at LF, CR (progress meters) or CR LF. */
static int
feed_lines(struct run *run, struct stream *s, const char *data, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		bool lf_of_crlf = data[i] == '\n' && s->after_cr;

		s->after_cr = data[i] == '\r';
		if (lf_of_crlf)
			continue;
		if (data[i] == '\n' || data[i] == '\r') {
			r = line_done(run);
			continue;
		}
		if (nrd_buf_addc(&run->partial, data[i]) == -ENOMEM)
			return nrd_nomem(run->error);
		if (run->partial.len == NRD_PROC_LINE_MAX)
			r = line_done(run);
	}
	return r;
}

static int
feed(struct run *run, struct stream *s, const char *data, size_t len)
{
	int r = 0;

	if (s->lines)
		r = feed_lines(run, s, data, len);
	if (r < 0 || s->buf == NULL)
		return r;
	if (s->tail && s->buf->len + len > STDERR_KEPT)
		nrd_buf_drop(s->buf, s->buf->len + len - STDERR_KEPT);
	if (s->tail && len > STDERR_KEPT) {
		data += len - STDERR_KEPT;
		len = STDERR_KEPT;
	}
	r = nrd_buf_add(s->buf, data, len);
	if (r < 0)
		return nrd_fail(run->error, -r, "ChildOutput", "%s: output: %m",
				run->proc->argv[0]);
	return 0;
}

/* Reads once. 1: something came, 0: nothing now or the end (fd is then closed). */
static int
pump(struct run *run, struct stream *s)
{
	char chunk[READ_CHUNK];

	if (s->fd < 0)
		return 0;
	ssize_t n = read(s->fd, chunk, sizeof(chunk));

	if (n > 0) {
		int r = feed(run, s, chunk, (size_t)n);

		return r < 0 ? r : 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	(void)close(s->fd);
	s->fd = -1;
	return 0;
}

/*
 * What is in the pipes when the child is gone; a grandchild that keeps them open is not waited
 * for.
 */
static int
drain(struct run *run)
{
	struct stream *const streams[] = { &run->out, &run->err };

	for (size_t i = 0; i < nrd_count(streams); i++) {
		int r = 1;

		/* A grandchild that writes for ever must not hold us: at most what pipes hold. */
		for (int round = 0; r > 0 && round < 256; round++)
			r = pump(run, streams[i]);
		if (r < 0)
			return r;
	}
	return run->partial.len > 0 ? line_done(run) : 0;
}

/* Until the child has ended (0) or has to be killed (negative). */
static int
pump_until_exit(struct run *run)
{
	uint64_t deadline = now_ms() + run->proc->timeout_ms;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pidfd, .events = POLLIN },
			{ .fd = run->out.fd, .events = POLLIN },
			{ .fd = run->err.fd, .events = POLLIN },
		};
		int wait = -1;

		if (run->proc->timeout_ms != 0) {
			uint64_t now = now_ms();

			if (now >= deadline)
				return nrd_fail(run->error, ETIMEDOUT, "ChildTimeout",
						"%s: still running after %u ms",
						run->proc->argv[0], run->proc->timeout_ms);
			uint64_t left = deadline - now;

			wait = left > 60000 ? 60000 : (int)left;
		}
		if (poll(fds, nrd_count(fds), wait) < 0 && errno != EINTR)
			return nrd_fail(run->error, errno, "ChildWait", "%s: poll: %m",
					run->proc->argv[0]);
		int r = fds[1].revents != 0 ? pump(run, &run->out) : 0;

		if (r >= 0 && fds[2].revents != 0)
			r = pump(run, &run->err);
		if (r < 0)
			return r;
		if ((fds[0].revents & POLLIN) != 0)
			return drain(run);
	}
}

static void
kill_child(const struct run *run)
{
	/* Not reaped yet, so neither number can have been given to somebody else. */
	if ((run->proc->flags & NRD_PROC_SAME_GROUP) == 0)
		(void)kill(-run->pid, SIGKILL);
	(void)kill(run->pid, SIGKILL);
}

/* Standard error as part of a message: trimmed, lines joined, the end when it is long. */
static void
stderr_text(const struct nrd_buf *b, struct nrd_buf *text)
{
	struct nrd_str rest = nrd_str_trim(nrd_strn(nrd_buf_str(b), b->len)), line;

	if (rest.len > 360) {
		rest.data += rest.len - 360;
		rest.len = 360;
	}
	while (nrd_str_split(&rest, '\n', &line)) {
		line = nrd_str_trim(line);
		if (line.len > 0)
			(void)nrd_buf_printf(text, "%s%.*s", text->len > 0 ? "; " : "",
					     NRD_STR_ARG(line));
	}
}

static int
report(const struct run *run, int status, bool signalled, int *ret_status)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(1024);
	const char *name = run->proc->argv[0];

	if (!signalled && (ret_status != NULL || status == 0)) {
		if (ret_status != NULL)
			*ret_status = status;
		return 0;
	}
	if (run->err.buf != NULL)
		stderr_text(run->err.buf, &text);
	const char *said = nrd_buf_str(&text), *sep = text.len > 0 ? ": " : "";

	if (signalled)
		return nrd_fail(run->error, EIO, "ChildSignal", "%s: killed by SIG%s%s%s", name,
				sigabbrev_np(status - 128) ?: "?", sep, said);
	return nrd_fail(run->error, EIO, "ChildFailed", "%s: exit status %d%s%s", name, status,
			sep, said);
}

static int
run_to_end(struct run *run, int *ret_status)
{
	bool signalled = false;
	int status = 0;
	int r = pump_until_exit(run);

	if (r < 0)
		kill_child(run);
	int waited = reap(run->pidfd, &status, &signalled);

	if (r < 0)
		return r;
	if (waited < 0)
		return nrd_fail(run->error, -waited, "ChildWait", "%s: wait: %m",
				run->proc->argv[0]);
	return report(run, status, signalled, ret_status);
}

static int
make_input(const struct nrd_proc *proc, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return nrd_fail(err, errno, "ChildStart", "input of %s: %m", proc->argv[0]);
	int r = nrd_write_all(fd, proc->input, proc->input_len, err);

	if (r < 0)
		return nrd_wrap(err, r, "input of %s", proc->argv[0]);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return nrd_fail(err, errno, "ChildStart", "input of %s: %m", proc->argv[0]);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

static int
make_pipe(const struct nrd_proc *proc, int *ret_read, int *ret_write, struct nrd_err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "ChildStart", "pipe to %s: %m", proc->argv[0]);
	/* Only our end: the child's must block as it always does. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		int num = errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return nrd_fail(err, num, "ChildStart", "pipe to %s: %m", proc->argv[0]);
	}
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* The descriptors the caller chose; -1 where it chose none. */
static struct stdio
given_stdio(const struct nrd_proc *proc)
{
	return (struct stdio){
		.in = proc->stdin_fd > 0 ? proc->stdin_fd
		      : (proc->flags & NRD_PROC_STDIN) != 0 ? STDIN_FILENO : -1,
		.out = proc->stdout_fd > 0 ? proc->stdout_fd
		       : (proc->flags & NRD_PROC_STDOUT) != 0 ? STDOUT_FILENO : -1,
		.err = (proc->flags & NRD_PROC_STDERR) != 0 ? STDERR_FILENO : -1,
	};
}

int
nrd_run(const struct nrd_proc *proc, struct nrd_buf *out, int *ret_status, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) said = NRD_BUF_INIT(STDERR_KEPT);
	NRD_CLOSE int input = -1, out_read = -1, out_write = -1, err_read = -1, err_write = -1;
	bool lines_err = proc->line != NULL && (proc->flags & NRD_PROC_LINES_ERR) != 0;
	bool lines_out = proc->line != NULL && !lines_err;
	struct stdio io = given_stdio(proc);
	int r = 0;

	if (proc->input != NULL && io.in < 0) {
		r = make_input(proc, &input, err);
		io.in = input;
	}
	if (r == 0 && io.out < 0 && (out != NULL || lines_out)) {
		r = make_pipe(proc, &out_read, &out_write, err);
		io.out = out_write;
	}
	if (r == 0 && io.err < 0) {
		r = make_pipe(proc, &err_read, &err_write, err);
		io.err = err_write;
	}
	if (r < 0)
		return r;
	if (out != NULL && out->max == 0)
		out->max = NRD_PROC_OUT_MAX;
	struct run run = {
		.proc = proc,
		.partial = NRD_BUF_INIT(NRD_PROC_LINE_MAX),
		.pidfd = -1,
		.error = err,
	};

	r = start(proc, &io, &run.pidfd, &run.pid, err);
	if (r < 0)
		return r;
	/* Our copies of the child's ends, or the streams would never end. */
	nrd_closep(&out_write);
	nrd_closep(&err_write);
	out_write = err_write = -1;
	run.out = (struct stream){ .fd = nrd_take_fd(&out_read), .buf = lines_out ? NULL : out,
				   .lines = lines_out };
	run.err = (struct stream){ .fd = nrd_take_fd(&err_read), .buf = &said, .tail = true,
				   .lines = lines_err };
	r = run_to_end(&run, ret_status);
	nrd_closep(&run.out.fd);
	nrd_closep(&run.err.fd);
	nrd_closep(&run.pidfd);
	nrd_buf_fini(&run.partial);
	return r;
}

int
nrd_run_argv(struct nrd_buf *out, struct nrd_err *err, const char *argv0, ...)
{
	NRD_VEC(const char *) argv = { 0 };
	const char *arg = argv0;
	va_list ap;

	va_start(ap, argv0);
	int r = nrd_vec_push(&argv, arg);

	while (r == 0 && arg != NULL) {
		arg = va_arg(ap, const char *);
		r = nrd_vec_push(&argv, arg);
	}
	va_end(ap);
	if (r == 0)
		r = nrd_run(&(struct nrd_proc){ .argv = argv.data, .timeout_ms = 60000 }, out,
			    NULL, err);
	else
		r = nrd_nomem(err);
	nrd_vec_fini(&argv);
	return r;
}

int
nrd_spawn(const struct nrd_proc *proc, int *ret_pidfd, pid_t *ret_pid, struct nrd_err *err)
{
	struct stdio io = given_stdio(proc);
	int pidfd = -1;
	pid_t pid = 0;
	int r = start(proc, &io, &pidfd, &pid, err);

	if (r < 0)
		return r;
	*ret_pidfd = pidfd;
	if (ret_pid != NULL)
		*ret_pid = pid;
	return 0;
}

int
nrd_pidfd_wait(int pidfd, int timeout_ms, int *ret_status, struct nrd_err *err)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	uint64_t deadline = now_ms() + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	bool signalled = false;

	for (;;) {
		uint64_t now = now_ms();
		int left = timeout_ms < 0 ? -1 : now >= deadline ? 0 : (int)(deadline - now);
		int n = poll(&p, 1, left);

		if (n > 0)
			break;
		if (n == 0)
			return nrd_fail(err, ETIMEDOUT, "ChildTimeout",
					"child still running after %d ms", timeout_ms);
		if (errno != EINTR)
			return nrd_fail(err, errno, "ChildWait", "wait for child: %m");
	}
	int r = reap(pidfd, ret_status, &signalled);

	return r < 0 ? nrd_fail(err, -r, "ChildWait", "wait for child: %m") : 0;
}
