/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "brand/root.h"
#include "brand/steps.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

/* ---- by snapshot and clone ---- */

static int
given_snapshot(struct brand_job *job, const char *name, struct nrd_err *err)
{
	const char *dataset = job->source->zfs_filesystem;
	const char *at = strchr(name, '@');

	if (at == NULL)
		job->snapshot = nrd_format("%s@%s", dataset, name);
	else if ((size_t)(at - name) != strlen(dataset) ||
		 strncmp(name, dataset, strlen(dataset)) != 0)
		return nrd_fail(err, EINVAL, "ZfsNotFound", "%s is no snapshot of %s", name, dataset);
	else
		job->snapshot = nrd_format("%s", name);
	return job->snapshot != NULL ? 0 : nrd_nomem(err);
}

static int
up_snapshot(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_FREE char *name = nrd_format("clone-%s", job->config->zonename);
	int r = brand_job_store(job, err);

	if (r < 0)
		return r;
	if (name == NULL)
		return nrd_nomem(err);
	if (job->clone->snapshot != NULL)
		return given_snapshot(job, job->clone->snapshot, err);
	job->snapshot = nrd_format("%s@%s", job->source->zfs_filesystem, name);
	if (job->snapshot == NULL)
		return nrd_nomem(err);
	r = store_dataset_snapshot(job->store, job->source->zfs_filesystem, name, false, err);
	job->snapshot_made = r == 0;
	return r;
}

static void
down_snapshot(void *arg)
{
	struct brand_job *job = arg;

	if (job->snapshot_made)
		(void)store_dataset_destroy(job->store, job->snapshot, NULL);
}

/* What the other zone's process said is not this one's. */
static int
remove_logs(const struct zone_config *config, struct nrd_err *err)
{
	NRD_FREE char *logs = nrd_path_join(config->zonepath, ZONE_LOGS_DIR);

	return logs != NULL ? brand_tree_remove(logs, err) : nrd_nomem(err);
}

int
brand_up_clone(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	const struct zone_config *c = job->config;
	const char *props[BRAND_ROOT_PROPS];
	char quota[BRAND_QUOTA_TEXT];
	int r = brand_make_zonepath(c->zonepath, &job->made_path, err);

	if (r < 0)
		return r;
	brand_root_props(c, quota, props);
	r = store_dataset_clone(job->store, job->snapshot, c->zfs_filesystem, props, err);
	if (r < 0)
		return r;
	job->made_dataset = true;
	r = store_dataset_mount(job->store, c->zfs_filesystem, err);
	if (r == 0 && chmod(c->zonepath, 0700) < 0)
		r = nrd_fail(err, errno, "ZonePath", "set the mode of %s: %m", c->zonepath);
	return r == 0 ? remove_logs(c, err) : r;
}

static const struct brand_step clone_steps[] = {
	{ "mark", brand_up_mark, brand_down_mark },
	{ "ids", brand_up_ids },
	{ "snapshot", up_snapshot, down_snapshot },
	{ "clone", brand_up_clone, brand_down_place },
	{ "identity", brand_up_identity },
	{ "check", brand_up_check },
	{ "installed", brand_up_installed },
};

/* ---- file by file ---- */

static int
up_copy(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_FREE char *from = nrd_path_join(job->source->zonepath, "root");
	NRD_FREE char *to = nrd_path_join(job->config->zonepath, "root");

	if (from == NULL || to == NULL)
		return nrd_nomem(err);
	return brand_copy_tree(from, to, err);
}

static const struct brand_step copy_steps[] = {
	{ "mark", brand_up_mark, brand_down_mark },
	{ "ids", brand_up_ids },
	{ "place", brand_up_place, brand_down_place },
	{ "copy", up_copy },
	{ "identity", brand_up_identity },
	{ "check", brand_up_check },
	{ "installed", brand_up_installed },
};

int
brand_clone(const struct brand_place *place, struct zone_config *config,
	    const struct zone_config *source, const struct brand_clone_opts *opts,
	    struct nrd_err *err)
{
	NRD_AUTO(brand_job) job = {
		.place = place,
		.config = config,
		.source = source,
		.clone = opts,
	};
	bool copy = opts->copy || !brand_has_dataset(config) || !brand_has_dataset(source);
	int r = brand_must_be(config, ZONE_CONFIGURED, "clone", err);

	if (r == 0)
		r = brand_of(config, &job.brand, err);
	if (r == 0)
		r = nrd_wrap(err, brand_must_be(source, ZONE_INSTALLED, "clone", err), "zone '%s'",
			     source->zonename);
	if (r < 0)
		return r;
	if (source->brand != config->brand)
		return nrd_fail(err, EINVAL, "BrandDiffers", "is of brand %s, and zone %s of brand %s",
				job.brand->name, source->zonename, zone_brand_names[source->brand]);
	if (copy && opts->snapshot != NULL)
		return nrd_fail(err, EINVAL, "NoSnapshot",
				"a copy is made of zone %s as it is, not of a snapshot",
				source->zonename);
	r = zone_config_verify(config, err);
	if (r == 0)
		r = brand_place_free(&job, err);
	if (r < 0)
		return r;
	if (copy)
		return brand_steps_run(copy_steps, nrd_count(copy_steps), &job, err);
	return brand_steps_run(clone_steps, nrd_count(clone_steps), &job, err);
}
