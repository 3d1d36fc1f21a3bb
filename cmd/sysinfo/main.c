/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <unistd.h>

#include "node/sysinfo.h"
#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/json.h"

struct sysinfo_opts {
	bool fresh;
	bool parsable;
	bool update;
};

static const struct nrd_opt opts[] = {
	NRD_OPT_FLAG('f', NULL, struct sysinfo_opts, fresh, "ask the node anew, then print"),
	NRD_OPT_FLAG('p', NULL, struct sysinfo_opts, parsable, "print KEY='value' for a shell"),
	NRD_OPT_FLAG('u', NULL, struct sysinfo_opts, update, "ask the node anew, print nothing"),
	NRD_OPT_END(struct sysinfo_opts),
};

static int
cmd_sysinfo(const struct nrd_args *args, struct nrd_err *err)
{
	const struct sysinfo_opts *o = args->opts;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(0);
	NRD_AUTO(nrd_json) *info = NULL;
	struct nrd_jw w;
	int r;

	if (o->update)
		return node_sysinfo_update(NULL, err);
	r = o->fresh ? node_sysinfo_fresh(NULL, &info, err) : node_sysinfo_get(NULL, &info, err);
	if (r < 0)
		return r;
	if (o->parsable) {
		r = node_sysinfo_shell(nrd_json_root(info), &out, err);
	} else {
		nrd_jw_init(&w, &out, NRD_JW_PRETTY);
		nrd_jw_val(&w, nrd_json_root(info));
		r = nrd_jw_finish(&w, err);
	}
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}

static const struct nrd_cmd only = {
	"sysinfo", cmd_sysinfo, opts, "[-f] [-p] | -u", "print what this node is",
	.max_args = NRD_ARGS_NONE,
};

static const struct nrd_cli cli = {
	.prog = "sysinfo",
	.summary = "print what this node is",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
