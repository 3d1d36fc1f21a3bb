/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <stdio.h>

#include "nrd/mem.h"
#include "piadm.h"

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

	return piadm_exit(r == 0 ? closed : r, err);
}

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	const struct install_opts *opts = args->opts;
	const struct platform_opts how = piadm_opts(args, where(args), PLATFORM_WRITE);
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct platform_change change = { 0 };
	struct platform_remote remote;
	NRD_AUTO(platform) *p = NULL;
	int r = piadm_remote(&remote, err);

	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r == 0)
		r = platform_source_open(p, &remote, args->argv[0], &src, err);
	if (r == 0)
		r = platform_install(p, &src, opts->no_activate ? PLATFORM_NO_ACTIVATE : 0,
				     &change, err);
	/* The source may lie on a volume: it goes first. */
	platform_source_fini(&src);
	r = end(r, &p, err);
	if (r != PIADM_OK)
		return r;
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
	if (r == PIADM_OK)
		(void)printf("%s boots next\n", args->argv[0]);
	return r;
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
	return end(r, &p, err);
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
