/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zlogin.h"
#include "zone/client.h"
#include "zone/config-guest.h"
#include "zone/terminal.h"

#define GUEST_ESCAPE (']' & 0x1f) /* as SmartOS has it: ~. may be meant for a console in the guest */

struct console {
	const char *zone;
	bool guest;
	struct zone_pump *pump;
	struct zone_terminal *terminal;
	int fd, fd_stderr; /* of zoneadmd */
	int signals, changes;
	bool was_active;
	int signal; /* that made us leave */
};

static int
on_signal(void *arg, struct nrd_err *err)
{
	struct console *c = arg;

	(void)err;
	for (int sig = signals_read(c->signals); sig != 0; sig = signals_read(c->signals)) {
		if (sig == SIGCONT) {
			zone_terminal_again(c->terminal);
		} else if (sig != SIGWINCH) {
			c->signal = sig;
			zone_pump_stop(c->pump);
		}
	}
	return 0;
}

static int
on_suspend(void *arg, struct nrd_err *err)
{
	struct console *c = arg;

	(void)err;
	zone_terminal_restore(c->terminal);
	signals_suspend();
	zone_terminal_again(c->terminal);
	return 0;
}

/* A zone that was up and of which nothing runs now has halted; what it said last is still shown. */
static int
on_change(void *arg, struct nrd_err *err)
{
	struct console *c = arg;
	struct zone_run run = { 0 };
	char events[4096];

	while (read(c->changes, events, sizeof(events)) > 0)
		;
	int r = zone_run_read(c->zone, &run, err);

	if (r < 0)
		return r;
	if (run.state > ZONE_ST_INSTALLED)
		c->was_active = true;
	else if (c->was_active)
		zone_pump_drain(c->pump);
	return 0;
}

static int
watch_changes(struct console *c, struct nrd_err *err)
{
	NRD_FREE char *dir = nrd_format(ZONE_RUN_DIR "/%s", c->zone);

	if (dir == NULL)
		return nrd_nomem(err);
	c->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (c->changes < 0 || inotify_add_watch(c->changes, dir,
						IN_MOVED_TO | IN_CREATE | IN_DELETE |
							IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
		return nrd_fail(err, errno, "ConsoleWatch", "watch %s: %m", dir);
	int r = zone_pump_watch(c->pump, c->changes, on_change, c, err);

	return r < 0 ? r : on_change(c, err);
}

static int
add_output(struct console *c, int fd, int ours, unsigned flags, struct nrd_err *err)
{
	NRD_CLOSE int out = -1;
	NRD_CLOSE int from = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (from < 0)
		return nrd_fail(err, errno, "Console", "copy the console's descriptor: %m");
	r = zone_pump_borrow(ours, &out, err);
	return r < 0 ? r : zone_pump_lane(c->pump, nrd_take_fd(&from), nrd_take_fd(&out), flags, err);
}

static int
open_null(int *ret_fd, struct nrd_err *err)
{
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "FileOpen", "open /dev/null: %m") : 0;
}

/* Our terminal or pipe to the console and back. */
static int
add_lanes(struct console *c, const struct zlogin_opts *opts, struct nrd_err *err)
{
	bool pass_end = opts->stdio && !opts->no_eof && !opts->no_input;
	NRD_CLOSE int in = -1;
	NRD_CLOSE int to = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (to < 0)
		return nrd_fail(err, errno, "Console", "copy the console's descriptor: %m");
	/* What a spectator types goes nowhere, but the way out of a console is typed too. */
	r = opts->no_input && opts->stdio ? open_null(&in, err) :
					    zone_pump_borrow(STDIN_FILENO, &in, err);
	if (r == 0)
		r = zone_pump_lane(c->pump, nrd_take_fd(&in), nrd_take_fd(&to),
				   ZONE_LANE_INPUT | (pass_end ? ZONE_LANE_SHUTDOWN : 0), err);
	if (r == 0)
		r = add_output(c, c->fd, STDOUT_FILENO, ZONE_LANE_LAST, err);
	if (r == 0 && c->fd_stderr >= 0)
		r = add_output(c, c->fd_stderr, STDERR_FILENO, 0, err);
	return r;
}

static int
carry(struct console *c, const struct zlogin_opts *opts, struct nrd_err *err)
{
	int ch, r = add_lanes(c, opts, err);

	if (r == 0)
		r = zlogin_escape(opts, &ch, err);
	if (r == 0)
		r = signals_open(&c->signals, err);
	if (r == 0)
		r = zone_pump_watch(c->pump, c->signals, on_signal, c, err);
	if (r < 0)
		return r;
	if (c->guest && opts->escape == NULL && !opts->no_escape)
		zone_pump_leave(c->pump, GUEST_ESCAPE);
	else
		zone_pump_escape(c->pump, ch, isatty(STDIN_FILENO) ? on_suspend : NULL, c);
	if (opts->disconnect)
		r = watch_changes(c, err);
	if (r < 0)
		return r;
	zlogin_say(opts, "[Connected to zone '%s' console%s]\n", c->zone, c->guest ? "; Ctrl-] leaves it" : "");
	if (opts->console)
		r = zone_terminal_raw(c->terminal, STDIN_FILENO, err);
	if (r == 0)
		r = zone_pump_run(c->pump, err);
	zone_terminal_restore(c->terminal);
	zlogin_say(opts, "\n[Connection to zone '%s' console closed]\n", c->zone);
	return r;
}

static int
connect_to(const struct zone_config *config, const char *stream, enum zone_client_input input,
	   int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = zone_client_open(config->zonename, &fd, err);

	if (r == 0)
		r = zone_client_console(fd, stream, input, err);
	if (r == 0)
		*ret_fd = nrd_take_fd(&fd);
	return r;
}

int
console_run(const struct zone_config *config, const struct zlogin_opts *opts, struct nrd_err *err)
{
	NRD_AUTO(zone_terminal) terminal = ZONE_TERMINAL_INIT;
	NRD_AUTO(zone_pump) *pump = NULL;
	bool streams = opts->stdio && config->docker && !config->docker_tty;
	struct console c = { .zone = config->zonename, .guest = zone_is_guest(config), .terminal = &terminal, .fd = -1,
			     .fd_stderr = -1, .signals = -1, .changes = -1 };
	enum zone_client_input input = opts->no_input ? ZONE_INPUT_NONE :
				       opts->no_eof   ? ZONE_INPUT_KEPT :
							ZONE_INPUT_ENDS;
	int r = connect_to(config, streams ? "stdio" : "console", input, &c.fd, err);

	if (r == 0 && streams)
		r = connect_to(config, "stderr", ZONE_INPUT_NONE, &c.fd_stderr, err);
	if (r == 0)
		r = zone_pump_new(&pump, err);
	c.pump = pump;
	if (r == 0)
		r = carry(&c, opts, err);
	nrd_closep(&c.fd);
	nrd_closep(&c.fd_stderr);
	nrd_closep(&c.signals);
	nrd_closep(&c.changes);
	if (r < 0)
		return r;
	return c.signal != 0 ? 128 + c.signal : 0;
}
