/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

/* What `vmadm list` can show and ask for, with SmartOS's headers and widths. */
struct vm_column {
	const char *name;
	const char *title; /* NULL: the name in capitals */
	int width;
};

/* Ends with a name of NULL. */
extern const struct vm_column vm_columns[];

/* The declared column, NULL for tags.X and the like, which are columns too. */
const struct vm_column *vm_column_find(const char *name);

/* True for all that may be shown; "*" in a path only for filters. */
bool vm_column_known(const char *name);
bool vm_key_known(const char *name);
