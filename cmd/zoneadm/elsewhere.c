/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* In the static zoneadm: the verbs that the other program has. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "zoneadm.h"

/* What we hold, the zone's lock too, is let go of by the exec and taken again. */
static int
elsewhere(const struct nrd_args *args, struct nrd_err *err)
{
	(void)fflush(stdout);
	(void)execv(ZONEADM_ZFS, zoneadm_argv);
	return told(args, NULL, nrd_fail(err, errno, "ZoneadmZfs", "%s: run " ZONEADM_ZFS ": %m", args->verb), err);
}

int
cmd_attach(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_clone(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_detach(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_mark(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_move(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_uninstall(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
cmd_verify(const struct nrd_args *args, struct nrd_err *err)
{
	return elsewhere(args, err);
}

int
root_ready(const struct nrd_args *args, const struct zone_config *config, struct nrd_err *err)
{
	return brand_root_mounted(config) ? brand_root_check(config, err) : elsewhere(args, err);
}
