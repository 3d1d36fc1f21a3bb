/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/caps.h"

#include <linux/capability.h>

#include "nrd-test.h"
#include "nrd/str.h"

#define HAS(caps, c) (((caps) >> (c) & 1) != 0)

static uint64_t
caps_of(const char *list)
{
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };
	uint64_t caps = 0;

	if (list != NULL)
		CHECK_INT(nrd_strv_split(list, ',', &c.limit_priv), 0);
	CHECK_OK(zone_caps_of(&c, &caps, &err), err);
	nrd_strv_free(c.limit_priv);
	return caps;
}

static void
refused(const char *list, int num)
{
	struct zone_config c = { 0 };
	struct nrd_err err = { 0 };
	uint64_t caps = 0;

	CHECK_INT(nrd_strv_split(list, ',', &c.limit_priv), 0);
	CHECK_FAILS(zone_caps_of(&c, &caps, &err), err, num, "BadPrivilege");
	nrd_strv_free(c.limit_priv);
}

static void
the_default_reaches_nothing_outside(void)
{
	static const int never[] = { CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_MAC_ADMIN,
				     CAP_AUDIT_CONTROL, CAP_BPF, CAP_PERFMON, CAP_SYSLOG,
				     CAP_CHECKPOINT_RESTORE };
	uint64_t caps = caps_of(NULL);

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		CHECK(!HAS(caps, never[i]));
	CHECK(HAS(caps, CAP_NET_ADMIN));
	CHECK(HAS(caps, CAP_SYS_ADMIN));
	CHECK(caps == caps_of("default"));
}

static void
both_kinds_of_names(void)
{
	CHECK(!HAS(caps_of("default,-net_rawaccess"), CAP_NET_RAW));
	CHECK(!HAS(caps_of("default,!CAP_NET_RAW"), CAP_NET_RAW));
	CHECK(HAS(caps_of("cap_net_raw"), CAP_NET_RAW));
	CHECK(!HAS(caps_of("cap_net_raw"), CAP_SYS_ADMIN));
	CHECK(HAS(caps_of("cap_net_raw"), CAP_SETUID)); /* required */
	CHECK(caps_of("default,proc_clock_highres") == caps_of("default"));
}

static void
what_no_zone_may_have(void)
{
	refused("default,sys_module", EPERM);
	refused("default,dtrace_kernel", EPERM);
	refused("default,CAP_SYS_TIME", EPERM);
	refused("default,no_such_thing", EINVAL);
	refused("cap_", EINVAL);
	CHECK(caps_of("default,-sys_module") == caps_of("default"));
}

TEST_MAIN(the_default_reaches_nothing_outside, both_kinds_of_names, what_no_zone_may_have)
