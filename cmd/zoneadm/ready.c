/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "zoneadm.h"

static int
ready(const struct nrd_args *args, struct target *t, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r;

	if (t->config.installed != ZONE_INSTALLED)
		return nrd_fail(err, EINVAL, "ZoneWrongState",
				"must be installed before ready: it is %s.",
				zone_installed_names[t->config.installed]);
	if (t->run.state == ZONE_ST_READY || t->run.state == ZONE_ST_RUNNING)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "is already %s.",
				zone_state_name(t->run.state));
	r = root_ready(args, &t->config, err);
	if (r == 0)
		r = zone_client_open(t->name, &fd, err);
	return r == 0 ? zone_client_ready(fd, err) : r;
}

int
cmd_ready(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	int r = target_open(args, TARGET_LOCK, &t, err);

	if (r == 0)
		r = ready(args, &t, err);
	return told(args, t.name, r, err);
}
