/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "boot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "zone/cgroup.h"
#include "zone/delegate.h"
#include "zone/service.h"

#define KILL_WAIT_MS 10000

struct step {
	const char *name;
	enum zone_boot_level level;
	bool (*is_up)(const struct zone_boot *b);
	int (*up)(struct zone_boot *b, struct nrd_err *err);
	int (*down)(struct zone_boot *b, struct nrd_err *err); /* also of what is half up */
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void
reap(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	(void)poll(&p, 1, KILL_WAIT_MS);
	(void)waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){ 0 }, WEXITED | WNOHANG);
}

/* ---- the root: there, a directory, and the zone's alone ---- */

static bool
root_is_up(const struct zone_boot *b)
{
	(void)b;
	return false; /* looked at every time: anybody may have removed it */
}

/* Somebody may have unmounted it on the node, which no zone that runs notices: a reboot does. */
static int
find_root(const struct zone_boot *b, struct stat *ret_st)
{
	const char *dataset = b->config->zfs_filesystem;

	if (stat(b->spec->root, ret_st) == 0)
		return 0;
	if (errno != ENOENT || dataset == NULL || dataset[0] == '\0')
		return -1;
	(void)nrd_run_argv(NULL, NULL, "zfs", "mount", dataset, NULL);
	return stat(b->spec->root, ret_st);
}

static int
root_up(struct zone_boot *b, struct nrd_err *err)
{
	struct stat st;

	if (b->config->id_base == 0)
		return nrd_fail(err, EINVAL, "ZoneNotInstalled",
				"it has no ids of its own: install it first");
	if (find_root(b, &st) < 0)
		return nrd_fail(err, errno, "ZoneNoRoot", "its root %s: %m; was its dataset removed?",
				b->spec->root);
	if (!S_ISDIR(st.st_mode))
		return nrd_fail(err, ENOTDIR, "ZoneNoRoot", "its root %s is no directory",
				b->spec->root);
	return 0;
}

static int
root_down(struct zone_boot *b, struct nrd_err *err)
{
	(void)b;
	(void)err;
	return 0;
}

/* ---- cgroup ---- */

static bool
cgroup_is_up(const struct zone_boot *b)
{
	return b->payload >= 0;
}

static int
cgroup_up(struct zone_boot *b, struct nrd_err *err)
{
	return zone_cgroup_make(b->config, &b->payload, err);
}

static int
cgroup_down(struct zone_boot *b, struct nrd_err *err)
{
	int r;

	shut(&b->payload);
	r = zone_cgroup_kill(b->config->zonename, -1, KILL_WAIT_MS, err);
	return r < 0 ? r : zone_cgroup_remove(b->config->zonename, err);
}

static bool
init_is_up(const struct zone_boot *b)
{
	return b->init.pidfd >= 0;
}

/* ---- what serves init ---- */

static bool
service_is_up(const struct zone_boot *b)
{
	return b->spec->service.argv == NULL || init_is_up(b);
}

static int
service_up(struct zone_boot *b, struct nrd_err *err)
{
	return zone_service_start(&b->spec->service, b->payload, &b->service, err);
}

/* Init has gone already, and all in its cgroup. */
static int
service_down(struct zone_boot *b, struct nrd_err *err)
{
	int r = b->service >= 0 ? zone_cgroup_kill(b->config->zonename, -1, KILL_WAIT_MS, err) : 0;

	if (r < 0 || b->service < 0)
		return r;
	reap(b->service);
	shut(&b->service);
	return 0;
}

/* ---- init ---- */

static int
init_up(struct zone_boot *b, struct nrd_err *err)
{
	return zone_init_start(b->config, b->spec, b->payload, b->stdio, b->network, &b->init, err);
}

static int
init_down(struct zone_boot *b, struct nrd_err *err)
{
	int r = zone_cgroup_kill(b->config->zonename, b->init.pidfd, KILL_WAIT_MS, err);

	if (r < 0)
		return r;
	/* Its cgroup is empty before it can be waited for: the end of a pid namespace is in between. */
	if (b->init.pidfd >= 0)
		reap(b->init.pidfd);
	shut(&b->init.pidfd);
	shut(&b->init.console);
	free(b->init.missing);
	b->init.missing = NULL;
	b->init.pid = 0;
	if (b->network != NULL)
		(void)b->network->down(b->config->zonename, NULL);
	(void)zone_delegate_tame(NRD_CSTRV(b->config->datasets), NULL);
	return 0;
}

static const struct step steps[] = {
	{ "root", ZONE_BOOT_READY, root_is_up, root_up, root_down },
	{ "cgroup", ZONE_BOOT_READY, cgroup_is_up, cgroup_up, cgroup_down },
	{ "service", ZONE_BOOT_RUN, service_is_up, service_up, service_down },
	{ "init", ZONE_BOOT_RUN, init_is_up, init_up, init_down },
};

int
zone_boot_up(struct zone_boot *b, enum zone_boot_level level, struct nrd_err *err)
{
	bool mine[nrd_count(steps)] = { false };

	for (size_t i = 0; i < nrd_count(steps) && steps[i].level <= level; i++) {
		int r;

		if (steps[i].is_up(b))
			continue;
		mine[i] = true;
		r = steps[i].up(b, err);
		if (r >= 0)
			r = nrd_fault(err, "after step %s", steps[i].name);
		if (r >= 0)
			continue;
		for (size_t j = i + 1; j-- > 0;)
			if (mine[j])
				(void)steps[j].down(b, NULL);
		return nrd_wrap(err, r, "boot zone '%s'", b->config->zonename);
	}
	return 0;
}

int
zone_boot_down(struct zone_boot *b, struct nrd_err *err)
{
	for (size_t i = nrd_count(steps); i-- > 0;) {
		int r = steps[i].down(b, err);

		if (r < 0)
			return nrd_wrap(err, r, "halt zone '%s'", b->config->zonename);
	}
	return 0;
}
