/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nrd/err.h"
#include "zone/passwd.h"

/* What can be known of a zone's init before it is started. All paths are the zone's own. */

/*
 * Can the node run this program of the root? It is an executable file, for a processor of the
 * node's, and so is what interprets it when it is a script. A name without a slash is looked up in
 * PATH's usual directories. "NoInit" (-ENOENT), "InitBad" (-EACCES), "WrongArchitecture"
 * (-ENOEXEC).
 */
int brand_init_check(int root, const char *path, struct nrd_err *err);

/*
 * The first bytes of a program: 0 when the node can run it; ret_interp (size bytes) is "" or the
 * script's interpreter. what names it in the error.
 */
int brand_init_head(const void *head, size_t len, const char *what, char *ret_interp, size_t size,
		    struct nrd_err *err);

enum brand_init_kind {
	BRAND_INIT_OTHER, /* sysvinit and what behaves like it */
	BRAND_INIT_SYSTEMD,
	BRAND_INIT_BUSYBOX,
	BRAND_INIT_OPENRC,
};

/* By what the path leads to in the end. */
enum brand_init_kind brand_init_kind(int root, const char *path);

/*
 * Does the root start a login on the first virtual terminal and none on the console, as one made
 * for a machine with a screen does? Then /dev/tty1 is to be the console.
 */
bool brand_init_tty1(int root);

/* The same of the text of an inittab, busybox's or sysvinit's. Pure. */
bool brand_inittab_tty1(const char *text);

struct brand_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[ZONE_GROUPS_MAX]; /* besides */
	size_t n_groups;
};

/*
 * "uid[:gid]" or names, as OCI images give it, looked up in the root's /etc/passwd and /etc/group.
 * Without a group it is the user's own, with the others that name the user, or 0 for a number
 * that has no line.
 * "NoSuchUser" (-ENOENT).
 */
int brand_init_user(int root, const char *text, struct brand_user *ret_user, struct nrd_err *err);

/* The number of a group in the text of /etc/group; false: there is none of that name. */
bool brand_group_find(const char *text, const char *name, uint64_t *ret_gid);
