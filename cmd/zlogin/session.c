/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zlogin.h"
#include "zone/enter.h"
#include "zone/login.h"
#include "zone/terminal.h"

/* How often a signal is passed on before it is taken for the wish to leave. */
#define SIGNALS_PASSED 2

struct session {
	const struct zlogin_opts *opts;
	struct zone_pump *pump;
	struct zone_terminal terminal;
	int master, slave;    /* with a terminal: of the zone's; the slave keeps it from hanging up */
	int signals;
	int pidfd;
	pid_t pid;
	bool ended;
	int status;           /* of what ran, once it has ended */
	unsigned n_signals;
	int signal;           /* that made us leave */
};

#define SESSION_INIT                                                                  \
	{                                                                             \
		.terminal = ZONE_TERMINAL_INIT, .master = -1, .slave = -1, .signals = -1, \
		.pidfd = -1,                                                          \
	}

static void
session_cleanup(struct session *s)
{
	zone_pump_free(s->pump);
	zone_terminal_cleanup(&s->terminal);
	nrd_closep(&s->master);
	nrd_closep(&s->slave);
	nrd_closep(&s->signals);
	nrd_closep(&s->pidfd);
}

static int
on_end(void *arg, struct nrd_err *err)
{
	struct session *s = arg;
	int r = nrd_pidfd_wait(s->pidfd, 0, &s->status, err);

	if (r == -ETIMEDOUT)
		return 0;
	if (r < 0)
		return r;
	s->ended = true;
	zone_pump_drain(s->pump);
	return 1;
}

/* To all of what we started, when it leads its group: it must not be ours. */
static void
pass_signal(const struct session *s, int sig)
{
	const unsigned to_group = 1u << 2; /* PIDFD_SIGNAL_PROCESS_GROUP */

	if (getpgid(s->pid) == s->pid &&
	    syscall(SYS_pidfd_send_signal, s->pidfd, sig, NULL, to_group) == 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, s->pidfd, sig, NULL, 0);
}

static int
on_signal(void *arg, struct nrd_err *err)
{
	struct session *s = arg;

	(void)err;
	for (int sig = signals_read(s->signals); sig != 0; sig = signals_read(s->signals)) {
		if (sig == SIGCONT || sig == SIGWINCH) {
			if (sig == SIGCONT)
				zone_terminal_again(&s->terminal);
			if (s->master >= 0)
				zone_terminal_copy_size(STDIN_FILENO, s->master);
		} else if (s->master < 0 && s->n_signals++ < SIGNALS_PASSED) {
			pass_signal(s, sig);
		} else {
			s->signal = sig;
			zone_pump_stop(s->pump);
		}
	}
	return 0;
}

static int
on_suspend(void *arg, struct nrd_err *err)
{
	struct session *s = arg;

	(void)err;
	zone_terminal_restore(&s->terminal);
	signals_suspend();
	zone_terminal_again(&s->terminal);
	zone_terminal_copy_size(STDIN_FILENO, s->master);
	return 0;
}

static int
open_input(const struct zlogin_opts *opts, int *ret_fd, struct nrd_err *err)
{
	if (!opts->no_input)
		return zone_pump_borrow(STDIN_FILENO, ret_fd, err);
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "FileOpen", "open /dev/null: %m") : 0;
}

/* One of our descriptors for a lane of a session with a terminal. */
static int
copy_master(const struct session *s, int *ret_fd, struct nrd_err *err)
{
	*ret_fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? nrd_fail(err, errno, "Terminal", "copy the terminal: %m") : 0;
}

static int
add_terminal_lanes(struct session *s, struct nrd_err *err)
{
	NRD_CLOSE int in = -1;
	NRD_CLOSE int to = -1;
	NRD_CLOSE int from = -1;
	NRD_CLOSE int out = -1;
	int r = open_input(s->opts, &in, err);

	if (r == 0)
		r = copy_master(s, &to, err);
	if (r == 0)
		r = copy_master(s, &from, err);
	if (r == 0)
		r = zone_pump_borrow(STDOUT_FILENO, &out, err);
	if (r == 0)
		r = zone_pump_lane(s->pump, nrd_take_fd(&in), nrd_take_fd(&to),
				   ZONE_LANE_INPUT, err);
	zone_pump_eof(s->pump, s->slave);
	if (r == 0)
		r = zone_pump_lane(s->pump, nrd_take_fd(&from), nrd_take_fd(&out), 0, err);
	return r;
}

/*
 * The zone's pty. For a zone so broken that it has no devpts any more, -S takes one of the node's:
 * made for this session alone, it gives the zone nothing but itself.
 */
static int
open_pty(struct session *s, const char *zone, struct nrd_err *err)
{
	int r = zone_enter_pty(zone, &s->master, &s->slave, err);

	if (r < 0 && s->opts->safe && openpty(&s->master, &s->slave, NULL, NULL, NULL) == 0) {
		*err = (struct nrd_err){ 0 };
		(void)fcntl(s->slave, F_SETFD, FD_CLOEXEC);
		(void)fcntl(s->master, F_SETFD, FD_CLOEXEC);
		r = 0;
	}
	if (r < 0)
		return r;
	if (fcntl(s->master, F_SETFL, fcntl(s->master, F_GETFL) | O_NONBLOCK) < 0)
		return nrd_fail(err, errno, "Terminal", "set the zone's terminal: %m");
	zone_terminal_copy_modes(STDIN_FILENO, s->slave);
	zone_terminal_copy_size(STDIN_FILENO, s->slave);
	return 0;
}

/* Three pipes; ours do not block, theirs belong to the user so that /dev/stdout can be opened. */
static int
make_pipe(int ours[2], bool we_write, uid_t owner, struct nrd_err *err)
{
	int mine = we_write ? 1 : 0;

	if (pipe2(ours, O_CLOEXEC) < 0)
		return nrd_fail(err, errno, "ZoneEnter", "make a pipe: %m");
	if (fcntl(ours[mine], F_SETFL, fcntl(ours[mine], F_GETFL) | O_NONBLOCK) < 0 ||
	    fchown(ours[mine], owner, (gid_t)-1) < 0)
		return nrd_fail(err, errno, "ZoneEnter", "set a pipe: %m");
	return 0;
}

struct pipes {
	int p[3][2];
};

static void
pipes_cleanup(struct pipes *pipes)
{
	for (size_t i = 0; i < 3; i++) {
		nrd_closep(&pipes->p[i][0]);
		nrd_closep(&pipes->p[i][1]);
	}
}

static int
make_pipes(struct pipes *pipes, uid_t owner, struct nrd_err *err)
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = make_pipe(pipes->p[i], i == 0, owner, err);
	return r;
}

static int
add_pipe_lanes(struct session *s, struct pipes *pipes, struct nrd_err *err)
{
	static const int our_fd[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	int fd = -1, r = open_input(s->opts, &fd, err);

	if (r == 0)
		r = zone_pump_lane(s->pump, fd, nrd_take_fd(&pipes->p[0][1]), ZONE_LANE_INPUT, err);
	for (int i = 1; i < 3 && r == 0; i++) {
		r = zone_pump_borrow(our_fd[i], &fd, err);
		if (r == 0)
			r = zone_pump_lane(s->pump, nrd_take_fd(&pipes->p[i][0]), fd, 0, err);
	}
	return r;
}

static int
spawn(struct session *s, const char *zone, const struct zone_login *login, const int fds[3],
      struct nrd_err *err)
{
	const struct zone_enter how = {
		.zone = zone,
		.argv = NRD_CSTRV(login->argv),
		.env = NRD_CSTRV(login->env),
		.dir = login->dir,
		.uid = login->becomes ? 0 : login->uid,
		.gid = login->becomes ? 0 : login->gid,
		.groups = login->groups,
		.n_groups = login->becomes ? 0 : login->n_groups,
		.fds = { fds[0], fds[1], fds[2] },
		.tty = s->master >= 0,
	};

	return zone_enter_spawn(&how, &s->pidfd, &s->pid, err);
}

/* From here on our signals and terminal are the session's. */
static int
carry(struct session *s, struct nrd_err *err)
{
	int ch = -1, r = signals_open(&s->signals, err);

	if (r == 0)
		r = zone_pump_watch(s->pump, s->signals, on_signal, s, err);
	if (r == 0)
		r = zone_pump_watch(s->pump, s->pidfd, on_end, s, err);
	if (r == 0 && s->master >= 0)
		r = zlogin_escape(s->opts, &ch, err);
	if (r < 0)
		return r;
	if (s->master >= 0 && isatty(STDIN_FILENO) && !s->opts->no_input) {
		zone_pump_escape(s->pump, ch, on_suspend, s);
		r = zone_terminal_raw(&s->terminal, STDIN_FILENO, err);
	}
	if (r == 0)
		r = zone_pump_run(s->pump, err);
	zone_terminal_restore(&s->terminal);
	return r;
}

static int
run_with_terminal(struct session *s, const char *zone, const struct zone_login *login,
		  struct nrd_err *err)
{
	unsigned number = 0;
	int r = open_pty(s, zone, err);

	if (r == 0)
		r = add_terminal_lanes(s, err);
	if (r == 0)
		r = spawn(s, zone, login, (int[]){ s->slave, s->slave, s->slave }, err);
	if (r < 0)
		return r;
	(void)ioctl(s->master, TIOCGPTN, &number);
	zlogin_say(s->opts, "[Connected to zone '%s' pts/%u]\n", zone, number);
	r = carry(s, err);
	zlogin_say(s->opts, "\n[Connection to zone '%s' pts/%u closed]\n", zone, number);
	return r;
}

static int
run_with_pipes(struct session *s, const struct zone_config *config, const struct zone_login *login,
	       struct nrd_err *err)
{
	NRD_AUTO(pipes) pipes = { { { -1, -1 }, { -1, -1 }, { -1, -1 } } };
	uid_t in_zone = login->uid < config->id_count ? login->uid : 0;
	int r = make_pipes(&pipes, (uid_t)config->id_base + in_zone, err);

	if (r == 0)
		r = spawn(s, config->zonename, login,
			  (int[]){ pipes.p[0][0], pipes.p[1][1], pipes.p[2][1] }, err);
	if (r == 0)
		r = add_pipe_lanes(s, &pipes, err);
	if (r < 0)
		return r;
	/* Theirs are theirs alone now, or their end would never be seen. */
	pipes_cleanup(&pipes);
	pipes = (struct pipes){ { { -1, -1 }, { -1, -1 }, { -1, -1 } } };
	return carry(s, err);
}

static int
prepare(const struct zone_config *config, const struct zone_login_request *request,
	struct zone_login *ret_login, struct nrd_err *err)
{
	NRD_CLOSE int root = -1;
	int r = zone_login_root(config->zonename, &root, err);

	return r < 0 ? r : zone_login_make(root, request, ret_login, err);
}

int
session_run(const struct zone_config *config, const struct zlogin_opts *opts,
	    const char *const *command, struct nrd_err *err)
{
	NRD_AUTO(session) s = SESSION_INIT;
	NRD_AUTO(zone_login) login = { 0 };
	const struct zone_login_request request = {
		.user = opts->user,
		.command = command,
		.term = getenv("TERM"),
		.safe = opts->safe,
		.tty = opts->interactive || (command[0] == NULL && isatty(STDIN_FILENO)),
	};
	int r = prepare(config, &request, &login, err);

	s.opts = opts;
	if (r == 0)
		r = zone_pump_new(&s.pump, err);
	if (r == 0)
		r = request.tty ? run_with_terminal(&s, config->zonename, &login, err) :
				  run_with_pipes(&s, config, &login, err);
	if (r < 0)
		return r;
	if (s.signal != 0)
		return 128 + s.signal;
	return request.tty ? 0 : s.status;
}
