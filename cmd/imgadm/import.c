/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "image/import.h"
#include "image/sources.h"
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/stamp.h"

struct import_opts {
	bool quiet;
	const char *channel;
	const char *source;
	const char *pool;
};

const struct nrd_opt import_opts[] = {
	NRD_OPT_FLAG('q', NULL, struct import_opts, quiet, "no progress, no notes"),
	NRD_OPT_STR('C', NULL, struct import_opts, channel, "CHANNEL",
		    "the channel of the sources to look in"),
	NRD_OPT_STR('S', NULL, struct import_opts, source, "URL",
		    "this source, and none of the list"),
	NRD_OPT_STR('P', NULL, struct import_opts, pool, "POOL",
		    "the pool to install it on (zones)"),
	NRD_OPT_END(struct import_opts),
};

static void
begin(void *arg, const struct image_manifest *m, const char *url)
{
	(void)arg;
	imgadm_say("Importing image %s (%s@%s) from \"%s\"", m->uuid, m->name, m->version, url);
}

static void
end(void *arg, const struct image_manifest *m, bool was_there)
{
	(void)arg;
	imgadm_say(was_there ? "Image %s (%s@%s) is already installed"
			     : "Imported image %s (%s@%s)", m->uuid, m->name, m->version);
}

static int
read_sources(const char *only, struct image_sources *sources, struct nrd_err *err)
{
	NRD_AUTO(image_source) s = { 0 };
	int r;

	if (only == NULL)
		return image_sources_read(sources, err);
	r = image_source_make(only, NULL, false, &s, err);
	if (r < 0)
		return r;
	if (nrd_vec_push(sources, s) < 0)
		return nrd_nomem(err);
	s = (struct image_source){ 0 };
	return 0;
}

static int
import_by_name(const struct import_opts *opts, const struct image_opts *how, const char *name,
	       struct nrd_err *err)
{
	NRD_AUTO(image_docker) image = { 0 };
	NRD_AUTO(image_place) *place = NULL;
	int r = imgadm_docker_open(how, opts->source, name, &place, &image, err);

	return r < 0 ? r : imgadm_docker_install(how, opts->quiet, place, &image, err);
}

int
cmd_import(const struct nrd_args *args, struct nrd_err *err)
{
	const struct import_opts *opts = args->opts;
	const struct image_opts how = imgadm_opts(args, opts->pool, opts->quiet);
	NRD_AUTO(image_sources) sources = { 0 };
	char platform[PLATFORM_STAMP_TEXT];
	struct image_import import = {
		.uuid = args->argv[0],
		.sources = &sources,
		.channel = opts->channel,
		.begin = opts->quiet ? NULL : begin,
		.end = opts->quiet ? NULL : end,
	};
	int r;

	if (!image_uuid_valid(args->argv[0]))
		return import_by_name(opts, &how, args->argv[0], err);
	r = read_sources(opts->source, &sources, err);
	if (r < 0)
		return r;
	if (platform_stamp_running("/etc/os-release", platform, NULL) == 0)
		import.platform = platform;
	r = image_import(&how, &import, err);
	if (r > 0 && !opts->quiet)
		imgadm_say("Image %s is already installed", import.uuid);
	return r < 0 ? r : 0;
}
