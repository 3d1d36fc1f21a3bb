/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "zone/enter.h"
#include "zone/views.h"
#include "zoneadm.h"

#define PAUSE_MS 100
#define TRIES    600

/* It is there a moment after systemd has started it. */
static int
await_lxcfs(struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	int views[ZONE_VIEWS];
	int r = -ENOENT;

	for (int i = 0; i < TRIES && r < 0; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		r = zone_views_open(views, err);
	}
	if (r >= 0)
		zone_views_close(views);
	return r;
}

/*
 * The files of lxcfs that zones have in /proc die with it. Run by systemd when it has started it
 * again: each zone that runs gets the new ones.
 */
int
cmd_views(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int worst = NRD_EXIT_OK;
	int r = zone_config_list(NULL, &names, err);

	if (r >= 0)
		r = await_lxcfs(err);
	if (r < 0)
		return told(args, NULL, r, err);
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		struct zone_run run;

		r = zone_run_read(names[i], &run, err);
		if (r == 0 && run.state == ZONE_ST_RUNNING)
			r = zone_enter_views(names[i], err);
		if (told(args, names[i], r, err) != NRD_EXIT_OK)
			worst = NRD_EXIT_FAIL;
	}
	return worst;
}
