/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

/* Milliseconds of the monotonic clock: for durations and deadlines, not for dates. */
int64_t nrd_now_ms(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t nrd_date_ms(void);

/*
 * Such a moment as "2026-11-26T16:05:09.123Z"; what is before 1970 or after 9999 is the first or the last that can be
 * written. Not by strftime(3): that, its time zones and what they read files with are 120 KiB of a static program.
 */
#define NRD_DATE_TEXT 32
void nrd_date_format(int64_t ms, char ret_text[NRD_DATE_TEXT]);
