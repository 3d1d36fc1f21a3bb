/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

int
cmd_mark(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	int r;

	if (!nrd_streq(args->argv[0], "incomplete"))
		return nrd_usage(err, "a zone can be marked incomplete, not \"%s\"", args->argv[0]);
	r = target_open(args, TARGET_LOCK | TARGET_ROOT, &t, err);
	if (r == 0)
		r = brand_mark_incomplete(&t.place, &t.config, err);
	return told(args, t.name, r, err);
}
