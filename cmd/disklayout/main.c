/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "disk/inventory.h"
#include "disk/layout.h"
#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct disklayout_opts {
	bool no_cache;
	bool blank_only;
	const char *exclude;
	const char *file;
	uint64_t spares;
	uint64_t width;
};

#define DISKS_LIMIT 4096

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('c', "no-cache", struct disklayout_opts, no_cache, "no cache devices"),
	NRD_OPT_FLAG('b', "blank-only", struct disklayout_opts, blank_only,
		     "leave out disks that hold something"),
	NRD_OPT_STR('e', "exclude", struct disklayout_opts, exclude, "DISK,...",
		    "leave these disks out"),
	NRD_OPT_STR('f', "file", struct disklayout_opts, file, "FILE",
		    "disks from diskinfo -j or -Hp; \"-\": standard input"),
	NRD_OPT_U64('s', "spares", struct disklayout_opts, spares, 0, DISKS_LIMIT, "NUMBER",
		    "exactly so many spares"),
	NRD_OPT_U64('w', "width", struct disklayout_opts, width, 2, DISKS_LIMIT, "NUMBER",
		    "disks in each mirror or raidz"),
	NRD_OPT_END(struct disklayout_opts),
};

static int
read_file(const char *path, struct disk_list *ret_disks, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(NRD_JSON_MAX);
	int r = nrd_streq(path, "-") ? nrd_buf_read_fd(&text, STDIN_FILENO, err) :
				       nrd_buf_read_file(&text, path, err);

	if (r == 0)
		r = disk_list_parse(nrd_buf_str(&text), text.len, ret_disks, err);
	return nrd_wrap(err, r, "%s", path);
}

static int
read_live(struct disk_list *ret_disks, struct nrd_err *err)
{
	/* Without it one could not tell which disks are in use. */
	if (geteuid() != 0)
		return nrd_fail(err, EPERM, "NotRoot",
				"only root may look at the node's disks; with -f anybody may");
	return disk_list_read(NULL, DISK_LIST_USE, ret_disks, err);
}

static int
compute(const struct nrd_args *args, struct disk_layout *ret_layout, struct nrd_err *err)
{
	const struct disklayout_opts *opts = args->opts;
	NRD_STRV char **exclude = NULL;
	NRD_AUTO(disk_list) disks = { 0 };
	struct disk_layout_opts layout = {
		.layout = args->argc > 0 ? args->argv[0] : NULL,
		.no_cache = opts->no_cache,
		.blank_only = opts->blank_only,
		.spares_given = nrd_given(args, 's'),
		.spares = opts->spares,
		.width = opts->width,
	};
	int r;

	if (opts->exclude != NULL && nrd_strv_split(opts->exclude, ',', &exclude) < 0)
		return nrd_nomem(err);
	layout.exclude = NRD_CSTRV(exclude);
	r = opts->file != NULL ? read_file(opts->file, &disks, err) : read_live(&disks, err);
	return r < 0 ? r : disk_layout_compute(&disks, &layout, ret_layout, err);
}

/* Programs read the answer: it is JSON also when it is no. */
static int
cmd_disklayout(const struct nrd_args *args, struct nrd_err *err)
{
	const struct disklayout_opts *opts = args->opts;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	NRD_AUTO(disk_layout) layout = { 0 };
	struct nrd_err why = { 0 };
	struct nrd_jw w;
	int failed, r;

	if (opts->blank_only && opts->file != NULL)
		return nrd_usage(err, "-b and -f exclude each other: a list does not say what disks hold");
	failed = compute(args, &layout, &why);
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	if (failed < 0) {
		nrd_jw_obj_open(&w);
		nrd_jw_kstr(&w, "error", why.msg);
		nrd_jw_obj_close(&w);
	} else {
		disk_layout_write(&layout, &w);
	}
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = nrd_write_all(STDOUT_FILENO, out.data, out.len, err);
	if (r < 0)
		return r;
	return failed < 0 ? NRD_EXIT_FAIL : NRD_EXIT_OK;
}

int
main(int argc, char **argv)
{
	static const struct nrd_cmd only = {
		.fn = cmd_disklayout,
		.opts = opts_table,
		.synopsis = "[-bc] [-e DISK,...] [-f FILE] [-s SPARES] [-w WIDTH] "
			    "[single|mirror|raidz1|raidz2|raidz3]",
		.summary = "Suggests a pool for the disks there are, as JSON for mkzpool.",
		.max_args = 1,
	};
	const struct nrd_cli cli = { .prog = "disklayout", .only = &only };

	return nrd_cli_main(&cli, argc, argv);
}
