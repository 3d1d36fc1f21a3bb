/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS (INT64_C(86400) * 1000)
#define YEAR_0 1970
#define LAST   (INT64_C(253402300800) * 1000 - 1) /* of 9999 */

static int64_t
read_ms(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
nrd_now_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t
nrd_date_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

static bool
is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

void
nrd_date_format(int64_t ms, char ret_text[NRD_DATE_TEXT])
{
	static const unsigned char months[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = YEAR_0, month = 0, day, rest, length;

	if (ms < 0)
		ms = 0;
	if (ms > LAST)
		ms = LAST;
	day = (unsigned)(ms / DAY_MS);
	rest = (unsigned)(ms % DAY_MS);
	for (; day >= (length = is_leap(year) ? 366 : 365); year++)
		day -= length;
	for (; day >= (length = months[month] + (month == 1 && is_leap(year))); month++)
		day -= length;
	(void)snprintf(ret_text, NRD_DATE_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month + 1, day + 1, rest / 3600000,
		       rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
}
