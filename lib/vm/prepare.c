/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/prepare.h"

#include <errno.h>
#include <poll.h>

#include "nrd/clock.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/change.h"
#include "vm/object.h"
#include "vm/power.h"
#include "vm/snapshot.h"

#define STATE     "prepare-image:state"
#define ERROR     "prepare-image:error"
#define SCRIPT    "operator-script"
#define ASIDE     "operator-script-before-prepare" /* the machine's own, meanwhile */
#define PHASE_MS  (5 * 60 * 1000)
#define LOOK_MS   500

static int
read_whole(const char *uuid, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	int r = vm_read(uuid, &vm, err);

	return r == 0 ? vm_read_json(vm.config.zonename, false, NULL, ret_doc, err) : r;
}

/* ---- metadata ---- */

static int
update(const char *uuid, struct nrd_jw *w, struct nrd_buf *text, struct nrd_err *err)
{
	__attribute__((cleanup(vm_change_cleanup))) struct vm_change change = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = nrd_jw_finish(w, err);

	if (r == 0)
		r = nrd_json_parse(nrd_buf_str(text), text->len, NULL, &doc, err);
	return r == 0 ? vm_update(uuid, nrd_json_root(doc), &change, err) : r;
}

/* The script, or NULL: what it told, and it, are gone; and the machine's own script is what it was. */
static int
set_script(const char *uuid, const char *script, struct nrd_err *err)
{
	static const char *const told[] = { STATE, ERROR };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_AUTO(nrd_buf) text = { 0 };
	const struct nrd_val *have;
	const char *own;
	struct nrd_jw w;
	int r = read_whole(uuid, &doc, err);

	if (r < 0)
		return r;
	have = nrd_val_get(nrd_json_root(doc), "internal_metadata");
	own = nrd_get_str(have, script != NULL ? SCRIPT : ASIDE);
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_key(&w, "remove_customer_metadata");
	nrd_jw_arr_open(&w);
	for (size_t i = 0; i < nrd_count(told); i++)
		nrd_jw_str(&w, told[i]);
	nrd_jw_arr_close(&w);
	nrd_jw_key(&w, "remove_internal_metadata");
	nrd_jw_arr_open(&w);
	if (script == NULL) {
		nrd_jw_str(&w, ASIDE);
		if (own == NULL)
			nrd_jw_str(&w, SCRIPT);
	}
	nrd_jw_arr_close(&w);
	nrd_jw_key(&w, "set_internal_metadata");
	nrd_jw_obj_open(&w);
	if (own != NULL)
		nrd_jw_kstr(&w, script != NULL ? ASIDE : SCRIPT, own);
	if (script != NULL)
		nrd_jw_kstr(&w, SCRIPT, script);
	nrd_jw_obj_close(&w);
	nrd_jw_obj_close(&w);
	return update(uuid, &w, &text, err);
}

/* ---- how it goes ---- */

enum phase {
	STARTING,
	RUNNING,
	SUCCEEDED, /* it shuts down */
	PREPARED,
};

struct look {
	enum phase phase;
	char *error; /* owned, NULL: none */
};

static int
look(const char *uuid, struct look *ret, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = read_whole(uuid, &doc, err);
	const struct nrd_val *vm = nrd_json_root(doc), *told = nrd_val_get(vm, "customer_metadata");
	const char *state = nrd_get_str(told, STATE), *error = nrd_get_str(told, ERROR);
	bool stopped = nrd_streq(nrd_get_str(vm, "state"), "stopped");

	if (r < 0)
		return r;
	if (nrd_streq(state, "error")) {
		ret->error = nrd_format("%.400s", error != NULL ? error : "it does not say why");
		return ret->error != NULL ? 0 : nrd_nomem(err);
	}
	if (nrd_streq(state, "success"))
		ret->phase = stopped ? PREPARED : SUCCEEDED;
	else if (stopped)
		return nrd_fail(err, ECANCELED, "PrepareImageError", "machine %s stopped before its script had told \"success\" "
				"(mdata-put " STATE ")", uuid);
	else
		ret->phase = nrd_streq(state, "running") ? RUNNING : STARTING;
	return 0;
}

static int
too_long(const char *uuid, enum phase phase, struct nrd_err *err)
{
	switch (phase) {
	case STARTING:
		return nrd_fail(err, ETIME, "PrepareImageDidNotRun", "in machine %s nothing has run the script: it begins with "
				"mdata-put " STATE " running, and what boots there must run sdc:operator-script", uuid);
	case RUNNING:
		return nrd_fail(err, ETIME, "PrepareImageError", "the script of machine %s told neither success nor error "
				"within %d s", uuid, PHASE_MS / 1000);
	default:
		return nrd_fail(err, ETIME, "PrepareImageError", "the script of machine %s told success, and did not shut "
				"it down within %d s", uuid, PHASE_MS / 1000);
	}
}

static int
await(const char *uuid, const volatile sig_atomic_t *stop, struct nrd_err *err)
{
	enum phase phase = STARTING;
	int64_t since = nrd_now_ms();

	for (;;) {
		struct look now = { .phase = phase };
		NRD_FREE char *error = NULL;
		int r = look(uuid, &now, err);

		error = now.error;
		if (r < 0 || now.phase == PREPARED)
			return r;
		if (error != NULL)
			return nrd_fail(err, ECANCELED, "PrepareImageError", "the script of machine %s failed: %s", uuid, error);
		if (now.phase != phase)
			since = nrd_now_ms();
		phase = now.phase;
		if (stop != NULL && *stop)
			return nrd_fail(err, EINTR, "Interrupted", "it was interrupted, and is undone");
		if (nrd_now_ms() - since > PHASE_MS)
			return too_long(uuid, phase, err);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

/* ---- there and back ---- */

/* As vmadm stop without a number of seconds. */
#define STOP_S 60

static int
snapshot(const char *uuid, bool *ret_ran, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	bool running = r == 0 && nrd_streq(vm_state(&vm), "running");

	if (r < 0)
		return r;
	if (!running && !nrd_streq(vm_state(&vm), "stopped"))
		return nrd_fail(err, EINVAL, "VmWrongState", "machine %s is %s: it must be running or stopped", uuid,
				vm_state(&vm));
	r = vm_snapshot_check(&vm, VM_PREPARE_SNAPSHOT, err);
	if (r == 0 && running)
		r = vm_shutdown(&vm, STOP_S, err);
	*ret_ran = running;
	if (r >= 0)
		r = vm_snapshot_create(&vm, VM_PREPARE_SNAPSHOT, NULL, err);
	if (r == -EEXIST)
		return nrd_fail(err, EEXIST, "SnapshotExists", "machine %s is being prepared, or that was cut off: then "
				"vmadm rollback-snapshot %s " VM_PREPARE_SNAPSHOT " and vmadm delete-snapshot bring it back", uuid, uuid);
	return nrd_wrap(err, r, "machine %s", uuid);
}

static int
boot(const char *uuid, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	return r == 0 ? nrd_wrap(err, vm_boot(&vm, err), "boot machine %s", uuid) : r;
}

static int
bring_back(const char *uuid, bool ran, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	int r = vm_open(uuid, &vm, &lock, err);

	if (r == 0 && vm.run.state > ZONE_ST_INSTALLED)
		r = vm_halt(&vm, err);
	/* It would be booted again, had it run when it was looked at. */
	vm.run.state = ZONE_ST_INSTALLED;
	if (r == 0)
		r = vm_snapshot_rollback(&vm, VM_PREPARE_SNAPSHOT, err);
	if (r == 0)
		r = vm_snapshot_delete(&vm, VM_PREPARE_SNAPSHOT, err);
	if (r == 0 && ran)
		r = vm_boot(&vm, err);
	return r;
}

int
vm_prepare_undo(const char *uuid, bool ran, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	/* Before it boots again. */
	int metadata = set_script(uuid, NULL, &why);
	int r = bring_back(uuid, ran, err);

	if (r == 0 && metadata < 0 && err != NULL)
		*err = why;
	return r < 0 ? r : metadata;
}

int
vm_prepare(const char *uuid, const char *script, const volatile sig_atomic_t *stop, bool *ret_ran, struct nrd_err *err)
{
	int r = snapshot(uuid, ret_ran, err);

	if (r < 0)
		return r;
	r = set_script(uuid, script, err);
	if (r == 0)
		r = boot(uuid, err);
	if (r == 0)
		r = await(uuid, stop, err);
	if (r < 0)
		(void)vm_prepare_undo(uuid, *ret_ran, NULL);
	return r;
}
