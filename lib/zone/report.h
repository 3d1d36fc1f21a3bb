/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/table.h"

/* What commands that report again and again share: `COMMAND [INTERVAL [COUNT]]`. */
struct zone_every {
	uint64_t interval_s;
	uint64_t count; /* 0: for ever */
};

/*
 * From operands; without any it is one report over the last second. "Usage".
 */
int zone_every_parse(int argc, char *const *argv, struct zone_every *ret_every,
		     struct nrd_err *err);

/* number counts from 0. A negative result ends it. */
typedef int zone_report_fn(void *arg, uint64_t number, struct nrd_err *err);

/*
 * Calls fn when an interval has passed, again and again; now: also at once, which counts. The
 * times do not drift.
 */
int zone_every_run(const struct zone_every *every, bool now, zone_report_fn *fn, void *arg,
		   struct nrd_err *err);

/*
 * Zones of -z, lists by commas: "global", names, or numbers of zones that run. Adds them to
 * *ret_names. "Usage"; "ZoneNotFound" for what is neither configured nor running.
 */
int zone_report_zones(const char *const *lists, char ***ret_names, struct nrd_err *err);

/* NULL asks for all. */
bool zone_report_wants(const char *const *names, const char *zone);

/* What a counter grew by; one that is smaller than before began anew. */
uint64_t zone_stat_since(uint64_t before, uint64_t now);

/* Tables one behind the other, with a header every now and then. */
struct zone_report {
	struct nrd_table_opts opts; /* as the user gave them */
	struct nrd_table_opts used; /* this time's */
	unsigned lines;             /* since the last header */
	bool started;
};

/* A table for this time; the report must stay until it is printed. As nrd_table_new. */
int zone_report_table(struct zone_report *report, const struct nrd_col *cols, size_t n_cols,
		      struct nrd_table **ret_table, struct nrd_err *err);

/* Writes it, n_rows long. */
int zone_report_print(struct zone_report *report, struct nrd_table *table, size_t n_rows, int fd,
		      struct nrd_err *err);

/* Cells: text of a value in tenths or hundredths, "-" (NULL) when it is ZONE_STAT_NONE. */
#define ZONE_CELL 32
const char *zone_cell_u64(char cell[ZONE_CELL], uint64_t v);
const char *zone_cell_mib(char cell[ZONE_CELL], uint64_t bytes);
const char *zone_cell_size(char cell[ZONE_CELL], uint64_t bytes); /* 1.50G */
const char *zone_cell_tenths(char cell[ZONE_CELL], double v);
const char *zone_cell_percent(char cell[ZONE_CELL], double part, double whole); /* whole 0: "-" */
