/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "nrd/err.h"

/*
 * A user as the zone's own /etc/passwd has it, read by hand: the C library's way loads modules,
 * and in a zone they would be the tenant's.
 */
struct zone_passwd {
	uid_t uid;
	gid_t gid;
	char name[64];
	char home[256];
	char shell[256];
};

/*
 * name: "user", "uid" or "uid:gid". A number needs no line in the text. Pure. "NoSuchUser"
 * (-ENOENT).
 */
int zone_passwd_parse(const char *text, const char *name, struct zone_passwd *ret_who,
		      struct nrd_err *err);

/*
 * The groups that name user as a member in the text of /etc/group, at most ZONE_GROUPS_MAX; how
 * many there are. Pure.
 */
#define ZONE_GROUPS_MAX 64
size_t zone_passwd_groups(const char *text, const char *user, gid_t ret_gids[ZONE_GROUPS_MAX]);
