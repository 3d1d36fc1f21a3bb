/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"

/* The kernel's mount calls that work on descriptors, put together as zones need them. */

/* A new filesystem, attached nowhere; data is "key=value,flag,...". "ZoneMount". */
int zone_fs_make(const char *type, const char *data, unsigned attrs, int *ret_fd,
		 struct nrd_err *err);

/* A detached copy of what is mounted at path below dir. how: AT_RECURSIVE. -1 with errno. */
int zone_mount_clone(int dir, const char *path, unsigned how);

/* Shows a detached mount's files with the ids of a user namespace. */
int zone_mount_idmap(int mount, int userns, struct nrd_err *err);

enum zone_target {
	ZONE_TARGET_DIR,
	ZONE_TARGET_FILE,
	ZONE_TARGET_SAME, /* whichever is there; "ZoneMount" (-ENOENT) when neither */
	/* As DIR and SAME, and no part of the path may be a link: "ZoneMount" (-ELOOP). */
	ZONE_TARGET_PLAIN_DIR,
	ZONE_TARGET_PLAIN_SAME,
};

/*
 * Attaches a detached mount at path, which is looked up inside root and nowhere else, whatever
 * links lead where, and made when it is not there.
 */
int zone_mount_attach(int mount, int root, const char *path, enum zone_target target,
		      struct nrd_err *err);
