/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>

#include "image/create.h"
#include "imgadm.h"
#include "nrd/mem.h"

struct publish_opts {
	bool quiet;
	const char *manifest;
	const char *file;
};

const struct nrd_opt publish_opts[] = {
	NRD_OPT_FLAG('q', NULL, struct publish_opts, quiet, "no progress, no notes"),
	NRD_OPT_STR('m', NULL, struct publish_opts, manifest, "MANIFEST", "the image's manifest"),
	NRD_OPT_STR('f', NULL, struct publish_opts, file, "FILE", "the image's file"),
	NRD_OPT_END(struct publish_opts),
};

int
cmd_publish(const struct nrd_args *args, struct nrd_err *err)
{
	const struct publish_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, NULL, opts->quiet);
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_CLOSE int fd = -1;
	int r;

	if (opts->manifest == NULL || opts->file == NULL)
		return nrd_usage(err, "give the manifest and the file: -m MANIFEST -f FILE");
	r = image_manifest_read(opts->manifest, &m, err);
	if (r < 0)
		return r;
	fd = open(opts->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", opts->file);
	r = image_publish(&how, args->argv[0], &m, fd, opts->file, err);
	if (r == 0 && !opts->quiet)
		imgadm_say("Published image %s (%s@%s) to %s", m.uuid, m.name, m.version,
			   args->argv[0]);
	return r;
}
