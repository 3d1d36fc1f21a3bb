/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/err.h"

/*
 * Putting a process of ours into a running zone: all its namespaces, its cgroup, its root, its
 * capabilities, seccomp filter, rlimits and keyring, and no descriptor but 0, 1 and 2. What runs
 * there afterwards can do no more than what init of the zone can.
 */
struct zone_enter {
	const char *zone;
	const char *const *argv;  /* looked up in the zone's PATH */
	const char *const *env;   /* the whole environment, "NAME=value" */
	const char *dir;          /* in the zone; NULL: "/" */
	uid_t uid;                /* in the zone */
	gid_t gid;
	const gid_t *groups;      /* besides */
	size_t n_groups;
	int fds[3];               /* become 0, 1, 2; a pty's slave of the zone becomes the terminal */
	int tty;                  /* 1: fds[0] becomes the controlling terminal */
};

/*
 * Starts it and gives its pidfd (caller closes) and pid as the node sees it. Errors of the child up
 * to exec come back in words: "ZoneNotRunning", "ZoneEnter", "NoSuchProgram" (-ENOENT).
 */
int zone_enter_spawn(const struct zone_enter *enter, int *ret_pidfd, pid_t *ret_pid,
		     struct nrd_err *err);

/* A pty of the zone's own devpts, so that ttyname works inside. Caller closes both. */
int zone_enter_pty(const char *zone, int *ret_master, int *ret_slave, struct nrd_err *err);

/*
 * The same, and the terminal becomes the zone's /dev/console in the place of one whose other end
 * is gone: after zoneadmd was killed. What had the old one open keeps it, dead. Caller closes.
 */
int zone_enter_console(const char *zone, int *ret_master, struct nrd_err *err);

/* Gives the tmpfs that is mounted at path in the zone another size. */
int zone_enter_tmpfs(const char *zone, const char *path, uint64_t mib, struct nrd_err *err);

/*
 * Mounts the files of lib/zone/views.h anew: after lxcfs was started again, those the zone has are
 * dead. "ZoneViews" when lxcfs is not there.
 */
int zone_enter_views(const char *zone, struct nrd_err *err);
