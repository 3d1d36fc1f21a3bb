/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "zoneadm.h"

/* A zone that is elsewhere still: everything but its root can be looked at. */
static int
try_manifest(const struct nrd_args *args, const char *path, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	int r = brand_manifest_read(path, &config, err);

	config.installed = ZONE_INCOMPLETE;
	if (r == 0)
		r = brand_verify(&config, err);
	return told(args, config.zonename, r, err);
}

int
cmd_attach(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	const struct attach_opts *opts = args->opts;
	int r;

	if (opts->manifest != NULL)
		return try_manifest(args, opts->manifest, err);
	r = target_open(args, TARGET_LOCK, &t, err);
	if (r == 0) {
		hold_signals(true);
		r = brand_attach(&t.place, &t.config, opts->force, err);
	}
	return told(args, t.name, r, err);
}
