/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/delegate.h"

#include "nrd-test.h"

static void
versions(void)
{
	static const char *const good[] = { "2.3.9", "2.3.9-1", "2.3.9-0+deb13u1", "2.3.10", "2.4.0", "3.0" };
	static const char *const bad[] = { "", "2.3.8-1", "2.2.9", "1.9.9", "2.3", "x", "2.3.x", "99999999999999999" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(zone_delegate_version_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!zone_delegate_version_ok(bad[i]));
}

TEST_MAIN(versions)
