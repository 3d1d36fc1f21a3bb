/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "imgadm.h"

struct delete_opts {
	const char *pool;
};

const struct nrd_opt delete_opts[] = {
	NRD_OPT_STR('P', NULL, struct delete_opts, pool, "POOL", "the image on this pool"),
	NRD_OPT_END(struct delete_opts),
};

int
cmd_delete(const struct nrd_args *args, struct nrd_err *err)
{
	const struct delete_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, opts->pool, false);
	int r = image_delete(&how, args->argv[0], err);

	if (r == 0)
		imgadm_say("Deleted image %s", args->argv[0]);
	return r;
}
