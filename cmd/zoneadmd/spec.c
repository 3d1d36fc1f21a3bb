/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brand/brand.h"
#include "nrd/mem.h"
#include "zone/enter.h"
#include "zone/sys.h"
#include "zone/views.h"
#include "zoneadmd.h"

int
spec_make(const struct zone_config *config, const struct zone_boot_request *how,
	  struct zone_spec *ret_spec, struct nrd_err *err)
{
	NRD_AUTO(zone_spec) spec = { 0 };
	const struct brand *brand;
	int r = brand_of(config, &brand, err);

	if (r >= 0)
		r = brand->spec(config, how, &spec, err);
	if (r < 0)
		return nrd_wrap(err, r, "zone '%s'", config->zonename);
	spec.volatile_dirs = !config->docker && !spec.sealed;
	if (!spec.sealed && zone_views_add(&spec) < 0)
		return nrd_nomem(err);
	*ret_spec = spec;
	spec = (struct zone_spec){ 0 };
	return 0;
}

static int
run_in_zone(const char *zone, const char *const *argv, int *ret_pidfd, struct nrd_err *err)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", NULL };
	NRD_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct zone_enter enter = {
		.zone = zone, .argv = argv, .env = env, .fds = { null, null, null },
	};

	return zone_enter_spawn(&enter, ret_pidfd, NULL, err);
}

void
spec_reap(struct zoneadmd *z)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)z->asker, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid == 0)
		return;
	nrd_closep(&z->asker);
	z->asker = -1;
}

int
spec_ask_init(struct zoneadmd *z, bool reboot, struct nrd_err *err)
{
	struct brand_stop stop = { 0 };
	const struct brand *brand;
	int r = brand_of(&z->config, &brand, err);

	if (r >= 0)
		r = brand->stop(&z->config, reboot, &stop, err);
	if (r < 0)
		return r;
	if (stop.powerdown)
		return agent_powerdown(z, err);
	/* While the one before hangs there is only the signal. */
	if (stop.argv != NULL && z->asker < 0 && run_in_zone(z->name, stop.argv, &z->asker, NULL) >= 0)
		return 0;
	if (zone_sys_pidfd_kill(z->boot.init.pidfd, stop.signal != 0 ? stop.signal : SIGTERM) < 0 &&
	    errno != ESRCH)
		return nrd_fail(err, errno, "ZoneShutdown", "zone '%s': signal its init: %m", z->name);
	return 0;
}
