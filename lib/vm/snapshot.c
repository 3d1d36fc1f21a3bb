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
