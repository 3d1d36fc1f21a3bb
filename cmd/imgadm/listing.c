/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imgadm.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"
#include "nrd/vec.h"

/*
 * Fields of a listing: those of the manifest that are one word, by the manifest's own table, and
 * those below that are made of several. Filters and orders work on the cells, so that -j has the
 * images that the table would have, in the same order.
 */
static const struct nrd_col cols[] = {
	{ "uuid", 36 },
	{ "name", 20 },
	{ "version", 10 },
	{ "os", 7 },
	{ "type", 12 },
	{ "pub", 10 },
	{ "published", 20, NRD_COL_HIDDEN },
	{ "published_at", 20, NRD_COL_HIDDEN },
	{ "published_date", 10, NRD_COL_HIDDEN },
	{ "source", 10, NRD_COL_HIDDEN },
	{ "clones", 6, NRD_COL_HIDDEN | NRD_COL_RIGHT | NRD_COL_NUM },
	{ "zpool", 6, NRD_COL_HIDDEN },
	{ "size", 10, NRD_COL_HIDDEN | NRD_COL_RIGHT | NRD_COL_NUM },
	{ "owner", 36, NRD_COL_HIDDEN },
	{ "origin", 36, NRD_COL_HIDDEN },
	{ "state", 8, NRD_COL_HIDDEN },
	{ "disabled", 8, NRD_COL_HIDDEN | NRD_COL_BOOL },
	{ "activated", 9, NRD_COL_HIDDEN | NRD_COL_BOOL },
	{ "public", 6, NRD_COL_HIDDEN | NRD_COL_BOOL },
	{ "description", 20, NRD_COL_HIDDEN },
	{ "homepage", 10, NRD_COL_HIDDEN },
	{ "eula", 10, NRD_COL_HIDDEN },
	{ "urn", 10, NRD_COL_HIDDEN },
	{ "image_size", 10, NRD_COL_HIDDEN | NRD_COL_RIGHT | NRD_COL_NUM },
	{ "disk_driver", 10, NRD_COL_HIDDEN },
	{ "nic_driver", 10, NRD_COL_HIDDEN },
	{ "cpu_type", 8, NRD_COL_HIDDEN },
};

#define N_COLS nrd_count(cols)

struct row {
	struct listed image;
	char *cells[sizeof(cols) / sizeof(cols[0])]; /* owned; NULL: "-" */
};

struct filter {
	size_t col;
	const char *value; /* borrowed */
	bool part;
};

struct order {
	size_t col;
	bool descending;
};

struct listing {
	struct nrd_table_opts form;
	NRD_VEC(struct filter) filters;
	NRD_VEC(struct order) orders;
	NRD_VEC(struct row) rows;
	struct nrd_table *table;
	int failed;
};

static int
find(const char *name, size_t len, size_t *ret_i, struct nrd_err *err)
{
	NRD_FREE char *word = nrd_str_dup(nrd_strn(name, len));
	struct nrd_suggest near;

	if (word == NULL)
		return nrd_nomem(err);
	nrd_suggest_init(&near, word);
	for (size_t i = 0; i < N_COLS; i++) {
		if (nrd_streq(cols[i].name, word)) {
			*ret_i = i;
			return 0;
		}
		nrd_suggest_offer(&near, cols[i].name);
	}
	return near.best != NULL ? nrd_usage(err, "unknown field \"%.40s\", did you mean %s?", word,
					     near.best)
				 : nrd_usage(err, "unknown field \"%.40s\"", word);
}

static int
add_filter(struct listing *l, const char *text, struct nrd_err *err)
{
	const char *eq = strchr(text, '=');
	struct filter f;
	int r;

	if (eq == NULL || eq == text)
		return nrd_usage(err, "\"%.60s\" is no filter: FIELD=VALUE or FIELD=~PART", text);
	r = find(text, (size_t)(eq - text), &f.col, err);
	if (r < 0)
		return r;
	f.part = eq[1] == '~';
	f.value = eq + 1 + f.part;
	return nrd_vec_push(&l->filters, f) < 0 ? nrd_nomem(err) : 0;
}

static int
add_orders(struct listing *l, const char *text, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(text), part;
	int r = 0;

	while (text != NULL && r == 0 && nrd_str_split(&rest, ',', &part)) {
		struct order o = { 0 };

		part = nrd_str_trim(part);
		o.descending = part.len > 0 && part.data[0] == '-';
		r = find(part.data + o.descending, part.len - o.descending, &o.col, err);
		if (r == 0 && nrd_vec_push(&l->orders, o) < 0)
			r = nrd_nomem(err);
	}
	return r;
}

int
listing_new(const struct listing_opts *opts, const char *columns, const char *sort,
	    char *const *filters, struct listing **ret_listing, struct nrd_err *err)
{
	NRD_AUTO(listing) *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return nrd_nomem(err);
	l->form = opts->table;
	if (l->form.columns == NULL)
		l->form.columns = columns;
	r = add_orders(l, opts->table.sort != NULL ? opts->table.sort : sort, err);
	l->form.sort = NULL;
	for (; r == 0 && *filters != NULL; filters++)
		r = add_filter(l, *filters, err);
	if (r == 0)
		r = nrd_table_new(cols, N_COLS, &l->form, &l->table, err);
	if (r < 0)
		return r;
	*ret_listing = NRD_TAKE(l);
	return 0;
}

static void
row_fini(struct row *row)
{
	for (size_t i = 0; i < N_COLS; i++)
		free(row->cells[i]);
}

void
listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	nrd_vec_each(row, &l->rows)
		row_fini(row);
	nrd_vec_fini(&l->rows);
	nrd_vec_fini(&l->filters);
	nrd_vec_fini(&l->orders);
	nrd_table_free(l->table);
	free(l);
}

void
listing_cleanup(struct listing **l)
{
	listing_free(*l);
}

bool
listing_wants(const struct listing *l, const char *field)
{
	size_t i = 0;

	while (i < N_COLS && !nrd_streq(cols[i].name, field))
		i++;
	nrd_vec_each(f, &l->filters)
		if (f->col == i)
			return true;
	nrd_vec_each(o, &l->orders)
		if (o->col == i)
			return true;
	return i < N_COLS && (l->form.json || nrd_table_wants(l->table, i));
}

/* ---- cells ---- */

/* A field of the manifest that is a word or a number; NULL: it has none. */
static char *
manifest_cell(const struct image_manifest *m, const char *name)
{
	const struct nrd_field *field = nrd_schema_find(&image_manifest_schema, name);
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	const char *s;
	struct nrd_jw w;

	if (field == NULL || !nrd_field_present(&image_manifest_schema, field, m))
		return NULL;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode_field(&image_manifest_schema, field, m, &w);
	if (nrd_jw_finish(&w, NULL) < 0 ||
	    nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, NULL) < 0 ||
	    nrd_val_type(nrd_json_root(doc)) == NRD_VAL_NULL)
		return NULL;
	s = nrd_val_str(nrd_json_root(doc));
	return nrd_format("%s", s != NULL ? s : nrd_buf_str(&text));
}

/* 2026-01-31T12:00:00.123Z: its date, or all of it less the fraction. */
static char *
time_cell(const struct image_manifest *m, bool date)
{
	const char *t = m->published_at;

	if (t == NULL)
		return NULL;
	return date ? nrd_format("%.10s", t) : nrd_format("%.19sZ", t);
}

static char *
cell_of(const struct listed *image, const char *name)
{
	const struct image_file *file = image_manifest_file(image->m);

	if (nrd_streq(name, "pub") || nrd_streq(name, "published_date"))
		return time_cell(image->m, true);
	if (nrd_streq(name, "published"))
		return time_cell(image->m, false);
	if (nrd_streq(name, "source"))
		return image->source != NULL ? nrd_format("%s", image->source) : NULL;
	if (nrd_streq(name, "zpool"))
		return image->zpool != NULL ? nrd_format("%s", image->zpool) : NULL;
	if (nrd_streq(name, "clones"))
		return image->clones >= 0 ? nrd_format("%ld", image->clones) : NULL;
	if (nrd_streq(name, "size"))
		return file != NULL ? nrd_format("%llu", (unsigned long long)file->size) : NULL;
	return manifest_cell(image->m, name);
}

static bool
passes(const struct listing *l, const struct row *row)
{
	nrd_vec_each(f, &l->filters) {
		const char *cell = row->cells[f->col] != NULL ? row->cells[f->col] : "";

		if (f->part ? strstr(cell, f->value) == NULL : strcmp(cell, f->value) != 0)
			return false;
	}
	return true;
}

void
listing_add(struct listing *l, const struct listed *image)
{
	struct row row = { .image = *image };

	for (size_t i = 0; i < N_COLS; i++)
		row.cells[i] = cell_of(image, cols[i].name);
	if (passes(l, &row)) {
		if (nrd_vec_push(&l->rows, row) == 0)
			return;
		l->failed = -ENOMEM;
	}
	row_fini(&row);
}

/* ---- order and output ---- */

static int
compare_cells(size_t col, const char *a, const char *b)
{
	size_t la, lb;

	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	la = strlen(a);
	lb = strlen(b);
	if ((cols[col].flags & NRD_COL_NUM) != 0 && la != lb)
		return la < lb ? -1 : 1;
	return strcmp(a, b);
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct row *ra = a, *rb = b;
	const struct listing *l = arg;

	nrd_vec_each(o, &l->orders) {
		int c = compare_cells(o->col, ra->cells[o->col], rb->cells[o->col]);

		if (c != 0)
			return o->descending ? -c : c;
	}
	return strcmp(ra->image.m->uuid, rb->image.m->uuid);
}

static void
encode_listed(const struct listed *image, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	nrd_jw_key(w, "manifest");
	image_manifest_encode(image->m, w);
	if (image->zpool != NULL)
		nrd_jw_kstr(w, "zpool", image->zpool);
	nrd_jw_kstr(w, "source", image->source);
	if (image->clones >= 0)
		nrd_jw_ki64(w, "clones", image->clones);
	nrd_jw_obj_close(w);
}

static int
print_json(const struct listing *l, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	nrd_jw_arr_open(&w);
	nrd_vec_each(row, &l->rows)
		encode_listed(&row->image, &w);
	nrd_jw_arr_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}

int
listing_print(struct listing *l, struct nrd_err *err)
{
	if (l->failed < 0)
		return nrd_nomem(err);
	if (l->rows.len > 1 && l->orders.len > 0)
		qsort_r(l->rows.data, l->rows.len, sizeof(struct row), compare_rows, l);
	if (l->form.json)
		return print_json(l, err);
	nrd_vec_each(row, &l->rows)
		nrd_table_row(l->table, (const char *const *)row->cells);
	return nrd_table_print(l->table, STDOUT_FILENO, err);
}
