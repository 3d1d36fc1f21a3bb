/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define VERSION_PATH "/sys/module/zfs/version"

/* 2.3.9: administration and fault injection ask for the node's own root, not just for a root. */
static const uint64_t oldest[] = { 2, 3, 9 };

bool
zone_delegate_version_ok(const char *version)
{
	for (size_t i = 0; i < nrd_count(oldest); i++) {
		size_t n = strspn(version, "0123456789");
		char digits[16];
		uint64_t v;

		if (n == 0 || n >= sizeof(digits))
			return false;
		memcpy(digits, version, n);
		digits[n] = '\0';
		if (nrd_parse_u64(digits, 0, UINT32_MAX, &v, NULL) < 0)
			return false;
		if (v != oldest[i])
			return v > oldest[i];
		version += n;
		if (*version == '.')
			version++;
	}
	return true;
}

static int
check_version(struct nrd_err *err)
{
	char version[64] = "";

	(void)nrd_attr_read(AT_FDCWD, VERSION_PATH, version, sizeof(version), NULL);
	if (zone_delegate_version_ok(version))
		return 0;
	return nrd_fail(err, ENOTSUP, "ZfsTooOld",
			"datasets are delegated with OpenZFS 2.3.9 or newer only; this node runs %s",
			version[0] != '\0' ? version : "none");
}

static bool
is_there(const char *dataset)
{
	return nrd_run_argv(NULL, NULL, "zfs", "list", "-H", "-o", "name", dataset, NULL) >= 0;
}

static int
one(const char *dataset, const char *ns, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_run_argv(NULL, &why, "zfs", "set", "zoned=on", dataset, NULL);

	if (r >= 0)
		r = nrd_run_argv(NULL, &why, "zfs", "zone", ns, dataset, NULL);
	return r < 0 ? nrd_fail(err, -r, "ZoneDelegate", "delegate dataset %s: %s", dataset, why.msg)
		     : 0;
}

int
zone_delegate(const struct zone_config *config, pid_t init, char **ret_missing,
	      struct nrd_err *err)
{
	NRD_FREE char *missing = NULL;
	char ns[64];
	int r = 0;

	if (config->datasets != NULL)
		r = check_version(err);
	(void)snprintf(ns, sizeof(ns), "/proc/%d/ns/user", (int)init);
	for (char **d = config->datasets; r >= 0 && d != NULL && *d != NULL; d++) {
		if (is_there(*d))
			r = one(*d, ns, err);
		else if (missing == NULL && (missing = nrd_format("%s", *d)) == NULL)
			r = nrd_nomem(err);
	}
	if (r >= 0)
		*ret_missing = NRD_TAKE(missing);
	return r;
}
