/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "nrd/err.h"
#include "platform/stamp.h"

/*
 * GRUB's environment block on a boot volume: 1024 bytes, a line that names it, "name=value"
 * lines, '#' to the end. GRUB itself writes into it (it counts the tries of a new version), by
 * sector and without knowing files, so the file never changes its place or size.
 */
#define PLATFORM_GRUBENV_BYTES 1024
#define PLATFORM_TRIES 2

struct platform_grubenv {
	char current[PLATFORM_STAMP_TEXT];  /* confirmed by the node when it was up; "": none */
	char previous[PLATFORM_STAMP_TEXT]; /* confirmed before that */
	char next[PLATFORM_STAMP_TEXT];     /* to be tried */
	char failed[PLATFORM_STAMP_TEXT];   /* was tried and did not come up */
	unsigned tries;                     /* how often next may still be started */
	char rest[PLATFORM_GRUBENV_BYTES];  /* lines of other variables, as they were */
};

/* "BadGrubenv" (-EBADMSG). */
int platform_grubenv_parse(const char *data, size_t len, struct platform_grubenv *ret_env,
			   struct nrd_err *err);

/* "GrubenvFull" (-EFBIG) when rest leaves no room. */
int platform_grubenv_format(const struct platform_grubenv *env,
			    char ret_data[PLATFORM_GRUBENV_BYTES], struct nrd_err *err);

/* "FileOpen" (-ENOENT when missing), "BadGrubenv". */
int platform_grubenv_read(const char *path, struct platform_grubenv *ret_env,
			  struct nrd_err *err);

/*
 * In place and to the disk; a file that is missing or has a wrong size is made anew. Nothing is
 * written when it says that already.
 */
int platform_grubenv_write(const char *path, const struct platform_grubenv *env,
			   struct nrd_err *err);
