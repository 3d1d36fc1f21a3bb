/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Looks on while a machine is provisioned: when the file in its root is gone its transition is over,
 * when that does not happen in time it has failed. The machine's file needs the zone's lock, which a
 * command may hold while it waits for us: it is tried again from the loop.
 */
#include "provision.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "brand/brand.h"
#include "brand/provision.h"
#include "brand/root.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "zoneadmd.h"

#define RETRY_MS 50
#define LOOK_MS  1000 /* where it cannot be watched */

void
provision_end(struct provision *p)
{
	if (p->inotify >= 0)
		(void)close(p->inotify);
	*p = PROVISION_NONE;
}

/* By its descriptor: whoever is root in the zone may have laid links anywhere. */
static int
watch_marker(const struct zone_config *config)
{
	NRD_CLOSE int root = -1;
	NRD_CLOSE int dir = -1;
	NRD_CLOSE int fd = -1;
	char path[64];

	if (brand_root_open(config, &root, NULL) < 0)
		return -1;
	dir = brand_root_file(root, BRAND_MARKER_DIR, O_PATH | O_DIRECTORY);
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (dir < 0 || fd < 0 || inotify_add_watch(fd, path, IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF) < 0)
		return -1;
	return nrd_take_fd(&fd);
}

/* A time that has passed is of an earlier boot. */
static int64_t
time_left_ms(const struct zone_config *config)
{
	int64_t left = (int64_t)config->transition_expire - nrd_date_ms();

	return left > 0 && left < BRAND_PROVISIONING_S * 1000 ? left : BRAND_PROVISIONING_S * 1000;
}

void
provision_begin(struct zoneadmd *z)
{
	struct provision *p = &z->provision;
	NRD_AUTO(zone_config) config = { 0 };

	provision_end(p);
	/* What is in force may be older than what the file says. */
	if (!brand_is_provisioning(&z->config) || zone_config_read(NULL, z->name, &config, NULL) < 0 ||
	    !brand_is_provisioning(&config) || !brand_marker_there(&config))
		return;
	p->end_ms = nrd_now_ms() + time_left_ms(&config);
	p->inotify = watch_marker(&z->config);
	p->look_ms = nrd_now_ms(); /* it may have gone while we were looking */
}

/* "ZoneBusy" (-EBUSY) while a command is at work on it. */
static int
settle(struct zoneadmd *z, bool failed, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_CLOSE int lock = -1;
	int r = zone_lock(z->name, false, &lock, err);

	if (r >= 0)
		r = zone_config_read(NULL, z->name, &config, err);
	if (r < 0 || !brand_is_provisioning(&config))
		return r;
	brand_provisioning_clear(&config);
	if (failed) {
		config.failed = true;
		NRD_SET(&zone_config_schema, &config, failed);
	}
	return zone_config_write(NULL, &config, err);
}

static void
end(struct zoneadmd *z, bool failed)
{
	struct nrd_err why = { 0 };
	int r = settle(z, failed, &why);

	if (r == -EBUSY) {
		z->provision.look_ms = nrd_now_ms() + RETRY_MS;
		if (failed)
			z->provision.end_ms = z->provision.look_ms;
		return;
	}
	provision_end(&z->provision);
	if (r < 0)
		nrd_log(NRD_ERROR, "what became of its provisioning was not written", NRD_S("zone", z->name),
			NRD_ERR(&why));
	else
		nrd_log(failed ? NRD_WARN : NRD_INFO, failed ? "not provisioned in time" : "provisioned",
			NRD_S("zone", z->name));
	if (failed && zone_op_halt(z, &why) < 0)
		nrd_log(NRD_ERROR, "halt failed", NRD_S("zone", z->name), NRD_ERR(&why));
}

void
provision_died(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };

	if (z->provision.end_ms == 0)
		return;
	provision_end(&z->provision);
	if (settle(z, true, &why) < 0)
		nrd_log(NRD_ERROR, "what became of its provisioning was not written", NRD_S("zone", z->name),
			NRD_ERR(&why));
}

void
provision_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms)
{
	const struct provision *own = &z->provision;
	int64_t wait;

	*p = (struct pollfd){ .fd = own->inotify, .events = POLLIN };
	if (own->end_ms == 0)
		return;
	wait = (own->look_ms < own->end_ms ? own->look_ms : own->end_ms) - nrd_now_ms();
	wait = wait < 0 ? 0 : wait;
	if (*timeout_ms < 0 || wait < *timeout_ms)
		*timeout_ms = (int)wait;
}

void
provision_turn(struct zoneadmd *z, const struct pollfd *p)
{
	struct provision *own = &z->provision;
	int64_t now = nrd_now_ms();
	char events[1024];

	if (own->end_ms == 0 || (p->revents == 0 && now < own->look_ms && now < own->end_ms))
		return;
	if (own->inotify >= 0)
		while (read(own->inotify, events, sizeof(events)) > 0)
			;
	own->look_ms = own->inotify >= 0 ? own->end_ms : now + LOOK_MS;
	if (!brand_marker_there(&z->config))
		end(z, false);
	else if (now >= own->end_ms)
		end(z, true);
}
