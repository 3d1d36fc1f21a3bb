/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "vm/make.h"
#include "vmadm.h"

struct create_opts {
	const char *file;
	bool dry_run;
};

const struct nrd_opt create_opts[] = {
	NRD_OPT_STR('f', NULL, struct create_opts, file, "FILE", "the payload; -: standard input"),
	NRD_OPT_FLAG('n', "dry-run", struct create_opts, dry_run, "only say what would be done"),
	NRD_OPT_END(struct create_opts),
};

static int
show_plan(const struct vm_plan *plan, struct nrd_err *err)
{
	NRD_STRV char **steps = NULL;
	int r = vm_plan_describe(plan, &steps, err);

	if (r == 0)
		say_lines(stdout, "", steps);
	return r;
}

/* Or only tells how it would be made. */
static int
carry_out(const struct nrd_args *args, struct vm_plan *plan, bool dry_run, struct nrd_err *err)
{
	NRD_STRV char **warnings = NULL;
	char uuid[NRD_UUID_TEXT];
	int r = vm_plan_warnings(plan, &warnings, err);

	if (r < 0)
		return told(args, NULL, r, err);
	say_lines(stderr, "WARNING: ", warnings);
	if (dry_run)
		return told(args, NULL, show_plan(plan, err), err);
	(void)hold_signals();
	nrd_uuid_format(&plan->config.uuid, uuid);
	nrd_busy_begin("creating VM %s", uuid);
	r = vm_create(plan, err);
	if (r == 0 && plan->waits && !plan->wish.nowait)
		r = await_provisioned(uuid, err);
	return r == 0 ? done("Successfully created VM %s", uuid) : told(args, NULL, r, err);
}

int
cmd_create(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(vm_plan) plan = { 0 };
	int r = payload_of(opts->file, &doc, err);

	if (r == 0)
		r = vm_plan_create(nrd_json_root(doc), &plan, err);
	return r < 0 ? told(args, NULL, r, err) : carry_out(args, &plan, opts->dry_run, err);
}

int
cmd_clone(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(vm_plan) plan = { 0 };
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0 && args->argc > 2 && opts->file != NULL)
		r = nrd_usage(err, "give -f FILE or PROPERTY=VALUE words, not both");
	if (r == 0 && (args->argc > 2 || opts->file == NULL))
		r = payload_of_words(args, 2, &doc, err);
	else if (r == 0)
		r = payload_of(opts->file, &doc, err);
	if (r == 0)
		r = vm_plan_clone(uuid, args->argv[1], nrd_json_root(doc), &plan, err);
	return r < 0 ? told(args, NULL, r, err) : carry_out(args, &plan, opts->dry_run, err);
}
