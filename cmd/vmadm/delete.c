/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "vm/make.h"
#include "vmadm.h"

struct delete_opts {
	bool dry_run;
};

const struct nrd_opt delete_opts[] = {
	NRD_OPT_FLAG('n', "dry-run", struct delete_opts, dry_run, "only say what would be done"),
	NRD_OPT_END(struct delete_opts),
};

int
cmd_delete(const struct nrd_args *args, struct nrd_err *err)
{
	const struct delete_opts *opts = args->opts;
	NRD_STRV char **steps = NULL;
	NRD_FREE char *act = NULL;
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r < 0)
		return r;
	act = nrd_format("Failed to delete VM %s: ", uuid);
	if (!opts->dry_run) {
		nrd_busy_begin("deleting VM %s", uuid);
		r = vm_delete(uuid, err);
		return r == 0 ? done("Successfully deleted VM %s", uuid) : told(args, act, r, err);
	}
	r = vm_delete_describe(uuid, &steps, err);
	if (r == 0)
		say_lines(stdout, "", steps);
	return told(args, act, r, err);
}

/* At the node's boot. */
int
cmd_sweep(const struct nrd_args *args, struct nrd_err *err)
{
	return told(args, NULL, vm_sweep(err), err);
}
