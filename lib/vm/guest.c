/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "brand/guest.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/client.h"
#include "zone/config-guest.h"

#define AGENT "agent"

static const struct {
	const char *type, *command;
} infos[] = {
	{ "block", "query-block" },     { "blockstats", "query-blockstats" }, { "chardev", "query-chardev" },
	{ "cpus", "query-cpus-fast" },  { "kvm", "query-kvm" },               { "pci", "query-pci" },
	{ "status", "query-status" },   { "version", "query-version" },
};

int
vm_guest_warn(const struct zone_config *config, char ***lines)
{
	uint64_t cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (!zone_is_guest(config) || config->vcpus <= cpus)
		return 0;
	return nrd_strv_addf(lines, "it has %llu processors, and the node has %llu", (unsigned long long)config->vcpus,
			     (unsigned long long)cpus);
}

static int
open_guest(const struct vm *vm, int *ret_fd, struct nrd_err *err)
{
	if (!zone_is_guest(&vm->config))
		return nrd_fail(err, ENOTSUP, "NoGuest", "a machine of brand %s is no guest: only kvm machines are asked",
				zone_brand_names[vm->config.brand]);
	if (vm->run.state != ZONE_ST_RUNNING)
		return nrd_fail(err, ESRCH, "VmNotRunning", "it is %s: only a running machine is asked", vm_state(vm));
	return zone_client_open(vm->config.zonename, ret_fd, err);
}

static int
ask(const struct vm *vm, const char *command, struct nrd_json **ret_answer, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = open_guest(vm, &fd, err);

	return r == 0 ? zone_client_guest(fd, command, NULL, ret_answer, err) : r;
}

static const char *
command_of(const char *type)
{
	for (size_t i = 0; i < nrd_count(infos); i++)
		if (nrd_streq(infos[i].type, type))
			return infos[i].command;
	return NULL;
}

/* What of an agent the operator sees; the others may be forbidden to it in the guest. */
static int
write_agent(const struct vm *vm, bool must, struct nrd_jw *w, struct nrd_err *err)
{
	static const char *const commands[] = { "guest-info", "guest-get-osinfo", "guest-network-get-interfaces" };
	bool open = false;

	for (size_t i = 0; i < nrd_count(commands); i++) {
		NRD_AUTO(nrd_json) *answer = NULL;
		int r = ask(vm, commands[i], &answer, err);

		if (r < 0 && i == 0)
			return must ? r : 0;
		if (r < 0 && r != -EIO)
			return r;
		if (!open) {
			nrd_jw_key(w, AGENT);
			nrd_jw_obj_open(w);
		}
		open = true;
		if (r == 0)
			nrd_jw_kval(w, commands[i], nrd_val_get(nrd_json_root(answer), "return"));
	}
	nrd_jw_obj_close(w);
	return 0;
}

/* A password is made only for who asks for it by name. */
static int
vnc_info(const struct vm *vm, bool named, struct nrd_jw *w, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	NRD_FREE char *path = nrd_format(ZONE_RUN_DIR "/%s/" GUEST_VNC, vm->config.zonename);
	const struct nrd_val *said;
	bool enabled = false;
	int r = ask(vm, named ? "set_password" : "query-vnc", &answer, err);

	if (r == 0 && path == NULL)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	said = nrd_val_get(nrd_json_root(answer), "return");
	if (!named && (!nrd_val_bool(nrd_val_get(said, "enabled"), &enabled) || !enabled))
		return 0;
	nrd_jw_key(w, "vnc");
	nrd_jw_obj_open(w);
	nrd_jw_kstr(w, "socket", path);
	if (named) {
		nrd_jw_kval(w, "password", nrd_val_get(said, "password"));
		nrd_jw_kval(w, "expires", nrd_val_get(said, "expires"));
	}
	nrd_jw_obj_close(w);
	return 0;
}

int
vm_guest_info(const struct vm *vm, const char *const *types, struct nrd_jw *w, struct nrd_err *err)
{
	bool all = nrd_strv_has(types, "all");
	int r = 0;

	for (size_t i = 0; types[i] != NULL; i++)
		if (!nrd_streq(types[i], "all") && !nrd_streq(types[i], AGENT) && !nrd_streq(types[i], "vnc") && command_of(types[i]) == NULL)
			return nrd_fail(err, EINVAL, "BadType", "\"%.40s\" is none of all, agent, block, blockstats, chardev, cpus, kvm, "
					"pci, status, version, vnc", types[i]);
	nrd_jw_obj_open(w);
	if (all || nrd_strv_has(types, AGENT))
		r = write_agent(vm, !all, w, err);
	for (size_t i = 0; r == 0 && i < nrd_count(infos); i++) {
		NRD_AUTO(nrd_json) *answer = NULL;

		if (!all && !nrd_strv_has(types, infos[i].type))
			continue;
		r = ask(vm, infos[i].command, &answer, err);
		if (r == 0)
			nrd_jw_kval(w, infos[i].type, nrd_val_get(nrd_json_root(answer), "return"));
	}
	if (r == 0 && (all || nrd_strv_has(types, "vnc")))
		r = vnc_info(vm, nrd_strv_has(types, "vnc"), w, err);
	nrd_jw_obj_close(w);
	return r;
}

int
vm_guest_nmi(const struct vm *vm, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;

	return ask(vm, "inject-nmi", &answer, err);
}

int
vm_guest_screenshot(const struct vm *vm, char **ret_path, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	int r = ask(vm, "screendump", &answer, err);

	if (r < 0)
		return r;
	/* As SmartOS has it. */
	*ret_path = nrd_format("%s/root/tmp/vm.ppm", vm->config.zonepath);
	return *ret_path != NULL ? 0 : nrd_nomem(err);
}

int
vm_guest_freeze(const struct vm *vm, int *ret_fd, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	NRD_CLOSE int fd = -1;
	uint64_t n = 0;
	int r = open_guest(vm, &fd, err);

	if (r == 0)
		r = zone_client_guest(fd, "guest-fsfreeze-freeze", NULL, &answer, err);
	if (r == 0 && (!nrd_get_u64(nrd_json_root(answer), "return", &n) || n == 0))
		r = nrd_fail(err, ENOTSUP, "AgentFailed", "the guest's agent froze no filesystem");
	if (r == 0)
		*ret_fd = nrd_take_fd(&fd);
	return r;
}

int
vm_guest_thaw(const struct vm *vm, int fd, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *answer = NULL;
	NRD_CLOSE int again = -1;
	int r = zone_client_guest(fd, "guest-fsfreeze-thaw", NULL, &answer, err);

	/* A zoneadmd that was killed meanwhile knows of it, once there is one again. */
	if (r < 0)
		(void)open_guest(vm, &again, NULL);
	return r;
}
