/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "err.h"
#include "table.h"

/* Counters that are shown again and again: what was added since the time before. */
struct nrd_tally_row {
	char *key;        /* owned */
	uint64_t *counts; /* owned */
};

struct nrd_tally {
	struct nrd_tally_row *rows; /* owned */
	size_t n;
};
void nrd_tally_fini(struct nrd_tally *t);
void nrd_tally_cleanup(struct nrd_tally *t); /* __attribute__((cleanup)) */

/*
 * Takes from each of the n counts what it was when last seen under this key, and keeps what it is. The first time, and of
 * one that has begun anew, that is all of it. 0 or -ENOMEM; n is the same each time.
 */
int nrd_tally_since(struct nrd_tally *t, const char *key, uint64_t *counts, size_t n);

/* For people: "12", "1.23K", "45.60M", by thousands; unit one of K, M, G, T, P: in it; R: as it is; 0: what fits. */
#define NRD_TALLY_TEXT 32
void nrd_tally_text(uint64_t n, char unit, char ret_text[NRD_TALLY_TEXT]);

/*
 * Calls fn now and, with an interval in seconds, again after each, times times in all (0: until it fails); first says that
 * it is the first time.
 */
typedef int nrd_repeat_fn(void *arg, bool first, struct nrd_err *err);
int nrd_repeat(uint64_t interval, uint64_t times, nrd_repeat_fn *fn, void *arg, struct nrd_err *err);

/* The options all such commands have, and what their last operands say. */
struct nrd_tally_opts {
	const char *fields, *unit;
	uint64_t interval;
	bool parsable, json;
};

#define NRD_TALLY_OPTS(t, m)                                                                                         \
	NRD_OPT_U64('i', NULL, t, m.interval, 1, 86400, "SECONDS", "again after each: what was added"),              \
	NRD_OPT_STR('u', NULL, t, m.unit, "R|K|M|G|T|P", "in this unit; R: as it is"),                               \
	NRD_OPT_STR('o', NULL, t, m.fields, "FIELD,...", "which columns, in this order"),                            \
	NRD_OPT_FLAG('p', NULL, t, m.parsable, "for programs: no header, FIELD:FIELD; needs -o"),                    \
	NRD_OPT_FLAG('j', NULL, t, m.json, "print JSON")

struct nrd_tally_how {
	uint64_t interval, times;
	char unit; /* for nrd_tally_text */
};

/* Whether an operand is none of a name: digits alone. */
bool nrd_tally_is_number(const char *text);

/* argv: [SECONDS [TIMES]]. "Usage". */
int nrd_tally_settle(const struct nrd_tally_opts *opts, int argc, char **argv, struct nrd_tally_how *ret_how, struct nrd_err *err);

/* What they mean for a table; first as nrd_repeat says it. */
struct nrd_table_opts nrd_tally_table(const struct nrd_tally_opts *opts, bool first);
