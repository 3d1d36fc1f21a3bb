/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <sys/inotify.h>
#include <unistd.h>

#include "zoneadm.h"

#define ALIVE     ZONE_RUN_DIR "/.alive"
#define PASSES_MAX 1000

static int
look(const struct nrd_args *args, char **names, struct nrd_err *err)
{
	int worst = NRD_EXIT_OK;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		NRD_CLOSE int fd = -1;
		struct zone_run run;
		int r = zone_run_read(names[i], &run, err);

		if (r == 0 && run.state >= ZONE_ST_READY)
			r = zone_client_open(names[i], &fd, err);
		if (told(args, names[i], r, err) != NRD_EXIT_OK)
			worst = NRD_EXIT_FAIL;
	}
	return worst;
}

static bool
drain(int watch)
{
	char events[4096];
	bool any = false;

	while (watch >= 0 && read(watch, events, sizeof(events)) > 0)
		any = true;
	return any;
}

/*
 * A zone that is up needs its zoneadmd: where none answers one is started, which takes the zone
 * over as it is. Run by systemd whenever some zoneadmd has ended; those that end while this looks
 * are its own to notice, since a service that runs is not started again.
 */
int
cmd_adopt(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int worst = NRD_EXIT_OK;

	if (watch >= 0)
		(void)inotify_add_watch(watch, ALIVE, IN_CLOSE_WRITE);
	for (unsigned pass = 0; pass == 0 || (pass < PASSES_MAX && drain(watch)); pass++) {
		NRD_STRV char **names = NULL;
		int r = zone_config_list(NULL, &names, err);

		if (r < 0)
			return told(args, NULL, r, err);
		worst = look(args, names, err);
	}
	return worst;
}
