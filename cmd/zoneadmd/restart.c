/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "restart.h"

#include <errno.h>
#include <string.h>

#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zoneadmd.h"

#define POLICY   "docker:restartpolicy"
#define FIRST_MS 100
#define LONG_MS  60000 /* no pause is longer */
#define RAN_MS   10000 /* who ran so long did not fail at once */
#define RETRY_MS 50

static const char *
policy_of(const struct zone_config *c)
{
	for (char *const *p = c->internal_metadata; p != NULL && p[0] != NULL; p += 2)
		if (nrd_streq(p[0], POLICY))
			return p[1];
	return "";
}

static bool
wanted(const struct zoneadmd *z, int status)
{
	const char *policy = policy_of(&z->config), *max;
	uint64_t most = UINT64_MAX;

	if (nrd_streq(policy, "always") || nrd_streq(policy, "unless-stopped"))
		return true;
	max = nrd_starts(policy, "on-failure");
	if (max == NULL || status == 0 || (max[0] != '\0' && max[0] != ':'))
		return false;
	if (max[0] == ':' && nrd_parse_u64(max + 1, 0, UINT64_MAX, &most, NULL) < 0)
		return false;
	return z->restart.count < most;
}

void
restart_plan(struct zoneadmd *z, int status, int64_t ran_ms)
{
	int64_t pause = FIRST_MS;

	if (!z->config.docker || !wanted(z, status))
		return;
	if (ran_ms >= RAN_MS)
		z->restart.count = 0;
	for (uint64_t i = 0; i < z->restart.count && pause < LONG_MS; i++)
		pause *= 2;
	z->restart.at_ms = nrd_now_ms() + (pause < LONG_MS ? pause : LONG_MS);
}

void
restart_poll(const struct zoneadmd *z, int *timeout_ms)
{
	int64_t wait = z->restart.at_ms - nrd_now_ms();

	if (z->restart.at_ms == 0)
		return;
	wait = wait < 0 ? 0 : wait;
	if (*timeout_ms < 0 || wait < *timeout_ms)
		*timeout_ms = (int)wait;
}

/* 1: it is not to be booted any more. "ZoneBusy" (-EBUSY) while a command is at work on it. */
static int
boot(struct zoneadmd *z, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	NRD_CLOSE int lock = -1;
	uint64_t count = z->restart.count + 1;
	int r = zone_lock(z->name, false, &lock, err);

	if (r == 0)
		r = zone_config_read(NULL, z->name, &config, err);
	if (r < 0)
		return r;
	if (z->run.state != ZONE_ST_INSTALLED || config.installed != ZONE_INSTALLED || !config.autoboot)
		return 1;
	r = zone_op_boot(z, &(struct zone_boot_request){ 0 }, err);
	z->restart.count = count;
	z->run.init_restarts = count;
	return r < 0 ? r : zone_run_write(z->name, &z->run, err);
}

void
restart_turn(struct zoneadmd *z)
{
	struct nrd_err why = { 0 };
	int r;

	if (z->restart.at_ms == 0 || nrd_now_ms() < z->restart.at_ms)
		return;
	r = boot(z, &why);
	z->restart.at_ms = r == -EBUSY ? nrd_now_ms() + RETRY_MS : 0;
	if (r < 0 && r != -EBUSY)
		nrd_log(NRD_ERROR, "not started again", NRD_S("zone", z->name), NRD_ERR(&why));
}
