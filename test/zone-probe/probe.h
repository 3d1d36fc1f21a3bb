/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One thing a tenant may try. 0: it was possible; else the errno it was refused with. What gives
 * nothing away although it may be opened (an empty file, an empty directory) is ENODATA.
 */
struct attempt {
	const char *name;
	int (*fn)(void);
	unsigned flags;
};

#define HARMLESS 1u /* the node's root may try it on the node too */
#define ALONE    2u /* runs only when it is asked for by its name */

extern const struct attempt attempts_calls[], attempts_exhaust[], attempts_files[],
	attempts_mounts[], attempts_processes[], attempts_sockets[];

/* -1 with errno becomes errno, anything else 0. */
#define TRY(call) ((call) < 0 ? errno : 0)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An environment variable that the test gives, or what stands for it. */
const char *given(const char *name, const char *otherwise);
long given_number(const char *name);

int opens(const char *path, int flags);   /* it can be opened so */
int reveals(const char *path);            /* a byte can be read of it, or a name listed in it */
int writes(const char *path, const char *text);

/* Prints what a process is allowed, field by field. */
int identity(const char *pid);
