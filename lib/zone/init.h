/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <sys/types.h>

#include "nrd/err.h"
#include "zone/config.h"
#include "zone/etc.h"
#include "zone/spec.h"

/*
 * Starting a zone's first process: one clone3 into all new namespaces and its cgroup, the tree put
 * together by both sides, exec. When this returns well, init of the zone has been executed.
 */
struct zone_init {
	pid_t pid;   /* as the node sees it */
	int pidfd;   /* caller closes */
	int console; /* the terminal's other end; caller closes */
	char *missing; /* a delegated dataset that is not there, or NULL; caller frees */
};

/* What becomes of its network: by who knows of the node's (lib/nics), which the zone does not. */
struct zone_network {
	/* Before anything is made: who answers for names in its networks, for a zone that says nothing of it. */
	int (*names)(const struct zone_config *config, struct zone_names *ret_names, struct nrd_err *err);
	/* Between the making of its namespace and its first process. */
	int (*up)(const struct zone_config *config, int netns, struct nrd_err *err);
	/* A queue of the device of a guest's NIC, before there is any namespace; the caller closes it. NULL: there are no guests. */
	int (*tap)(const struct zone_config *config, const char *nic, unsigned queue, int *ret_fd, struct nrd_err *err);
	/* When the namespace is gone. */
	int (*down)(const char *zonename, struct nrd_err *err);
};

/*
 * network: NULL: nothing but its loopback. payload: the cgroup (zone_cgroup_make). stdio: what becomes its 0, 1 and 2; -1 for the first:
 * /dev/null, for the second: all three are the console, its terminal. What fails in the child up to its exec comes back in its
 * own words, and nothing of it is left. "ZoneStart", "ZoneMount", "NoSuchProgram" (-ENOENT), ...
 */
int zone_init_start(const struct zone_config *config, const struct zone_spec *spec, int payload,
		    const int stdio[3], const struct zone_network *network, struct zone_init *ret_init, struct nrd_err *err);
