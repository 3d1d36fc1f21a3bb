/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "brand/list.h"
#include "nrd/file.h"
#include "zoneadm.h"

struct list_opts {
	bool configured;
	bool installed;
	bool no_global;
	bool verbose;
	struct nrd_table_opts table;
};

const struct nrd_opt list_opts[] = {
	NRD_OPT_FLAG('c', NULL, struct list_opts, configured, "all configured zones"),
	NRD_OPT_FLAG('i', NULL, struct list_opts, installed, "all installed zones"),
	NRD_OPT_FLAG('n', NULL, struct list_opts, no_global, "without the global zone"),
	NRD_OPT_FLAG('v', NULL, struct list_opts, verbose, "a table of what they are"),
	NRD_TABLE_OPTS(struct list_opts, table),
	NRD_OPT_END(struct list_opts),
};

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	const struct list_opts *opts = args->opts;
	NRD_AUTO(nrd_buf) out = { 0 };
	NRD_FREE char *dir = NULL;
	NRD_FREE char *only = NULL;
	struct brand_list_opts how = {
		.least = opts->configured  ? ZONE_ST_CONFIGURED
			 : opts->installed ? ZONE_ST_INSTALLED
					   : ZONE_ST_RUNNING,
		.no_global = opts->no_global,
		.verbose = opts->verbose,
		.table = opts->table,
	};
	struct brand_place place;
	int r, wrote;

	if (opts->verbose && opts->table.parsable)
		return nrd_usage(err, "-p and -v exclude each other");
	r = global_dir(args, &dir, err);
	if (r == 0)
		r = global_name(args, dir, &only, err);
	if (r < 0)
		return told(args, NULL, r, err);
	place.dir = dir;
	how.only = only;
	r = brand_list(&place, &how, &out, err);
	wrote = nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, r < 0 ? NULL : err);
	return told(args, NULL, r < 0 ? r : wrote, err);
}
