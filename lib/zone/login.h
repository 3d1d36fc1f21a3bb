/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "nrd/err.h"
#include "zone/passwd.h"

/*
 * What zlogin runs in a zone: the zone's own login or su where it has them, else the user's shell.
 * The zone's files are hostile: they are read through a descriptor of its root, never leave it, and
 * what stands in them is used inside the zone only.
 */

/* The root of a running zone's init (O_PATH; caller closes). "ZoneNotRunning", "ZoneEnter". */
int zone_login_root(const char *zone, int *ret_fd, struct nrd_err *err);

struct zone_login_request {
	const char *user;           /* NULL: root */
	const char *const *command; /* words of a command line; NULL or empty: a login */
	const char *term;           /* TERM of the operator, or NULL */
	bool tty;                   /* the session has a terminal */
	bool safe;                  /* neither login nor su: /bin/sh and little else */
};

/* For struct zone_enter; owns all of it. */
struct zone_login {
	char **argv;
	char **env;
	char *dir;
	uid_t uid;   /* of the user, as the zone counts; 0 where only su knows */
	gid_t gid;
	gid_t groups[ZONE_GROUPS_MAX];
	size_t n_groups;
	bool becomes; /* it is started as root and becomes the user itself: su */
};

void zone_login_cleanup(struct zone_login *login);

/* root is the zone's root (zone_login_root). "NoSuchUser", "BadUser". */
int zone_login_make(int root, const struct zone_login_request *request,
		    struct zone_login *ret_login, struct nrd_err *err);
