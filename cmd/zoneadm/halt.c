/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "zoneadm.h"

/* Not under the zone's lock: a boot or a shutdown that hangs is what people halt. */
int
cmd_halt(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	NRD_CLOSE int fd = -1;
	int r = target_open(args, 0, &t, err);

	if (r == 0 && t.run.state < ZONE_ST_READY)
		r = nrd_fail(err, EINVAL, "ZoneWrongState",
			     "must be ready or running before halt: it is %s.",
			     zone_state_name(zone_state_of(t.config.installed, &t.run)));
	if (r == 0)
		r = zone_client_open(t.name, &fd, err);
	if (r == 0)
		r = zone_client_halt(fd, err);
	return told(args, t.name, r, err);
}
