/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The old root is put aside as DATASET-old, not mounted by anybody, until the new one is whole:
 *
 *	reprovisioning	old root aside (or not yet), new one made, delegated dataset moved over
 *	reprovisioned	the file names the new image; the old root goes
 *
 * In the first a power cut is taken back, in the second it is finished.
 */
#include "vm/reprovision.h"

#include <errno.h>
#include <stdlib.h>

#include "brand/lifecycle.h"
#include "brand/provision.h"
#include "brand/steps.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/history.h"
#include "vm/image.h"
#include "vm/payload.h"
#include "vm/power.h"
#include "vm/storage.h"
#include "vm/transition.h"

#define SCHEMA (&zone_config_schema)

static const struct brand_place node = { .dir = NULL };

struct job {
	struct vm *vm;
	const struct vm_image *image;
	const char *image_uuid; /* NULL: none */
	struct store *store;
	char *root, *old;           /* datasets */
	char *data, *old_data;      /* the delegated one, below each */
	bool has_data;
	bool boot, waits;
};

static void
job_cleanup(struct job *j)
{
	store_cleanup(&j->store);
	free(j->root);
	free(j->old);
	free(j->data);
	free(j->old_data);
}

static int
job_open(struct job *j, struct nrd_err *err)
{
	const struct zone_config *c = &j->vm->config;

	j->root = nrd_format("%s", c->zfs_filesystem);
	j->old = nrd_format("%s-old", c->zfs_filesystem);
	j->data = nrd_format("%s/" VM_DATA, c->zfs_filesystem);
	j->old_data = nrd_format("%s-old/" VM_DATA, c->zfs_filesystem);
	if (j->root == NULL || j->old == NULL || j->data == NULL || j->old_data == NULL)
		return nrd_nomem(err);
	return store_open(&j->store, err);
}

static int
set_transition(struct zone_config *c, const char *value, struct nrd_err *err)
{
	return vm_transition_set(c, value) < 0 ? nrd_nomem(err) : zone_config_write(NULL, c, err);
}

static int
set_installed(struct zone_config *c, int installed, struct nrd_err *err)
{
	c->installed = installed;
	NRD_SET(SCHEMA, c, installed);
	return zone_config_write(NULL, c, err);
}

/* ---- aside and back ---- */

static int
up_mark(void *arg, struct nrd_err *err)
{
	struct job *j = arg;

	return set_transition(&j->vm->config, VM_REPROVISIONING, err);
}

static void
down_mark(void *arg)
{
	struct job *j = arg;

	(void)set_transition(&j->vm->config, NULL, NULL);
}

/* Two datasets have one mountpoint for a while: neither is to be mounted there by itself. */
static int
up_aside(void *arg, struct nrd_err *err)
{
	struct job *j = arg;
	int r = store_dataset_set(j->store, j->root, "canmount", "noauto", err);

	if (r == 0)
		r = store_dataset_unmount(j->store, j->root, err);
	if (r == 0)
		r = store_dataset_move(j->root, j->old, err);
	return r == 0 ? set_installed(&j->vm->config, ZONE_CONFIGURED, err) : r;
}

static int
put_back(struct job *j, struct nrd_err *err)
{
	int r = 0;

	if (store_dataset_exists(j->store, j->old)) {
		if (store_dataset_exists(j->store, j->data) && !store_dataset_exists(j->store, j->old_data))
			r = store_dataset_move(j->data, j->old_data, err);
		if (r == 0)
			r = store_dataset_destroy(j->store, j->root, err);
		if (r == 0)
			r = store_dataset_move(j->old, j->root, err);
	}
	if (r == 0)
		r = store_dataset_set(j->store, j->root, "canmount", "on", err);
	if (r == 0)
		r = store_dataset_mount(j->store, j->root, err);
	return r == 0 ? set_installed(&j->vm->config, ZONE_INSTALLED, err) : r;
}

static void
down_aside(void *arg)
{
	(void)put_back(arg, NULL);
}

/* ---- the new root ---- */

static int
up_root(void *arg, struct nrd_err *err)
{
	struct job *j = arg;
	const struct brand_install_opts how = { .source = { .snapshot = j->image->snapshot } };

	return brand_install(&node, &j->vm->config, &how, err);
}

static void
down_root(void *arg)
{
	struct job *j = arg;

	if (j->vm->config.installed != ZONE_CONFIGURED)
		(void)brand_uninstall(&node, &j->vm->config, NULL);
}

static int
up_data(void *arg, struct nrd_err *err)
{
	struct job *j = arg;

	return j->has_data ? store_dataset_move(j->old_data, j->data, err) : 0;
}

static void
down_data(void *arg)
{
	struct job *j = arg;

	if (j->has_data)
		(void)store_dataset_move(j->data, j->old_data, NULL);
}

static int
up_storage(void *arg, struct nrd_err *err)
{
	struct job *j = arg;
	int r = vm_storage_root(&j->vm->config, err);

	if (r < 0 || !j->boot)
		return r;
	r = brand_marker_make(&j->vm->config, err);
	j->waits = r > 0;
	return r < 0 ? r : 0;
}

/* From here on there is no way back. */
static int
up_commit(void *arg, struct nrd_err *err)
{
	struct job *j = arg;
	struct zone_config *c = &j->vm->config;

	if (nrd_str_set(&c->image_uuid, j->image_uuid) < 0)
		return nrd_nomem(err);
	if (j->image_uuid != NULL)
		NRD_SET(SCHEMA, c, image_uuid);
	NRD_CLEAR(SCHEMA, c, failed);
	return set_transition(c, VM_REPROVISIONED, err);
}

static const struct brand_step steps[] = {
	{ "mark", up_mark, down_mark },
	{ "aside", up_aside, down_aside },
	{ "root", up_root, down_root },
	{ "data", up_data, down_data },
	{ "storage", up_storage },
	{ "commit", up_commit },
};

/* ---- afterwards ---- */

static int
forget_old(struct job *j, struct nrd_err *err)
{
	int r = store_dataset_destroy(j->store, j->old, err);

	return r == 0 ? set_transition(&j->vm->config, NULL, err) : r;
}

static int
boot(struct job *j, struct nrd_err *err)
{
	struct zone_config *c = &j->vm->config;

	if (!j->boot)
		return 0;
	if (j->waits) {
		if (brand_provisioning_set(c, BRAND_PROVISIONING_S) < 0)
			return nrd_nomem(err);
		int r = zone_config_write(NULL, c, err);

		if (r < 0)
			return r;
	}
	return vm_boot(j->vm, err);
}

bool
vm_reprovision_cut_off(const struct vm *vm)
{
	return nrd_streq(vm->config.transition, VM_REPROVISIONING) ||
	       nrd_streq(vm->config.transition, VM_REPROVISIONED);
}

int
vm_reprovision_mend(struct vm *vm, struct nrd_err *err)
{
	__attribute__((cleanup(job_cleanup))) struct job j = { .vm = vm };
	int r = job_open(&j, err);

	if (r < 0)
		return r;
	if (nrd_streq(vm->config.transition, VM_REPROVISIONED))
		return forget_old(&j, err);
	r = put_back(&j, err);
	return r == 0 ? set_transition(&vm->config, NULL, err) : r;
}

/* ---- allowed? ---- */

static int
check_payload(const struct nrd_val *payload, const char **ret_uuid, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(payload);

	*ret_uuid = nrd_get_str(payload, "image_uuid");
	if (nrd_val_type(payload) != NRD_VAL_OBJ)
		return nrd_fail(err, EINVAL, "BadPayload", "the payload is no object: {\"image_uuid\": ...}");
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, "image_uuid"))
			return nrd_fail(err, EINVAL, "BadPayload", "%s: only image_uuid is said to reprovision; vmadm update "
					"changes the rest", it.key);
	if (nrd_val_get(payload, "image_uuid") != NULL && *ret_uuid == NULL)
		return nrd_fail(err, EINVAL, "BadPayload", "image_uuid: it is no uuid");
	return 0;
}

static int
refuse(struct nrd_err *err, const char *why)
{
	return nrd_fail(err, ENOTSUP, "VmNotReprovisionable", "%s", why);
}

static int
check_vm(struct job *j, struct nrd_err *err)
{
	const struct zone_config *c = &j->vm->config;
	NRD_STRV char **clones = NULL;
	int r;

	if (c->brand == ZONE_KVM)
		return refuse(err, "a machine of brand kvm is not reprovisioned");
	if (!brand_has_dataset(c) || c->installed != ZONE_INSTALLED)
		return refuse(err, "it has no dataset that could be replaced");
	if (c->indestructible_zoneroot)
		return nrd_fail(err, EPERM, "VmIndestructible",
				"its root is indestructible: vmadm update it with indestructible_zoneroot=false first");
	j->has_data = c->datasets != NULL && c->datasets[0] != NULL;
	if (j->has_data && (c->datasets[1] != NULL || !nrd_streq(c->datasets[0], j->data)))
		return refuse(err, "it has other delegated datasets than the one below its root");
	r = store_dataset_clones(j->store, j->root, &clones, err);
	if (r == 0 && clones != NULL && clones[0] != NULL)
		return nrd_fail(err, EBUSY, "VmNotReprovisionable", "dataset %s was cloned from its root", clones[0]);
	return r;
}

static int
find_image(const struct vm *vm, const char *uuid, struct vm_image *ret_image, struct nrd_err *err)
{
	const struct zone_config wanted = {
		.brand = vm->config.brand, .zpool = vm->config.zpool, .image_uuid = (char *)(uintptr_t)uuid,
	};

	if (uuid == NULL && (vm->config.brand != ZONE_NATIVE || NRD_HAS(SCHEMA, &vm->config, image_uuid)))
		return nrd_fail(err, EINVAL, "BadPayload", "image_uuid: missing; which image is it to be made of?");
	return vm_image_find(&wanted, ret_image, err);
}

int
vm_reprovision(const char *uuid, const struct nrd_val *payload, bool *ret_waits, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(zone_config) before = { 0 };
	NRD_AUTO(vm_image) image = { 0 };
	NRD_CLOSE int lock = -1;
	__attribute__((cleanup(job_cleanup))) struct job j = { .vm = &vm, .image = &image };
	int r = check_payload(payload, &j.image_uuid, err);

	if (r == 0)
		r = vm_open(uuid, &vm, &lock, err);
	if (r == 0)
		r = job_open(&j, err);
	if (r == 0)
		r = check_vm(&j, err);
	if (r == 0)
		r = find_image(&vm, j.image_uuid, &image, err);
	if (r == 0 && nrd_object_copy(SCHEMA, &vm.config, &before) < 0)
		r = nrd_nomem(err);
	j.boot = vm.run.state > ZONE_ST_INSTALLED || vm.config.autoboot;
	if (r == 0 && vm.run.state > ZONE_ST_INSTALLED)
		r = vm_halt(&vm, err);
	vm.run.state = r == 0 ? ZONE_ST_INSTALLED : vm.run.state;
	if (r == 0)
		r = brand_steps_run(steps, nrd_count(steps), &j, err);
	if (r == 0)
		r = vm_history_add(&vm.config, "reprovision", &before, err);
	if (r == 0)
		r = forget_old(&j, err);
	if (r == 0)
		r = boot(&j, err);
	*ret_waits = j.waits;
	return r;
}
