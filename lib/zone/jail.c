/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "zone/caps.h"
#include "zone/sys.h"

#define NOFILE_SOFT 1024
#define NOFILE_HARD 1048576

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

static int
limit(pid_t pid, __rlimit_resource_t what, uint64_t soft, uint64_t hard, struct nrd_err *err)
{
	const struct rlimit rl = {
		.rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : soft,
		.rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : hard,
	};

	if (prlimit(pid, what, &rl, NULL) < 0)
		return nrd_fail(err, errno, "ZoneJail", "set resource limit %d: %m", (int)what);
	return 0;
}

int
zone_jail_limit(const struct zone_jail *jail, pid_t pid, struct nrd_err *err)
{
	int r = limit(pid, RLIMIT_NOFILE, NOFILE_SOFT, NOFILE_HARD, err);

	if (r >= 0)
		r = limit(pid, RLIMIT_MEMLOCK, jail->memlock, jail->memlock, err);
	return r < 0 ? r : limit(pid, RLIMIT_NPROC, jail->nproc, jail->nproc, err);
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
	r = zone_filter_install(&jail->filter, err);
	return r < 0 ? r : zone_caps_drop(jail->caps, err);
}

int
zone_jail_user(uid_t uid, gid_t gid, struct nrd_err *err)
{
	if (uid == 0 && gid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
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
