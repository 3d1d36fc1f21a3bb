/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "nrd/err.h"

/* A platform version is named by when it was built: YYYYMMDDTHHMMSSZ. They sort as text. */
#define PLATFORM_STAMP_LEN 16
#define PLATFORM_STAMP_TEXT 17 /* with the NUL */

bool platform_stamp_valid(const char *s);

/* The same in the form nrd_field tables take. "BadStamp" (-EINVAL). */
int platform_stamp_check(const char *s, struct nrd_err *err);

/*
 * The version an os-release file names: VERSION_ID of a system whose ID is nereid.
 * "NotNereid" (-ENOENT).
 */
int platform_stamp_running(const char *os_release, char ret_stamp[PLATFORM_STAMP_TEXT],
			   struct nrd_err *err);
