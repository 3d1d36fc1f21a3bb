/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>

#include "image/import.h"
#include "image/sources.h"
#include "image/update.h"
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct update_opts {
	bool dry;
};

const struct nrd_opt update_opts[] = {
	NRD_OPT_FLAG('n', NULL, struct update_opts, dry, "only say what would be done"),
	NRD_OPT_END(struct update_opts),
};

/* Counts what failed; each of them is told of as it comes. */
static size_t
update_one(const struct image_opts *how, const struct update_opts *opts,
	   const struct image_sources *sources, const struct image *image)
{
	const char *uuid = image->manifest.uuid;
	struct nrd_err why = { 0 };
	unsigned done = 0;
	int r = image_update(how, sources, image, opts->dry, &done, &why);

	if ((done & IMAGE_UPDATED_FINAL) != 0)
		imgadm_say("Image %s: its snapshot %s@" IMAGE_SNAPSHOT, uuid,
			   opts->dry ? "would become " : "is now ");
	if ((done & IMAGE_UPDATED_MANIFEST) != 0)
		imgadm_say("Image %s: its manifest %s", uuid,
			   opts->dry ? "would be saved" : "is saved");
	if (r == 0)
		return 0;
	how->note(how->arg, why.msg);
	return 1;
}

int
cmd_update(const struct nrd_args *args, struct nrd_err *err)
{
	const struct image_opts how = imgadm_opts(args, NULL, false);
	NRD_AUTO(image_sources) sources = { 0 };
	NRD_AUTO(store) *store = NULL;
	struct image *images = NULL;
	size_t n = 0, failed = 0;
	int r = image_sources_read(&sources, err);

	for (int i = 0; r == 0 && i < args->argc; i++)
		r = image_uuid_check(args->argv[i], err);
	if (r == 0)
		r = store_open(&store, err);
	for (int i = 0; r == 0 && i < args->argc; i++) {
		NRD_AUTO(image) image = { 0 };

		r = image_read_in(store, NULL, args->argv[i], &image, err);
	}
	if (r == 0)
		r = image_list_in(store, &images, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (args->argc == 0 || nrd_strv_has(NRD_CSTRV(args->argv), images[i].manifest.uuid))
			failed += update_one(&how, args->opts, &sources, &images[i]);
	image_list_free(images, n);
	if (r == 0 && failed > 0)
		return nrd_fail(err, EIO, "MultiError", "%zu image%s could not be updated", failed,
				failed > 1 ? "s" : "");
	return r;
}
