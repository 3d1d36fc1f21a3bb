/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "vm/change.h"
#include "vm/object.h"
#include "vm/payload.h"
#include "vm/props.h"
#include "vmadm.h"

struct update_opts {
	const char *file;
	bool dry_run;
};

const struct nrd_opt update_opts[] = {
	NRD_OPT_STR('f', NULL, struct update_opts, file, "FILE", "the payload; -: standard input"),
	NRD_OPT_FLAG('n', "dry-run", struct update_opts, dry_run, "only say what would change"),
	NRD_OPT_END(struct update_opts),
};

static int
say_plan(const char *uuid, const struct nrd_val *payload, struct nrd_err *err)
{
	NRD_STRV char **lines = NULL;
	int r = vm_update_describe(uuid, payload, &lines, err);

	if (r == 0)
		say_lines(stdout, "", lines);
	return r;
}

int
cmd_update(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(vm_change_cleanup))) struct vm_change change = { 0 };
	const struct update_opts *opts = args->opts;
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(vm) vm = { 0 };
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0 && args->argc > 1 && opts->file != NULL)
		r = nrd_usage(err, "give -f FILE or PROPERTY=VALUE words, not both");
	if (r == 0)
		r = args->argc > 1 ? payload_of_words(args, 1, &doc, err) : payload_of(opts->file, &doc, err);
	if (r == 0 && opts->dry_run)
		return told(args, NULL, say_plan(uuid, nrd_json_root(doc), err), err);
	if (r == 0)
		nrd_busy_begin("updating VM %s", uuid);
	if (r == 0)
		r = vm_update(uuid, nrd_json_root(doc), &change, err);
	if (r < 0)
		return told(args, NULL, r, err);
	say_change(uuid, &change);
	if (nrd_val_get(nrd_json_root(doc), "vcpus") != NULL && vm_read(uuid, &vm, NULL) == 0)
		(void)say_warnings(&vm.config, NULL);
	return done("Successfully updated VM %s", uuid);
}

int
cmd_undo(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(vm_change_cleanup))) struct vm_change change = { 0 };
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		nrd_busy_begin("updating VM %s", uuid);
	if (r == 0)
		r = vm_undo(uuid, &change, err);
	if (r < 0)
		return told(args, NULL, r, err);
	say_change(uuid, &change);
	return done("Successfully updated VM %s: it is as before its last update", uuid);
}

int
cmd_properties(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	(void)args;
	(void)err;
	vm_props_describe(&out);
	(void)fputs(nrd_buf_str(&out), stdout);
	return 0;
}
