/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "nrd/err.h"
#include "platform/platform.h"

/* How an act went over several volumes or disks. All zero: nothing happened yet. */
struct platform_tally {
	size_t done, failed;
	struct nrd_err first; /* of the failures */
	char where[160];      /* names of those it was done on */
};

/* r is the act's result: negative failed (why says how), 0 nothing to do, positive done. */
void platform_tally_add(struct platform_tally *t, const char *name, int r, struct nrd_err *why);

/*
 * 0 when nothing failed, "PlatformPartial" (-EIO) when some failed and some were done, else the
 * first failure. A volume that could not even be mounted (p->broken) counts as one that failed,
 * but does not keep the rest from being all.
 */
int platform_tally_end(const struct platform_tally *t, const struct platform *p,
		       struct nrd_err *err);
