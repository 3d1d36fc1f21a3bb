/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zoneadm.h"

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	const struct install_opts *opts = args->opts;
	const struct brand_install_opts how = {
		.source = { .tar = opts->tar, .dir = opts->dir },
		.no_dataset = opts->without != NULL,
	};
	int r;

	if (opts->without != NULL && !nrd_streq(opts->without, "nodataset"))
		return nrd_usage(err, "-x takes nodataset, not \"%s\"", opts->without);
	r = target_open(args, TARGET_LOCK, &t, err);
	if (r == 0) {
		hold_signals(true);
		r = brand_install(&t.place, &t.config, &how, err);
	}
	return told(args, t.name, r, err);
}
