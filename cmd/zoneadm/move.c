/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

int
cmd_move(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	int r = target_open(args, TARGET_LOCK, &t, err);

	if (r == 0) {
		hold_signals(true);
		r = brand_move(&t.place, &t.config, args->argv[0], err);
	}
	return told(args, t.name, r, err);
}
