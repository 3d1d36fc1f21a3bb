/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "brand/steps.h"
#include "nrd/buf.h"
#include "nrd/hold.h"
#include "zoneadm.h"

void
target_cleanup(struct target *t)
{
	zone_config_fini(&t->config);
	free(t->name);
	free(t->dir);
	nrd_closep(&t->lock);
}

int
global_dir(const struct nrd_args *args, char **ret_dir, struct nrd_err *err)
{
	const struct global_opts *g = args->global;

	*ret_dir = NULL;
	if (g->root == NULL)
		return 0;
	if (g->root[0] != '/')
		return nrd_usage(err, "-R takes an absolute path, not \"%s\"", g->root);
	*ret_dir = nrd_format("%s" ZONE_DIR, g->root);
	return *ret_dir != NULL ? 0 : nrd_nomem(err);
}

int
global_name(const struct nrd_args *args, const char *dir, char **ret_name, struct nrd_err *err)
{
	const struct global_opts *g = args->global;
	int r = -ENOENT;

	*ret_name = NULL;
	if (g->uuid != NULL) {
		r = zone_config_by_uuid(dir, g->uuid, ret_name, g->zone == NULL ? err : NULL);
		if (r >= 0 || g->zone == NULL)
			return r;
	}
	if (g->zone == NULL)
		return 0;
	*ret_name = nrd_format("%s", g->zone);
	return *ret_name != NULL ? 0 : nrd_nomem(err);
}

static int
open_named(struct target *t, unsigned flags, struct nrd_err *err)
{
	int r = 0;

	if (nrd_streq(t->name, "global"))
		return nrd_fail(err, EINVAL, "ZoneGlobal",
				"operation is not valid for the global zone.");
	/* Before anything is made for a name that may be no name. */
	if (zone_name_check(t->name, NULL) < 0)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "%s: No such zone configured", t->name);
	if ((flags & TARGET_LOCK) != 0)
		r = zone_lock(t->name, false, &t->lock, err);
	if (r == 0)
		r = zone_config_read(t->dir, t->name, &t->config, err);
	return r == 0 ? zone_run_read(t->name, &t->run, err) : r;
}

int
target_open(const struct nrd_args *args, unsigned flags, struct target *t, struct nrd_err *err)
{
	const struct global_opts *g = args->global;
	int r;

	if (g->root != NULL && (flags & TARGET_ROOT) == 0)
		return nrd_usage(err, "-R is for list and mark");
	r = global_dir(args, &t->dir, err);
	if (r == 0)
		r = global_name(args, t->dir, &t->name, err);
	if (r < 0)
		return r;
	if (t->name == NULL)
		return nrd_usage(err, "which zone? zoneadm -z ZONE %s", args->verb);
	t->place.dir = t->dir;
	return open_named(t, flags, err);
}

void
hold_signals(bool undo)
{
	const volatile sig_atomic_t *held = nrd_hold_signals();

	if (undo)
		brand_steps_stop_on(held);
}

int
told(const struct nrd_args *args, const char *name, int r, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) line = { 0 };
	bool named = name == NULL || nrd_err_is(err, "ZoneNotFound") ||
		     nrd_starts(err->msg, "zone '") != NULL;

	if (r >= 0 || nrd_err_is(err, "Usage"))
		return r;
	if (err->msg[0] == '\0')
		(void)nrd_fail(err, -r, "Failed", "%m");
	(void)nrd_buf_printf(&line, "%s: ", args->prog);
	if (!named)
		(void)nrd_buf_printf(&line, "zone '%s': ", name);
	(void)nrd_buf_printf(&line, "%s\n", err->msg);
	(void)fflush(stdout);
	(void)fputs(nrd_buf_str(&line), stderr);
	*err = (struct nrd_err){ 0 };
	return NRD_EXIT_FAIL;
}
