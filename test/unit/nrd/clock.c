/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/clock.h"

#include <time.h>

#include "nrd-test.h"

/* As the C library has it: each day from 1970 to 2500, at another time of the day. */
static void
dates_are_the_librarys(void)
{
	char text[NRD_DATE_TEXT], expected[NRD_DATE_TEXT];

	for (int64_t day = 0; day < 530 * 366; day++) {
		int64_t ms = day * 86400000 + day * 7919 % 86400000;
		time_t t = (time_t)(ms / 1000);
		struct tm tm;
		size_t n;

		CHECK(gmtime_r(&t, &tm) != NULL);
		n = strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		(void)snprintf(expected + n, sizeof(expected) - n, ".%03dZ", (int)(ms % 1000));
		nrd_date_format(ms, text);
		CHECK_STR(text, expected);
	}
}

static void
ends_of_time(void)
{
	char text[NRD_DATE_TEXT];

	nrd_date_format(INT64_MIN, text);
	CHECK_STR(text, "1970-01-01T00:00:00.000Z");
	nrd_date_format(INT64_C(253402300799999), text);
	CHECK_STR(text, "9999-12-31T23:59:59.999Z");
	nrd_date_format(INT64_MAX, text);
	CHECK_STR(text, "9999-12-31T23:59:59.999Z");
	nrd_date_format(951782400000, text);
	CHECK_STR(text, "2000-02-29T00:00:00.000Z");
}

TEST_MAIN(dates_are_the_librarys, ends_of_time)
