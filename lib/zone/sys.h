/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <linux/mount.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * System calls that glibc has no wrapper for, or whose wrapper hides what we need. As the calls:
 * -1 with errno.
 */
pid_t zone_sys_clone3(struct clone_args *args);
int zone_sys_pivot_root(const char *new_root, const char *put_old);
int zone_sys_close_range(unsigned first, unsigned last, unsigned flags);
int zone_sys_seccomp(unsigned op, unsigned flags, void *args);
int zone_sys_bpf(int cmd, void *attr, size_t size);

/* The process behind a pidfd, told apart from all others of this boot by its inode. */
int zone_sys_pidfd_open(pid_t pid);
int zone_sys_pidfd_kill(int pidfd, int sig);
uint64_t zone_sys_pidfd_ino(int pidfd); /* 0: none */
