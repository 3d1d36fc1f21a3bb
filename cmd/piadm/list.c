/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "nrd/vec.h"
#include "piadm.h"

struct list_opts {
	struct nrd_table_opts table;
};

const struct nrd_opt list_opts[] = {
	NRD_TABLE_OPTS(struct list_opts, table),
	NRD_OPT_END(struct list_opts),
};

const struct nrd_opt avail_opts[] = {
	NRD_TABLE_OPTS(struct list_opts, table),
	NRD_OPT_END(struct list_opts),
};

static const struct nrd_col list_cols[] = {
	{ "stamp", 16, .title = "PI STAMP" },
	{ "volume", 20, .title = "BOOTABLE FILESYSTEM" },
	{ "image", 10, .title = "BOOT IMAGE" },
	{ "now", 3 },
	{ "next", 4 },
	{ "role", 8, NRD_COL_HIDDEN },
	{ "size", 6, NRD_COL_HIDDEN | NRD_COL_RIGHT },
	{ "kernel", 12, NRD_COL_HIDDEN },
	{ "device", 10, NRD_COL_HIDDEN },
};

static const char *
role(const struct platform_volume *v, const char *stamp)
{
	if (nrd_streq(stamp, v->env.next))
		return "next";
	if (nrd_streq(stamp, v->env.current))
		return "current";
	if (nrd_streq(stamp, v->env.previous))
		return "previous";
	return nrd_streq(stamp, v->env.failed) ? "failed" : NULL;
}

static void
volume_rows(struct nrd_table *t, const struct platform *p, const struct platform_volume *v)
{
	const struct platform_version *boots = platform_volume_next(v);

	nrd_vec_each(version, v) {
		bool next = v->kind != PLATFORM_COPIES && version == boots;
		char size[NRD_SIZE_TEXT];

		nrd_size_format(version->bytes, size);
		nrd_table_row(t, (const char *[]){
					 version->stamp,
					 v->label,
					 !version->whole ? "none" : next ? "next" : "available",
					 nrd_streq(version->stamp, p->running) ? "yes" : "no",
					 next ? "yes" : "no",
					 role(v, version->stamp),
					 size,
					 version->kernel[0] != '\0' ? version->kernel : NULL,
					 v->device,
				 });
	}
}

/* What the operator has to repair, one line a volume. The last one stays in err. */
static void
volume_complain(const struct nrd_args *args, const struct platform_volume *v, struct nrd_err *err)
{
	if (err->num != 0)
		(void)fprintf(stderr, "%s: %s: %s\n", args->prog, args->verb, err->msg);
	if (platform_volume_next(v) == NULL)
		(void)nrd_fail(err, EBADMSG, "VolumeCorrupt",
			       "%s: nothing on it boots; put a platform on it with: piadm install",
			       v->label);
	else
		(void)nrd_fail(err, EBADMSG, "VolumeCorrupt",
			       "%s: its boot environment is damaged (%.200s); piadm activate makes "
			       "it anew", v->label, v->env_err.msg);
}

int
cmd_list(const struct nrd_args *args, struct nrd_err *err)
{
	const struct list_opts *opts = args->opts;
	const struct platform_opts how =
		piadm_opts(args, args->argc > 0 ? args->argv[0] : NULL, PLATFORM_ALL);
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_AUTO(platform) *p = NULL;
	int r = nrd_table_new(list_cols, nrd_count(list_cols), &opts->table, &table, err);

	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r < 0)
		return piadm_exit(r, err);
	nrd_vec_each(v, p)
		volume_rows(table, p, v);
	r = nrd_table_print(table, STDOUT_FILENO, err);
	if (r < 0)
		return piadm_exit(r, err);
	if (p->broken > 0)
		*err = p->broken_err;
	nrd_vec_each(v, p) {
		if (v->kind != PLATFORM_COPIES &&
		    (!v->env_good || platform_volume_next(v) == NULL))
			volume_complain(args, v, err);
	}
	return err->num != 0 ? PIADM_CORRUPT : PIADM_OK;
}

static const struct nrd_col avail_cols[] = {
	{ "stamp", 16, .title = "PI STAMP" },
	{ "size", 6, NRD_COL_HIDDEN | NRD_COL_RIGHT },
	{ "kernel", 12, NRD_COL_HIDDEN },
	{ "created", 20, NRD_COL_HIDDEN },
};

/* On every volume already? */
static bool
is_installed(const struct platform *p, const char *stamp)
{
	bool all = p->len > 0;

	nrd_vec_each(v, p)
		all &= platform_volume_find(v, stamp) != NULL;
	return all;
}

int
cmd_avail(const struct nrd_args *args, struct nrd_err *err)
{
	const struct list_opts *opts = args->opts;
	const struct platform_opts how = piadm_opts(args, NULL, PLATFORM_EMPTY);
	struct nrd_table_opts form = opts->table;
	struct platform_remote remote;
	NRD_AUTO(platform_index) index = { 0 };
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_AUTO(platform) *p = NULL;
	int r;

	/* As on SmartOS: stamps and nothing else, unless columns are asked for. */
	form.no_header |= form.columns == NULL;
	r = nrd_table_new(avail_cols, nrd_count(avail_cols), &form, &table, err);
	if (r == 0)
		r = piadm_remote(&remote, err);
	if (r == 0)
		r = platform_remote_index(&remote, &index, err);
	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r < 0)
		return piadm_exit(r, err);
	nrd_vec_each(m, &index) {
		char size[NRD_SIZE_TEXT];

		if (strcmp(m->stamp, p->running) <= 0 || is_installed(p, m->stamp))
			continue;
		nrd_size_format(platform_manifest_bytes(m), size);
		nrd_table_row(table, (const char *[]){ m->stamp, size, m->kernel_release,
						       m->created });
	}
	return piadm_exit(nrd_table_print(table, STDOUT_FILENO, err), err);
}
