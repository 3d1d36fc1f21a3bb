/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "dataset.h"
#include "nrd/clock.h"
#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store-priv.h"

/* Datasets with what hangs on them: children, snapshots, clones. */

#define ANY_TYPE (ZFS_TYPE_FILESYSTEM | ZFS_TYPE_VOLUME | ZFS_TYPE_SNAPSHOT)
#define BUSY_WAIT_MS 5000
#define BUSY_LOOK_NS 50000000

static int
open_any(struct store *store, const char *name, zfs_handle_t **ret, struct nrd_err *err)
{
	*ret = zfs_open(store->zfs, name, ANY_TYPE);
	return *ret != NULL ? 0 : store_fail(store, err, "dataset %s", name);
}

/* ---- what there is ---- */

struct list {
	struct store *store;
	const char *top;
	unsigned flags;
	char **names; /* owned */
	int failed;
};

static int
collect_snapshot(zfs_handle_t *zhp, void *arg)
{
	struct list *list = arg;

	if (list->failed == 0)
		list->failed = nrd_strv_add(&list->names, zfs_get_name(zhp));
	zfs_close(zhp);
	return 0;
}

static int
collect_child(zfs_handle_t *zhp, void *arg)
{
	struct list *list = arg;

	if ((list->flags & STORE_LIST_SNAPSHOTS) != 0)
		(void)zfs_iter_snapshots_sorted_v2(zhp, 0, collect_snapshot, list, 0, 0);
	else if (list->failed == 0)
		list->failed = nrd_strv_add(&list->names, zfs_get_name(zhp));
	if ((list->flags & STORE_LIST_DEEP) != 0)
		(void)zfs_iter_filesystems_v2(zhp, 0, collect_child, list);
	zfs_close(zhp);
	return 0;
}

int
store_dataset_list(struct store *store, const char *name, unsigned flags, char ***ret_names,
		   struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	struct list list = { .store = store, .top = name, .flags = flags };
	int r = open_any(store, name, &zhp, err);

	if (r < 0)
		return r;
	if ((flags & STORE_LIST_SNAPSHOTS) != 0)
		(void)zfs_iter_snapshots_sorted_v2(zhp, 0, collect_snapshot, &list, 0, 0);
	if ((flags & (STORE_LIST_SNAPSHOTS | STORE_LIST_DEEP)) != STORE_LIST_SNAPSHOTS)
		(void)zfs_iter_filesystems_v2(zhp, 0, collect_child, &list);
	if (list.failed < 0) {
		nrd_strv_free(list.names);
		return nrd_nomem(err);
	}
	*ret_names = list.names;
	return 0;
}

/* "zones/a/b" and "zones/a@x" are below "zones/a"; "zones/ab" is not. */
static bool
is_below(const char *name, const char *top)
{
	const char *rest = nrd_starts(name, top);

	return rest != NULL && (*rest == '\0' || *rest == '/' || *rest == '@');
}

static int
collect_clones(struct list *list, const char *snapshot)
{
	STORE_ZFS zfs_handle_t *zhp = zfs_open(list->store->zfs, snapshot, ZFS_TYPE_SNAPSHOT);
	nvlist_t *clones = zhp != NULL ? zfs_get_clones_nvl(zhp) : NULL;
	nvpair_t *pair = NULL;
	int r = 0;

	while (r == 0 && clones != NULL && (pair = nvlist_next_nvpair(clones, pair)) != NULL)
		if (!is_below(nvpair_name(pair), list->top))
			r = nrd_strv_add(&list->names, nvpair_name(pair));
	return r;
}

int
store_dataset_clones(struct store *store, const char *name, char ***ret_names, struct nrd_err *err)
{
	NRD_STRV char **snapshots = NULL;
	struct list list = { .store = store, .top = name };
	int r = store_dataset_list(store, name, STORE_LIST_DEEP | STORE_LIST_SNAPSHOTS, &snapshots,
				   err);

	for (size_t i = 0; r == 0 && snapshots != NULL && snapshots[i] != NULL; i++)
		r = collect_clones(&list, snapshots[i]);
	if (r < 0) {
		nrd_strv_free(list.names);
		return r == -ENOMEM ? nrd_nomem(err) : r;
	}
	*ret_names = list.names;
	return 0;
}

int
store_snapshot_clones(struct store *store, const char *snapshot, char ***ret_names, struct nrd_err *err)
{
	NRD_FREE char *name = nrd_format("%.*s", (int)strcspn(snapshot, "@"), snapshot);
	struct list list = { .store = store, .top = name };

	if (name == NULL || collect_clones(&list, snapshot) < 0) {
		nrd_strv_free(list.names);
		return nrd_nomem(err);
	}
	*ret_names = list.names;
	return 0;
}

/* ---- what changes it ---- */

static int
unmount_handle(zfs_handle_t *zhp, struct nrd_err *err)
{
	NRD_FREE char *where = NULL;

	if (zfs_get_type(zhp) != ZFS_TYPE_FILESYSTEM || !zfs_is_mounted(zhp, &where))
		return 0;
	/* Not by zfs_unmount: it goes by the mountpoint property, and ours may be legacy. */
	if (umount2(where, UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno == EBUSY)
		return nrd_fail(err, EBUSY, "ZfsBusy",
				"unmount dataset %s: something uses files below %s",
				zfs_get_name(zhp), where);
	return nrd_fail(err, errno, "StoreMount", "unmount dataset %s from %s: %m",
			zfs_get_name(zhp), where);
}

int
store_dataset_unmount(struct store *store, const char *name, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = open_any(store, name, &zhp, err);

	return r < 0 ? r : unmount_handle(zhp, err);
}

/*
 * A volume stays in use for a moment after the end of the process that had it open: what that one had asked of it the kernel ends
 * first, and lets go of it later.
 */
static int
destroy_handle(struct store *store, zfs_handle_t *zhp)
{
	const struct timespec pause = { .tv_nsec = BUSY_LOOK_NS };
	int64_t end = nrd_now_ms() + BUSY_WAIT_MS;

	while (zfs_destroy(zhp, B_FALSE) != 0) {
		if (zfs_get_type(zhp) != ZFS_TYPE_VOLUME || libzfs_errno(store->zfs) != EZFS_BUSY || nrd_now_ms() > end)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* One dataset or snapshot that nothing depends on any more. */
static int
destroy_one(struct store *store, const char *name, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = open_any(store, name, &zhp, err);

	if (r == 0)
		r = nrd_fault(err, "destroy %s", name);
	if (r == 0)
		r = unmount_handle(zhp, err);
	if (r < 0)
		return r;
	return destroy_handle(store, zhp) == 0 ? 0 : store_fail(store, err, "destroy %s", name);
}

/* From the last to the first. Datasets stand before those below them, so these go first. */
static int
destroy_list(struct store *store, char **names, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = nrd_strv_len(NRD_CSTRV(names)); r == 0 && i-- > 0;)
		r = destroy_one(store, names[i], err);
	return r;
}

static int
refuse_cloned(struct store *store, const char *name, struct nrd_err *err)
{
	NRD_STRV char **clones = NULL;
	int r = store_dataset_clones(store, name, &clones, err);

	if (r == 0 && clones != NULL)
		return nrd_fail(err, EBUSY, "ZfsBusy",
				"destroy dataset %s: %s was cloned from it; promote or destroy that first",
				name, clones[0]);
	return r;
}

/* It has no children. */
static int
destroy_leaf(struct store *store, const char *name, struct nrd_err *err)
{
	NRD_STRV char **snapshots = NULL;
	int r = store_dataset_list(store, name, STORE_LIST_SNAPSHOTS, &snapshots, err);

	if (r == 0)
		r = destroy_list(store, snapshots, err);
	return r == 0 ? destroy_one(store, name, err) : r;
}

/*
 * Children may be clones of each other in any order: what cannot go yet is tried again as long as
 * others go.
 */
int
store_dataset_destroy(struct store *store, const char *name, struct nrd_err *err)
{
	NRD_STRV char **below = NULL;
	bool progress = true;
	int r, left = 1;

	if (!zfs_dataset_exists(store->zfs, name, ZFS_TYPE_DATASET))
		return 0;
	if (strchr(name, '@') != NULL)
		return destroy_one(store, name, err); /* it has nothing below it that could be listed */
	r = refuse_cloned(store, name, err);
	if (r == 0)
		r = store_dataset_list(store, name, STORE_LIST_DEEP, &below, err);
	while (r == 0 && left != 0 && progress) {
		progress = false;
		left = 0;
		for (size_t i = nrd_strv_len(NRD_CSTRV(below)); i-- > 0;) {
			if (!store_dataset_exists(store, below[i]))
				continue;
			if (destroy_leaf(store, below[i], err) == 0)
				progress = true;
			else
				left = err != NULL ? -err->num : -EBUSY;
		}
	}
	if (r < 0 || left < 0)
		return r < 0 ? r : left;
	return destroy_leaf(store, name, err);
}

int
store_dataset_snapshot(struct store *store, const char *name, const char *snap, bool recursive,
		       struct nrd_err *err)
{
	NRD_FREE char *full = nrd_format("%s@%s", name, snap);
	int r = full != NULL ? nrd_fault(err, "snapshot %s", full) : nrd_nomem(err);

	if (r < 0)
		return r;
	if (zfs_snapshot(store->zfs, full, recursive, NULL) != 0)
		return store_fail(store, err, "snapshot %s", full);
	return 0;
}

int
store_dataset_clone(struct store *store, const char *snapshot, const char *name,
		    const char *const *props, struct nrd_err *err)
{
	STORE_NVLIST nvlist_t *nvl = NULL;
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = store_props(props, &nvl, err);

	if (r == 0)
		r = nrd_fault(err, "clone %s", snapshot);
	if (r < 0)
		return r;
	zhp = zfs_open(store->zfs, snapshot, ZFS_TYPE_SNAPSHOT);
	if (zhp == NULL)
		return store_fail(store, err, "snapshot %s", snapshot);
	if (zfs_clone(zhp, name, nvl) != 0)
		return store_fail(store, err, "clone %s to %s", snapshot, name);
	return 0;
}

int
store_dataset_rename(struct store *store, const char *name, const char *to, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	renameflags_t flags = { 0 };
	int r = open_any(store, name, &zhp, err);

	if (r < 0)
		return r;
	if (zfs_rename(zhp, to, flags) != 0)
		return store_fail(store, err, "rename dataset %s to %s", name, to);
	return 0;
}

int
store_dataset_move(const char *name, const char *to, struct nrd_err *err)
{
	int r = nrd_fault(err, "move %s", name);

	if (r < 0)
		return r;
	r = lzc_rename(name, to);
	return r == 0 ? 0 : nrd_fail(err, r, "ZfsRename", "rename dataset %s to %s: %s", name, to, strerror(r));
}

int
store_dataset_promote(struct store *store, const char *name, struct nrd_err *err)
{
	STORE_ZFS zfs_handle_t *zhp = NULL;
	int r = open_any(store, name, &zhp, err);

	if (r == 0)
		r = nrd_fault(err, "promote %s", name);
	if (r < 0)
		return r;
	if (zfs_promote(zhp) != 0)
		return store_fail(store, err, "promote dataset %s", name);
	return 0;
}

int
store_dataset_rollback(struct store *store, const char *snapshot, struct nrd_err *err)
{
	NRD_FREE char *name = nrd_format("%.*s", (int)strcspn(snapshot, "@"), snapshot);
	STORE_ZFS zfs_handle_t *zhp = NULL;
	STORE_ZFS zfs_handle_t *snap = NULL;
	int r = name != NULL ? open_any(store, name, &zhp, err) : nrd_nomem(err);

	if (r == 0)
		r = open_any(store, snapshot, &snap, err);
	if (r == 0)
		r = nrd_fault(err, "roll back to %s", snapshot);
	if (r < 0)
		return r;
	if (zfs_rollback(zhp, snap, B_TRUE) != 0)
		return store_fail(store, err, "roll back to %s", snapshot);
	return 0;
}
