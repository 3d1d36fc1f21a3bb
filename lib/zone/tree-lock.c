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
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "zone/tree.h"

#define STACK_BYTES ((size_t)64 << 10)

struct copy {
	int built;   /* the mount namespace to copy */
	int userns;  /* whose the copy is to be */
	int proc;    /* the node's /proc: what is / changes with the mounts */
	int between; /* the node's copy of it */
	int mntns;   /* the copy of that, -1: failed, as err says */
	struct nrd_err err;
};

static int
open_ns(pid_t pid, int *ret_fd, struct nrd_err *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "ZoneMount", "open its mounts: %m") : 0;
}

/*
 * In a process of its own that shares our memory and descriptors, and is alone with them until it
 * ends: it costs no copy of us, and nothing need be sent.
 */
static int
copy_twice(void *arg)
{
	struct copy *c = arg;

	if (setns(c->built, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    (c->between = openat(c->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC)) < 0)
		(void)nrd_fail(&c->err, errno, "ZoneMount", "copy its mounts: %m");
	else if (setns(c->userns, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		(void)nrd_fail(&c->err, errno, "ZoneMount", "give its mounts to the zone: %m");
	else if ((c->mntns = openat(c->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC)) < 0)
		(void)nrd_fail(&c->err, errno, "ZoneMount", "open its mounts: %m");
	return 0;
}

static int
run_copy(struct copy *c, struct nrd_err *err)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int r = 0;
	pid_t pid;

	if (stack == MAP_FAILED)
		return nrd_nomem(err);
	pid = clone(copy_twice, (char *)stack + STACK_BYTES,
		    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, c);
	if (pid < 0)
		r = nrd_fail(err, errno, "ZoneMount", "start a process: %m");
	else
		(void)waitpid(pid, NULL, 0);
	(void)munmap(stack, STACK_BYTES);
	/* It became another user's; the kernel took that for a reason to hide us as well. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	if (r == 0 && c->mntns < 0) {
		r = c->err.num != 0 ? -c->err.num : -ECHILD;
		if (err != NULL)
			*err = c->err;
	}
	return r;
}

int
zone_tree_lock(pid_t init, int userns, int *ret_mntns, int *ret_between, struct nrd_err *err)
{
	NRD_CLOSE int built = -1;
	NRD_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = proc < 0 ? nrd_fail(err, errno, "ZoneMount", "open /proc: %m")
			 : open_ns(init, &built, err);
	struct copy c = { .built = built, .userns = userns, .proc = proc, .between = -1, .mntns = -1 };

	if (r >= 0)
		r = run_copy(&c, err);
	*ret_mntns = c.mntns;
	*ret_between = c.between;
	return r;
}

int
zone_tree_move(int mntns, struct nrd_err *err)
{
	if (setns(mntns, CLONE_NEWNS) < 0 || chdir("/") < 0)
		return nrd_fail(err, errno, "ZoneMount", "enter its mounts: %m");
	return 0;
}
