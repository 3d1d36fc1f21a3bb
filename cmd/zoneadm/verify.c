/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "zoneadm.h"

int
cmd_verify(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	int r = target_open(args, 0, &t, err);

	if (r == 0)
		r = brand_verify(&t.config, err);
	if (r == 0 && zone_config_idle(&t.config) != NULL)
		(void)fprintf(stderr, "zoneadm: zone '%s': %s\n", t.name, zone_config_idle(&t.config));
	return told(args, t.name, r, err);
}
