/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/disks.h"
#include "vm/history.h"
#include "vm/nics.h"
#include "vm/object.h"
#include "vm/payload.h"
#include "vm/plug.h"
#include "vm/props.h"
#include "vm/storage.h"
#include "zone/client.h"
#include "zone/live.h"

#define SCHEMA (&zone_config_schema)

void
vm_change_fini(struct vm_change *change)
{
	nrd_strv_free(change->waiting);
	free(change->not_in_force);
	*change = (struct vm_change){ 0 };
}

void
vm_change_cleanup(struct vm_change *change)
{
	vm_change_fini(change);
}

/* ---- planned ---- */

static int
new_config(const struct zone_config *old, const struct nrd_val *payload, struct zone_config *ret_config,
	   struct nrd_err *err)
{
	NRD_AUTO(vm_bad) bad = { 0 };
	int r = nrd_object_copy(SCHEMA, old, ret_config) < 0 ? nrd_nomem(err) : 0;

	if (r == 0)
		r = vm_payload_update(payload, ret_config, &bad, err);
	if (r == 0)
		r = vm_bad_fail(&bad, err);
	if (r == 0)
		r = vm_disks_fill(ret_config, old, err);
	if (r == 0)
		r = vm_nics_fill(ret_config, old, err);
	if (r == 0)
		r = zone_config_verify(ret_config, err);
	return r == 0 ? vm_nics_check(ret_config, err) : r;
}

static int
check(const struct vm *vm, const struct zone_config *config, struct nrd_err *err)
{
	int r = vm_disks_check(&vm->config, config, vm->run.state >= ZONE_ST_READY, err);

	return r == 0 && vm->run.state == ZONE_ST_RUNNING ? vm_plug_check(&vm->config, config, err) : r;
}

static const char *
effect_of(const char *property, int brand, bool running)
{
	const struct vm_prop *p = vm_prop_find(property, 1u << brand);

	if (p == NULL || p->effect == VM_NOTE)
		return "a note";
	if (!running)
		return "at its next boot";
	return p->effect == VM_LIVE ? "live" : "at its next boot";
}

static int
add_line(char ***lines, const struct nrd_val *change, int brand, bool running)
{
	const char *name = nrd_get_str(change, "property");
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	(void)nrd_buf_printf(&text, "%s: ", name);
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, nrd_val_get(change, "from"));
	(void)nrd_buf_adds(&text, " -> ");
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_val(&w, nrd_val_get(change, "to"));
	(void)nrd_buf_printf(&text, " (%s)", effect_of(name, brand, running));
	return text.failed < 0 ? text.failed : nrd_strv_add(lines, nrd_buf_str(&text));
}

int
vm_update_describe(const char *uuid, const struct nrd_val *payload, char ***ret_lines, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(zone_config) config = { 0 };
	NRD_AUTO(nrd_buf) text = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_STRV char **lines = NULL;
	struct nrd_iter it;
	struct nrd_jw w;
	int r = vm_read(uuid, &vm, err);

	if (r == 0)
		r = new_config(&vm.config, payload, &config, err);
	if (r == 0)
		r = check(&vm, &config, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	vm_changes_write(&vm.config, &config, &w);
	r = nrd_jw_finish(&w, err);
	if (r == 0)
		r = nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &doc, err);
	it = nrd_iter(r == 0 ? nrd_json_root(doc) : NULL);
	while (r == 0 && nrd_iter_next(&it))
		if (add_line(&lines, it.val, config.brand, vm.run.state >= ZONE_ST_READY) < 0)
			r = nrd_nomem(err);
	if (r == 0)
		*ret_lines = NRD_TAKE(lines);
	return r;
}

/* ---- done ---- */

static int
put_in_force(const struct vm *vm, const struct zone_config *config, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = vm_storage_change(&vm->config, config, err);

	if (r == 0)
		r = vm_disks_change(&vm->config, config, err);
	if (r == 0 && vm->run.state >= ZONE_ST_READY) {
		r = zone_client_open(config->zonename, &fd, err);
		if (r == 0)
			r = zone_client_apply(fd, err);
	}
	return r;
}

/* A device that did not come: the machine is as before, and what the guest had let go it has again. */
static void
take_back(const struct vm *vm, const struct zone_config *config, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = zone_config_write(NULL, &vm->config, &why);

	if (r == 0) {
		vm_plug_again(config->zonename);
		r = vm_disks_remove(config, &vm->config, &why);
	}
	if (r < 0)
		(void)nrd_fail(err, err->num, "GuestPlug", "%.300s; left: %.150s", err->msg, why.msg);
}

static int
apply(const struct vm *vm, const struct zone_config *config, struct vm_change *ret_change, struct nrd_err *err)
{
	NRD_AUTO(zone_config) in_force = { 0 };
	struct nrd_err why = { 0 };
	int r;

	r = put_in_force(vm, config, &why);
	if (r < 0 && nrd_streq(why.code, "GuestPlug")) {
		take_back(vm, config, &why);
		*err = why;
		return r;
	}
	/* What was removed is nobody's by now, whatever else went wrong. */
	if (vm_disks_remove(&vm->config, config, r == 0 ? &why : NULL) < 0)
		r = -EIO;
	if (r < 0) {
		ret_change->not_in_force = nrd_format("%s", why.msg);
		if (ret_change->not_in_force == NULL)
			return nrd_nomem(err);
	}
	if (vm->run.state < ZONE_ST_READY || zone_live_read(config->zonename, &in_force, NULL) < 0)
		return 0;
	return zone_live_waiting(&in_force, config, true, &ret_change->waiting, err);
}

static int
commit(const struct vm *vm, const struct zone_config *config, const char *action, struct vm_change *ret_change,
       struct nrd_err *err)
{
	__attribute__((cleanup(vm_change_cleanup))) struct vm_change change = { 0 };
	bool running = vm->run.state == ZONE_ST_RUNNING;
	int r = running ? vm_plug_remove(&vm->config, config, err) : 0;

	if (r == 0) {
		r = vm_disks_make(&vm->config, config, err);
		if (r < 0 && running)
			vm_plug_again(config->zonename);
	}
	if (r == 0)
		r = zone_config_write(NULL, config, err);
	if (r == 0)
		r = apply(vm, config, &change, err);
	if (r == 0)
		r = vm_history_add(config, action, &vm->config, err);
	if (r < 0)
		return r;
	*ret_change = change;
	change = (struct vm_change){ 0 };
	return 0;
}

int
vm_update(const char *uuid, const struct nrd_val *payload, struct vm_change *ret_change, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(zone_config) config = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	if (r == 0)
		r = new_config(&vm.config, payload, &config, err);
	if (r == 0)
		r = check(&vm, &config, err);
	return r == 0 ? commit(&vm, &config, "update", ret_change, err) : r;
}

/* ---- undone ---- */

/* The last update that was not taken back; each undo takes one. */
static const struct nrd_val *
last_update(struct nrd_json *const *docs, size_t n)
{
	size_t undone = 0;

	while (n-- > 0) {
		const struct nrd_val *entry = nrd_json_root(docs[n]);
		const char *action = nrd_get_str(entry, "action");

		if (nrd_streq(action, "undo"))
			undone++;
		else if (nrd_streq(action, "update") && undone-- == 0)
			return nrd_val_get(entry, "before");
	}
	return NULL;
}

/* What says where it is and what state it is in is as it is now. */
static int
as_before(const struct zone_config *now, const struct nrd_val *before, struct zone_config *ret_config,
	  struct nrd_err *err)
{
	int r = nrd_decode(SCHEMA, before, NRD_DECODE_UNKNOWN, ret_config, err);

	if (r == 0 && now->installed != ret_config->installed) {
		ret_config->installed = now->installed;
		NRD_SET(SCHEMA, ret_config, installed);
	}
	return r;
}

int
vm_undo(const char *uuid, struct vm_change *ret_change, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_AUTO(zone_config) config = { 0 };
	NRD_CLOSE int lock = -1;
	struct nrd_json **docs = NULL;
	const struct nrd_val *before;
	size_t n = 0;
	int r = vm_open(uuid, &vm, &lock, err);

	if (r == 0)
		r = vm_history_read(uuid, &docs, &n, err);
	if (r < 0)
		return r;
	before = last_update(docs, n);
	r = before == NULL ? nrd_fail(err, ENOENT, "NothingToUndo", "it was not updated, or all of it is undone")
			   : as_before(&vm.config, before, &config, err);
	vm_history_free(docs, n);
	if (r == 0 && !vm_disks_same(&vm.config, &config))
		r = nrd_fail(err, EINVAL, "BadDisk", "it had other disks then: what was on one that went does not come back, and one "
			     "that came is not removed unsaid");
	if (r == 0)
		r = check(&vm, &config, err);
	return r == 0 ? commit(&vm, &config, "undo", ret_change, err) : r;
}
