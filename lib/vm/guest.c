/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/guest.h"

#include <errno.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/client.h"
#include "zone/config-guest.h"

static const struct {
	const char *type, *command;
} infos[] = {
	{ "block", "query-block" },     { "blockstats", "query-blockstats" }, { "chardev", "query-chardev" },
	{ "cpus", "query-cpus-fast" },  { "kvm", "query-kvm" },               { "pci", "query-pci" },
	{ "status", "query-status" },   { "version", "query-version" },
};

static int
ask(const struct vm *vm, const char *command, const char *arguments, struct nrd_json **ret_answer, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r;

	if (!zone_is_guest(&vm->config))
		return nrd_fail(err, ENOTSUP, "NoGuest", "a machine of brand %s is no guest: only kvm machines are asked",
				zone_brand_names[vm->config.brand]);
	if (vm->run.state != ZONE_ST_RUNNING)
		return nrd_fail(err, ESRCH, "VmNotRunning", "it is %s: only a running machine is asked", vm_state(vm));
	r = zone_client_open(vm->config.zonename, &fd, err);
	return r == 0 ? zone_client_guest(fd, command, arguments, ret_answer, err) : r;
}

static const char *
command_of(const char *type)
{
	for (size_t i = 0; i < nrd_count(infos); i++)
		if (nrd_streq(infos[i].type, type))
			return infos[i].command;
	return NULL;
}

int
vm_guest_info(const struct vm *vm, const char *const *types, struct nrd_jw *w, struct nrd_err *err)
{
	bool all = nrd_strv_has(types, "all");
	int r = 0;

	for (size_t i = 0; types[i] != NULL; i++)
		if (!nrd_streq(types[i], "all") && command_of(types[i]) == NULL)
			return nrd_fail(err, EINVAL, "BadType", "\"%.40s\" is none of all, block, blockstats, chardev, cpus, kvm, pci, "
					"status, version", types[i]);
	nrd_jw_obj_open(w);
	for (size_t i = 0; r == 0 && i < nrd_count(infos); i++) {
		NRD_AUTO(nrd_json) *answer = NULL;

		if (!all && !nrd_strv_has(types, infos[i].type))
			continue;
		r = ask(vm, infos[i].command, NULL, &answer, err);
		if (r == 0)
			nrd_jw_kval(w, infos[i].type, nrd_val_get(nrd_json_root(answer), "return"));
	}
	nrd_jw_obj_close(w);
	return r;
}

int
vm_guest_nmi(const struct vm *vm, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;

	return ask(vm, "inject-nmi", NULL, &answer, err);
}

int
vm_guest_screenshot(const struct vm *vm, char **ret_path, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	int r = ask(vm, "screendump", NULL, &answer, err);

	if (r < 0)
		return r;
	/* As SmartOS has it. */
	*ret_path = nrd_format("%s/root/tmp/vm.ppm", vm->config.zonepath);
	return *ret_path != NULL ? 0 : nrd_nomem(err);
}
