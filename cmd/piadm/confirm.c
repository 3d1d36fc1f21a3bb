/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <stdio.h>

#include "nrd/mem.h"
#include "piadm.h"

/* Run by `nereid-boot ready` at each boot. */
int
cmd_confirm(const struct nrd_args *args, struct nrd_err *err)
{
	const struct platform_opts how =
		piadm_opts(args, NULL, PLATFORM_WRITE | PLATFORM_EMPTY | PLATFORM_WAIT);
	enum platform_outcome outcome;
	char text[400];
	NRD_AUTO(platform) *p = NULL;
	int r = platform_open(&how, &p, err);

	if (r == 0)
		r = platform_confirm(p, &outcome, text, sizeof(text), err);
	if (r == 0 && outcome != PLATFORM_SAME)
		(void)fprintf(outcome == PLATFORM_CONFIRMED ? stdout : stderr, "%s: %s\n",
			      args->prog, text);
	if (r == 0)
		r = platform_close(NRD_TAKE(p), err);
	return piadm_exit(r, err);
}
