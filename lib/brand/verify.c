/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "brand/brand-priv.h"
#include "brand/lifecycle-priv.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"

/* ---- the dataset ---- */

static int
mount_dataset(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	char where[1024];
	int r = store_open(&store, err);

	if (r == 0)
		r = store_dataset_get(store, config->zfs_filesystem, "mountpoint", where,
				      sizeof(where), err);
	if (r < 0)
		return r;
	if (!nrd_streq(where, config->zonepath)) {
		r = store_dataset_set(store, config->zfs_filesystem, "mountpoint",
				      config->zonepath, err);
		if (r < 0)
			return r;
	}
	return store_dataset_mount(store, config->zfs_filesystem, err);
}

int
brand_root_ready(const struct zone_config *config, struct nrd_err *err)
{
	int r = brand_root_mounted(config) ? 0 : mount_dataset(config, err);

	return r < 0 ? r : brand_root_check(config, err);
}

/* ---- the zonepath ---- */

static int
bad_path(struct nrd_err *err, const char *path, const char *rule)
{
	return nrd_fail(err, EPERM, "ZonePath", "zonepath %s %s", path, rule);
}

static int
check_above(const char *path, struct nrd_err *err)
{
	NRD_FREE char *above = nrd_format("%s", path);
	char *slash = above != NULL ? strrchr(above, '/') : NULL;
	struct stat st;

	if (slash == NULL)
		return nrd_nomem(err);
	slash[slash == above ? 1 : 0] = '\0';
	if (stat(above, &st) < 0)
		/* Install makes it. */
		return errno == ENOENT ? 0 : nrd_fail(err, errno, "ZonePath", "%s: %m", above);
	if (st.st_uid != 0 || (st.st_mode & 022) != 0)
		return nrd_fail(err, EPERM, "ZonePath",
				"%s, above the zonepath, must be root's and writable by nobody else",
				above);
	return 0;
}

static int
check_zonepath(const struct zone_config *config, struct nrd_err *err)
{
	const char *path = config->zonepath;
	struct statfs fs;
	struct stat st;
	int r = check_above(path, err);

	if (r < 0)
		return r;
	if (lstat(path, &st) < 0) {
		if (errno != ENOENT)
			return nrd_fail(err, errno, "ZonePath", "zonepath %s: %m", path);
		return config->installed == ZONE_INSTALLED && !brand_has_dataset(config)
			       ? nrd_fail(err, ENOENT, "ZoneRootMissing", "zonepath %s: %m", path)
			       : 0;
	}
	if (S_ISLNK(st.st_mode))
		return bad_path(err, path, "is a symbolic link");
	if (!S_ISDIR(st.st_mode))
		return bad_path(err, path, "is no directory");
	if (st.st_uid != 0 || (st.st_mode & 0777) != 0700)
		return bad_path(err, path, "must be a directory of root's with mode 0700");
	if (statfs(path, &fs) == 0 && (unsigned long)fs.f_type == NFS_SUPER_MAGIC)
		return bad_path(err, path, "is on NFS, which cannot show a zone's ids");
	return 0;
}

/* ---- what it is given of the node's ---- */

static int
check_filesystems(const struct zone_config *config, struct nrd_err *err)
{
	for (size_t i = 0; i < config->n_filesystems; i++) {
		const struct zone_fs *fs = &config->filesystems[i];
		bool optional = fs->options != NULL &&
				nrd_strv_has(NRD_CSTRV(fs->options), "optional");
		int r = brand_fs_check(fs, err);

		if (r < 0)
			return r;
		if (nrd_streq(fs->type, "lofs") && !optional && access(fs->source, F_OK) < 0)
			return nrd_fail(err, errno, "BadFilesystem", "fs %s: %s: %m", fs->target,
					fs->source);
	}
	return 0;
}

static int
check_datasets(const struct zone_config *config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = 0;

	if (config->datasets == NULL || config->datasets[0] == NULL)
		return 0;
	r = store_open(&store, err);
	for (size_t i = 0; r == 0 && config->datasets[i] != NULL; i++)
		if (!store_dataset_exists(store, config->datasets[i]))
			r = nrd_fail(err, ENOENT, "ZfsNotFound", "there is no dataset %s",
				     config->datasets[i]);
	return r;
}

static int
check_machine(const struct zone_config *config, struct nrd_err *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t wanted = 0;
	char least[24] = "";

	if (config->dedicated_cpu == NULL)
		return 0;
	(void)nrd_strcpy_to(least, sizeof(least), config->dedicated_cpu);
	least[strcspn(least, "-")] = '\0';
	if (nrd_parse_u64(least, 0, UINT64_MAX, &wanted, NULL) == 0 && cpus > 0 &&
	    wanted >= (uint64_t)cpus)
		return nrd_fail(err, ERANGE, "BadCpus",
				"dedicated-cpu: it wants %s processors, and the node has %ld and needs one",
				least, cpus);
	return 0;
}

int
brand_verify(const struct zone_config *config, struct nrd_err *err)
{
	const struct brand *brand;
	NRD_FREE char *root = nrd_path_join(config->zonepath, "root");
	int r = brand_of(config, &brand, err);

	if (r == 0 && root == NULL)
		r = nrd_nomem(err);
	if (r == 0)
		r = zone_config_verify(config, err);
	if (r == 0)
		r = check_zonepath(config, err);
	if (r == 0)
		r = check_filesystems(config, err);
	if (r == 0)
		r = check_datasets(config, err);
	if (r == 0)
		r = check_machine(config, err);
	if (r < 0)
		return r;
	if (config->installed == ZONE_INSTALLED)
		return brand_root_ready(config, err);
	if (config->installed == ZONE_CONFIGURED && nrd_path_exists(root))
		return nrd_fail(err, EEXIST, "ZoneExists",
				"there is a root in %s already: attach it, or remove it",
				config->zonepath);
	return 0;
}
