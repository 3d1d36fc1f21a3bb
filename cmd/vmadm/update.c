/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "vm/change.h"
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

/* name=value words, whose values are text: what they must be, the property says. */
static int
from_words(const struct nrd_args *args, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	for (int i = 1; i < args->argc; i++) {
		const char *eq = strchr(args->argv[i], '=');
		NRD_FREE char *name = eq != NULL ? nrd_format("%.*s", (int)(eq - args->argv[i]), args->argv[i]) : NULL;

		if (eq == NULL || eq == args->argv[i])
			return nrd_usage(err, "\"%.60s\" is not PROPERTY=VALUE", args->argv[i]);
		if (name == NULL)
			return nrd_nomem(err);
		nrd_jw_kstr(&w, name, eq + 1);
	}
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&text), text.len, NULL, ret_doc, err);
}

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
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0 && args->argc > 1 && opts->file != NULL)
		r = nrd_usage(err, "give -f FILE or PROPERTY=VALUE words, not both");
	if (r == 0)
		r = args->argc > 1 ? from_words(args, &doc, err) : payload_of(opts->file, &doc, err);
	if (r == 0 && opts->dry_run)
		return told(args, NULL, say_plan(uuid, nrd_json_root(doc), err), err);
	if (r == 0)
		nrd_busy_begin("updating VM %s", uuid);
	if (r == 0)
		r = vm_update(uuid, nrd_json_root(doc), &change, err);
	if (r < 0)
		return told(args, NULL, r, err);
	say_change(uuid, &change);
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
