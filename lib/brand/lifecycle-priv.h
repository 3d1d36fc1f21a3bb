/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "brand/lifecycle.h"
#include "store/store.h"

/* One change of a zone, for the tables of steps. */
struct brand_job {
	const struct brand_place *place;
	struct zone_config *config;
	const struct brand *brand;
	const struct brand_install_opts *install;
	const struct brand_clone_opts *clone;
	const struct zone_config *source; /* of a clone */
	const char *to;          /* move: the new zonepath */
	char *from;              /* move: the old one; owned */
	char *snapshot;          /* clone: made or given; owned */
	bool snapshot_made;
	bool made_path, made_dataset, made_root;
	char *old_dataset;       /* zfs_filesystem before; owned */
	struct store *store;     /* owned; NULL: no dataset is at stake */
};

void brand_job_cleanup(struct brand_job *job);

int brand_job_store(struct brand_job *job, struct nrd_err *err);

/*
 * The properties of the dataset that is a zone's root, for store_dataset_create and its like;
 * quota holds a text they point to.
 */
#define BRAND_QUOTA_TEXT 32
#define BRAND_ROOT_PROPS 9
void brand_root_props(const struct zone_config *config, char quota[BRAND_QUOTA_TEXT],
		      const char *ret_props[BRAND_ROOT_PROPS]);

int brand_state_set(struct brand_job *job, int installed, struct nrd_err *err);

/* Nothing is where its dataset or root will be: asked before anything is marked or made. */
int brand_place_free(struct brand_job *job, struct nrd_err *err);

/* Steps several tables have. */
int brand_up_mark(void *job, struct nrd_err *err);
void brand_down_mark(void *job);
int brand_up_ids(void *job, struct nrd_err *err);
int brand_up_place(void *job, struct nrd_err *err); /* the empty dataset or directory */
void brand_down_place(void *job);
int brand_up_clone(void *job, struct nrd_err *err); /* of job->snapshot; undone as a place is */
int brand_up_identity(void *job, struct nrd_err *err);
int brand_up_check(void *job, struct nrd_err *err);
int brand_up_installed(void *job, struct nrd_err *err);

/* Copies the tree below one directory into another, all attributes kept. */
int brand_copy_tree(const char *from, const char *to, struct nrd_err *err);

/* zonepath as a directory of root's alone. */
int brand_make_zonepath(const char *path, bool *ret_made, struct nrd_err *err);

/* "must be configured before install." and its like. */
int brand_must_be(const struct zone_config *config, int installed, const char *act,
		  struct nrd_err *err);
