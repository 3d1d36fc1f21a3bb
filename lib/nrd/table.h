/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "cli.h"
#include "err.h"

/*
 * Listings. Columns are declared once; the user picks and orders them.
 *
 *	static const struct nrd_col cols[] = {
 *		{ "uuid", 36 },
 *		{ "ram", 7, NRD_COL_RIGHT | NRD_COL_NUM },
 *		{ "brand", 8, NRD_COL_HIDDEN },
 *	};
 *	r = nrd_table_new(cols, nrd_count(cols), &opts->table, &t, err);
 *	nrd_table_row(t, (const char *[]){ uuid, ram, brand });
 *	r = nrd_table_print(t, STDOUT_FILENO, err);
 */
enum nrd_col_flags {
	NRD_COL_RIGHT = 1u << 0,
	NRD_COL_NUM = 1u << 1,    /* JSON numbers; sorted as numbers, "5.10G" too */
	NRD_COL_HIDDEN = 1u << 2, /* only when asked for by -o */
	NRD_COL_BOOL = 1u << 3,   /* JSON true and false */
};

struct nrd_col {
	const char *name;  /* for -o, -s and JSON */
	unsigned width;    /* at least; columns grow with what they hold */
	unsigned flags;
	const char *title; /* header, NULL: the name in capitals */
};

struct nrd_table_opts {
	const char *columns; /* -o: names by commas in any case, or "all"; NULL: those not hidden */
	const char *sort;    /* -s: names by commas, "-name" for descending; NULL: as added */
	bool parsable;       /* -p: no header, sep between, escaped by backslash */
	bool no_header;      /* -H */
	bool json;           /* -j: an array of objects */
	bool json_lines;     /* -j prints an object a line instead */
	const char *sep;     /* for -p, one character; NULL: ":" */
	bool one_bare;       /* -p of one column escapes nothing, as dladm has it */
	unsigned gap;        /* blanks between columns; 0: 2 */
};

/* The rows of a verb's option table for a `struct nrd_table_opts m` inside its options. */
#define NRD_TABLE_OPTS(t, m)                                                                       \
	NRD_OPT_STR('o', "output", t, m.columns, "FIELD,...", "which columns, in this order"),     \
	NRD_OPT_FLAG('p', "parsable", t, m.parsable, "for programs: no header, FIELD:FIELD"),      \
	NRD_OPT_FLAG('H', "no-header", t, m.no_header, "leave the header out"),                    \
	NRD_OPT_FLAG('j', "json", t, m.json, "print JSON")
#define NRD_TABLE_OPT_SORT(t, m) \
	NRD_OPT_STR('s', "sort", t, m.sort, "FIELD,...", "sort by these; -FIELD: descending")
#define NRD_TABLE_OPT_SEP(t, m) \
	NRD_OPT_STR('d', "delimiter", t, m.sep, "CHAR", "what -p puts between fields")

struct nrd_table;

/*
 * opts NULL: the defaults. cols and opts must outlive the table. "Usage" (-EINVAL): unknown
 * column (naming it and the known ones), bad separator.
 */
int nrd_table_new(const struct nrd_col *cols, size_t n_cols, const struct nrd_table_opts *opts,
		  struct nrd_table **ret_table, struct nrd_err *err);
void nrd_table_free(struct nrd_table *t);
void nrd_table_cleanup(struct nrd_table **t);

/* True when column i is shown or sorted by: costly cells need not be computed otherwise. */
bool nrd_table_wants(const struct nrd_table *t, size_t i);

/*
 * Adds a row: one cell a declared column, copied; NULL prints "-" (parsable: empty, JSON: null).
 * Errors stick until the output.
 */
void nrd_table_row(struct nrd_table *t, const char *const *cells);

/* The whole listing, appended to out or written to fd. "TableWrite", "FileWrite". */
int nrd_table_format(struct nrd_table *t, struct nrd_buf *out, struct nrd_err *err);
int nrd_table_print(struct nrd_table *t, int fd, struct nrd_err *err);
