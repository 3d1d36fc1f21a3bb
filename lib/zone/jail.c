/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "zone/caps.h"
#include "zone/sys.h"

#define NOFILE_SOFT 1024
#define NOFILE_HARD 1048576
#define MSGQUEUE    819200          /* bytes in POSIX message queues */
#define SIGPENDING  65536
#define STACK       ((uint64_t)8 << 20)
#define CPUS_MAX    8192
#define TIMERSLACK_NS 50000
#define IOPRIO_DEFAULT 0            /* of class none: follows the nice value */

static uint64_t
memlock_of(const struct zone_config *config)
{
	return config->max_locked_memory > 0 ? config->max_locked_memory << 20 : UINT64_MAX;
}

static uint64_t
nproc_of(const struct zone_config *config)
{
	return config->max_processes > 0 ? config->max_processes : UINT64_MAX;
}

int
zone_jail_prepare(const struct zone_config *config, struct zone_jail *ret_jail,
		  struct nrd_err *err)
{
	struct zone_jail jail = { .memlock = memlock_of(config), .nproc = nproc_of(config) };
	int r = zone_caps_of(config, &jail.caps, err);

	if (r >= 0)
		r = zone_filter_get(config, &jail.filter, err);
	if (r >= 0)
		*ret_jail = jail;
	return r;
}

void
zone_jail_fini(struct zone_jail *jail)
{
	zone_filter_fini(&jail->filter);
}

void
zone_jail_cleanup(struct zone_jail *jail)
{
	zone_jail_fini(jail);
}

/* Who may not raise its own, as root in a container may not, gives what it has: that is less. */
static int
limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard, struct nrd_err *err)
{
	struct rlimit own, rl = {
		.rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : soft,
		.rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : hard,
	};
	int r = setrlimit(what, &rl);

	if (r < 0 && errno == EPERM && getrlimit(what, &own) == 0 && own.rlim_max < rl.rlim_max) {
		rl.rlim_max = own.rlim_max;
		rl.rlim_cur = rl.rlim_cur < rl.rlim_max ? rl.rlim_cur : rl.rlim_max;
		r = setrlimit(what, &rl);
	}
	return r == 0 ? 0 : nrd_fail(err, errno, "ZoneJail", "set resource limit %d: %m", (int)what);
}

/* All there are: none may depend on who starts the zone. */
static int
set_limits(const struct zone_jail *jail, struct nrd_err *err)
{
	const struct {
		__rlimit_resource_t what;
		uint64_t soft, hard;
	} limits[] = {
		{ RLIMIT_AS, UINT64_MAX, UINT64_MAX },     { RLIMIT_CORE, 0, UINT64_MAX },
		{ RLIMIT_CPU, UINT64_MAX, UINT64_MAX },    { RLIMIT_DATA, UINT64_MAX, UINT64_MAX },
		{ RLIMIT_FSIZE, UINT64_MAX, UINT64_MAX },  { RLIMIT_LOCKS, UINT64_MAX, UINT64_MAX },
		{ RLIMIT_MEMLOCK, jail->memlock, jail->memlock },
		{ RLIMIT_MSGQUEUE, MSGQUEUE, MSGQUEUE },   { RLIMIT_NICE, 0, 0 },
		{ RLIMIT_NOFILE, NOFILE_SOFT, NOFILE_HARD },
		{ RLIMIT_NPROC, jail->nproc, jail->nproc }, { RLIMIT_RSS, UINT64_MAX, UINT64_MAX },
		{ RLIMIT_RTPRIO, 0, 0 },                   { RLIMIT_RTTIME, UINT64_MAX, UINT64_MAX },
		{ RLIMIT_SIGPENDING, SIGPENDING, SIGPENDING },
		{ RLIMIT_STACK, STACK, UINT64_MAX },
	};
	int r = nrd_fault(err, "set resource limits");

	for (size_t i = 0; r >= 0 && i < nrd_count(limits); i++)
		r = limit(limits[i].what, limits[i].soft, limits[i].hard, err);
	return r;
}

int
zone_jail_outside(const struct zone_jail *jail, struct nrd_err *err)
{
	const struct sched_param plain = { 0 };
	unsigned char every[CPUS_MAX / 8];

	memset(every, 0xff, sizeof(every));
	if (sched_setscheduler(0, SCHED_OTHER, &plain) < 0 || setpriority(PRIO_PROCESS, 0, 0) < 0)
		return nrd_fail(err, errno, "ZoneJail", "set the priority: %m");
	/* Its cgroup says which processors a zone has; none of these fail on a process of the node's. */
	(void)syscall(SYS_sched_setaffinity, 0, sizeof(every), every);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_DEFAULT);
	(void)personality(PER_LINUX);
	(void)prctl(PR_SET_TIMERSLACK, TIMERSLACK_NS, 0, 0, 0);
	/* Nobody has logged in: a zone's own pam_loginuid says who does. A kernel without audit has none. */
	(void)nrd_attr_write(AT_FDCWD, "/proc/self/loginuid", "4294967295", NULL);
	return set_limits(jail, err);
}

static void
default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++) {
		const struct sigaction dfl = { .sa_handler = SIG_DFL };

		(void)sigaction(s, &dfl, NULL);
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int
zone_jail_enter(const struct zone_jail *jail, struct nrd_err *err)
{
	int r;

	default_signals();
	(void)umask(022);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return nrd_fail(err, errno, "ZoneJail", "make a keyring: %m");
	if (zone_sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return nrd_fail(err, errno, "ZoneJail", "close descriptors: %m");
	/* The filter needs CAP_SYS_ADMIN, which the zone may be without. */
	r = nrd_fault(err, "install the system call filter");
	if (r >= 0)
		r = zone_filter_install(&jail->filter, err);
	if (r >= 0)
		r = nrd_fault(err, "drop capabilities");
	return r < 0 ? r : zone_caps_drop(jail->caps, err);
}

int
zone_jail_user(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, struct nrd_err *err)
{
	if (setgroups(n_groups, groups) < 0)
		return nrd_fail(err, errno, "ZoneJail", "set the groups of user %u: %m", uid);
	if (uid == 0 && gid == 0)
		return 0;
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return nrd_fail(err, errno, "ZoneJail", "become user %u:%u: %m", uid, gid);
	return 0;
}

/* A soft limit that the process lowered itself stays; one that was at the top stays there. */
static void
relimit(pid_t pid, __rlimit_resource_t what, uint64_t limit)
{
	rlim_t most = limit == UINT64_MAX ? RLIM_INFINITY : limit;
	struct rlimit rl;

	if (prlimit(pid, what, NULL, &rl) < 0)
		return;
	if (rl.rlim_cur == rl.rlim_max || rl.rlim_cur > most)
		rl.rlim_cur = most;
	rl.rlim_max = most;
	(void)prlimit(pid, what, &rl, NULL);
}

void
zone_jail_relimit(const struct zone_config *config, pid_t pid)
{
	relimit(pid, RLIMIT_MEMLOCK, memlock_of(config));
	relimit(pid, RLIMIT_NPROC, nproc_of(config));
}
