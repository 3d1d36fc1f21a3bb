/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "zoneadm.h"

int
cmd_reboot(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	__attribute__((cleanup(boot_words_cleanup))) struct boot_words words = { 0 };
	NRD_CLOSE int fd = -1;
	int r = boot_words_parse(args, &words, err);

	if (r == 0)
		r = target_open(args, TARGET_LOCK, &t, err);
	if (r == 0 && t.run.state != ZONE_ST_RUNNING)
		r = nrd_fail(err, EINVAL, "ZoneWrongState", "must be running before reboot: it is %s.",
			     zone_state_name(zone_state_of(t.config.installed, &t.run)));
	if (r == 0)
		r = zone_client_open(t.name, &fd, err);
	if (r == 0)
		r = zone_client_reboot(fd, &words.request, err);
	if (r == 0)
		boot_warn(args, t.name);
	return told(args, t.name, r, err);
}
