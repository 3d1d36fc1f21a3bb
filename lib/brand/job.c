/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "brand/root.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "zone/ids.h"
#include "zone/state.h"

void
brand_job_cleanup(struct brand_job *job)
{
	free(job->from);
	free(job->snapshot);
	free(job->old_dataset);
	store_close(job->store);
}

int
brand_job_store(struct brand_job *job, struct nrd_err *err)
{
	return job->store != NULL ? 0 : store_open(&job->store, err);
}

/* ---- states ---- */

int
brand_must_be_down(const struct zone_config *config, const char *act, struct nrd_err *err)
{
	struct zone_run run;
	int r = zone_run_read(config->zonename, &run, err);

	if (r < 0)
		return r;
	if (run.state > ZONE_ST_INSTALLED)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "must be halted before %s: it is %s.",
				act, zone_state_name(run.state));
	return 0;
}

int
brand_must_be(const struct zone_config *config, int installed, const char *act,
	      struct nrd_err *err)
{
	int r = brand_must_be_down(config, act, err);

	if (r < 0)
		return r;
	if (config->installed != installed)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "must be %s before %s: it is %s.",
				zone_installed_names[installed], act,
				zone_installed_names[config->installed]);
	return 0;
}

int
brand_state_set(struct brand_job *job, int installed, struct nrd_err *err)
{
	job->config->installed = installed;
	NRD_SET(&zone_config_schema, job->config, installed);
	return zone_config_write(job->place->dir, job->config, err);
}

int
brand_up_mark(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;

	/* The file says so already. */
	if (job->config->installed == ZONE_INCOMPLETE)
		return 0;
	return brand_state_set(job, ZONE_INCOMPLETE, err);
}

void
brand_down_mark(void *arg)
{
	struct brand_job *job = arg;

	if (job->old_dataset != NULL) {
		(void)nrd_str_set(&job->config->zfs_filesystem, job->old_dataset);
		NRD_SET(&zone_config_schema, job->config, zfs_filesystem);
	}
	(void)brand_state_set(job, ZONE_CONFIGURED, NULL);
}

int
brand_up_ids(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	uint64_t base;
	int r;

	if (job->config->id_base != 0)
		return 0;
	r = zone_ids_take(job->place->dir, job->config->id_count, &base, err);
	if (r < 0)
		return r;
	job->config->id_base = base;
	NRD_SET(&zone_config_schema, job->config, id_base);
	return zone_config_write(job->place->dir, job->config, err);
}

int
brand_up_installed(void *arg, struct nrd_err *err)
{
	return brand_state_set(arg, ZONE_INSTALLED, err);
}

/* ---- places ---- */

int
brand_make_zonepath(const char *path, bool *ret_made, struct nrd_err *err)
{
	NRD_FREE char *above = nrd_format("%s", path);
	struct stat st;
	int r;

	if (above == NULL)
		return nrd_nomem(err);
	for (size_t i = nrd_str(path).len; i-- > 1;)
		if (above[i] == '/') {
			above[i] = '\0';
			r = nrd_mkdir_p(above, 0755, err);
			if (r < 0)
				return r;
			break;
		}
	*ret_made = mkdir(path, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return nrd_fail(err, errno, "ZonePath", "make zonepath %s: %m", path);
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return nrd_fail(err, ENOTDIR, "ZonePath", "zonepath %s is no directory", path);
	if (chmod(path, 0700) < 0)
		return nrd_fail(err, errno, "ZonePath", "set the mode of zonepath %s: %m", path);
	return 0;
}

int
brand_place_free(struct brand_job *job, struct nrd_err *err)
{
	const struct zone_config *c = job->config;
	NRD_FREE char *root = nrd_path_join(c->zonepath, "root");
	int r = 0;

	if (root == NULL)
		return nrd_nomem(err);
	if (nrd_path_exists(root))
		return nrd_fail(err, EEXIST, "ZoneExists",
				"there is a root in %s already: attach it, or remove it",
				c->zonepath);
	if (brand_has_dataset(c))
		r = brand_job_store(job, err);
	if (r == 0 && brand_has_dataset(c) && store_dataset_exists(job->store, c->zfs_filesystem))
		return nrd_fail(err, EEXIST, "ZfsExists",
				"there is a dataset %s already: attach it, or destroy it",
				c->zfs_filesystem);
	return r;
}

static int
make_dataset(struct brand_job *job, struct nrd_err *err)
{
	const struct zone_config *c = job->config;
	const char *props[BRAND_ROOT_PROPS];
	char quota[BRAND_QUOTA_TEXT];
	int r = brand_job_store(job, err);

	if (r < 0)
		return r;
	brand_root_props(c, quota, props);
	r = store_dataset_create(job->store, c->zfs_filesystem, props, err);
	if (r < 0)
		return r;
	job->made_dataset = true;
	return store_dataset_mount(job->store, c->zfs_filesystem, err);
}

int
brand_up_place(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	const char *path = job->config->zonepath;
	NRD_FREE char *root = nrd_path_join(path, "root");
	int r = root != NULL ? brand_make_zonepath(path, &job->made_path, err) : nrd_nomem(err);

	if (r == 0 && brand_has_dataset(job->config)) {
		r = make_dataset(job, err);
		/* That is another directory now. */
		if (r == 0 && chmod(path, 0700) < 0)
			r = nrd_fail(err, errno, "ZonePath", "set the mode of %s: %m", path);
	}
	if (r < 0)
		return r;
	job->made_root = mkdir(root, 0755) == 0;
	if (!job->made_root || chmod(root, 0755) < 0)
		return nrd_fail(err, errno, "ZonePath", "make %s: %m", root);
	return 0;
}

void
brand_down_place(void *arg)
{
	struct brand_job *job = arg;
	const char *path = job->config->zonepath;
	NRD_FREE char *root = nrd_path_join(path, "root");

	if (job->made_dataset)
		(void)store_dataset_destroy(job->store, job->config->zfs_filesystem, NULL);
	else if (job->made_root && root != NULL)
		(void)brand_tree_remove(root, NULL);
	if (job->made_path)
		(void)rmdir(path);
}

int
brand_up_identity(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_CLOSE int root = -1;
	int r = brand_root_open(job->config, &root, err);

	return r < 0 ? r : job->brand->identify(job->config, root, err);
}

int
brand_up_check(void *arg, struct nrd_err *err)
{
	struct brand_job *job = arg;
	NRD_CLOSE int root = -1;
	int r = brand_root_open(job->config, &root, err);

	return r < 0 ? r : job->brand->verify(job->config, root, err);
}

int
brand_copy_tree(const char *from, const char *to, struct nrd_err *err)
{
	NRD_FREE char *all = nrd_format("%s/.", from);
	const char *const argv[] = { "cp", "--archive", "--reflink=auto", "--one-file-system", "--",
				     all, to, NULL };
	const struct nrd_proc proc = { .argv = argv, .flags = NRD_PROC_SAME_GROUP | NRD_PROC_WITH_US };

	if (all == NULL)
		return nrd_nomem(err);
	return nrd_wrap(err, nrd_run(&proc, NULL, NULL, err), "copy %s", from);
}
