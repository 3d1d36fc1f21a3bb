/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "brand/lifecycle.h"
#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/table.h"
#include "zone/state.h"

/*
 * The listing of zones, in illumos' forms: names, one a line; with verbose a table ID NAME STATUS
 * PATH BRAND IP; with table.parsable zoneid:zonename:state:zonepath:uuid:brand:ip-type, where "\:" is
 * a colon of the text. table.columns and table.json are ours.
 */
struct brand_list_opts {
	enum zone_state least; /* those in this state and beyond */
	const char *only;      /* one zone, in any state; NULL: all */
	bool no_global;
	bool verbose;
	struct nrd_table_opts table;
};

/*
 * Appended to out. A zone whose file cannot be read is left out, and the first of them is the
 * error when all others are listed: "BadZoneFile". "ZoneNotFound" of `only`.
 */
int brand_list(const struct brand_place *place, const struct brand_list_opts *opts,
	       struct nrd_buf *out, struct nrd_err *err);
