/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>

#include "brand/brand.h"
#include "nrd/err.h"
#include "zone/config.h"

/*
 * A zone's root and its file in step: installed, copied, moved, given away, removed. The caller
 * holds zone_lock; config is what the file says and is kept so. All refuse a zone that runs or
 * stands in the wrong state with "ZoneWrongState" (-EINVAL), in illumos' words: "must be installed
 * before boot."; what fails half way leaves the zone as it was, what is cut off (kill, power) leaves
 * it incomplete, for uninstall to clear away.
 */
struct brand_place {
	const char *dir; /* of the zones' files; NULL: ZONE_DIR */
};

struct brand_install_opts {
	struct brand_source source; /* for brands that want one */
	bool no_dataset;            /* the root is a plain directory */
};

/*
 * "Usage" when the brand wants a source and there is none, or the other way round; "ZfsExists",
 * "ZoneExists" (-EEXIST) when something is in the way.
 */
int brand_install(const struct brand_place *place, struct zone_config *config,
		  const struct brand_install_opts *opts, struct nrd_err *err);

/* Also of what an install or uninstall that was cut off has left. Clones of it live on. */
int brand_uninstall(const struct brand_place *place, struct zone_config *config,
		    struct nrd_err *err);

struct brand_clone_opts {
	const char *snapshot; /* of source's dataset, by its name or in full; NULL: a new one */
	bool copy;            /* file by file, though it could be a clone */
};

/* config becomes an installed zone like source, which must be halted. */
int brand_clone(const struct brand_place *place, struct zone_config *config,
		const struct zone_config *source, const struct brand_clone_opts *opts,
		struct nrd_err *err);

int brand_move(const struct brand_place *place, struct zone_config *config, const char *zonepath,
	       struct nrd_err *err);

/* In the zonepath, so that it goes along when that is carried to another node. */
#define BRAND_MANIFEST "detached.json"

/* Writes ZONEPATH/detached.json; the zone is configured then, its root stays. */
int brand_detach(const struct brand_place *place, struct zone_config *config, struct nrd_err *err);

/* force: without looking whether it can be booted. */
int brand_attach(const struct brand_place *place, struct zone_config *config, bool force,
		 struct nrd_err *err);

/* What detach would write; caller frees. */
int brand_manifest(const struct zone_config *config, char **ret_text, struct nrd_err *err);

/*
 * Reads a manifest ("-": standard input) as the configuration of the zone it was; the caller
 * says how it is to be called here. "BadManifest".
 */
int brand_manifest_read(const char *path, struct zone_config *ret_config, struct nrd_err *err);

/* Says that its root is broken: only uninstall is left. */
int brand_mark_incomplete(const struct brand_place *place, struct zone_config *config,
			  struct nrd_err *err);

/*
 * Could it be installed, or when it is, booted, on this node? The first thing that stands in the
 * way, in one line.
 */
int brand_verify(const struct zone_config *config, struct nrd_err *err);

/* "ZoneWrongState" unless nothing of it runs. act for the message: "move". */
int brand_must_be_down(const struct zone_config *config, const char *act, struct nrd_err *err);

/* Gives the dataset of a zone that is installed the quota of its configuration. */
int brand_quota_set(const struct zone_config *config, struct nrd_err *err);

/*
 * Just before a boot: the zone's dataset is mounted at its zonepath, the root is there and can be
 * booted. What brand_root_check says, and lib/store.
 */
int brand_root_ready(const struct zone_config *config, struct nrd_err *err);
