/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <stdio.h>
#include <unistd.h>

#include "nictagadm.h"
#include "node/nictag.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"

static void
reading(const struct nrd_args *args, bool verbose)
{
	if (verbose)
		(void)fprintf(stderr, "%s: %s: reading %s\n", args->prog, args->verb,
			      NODE_CONFIG_PATH);
}

#define OPT_VERBOSE(t) NRD_OPT_FLAG('v', NULL, t, verbose, "say on standard error what is done")

struct exists_opts {
	bool verbose;
	bool list;
};

const struct nrd_opt exists_opts[] = {
	OPT_VERBOSE(struct exists_opts),
	NRD_OPT_FLAG('l', NULL, struct exists_opts, list,
		     "name those that are missing on standard error"),
	NRD_OPT_END(struct exists_opts),
};

int
cmd_exists(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(node_nictags) tags = { 0 };
	const struct exists_opts *opts = args->opts;
	int missing = 0, r;

	reading(args, opts->verbose);
	r = node_nictag_list(NULL, &tags, err);
	if (r < 0)
		return r;
	for (int i = 0; i < args->argc; i++) {
		if (node_nictags_find(&tags, args->argv[i]) != NULL)
			continue;
		missing++;
		if (opts->list)
			(void)fprintf(stderr, "%s\n", args->argv[i]);
	}
	return missing == 0 ? NRD_EXIT_OK : NRD_EXIT_FAIL;
}

struct list_opts {
	bool verbose;
	bool only_etherstubs;
	bool no_etherstubs;
	const char *delim;
	struct nrd_table_opts table;
};

const struct nrd_opt list_opts[] = {
	OPT_VERBOSE(struct list_opts),
	NRD_OPT_FLAG('l', NULL, struct list_opts, only_etherstubs, "only etherstubs"),
	NRD_OPT_FLAG('L', NULL, struct list_opts, no_etherstubs, "no etherstubs"),
	NRD_OPT_STR('d', "delimiter", struct list_opts, delim, "DELIM",
		    "what -p puts between fields"),
	NRD_TABLE_OPTS(struct list_opts, table),
	NRD_OPT_END(struct list_opts),
};

static const struct nrd_col cols[] = {
	{ "name", 14 },
	{ "macaddress", 18 },
	{ "link", 14 },
	{ "type", 16 },
};

static void
row_add(struct nrd_table *t, const struct node_nictag *tag, const char *none)
{
	char mac[NRD_MAC_TEXT];

	if (tag->has_mac)
		nrd_mac_format(&tag->mac, mac);
	nrd_table_row(t, (const char *[]){
				 tag->name,
				 tag->has_mac ? mac : none,
				 tag->link[0] != '\0' && !tag->down ? tag->link : none,
				 node_nictag_type_name(tag->type),
			 });
}

/*
 * MAC addresses hold the usual delimiter, and programs written for SmartOS expect them as they
 * are: no escapes. So the table is printed with a delimiter no field can hold, and that replaced.
 */
#define UNIT_SEPARATOR '\x1f'

static int
print_parsable(struct nrd_table *t, const char *delim, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) raw = NRD_BUF_INIT(0);
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	int r = nrd_table_format(t, &raw, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] == UNIT_SEPARATOR)
			(void)nrd_buf_adds(&out, delim);
		else
			(void)nrd_buf_addc(&out, raw.data[i]);
	}
	if (out.failed < 0)
		return nrd_nomem(err);
	return nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	static const char separator[] = { UNIT_SEPARATOR, '\0' };
	NRD_AUTO(node_nictags) tags = { 0 };
	NRD_AUTO(nrd_table) *table = NULL;
	const struct list_opts *opts = args->opts;
	struct nrd_table_opts how = opts->table;
	int r;

	if (opts->only_etherstubs && opts->no_etherstubs)
		return nrd_usage(err, "-l and -L exclude each other");
	how.gap = 1;
	how.sep = separator;
	r = nrd_table_new(cols, nrd_count(cols), &how, &table, err);
	if (r < 0)
		return r;
	reading(args, opts->verbose);
	r = node_nictag_list(NULL, &tags, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < tags.n; i++) {
		bool stub = tags.tags[i].type == NODE_NICTAG_ETHERSTUB;

		if (stub ? !opts->no_etherstubs : !opts->only_etherstubs)
			row_add(table, &tags.tags[i], how.json ? NULL : "-");
	}
	if (how.parsable && !how.json)
		return print_parsable(table, opts->delim == NULL ? ":" : opts->delim, err);
	return nrd_table_print(table, STDOUT_FILENO, err);
}

struct vms_opts {
	bool verbose;
};

const struct nrd_opt vms_opts[] = {
	OPT_VERBOSE(struct vms_opts),
	NRD_OPT_END(struct vms_opts),
};

int
cmd_vms(const struct nrd_args *args, struct nrd_err *err)
{
	const struct vms_opts *opts = args->opts;
	NRD_STRV char **vms = NULL;
	int r;

	reading(args, opts->verbose);
	r = node_nictag_vms(NULL, args->argv[0], &vms, err);
	for (size_t i = 0; i < nrd_strv_len(NRD_CSTRV(vms)); i++)
		(void)puts(vms[i]);
	return r;
}
