/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>

#include "imgadm.h"
#include "nrd/mem.h"

struct install_opts {
	bool quiet;
	const char *pool;
	const char *manifest;
	const char *file;
};

const struct nrd_opt install_opts[] = {
	NRD_OPT_FLAG('q', NULL, struct install_opts, quiet, "no progress, no notes"),
	NRD_OPT_STR('P', NULL, struct install_opts, pool, "POOL",
		    "the pool to install it on (zones)"),
	NRD_OPT_STR('m', NULL, struct install_opts, manifest, "MANIFEST", "the image's manifest"),
	NRD_OPT_STR('f', NULL, struct install_opts, file, "FILE",
		    "the image's file: a ZFS stream or the tar file of a root; without -m, an OCI "
		    "layout: a directory or an archive"),
	NRD_OPT_END(struct install_opts),
};

static int
install_layout(const struct install_opts *opts, const struct image_opts *how, const char *name,
	       struct nrd_err *err)
{
	NRD_AUTO(image_docker) image = { 0 };
	NRD_AUTO(image_place) *place = NULL;
	int r = imgadm_layout_open(how, opts->file, name, &place, &image, err);

	return r < 0 ? r : imgadm_docker_install(how, opts->quiet, place, &image, err);
}

int
cmd_install(const struct nrd_args *args, struct nrd_err *err)
{
	const struct install_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, opts->pool, opts->quiet);
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_CLOSE int fd = -1;
	int r;

	if (opts->file == NULL)
		return nrd_usage(err, "give the manifest and the file: -m MANIFEST -f FILE, or an OCI "
				 "layout: -f LAYOUT");
	if (opts->manifest == NULL)
		return install_layout(opts, &how, args->argv[0], err);
	if (args->argv[0] != NULL)
		return nrd_usage(err, "%.80s: with -m the manifest says what the image is called",
				 args->argv[0]);
	r = image_manifest_read(opts->manifest, &m, err);
	if (r < 0)
		return r;
	fd = open(opts->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", opts->file);
	r = image_install(&how, &m, &(struct image_input){ .fd = fd, .name = opts->file }, err);
	if (r < 0)
		return r;
	if (!opts->quiet)
		imgadm_say(r > 0 ? "Image %s (%s@%s) is already installed"
				 : "Installed image %s (%s@%s)", m.uuid, m.name, m.version);
	return 0;
}
