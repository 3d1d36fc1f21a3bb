/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/await.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "brand/provision.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "vm/object.h"

#define TICK_MS 1000
#define GRACE_MS 30000 /* zoneadmd says when it has failed; should it not, so long after that */

/* 1: it is provisioned. */
static int
look(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	int r = vm_read(uuid, &vm, err);

	if (r < 0)
		return r;
	if (vm.config.failed)
		return nrd_fail(err, ETIME, "ProvisionFailed", "it was made, and went down or took longer than %d s at "
				"its first boot: its state is failed; look at ZONEPATH/root, vmadm reprovision it, or "
				"vmadm delete it", BRAND_PROVISIONING_S);
	if (!brand_is_provisioning(&vm.config))
		return 1;
	if (zone_state_of(vm.config.installed, &vm.run) == ZONE_ST_INSTALLED)
		return nrd_fail(err, ECANCELED, "ProvisionFailed", "it was made, and was halted at its first boot; "
				"vmadm start goes on with that");
	return 0;
}

static void
drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}

int
vm_await(const char *uuid, const volatile sig_atomic_t *stop, struct nrd_err *err)
{
	NRD_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int64_t end = nrd_now_ms() + BRAND_PROVISIONING_S * 1000 + GRACE_MS;
	int r;

	if (fd < 0 || inotify_add_watch(fd, ZONE_DIR, IN_MOVED_TO | IN_DELETE) < 0)
		return nrd_fail(err, errno, "VmWatch", "watch " ZONE_DIR ": %m");
	while ((r = look(uuid, err)) == 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		(void)poll(&p, 1, TICK_MS);
		drain(fd);
		if (stop != NULL && *stop)
			return nrd_fail(err, EINTR, "Interrupted", "it was made, and boots for the first time: not waited "
					"for any more; vmadm get says what becomes of it");
		if (nrd_now_ms() > end)
			return nrd_fail(err, ETIME, "ProvisionFailed", "it was made, and nobody says that it is "
					"provisioned");
	}
	return r < 0 ? r : 0;
}
