/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <unistd.h>

#include "image/vacuum.h"
#include "imgadm.h"
#include "nrd/mem.h"
#include "nrd/str.h"

struct vacuum_opts {
	bool dry;
	bool force;
};

const struct nrd_opt vacuum_opts[] = {
	NRD_OPT_FLAG('n', NULL, struct vacuum_opts, dry, "only say what would be removed"),
	NRD_OPT_FLAG('f', NULL, struct vacuum_opts, force, "do not ask"),
	NRD_OPT_END(struct vacuum_opts),
};

static bool
says_yes(void)
{
	char answer[16] = "";

	(void)fprintf(stderr, "Delete these images? [y/N] ");
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}

static void
name(const struct image *image, bool dry)
{
	const struct image_manifest *m = &image->manifest;

	imgadm_say("%s image %s (%s@%s)", dry ? "Would delete" : "Deleted", m->uuid,
		   m->name != NULL ? m->name : "-", m->version != NULL ? m->version : "-");
}

int
cmd_vacuum(const struct nrd_args *args, struct nrd_err *err)
{
	const struct vacuum_opts *opts = args->opts;
	struct image_opts how = imgadm_opts(args, NULL, false);
	struct image *unused = NULL;
	size_t n = 0;
	int r = image_unused(&unused, &n, err);

	if (r == 0 && n > 0 && !opts->dry && !opts->force) {
		if (!isatty(STDIN_FILENO)) {
			image_list_free(unused, n);
			return nrd_usage(err, "nobody is there to be asked: give -f, or -n to see "
					      "what would be deleted");
		}
		for (size_t i = 0; i < n; i++)
			(void)fprintf(stderr, "  %s %s\n", unused[i].manifest.uuid,
				      unused[i].manifest.name != NULL ? unused[i].manifest.name
								      : "-");
		if (!says_yes())
			n = 0;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		how.pool = unused[i].zpool;
		if (!opts->dry)
			r = image_delete(&how, unused[i].manifest.uuid, err);
		if (r == 0)
			name(&unused[i], opts->dry);
	}
	image_list_free(unused, n);
	return r;
}
