/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <unistd.h>

#include "image/import.h"
#include "image/sources.h"
#include "imgadm.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"

static int
find_by_name(const struct nrd_args *args, struct image_manifest *m, struct nrd_err *err)
{
	const struct image_opts how = imgadm_opts(args, NULL, false);
	NRD_AUTO(image_docker) image = { 0 };
	NRD_AUTO(image_place) *place = NULL;
	int r = imgadm_docker_open(&how, NULL, args->argv[0], &place, &image, err);

	return r < 0 ? r : image_docker_manifest(&image, image.doc.n_layers, m, err);
}

static int
find_by_uuid(const char *uuid, struct image_manifest *m, struct nrd_err *err)
{
	NRD_AUTO(image_sources) sources = { 0 };
	const struct image_source *source;
	int r = image_sources_read(&sources, err);

	return r < 0 ? r : image_find(&sources, NULL, uuid, m, &source, err);
}

int
cmd_show(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(image_manifest) m = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r = image_uuid_valid(args->argv[0]) ? find_by_uuid(args->argv[0], &m, err)
						: find_by_name(args, &m, err);

	if (r < 0)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	image_manifest_encode(&m, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_write_all(STDOUT_FILENO, nrd_buf_str(&out), out.len, err);
}
