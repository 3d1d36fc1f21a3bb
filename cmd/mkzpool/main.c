/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "disk/inventory.h"
#include "disk/layout.h"
#include "disk/pool.h"
#include "nrd/cli.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct mkzpool_opts {
	bool bootable;
	bool encrypted;
	bool force;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_FLAG('B', "bootable", struct mkzpool_opts, bootable,
		     "partition the disks, with a boot volume on each"),
	NRD_OPT_FLAG('e', "encrypted", struct mkzpool_opts, encrypted,
		     "encrypt; the passphrase is asked for"),
	NRD_OPT_FLAG('f', "force", struct mkzpool_opts, force,
		     "overwrite disks that hold something"),
	NRD_OPT_END(struct mkzpool_opts),
};

static int
read_layout(const char *path, struct disk_layout *ret_layout, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(NRD_JSON_MAX);
	int r = nrd_streq(path, "-") ? nrd_buf_read_fd(&text, STDIN_FILENO, err) :
				       nrd_buf_read_file(&text, path, err);

	if (r == 0)
		r = disk_layout_parse(nrd_buf_str(&text), text.len, ret_layout, err);
	return nrd_wrap(err, r, "%s", path);
}

static int
cmd_mkzpool(const struct nrd_args *args, struct nrd_err *err)
{
	const struct mkzpool_opts *opts = args->opts;
	const struct disk_pool_opts pool = {
		.bootable = opts->bootable,
		.encrypted = opts->encrypted,
		.overwrite = opts->force,
	};
	NRD_AUTO(disk_layout) layout = { 0 };
	NRD_AUTO(disk_list) disks = { 0 };
	int r;

	if (opts->encrypted && nrd_streq(args->argv[1], "-"))
		return nrd_usage(err, "with -e standard input is for the passphrase: name a file");
	r = read_layout(args->argv[1], &layout, err);
	if (r == 0)
		r = disk_list_read(NULL, 0, &disks, err);
	return r < 0 ? r : disk_pool_create(args->argv[0], &layout, &disks, &pool, err);
}

int
main(int argc, char **argv)
{
	static const struct nrd_cmd only = {
		.fn = cmd_mkzpool,
		.opts = opts_table,
		.synopsis = "[-Bef] POOL FILE",
		.summary = "Makes a pool from the JSON of disklayout.",
		.min_args = 2,
		.max_args = 2,
	};
	const struct nrd_cli cli = { .prog = "mkzpool", .only = &only };

	return nrd_cli_main(&cli, argc, argv);
}
