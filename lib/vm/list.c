/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/columns.h"
#include "vm/query.h"

#define OTHER_WIDTH     20

static int
names_of(const char *text, const char *what, bool signs, char ***ret_names, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;

	if (nrd_strv_split(text, ',', &names) < 0)
		return nrd_nomem(err);
	if (names == NULL)
		return nrd_usage(err, "which %s? name some", what);
	for (size_t i = 0; names[i] != NULL; i++) {
		const char *name = names[i] + (signs && strchr("+-", names[i][0]) != NULL);

		if (!vm_column_known(name))
			return nrd_fail(err, EINVAL, "BadField", "invalid %s field: \"%s\"", what, name);
	}
	*ret_names = NRD_TAKE(names);
	return 0;
}

/* ---- sorted ---- */

struct order {
	char **names;
};

static int
compare_by(const char *name, const struct nrd_val *a, const struct nrd_val *b)
{
	NRD_AUTO(nrd_buf) ta = { 0 };
	NRD_AUTO(nrd_buf) tb = { 0 };
	int64_t na, nb;

	if (nrd_val_i64(nrd_val_get(a, name), &na) && nrd_val_i64(nrd_val_get(b, name), &nb))
		return na < nb ? -1 : na > nb;
	(void)vm_value_text(a, name, &ta);
	(void)vm_value_text(b, name, &tb);
	return strcmp(nrd_buf_str(&ta), nrd_buf_str(&tb));
}

static int
compare(const void *pa, const void *pb, void *arg)
{
	struct nrd_json *const *a = pa;
	struct nrd_json *const *b = pb;
	const struct order *order = arg;

	for (size_t i = 0; order->names[i] != NULL; i++) {
		const char *name = order->names[i];
		bool down = name[0] == '-';
		int d = compare_by(name + (strchr("+-", name[0]) != NULL), nrd_json_root(*a), nrd_json_root(*b));

		if (d != 0)
			return down ? -d : d;
	}
	return 0;
}

/* ---- shown ---- */

static void
trim(struct nrd_buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		nrd_buf_truncate(out, out->len - 1);
}

static void
add_cell(struct nrd_buf *out, const char *text, const char *column, const struct vm_list_opts *opts, bool first)
{
	const struct vm_column *c = vm_column_find(column);
	int width = c != NULL ? c->width : OTHER_WIDTH;

	if (opts->parsable)
		(void)nrd_buf_printf(out, "%s%s", first ? "" : ":", text);
	else
		(void)nrd_buf_printf(out, "%s%-*s", first ? "" : "  ", width, text[0] != '\0' ? text : "-");
}

static int
add_header(struct nrd_buf *out, char **columns)
{
	const struct vm_list_opts plain = { 0 };

	for (size_t i = 0; columns[i] != NULL; i++) {
		const struct vm_column *c = vm_column_find(columns[i]);
		NRD_FREE char *title = nrd_format("%s", c != NULL && c->title != NULL ? c->title : columns[i]);

		if (title == NULL)
			return -ENOMEM;
		for (char *p = title; *p != '\0'; p++)
			*p = (char)toupper((unsigned char)*p);
		add_cell(out, title, columns[i], &plain, i == 0);
	}
	trim(out);
	return nrd_buf_addc(out, '\n');
}

static void
add_row(struct nrd_buf *out, const struct nrd_val *vm, char **columns, const struct vm_list_opts *opts)
{
	for (size_t i = 0; columns[i] != NULL; i++) {
		NRD_AUTO(nrd_buf) text = { 0 };

		(void)vm_value_text(vm, columns[i], &text);
		if (nrd_streq(columns[i], "type"))
			nrd_buf_truncate(&text, 4);
		add_cell(out, nrd_buf_str(&text), columns[i], opts, i == 0);
	}
	if (!opts->parsable)
		trim(out);
	(void)nrd_buf_addc(out, '\n');
}

int
vm_list(const struct vm_found *found, const struct vm_list_opts *opts, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_STRV char **columns = NULL;
	NRD_STRV char **sort = NULL;
	struct order order;
	int r = names_of(opts->columns != NULL ? opts->columns : VM_LIST_COLUMNS, "order", false, &columns, err);

	if (r == 0)
		r = names_of(opts->sort != NULL ? opts->sort : VM_LIST_SORT, "sort", true, &sort, err);
	if (r < 0)
		return r;
	order.names = sort;
	qsort_r(found->docs, found->n, sizeof(struct nrd_json *), compare, &order);
	if (opts->header || (!opts->parsable && !opts->no_header))
		r = add_header(out, columns);
	for (size_t i = 0; r == 0 && i < found->n; i++)
		add_row(out, nrd_json_root(found->docs[i]), columns, opts);
	return r < 0 || out->failed < 0 ? nrd_nomem(err) : 0;
}
