/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/object.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "brand/brand.h"
#include "node/sysinfo.h"
#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "vm/disks.h"
#include "vm/legacy.h"
#include "vm/props.h"
#include "vm/reprovision.h"
#include "vm/snapshot.h"
#include "zone/config-guest.h"

#define SCHEMA (&zone_config_schema)

void
vm_fini(struct vm *vm)
{
	zone_config_fini(&vm->config);
}

void
vm_cleanup(struct vm *vm)
{
	vm_fini(vm);
}

int
vm_read_zone(const char *zonename, struct vm *ret_vm, struct nrd_err *err)
{
	int r = zone_config_read(NULL, zonename, &ret_vm->config, err);

	return r == 0 ? zone_run_read(zonename, &ret_vm->run, err) : r;
}

/* Nearly always the zone is named by its uuid. */
int
vm_read(const char *uuid, struct vm *ret_vm, struct nrd_err *err)
{
	NRD_FREE char *name = NULL;
	char have[NRD_UUID_TEXT];
	int r = vm_read_zone(uuid, ret_vm, NULL);

	if (r == 0) {
		nrd_uuid_format(&ret_vm->config.uuid, have);
		if (nrd_streq(have, uuid))
			return 0;
	}
	vm_fini(ret_vm);
	*ret_vm = (struct vm){ 0 };
	if (r < 0 && r != -ENOENT)
		return vm_read_zone(uuid, ret_vm, err);
	r = zone_config_by_uuid(NULL, uuid, &name, NULL);
	if (r < 0)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "%s: No such zone configured", uuid);
	return vm_read_zone(name, ret_vm, err);
}

int
vm_open(const char *uuid, struct vm *ret_vm, int *ret_lock, struct nrd_err *err)
{
	NRD_AUTO(vm) found = { 0 };
	int r = vm_read(uuid, &found, err);

	if (r == 0)
		r = zone_lock(found.config.zonename, true, ret_lock, err);
	if (r == 0)
		r = vm_read(uuid, ret_vm, err);
	/* Nobody is at it: it was cut off. */
	return r == 0 && vm_reprovision_cut_off(ret_vm) ? vm_reprovision_mend(ret_vm, err) : r;
}

const char *
vm_state(const struct vm *vm)
{
	enum zone_state state = zone_state_of(vm->config.installed, &vm->run);

	if (vm->config.failed)
		return "failed";
	if (vm->config.transition != NULL && vm->config.transition[0] != '\0')
		return vm->config.transition;
	return state == ZONE_ST_INSTALLED ? "stopped" : zone_state_name(state);
}

const char *
vm_type(const struct vm *vm)
{
	return vm->config.brand == ZONE_LX ? "LX" : vm->config.brand == ZONE_KVM ? "KVM" : "OS";
}

/* ---- written ---- */

/* An object of which only some members are wanted. */
struct out {
	struct nrd_jw *w;
	const char *const *only;
};

static bool
wants(const struct out *o, const char *name)
{
	return o->only == NULL || nrd_strv_has(o->only, name);
}

/* The key is written when it is wanted: then its value must follow. */
static bool
key(const struct out *o, const char *name)
{
	if (!wants(o, name))
		return false;
	nrd_jw_key(o->w, name);
	return true;
}

static void
text(const struct out *o, const char *name, const char *value)
{
	if (key(o, name))
		nrd_jw_str(o->w, value);
}

static void
number(const struct out *o, const char *name, int64_t value)
{
	if (key(o, name))
		nrd_jw_i64(o->w, value);
}

static void
write_nics(const struct zone_config *c, const struct nrd_field *f, struct nrd_jw *w)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw inner;

	nrd_jw_init(&inner, &text, NRD_JW_COMPACT);
	nrd_encode_field(SCHEMA, f, c, &inner);
	if (nrd_jw_finish(&inner, NULL) == 0 && nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, NULL) == 0)
		vm_nics_write_old(nrd_json_root(doc), w);
	else
		nrd_encode_field(SCHEMA, f, c, w);
}

/* The file's own fields, but those that say how the node does it. */
static void
write_fields(const struct zone_config *c, const struct out *o)
{
	static const char *const inner[] = { "zone_installed", "id_base", "id_count", NULL };

	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		const struct nrd_field *f = &SCHEMA->fields[i];
		const char *name = nrd_field_key(f);

		if (!nrd_field_present(SCHEMA, f, c) || nrd_strv_has(inner, name) || !key(o, name))
			continue;
		if (nrd_streq(name, "nics"))
			write_nics(c, f, o->w);
		else
			nrd_encode_field(SCHEMA, f, c, o->w);
	}
}

/*
 * As a shell would say it, but -N for a signal. An init that asked the kernel to halt or reboot its
 * zone ends by SIGINT or SIGHUP, and has done well.
 */
static int
exit_status_of(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	return WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGHUP ? 0 : -WTERMSIG(status);
}

static void
write_run(const struct vm *vm, const struct out *o)
{
	enum zone_state state = zone_state_of(vm->config.installed, &vm->run);

	text(o, "state", vm_state(vm));
	text(o, "zone_state", zone_state_name(state));
	if (state >= ZONE_ST_READY && vm->run.zoneid != 0)
		number(o, "zoneid", (int64_t)vm->run.zoneid);
	if (state == ZONE_ST_RUNNING) {
		number(o, "pid", vm->run.init);
		text(o, "boot_timestamp", vm->run.boot_time);
		number(o, "init_restarts", (int64_t)vm->run.init_restarts);
	} else if (vm->run.exited) {
		number(o, "exit_status", exit_status_of(vm->run.exit_status));
		text(o, "exit_timestamp", vm->run.exit_time);
	}
}

/* Of its file, to the second. */
static void
write_modified(const struct zone_config *c, const struct out *o)
{
	char path[256], modified[NRD_DATE_TEXT];
	struct stat st;

	if (!wants(o, "last_modified"))
		return;
	(void)snprintf(path, sizeof(path), ZONE_DIR "/%s.json", c->zonename);
	if (stat(path, &st) < 0)
		return;
	nrd_date_format((int64_t)st.st_mtim.tv_sec * 1000, modified);
	text(o, "last_modified", modified);
}

/* Asks ZFS: of machines that have a limit alone. */
static void
write_free_space(const struct zone_config *c, const struct out *o)
{
	uint64_t mib;

	if (c->flexible_disk_size != 0 && wants(o, "free_space") && vm_disks_free_space(c, &mib, NULL) == 0)
		number(o, "free_space", (int64_t)mib);
}

static void
write_node(const struct out *o)
{
	static const char *const keys[][2] = {
		{ "UUID", "server_uuid" }, { "Datacenter Name", "datacenter_name" },
		{ "Live Image", "platform_buildstamp" },
	};
	NRD_AUTO(nrd_json) *doc = NULL;

	if (node_sysinfo_get(&(const struct node_sysinfo_env){ 0 }, &doc, NULL) < 0)
		return;
	for (size_t i = 0; i < nrd_count(keys); i++) {
		const char *value = nrd_get_str(nrd_json_root(doc), keys[i][0]);

		if (value != NULL)
			text(o, keys[i][1], value);
	}
}

int
vm_write(const struct vm *vm, unsigned parts, const char *const *only, struct nrd_jw *w, struct nrd_err *err)
{
	const struct out o = { .w = w, .only = only };
	int r = 0;

	nrd_jw_obj_open(w);
	write_fields(&vm->config, &o);
	text(&o, "type", vm_type(vm));
	if (key(&o, "hvm"))
		nrd_jw_bool(w, vm->config.brand == ZONE_KVM);
	number(&o, "v", 1);
	/* A guest's is in its file. */
	if (!zone_is_guest(&vm->config) && NRD_HAS(SCHEMA, &vm->config, max_physical_memory))
		number(&o, "ram", (int64_t)vm->config.max_physical_memory);
	write_run(vm, &o);
	write_modified(&vm->config, &o);
	if ((parts & VM_PART_SNAPSHOTS) != 0 || only != NULL)
		write_free_space(&vm->config, &o);
	if ((parts & VM_PART_NODE) != 0)
		write_node(&o);
	if ((parts & VM_PART_SNAPSHOTS) != 0 && brand_has_dataset(&vm->config))
		r = vm_snapshots_write(vm, w, err);
	nrd_jw_obj_close(w);
	return r;
}

int
vm_fields_told_from(const char *const *only, char ***ret_names)
{
	static const char *const always[] = { "zonename", "uuid", "brand", "zone_installed", "failed", "transition", NULL };
	static const char *const room[] = { "flexible_disk_size", "disks" };
	NRD_STRV char **names = NULL;
	int r = nrd_strv_copy(always, &names);

	for (size_t i = 0; r == 0 && only[i] != NULL; i++) {
		r = nrd_strv_add(&names, only[i]);
		if (r == 0 && nrd_streq(only[i], "ram"))
			r = nrd_strv_add(&names, "max_physical_memory");
		for (size_t j = 0; r == 0 && nrd_streq(only[i], "free_space") && j < nrd_count(room); j++)
			r = nrd_strv_add(&names, room[j]);
	}
	if (r == 0)
		*ret_names = NRD_TAKE(names);
	return r;
}

int
vm_read_json(const char *zonename, bool stopped, const struct vm_wanted *wanted, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r = zone_config_read_some(NULL, zonename, wanted != NULL ? wanted->fields : NULL, &vm.config, err);

	vm.run.state = ZONE_ST_INSTALLED;
	if (r == 0 && !stopped)
		r = zone_run_read(zonename, &vm.run, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	r = vm_write(&vm, 0, wanted != NULL ? wanted->members : NULL, &w, err);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&out), out.len, NULL, ret_doc, err);
}
