/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "pool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "partition.h"

#define ZPOOL_LIMIT_MS 600000 /* many disks; encrypted: people type */
#define POOL_NAME_MAX  200

/* A disk of the layout and where the pool will find it. */
struct pool_disk {
	const struct disk *disk; /* borrowed */
	const char *name;        /* in the layout; borrowed */
	bool in_vdev;
	char *device;
};

struct pool_disks {
	struct pool_disk *data;
	size_t len;
};

static void
pool_disks_cleanup(struct pool_disks *disks)
{
	for (size_t i = 0; i < disks->len; i++)
		free(disks->data[i].device);
	free(disks->data);
}

static int
check_pool_name(const char *pool, struct nrd_err *err)
{
	bool good = isalpha((unsigned char)pool[0]) && strlen(pool) <= POOL_NAME_MAX;

	for (const char *c = pool; good && *c != '\0'; c++)
		good = isalnum((unsigned char)*c) || strchr("_-.:", *c) != NULL;
	if (!good)
		return nrd_fail(err, EINVAL, "BadPoolName",
				"pool %s: a name is a letter, then letters, digits, '_', '-', '.', ':'",
				pool);
	return 0;
}

static int
check_pool_missing(const char *pool, struct nrd_err *err)
{
	const char *const argv[] = { "zpool", "list", "-H", "-o", "name", pool, NULL };
	const struct nrd_proc proc = { .argv = argv, .timeout_ms = ZPOOL_LIMIT_MS };
	int status;
	int r = nrd_run(&proc, NULL, &status, err);

	if (r < 0)
		return nrd_wrap(err, r, "pool %s", pool);
	if (status == 0)
		return nrd_fail(err, EEXIST, "PoolExists", "pool %s: is there already", pool);
	return 0;
}

static int
args_add(char ***args, const char *arg, struct nrd_err *err)
{
	return nrd_strv_add(args, arg) < 0 ? nrd_nomem(err) : 0;
}

static int
args_add_members(char ***args, const char *keyword, const struct disk_member *members, size_t n,
		 const char *(*device)(void *arg, const char *name), void *arg,
		 struct nrd_err *err)
{
	int r = n > 0 && keyword != NULL ? args_add(args, keyword, err) : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *path = device(arg, members[i].name);

		r = path != NULL ? args_add(args, path, err) :
				   nrd_fail(err, ENOENT, "DiskNotFound", "no such disk: %s",
					    members[i].name);
	}
	return r;
}

int
disk_pool_vdev_args(const struct disk_layout *layout,
		    const char *(*device)(void *arg, const char *name), void *arg,
		    char ***ret_args, struct nrd_err *err)
{
	const struct {
		const char *keyword;
		const struct disk_member *members;
		size_t n;
	} rest[] = {
		{ "spare", layout->spares, layout->n_spares },
		{ "log", layout->logs, layout->n_logs },
		{ "cache", layout->cache, layout->n_cache },
	};
	NRD_STRV char **args = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < layout->n_vdevs; i++) {
		const struct disk_vdev *vdev = &layout->vdevs[i];

		r = args_add_members(&args, vdev->type, vdev->devices, vdev->n_devices, device,
				     arg, err);
	}
	for (size_t i = 0; r == 0 && i < nrd_count(rest); i++)
		r = args_add_members(&args, rest[i].keyword, rest[i].members, rest[i].n, device,
				     arg, err);
	if (r == 0)
		*ret_args = NRD_TAKE(args);
	return r;
}

static const char *
device_of(void *arg, const char *name)
{
	const struct pool_disks *disks = arg;

	for (size_t i = 0; i < disks->len; i++) {
		if (nrd_streq(disks->data[i].name, name))
			return disks->data[i].device;
	}
	return NULL;
}

static size_t
count_in_vdevs(const struct disk_layout *layout)
{
	size_t n = 0;

	for (size_t i = 0; i < layout->n_vdevs; i++)
		n += layout->vdevs[i].n_devices;
	return n;
}

/* Finds every disk of the layout in the inventory. */
static int
resolve(const struct disk_layout *layout, const struct disk_list *disks, struct pool_disks *ret,
	struct nrd_err *err)
{
	struct pool_disks found __attribute__((cleanup(pool_disks_cleanup))) = { 0 };
	size_t in_vdevs = count_in_vdevs(layout);
	const struct disk_member *member;
	size_t n = 0;

	for (size_t i = 0; disk_layout_next(layout, &i, &member);)
		n++;
	found.data = calloc(n > 0 ? n : 1, sizeof(*found.data));
	if (found.data == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; disk_layout_next(layout, &i, &member);) {
		const struct disk *disk = disk_list_find(disks, member->name);

		if (disk == NULL)
			return nrd_fail(err, ENOENT, "DiskNotFound", "no such disk: %s",
					member->name);
		for (size_t j = 0; j < found.len; j++) {
			if (found.data[j].disk == disk)
				return nrd_fail(err, EINVAL, "BadLayout", "disk %s is there twice",
						disk->name);
		}
		found.data[found.len] = (struct pool_disk){
			.disk = disk,
			.name = member->name,
			.in_vdev = found.len < in_vdevs,
		};
		found.len++;
	}
	*ret = found;
	found = (struct pool_disks){ 0 };
	return 0;
}

static int
force_names(const struct pool_disks *disks, const struct disk_pool_opts *opts, char ***ret,
	    struct nrd_err *err)
{
	NRD_STRV char **names = NULL;

	for (size_t i = 0; i < disks->len; i++) {
		const char *name = disks->data[i].disk->name;

		if ((opts->overwrite || (opts->force != NULL && nrd_strv_has(opts->force, name))) &&
		    nrd_strv_add(&names, name) < 0)
			return nrd_nomem(err);
	}
	*ret = NRD_TAKE(names);
	return 0;
}

/* Nothing is written before every disk was found good. */
static int
check_all(const struct pool_disks *disks, bool bootable, const struct disk_partition_opts *opts,
	  struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < disks->len; i++) {
		NRD_AUTO(disk_parts) plan = { 0 };

		if (bootable && disks->data[i].in_vdev)
			r = disk_parts_plan(disks->data[i].disk, &plan, err);
		if (r == 0)
			r = disk_partition_check(disks->data[i].disk, opts, err);
	}
	return r;
}

static int
prepare(struct pool_disk *disk, bool bootable, const struct disk_partition_opts *opts,
	struct nrd_err *err)
{
	NRD_AUTO(disk_parts) parts = { 0 };
	int r;

	if (bootable && disk->in_vdev) {
		r = disk_partition(disk->disk, opts, &parts, err);
		if (r == 0)
			disk->device = NRD_TAKE(parts.zfs);
		return r;
	}
	r = disk_wipe(disk->disk, opts, err);
	if (r == 0 && nrd_str_set(&disk->device, disk->disk->path) < 0)
		return nrd_nomem(err);
	return r;
}

static int
prepare_all(struct pool_disks *disks, const struct disk_pool_opts *opts,
	    struct disk_partition_opts *part, struct nrd_err *err)
{
	int r = check_all(disks, opts->bootable, part, err);

	for (size_t i = 0; r == 0 && i < disks->len; i++) {
		part->esp_number = (int)i; /* the vdevs' disks come first: 0, 1, ... */
		r = prepare(&disks->data[i], opts->bootable, part, err);
	}
	return r;
}

static int
add_properties(char ***args, const char *option, const char *const *properties,
	       struct nrd_err *err)
{
	int r = 0;

	for (; r == 0 && properties != NULL && *properties != NULL; properties++) {
		r = args_add(args, option, err);
		if (r == 0)
			r = args_add(args, *properties, err);
	}
	return r;
}

static int
create_args(const char *pool, const struct disk_layout *layout, struct pool_disks *disks,
	    const struct disk_pool_opts *opts, char ***ret_args, struct nrd_err *err)
{
	/* The disks are asked at each boot, no file remembers them. */
	static const char *const always[] = { "cachefile=none", NULL };
	static const char *const encryption[] = { "encryption=on", "keyformat=passphrase",
						  "keylocation=prompt", NULL };
	NRD_STRV char **args = NULL;
	NRD_STRV char **vdevs = NULL;
	int r = args_add(&args, "zpool", err);

	if (r == 0)
		r = args_add(&args, "create", err);
	if (r == 0 && opts->overwrite)
		r = args_add(&args, "-f", err);
	if (r == 0)
		r = add_properties(&args, "-o", always, err);
	if (r == 0)
		r = add_properties(&args, "-o", opts->properties, err);
	if (r == 0)
		r = add_properties(&args, "-O", opts->fs_properties, err);
	if (r == 0 && opts->encrypted)
		r = add_properties(&args, "-O", encryption, err);
	if (r == 0)
		r = args_add(&args, pool, err);
	if (r == 0)
		r = disk_pool_vdev_args(layout, device_of, disks, &vdevs, err);
	for (size_t i = 0; r == 0 && vdevs != NULL && vdevs[i] != NULL; i++)
		r = args_add(&args, vdevs[i], err);
	if (r == 0)
		*ret_args = NRD_TAKE(args);
	return r;
}

int
disk_pool_create(const char *pool, const struct disk_layout *layout,
		 const struct disk_list *disks, const struct disk_pool_opts *opts,
		 struct nrd_err *err)
{
	struct pool_disks found __attribute__((cleanup(pool_disks_cleanup))) = { 0 };
	NRD_STRV char **force = NULL;
	NRD_STRV char **args = NULL;
	struct disk_partition_opts part = { .esp_number = -1 };
	int r = check_pool_name(pool, err);

	if (r == 0)
		r = resolve(layout, disks, &found, err);
	if (r == 0)
		r = check_pool_missing(pool, err);
	if (r == 0)
		r = force_names(&found, opts, &force, err);
	if (r < 0)
		return r;
	part.force = NRD_CSTRV(force);
	r = prepare_all(&found, opts, &part, err);
	if (r == 0)
		r = create_args(pool, layout, &found, opts, &args, err);
	if (r < 0)
		return r;

	const struct nrd_proc proc = {
		.argv = NRD_CSTRV(args),
		.timeout_ms = ZPOOL_LIMIT_MS,
		.flags = opts->encrypted ? NRD_PROC_STDIN | NRD_PROC_STDOUT | NRD_PROC_SAME_GROUP :
					   0,
	};

	return nrd_wrap(err, nrd_run(&proc, NULL, NULL, err), "create pool %s", pool);
}
