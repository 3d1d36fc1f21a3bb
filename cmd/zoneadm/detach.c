/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "zoneadm.h"

int
cmd_detach(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	const struct detach_opts *opts = args->opts;
	NRD_FREE char *text = NULL;
	int r = target_open(args, opts->only_show ? 0 : TARGET_LOCK, &t, err);

	if (r == 0 && opts->only_show) {
		r = brand_manifest(&t.config, &text, err);
		if (r == 0)
			(void)fputs(text, stdout);
	} else if (r == 0) {
		hold_signals(true);
		r = brand_detach(&t.place, &t.config, err);
	}
	return told(args, t.name, r, err);
}
