/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "image/docker.h"
#include "image/install.h"
#include "image/installed.h"
#include "image/manifest.h"
#include "nrd/cli.h"
#include "nrd/table.h"

/* Before the verb. */
struct global_opts {
	bool version;
	bool verbose;
	bool error_json;
};

extern const struct nrd_opt ancestry_opts[], avail_opts[], create_opts[], delete_opts[], get_opts[],
	import_disk_opts[], import_opts[], install_opts[], list_opts[], login_opts[], publish_opts[], sources_opts[], update_opts[],
	vacuum_opts[];

nrd_cmd_fn cmd_ancestry, cmd_avail, cmd_create, cmd_delete, cmd_get, cmd_import, cmd_import_disk, cmd_install, cmd_list,
	cmd_login, cmd_logout, cmd_publish, cmd_show, cmd_sources, cmd_update, cmd_vacuum;

/* "imgadm VERB: error (Code): message", and with -E the same as JSON on a line of its own. */
int imgadm_tell(const struct nrd_args *args, const struct nrd_err *err, int code);

/* Before the arguments are parsed: is -E among the options before the verb? */
void imgadm_tell_json(char *const *argv);

/*
 * How a change goes: notes and, on a terminal, progress on standard error unless quiet; the
 * terminal's signals no longer end us but have it undone.
 */
struct image_opts imgadm_opts(const struct nrd_args *args, const char *pool, bool quiet);

/* What a verb says of its success; goes where data does not. */
void imgadm_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- listings ---- */

/* One image as it is listed. */
struct listed {
	const struct image_manifest *m;
	const char *source; /* NULL: none */
	const char *zpool;  /* NULL: not on the node */
	long clones;        /* -1: not counted */
};

struct listing_opts {
	struct nrd_table_opts table;
	bool docker; /* of list alone */
};

#define LISTING_OPTS \
	NRD_TABLE_OPTS(struct listing_opts, table), NRD_TABLE_OPT_SORT(struct listing_opts, table)

struct listing;

/*
 * filters are FIELD=VALUE, FIELD=~PART. columns is what is shown without -o, sort what it is sorted
 * by without -s, NULL: as added. "Usage" for fields there are none of.
 */
int listing_new(const struct listing_opts *opts, const char *columns, const char *sort,
		char *const *filters, struct listing **ret_listing, struct nrd_err *err);
void listing_free(struct listing *l);
void listing_cleanup(struct listing **l);

/* Is the field shown, sorted or filtered by? */
bool listing_wants(const struct listing *l, const char *field);

/* Errors stick until it is printed. image is borrowed until then. */
void listing_add(struct listing *l, const struct listed *image);

int listing_print(struct listing *l, struct nrd_err *err);

/* ---- images of registries and of layouts on disk ---- */

/* What a name means; only: the URL of the one registry to ask, or NULL. The caller closes. */
int imgadm_docker_open(const struct image_opts *how, const char *only, const char *name,
		       struct image_place **ret_place, struct image_docker *ret_image,
		       struct nrd_err *err);

/* name NULL: what the layout calls it. path is borrowed. */
int imgadm_layout_open(const struct image_opts *how, const char *path, const char *name,
		       struct image_place **ret_place, struct image_docker *ret_image,
		       struct nrd_err *err);

int imgadm_docker_install(const struct image_opts *how, bool quiet, struct image_place *place,
			  const struct image_docker *image, struct nrd_err *err);

/* Sorts the images, and prints a row for each tag. */
int imgadm_docker_list(const struct nrd_table_opts *form, struct image *images, size_t n,
		       struct nrd_err *err);
