/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/vec.h"
#include "piadm.h"
#include "platform/bootable.h"

struct bootable_opts {
	bool enable;
	bool disable;
	bool refresh;
	const char *source;
};

const struct nrd_opt bootable_opts[] = {
	NRD_OPT_FLAG('e', "enable", struct bootable_opts, enable,
		     "make the node bootable from this pool"),
	NRD_OPT_STR('i', "image", struct bootable_opts, source, "SOURCE",
		    "with -e: the platform, as for install"),
	NRD_OPT_FLAG('d', "disable", struct bootable_opts, disable, "take that back"),
	NRD_OPT_FLAG('r', "refresh", struct bootable_opts, refresh,
		     "after a disk was replaced: give it what the others have"),
	NRD_OPT_END(struct bootable_opts),
};

static const char *
how_text(unsigned how)
{
	switch (how) {
	case PLATFORM_BIOS | PLATFORM_UEFI:
		return "BIOS and UEFI";
	case PLATFORM_BIOS:
		return "BIOS";
	case PLATFORM_UEFI:
		return "UEFI";
	default:
		return "non-bootable";
	}
}

/* What every disk that can be booted from offers. */
static int
status(const struct platform_opts *how, const char *pool, bool verbose, struct nrd_err *err)
{
	__attribute__((cleanup(platform_disks_cleanup))) struct platform_disks disks = { 0 };
	unsigned all = 0;
	int r = platform_pool_disks(how, pool, &disks, err);

	if (r < 0)
		return r;
	nrd_vec_each(d, &disks)
		all |= d->how;
	nrd_vec_each(d, &disks) {
		if (d->how != 0)
			all &= d->how;
	}
	(void)printf("%-30s ==> %s\n", pool, how_text(all));
	if (!verbose)
		return 0;
	nrd_vec_each(d, &disks)
		(void)printf("  %-28s ==> %s%s%s%s\n", d->disk, how_text(d->how),
			     d->why[0] != '\0' ? " (" : "", d->why, d->why[0] != '\0' ? ")" : "");
	return 0;
}

static int
enable(const struct platform_opts *how, const char *pool, const char *source,
       struct nrd_err *err)
{
	struct platform_change change = { 0 };
	struct platform_remote remote;
	int r = piadm_remote(&remote, err);

	if (r == 0)
		r = platform_bootable_enable(how, pool, &remote, source, &change, err);
	if (r == 0)
		(void)printf("the node can boot %s from pool %s\n", change.stamp, pool);
	return r;
}

int
cmd_bootable(const struct nrd_args *args, struct nrd_err *err)
{
	const struct bootable_opts *opts = args->opts;
	const struct global_opts *global = args->global;
	const struct platform_opts how = piadm_opts(args, NULL, 0);
	const char *pool = args->argc > 0 ? args->argv[0] : PLATFORM_POOL;
	int r;

	if (opts->enable + opts->disable + opts->refresh > 1)
		return nrd_usage(err, "-e, -d and -r exclude each other");
	if (opts->source != NULL && !opts->enable)
		return nrd_usage(err, "-i goes with -e");
	if ((opts->enable || opts->disable || opts->refresh) && args->argc == 0)
		return nrd_usage(err, "name the pool");
	if (opts->enable)
		r = enable(&how, pool, opts->source, err);
	else if (opts->disable)
		r = platform_bootable_disable(&how, pool, err);
	else if (opts->refresh)
		r = platform_bootable_refresh(&how, pool, err);
	else
		r = status(&how, pool, global->verbose, err);
	return piadm_exit(r, err);
}
