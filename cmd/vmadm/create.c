/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <signal.h>
#include <stdio.h>

#include "brand/steps.h"
#include "nrd/mem.h"
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

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* ^C walks the steps back instead of leaving half a machine. */
static void
hold_signals(void)
{
	const struct sigaction note = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	(void)sigaction(SIGINT, &note, NULL);
	(void)sigaction(SIGHUP, &note, NULL);
	(void)sigaction(SIGTERM, &note, NULL);
	brand_steps_stop_on(&interrupted);
}

static int
show_plan(const struct vm_plan *plan, struct nrd_err *err)
{
	NRD_STRV char **steps = NULL;
	int r = vm_plan_describe(plan, &steps, err);

	if (r == 0)
		say_lines(stdout, "", steps);
	return r;
}

int
cmd_create(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(vm_plan) plan = { 0 };
	NRD_STRV char **warnings = NULL;
	char uuid[NRD_UUID_TEXT];
	int r = payload_of(opts->file, &doc, err);

	if (r == 0)
		r = vm_plan_create(nrd_json_root(doc), &plan, err);
	if (r == 0)
		r = vm_plan_warnings(&plan, &warnings, err);
	if (r < 0)
		return told(args, NULL, r, err);
	say_lines(stderr, "WARNING: ", warnings);
	if (opts->dry_run)
		return told(args, NULL, show_plan(&plan, err), err);
	hold_signals();
	r = vm_create(&plan, err);
	nrd_uuid_format(&plan.config.uuid, uuid);
	return r == 0 ? done("Successfully created VM %s", uuid) : told(args, NULL, r, err);
}
