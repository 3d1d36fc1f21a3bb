/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "platform/tally.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
platform_tally_add(struct platform_tally *t, const char *name, int r, struct nrd_err *why)
{
	size_t used = strlen(t->where);

	if (r < 0) {
		(void)nrd_wrap(why, r, "%s", name);
		if (t->failed++ == 0)
			t->first = *why;
	} else if (r > 0) {
		t->done++;
		(void)snprintf(t->where + used, sizeof(t->where) - used, "%s%s",
			       used > 0 ? ", " : "", name);
	}
}

int
platform_tally_end(const struct platform_tally *t, const struct platform *p, struct nrd_err *err)
{
	const struct nrd_err *why = t->failed > 0 ? &t->first : &p->broken_err;

	if (t->failed + p->broken == 0)
		return 0;
	if (t->done > 0)
		return nrd_fail(err, EIO, "PlatformPartial", "%.300s (done on %.150s)", why->msg,
				t->where);
	if (t->failed == 0)
		return 0;
	if (err != NULL)
		*err = *why;
	return -why->num;
}
