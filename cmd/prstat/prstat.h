/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "zone/proctab.h"
#include "zone/stat.h"

enum prstat_key {
	KEY_CPU,
	KEY_PRI,
	KEY_RSS,
	KEY_SIZE,
	KEY_TIME,
};
extern const char *const prstat_keys[]; /* NULL terminated */

struct prstat {
	bool zones;             /* the lower table */
	bool ascending;
	enum prstat_key key;
	size_t top, bottom;     /* lines at most */
	char **wanted;          /* zones, NULL: all */
	struct zone_stats stats_before, stats;
	struct zone_proctab table_before, table;
};

/* The report of what was between the two readings, appended to out. */
int prstat_text(const struct prstat *p, struct nrd_buf *out, struct nrd_err *err);
int prstat_json(const struct prstat *p, struct nrd_buf *out, struct nrd_err *err);
