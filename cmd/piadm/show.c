/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nrd/progress.h"
#include "nrd/str.h"
#include "piadm.h"

static bool partial;

static void
note(void *arg, const char *text)
{
	const struct nrd_args *args = arg;

	(void)fprintf(stderr, "%s: %s: %s\n", args->prog, args->verb, text);
}

static void
progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	nrd_progress_bytes(what, done, total);
}

struct platform_opts
piadm_opts(const struct nrd_args *args, const char *where, unsigned flags)
{
	const struct global_opts *global = args->global;

	return (struct platform_opts){
		.ui = {
			.progress = progress,
			.note = note,
			/* Only read back as what it is, by note(). */
			.arg = (void *)(uintptr_t)args,
		},
		.where = where,
		.dirs = global->volumes != NULL ? NRD_CSTRV(global->volumes) : NULL,
		.flags = flags,
	};
}

int
piadm_remote(struct platform_remote *ret_remote, struct nrd_err *err)
{
	const char *digest = getenv("PIADM_DIGEST_ALGORITHM");
	const char *no_sum = getenv("PIADM_NO_SUM");

	if (digest != NULL && digest[0] != '\0' && !nrd_streq(digest, "sha256"))
		return nrd_fail(err, EINVAL, "BadDigest",
				"PIADM_DIGEST_ALGORITHM is %s; only sha256 is understood", digest);
	*ret_remote = (struct platform_remote){
		.prefix = getenv("PIADM_URL_PREFIX"),
		.sums = getenv("PIADM_SUM_URL"),
		.no_sums = no_sum != NULL && no_sum[0] != '\0' && !nrd_streq(no_sum, "0"),
	};
	return 0;
}

int
piadm_exit(int r, const struct nrd_err *err)
{
	if (r >= 0)
		return PIADM_OK;
	if (nrd_err_is(err, "PlatformPartial")) {
		partial = true;
		return PIADM_PARTIAL;
	}
	return nrd_err_is(err, "VolumeCorrupt") ? PIADM_CORRUPT : PIADM_FAIL;
}

bool
piadm_was_partial(void)
{
	return partial;
}
