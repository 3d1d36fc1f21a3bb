/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/columns.h"
#include "vm/history.h"
#include "vm/object.h"
#include "vm/query.h"
#include "vmadm.h"

/* Somebody who has seen enough is no error. */
static int
put(const struct nrd_buf *out, struct nrd_err *err)
{
	int r;

	outlive_reader();
	r = nrd_write_all(STDOUT_FILENO, nrd_buf_str(out), out->len, err);
	return r == -EPIPE ? 0 : r;
}

/* ---- get ---- */

struct get_opts {
	bool json;
};

const struct nrd_opt get_opts[] = {
	NRD_OPT_FLAG('j', "json", struct get_opts, json, "print JSON, which it always does"),
	NRD_OPT_END(struct get_opts),
};

int
cmd_get(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	const char *uuid;
	struct nrd_jw w;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		r = vm_read(uuid, &vm, err);
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	if (r == 0)
		r = vm_write(&vm, VM_PART_SNAPSHOTS | VM_PART_NODE, NULL, &w, err);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = put(&out, err);
	return told(args, NULL, r, err);
}

/* ---- list ---- */

struct list_opts {
	struct vm_list_opts how;
	bool json;
};

const struct nrd_opt list_opts[] = {
	NRD_OPT_STR('o', "output", struct list_opts, how.columns, "FIELD,...", "which columns, in this order"),
	NRD_OPT_STR('s', "sort", struct list_opts, how.sort, "FIELD,...", "sort by these; -FIELD: descending"),
	NRD_OPT_FLAG('p', "parsable", struct list_opts, how.parsable, "for programs: no header, FIELD:FIELD"),
	NRD_OPT_FLAG('H', "no-header", struct list_opts, how.no_header, "leave the header out"),
	NRD_OPT_FLAG('h', "header", struct list_opts, how.header, "print the header, with -p too"),
	NRD_OPT_FLAG('j', "json", struct list_opts, json, "print JSON"),
	NRD_OPT_END(struct list_opts),
};

/* All of each machine, or of each only some fields. */
static int
put_json(const struct vm_found *found, const char *fields, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	struct nrd_jw w;

	if (fields != NULL && nrd_strv_split(fields, ',', &names) < 0)
		return nrd_nomem(err);
	nrd_jw_init(&w, out, NRD_JW_PRETTY);
	nrd_jw_arr_open(&w);
	for (size_t i = 0; i < found->n; i++) {
		const struct nrd_val *vm = nrd_json_root(found->docs[i]);

		if (names == NULL) {
			nrd_jw_val(&w, vm);
			continue;
		}
		nrd_jw_obj_open(&w);
		for (size_t k = 0; names[k] != NULL; k++)
			if (nrd_val_get(vm, names[k]) != NULL)
				nrd_jw_kval(&w, names[k], nrd_val_get(vm, names[k]));
		nrd_jw_obj_close(&w);
	}
	nrd_jw_arr_close(&w);
	return nrd_jw_finish(&w, err);
}

/* all: of each machine everything, not only what fields names and what is filtered by. */
static int
find(const struct nrd_args *args, bool all, const char *const fields[2], struct vm_found *ret_found,
     struct nrd_err *err)
{
	NRD_AUTO(vm_query) *query = NULL;
	NRD_STRV char **only = NULL;
	int r = vm_query_new(args->argv, &query, err);

	for (size_t i = 0; r == 0 && !all && i < 2; i++)
		if (vm_fields_top(fields[i], &only) < 0)
			r = nrd_nomem(err);
	return r == 0 ? vm_find(query, all ? NULL : only, ret_found, err) : r;
}

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(vm_found_cleanup))) struct vm_found found = { 0 };
	const struct list_opts *opts = args->opts;
	const char *const fields[2] = {
		opts->how.columns != NULL ? opts->how.columns : VM_LIST_COLUMNS,
		opts->how.sort != NULL ? opts->how.sort : VM_LIST_SORT,
	};
	NRD_AUTO(nrd_buf) out = { 0 };
	int r = find(args, opts->json && opts->how.columns == NULL, fields, &found, err);

	if (r == 0)
		r = opts->json ? put_json(&found, opts->how.columns, &out, err)
			       : vm_list(&found, &opts->how, &out, err);
	if (r == 0)
		r = put(&out, err);
	return told(args, NULL, r, err);
}

/* ---- lookup ---- */

struct lookup_opts {
	bool json, one;
	const char *fields;
};

const struct nrd_opt lookup_opts[] = {
	NRD_OPT_FLAG('j', "json", struct lookup_opts, json, "print the machines, not only their uuids"),
	NRD_OPT_FLAG('1', "unique", struct lookup_opts, one, "it is an error unless there is just one"),
	NRD_OPT_STR('o', "output", struct lookup_opts, fields, "FIELD,...", "with -j: only these"),
	NRD_OPT_END(struct lookup_opts),
};

int
cmd_lookup(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(vm_found_cleanup))) struct vm_found found = { 0 };
	const struct lookup_opts *opts = args->opts;
	NRD_AUTO(nrd_buf) out = { 0 };
	int r;

	if (opts->fields != NULL && !opts->json)
		return nrd_usage(err, "-o goes with -j");
	r = find(args, opts->json && opts->fields == NULL,
		 (const char *const[2]){ "uuid", opts->fields != NULL ? opts->fields : "uuid" }, &found, err);
	if (r == 0 && opts->one && found.n != 1)
		r = nrd_fail(err, ENOENT, "NotUnique", "Requested unique lookup but found %zu results.", found.n);
	if (r == 0 && opts->json)
		r = put_json(&found, opts->fields, &out, err);
	for (size_t i = 0; r == 0 && !opts->json && i < found.n; i++)
		r = nrd_buf_printf(&out, "%s\n", nrd_get_str(nrd_json_root(found.docs[i]), "uuid"));
	if (r == 0)
		r = put(&out, err);
	return told(args, NULL, r, err);
}

/* ---- history ---- */

struct history_opts {
	bool json;
};

const struct nrd_opt history_opts[] = {
	NRD_OPT_FLAG('j', "json", struct history_opts, json, "print JSON, an object a line"),
	NRD_OPT_END(struct history_opts),
};

static void
add_changes(const struct nrd_val *changes, struct nrd_buf *out)
{
	struct nrd_iter it = nrd_iter(changes);
	struct nrd_jw w;

	while (nrd_iter_next(&it)) {
		(void)nrd_buf_printf(out, "    %s: ", nrd_get_str(it.val, "property"));
		nrd_jw_init(&w, out, NRD_JW_COMPACT);
		nrd_jw_val(&w, nrd_val_get(it.val, "from"));
		(void)nrd_buf_adds(out, " -> ");
		nrd_jw_init(&w, out, NRD_JW_COMPACT);
		nrd_jw_val(&w, nrd_val_get(it.val, "to"));
		(void)nrd_buf_addc(out, '\n');
	}
}

static void
add_entry(const struct nrd_val *entry, bool json, struct nrd_buf *out)
{
	struct nrd_jw w;

	if (json) {
		nrd_jw_init(&w, out, NRD_JW_COMPACT);
		nrd_jw_val(&w, entry);
		(void)nrd_buf_addc(out, '\n');
		return;
	}
	(void)nrd_buf_printf(out, "%s  %s  %s\n", nrd_get_str(entry, "time"), nrd_get_str(entry, "who"),
			     nrd_get_str(entry, "action"));
	add_changes(nrd_val_get(entry, "changes"), out);
}

int
cmd_history(const struct nrd_args *args, struct nrd_err *err)
{
	const struct history_opts *opts = args->opts;
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_json **docs = NULL;
	const char *uuid;
	size_t n = 0;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		r = vm_history_read(uuid, &docs, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		add_entry(nrd_json_root(docs[i]), opts->json, &out);
	vm_history_free(docs, n);
	if (r == 0)
		r = put(&out, err);
	return told(args, NULL, r, err);
}
