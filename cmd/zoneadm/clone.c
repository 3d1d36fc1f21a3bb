/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

int
cmd_clone(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	const struct clone_opts *opts = args->opts;
	const struct brand_clone_opts how = {
		.snapshot = opts->snapshot,
		.copy = opts->method != NULL,
	};
	NRD_AUTO(zone_config) source = { 0 };
	NRD_CLOSE int lock = -1;
	const char *from = args->argv[0], *name;
	int r;

	if (opts->method != NULL && !nrd_streq(opts->method, "copy"))
		return nrd_usage(err, "-m takes copy, not \"%s\"", opts->method);
	r = target_open(args, TARGET_LOCK, &t, err);
	name = t.name;
	if (r == 0 && nrd_streq(from, t.name))
		return nrd_usage(err, "zone %s cannot be cloned from itself", from);
	if (r == 0) {
		name = from;
		r = zone_config_read(t.dir, from, &source, err);
		if (r == 0)
			r = zone_lock(from, false, &lock, err);
		if (r == 0)
			r = brand_must_be_down(&source, "clone", err);
	}
	if (r == 0) {
		name = t.name;
		hold_signals(true);
		r = brand_clone(&t.place, &t.config, &source, &how, err);
	}
	return told(args, name, r, err);
}
