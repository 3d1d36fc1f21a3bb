/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Both sides talk through one socket pair. The child stops at once until the parent has mapped its
 * ids; it is then root of a user namespace and of all the others that clone3 made with it, so
 * everything it mounts belongs to the zone. It sends the console's master, and either an error or,
 * by exec closing the socket, nothing more.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/delegate.h"
#include "zone/etc.h"
#include "zone/fdpass.h"
#include "zone/hands.h"
#include "zone/ipc.h"
#include "zone/jail.h"
#include "zone/pty.h"
#include "zone/sys.h"
#include "zone/tree.h"
#include "zone/uts.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)
#define START_LIMIT_MS 30000
#define GO 'g'
#define BUILT 't'

struct start {
	const struct zone_config *config;
	const struct zone_spec *spec;
	struct zone_jail jail;
	struct zone_tree tree;
	struct zone_hands hands;
	const int *stdio;
	const struct zone_network *network;
	struct zone_names names;
	uid_t uid;
	gid_t gid;
};

/* ---- the child ---- */

static int
loopback_up(struct nrd_err *err)
{
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int r = nrd_fault(err, "bring up the loopback interface");

	if (r < 0)
		return r;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return nrd_fail(err, errno, "ZoneStart", "bring up the loopback interface: %m");
	return 0;
}

static int
become_root_of_zone(struct nrd_err *err)
{
	int r = nrd_fault(err, "become root of the zone");

	if (r < 0)
		return r;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return nrd_fail(err, errno, "ZoneStart", "become root of the zone: %m");
	/* Now that it is in its cgroup; the root of the namespace is the cgroup it is in. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return nrd_fail(err, errno, "ZoneStart", "make a cgroup namespace: %m");
	return 0;
}

/* The tree is built by one that may take it apart again; a copy that nobody can is what it lives in. */
static int
make_tree(const struct start *s, int sock, struct nrd_err *err)
{
	NRD_CLOSE int mntns = -1;
	char byte;
	int r = zone_tree_enter(s->spec, &s->tree, err);

	if (r < 0)
		return r;
	if (send(sock, &(char){ BUILT }, 1, MSG_NOSIGNAL) != 1 ||
	    zone_fd_receive(sock, &byte, 1, &mntns) != 1 || mntns < 0)
		return nrd_fail(err, EPIPE, "ZoneStart", "take its mounts over: %m");
	return zone_tree_move(mntns, err);
}

static int
make_console(int sock, int *ret_console, struct nrd_err *err)
{
	NRD_CLOSE int master = -1;
	NRD_CLOSE int slave = -1;
	int r = nrd_fault(err, "make the console's terminal");

	if (r >= 0)
		r = zone_pty_open(&master, &slave, err);
	if (r >= 0)
		r = nrd_fault(err, "mount dev/console");
	if (r >= 0)
		r = zone_pty_console(slave, err);
	if (r >= 0)
		r = zone_fd_send(sock, master, err);
	if (r >= 0)
		*ret_console = nrd_take_fd(&slave);
	return r;
}

/*
 * An init has the console open and no more, as the kernel does it: the login it starts makes it its
 * own. Nor does it lead a session: sysvinit opens the console again, and would have it for good.
 * The one process of a docker zone is who uses the terminal.
 */
static int
take_terminal(int console, bool own, struct nrd_err *err)
{
	int r = nrd_fault(err, "take the console as terminal");

	if (r < 0)
		return r;
	if (own && (setsid() < 0 || ioctl(console, TIOCSCTTY, 0) < 0))
		return nrd_fail(err, errno, "ZoneConsole", "take the console as terminal: %m");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(console, fd) < 0)
			return nrd_fail(err, errno, "ZoneConsole", "take the console as %d: %m", fd);
	return 0;
}

/* Three streams and no terminal. */
static int
take_streams(const int *stdio, struct nrd_err *err)
{
	NRD_CLOSE int null = stdio[0] < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

	if (setsid() < 0)
		return nrd_fail(err, errno, "ZoneStdio", "make a session: %m");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(stdio[fd] < 0 ? null : stdio[fd], fd) < 0)
			return nrd_fail(err, errno, "ZoneStdio", "take descriptor %d: %m", fd);
	return 0;
}

static int
run_init(const struct start *s, struct nrd_err *err)
{
	char *const *argv = s->spec->argv;
	int num, r = nrd_fault(err, "run %s", argv[0]);

	if (r < 0)
		return r;
	/* From here on it lives without zoneadmd. */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	(void)execvpe(argv[0], argv, s->spec->env);
	num = errno;
	if (num == ENOENT || num == ENOTDIR)
		return nrd_fail(err, ENOENT, "NoSuchProgram", "there is no %s in its root, or what "
				"that program needs", argv[0]);
	if (num == ENOEXEC)
		return nrd_fail(err, num, "NoSuchProgram", "%s is no program for this machine (%s)",
				argv[0], "x86-64");
	return nrd_fail(err, num, "ZoneStart", "run %s: %m", argv[0]);
}

static int
child_steps(const struct start *s, int sock, struct nrd_err *err)
{
	const char *name = s->config->hostname != NULL ? s->config->hostname : s->config->zonename;
	int console = -1;
	int r = become_root_of_zone(err);

	/* Should zoneadmd die while the zone is half made, so does it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r >= 0)
		r = make_tree(s, sock, err);
	if (r >= 0)
		r = make_console(sock, &console, err);
	if (r < 0)
		return r;
	r = nrd_fault(err, "set the hostname");
	if (r < 0)
		return r;
	if (sethostname(name, strlen(name)) < 0)
		return nrd_fail(err, errno, "ZoneStart", "set the hostname: %m");
	if (!s->spec->sealed)
		zone_etc_write(s->config, &s->names);
	r = loopback_up(err);
	if (r >= 0)
		r = s->stdio[1] >= 0 ? take_streams(s->stdio, err) : take_terminal(console, s->config->docker, err);
	(void)close(console);
	if (r >= 0 && s->spec->dir != NULL && chdir(s->spec->dir) < 0)
		r = nrd_fail(err, errno, "ZoneStart", "go to %s: %m", s->spec->dir);
	if (r >= 0)
		r = zone_jail_enter(&s->jail, err);
	if (r >= 0)
		r = zone_hands_take(s->spec, &s->hands, err);
	if (r >= 0)
		r = zone_jail_user(s->uid, s->gid, s->spec->groups, s->spec->n_groups, err);
	return r < 0 ? r : run_init(s, err);
}

__attribute__((noreturn)) static void
child(struct start *s, int sock)
{
	struct nrd_err err = { 0 };
	char go = 0;

	if (read(sock, &go, 1) == 1 && go == GO && zone_tree_receive(sock, s->spec, &s->tree, &err) >= 0)
		(void)child_steps(s, sock, &err);
	(void)send(sock, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(1);
}

/* ---- the parent ---- */

static int
write_map(pid_t pid, const char *which, const struct zone_config *c, struct nrd_err *err)
{
	char path[64];
	char text[64];
	int r = nrd_fault(err, "write %s", which);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	(void)snprintf(text, sizeof(text), "0 %llu %llu", (unsigned long long)c->id_base,
		       (unsigned long long)c->id_count);
	return nrd_attr_write(AT_FDCWD, path, text, err);
}

/* uptime in the zone begins with its boot: the namespace is entered by the next child. */
static int
new_time(struct nrd_err *err)
{
	struct timespec mono, boot;
	char text[128];
	int r = nrd_fault(err, "make a time namespace");

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWTIME) < 0)
		return nrd_fail(err, errno, "ZoneStart", "make a time namespace: %m");
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)snprintf(text, sizeof(text), "monotonic -%lld 0\nboottime -%lld 0\n",
		       (long long)mono.tv_sec, (long long)boot.tv_sec);
	return nrd_attr_write(AT_FDCWD, "/proc/self/timens_offsets", text, err);
}

static void
old_time(void)
{
	NRD_CLOSE int fd = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)setns(fd, CLONE_NEWTIME);
}

/*
 * Who makes a user namespace owns it, and the kernel counts what is made in it (namespaces, inotify
 * watches and the like) with what else that user has made. So each zone's is made by an id of its
 * own: one zone cannot use up what the others and the node need. Only the effective id changes, and
 * the capabilities stay.
 */
static int
become_owner(uid_t uid, bool fixup, struct nrd_err *err)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 ||
	    setresuid((uid_t)-1, uid, (uid_t)-1) < 0 ||
	    (fixup && prctl(PR_SET_SECUREBITS, 0) < 0))
		return nrd_fail(err, errno, "ZoneStart", "become user %u: %m", uid);
	return 0;
}

static int
spawn(struct start *s, int payload, int socks[2], struct zone_init *init, struct nrd_err *err)
{
	struct clone_args args = {
		.flags = NAMESPACES | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)&init->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)payload,
	};
	int r = zone_jail_outside(&s->jail, err);
	int num;

	if (r >= 0)
		r = nrd_fault(err, "start its first process");
	if (r >= 0)
		r = new_time(err);
	if (r >= 0)
		r = become_owner((uid_t)s->config->id_base, false, err);
	if (r < 0) {
		old_time();
		return r;
	}
	init->pid = zone_sys_clone3(&args);
	num = errno;
	if (init->pid == 0) {
		(void)close(socks[0]);
		child(s, socks[1]);
	}
	old_time();
	r = become_owner(0, true, err);
	errno = num;
	if (init->pid < 0)
		return nrd_fail(err, num, "ZoneStart", "start its first process: %m");
	return r;
}

static int
open_userns(pid_t pid, int *ret_fd, struct nrd_err *err)
{
	char path[64];
	int r = nrd_fault(err, "open its user namespace");

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "ZoneStart", "open its user namespace: %m") : 0;
}

/* The master comes, then the end of the socket (exec) or an error. */
static int
listen_to_child(int sock, struct zone_init *init, struct nrd_err *err)
{
	for (;;) {
		struct pollfd p = { .fd = sock, .events = POLLIN };
		struct nrd_err said;
		int fd = -1;
		ssize_t n;

		if (poll(&p, 1, START_LIMIT_MS) <= 0)
			return nrd_fail(err, ETIMEDOUT, "ZoneStart",
					"its first process did not come to its exec in %d s",
					START_LIMIT_MS / 1000);
		n = zone_fd_receive(sock, &said, sizeof(said), &fd);
		if (n == 0)
			return init->console >= 0 ? 0 :
						    nrd_fail(err, ECHILD, "ZoneStart",
							     "its first process was killed");
		if (n < 0)
			return nrd_fail(err, errno, "ZoneStart", "hear of its first process: %m");
		if (fd >= 0) {
			init->console = fd;
		} else if (n == sizeof(said)) {
			if (err != NULL)
				*err = said;
			return said.num != 0 ? -said.num : -EPROTO;
		}
	}
}

static int
lock_tree(int sock, pid_t init, int userns, struct nrd_err *err)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	NRD_CLOSE int mntns = -1;
	NRD_CLOSE int between = -1;
	struct nrd_err said;
	ssize_t n = poll(&p, 1, START_LIMIT_MS) > 0 ? recv(sock, &said, sizeof(said), 0) : -1;
	int r;

	if (n == sizeof(said)) {
		if (err != NULL)
			*err = said;
		return said.num != 0 ? -said.num : -EPROTO;
	}
	if (n != 1)
		return nrd_fail(err, ECHILD, "ZoneStart", "its first process made no filesystems");
	r = zone_tree_lock(init, userns, &mntns, &between, err);
	return r < 0 ? r : zone_fd_send(sock, mntns, err);
}

/* zoneadmd may be spared when memory runs out; the zone is not. */
static int
plain_oom(pid_t pid, struct nrd_err *err)
{
	char path[64];
	int r = nrd_fault(err, "write oom_score_adj");

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	return nrd_attr_write(AT_FDCWD, path, "0", err);
}

static int
network_up(const struct start *s, pid_t pid, struct nrd_err *err)
{
	char path[64];
	int r = s->network != NULL ? nrd_fault(err, "make its NICs") : 0;

	if (r < 0 || s->network == NULL)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	NRD_CLOSE int netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return nrd_fail(err, errno, "ZoneStart", "open its network namespace: %m");
	return s->network->up(s->config, netns, err);
}

static int
raise_up(struct start *s, int sock, struct zone_init *init, struct nrd_err *err)
{
	NRD_CLOSE int userns = -1;
	int r = write_map(init->pid, "uid_map", s->config, err);

	if (r >= 0)
		r = write_map(init->pid, "gid_map", s->config, err);
	if (r >= 0)
		r = plain_oom(init->pid, err);
	if (r >= 0)
		r = zone_ipc_limit(s->config, init->pidfd, true, err);
	if (r >= 0)
		r = zone_uts_set(s->spec, init->pidfd, err);
	if (r >= 0)
		r = open_userns(init->pid, &userns, err);
	if (r >= 0)
		r = zone_delegate(s->config, init->pid, &init->missing, err);
	if (r >= 0)
		r = zone_tree_prepare(s->config, s->spec, userns, &s->tree, err);
	if (r >= 0)
		r = network_up(s, init->pid, err);
	if (r >= 0)
		r = nrd_fault(err, "wake its first process");
	if (r < 0)
		return r;
	if (send(sock, &(char){ GO }, 1, MSG_NOSIGNAL) != 1)
		return nrd_fail(err, errno, "ZoneStart", "wake its first process: %m");
	r = zone_tree_send(sock, &s->tree, err);
	zone_tree_close(&s->tree);
	if (r >= 0)
		r = lock_tree(sock, init->pid, userns, err);
	return r < 0 ? r : listen_to_child(sock, init, err);
}

static int
parse_user(const char *text, uid_t *ret_uid, gid_t *ret_gid, struct nrd_err *err)
{
	NRD_STRV char **parts = NULL;
	uint64_t uid = 0, gid = 0;
	int r = text != NULL ? nrd_strv_split(text, ':', &parts) : 0;

	if (r >= 0 && parts != NULL)
		r = nrd_parse_u64(parts[0], 0, UINT32_MAX - 1, &uid, err);
	gid = uid;
	if (r >= 0 && nrd_strv_len(NRD_CSTRV(parts)) > 1)
		r = nrd_parse_u64(parts[1], 0, UINT32_MAX - 1, &gid, err);
	if (r < 0)
		return nrd_wrap(err, r, "init_user \"%s\"", text);
	*ret_uid = (uid_t)uid;
	*ret_gid = (gid_t)gid;
	return 0;
}

static void
kill_init(struct zone_init *init)
{
	(void)zone_sys_pidfd_kill(init->pidfd, SIGKILL);
	(void)waitpid(init->pid, NULL, 0);
	(void)close(init->pidfd);
	if (init->console >= 0)
		(void)close(init->console);
	free(init->missing);
}

int
zone_init_start(const struct zone_config *config, const struct zone_spec *spec, int payload,
		const int stdio[3], const struct zone_network *network, struct zone_init *ret_init, struct nrd_err *err)
{
	struct start s = { .config = config, .spec = spec, .stdio = stdio, .network = network, .tree = ZONE_TREE_NONE };
	struct zone_init init = { .pidfd = -1, .console = -1 };
	int socks[2] = { -1, -1 };
	bool handed = false;
	int r = parse_user(spec->user, &s.uid, &s.gid, err);

	if (r >= 0)
		r = nrd_fault(err, "prepare the jail");
	if (r >= 0)
		r = zone_jail_prepare(config, &s.jail, err);
	if (r >= 0 && network != NULL)
		r = network->names(config, &s.names, err);
	if (r >= 0)
		r = zone_hands_open(config, spec, network, &s.hands, err);
	handed = r >= 0;
	if (r >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		r = nrd_fail(err, errno, "ZoneStart", "make a socket pair: %m");
	if (r >= 0)
		r = spawn(&s, payload, socks, &init, err);
	if (socks[1] >= 0)
		(void)close(socks[1]);
	if (r >= 0)
		r = raise_up(&s, socks[0], &init, err);
	if (r < 0 && init.pid > 0)
		kill_init(&init);
	if (r < 0 && network != NULL)
		(void)network->down(config->zonename, NULL);
	if (socks[0] >= 0)
		(void)close(socks[0]);
	zone_tree_close(&s.tree);
	if (handed)
		zone_hands_close(spec, &s.hands);
	zone_jail_fini(&s.jail);
	zone_names_fini(&s.names);
	if (r >= 0)
		*ret_init = init;
	return r;
}
