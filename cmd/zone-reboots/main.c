/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * zone-reboots: has the kernel note which zones reboot and which halt (bpf/reboots.bpf.c), until
 * the node goes down. zoneadmd starts it when it adopts a zone; what is pinned serves them all.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf/reboots.abi.h"
#include "nrd/err.h"
#include "nrd/mem.h"
#include "reboots.skel.h"

/* The map first: who finds the link finds the map too. */
static int
pin(struct reboots *skel, struct nrd_err *err)
{
	int r;

	(void)unlink(REBOOTS_MAP); /* of one that was killed between the two */
	r = bpf_map__pin(skel->maps.reboots, REBOOTS_MAP);
	if (r < 0)
		return nrd_fail(err, -r, "Reboots", "pin %s: %s", REBOOTS_MAP, strerror(-r));
	r = bpf_link__pin(skel->links.on_reboot, REBOOTS_LINK);
	if (r < 0)
		return nrd_fail(err, -r, "Reboots", "pin %s: %s", REBOOTS_LINK, strerror(-r));
	return 0;
}

static int
load(struct nrd_err *err)
{
	struct reboots *skel = reboots__open_and_load();
	int r;

	if (skel == NULL)
		return nrd_fail(err, errno, "Reboots", "load the program: %m");
	r = reboots__attach(skel);
	r = r < 0 ? nrd_fail(err, -r, "Reboots", "attach to reboot_pid_ns: %s", strerror(-r))
		  : pin(skel, err);
	reboots__destroy(skel);
	return r;
}

/* Two at once do it once. */
static int
watch(struct nrd_err *err)
{
	if (mkdir(REBOOTS_DIR, 0700) < 0 && errno != EEXIST)
		return nrd_fail(err, errno, "Reboots", "make %s: %m", REBOOTS_DIR);
	NRD_CLOSE int lock = open(REBOOTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return nrd_fail(err, errno, "Reboots", "lock %s: %m", REBOOTS_DIR);
	return access(REBOOTS_LINK, F_OK) == 0 ? 0 : load(err);
}

int
main(int argc, char **argv)
{
	struct nrd_err err = { 0 };

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "usage: zone-reboots (started by zoneadmd)\n");
		return 2;
	}
	(void)libbpf_set_print(NULL);
	if (watch(&err) < 0) {
		(void)fprintf(stderr, "zone-reboots: %s\n", err.msg);
		return 1;
	}
	return 0;
}
