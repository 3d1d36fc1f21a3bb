/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/file.h"
#include "nrd/str.h"
#include "zone/views.h"
#include "zoneadmd.h"

static int
fill(const struct zone_config *c, const struct boot_how *how, struct zone_spec *s)
{
	const char *init = how->init != NULL ? how->init : c->init_name;

	s->root = nrd_path_join(c->zonepath, "root");
	s->volatile_dirs = !c->docker;
	if (s->root == NULL || nrd_strv_add(&s->argv, init != NULL ? init : "/sbin/init") < 0)
		return -ENOMEM;
	for (char **a = c->init_args; a != NULL && *a != NULL; a++)
		if (nrd_strv_add(&s->argv, *a) < 0)
			return -ENOMEM;
	if (how->single && nrd_strv_add(&s->argv, "single") < 0)
		return -ENOMEM;
	if (nrd_strv_add(&s->env, "container=nereid") < 0 || nrd_strv_add(&s->env, "TERM=vt100") < 0 ||
	    nrd_strv_addf(&s->env, "PATH=%s", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") < 0)
		return -ENOMEM;
	for (char **e = c->init_env; e != NULL && *e != NULL; e++)
		if (nrd_strv_add(&s->env, *e) < 0)
			return -ENOMEM;
	if (nrd_str_set(&s->dir, c->init_dir) < 0 || nrd_str_set(&s->user, c->init_user) < 0)
		return -ENOMEM;
	return 0;
}

int
spec_make(const struct zone_config *config, const struct boot_how *how, struct zone_spec *ret_spec,
	  struct nrd_err *err)
{
	struct zone_spec spec = { 0 };

	if (fill(config, how, &spec) < 0 || zone_views_add(&spec) < 0) {
		zone_spec_fini(&spec);
		return nrd_nomem(err);
	}
	*ret_spec = spec;
	return 0;
}
