/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "brand/root.h"
#include "brand/steps.h"
#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

#define CLONES_MAX 4096

/* ---- install ---- */

static int
up_root(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_CLOSE int root = -1;
	int r = brand_root_open(job->config, &root, err);

	return r < 0 ? r : job->brand->install(job->config, root, &job->install->source, err);
}

static const struct brand_step install_steps[] = {
	{ "mark", brand_up_mark, brand_down_mark },
	{ "ids", brand_up_ids },
	{ "place", brand_up_place, brand_down_place },
	{ "root", up_root },
	{ "identity", brand_up_identity },
	{ "check", brand_up_check },
	{ "installed", brand_up_installed },
};

static int
up_image(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;

	return nrd_str_set(&job->snapshot, job->install->source.snapshot) < 0 ? nrd_nomem(err)
									     : brand_job_store(job, err);
}

static const struct brand_step image_steps[] = {
	{ "mark", brand_up_mark, brand_down_mark },
	{ "ids", brand_up_ids },
	{ "image", up_image },
	{ "clone", brand_up_clone, brand_down_place },
	{ "identity", brand_up_identity },
	{ "check", brand_up_check },
	{ "installed", brand_up_installed },
};

static int
check_source(const struct brand *brand, const struct brand_source *s, struct nrd_err *err)
{
	if (s->snapshot != NULL && (s->tar != NULL || s->dir != NULL))
		return nrd_usage(err, "a root is made of an image or of something else, not of both");
	if (s->snapshot != NULL)
		return 0;
	if (!brand->source && (s->tar != NULL || s->dir != NULL))
		return nrd_usage(err, "a zone of brand %s is made of the platform: no -t, no -d",
				 brand->name);
	if (brand->source && (s->tar == NULL) == (s->dir == NULL))
		return nrd_usage(err,
				 "a zone of brand %s needs its root: give either -t FILE.tar or -d "
				 "DIRECTORY", brand->name);
	return 0;
}

int
brand_install(const struct brand_place *place, struct zone_config *config,
	      const struct brand_install_opts *opts, struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = { .place = place, .config = config, .install = opts };
	int r;

	if (config->installed == ZONE_INSTALLED)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "is already installed.");
	r = brand_must_be(config, ZONE_CONFIGURED, "install", err);
	if (r == 0)
		r = brand_of(config, &job.brand, err);
	if (r == 0)
		r = check_source(job.brand, &opts->source, err);
	if (r == 0)
		r = zone_config_verify(config, err);
	if (r < 0)
		return r;
	if (opts->no_dataset && brand_has_dataset(config)) {
		job.old_dataset = NRD_TAKE(config->zfs_filesystem);
		if (nrd_str_set(&config->zfs_filesystem, "") < 0)
			return nrd_nomem(err);
		NRD_SET(&zone_config_schema, config, zfs_filesystem);
	}
	if (opts->source.snapshot != NULL && !brand_has_dataset(config))
		return nrd_fail(err, EINVAL, "NoDataset", "an image is cloned, and this zone has no dataset");
	r = brand_place_free(&job, err);
	if (r < 0)
		return r;
	if (opts->source.snapshot != NULL)
		return brand_steps_run(image_steps, nrd_count(image_steps), &job, err);
	return brand_steps_run(install_steps, nrd_count(install_steps), &job, err);
}

/* ---- uninstall ---- */

/* What was cloned from it becomes free of it. */
static int
free_clones(struct store *store, const char *dataset, struct nrd_err *err)
{
	for (unsigned i = 0; i < CLONES_MAX; i++) {
		NRD_STRV char **clones = NULL;
		int r = store_dataset_clones(store, dataset, &clones, err);

		if (r < 0 || clones == NULL)
			return r;
		r = store_dataset_promote(store, clones[0], err);
		if (r < 0)
			return r;
	}
	return nrd_fail(err, EBUSY, "ZfsBusy", "dataset %s has too many clones", dataset);
}

/* The snapshot that brand_clone made for this zone alone. */
static void
drop_origin(struct store *store, const char *origin, const char *zonename)
{
	NRD_FREE char *mine = nrd_format("@clone-%s", zonename);

	if (mine != NULL && nrd_ends(origin, mine))
		(void)store_dataset_destroy(store, origin, NULL);
}

static int
remove_dataset(struct brand_job *job, struct nrd_err *err)
{
	const char *dataset = job->config->zfs_filesystem;
	char origin[256] = "";
	int r = brand_job_store(job, err);

	if (r < 0 || !store_dataset_exists(job->store, dataset))
		return r;
	(void)store_dataset_get(job->store, dataset, "origin", origin, sizeof(origin), NULL);
	r = free_clones(job->store, dataset, err);
	if (r == 0)
		r = store_dataset_destroy(job->store, dataset, err);
	if (r == 0)
		drop_origin(job->store, origin, job->config->zonename);
	return r;
}

static int
up_remove(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	const char *path = job->config->zonepath;
	NRD_FREE char *root = nrd_path_join(path, "root");
	NRD_FREE char *logs = nrd_path_join(path, ZONE_LOGS_DIR);
	NRD_FREE char *manifest = nrd_path_join(path, BRAND_MANIFEST);
	int r = 0;

	if (root == NULL || logs == NULL || manifest == NULL)
		return nrd_nomem(err);
	if (brand_has_dataset(job->config))
		r = remove_dataset(job, err);
	if (r == 0)
		r = brand_tree_remove(root, err);
	if (r == 0)
		r = brand_tree_remove(logs, err);
	if (r < 0)
		return r;
	(void)unlink(manifest);
	/* What else somebody put there is not ours to remove. */
	if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		return nrd_fail(err, errno, "ZonePath", "remove zonepath %s: %m", path);
	return 0;
}

static int
up_configured(void *arg, struct nrd_err *err)
{
	return brand_state_set(arg, ZONE_CONFIGURED, err);
}

/* There is no way back from a half removed root: what fails leaves the zone incomplete. */
static const struct brand_step uninstall_steps[] = {
	{ "mark", brand_up_mark },
	{ "remove", up_remove },
	{ "configured", up_configured },
};

int
brand_uninstall(const struct brand_place *place, struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = { .place = place, .config = config };
	int r = brand_must_be_down(config, "uninstall", err);

	if (r < 0)
		return r;
	if (config->installed == ZONE_CONFIGURED)
		return nrd_fail(err, EINVAL, "ZoneWrongState",
				"must be installed before uninstall: it is configured.");
	return brand_steps_run(uninstall_steps, nrd_count(uninstall_steps), &job, err);
}

int
brand_mark_incomplete(const struct brand_place *place, struct zone_config *config,
		      struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = { .place = place, .config = config };
	int r = brand_must_be(config, ZONE_INSTALLED, "mark incomplete", err);

	return r < 0 ? r : brand_state_set(&job, ZONE_INCOMPLETE, err);
}
