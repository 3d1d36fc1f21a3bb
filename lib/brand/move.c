/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "brand/root.h"
#include "brand/steps.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

/* ---- move ---- */

static int
set_zonepath(struct brand_job *job, const char *path, struct nrd_err *err)
{
	if (nrd_str_set(&job->config->zonepath, path) < 0)
		return nrd_nomem(err);
	NRD_SET(&zone_config_schema, job->config, zonepath);
	return zone_config_write(job->place->dir, job->config, err);
}

static int
up_place(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	int r = brand_make_zonepath(job->to, &job->made_path, err);

	if (r == 0 && !job->made_path)
		return nrd_fail(err, EEXIST, "ZoneExists", "%s is there already", job->to);
	return r;
}

static void
down_place(void *arg)
{
	struct brand_job *job = arg;

	if (job->made_path)
		(void)rmdir(job->to);
}

static int
up_dataset(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	const char *dataset = job->config->zfs_filesystem;
	int r = brand_job_store(job, err);

	if (r == 0)
		r = store_dataset_set(job->store, dataset, "mountpoint", job->to, err);
	return r == 0 ? store_dataset_mount(job->store, dataset, err) : r;
}

static void
down_dataset(void *arg)
{
	struct brand_job *job = arg;
	const char *dataset = job->config->zfs_filesystem;

	if (job->store == NULL)
		return;
	(void)store_dataset_set(job->store, dataset, "mountpoint", job->from, NULL);
	(void)store_dataset_mount(job->store, dataset, NULL);
}

static int
rename_root(const char *from, const char *to, struct nrd_err *err)
{
	NRD_FREE char *old = nrd_path_join(from, "root");
	NRD_FREE char *new = nrd_path_join(to, "root");

	if (old == NULL || new == NULL)
		return nrd_nomem(err);
	return rename(old, new) == 0 ? 0 : -errno;
}

/* To another filesystem it is copied; the old root goes only when the new one is the zone's. */
static int
up_tree(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	int r = rename_root(job->from, job->to, err);

	if (r == -EXDEV)
		return brand_copy_tree(job->from, job->to, err);
	return r < 0 && r != -ENOMEM ? nrd_fail(err, -r, "ZoneMove", "move %s/root to %s: %m",
						job->from, job->to)
				     : r;
}

static void
down_tree(void *arg)
{
	struct brand_job *job = arg;
	NRD_FREE char *new = nrd_path_join(job->to, "root");
	NRD_FREE char *old = nrd_path_join(job->from, "root");

	if (old == NULL || new == NULL)
		return;
	if (nrd_path_exists(old))
		(void)brand_tree_remove(new, NULL);
	else
		(void)rename(new, old);
}

static int
up_config(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;

	return set_zonepath(job, job->to, err);
}

static void
down_config(void *arg)
{
	struct brand_job *job = arg;

	(void)set_zonepath(job, job->from, NULL);
}

static int
up_clear(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_FREE char *old = nrd_path_join(job->from, "root");
	int r = old != NULL ? brand_tree_remove(old, err) : nrd_nomem(err);

	/* Other things somebody keeps there stay. */
	if (r == 0 && rmdir(job->from) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		return nrd_fail(err, errno, "ZoneMove", "remove %s: %m", job->from);
	return r;
}

static const struct brand_step dataset_steps[] = {
	{ "place", up_place, down_place },
	{ "dataset", up_dataset, down_dataset },
	{ "config", up_config, down_config },
};

static const struct brand_step tree_steps[] = {
	{ "place", up_place, down_place },
	{ "tree", up_tree, down_tree },
	{ "config", up_config, down_config },
};

int
brand_move(const struct brand_place *place, struct zone_config *config, const char *zonepath,
	   struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = { .place = place, .config = config, .to = zonepath };
	NRD_AUTO(zone_config) probe = { 0 };
	int r = brand_must_be(config, ZONE_INSTALLED, "move", err);

	if (r == 0)
		r = nrd_decode_field(&zone_config_schema, "zonepath", zonepath, &probe, err);
	if (r < 0)
		return r;
	if (nrd_streq(zonepath, config->zonepath))
		return nrd_fail(err, EINVAL, "ZoneExists", "is at %s already.", zonepath);
	job.from = strdup(config->zonepath);
	if (job.from == NULL)
		return nrd_nomem(err);
	if (brand_has_dataset(config))
		r = brand_steps_run(dataset_steps, nrd_count(dataset_steps), &job, err);
	else
		r = brand_steps_run(tree_steps, nrd_count(tree_steps), &job, err);
	return r < 0 ? r : up_clear(&job, err);
}
