/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brand/brand.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/guest.h"
#include "vm/power.h"
#include "zone/config-guest.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:%-"

static int
check_name(const char *name, struct nrd_err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > VM_SNAPSHOT_NAME_MAX || strspn(name, NAME_CHARS) != len)
		return nrd_fail(err, EINVAL, "BadSnapshotName",
				"Invalid snapshot name: 1 to %d of letters, digits and _ . : %% -",
				VM_SNAPSHOT_NAME_MAX);
	return 0;
}

static int
check_vm(const struct vm *vm, struct nrd_err *err)
{
	if (!brand_has_dataset(&vm->config))
		return nrd_fail(err, ENOTSUP, "SnapshotsNotHere",
				"its root is a plain directory, of which there are no snapshots");
	if (vm->config.datasets != NULL && vm->config.datasets[0] != NULL)
		return nrd_fail(err, ENOTSUP, "SnapshotsNotHere",
				"it has datasets of its own, which would not go back with it");
	return 0;
}

/* The store, and the snapshot's whole name. */
static int
begin(const struct vm *vm, const char *name, struct store **ret_store, char **ret_snapshot, struct nrd_err *err)
{
	int r = check_name(name, err);

	if (r == 0)
		r = check_vm(vm, err);
	if (r == 0)
		r = store_open(ret_store, err);
	if (r < 0)
		return r;
	*ret_snapshot = nrd_format("%s@" VM_SNAPSHOT_PREFIX "%s", vm->config.zfs_filesystem, name);
	return *ret_snapshot != NULL ? 0 : nrd_nomem(err);
}

static int
names(struct store *store, const struct vm *vm, char ***ret_names, struct nrd_err *err)
{
	return store_dataset_list(store, vm->config.zfs_filesystem, STORE_LIST_SNAPSHOTS, ret_names, err);
}

static int
must_be_there(struct store *store, const struct vm *vm, const char *name, const char *snapshot, struct nrd_err *err)
{
	NRD_STRV char **have = NULL;
	char uuid[NRD_UUID_TEXT];
	int r = names(store, vm, &have, err);

	if (r < 0 || nrd_strv_has(NRD_CSTRV(have), snapshot))
		return r;
	nrd_uuid_format(&vm->config.uuid, uuid);
	return nrd_fail(err, ENOENT, "SnapshotNotFound", "No snapshot named \"%s\" for %s", name, uuid);
}

/* ---- a guest's disks go with its root ---- */

/* What guests have beside their root: the configuration of that moment, in the root's dataset, so that it is in the snapshot. */
#define CONFIG_COPY "config.json"

static int
keep_config(const struct vm *vm, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(vm->config.zonepath, CONFIG_COPY);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	if (!zone_is_guest(&vm->config))
		return 0;
	if (path == NULL)
		return nrd_nomem(err);
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_encode(&zone_config_schema, &vm->config, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_file_write(path, nrd_buf_str(&text), text.len, 0600, err);
}

/* The snapshot of each of its disks; or of each that has it. */
static int
each_disk(struct store *store, const struct vm *vm, const char *snapshot,
	  int (*fn)(struct store *store, const char *name, struct nrd_err *err), struct nrd_err *err)
{
	const char *at = strchr(snapshot, '@');
	int r = 0;

	for (size_t i = 0; r == 0 && i < vm->config.n_disks; i++) {
		const struct zone_disk *d = &vm->config.disks[i];
		NRD_FREE char *name = d->zfs_filesystem != NULL ? nrd_format("%s%s", d->zfs_filesystem, at) : NULL;

		if (d->zfs_filesystem == NULL)
			continue;
		r = name != NULL ? fn(store, name, err) : nrd_nomem(err);
	}
	return r;
}

static int
must_have(struct store *store, const char *name, struct nrd_err *err)
{
	return store_snapshot_exists(store, name) ? 0 :
						    nrd_fail(err, ENOENT, "SnapshotNotFound", "there is no %s: that disk is newer than the "
							     "snapshot, and would not go back: remove it first", name);
}

/* ---- what was cloned from them ---- */

/* Datasets are told by the machine whose they are: POOL/ZONENAME, POOL/ZONENAME/disk0. */
static int
add_owners(char *const *datasets, char ***owners)
{
	int r = 0;

	for (size_t i = 0; r == 0 && datasets != NULL && datasets[i] != NULL; i++) {
		const char *slash = strchr(datasets[i], '/');
		const char *name = slash != NULL ? slash + 1 : datasets[i];
		NRD_FREE char *owner = nrd_str_dup(nrd_strn(name, strcspn(name, "/")));

		if (owner == NULL)
			return -ENOMEM;
		if (!nrd_strv_has(NRD_CSTRV(*owners), owner))
			r = nrd_strv_add(owners, owner);
	}
	return r;
}

static int
owners_of(struct store *store, const char *snapshot, char ***owners, struct nrd_err *err)
{
	NRD_STRV char **clones = NULL;
	int r = store_snapshot_clones(store, snapshot, &clones, err);

	return r == 0 && add_owners(clones, owners) < 0 ? nrd_nomem(err) : r;
}

static int
must_be_nobodys(struct store *store, const char *snapshot, struct nrd_err *err)
{
	NRD_STRV char **owners = NULL;
	NRD_FREE char *names = NULL;
	int r = owners_of(store, snapshot, &owners, err);

	if (r < 0 || owners == NULL)
		return r;
	names = nrd_strv_join(NRD_CSTRV(owners), ", ");
	return names == NULL ? nrd_nomem(err) :
			       nrd_fail(err, EBUSY, "SnapshotHasClones", "snapshot %s has dependent clones: delete %s first", snapshot,
					names);
}

/* ZFS would destroy the snapshots behind it, and what was cloned from those. */
static int
newer_must_be_nobodys(struct store *store, const char *snapshot, struct nrd_err *err)
{
	NRD_FREE char *dataset = nrd_str_dup(nrd_strn(snapshot, strcspn(snapshot, "@")));
	NRD_STRV char **all = NULL;
	bool newer = false;
	int r = dataset != NULL ? store_dataset_list(store, dataset, STORE_LIST_SNAPSHOTS, &all, err) : nrd_nomem(err);

	for (size_t i = 0; r == 0 && all != NULL && all[i] != NULL; i++) {
		if (newer)
			r = must_be_nobodys(store, all[i], err);
		newer = newer || nrd_streq(all[i], snapshot);
	}
	return r;
}

/* It takes over those up to the one that it was made of. */
static int
check_heir(struct store *store, const char *clone, char *const *snapshots, struct nrd_err *err)
{
	char origin[256] = "";
	bool past = false;
	int r = store_dataset_get(store, clone, "origin", origin, sizeof(origin), err);

	if (r < 0)
		return r;
	for (size_t i = 0; !past && snapshots != NULL && snapshots[i] != NULL; i++) {
		NRD_FREE char *same = nrd_format("%s%s", clone, strchr(snapshots[i], '@'));

		if (same == NULL)
			return nrd_nomem(err);
		if (store_snapshot_exists(store, same))
			return nrd_fail(err, EBUSY, "SnapshotHasClones", "%s was cloned from it and would take over snapshot %s, and has one "
					"of that name: delete either snapshot first", clone, snapshots[i]);
		past = nrd_ends(origin, strchr(snapshots[i], '@'));
	}
	return 0;
}

int
vm_snapshots_check_heirs(const struct vm *vm, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_STRV char **snapshots = NULL;
	NRD_STRV char **clones = NULL;
	int r = brand_has_dataset(&vm->config) ? store_open(&store, err) : 0;

	if (r < 0 || store == NULL || !store_dataset_exists(store, vm->config.zfs_filesystem))
		return r;
	r = names(store, vm, &snapshots, err);
	if (r == 0)
		r = store_dataset_clones(store, vm->config.zfs_filesystem, &clones, err);
	for (size_t i = 0; r == 0 && clones != NULL && clones[i] != NULL; i++)
		r = check_heir(store, clones[i], snapshots, err);
	return r;
}

/* ---- the verbs ---- */

int
vm_snapshot_check(const struct vm *vm, const char *name, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *snapshot = NULL;
	int r = begin(vm, name, &store, &snapshot, err);

	if (r == 0 && store_snapshot_exists(store, snapshot))
		r = nrd_fail(err, EEXIST, "SnapshotExists", "snapshot with name \"%s\" already exists.", name);
	return r;
}

/* All disks at one instant. */
static int
take(struct store *store, const struct vm *vm, const char *snapshot, struct nrd_err *err)
{
	return store_dataset_snapshot(store, vm->config.zfs_filesystem, strchr(snapshot, '@') + 1, zone_is_guest(&vm->config), err);
}

/* The same while the guest's filesystems stand still, if they can. */
static int
take_quiesced(struct store *store, const struct vm *vm, const char *snapshot, struct vm_snapshot_how *how, struct nrd_err *err)
{
	NRD_CLOSE int frozen = -1;
	int r;

	how->ran = zone_is_guest(&vm->config) && vm->run.state == ZONE_ST_RUNNING;
	if (how->ran && vm_guest_freeze(vm, &frozen, &how->why) < 0)
		frozen = -1;
	r = take(store, vm, snapshot, err);
	/* It may have been thawed before the end of it. */
	how->quiesced = frozen >= 0 && vm_guest_thaw(vm, frozen, &how->why) == 0;
	return r == 0 && how->quiesced ? store_dataset_set(store, snapshot, VM_SNAPSHOT_QUIESCED, "yes", err) : r;
}

int
vm_snapshot_create(const struct vm *vm, const char *name, struct vm_snapshot_how *ret_how, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *snapshot = NULL;
	struct vm_snapshot_how how = { 0 };
	int r = begin(vm, name, &store, &snapshot, err);

	if (r == 0)
		r = keep_config(vm, err);
	if (r == 0)
		r = take_quiesced(store, vm, snapshot, &how, err);
	if (r == -EEXIST)
		return nrd_fail(err, EEXIST, "SnapshotExists", "snapshot with name \"%s\" already exists.", name);
	if (r == -ENOSPC && vm->config.flexible_disk_size != 0)
		return nrd_fail(err, ENOSPC, "ZfsNoSpace", "flexible_disk_size has no room for what its disks may overwrite: make it larger, or "
				"delete snapshots");
	if (r == 0 && ret_how != NULL)
		*ret_how = how;
	return r;
}

int
vm_snapshot_delete(const struct vm *vm, const char *name, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *snapshot = NULL;
	int r = begin(vm, name, &store, &snapshot, err);

	if (r == 0)
		r = must_be_there(store, vm, name, snapshot, err);
	if (r == 0)
		r = must_be_nobodys(store, snapshot, err);
	if (r == 0)
		r = each_disk(store, vm, snapshot, must_be_nobodys, err);
	if (r == 0)
		r = each_disk(store, vm, snapshot, store_dataset_destroy, err);
	return r < 0 ? r : store_dataset_destroy(store, snapshot, err);
}

int
vm_snapshot_rollback(struct vm *vm, const char *name, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *snapshot = NULL;
	bool running = vm->run.state > ZONE_ST_INSTALLED;
	int r = begin(vm, name, &store, &snapshot, err);

	if (r == 0)
		r = must_be_there(store, vm, name, snapshot, err);
	if (r == 0)
		r = each_disk(store, vm, snapshot, must_have, err);
	if (r == 0)
		r = newer_must_be_nobodys(store, snapshot, err);
	if (r == 0)
		r = each_disk(store, vm, snapshot, newer_must_be_nobodys, err);
	if (r == 0 && running)
		r = vm_halt(vm, err);
	if (r == 0)
		r = each_disk(store, vm, snapshot, store_dataset_rollback, err);
	if (r == 0)
		r = store_dataset_rollback(store, snapshot, err);
	return r == 0 && running ? vm_boot(vm, err) : r;
}

static bool
is_quiesced(struct store *store, const char *snapshot)
{
	char value[8];

	return store_dataset_get(store, snapshot, VM_SNAPSHOT_QUIESCED, value, sizeof(value), NULL) == 0 && nrd_streq(value, "yes");
}

/* Mounted by nobody else: what is below .zfs would be mounted where everybody sees it. */
static int
read_config(const char *snapshot, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_CLOSE int top = -1;
	NRD_FREE char *path = NULL;
	int r = store_dataset_open(snapshot, true, &top, err);

	if (r < 0)
		return r;
	path = nrd_format("/proc/self/fd/%d/" CONFIG_COPY, top);
	return path == NULL ? nrd_nomem(err) : nrd_wrap(err, zone_config_read_file(path, ret_config, err), "snapshot %s", snapshot);
}

int
vm_snapshot_read(const struct vm *vm, const char *name, char **ret_snapshot, struct zone_config *ret_config, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_FREE char *snapshot = NULL;
	int r = begin(vm, name, &store, &snapshot, err);

	if (r == 0)
		r = must_be_there(store, vm, name, snapshot, err);
	if (r == 0 && zone_is_guest(&vm->config))
		r = read_config(snapshot, ret_config, err);
	else if (r == 0)
		r = nrd_object_copy(&zone_config_schema, &vm->config, ret_config) < 0 ? nrd_nomem(err) : 0;
	if (r == 0)
		*ret_snapshot = NRD_TAKE(snapshot);
	return r;
}

int
vm_snapshots_write(const struct vm *vm, struct nrd_jw *w, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	NRD_STRV char **have = NULL;
	int r = store_open(&store, err);

	if (r == 0)
		r = names(store, vm, &have, err);
	nrd_jw_key(w, "snapshots");
	nrd_jw_arr_open(w);
	for (size_t i = 0; r == 0 && have != NULL && have[i] != NULL; i++) {
		const char *name = nrd_starts(strchr(have[i], '@') + 1, VM_SNAPSHOT_PREFIX);
		char epoch[32], created[NRD_DATE_TEXT];
		uint64_t seconds = 0;

		if (name == NULL || store_dataset_get(store, have[i], "creation", epoch, sizeof(epoch), NULL) < 0 ||
		    nrd_parse_u64(epoch, 0, INT64_MAX / 1000, &seconds, NULL) < 0)
			continue;
		nrd_date_format((int64_t)seconds * 1000, created);
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "name", name);
		nrd_jw_kstr(w, "created_at", created);
		if (zone_is_guest(&vm->config))
			nrd_jw_kbool(w, "quiesced", is_quiesced(store, have[i]));
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
	/* A dataset that is gone has no snapshots: the rest of the machine is still to be seen. */
	return r == -ENOMEM ? r : 0;
}
