/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "mem.h"
#include "str.h"
#include "vec.h"

struct sort_key {
	size_t column;
	bool descending;
};

struct nrd_table {
	const struct nrd_col *cols;
	size_t n_cols;
	const struct nrd_table_opts *opts;
	NRD_VEC(size_t) shown;
	NRD_VEC(struct sort_key) keys;
	NRD_VEC(char **) rows; /* n_cols cells each, NULL where not wanted or not there */
	int failed;
};

static const struct nrd_table_opts no_opts;

static bool
same_name(struct nrd_str a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

static int
find_column(const struct nrd_table *t, struct nrd_str name, size_t *ret_i, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) known = NRD_BUF_INIT(4096);

	for (size_t i = 0; i < t->n_cols; i++) {
		if (same_name(name, t->cols[i].name)) {
			*ret_i = i;
			return 0;
		}
		(void)nrd_buf_printf(&known, "%s%s", i > 0 ? ", " : "", t->cols[i].name);
	}
	return nrd_usage(err, "unknown field \"%.*s\", known are %s",
			 name.len > 40 ? 40 : (int)name.len, name.data, nrd_buf_str(&known));
}

static int
show_default(struct nrd_table *t, bool all, struct nrd_err *err)
{
	for (size_t i = 0; i < t->n_cols; i++) {
		if (!all && (t->cols[i].flags & NRD_COL_HIDDEN) != 0)
			continue;
		if (nrd_vec_push(&t->shown, i) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

static int
choose_columns(struct nrd_table *t, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(t->opts->columns), name;

	if (t->opts->columns == NULL)
		return show_default(t, false, err);
	if (same_name(rest, "all"))
		return show_default(t, true, err);
	while (nrd_str_split(&rest, ',', &name)) {
		size_t i = 0;
		int r = find_column(t, nrd_str_trim(name), &i, err);

		if (r < 0)
			return r;
		if (nrd_vec_push(&t->shown, i) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

static int
choose_order(struct nrd_table *t, struct nrd_err *err)
{
	struct nrd_str rest = nrd_str(t->opts->sort), name;

	while (nrd_str_split(&rest, ',', &name)) {
		struct sort_key key = { 0 };

		name = nrd_str_trim(name);
		if (name.len > 0 && (name.data[0] == '-' || name.data[0] == '+')) {
			key.descending = name.data[0] == '-';
			name = nrd_strn(name.data + 1, name.len - 1);
		}
		int r = find_column(t, name, &key.column, err);

		if (r < 0)
			return r;
		if (nrd_vec_push(&t->keys, key) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

static char
separator(const struct nrd_table *t)
{
	return t->opts->sep != NULL ? t->opts->sep[0] : ':';
}

int
nrd_table_new(const struct nrd_col *cols, size_t n_cols, const struct nrd_table_opts *opts,
	      struct nrd_table **ret_table, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return nrd_nomem(err);
	t->cols = cols;
	t->n_cols = n_cols;
	t->opts = opts != NULL ? opts : &no_opts;
	if (t->opts->sep != NULL &&
	    (strlen(t->opts->sep) != 1 || t->opts->sep[0] == '\\' || t->opts->sep[0] == '\n'))
		return nrd_usage(err, "the delimiter must be one character, not \"%.8s\"",
				 t->opts->sep);
	int r = choose_columns(t, err);

	if (r == 0)
		r = choose_order(t, err);
	if (r < 0)
		return r;
	*ret_table = NRD_TAKE(t);
	return 0;
}

static void
row_free(char **row, size_t n)
{
	for (size_t i = 0; row != NULL && i < n; i++)
		free(row[i]);
	free(row);
}

void
nrd_table_free(struct nrd_table *t)
{
	if (t == NULL)
		return;
	nrd_vec_each(row, &t->rows)
		row_free(*row, t->n_cols);
	nrd_vec_fini(&t->rows);
	nrd_vec_fini(&t->keys);
	nrd_vec_fini(&t->shown);
	free(t);
}

void
nrd_table_cleanup(struct nrd_table **t)
{
	nrd_table_free(*t);
}

bool
nrd_table_wants(const struct nrd_table *t, size_t i)
{
	nrd_vec_each(shown, &t->shown) {
		if (*shown == i)
			return true;
	}
	nrd_vec_each(key, &t->keys) {
		if (key->column == i)
			return true;
	}
	return false;
}

static char **
row_copy(const struct nrd_table *t, const char *const *cells)
{
	char **row = calloc(t->n_cols + 1, sizeof(char *));

	for (size_t i = 0; row != NULL && i < t->n_cols; i++) {
		if (cells[i] == NULL || !nrd_table_wants(t, i))
			continue;
		row[i] = strdup(cells[i]);
		if (row[i] == NULL) {
			row_free(row, t->n_cols);
			return NULL;
		}
	}
	return row;
}

void
nrd_table_row(struct nrd_table *t, const char *const *cells)
{
	if (t->failed != 0)
		return;
	char **row = row_copy(t, cells);

	if (row == NULL || nrd_vec_push(&t->rows, row) < 0) {
		row_free(row, t->n_cols);
		t->failed = -ENOMEM;
	}
}

/* A whole or decimal number as JSON writes it: -12, 0.5; not 007, 1., .5. */
static bool
is_number(const char *s)
{
	if (*s == '-')
		s++;
	size_t whole = strspn(s, "0123456789");

	if (whole == 0 || (s[0] == '0' && whole > 1))
		return false;
	s += whole;
	if (*s == '\0')
		return true;
	size_t part = *s == '.' ? strspn(s + 1, "0123456789") : 0;

	return part > 0 && s[part + 1] == '\0';
}

/* Numbers are compared as text of digits, so that 64 bits and more stay exact. */
static int
compare_numbers(const char *a, const char *b)
{
	bool neg_a = *a == '-', neg_b = *b == '-';

	if (neg_a != neg_b)
		return neg_a ? -1 : 1;
	a += neg_a;
	b += neg_b;
	size_t la = strcspn(a, "."), lb = strcspn(b, ".");
	int c = la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);

	return neg_a ? -c : c;
}

/* "5.10G", as nrd_size_format writes it. */
static bool
size_value(const char *s, double *ret_v)
{
	static const char units[] = "KMGTPE";
	double v = 0, place = 1;
	const char *unit;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (*s - '0');
	for (s += *s == '.'; *s >= '0' && *s <= '9'; s++)
		v += (place /= 10) * (*s - '0');
	unit = *s != '\0' ? strchr(units, *s) : NULL;
	if (*s != '\0' && (unit == NULL || s[1] != '\0'))
		return false;
	for (long i = unit != NULL ? unit - units + 1 : 0; i > 0; i--)
		v *= 1024;
	*ret_v = v;
	return true;
}

static int
compare_cells(const struct nrd_col *col, const char *a, const char *b)
{
	double va, vb;

	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	if ((col->flags & NRD_COL_NUM) != 0 && is_number(a) && is_number(b))
		return compare_numbers(a, b);
	if ((col->flags & NRD_COL_NUM) != 0 && size_value(a, &va) && size_value(b, &vb))
		return va < vb ? -1 : va > vb;
	return strcmp(a, b);
}

static int
compare_rows(const void *a, const void *b, void *table)
{
	const struct nrd_table *t = table;
	char **const *ra = a, **const *rb = b;

	nrd_vec_each(key, &t->keys) {
		int c = compare_cells(&t->cols[key->column], (*ra)[key->column],
				      (*rb)[key->column]);

		if (c != 0)
			return key->descending ? -c : c;
	}
	return 0;
}

static void
format_parsable(const struct nrd_table *t, struct nrd_buf *out)
{
	char sep = separator(t);
	bool bare = t->opts->one_bare && t->shown.len == 1;

	nrd_vec_each(row, &t->rows) {
		for (size_t i = 0; i < t->shown.len; i++) {
			const char *cell = (*row)[t->shown.data[i]];

			if (i > 0)
				(void)nrd_buf_addc(out, sep);
			for (const char *c = cell; c != NULL && *c != '\0'; c++) {
				if (!bare && (*c == sep || *c == '\\'))
					(void)nrd_buf_addc(out, '\\');
				(void)nrd_buf_addc(out, *c == '\n' ? '?' : *c);
			}
		}
		(void)nrd_buf_addc(out, '\n');
	}
}

static void
json_cell(struct nrd_jw *w, const struct nrd_col *col, const char *cell)
{
	if (cell == NULL)
		nrd_jw_null(w);
	else if ((col->flags & NRD_COL_NUM) != 0 && is_number(cell))
		nrd_jw_number(w, cell);
	else if ((col->flags & NRD_COL_BOOL) != 0 && nrd_streq(cell, "true"))
		nrd_jw_bool(w, true);
	else if ((col->flags & NRD_COL_BOOL) != 0 && nrd_streq(cell, "false"))
		nrd_jw_bool(w, false);
	else
		nrd_jw_str(w, cell);
}

static void
json_row(const struct nrd_table *t, char *const *row, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	nrd_vec_each(shown, &t->shown) {
		nrd_jw_key(w, t->cols[*shown].name);
		json_cell(w, &t->cols[*shown], row[*shown]);
	}
	nrd_jw_obj_close(w);
}

static void
format_json(const struct nrd_table *t, struct nrd_buf *out)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_PRETTY);
	nrd_jw_arr_open(&w);
	nrd_vec_each(row, &t->rows)
		json_row(t, *row, &w);
	nrd_jw_arr_close(&w);
	(void)nrd_jw_finish(&w, NULL);
}

static void
format_json_lines(const struct nrd_table *t, struct nrd_buf *out)
{
	nrd_vec_each(row, &t->rows) {
		struct nrd_jw w;

		nrd_jw_init(&w, out, NRD_JW_COMPACT);
		json_row(t, *row, &w);
		(void)nrd_jw_finish(&w, NULL);
		(void)nrd_buf_addc(out, '\n');
	}
}

/*
 * Columns a terminal needs: characters, not bytes. Double-width and combining characters count
 * as one.
 */
static size_t
text_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
pad(struct nrd_buf *out, size_t n)
{
	while (n-- > 0)
		(void)nrd_buf_addc(out, ' ');
}

static void
put_cell(const struct nrd_table *t, size_t at, size_t width, const char *text,
	 struct nrd_buf *out)
{
	const struct nrd_col *col = &t->cols[t->shown.data[at]];
	size_t have = text_width(text), fill = width > have ? width - have : 0;
	bool right = (col->flags & NRD_COL_RIGHT) != 0, last = at + 1 == t->shown.len;

	if (at > 0)
		pad(out, t->opts->gap != 0 ? t->opts->gap : 2);
	if (right)
		pad(out, fill);
	for (; *text != '\0'; text++)
		(void)nrd_buf_addc(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	if (!right && !last)
		pad(out, fill);
	if (last)
		(void)nrd_buf_addc(out, '\n');
}

static int
make_titles(const struct nrd_table *t, char ***ret_titles)
{
	NRD_STRV char **titles = NULL;

	for (size_t i = 0; i < t->n_cols; i++) {
		const struct nrd_col *col = &t->cols[i];
		int r = nrd_strv_add(&titles, col->title != NULL ? col->title : col->name);

		if (r < 0)
			return r;
		for (char *c = titles[i]; col->title == NULL && *c != '\0'; c++) {
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		}
	}
	*ret_titles = NRD_TAKE(titles);
	return 0;
}

static const char *
cell_text(const char *cell)
{
	return cell != NULL && *cell != '\0' ? cell : "-";
}

static size_t
column_width(const struct nrd_table *t, size_t column, const char *title)
{
	size_t width = t->cols[column].width;

	if (!t->opts->no_header && text_width(title) > width)
		width = text_width(title);
	nrd_vec_each(row, &t->rows) {
		size_t have = text_width(cell_text((*row)[column]));

		if (have > width)
			width = have;
	}
	return width;
}

static int
format_text(const struct nrd_table *t, struct nrd_buf *out)
{
	NRD_STRV char **titles = NULL;
	NRD_FREE size_t *widths = calloc(t->shown.len + 1, sizeof(size_t));
	int r = make_titles(t, &titles);

	if (r < 0 || widths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < t->shown.len; i++)
		widths[i] = column_width(t, t->shown.data[i], titles[t->shown.data[i]]);
	for (size_t i = 0; !t->opts->no_header && i < t->shown.len; i++)
		put_cell(t, i, widths[i], titles[t->shown.data[i]], out);
	nrd_vec_each(row, &t->rows) {
		for (size_t i = 0; i < t->shown.len; i++)
			put_cell(t, i, widths[i], cell_text((*row)[t->shown.data[i]]), out);
	}
	return 0;
}

int
nrd_table_format(struct nrd_table *t, struct nrd_buf *out, struct nrd_err *err)
{
	int r = t->failed;

	if (r == 0 && t->keys.len > 0 && t->rows.len > 1)
		qsort_r(t->rows.data, t->rows.len, sizeof(char **), compare_rows, t);
	if (r == 0 && t->opts->json && t->opts->json_lines)
		format_json_lines(t, out);
	else if (r == 0 && t->opts->json)
		format_json(t, out);
	else if (r == 0 && t->opts->parsable)
		format_parsable(t, out);
	else if (r == 0)
		r = format_text(t, out);
	if (r == 0)
		r = out->failed;
	return r < 0 ? nrd_fail(err, -r, "TableWrite", "format listing: %m") : 0;
}

int
nrd_table_print(struct nrd_table *t, int fd, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	int r = nrd_table_format(t, &out, err);

	return r < 0 ? r : nrd_write_all(fd, nrd_buf_str(&out), out.len, err);
}
