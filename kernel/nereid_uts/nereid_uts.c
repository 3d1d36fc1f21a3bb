// SPDX-License-Identifier: MPL-2.0 OR GPL-2.0
/* Copyright 2026 The Nereid authors */
/*
 * Makes uname(2) tell the platform's version, in the node and in every zone, as illumos does: the kernel is
 * Debian's, unchanged, so its own version stays behind ours. Loaded once by the initramfs, before any
 * UTS namespace exists that could hold the old text.
 */
#include <linux/module.h>
#include <linux/utsname.h>

static char *stamp;
module_param(stamp, charp, 0444);
MODULE_PARM_DESC(stamp, "platform version, YYYYMMDDTHHMMSSZ");

static int __init
nereid_uts_init(void)
{
	char version[__NEW_UTS_LEN + 1];
	const char *debian = strstr(init_uts_ns.name.version, "Debian");

	if (!stamp || strlen(stamp) != strlen("YYYYMMDDTHHMMSSZ"))
		return -EINVAL;
	snprintf(version, sizeof(version), "nereid_%s %s", stamp, debian ? debian : "Linux");
	strscpy(init_uts_ns.name.version, version, sizeof(init_uts_ns.name.version));
	return 0;
}

/* No exit function: what uname(2) said stays said. */
module_init(nereid_uts_init);
MODULE_DESCRIPTION("Nereid platform version in uname");
MODULE_LICENSE("Dual MPL/GPL");
