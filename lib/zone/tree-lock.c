/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The zone's root may undo whatever was mounted in a mount namespace of its own: take a mask away,
 * make what was given to it read-only writable, look at what lies below its root. But of the mounts
 * in a namespace that was copied from another owner's the kernel locks each in its place with its
 * options. So the tree that init has built is copied twice: into a namespace of the node's, and from
 * there into one of the zone's. Only a process that is still the node's can do the first, only one
 * that has become the zone's the second: it is made for this, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "zone/sys.h"
#include "zone/tree.h"

#define COPY_LIMIT_MS 30000

static int
open_ns(pid_t pid, int *ret_fd, struct nrd_err *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "ZoneMount", "open its mounts: %m") : 0;
}

/* Says how it went, and lives until it was looked at. */
__attribute__((noreturn)) static void
copy_twice(int mntns, int userns, int sock)
{
	struct nrd_err err = { 0 };
	char done;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (setns(mntns, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0)
		(void)nrd_fail(&err, errno, "ZoneMount", "copy its mounts: %m");
	else if (setns(userns, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		(void)nrd_fail(&err, errno, "ZoneMount", "give its mounts to the zone: %m");
	(void)send(sock, &err, sizeof(err), MSG_NOSIGNAL);
	(void)recv(sock, &done, 1, 0);
	_exit(0);
}

static int
hear(int sock, struct nrd_err *err)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct nrd_err said;

	if (poll(&p, 1, COPY_LIMIT_MS) <= 0 || recv(sock, &said, sizeof(said), 0) != sizeof(said))
		return nrd_fail(err, ETIMEDOUT, "ZoneMount", "its mounts were not copied");
	if (said.num != 0 && err != NULL)
		*err = said;
	return -said.num;
}

int
zone_tree_lock(pid_t init, int userns, int *ret_mntns, struct nrd_err *err)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	NRD_CLOSE int built = -1;
	int socks[2];
	pid_t pid;
	int r = open_ns(init, &built, err);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return nrd_fail(err, errno, "ZoneMount", "make a socket pair: %m");
	pid = zone_sys_clone3(&args);
	if (pid == 0) {
		(void)close(socks[0]);
		copy_twice(built, userns, socks[1]);
	}
	(void)close(socks[1]);
	r = pid < 0 ? nrd_fail(err, errno, "ZoneMount", "start a process: %m") : hear(socks[0], err);
	if (r >= 0)
		r = open_ns(pid, ret_mntns, err);
	(void)close(socks[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return r;
}

int
zone_tree_move(int mntns, struct nrd_err *err)
{
	if (setns(mntns, CLONE_NEWNS) < 0 || chdir("/") < 0)
		return nrd_fail(err, errno, "ZoneMount", "enter its mounts: %m");
	return 0;
}
