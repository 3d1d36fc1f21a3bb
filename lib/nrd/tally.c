/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem.h"
#include "str.h"

void
nrd_tally_fini(struct nrd_tally *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->rows[i].key);
		free(t->rows[i].counts);
	}
	free(t->rows);
	*t = (struct nrd_tally){ 0 };
}

void
nrd_tally_cleanup(struct nrd_tally *t)
{
	nrd_tally_fini(t);
}

static struct nrd_tally_row *
row_of(struct nrd_tally *t, const char *key, size_t n)
{
	struct nrd_tally_row *grown, row = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (nrd_streq(t->rows[i].key, key))
			return &t->rows[i];
	grown = reallocarray(t->rows, t->n + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	t->rows = grown;
	row.key = nrd_str_dup(nrd_str(key));
	row.counts = calloc(n, sizeof(*row.counts));
	if (row.key == NULL || row.counts == NULL) {
		free(row.key);
		free(row.counts);
		return NULL;
	}
	t->rows[t->n] = row;
	return &t->rows[t->n++];
}

int
nrd_tally_since(struct nrd_tally *t, const char *key, uint64_t *counts, size_t n)
{
	struct nrd_tally_row *row = row_of(t, key, n);

	if (row == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint64_t then = row->counts[i];

		row->counts[i] = counts[i];
		if (counts[i] >= then)
			counts[i] -= then;
	}
	return 0;
}

void
nrd_tally_text(uint64_t n, char unit, char ret_text[NRD_TALLY_TEXT])
{
	static const char units[] = "KMGTP";
	const char *u = unit != '\0' ? strchr(units, unit) : NULL;
	double v = (double)n;
	size_t steps = 0;

	if (unit == 'R' || (unit == '\0' && n < 1000)) {
		(void)snprintf(ret_text, NRD_TALLY_TEXT, "%" PRIu64, n);
		return;
	}
	if (u != NULL) {
		steps = (size_t)(u - units) + 1;
		for (size_t i = 0; i < steps; i++)
			v /= 1000;
	} else {
		/* 999.995 would be printed as 1000.00 of the smaller unit. */
		for (; v >= 999.995 && steps < sizeof(units) - 1; steps++)
			v /= 1000;
	}
	(void)snprintf(ret_text, NRD_TALLY_TEXT, "%.2f%c", v, units[steps - 1]);
}

int
nrd_repeat(uint64_t interval, uint64_t times, nrd_repeat_fn *fn, void *arg, struct nrd_err *err)
{
	struct timespec next;
	int r = fn(arg, true, err);

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 1; r == 0 && interval != 0 && (times == 0 || i < times); i++) {
		next.tv_sec += (time_t)interval;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
		r = fn(arg, false, err);
	}
	return r;
}

bool
nrd_tally_is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

int
nrd_tally_settle(const struct nrd_tally_opts *opts, int argc, char **argv, struct nrd_tally_how *ret_how, struct nrd_err *err)
{
	struct nrd_tally_how how = { .interval = opts->interval };

	if (opts->unit != NULL && (strlen(opts->unit) != 1 || strchr("RKMGTP", opts->unit[0]) == NULL))
		return nrd_usage(err, "-u: \"%.40s\" is none of R, K, M, G, T, P", opts->unit);
	if (opts->parsable && opts->fields == NULL)
		return nrd_usage(err, "-p needs -o: which fields?");
	if (argc > 2)
		return nrd_usage(err, "one argument too many: \"%s\"", argv[2]);
	if (argc > 0 && how.interval != 0)
		return nrd_usage(err, "an interval is given already, by -i");
	if ((argc > 0 && nrd_parse_u64(argv[0], 1, 86400, &how.interval, NULL) < 0) ||
	    (argc > 1 && nrd_parse_u64(argv[1], 1, UINT32_MAX, &how.times, NULL) < 0))
		return nrd_usage(err, "\"%.40s\": an interval is 1 to 86400 seconds, and how often a number", argv[argc - 1]);
	/* JSON and -p are for programs. */
	how.unit = opts->json ? 'R' : opts->unit != NULL ? opts->unit[0] : opts->parsable ? 'R' : '\0';
	*ret_how = how;
	return 0;
}

struct nrd_table_opts
nrd_tally_table(const struct nrd_tally_opts *opts, bool first)
{
	return (struct nrd_table_opts){
		.columns = opts->fields, .parsable = opts->parsable, .json = opts->json, .one_bare = true, .no_header = !first,
	};
}
