/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/mem.h"
#include "nrd/progress.h"
#include "vm/history.h"
#include "vm/object.h"
#include "vm/snapshot.h"
#include "vmadm.h"

static int
open_vm(const struct nrd_args *args, struct vm *ret_vm, int *ret_lock, const char **ret_uuid, struct nrd_err *err)
{
	int r = uuid_of(args, 0, ret_uuid, err);

	if (r == 0)
		nrd_busy_begin("%s of VM %s", args->verb, *ret_uuid);
	return r == 0 ? vm_open(*ret_uuid, ret_vm, ret_lock, err) : r;
}

int
cmd_create_snapshot(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	struct vm_snapshot_how how = { 0 };
	const char *uuid;
	int r = open_vm(args, &vm, &lock, &uuid, err);

	if (r == 0)
		r = vm_snapshot_create(&vm, args->argv[1], &how, err);
	if (r < 0)
		return told(args, NULL, r, err);
	if (how.ran && !how.quiesced)
		return done("Created snapshot %s for VM %s, as a crash would leave it: %s", args->argv[1], uuid, how.why.msg);
	return done("Created snapshot %s for VM %s%s", args->argv[1], uuid, how.quiesced ? ", its filesystems frozen" : "");
}

int
cmd_delete_snapshot(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	const char *uuid;
	int r = open_vm(args, &vm, &lock, &uuid, err);

	if (r == 0)
		r = vm_snapshot_delete(&vm, args->argv[1], err);
	return r < 0 ? told(args, NULL, r, err) : done("Deleted snapshot %s for VM %s", args->argv[1], uuid);
}

int
cmd_rollback_snapshot(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	const char *uuid;
	int r = open_vm(args, &vm, &lock, &uuid, err);

	if (r == 0)
		r = vm_snapshot_rollback(&vm, args->argv[1], err);
	if (r == 0)
		r = vm_history_add(&vm.config, "rollback", NULL, err);
	return r < 0 ? told(args, NULL, r, err) : done("Rolled back snapshot %s for VM %s", args->argv[1], uuid);
}
