/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "cli.h"

/* As nrd_opts_parse; stops with *ret_help set at -h (unless the table has it) or --help. */
int nrd_opts_parse_help(const struct nrd_opt *table, void *opts, int *argc, char **argv,
			unsigned flags, uint64_t *ret_given, bool *ret_help, struct nrd_err *err);

/* Number of options in a table that may be NULL, and the size of its struct. */
size_t nrd_opts_count(const struct nrd_opt *table);
size_t nrd_opts_size(const struct nrd_opt *table);
