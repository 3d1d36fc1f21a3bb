/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/make.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "brand/lifecycle.h"
#include "brand/provision.h"
#include "brand/steps.h"
#include "link/flow.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/archive.h"
#include "vm/disks.h"
#include "vm/docker.h"
#include "vm/guest.h"
#include "vm/history.h"
#include "vm/nics.h"
#include "vm/object.h"
#include "vm/power.h"
#include "vm/reprovision.h"
#include "vm/snapshot.h"
#include "vm/storage.h"
#include "vm/transition.h"
#include "zone/config-guest.h"
#include "zone/ids.h"

#define SCHEMA (&zone_config_schema)

static const struct brand_place node = { .dir = NULL };

void
vm_plan_fini(struct vm_plan *plan)
{
	zone_config_fini(&plan->config);
	vm_image_fini(&plan->image);
	free(plan->origin);
}

void
vm_plan_cleanup(struct vm_plan *plan)
{
	vm_plan_fini(plan);
}

/* ---- planned ---- */

int
vm_must_be_new(const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(zone_config) other = { 0 };
	int r = zone_config_read(NULL, c->zonename, &other, NULL);

	if (r == -ENOENT)
		return zone_config_clash(NULL, c, err);
	return r < 0 ? zone_config_read(NULL, c->zonename, &other, err)
		     : nrd_fail(err, EEXIST, "VmExists", "there is a machine %s already", c->zonename);
}

/* What gives a zone its own dataset: the tenant's, from birth. */
static int
add_data(struct zone_config *c)
{
	int r = nrd_strv_addf(&c->datasets, "%s/" VM_DATA, c->zfs_filesystem);

	NRD_SET(SCHEMA, c, datasets);
	return r;
}

int
vm_plan_create(const struct nrd_val *payload, struct vm_plan *ret_plan, struct nrd_err *err)
{
	NRD_AUTO(vm_plan) plan = { 0 };
	NRD_AUTO(vm_bad) bad = { 0 };
	int r = vm_payload_create(payload, &plan.config, &plan.wish, &bad, err);

	if (r == 0)
		r = vm_bad_fail(&bad, err);
	if (r == 0)
		r = zone_config_fill(&plan.config, err);
	if (r == 0)
		r = vm_disks_fill(&plan.config, NULL, err);
	if (r == 0)
		r = vm_nics_fill(&plan.config, NULL, err);
	if (r == 0)
		r = vm_docker_fill(&plan.config, err);
	if (r == 0 && plan.wish.delegate_dataset && add_data(&plan.config) < 0)
		r = nrd_nomem(err);
	if (r == 0)
		r = zone_config_verify(&plan.config, err);
	if (r == 0)
		r = vm_must_be_new(&plan.config, err);
	if (r == 0)
		r = vm_nics_check(&plan.config, err);
	if (r == 0)
		r = vm_image_find(&plan.config, &plan.image, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct vm_plan){ 0 };
	return 0;
}

static int
describe_disk(const struct vm_plan *plan, const struct zone_disk *d, char ***steps)
{
	unsigned long long mib = d->size;

	if (plan->origin != NULL)
		return nrd_strv_addf(steps, "create %s, %llu MiB, of that snapshot", d->zfs_filesystem, mib);
	return nrd_strv_addf(steps, "create %s, %llu MiB%s%s", d->zfs_filesystem, mib, d->image_uuid != NULL ? ", of image " : "",
			     d->image_uuid != NULL ? d->image_uuid : "");
}

int
vm_plan_describe(const struct vm_plan *plan, char ***ret_steps, struct nrd_err *err)
{
	NRD_STRV char **steps = NULL;
	const struct zone_config *c = &plan->config;
	const char *root = plan->origin != NULL ? plan->origin : plan->image.snapshot;
	int r = nrd_strv_addf(&steps, "write " ZONE_DIR "/%s.json", c->zonename);

	if (r == 0 && root != NULL)
		r = nrd_strv_addf(&steps, "clone %s to %s", root, c->zfs_filesystem);
	else if (r == 0)
		r = nrd_strv_addf(&steps, "create %s, from the platform", c->zfs_filesystem);
	if (r == 0 && c->quota != 0)
		r = nrd_strv_addf(&steps, "give it a quota of %llu GiB", (unsigned long long)c->quota);
	if (r == 0 && plan->wish.delegate_dataset)
		r = nrd_strv_addf(&steps, "create %s/" VM_DATA ", for its root to manage", c->zfs_filesystem);
	for (size_t i = 0; r == 0 && i < c->n_disks; i++)
		if (c->disks[i].zfs_filesystem != NULL)
			r = describe_disk(plan, &c->disks[i], &steps);
	if (r == 0 && c->autoboot)
		r = nrd_strv_add(&steps, "boot it");
	if (r < 0)
		return nrd_nomem(err);
	*ret_steps = NRD_TAKE(steps);
	return 0;
}

/* What an image wants is for the controller to see to; who makes a machine by hand is told. */
static int
warn_of_image(const struct image_manifest *m, uint64_t ram, char ***lines)
{
	const struct image_requirements *q = m->requirements;
	int r = 0;

	if (m->disabled)
		r = nrd_strv_addf(lines, "image %s (%s) is disabled: its maker would not have it used any more",
				  m->uuid, m->name);
	if (r == 0 && q != NULL && q->min_ram > ram)
		r = nrd_strv_addf(lines, "image %s wants at least %llu MiB of memory, and it has %llu MiB", m->name,
				  (unsigned long long)q->min_ram, (unsigned long long)ram);
	if (r == 0 && q != NULL && q->max_ram != 0 && q->max_ram < ram)
		r = nrd_strv_addf(lines, "image %s wants at most %llu MiB of memory, and it has %llu MiB", m->name,
				  (unsigned long long)q->max_ram, (unsigned long long)ram);
	return r;
}

int
vm_plan_warnings(const struct vm_plan *plan, char ***ret_lines, struct nrd_err *err)
{
	NRD_STRV char **lines = NULL;
	uint64_t node_mib = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
	uint64_t ram = zone_is_guest(&plan->config) ? plan->config.ram : plan->config.max_physical_memory;
	int r = vm_guest_warn(&plan->config, &lines) < 0 ? -ENOMEM : 0;

	if (r == 0 && ram > node_mib)
		r = nrd_strv_addf(&lines, "it may use %llu MiB of memory, and the node has %llu MiB",
				  (unsigned long long)ram, (unsigned long long)node_mib);
	if (r == 0 && plan->config.quota != 0 && plan->image.bytes >> 30 >= plan->config.quota)
		r = nrd_strv_addf(&lines, "its quota is %llu GiB, and its image holds more, %llu MiB: that does not count, "
				  "but it cannot all be written anew", (unsigned long long)plan->config.quota,
				  (unsigned long long)(plan->image.bytes >> 20));
	if (r == 0 && plan->image.image.known)
		r = warn_of_image(&plan->image.image.manifest, ram, &lines);
	if (r < 0)
		return nrd_nomem(err);
	*ret_lines = NRD_TAKE(lines);
	return 0;
}

/* ---- made ---- */

struct making {
	struct vm_plan *plan;
	bool written;
};

static int
up_file(void *arg, struct nrd_err *err)
{
	struct making *m = arg;
	struct zone_config *c = &m->plan->config;
	int r = vm_transition_set(c, BRAND_PROVISIONING) < 0 ? nrd_nomem(err) : 0;

	/* Its numbers first: each write to come would take new ones. */
	if (r == 0)
		r = zone_config_number(NULL, c, err);
	if (r == 0 && c->id_base == 0) {
		r = zone_ids_take(NULL, c->id_count, &c->id_base, err);
		NRD_SET(SCHEMA, c, id_base);
	}
	if (r == 0)
		r = zone_config_write(NULL, &m->plan->config, err);
	m->written = r == 0;
	return r;
}

static void
down_file(void *arg)
{
	struct making *m = arg;

	if (!m->written)
		return;
	(void)zone_config_delete(NULL, m->plan->config.zonename, NULL);
	zone_run_remove(m->plan->config.zonename);
}

static int
up_root(void *arg, struct nrd_err *err)
{
	struct making *m = arg;
	const char *snapshot = m->plan->origin != NULL ? m->plan->origin : m->plan->image.snapshot;
	const struct brand_install_opts how = { .source = { .snapshot = snapshot } };

	return brand_install(&node, &m->plan->config, &how, err);
}

static void
down_root(void *arg)
{
	struct making *m = arg;

	if (m->plan->config.installed != ZONE_CONFIGURED)
		(void)brand_uninstall(&node, &m->plan->config, NULL);
}

static int
up_storage(void *arg, struct nrd_err *err)
{
	struct making *m = arg;

	int r = vm_storage_make(&m->plan->config, err);

	if (r < 0)
		return r;
	/* What a failure leaves of them is below the root's dataset, and goes with it. */
	return m->plan->origin != NULL ? vm_disks_clone(m->plan->origin, &m->plan->config, err) :
					 vm_disks_make(NULL, &m->plan->config, err);
}

/*
 * Whether somebody in it says that it is provisioned. From here on the machine is whole: a power cut
 * leaves it.
 */
static int
up_marker(void *arg, struct nrd_err *err)
{
	struct making *m = arg;
	int r = m->plan->config.autoboot ? brand_marker_make(&m->plan->config, err) : 0;

	if (r <= 0)
		return r;
	if (brand_provisioning_set(&m->plan->config, BRAND_PROVISIONING_S) < 0)
		return nrd_nomem(err);
	m->plan->waits = true;
	return zone_config_write(NULL, &m->plan->config, err);
}

static void
down_marker(void *arg)
{
	struct making *m = arg;

	NRD_CLEAR(SCHEMA, &m->plan->config, transition_expire);
	(void)zone_config_write(NULL, &m->plan->config, NULL);
}

static int
up_boot(void *arg, struct nrd_err *err)
{
	struct making *m = arg;
	struct vm vm = { .config = m->plan->config }; /* only borrowed */

	return m->plan->config.autoboot ? vm_boot(&vm, err) : 0;
}

static void
down_boot(void *arg)
{
	struct making *m = arg;
	struct vm vm = { .config = m->plan->config };

	if (zone_run_read(vm.config.zonename, &vm.run, NULL) == 0 && vm.run.state >= ZONE_ST_READY)
		(void)vm_halt(&vm, NULL);
}

static int
up_done(void *arg, struct nrd_err *err)
{
	struct making *m = arg;

	if (m->plan->waits)
		return 0;
	brand_provisioning_clear(&m->plan->config);
	return zone_config_write(NULL, &m->plan->config, err);
}

static const struct brand_step steps[] = {
	{ "file", up_file, down_file },
	{ "root", up_root, down_root },
	{ "storage", up_storage },
	{ "marker", up_marker, down_marker },
	{ "boot", up_boot, down_boot },
	{ "done", up_done },
};

int
vm_create(struct vm_plan *plan, struct nrd_err *err)
{
	struct making m = { .plan = plan };
	NRD_CLOSE int lock = -1;
	int r = zone_lock(plan->config.zonename, true, &lock, err);

	/* Somebody may have made it while we waited. */
	if (r == 0)
		r = vm_must_be_new(&plan->config, err);
	if (r == 0)
		r = brand_steps_run(steps, nrd_count(steps), &m, err);
	return r < 0 ? r : vm_history_add(&plan->config, plan->origin != NULL ? "clone" : "create", NULL, err);
}

/* ---- removed ---- */

static int
check_indestructible(const struct zone_config *c, struct nrd_err *err)
{
	if (c->indestructible_zoneroot)
		return nrd_fail(err, EPERM, "VmIndestructible",
				"it is indestructible: vmadm update it with indestructible_zoneroot=false first");
	if (c->indestructible_delegated && c->datasets != NULL && c->datasets[0] != NULL)
		return nrd_fail(err, EPERM, "VmIndestructible",
				"its data are indestructible: vmadm update it with "
				"indestructible_delegated=false first");
	return 0;
}

/* From the mark on, what is cut off is finished by vm_sweep. */
static int
mark_removal(struct zone_config *c, struct nrd_err *err)
{
	if (vm_transition_set(c, VM_DELETING) < 0)
		return nrd_nomem(err);
	c->autoboot = false;
	NRD_SET(SCHEMA, c, autoboot);
	if (c->installed == ZONE_INSTALLED)
		c->installed = ZONE_INCOMPLETE;
	return zone_config_write(NULL, c, err);
}

static int
remove_vm(struct vm *vm, struct nrd_err *err)
{
	struct zone_config *c = &vm->config;
	int r = vm_stop(vm, VM_STOP_FORCE, 0, err); /* 1: it is down */

	if (r >= 0)
		r = vm_archive(vm, err);
	if (r == 0)
		r = mark_removal(c, err);
	if (r == 0 && c->installed != ZONE_CONFIGURED)
		r = brand_uninstall(&node, c, err);
	if (r == 0)
		r = zone_config_delete(NULL, c->zonename, err);
	if (r < 0)
		return r;
	zone_run_remove(c->zonename);
	flow_keep_zone(c->zonename, NULL);
	return 0;
}

int
vm_delete(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	if (r == 0)
		r = check_indestructible(&vm.config, err);
	if (r == 0)
		r = vm_snapshots_check_heirs(&vm, err);
	if (r == 0)
		r = remove_vm(&vm, err);
	return r < 0 ? r : vm_history_add(&vm.config, "delete", NULL, err);
}

int
vm_delete_describe(const char *uuid, char ***ret_steps, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_STRV char **words = NULL;
	int r = vm_read(uuid, &vm, err);

	if (r == 0)
		r = check_indestructible(&vm.config, err);
	if (r < 0)
		return r;
	if (vm.run.state > ZONE_ST_INSTALLED)
		r = nrd_strv_add(&words, "halt it");
	if (r == 0 && brand_has_dataset(&vm.config))
		r = nrd_strv_addf(&words, "destroy %s, with its snapshots and what is below it", vm.config.zfs_filesystem);
	if (r == 0)
		r = nrd_strv_addf(&words, "remove " ZONE_DIR "/%s.json", vm.config.zonename);
	if (r < 0)
		return nrd_nomem(err);
	*ret_steps = NRD_TAKE(words);
	return 0;
}

/* It was booting for the first time, and will again; or somebody else brings its dataset, in time. */
static bool
is_kept(const struct zone_config *c)
{
	if (c->transition_expire == 0)
		return false;
	return brand_is_provisioning(c) ||
	       (nrd_streq(c->transition, VM_RECEIVING) && c->transition_expire / 1000 > (uint64_t)time(NULL));
}

static int
sweep_one(const char *name, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = zone_lock(name, true, &lock, err);

	if (r == 0)
		r = vm_read_zone(name, &vm, err);
	if (r < 0 || vm.config.transition == NULL || vm.config.transition[0] == '\0')
		return r;
	if (is_kept(&vm.config))
		return 0;
	if (vm_reprovision_cut_off(&vm)) {
		(void)fprintf(stderr, "vmadm: %s: it was cut off while it was given a new root: it %s\n", name,
			      nrd_streq(vm.config.transition, VM_REPROVISIONED) ? "has that" : "keeps its old one");
		return vm_reprovision_mend(&vm, err);
	}
	(void)fprintf(stderr, "vmadm: %s: its %s was cut off: it is removed\n", name,
		      nrd_streq(vm.config.transition, VM_DELETING) ? "removal" : "making");
	return remove_vm(&vm, err);
}

int
vm_sweep(struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = zone_config_list(NULL, &names, err), first = 0;

	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++) {
		int one = sweep_one(names[i], first == 0 ? err : NULL);

		if (one < 0 && one != -ENOENT && first == 0)
			first = one;
	}
	return r < 0 ? r : first;
}
