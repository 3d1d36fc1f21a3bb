/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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

/* What a machine is sorted by: its value of each name, told once. */
struct sort_key {
	char *text; /* NULL: a number */
	int64_t number;
};

struct sorted {
	struct nrd_json *doc;
	struct sort_key *keys;
};

struct order {
	char **names;
	size_t n;
};

static bool
goes_down(const char *name)
{
	return name[0] == '-';
}

static int
key_init(struct sort_key *key, const struct nrd_val *vm, const char *name)
{
	NRD_AUTO(nrd_buf) text = { 0 };

	if (nrd_val_i64(nrd_val_get(vm, name), &key->number))
		return 0;
	(void)vm_value_text(vm, name, &text);
	key->text = nrd_format("%s", nrd_buf_str(&text));
	return key->text != NULL ? 0 : -ENOMEM;
}

/* Numbers by their value; where only one of the two has a number, as text. */
static int
compare_key(const struct sort_key *a, const struct sort_key *b)
{
	char number[24];

	if (a->text == NULL && b->text == NULL)
		return a->number < b->number ? -1 : a->number > b->number;
	if (a->text != NULL && b->text != NULL)
		return strcmp(a->text, b->text);
	(void)snprintf(number, sizeof(number), "%" PRId64, a->text == NULL ? a->number : b->number);
	return a->text == NULL ? strcmp(number, b->text) : strcmp(a->text, number);
}

static int
compare(const void *pa, const void *pb, void *arg)
{
	const struct sorted *a = pa;
	const struct sorted *b = pb;
	const struct order *order = arg;

	for (size_t i = 0; i < order->n; i++) {
		int d = compare_key(&a->keys[i], &b->keys[i]);

		if (d != 0)
			return goes_down(order->names[i]) ? -d : d;
	}
	return 0;
}

static int
sort_docs(const struct vm_found *found, char **names, struct sorted *rows, struct sort_key *keys)
{
	struct order order = { .names = names, .n = nrd_strv_len(NRD_CSTRV(names)) };

	for (size_t i = 0; i < found->n; i++) {
		rows[i] = (struct sorted){ .doc = found->docs[i], .keys = &keys[i * order.n] };
		for (size_t j = 0; j < order.n; j++) {
			const char *name = names[j] + (strchr("+-", names[j][0]) != NULL);

			if (key_init(&rows[i].keys[j], nrd_json_root(found->docs[i]), name) < 0)
				return -ENOMEM;
		}
	}
	qsort_r(rows, found->n, sizeof(*rows), compare, &order);
	for (size_t i = 0; i < found->n; i++)
		found->docs[i] = rows[i].doc;
	return 0;
}

static int
sort_found(const struct vm_found *found, char **names, struct nrd_err *err)
{
	size_t n = found->n * nrd_strv_len(NRD_CSTRV(names));
	NRD_FREE struct sorted *rows = calloc(found->n + 1, sizeof(*rows));
	NRD_FREE struct sort_key *keys = calloc(n + 1, sizeof(*keys));
	int r = rows != NULL && keys != NULL ? sort_docs(found, names, rows, keys) : -ENOMEM;

	for (size_t i = 0; keys != NULL && i < n; i++)
		free(keys[i].text);
	return r < 0 ? nrd_nomem(err) : 0;
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
	size_t width = c != NULL ? (size_t)c->width : OTHER_WIDTH;

	static const char blanks[] = "                                        ";
	size_t before;

	if (!first)
		(void)nrd_buf_adds(out, opts->parsable ? ":" : "  ");
	before = out->len;
	(void)nrd_buf_adds(out, opts->parsable || text[0] != '\0' ? text : "-");
	while (!opts->parsable && out->failed == 0 && out->len - before < width) {
		size_t missing = width - (out->len - before);

		(void)nrd_buf_add(out, blanks, missing < sizeof(blanks) ? missing : sizeof(blanks) - 1);
	}
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
	int r = names_of(opts->columns != NULL ? opts->columns : VM_LIST_COLUMNS, "order", false, &columns, err);

	if (r == 0)
		r = names_of(opts->sort != NULL ? opts->sort : VM_LIST_SORT, "sort", true, &sort, err);
	if (r == 0)
		r = sort_found(found, sort, err);
	if (r < 0)
		return r;
	if (opts->header || (!opts->parsable && !opts->no_header))
		r = add_header(out, columns);
	for (size_t i = 0; r == 0 && i < found->n; i++)
		add_row(out, nrd_json_root(found->docs[i]), columns, opts);
	return r < 0 || out->failed < 0 ? nrd_nomem(err) : 0;
}
