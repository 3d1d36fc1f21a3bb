/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * zoneadmd: parent of a zone's init, holder of its console, and the one who changes what runs. It is
 * started when a zone is to be readied, or runs without it, and leaves when the zone is down and
 * nobody is at its console. Killing it harms nothing: what it knows is in the state file, and the
 * next one takes over.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cgroup.h"
#include "zoneadmd.h"

#define LEAVING_MS 30000 /* adopting takes seconds on a slow node */
#define READY_FD 3 /* closed when we listen: zone_client_open waits for it */

static int
open_alive(struct nrd_err *err)
{
	int fd = open(ZONE_RUN_DIR "/.alive", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? nrd_fail(err, errno, "Zoneadmd", "open " ZONE_RUN_DIR "/.alive: %m") : fd;
}

/*
 * One a zone: the lock is held as long as we live. 1: there is another, and it listens. One that is
 * just leaving is waited for.
 */
static int
be_the_one(const char *name, struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	int64_t end = nrd_now_ms() + LEAVING_MS;
	char path[192];
	char sock[192];
	int r;

	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.80s", name);
	r = nrd_mkdir_p(path, 0755, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.80s/lock", name);
	(void)snprintf(sock, sizeof(sock), ZONE_RUN_DIR "/%.80s/sock", name);
	NRD_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return nrd_fail(err, errno, "Zoneadmd", "open %s: %m", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return nrd_fail(err, errno, "Zoneadmd", "lock %s: %m", path);
		if (access(sock, F_OK) == 0 || nrd_now_ms() > end)
			return 1;
		(void)nanosleep(&pause, NULL);
	}
	/* Of one that was killed: who finds it would take us for ready to answer. */
	(void)unlink(sock);
	(void)nrd_take_fd(&fd);
	return 0;
}

static bool
anybody_there(const struct zoneadmd *z)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (z->clients[i].kind != CLIENT_NONE)
			return true;
	return false;
}

static bool
idle(const struct zoneadmd *z)
{
	return z->run.state == ZONE_ST_INSTALLED && z->restart.at_ms == 0 && !anybody_there(z);
}

/* Nobody finds us any more, and who had found us already is still served: false. */
static bool
leave(struct zoneadmd *z)
{
	struct nrd_err err = { 0 };

	server_unlisten(z);
	server_accept(z);
	if (!anybody_there(z))
		return true;
	(void)close(z->listener);
	z->listener = -1;
	if (server_listen(z, &err) < 0)
		nrd_log(NRD_ERROR, "cannot be asked any more", NRD_S("zone", z->name), NRD_ERR(&err));
	return false;
}

static void
on_deadline(struct zoneadmd *z)
{
	struct nrd_err err = { 0 };
	bool reboot = z->shutting == SHUTDOWN_REBOOT;
	int r;

	nrd_log(NRD_WARN, "init did not end in time: killing it", NRD_S("zone", z->name));
	z->deadline_ms = 0;
	z->shutting = SHUTDOWN_NONE;
	r = reboot ? zone_op_reboot(z, &(struct zone_boot_request){ 0 }, &err) : zone_op_halt(z, &err);
	if (r < 0)
		nrd_log(NRD_ERROR, "halt failed", NRD_S("zone", z->name), NRD_ERR(&err));
	server_tell_down(z, r, &err);
}

enum place { P_LISTENER, P_CONSOLE, P_INIT, P_EXITS, P_STDIN, P_STDOUT, P_STDERR, P_ASKER,
	     P_PROVISION, P_NICS, P_QMP, P_AGENT, P_MDATA, P_CLIENTS = P_MDATA + MDATA_POLLS };

/* What a client that is gone has typed waits for the zone, with nothing to be told of it. */
static int
client_fd(const struct zoneadmd *z, const struct client *c)
{
	if (c->kind == CLIENT_NONE || (c->gone && console_client_events(z, c) == 0))
		return -1;
	return c->fd;
}

static void
poll_set(const struct zoneadmd *z, struct pollfd *p)
{
	short to_console = z->to_console.len > 0 ? POLLOUT : 0;

	p[P_LISTENER] = (struct pollfd){ .fd = z->listener, .events = POLLIN };
	p[P_CONSOLE] = (struct pollfd){ .fd = z->console, .events = POLLIN | to_console };
	p[P_INIT] = (struct pollfd){ .fd = z->boot.init.pidfd, .events = POLLIN };
	p[P_EXITS] = (struct pollfd){ .fd = z->exits, .events = POLLIN };
	p[P_STDIN] = (struct pollfd){ .fd = z->to_stdin.len > 0 ? z->stdio[0] : -1,
				      .events = POLLOUT };
	p[P_STDOUT] = (struct pollfd){ .fd = z->stdio[1], .events = POLLIN };
	p[P_STDERR] = (struct pollfd){ .fd = z->stdio[2], .events = POLLIN };
	p[P_ASKER] = (struct pollfd){ .fd = z->asker, .events = POLLIN };
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		p[P_CLIENTS + i] = (struct pollfd){
			.fd = client_fd(z, &z->clients[i]),
			.events = z->clients[i].kind == CLIENT_REQUESTS ?
					  POLLIN :
					  console_client_events(z, &z->clients[i]),
		};
}

static void
streams(struct zoneadmd *z, const struct pollfd *p)
{
	if ((p[P_CONSOLE].revents & POLLOUT) != 0)
		sink_flush(&z->to_console, z->console);
	if ((p[P_CONSOLE].revents & ~POLLOUT) != 0)
		console_readable(z);
	if (p[P_STDIN].revents != 0)
		sink_flush(&z->to_stdin, z->stdio[0]);
	for (int i = 1; i <= 2; i++)
		if (p[P_STDIN + i].revents != 0)
			stdio_readable(z, i);
}

static void
turn(struct zoneadmd *z)
{
	struct pollfd p[P_CLIENTS + CLIENTS_MAX];
	int timeout = -1;

	poll_set(z, p);
	if (z->deadline_ms != 0)
		timeout = z->deadline_ms > nrd_now_ms() ? (int)(z->deadline_ms - nrd_now_ms()) : 0;
	mdata_poll(&z->mdata, &p[P_MDATA], &timeout);
	provision_poll(z, &p[P_PROVISION], &timeout);
	nics_poll(z, &p[P_NICS], &timeout);
	guest_poll(z, &p[P_QMP], &timeout);
	agent_poll(z, &p[P_AGENT], &timeout);
	restart_poll(z, &timeout);
	(void)poll(p, nrd_count(p), timeout);
	streams(z, p);
	if (p[P_EXITS].revents != 0)
		z->end_known |= exits_find(z->exits, z->boot.init.pid, &z->end_status);
	if (p[P_ASKER].revents != 0)
		spec_reap(z);
	guest_turn(z, &p[P_QMP]);
	agent_turn(z, &p[P_AGENT]);
	if (p[P_INIT].revents != 0)
		zone_init_ended(z);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (p[P_CLIENTS + i].revents != 0 && z->clients[i].kind != CLIENT_NONE)
			server_ready(z, &z->clients[i], p[P_CLIENTS + i].revents);
	if (p[P_LISTENER].revents != 0)
		server_accept(z);
	/* However much there is to do: who talks without end is not waited for. */
	if (z->deadline_ms != 0 && nrd_now_ms() >= z->deadline_ms)
		on_deadline(z);
	mdata_turn(z, &p[P_MDATA]);
	provision_turn(z, &p[P_PROVISION]);
	nics_turn(z, &p[P_NICS]);
	restart_turn(z);
}

/* A zone runs without it, too. */
static void
start_mdata(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };

	if (mdata_listen(z, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: the zone has no metadata service", NRD_S("zone", z->name),
			NRD_ERR(&why));
}

static int
start(struct zoneadmd *z, struct nrd_err *err)
{
	char path[192];
	int r;

	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)umask(022);
	/* A zone that has closed its input is an error of write(2), not our end. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	r = zone_cgroup_enter_monitors(err);
	if (r < 0)
		return r;
	z->alive = open_alive(err);
	if (z->alive < 0)
		return z->alive;
	r = zone_run_read(z->name, &z->run, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/%.80s/log", z->name);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log >= 0)
		nrd_log_set_output(log, NRD_LOG_JSON);
	nrd_log_init("zoneadmd", NRD_INFO);
	start_mdata(z);
	r = zone_adopt(z, err);
	return r < 0 ? r : server_listen(z, err);
}

/*
 * Nothing is open. Set one by one: an initialiser would put all of it, and it is mostly zeroes, into
 * the program's file, and its pages into the memory of each zone's zoneadmd.
 */
static void
begin(struct zoneadmd *z, const char *name)
{
	z->name = name;
	z->listener = z->alive = z->exits = z->asker = -1;
	z->console = z->console_peer = -1;
	z->stdio[0] = z->stdio[1] = z->stdio[2] = z->stdio_log = -1;
	z->mdata.listener = -1;
	z->provision.inotify = -1;
	z->nics.fd = -1;
	z->guest.qmp.fd = -1;
	z->agent.qga = (struct qga)QGA_NONE;
	z->boot = (struct zone_boot)ZONE_BOOT_NONE;
	z->boot.network = &zone_network;
}

int
main(int argc, char **argv)
{
	static struct zoneadmd z;
	struct nrd_err err = { 0 };
	int r;

	if (argc != 2 || zone_name_check(argv[1], &err) < 0) {
		(void)fprintf(stderr, "usage: zoneadmd ZONE (started by zoneadm)\n");
		return 2;
	}
	begin(&z, argv[1]);
	nrd_fault_init();
	r = be_the_one(z.name, &err);
	if (r == 1)
		return 0;
	if (r >= 0)
		r = start(&z, &err);
	if (r < 0) {
		(void)fprintf(stderr, "zoneadmd: %s\n", err.msg);
		return 1;
	}
	(void)close(READY_FD);
	do
		turn(&z);
	while (!idle(&z) || !leave(&z));
	return 0;
}
