/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Two clones: the first process is in the zone's cgroup and joins its namespaces; its child is in
 * the zone's pid namespace as well, which one joins only by being born there, and is nonetheless
 * the caller's own (CLONE_PARENT). It does nothing before it is told to, so one that nobody has
 * heard of ends. Neither can be looked into by the zone, whose root sees no more of them than that
 * they are there, and may stop or freeze them: then the caller's patience ends, and they are killed.
 */
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cgroup.h"
#include "zone/config.h"
#include "zone/fdpass.h"
#include "zone/jail.h"
#include "zone/mountapi.h"
#include "zone/passwd.h"
#include "zone/pty.h"
#include "zone/state.h"
#include "zone/sys.h"
#include "zone/views.h"

#define ALL_NAMESPACES                                                                             \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)
#define ANSWER_MS 30000
#define GO 'g'

struct door {
	const char *zone;
	struct zone_jail jail;
	int pidfd;   /* of the zone's init */
	int cgroup;
};

typedef int inside_fn(const struct door *door, const void *arg, int sock, struct nrd_err *err);

static void
door_shut(struct door *d)
{
	if (d->pidfd >= 0)
		(void)close(d->pidfd);
	if (d->cgroup >= 0)
		(void)close(d->cgroup);
	zone_jail_fini(&d->jail);
}

/* Whether an init system shares its cgroup out to some below it, and therefore may have no processes in it. */
static bool
is_shared_out(int cgroup)
{
	char controllers[2];
	NRD_CLOSE int fd = openat(cgroup, "cgroup.subtree_control", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, controllers, sizeof(controllers)) > 1;
}

/*
 * One beside those the zone's init system makes: a process of ours in the top one, be it for a
 * moment, would keep systemd from ever sharing that out. A zone that used up its cgroups, and whose
 * init makes none, is still entered.
 */
static int
open_cgroup(const struct zone_config *config, struct nrd_err *err)
{
	char path[256];
	NRD_CLOSE int top = -1;
	int fd;

	(void)snprintf(path, sizeof(path), ZONE_CGROUP_DIR "/%.80s/init", config->zonename);
	top = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (top < 0)
		return nrd_fail(err, errno, "ZoneEnter", "zone '%s': open its cgroup: %m",
				config->zonename);
	if (mkdirat(top, "zlogin", 0755) == 0 &&
	    fchownat(top, "zlogin", (uid_t)config->id_base, (gid_t)config->id_base, 0) < 0)
		return nrd_fail(err, errno, "ZoneEnter", "zone '%s': give it a cgroup: %m",
				config->zonename);
	/* The zone may freeze what is its own. */
	(void)nrd_attr_write(top, "zlogin/cgroup.freeze", "0", NULL);
	fd = openat(top, "zlogin", O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && !is_shared_out(top))
		return nrd_take_fd(&top);
	return fd < 0 ? nrd_fail(err, errno, "ZoneEnter", "zone '%s': make a cgroup in it: %m",
				 config->zonename)
		      : fd;
}

static int
open_init(const char *zone, const struct zone_run *run, struct nrd_err *err)
{
	NRD_CLOSE int fd = run->init > 0 ? zone_sys_pidfd_open(run->init) : -1;

	if (run->state != ZONE_ST_RUNNING || fd < 0 ||
	    zone_sys_pidfd_ino(fd) != run->init_pidfd_ino)
		return nrd_fail(err, ESRCH, "ZoneNotRunning", "zone '%s': it is not running", zone);
	return nrd_take_fd(&fd);
}

static int
door_open(const char *zone, struct door *ret_door, struct nrd_err *err)
{
	struct door d = { .zone = zone, .pidfd = -1, .cgroup = -1 };
	NRD_AUTO(zone_config) config = { 0 };
	struct zone_run run;
	int r = zone_config_read(NULL, zone, &config, err);

	if (r >= 0)
		r = zone_run_read(zone, &run, err);
	if (r >= 0)
		r = d.pidfd = open_init(zone, &run, err);
	if (r >= 0)
		r = d.cgroup = open_cgroup(&config, err);
	if (r >= 0)
		r = zone_jail_prepare(&config, &d.jail, err);
	if (r < 0) {
		door_shut(&d);
		return r;
	}
	*ret_door = d;
	return 0;
}

/* ---- in the new processes ---- */

__attribute__((noreturn)) static void
give_up(int sock, const struct nrd_err *err)
{
	(void)send(sock, err, sizeof(*err), MSG_NOSIGNAL);
	_exit(127);
}

__attribute__((noreturn)) static void
inner(const struct door *d, inside_fn *fn, const void *arg, int sock)
{
	struct nrd_err err = { 0 };
	int r = 0;
	char go = 0;

	if (recv(sock, &go, 1, 0) != 1 || go != GO)
		_exit(127);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		r = nrd_fail(&err, errno, "ZoneEnter", "become root of the zone: %m");
	if (r >= 0)
		r = fn(d, arg, sock, &err);
	if (r >= 0)
		_exit(0);
	give_up(sock, &err);
}

__attribute__((noreturn)) static void
outer(const struct door *d, inside_fn *fn, const void *arg, int sock)
{
	struct clone_args args = { .flags = CLONE_PARENT, .exit_signal = 0 };
	struct nrd_err err = { 0 };
	pid_t pid;

	/* Up to its exec nobody in the zone may look into a process that comes from the node. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (zone_jail_outside(&d->jail, &err) < 0 ||
	    nrd_attr_write(AT_FDCWD, "/proc/self/oom_score_adj", "0", &err) < 0)
		give_up(sock, &err);
	if (setns(d->pidfd, ALL_NAMESPACES) < 0) {
		(void)nrd_fail(&err, errno, "ZoneEnter", "zone '%s': join it: %m", d->zone);
		give_up(sock, &err);
	}
	pid = zone_sys_clone3(&args);
	if (pid == 0)
		inner(d, fn, arg, sock);
	if (pid < 0) {
		(void)nrd_fail(&err, errno, "ZoneEnter", "zone '%s': start a process in it: %m", d->zone);
		give_up(sock, &err);
	}
	if (send(sock, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
		_exit(127);
	_exit(0);
}

/* ---- outside ---- */

struct entered {
	pid_t pid;
	int fds[2]; /* what it sent */
	int n_fds;
};

static int
hear(int sock, struct entered *e, struct nrd_err *err)
{
	for (;;) {
		struct pollfd p = { .fd = sock, .events = POLLIN };
		union {
			struct nrd_err err;
			pid_t pid;
		} said;
		int fd = -1;
		ssize_t n;

		if (poll(&p, 1, ANSWER_MS) <= 0)
			return nrd_fail(err, ETIMEDOUT, "ZoneEnter", "the zone does not answer");
		n = zone_fd_receive(sock, &said, sizeof(said), &fd);
		if (n <= 0)
			return e->pid > 0 ? 0 : nrd_fail(err, ECHILD, "ZoneEnter", "it was killed");
		if (fd >= 0 && e->n_fds < 2) {
			e->fds[e->n_fds++] = fd;
		} else if (n == sizeof(pid_t)) {
			e->pid = said.pid;
			if (send(sock, &(char){ GO }, 1, MSG_NOSIGNAL) != 1)
				return nrd_fail(err, errno, "ZoneEnter", "wake its process: %m");
		} else if (n == sizeof(said.err)) {
			if (err != NULL)
				*err = said.err;
			return said.err.num != 0 ? -said.err.num : -EPROTO;
		}
	}
}

/* A process the zone has stopped or frozen does not end by itself. */
static void
reap(pid_t pid, bool killed)
{
	if (pid <= 0)
		return;
	if (killed)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, __WALL);
}

static int
enter(const char *zone, inside_fn *fn, const void *arg, struct entered *e, struct nrd_err *err)
{
	struct door d;
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int socks[2];
	pid_t first;
	int r = door_open(zone, &d, err);

	if (r < 0)
		return r;
	args.cgroup = (uint64_t)d.cgroup;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0) {
		door_shut(&d);
		return nrd_fail(err, errno, "ZoneEnter", "make a socket pair: %m");
	}
	first = zone_sys_clone3(&args);
	if (first == 0)
		outer(&d, fn, arg, socks[1]);
	(void)close(socks[1]);
	if (first < 0)
		r = nrd_fail(err, errno, "ZoneEnter", "zone '%s': start a process in its cgroup: %m",
			     zone);
	else
		r = hear(socks[0], e, err);
	(void)close(socks[0]);
	door_shut(&d);
	reap(first, r < 0);
	if (r < 0)
		reap(e->pid, true);
	return r;
}

/* ---- a program ---- */

static int
take_fds(const struct zone_enter *en, struct nrd_err *err)
{
	int high[3];

	/* Out of the way of 0, 1 and 2 first, whatever numbers they have. */
	for (int i = 0; i < 3; i++) {
		high[i] = fcntl(en->fds[i], F_DUPFD_CLOEXEC, 10);
		if (high[i] < 0)
			return nrd_fail(err, errno, "ZoneEnter", "take descriptor %d: %m", en->fds[i]);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return nrd_fail(err, errno, "ZoneEnter", "take descriptor %d: %m", i);
	if (setsid() < 0)
		return nrd_fail(err, errno, "ZoneEnter", "make a session: %m");
	if (en->tty != 0 && ioctl(0, TIOCSCTTY, 0) < 0)
		return nrd_fail(err, errno, "ZoneEnter", "take the terminal: %m");
	return 0;
}

static int
run_program(const struct door *d, const void *arg, int sock, struct nrd_err *err)
{
	const struct zone_enter *en = arg;
	int r = take_fds(en, err);
	int num;

	(void)sock;
	if (r >= 0 && chdir(en->dir != NULL ? en->dir : "/") < 0 && chdir("/") < 0)
		r = nrd_fail(err, errno, "ZoneEnter", "go to %s: %m", en->dir);
	if (r >= 0)
		r = zone_jail_enter(&d->jail, err);
	if (r >= 0)
		r = zone_jail_user(en->uid, en->gid, en->groups, en->n_groups, err);
	if (r < 0)
		return r;
	(void)execvpe(en->argv[0], (char *const *)(uintptr_t)en->argv,
		      (char *const *)(uintptr_t)en->env);
	num = errno;
	if (num == ENOENT)
		return nrd_fail(err, num, "NoSuchProgram", "there is no %s in the zone", en->argv[0]);
	return nrd_fail(err, num, "ZoneEnter", "run %s: %m", en->argv[0]);
}

int
zone_enter_spawn(const struct zone_enter *en, int *ret_pidfd, pid_t *ret_pid, struct nrd_err *err)
{
	struct entered e = { 0 };
	int r = enter(en->zone, run_program, en, &e, err);

	if (r < 0)
		return r;
	*ret_pidfd = zone_sys_pidfd_open(e.pid);
	if (*ret_pidfd < 0)
		return nrd_fail(err, errno, "ZoneEnter", "hold its process: %m");
	if (ret_pid != NULL)
		*ret_pid = e.pid;
	return 0;
}

/* ---- a terminal ---- */

static int
make_pty(const struct door *d, const void *arg, int sock, struct nrd_err *err)
{
	const bool *console = arg;
	NRD_CLOSE int master = -1;
	NRD_CLOSE int slave = -1;
	int r = zone_pty_open(&master, &slave, err);

	(void)d;
	if (r >= 0 && *console)
		r = zone_pty_console(slave, err);
	if (r >= 0)
		r = zone_fd_send(sock, master, err);
	return r < 0 ? r : zone_fd_send(sock, slave, err);
}

static int
pty(const char *zone, bool console, int *ret_master, int *ret_slave, struct nrd_err *err)
{
	struct entered e = { .fds = { -1, -1 } };
	int r = enter(zone, make_pty, &console, &e, err);

	if (r >= 0)
		(void)waitpid(e.pid, NULL, __WALL);
	if (r >= 0 && e.n_fds != 2)
		r = nrd_fail(err, EPROTO, "ZoneEnter", "the zone gave no terminal");
	if (r < 0) {
		for (int i = 0; i < e.n_fds; i++)
			(void)close(e.fds[i]);
		return r;
	}
	*ret_master = e.fds[0];
	*ret_slave = e.fds[1];
	return 0;
}

int
zone_enter_pty(const char *zone, int *ret_master, int *ret_slave, struct nrd_err *err)
{
	return pty(zone, false, ret_master, ret_slave, err);
}

int
zone_enter_console(const char *zone, int *ret_master, struct nrd_err *err)
{
	int slave = -1;
	int r = pty(zone, true, ret_master, &slave, err);

	if (r >= 0)
		(void)close(slave);
	return r;
}

/* ---- mounts ---- */

struct tmpfs {
	const char *path;
	char size[32];
};

/* As root of the zone: what is not a filesystem of the zone's own, the kernel does not change. */
static int
resize(const struct door *d, const void *arg, int sock, struct nrd_err *err)
{
	const struct tmpfs *t = arg;
	NRD_CLOSE int fs = fspick(AT_FDCWD, t->path, FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW);
	struct statfs is;

	(void)d;
	(void)sock;
	if (statfs(t->path, &is) < 0 || is.f_type != TMPFS_MAGIC)
		return nrd_fail(err, ENOTSUP, "ZoneTmpfs", "%s in the zone is no tmpfs any more",
				t->path);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", t->size, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return nrd_fail(err, errno, "ZoneTmpfs", "give %s in the zone %s: %m%s", t->path,
				t->size, errno == EINVAL ? "; is more in it than that?" : "");
	return 0;
}

int
zone_enter_tmpfs(const char *zone, const char *path, uint64_t mib, struct nrd_err *err)
{
	struct tmpfs t = { .path = path };
	struct entered e = { 0 };
	int r;

	(void)snprintf(t.size, sizeof(t.size), "%lluM", (unsigned long long)mib);
	r = enter(zone, resize, &t, &e, err);
	if (r >= 0)
		(void)waitpid(e.pid, NULL, __WALL);
	return r;
}

static int
rebind(const struct door *d, const void *arg, int sock, struct nrd_err *err)
{
	const int *views = arg;
	NRD_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)d;
	(void)sock;
	for (size_t i = 0; i < ZONE_VIEWS; i++) {
		struct statfs fs;
		int r;

		if (views[i] < 0)
			continue;
		if (statfs(zone_view_names[i], &fs) < 0 ? errno == ENOTCONN
							: fs.f_type == FUSE_SUPER_MAGIC)
			(void)umount2(zone_view_names[i], MNT_DETACH | UMOUNT_NOFOLLOW);
		r = zone_mount_attach(views[i], root, zone_view_names[i] + 1, ZONE_TARGET_SAME, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
zone_enter_views(const char *zone, struct nrd_err *err)
{
	struct entered e = { 0 };
	int views[ZONE_VIEWS];
	int r = zone_views_open(views, err);

	if (r < 0)
		return r;
	r = enter(zone, rebind, views, &e, err);
	if (r >= 0)
		(void)waitpid(e.pid, NULL, __WALL);
	zone_views_close(views);
	return r;
}
