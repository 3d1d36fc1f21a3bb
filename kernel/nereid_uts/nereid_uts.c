// SPDX-License-Identifier: MPL-2.0 OR GPL-2.0
/* Copyright 2026 The Nereid authors */
/*
 * Makes uname(2) tell the platform's version, in the node and in every zone, as illumos does: the kernel is
 * Debian's, unchanged, so its own version stays behind ours. Loaded once by the initramfs, before any
 * UTS namespace exists that could hold the old text.
 *
 * What a zone's uname(2) says may be something else: its zoneadmd joins the zone's UTS namespace before the first
 * process of the zone runs, and writes "RELEASE\nVERSION" to the parameter zone; an empty one stays as it is. Only root of
 * the node may, and never in the node's own namespace. The kernel's lock of these texts is not for modules; none is
 * needed while nobody reads them, and who reads meanwhile reads two texts mixed, no more.
 */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/utsname.h>

static char *stamp;
module_param(stamp, charp, 0444);
MODULE_PARM_DESC(stamp, "platform version, YYYYMMDDTHHMMSSZ");

static bool
is_text(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isascii(s[i]) || !isprint(s[i]))
			return false;
	return len <= __NEW_UTS_LEN;
}

static void
put_text(char *name, const char *s, size_t len)
{
	if (len == 0)
		return;
	memcpy(name, s, len);
	memset(name + len, 0, __NEW_UTS_LEN + 1 - len);
}

static int
zone_set(const char *release, const struct kernel_param *kp)
{
	struct uts_namespace *uts = current->nsproxy->uts_ns;
	const char *version = strchr(release, '\n');
	size_t release_len, version_len;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (uts == &init_uts_ns || !version)
		return -EINVAL;
	release_len = version - release;
	version_len = strcspn(++version, "\n");
	if (version[version_len] != '\0' && version[version_len + 1] != '\0')
		return -EINVAL;
	if (!is_text(release, release_len) || !is_text(version, version_len))
		return -EINVAL;
	put_text(uts->name.release, release, release_len);
	put_text(uts->name.version, version, version_len);
	return 0;
}

static const struct kernel_param_ops zone_ops = { .set = zone_set };
module_param_cb(zone, &zone_ops, NULL, 0200);
MODULE_PARM_DESC(zone, "release, a newline, version: what uname says in the UTS namespace of who writes");

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
