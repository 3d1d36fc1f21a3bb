/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "vm/guest.h"
#include "vmadm.h"
#include "zone/config-guest.h"

static int
print_info(const struct vm *vm, const char *types, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	NRD_AUTO(nrd_buf) out = { 0 };
	struct nrd_jw w;
	int r;

	if (nrd_strv_split(types != NULL ? types : "all", ',', &names) < 0)
		return nrd_nomem(err);
	nrd_jw_init(&w, &out, NRD_JW_PRETTY);
	r = vm_guest_info(vm, NRD_CSTRV(names), &w, err);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	if (r == 0)
		(void)fputs(nrd_buf_str(&out), stdout);
	return r;
}

int
cmd_info(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	const char *uuid;
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0)
		r = vm_read(uuid, &vm, err);
	if (r == 0 && !zone_is_guest(&vm.config))
		r = nrd_fail(err, ENOTSUP, "NoInfo", "no info types supported for VMs of brand %s", zone_brand_names[vm.config.brand]);
	if (r == 0)
		r = print_info(&vm, args->argc > 1 ? args->argv[1] : NULL, err);
	return told(args, NULL, r, err);
}

int
cmd_sysrq(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_FREE char *path = NULL;
	const char *uuid;
	bool nmi = nrd_streq(args->argv[1], "nmi");
	int r = uuid_of(args, 0, &uuid, err);

	if (r == 0 && !nmi && !nrd_streq(args->argv[1], "screenshot"))
		r = nrd_usage(err, "\"%.40s\" is none of nmi, screenshot", args->argv[1]);
	if (r == 0)
		r = vm_read(uuid, &vm, err);
	if (r == 0 && !zone_is_guest(&vm.config))
		r = nrd_fail(err, ENOTSUP, "NoSysrq", "a machine of brand %s has no such key", zone_brand_names[vm.config.brand]);
	if (r == 0)
		r = nmi ? vm_guest_nmi(&vm, err) : vm_guest_screenshot(&vm, &path, err);
	if (r < 0)
		return told(args, NULL, r, err);
	return nmi ? done("Sent an NMI to VM %s", uuid) : done("The screen of VM %s is in %s", uuid, path);
}
