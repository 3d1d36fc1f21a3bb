/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nrd/mem.h"
#include "piadm.h"
#include "platform/bootable.h"

struct install_opts {
	bool no_activate;
};

const struct nrd_opt install_opts[] = {
	NRD_OPT_FLAG('n', "no-activate", struct install_opts, no_activate,
		     "do not make it the one that boots next"),
	NRD_OPT_END(struct install_opts),
};

static const char *
where(const struct nrd_args *args)
{
	return args->argc > 1 ? args->argv[1] : NULL;
}

/* Closing brings the last of it to the disks: only then is it done. */
static int
end(int r, struct platform **p, struct nrd_err *err)
{
	struct platform *open = NRD_TAKE(*p);
	int closed = platform_close(open, r == 0 ? err : NULL);

	return r == 0 ? closed : r;
}

/* Whatever went wrong, the message says with what. */
static int
name_it(int r, const char *what, struct nrd_err *err)
{
	return r < 0 && strstr(err->msg, what) == NULL ? nrd_wrap(err, r, "%s", what) : r;
}

static int
install(const struct platform_opts *how, const struct platform_remote *remote, const char *spec,
	unsigned flags, struct platform_change *change, struct nrd_err *err)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	NRD_AUTO(platform) *p = NULL;
	int r = platform_open(how, &p, err);

	if (r == 0)
		r = platform_source_open(p, remote, spec, &src, err);
	if (r == 0)
		r = platform_install(p, &src, flags, change, err);
	/* The source may lie on a volume: it goes first. */
	platform_source_fini(&src);
	return end(r, &p, err);
}

/*
 * A node that was set up from the net or from an ISO has no boot volume yet, but its pool's disks
 * were made to be some: the first platform to be installed makes them so.
 */
static int
install_first(const struct platform_opts *how, const struct platform_remote *remote,
	      const char *spec, struct platform_change *change, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = platform_bootable_enable(how, PLATFORM_POOL, remote, spec, change, &why);

	if (r < 0 && (nrd_err_is(&why, "PoolNotFound") || nrd_err_is(&why, "PoolNotBootable") ||
		      nrd_err_is(&why, "ZfsMissing")))
		return -err->num;
	*err = why;
	return r;
}

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	const struct install_opts *opts = args->opts;
	const struct platform_opts how = piadm_opts(args, where(args), PLATFORM_WRITE);
	struct platform_change change = { 0 };
	struct platform_remote remote;
	int r = piadm_remote(&remote, err);

	if (r == 0)
		r = install(&how, &remote, args->argv[0],
			    opts->no_activate ? PLATFORM_NO_ACTIVATE : 0, &change, err);
	if (r < 0 && nrd_err_is(err, "VolumeNotFound") && how.where == NULL && how.dirs == NULL)
		r = install_first(&how, &remote, args->argv[0], &change, err);
	if (r < 0)
		return piadm_exit(name_it(r, args->argv[0], err), err);
	(void)printf("%s is %sinstalled%s\n", change.stamp, change.changed ? "" : "already ",
		     change.activated ? " and boots next" : "");
	return PIADM_OK;
}

int
cmd_activate(const struct nrd_args *args, struct nrd_err *err)
{
	const struct platform_opts how = piadm_opts(args, where(args), PLATFORM_WRITE);
	struct platform_change change = { 0 };
	NRD_AUTO(platform) *p = NULL;
	int r = platform_stamp_check(args->argv[0], err);

	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r == 0)
		r = platform_activate(p, args->argv[0], &change, err);
	r = end(r, &p, err);
	if (r < 0)
		return piadm_exit(name_it(r, args->argv[0], err), err);
	(void)printf("%s boots next\n", args->argv[0]);
	return PIADM_OK;
}

int
cmd_remove(const struct nrd_args *args, struct nrd_err *err)
{
	const struct platform_opts how = piadm_opts(args, where(args), PLATFORM_WRITE);
	NRD_AUTO(platform) *p = NULL;
	int r = platform_stamp_check(args->argv[0], err);

	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r == 0)
		r = platform_remove(p, args->argv[0], err);
	r = end(r, &p, err);
	return piadm_exit(name_it(r, args->argv[0], err), err);
}

int
cmd_update(const struct nrd_args *args, struct nrd_err *err)
{
	(void)args;
	return piadm_exit(nrd_fail(err, ENOTSUP, "NoController",
				   "this node belongs to no controller that could update it; use "
				   "piadm install"),
			  err);
}
