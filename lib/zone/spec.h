/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "zone/config.h"

/*
 * What is to be started, as the zone's brand wants it: the part of a boot that differs between
 * brands. Made anew for each boot; all of it is owned and freed by zone_spec_fini.
 */
enum zone_mount_flags {
	ZONE_MOUNT_RO = 1u << 0,
	ZONE_MOUNT_NOSUID = 1u << 1,
	ZONE_MOUNT_NODEV = 1u << 2,
	ZONE_MOUNT_NOEXEC = 1u << 3,
	ZONE_MOUNT_TREE = 1u << 4,  /* a bind with what is mounted below its source */
	ZONE_MOUNT_PLAIN = 1u << 5, /* a bind without the zone's ids: read by all, owned by nobody */
	ZONE_MOUNT_OPTIONAL = 1u << 6, /* a source that is not there is left out */
	/* So is a target that the root has no place for; no part of its path may be a link. */
	ZONE_MOUNT_IF_PLACE = 1u << 7,
};

struct zone_mount {
	char *source;  /* path on the node; NULL: a new filesystem of that type */
	char *target;  /* path in the zone, made when it is not there */
	char *type;    /* "bind", or the kernel's name */
	char *data;    /* "mode=755,size=64m", or NULL */
	unsigned flags;
};

/*
 * What the first process is handed beside its 0, 1 and 2: opened by zoneadmd, open in it under a number it knows from its
 * arguments.
 */
enum zone_hand_kind {
	ZONE_HAND_FILE,   /* path, opened with flags; the node of a volume is waited for */
	ZONE_HAND_LISTEN, /* a stream socket that listens at path, which is root's alone */
	ZONE_HAND_CONNECT, /* a stream socket connected to path, at which somebody listens already: the spec's service */
	ZONE_HAND_NIC,    /* queue number flags of the device of the NIC called path, by struct zone_network's tap; 0 first */
};

struct zone_hand {
	enum zone_hand_kind kind;
	char *path;
	int flags;
};

#define ZONE_HAND_FIRST 300 /* the number of the first one, and so on: above all that is open in zoneadmd then */
#define ZONE_HANDS_MAX  256

/*
 * A program that serves the first process from beside the zone, on the node: in the zone's cgroup, so that its limits and its
 * end are the zone's too, and in nothing else of it. It ends by itself when the connection does.
 */
struct zone_service {
	char **argv;   /* NULL: there is none. It listens at its 3, and says what it has to say to its 4 */
	char *dir;     /* its working directory */
	char *socket;  /* what its 3 is */
	char *log;     /* what its 4 is: appended to */
};

struct zone_spec {
	char *root;         /* directory on the node that becomes the zone's / */
	struct zone_mount *mounts; /* in order, after proc, sys, dev and the like */
	size_t n_mounts;
	char **argv;
	char **env;
	char *dir;
	char *user;         /* "uid[:gid]" as numbers, or NULL: 0:0 */
	gid_t *groups;      /* it is a member of besides */
	size_t n_groups;
	bool volatile_dirs; /* tmpfs on /run */
	bool tty1;          /* /dev/tty1 is the console */
	uint64_t shm_mib;   /* most in /dev/shm and in /run; 0: half of the node's memory, as Linux has it */
	uint64_t run_mib;
	char *uts_release;  /* what uname says in it, or NULL: what it says on the node */
	char *uts_version;
	bool nesting;       /* may run containers of its own */
	bool sealed;        /* nobody writes to its root, and nothing in it is made for this boot */
	struct zone_hand *hands;
	size_t n_hands;
	struct zone_service service;
};

/* Takes a mount over (its texts are copied). -ENOMEM. */
int zone_spec_mount(struct zone_spec *spec, const struct zone_mount *mount);

/* Takes one over (its text is copied). *ret_fd: the number it will have. -ENOMEM, -E2BIG. */
int zone_spec_hand(struct zone_spec *spec, enum zone_hand_kind kind, const char *path, int flags, int *ret_fd);
bool zone_spec_volatile(const struct zone_spec *spec);
bool zone_spec_nesting(const struct zone_spec *spec);
void zone_spec_fini(struct zone_spec *spec);
void zone_spec_cleanup(struct zone_spec *spec);
