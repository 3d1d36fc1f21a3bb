/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "nrd/progress.h"
#include "nrd/str.h"
#include "vm/power.h"
#include "vmadm.h"
#include "zone/config-guest.h"

#define STOP_SECONDS   60
#define DOCKER_SECONDS 10
#define GUEST_SECONDS  180

struct start_opts {
	bool force;
};

const struct nrd_opt start_opts[] = {
	NRD_OPT_FLAG('F', "force", struct start_opts, force, "a kvm machine also where the node has too little memory for it"),
	NRD_OPT_END(struct start_opts),
};

struct stop_opts {
	bool force;
	uint64_t timeout;
};

const struct nrd_opt stop_opts[] = {
	NRD_OPT_FLAG('F', "force", struct stop_opts, force, "halt it at once"),
	NRD_OPT_U64('t', "timeout", struct stop_opts, timeout, 0, 86400, "SECONDS",
		    "how long a docker or kvm machine has; then it is halted"),
	NRD_OPT_END(struct stop_opts),
};

const struct nrd_opt reboot_opts[] = {
	NRD_OPT_FLAG('F', "force", struct stop_opts, force, "without asking its init"),
	NRD_OPT_U64('t', "timeout", struct stop_opts, timeout, 0, 86400, "SECONDS",
		    "how long a docker or kvm machine has"),
	NRD_OPT_END(struct stop_opts),
};

/* Under its lock, unless it must also be had while somebody else has that. */
static int
open_vm(const struct nrd_args *args, bool locked, struct vm *ret_vm, int *ret_lock, const char **ret_uuid,
	struct nrd_err *err)
{
	int r = uuid_of(args, 0, ret_uuid, err);

	if (r < 0)
		return r;
	return locked ? vm_open(*ret_uuid, ret_vm, ret_lock, err) : vm_read(*ret_uuid, ret_vm, err);
}

int
cmd_start(const struct nrd_args *args, struct nrd_err *err)
{
	const struct start_opts *opts = args->opts;
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	NRD_FREE char *how = NULL;
	const char *uuid;
	int r = open_vm(args, true, &vm, &lock, &uuid, err);

	if (r == 0 && args->argc > 1 && !zone_is_guest(&vm.config))
		r = nrd_usage(err, "\"%.40s\": only kvm machines take options for one boot", args->argv[1]);
	if (r == 0 && args->argc > 1) {
		how = nrd_strv_join(NRD_CSTRV(args->argv + 1), " ");
		r = how != NULL ? 0 : nrd_nomem(err);
	}
	if (r == 0)
		r = say_warnings(&vm.config, err);
	if (r == 0)
		nrd_busy_begin("starting VM %s", uuid);
	if (r == 0)
		r = vm_start(&vm, how, opts->force, err);
	if (r < 0)
		return told(args, NULL, r, err);
	return r > 0 ? done("VM %s is already running", uuid) : done("Successfully started VM %s", uuid);
}

static int
seconds(const struct nrd_args *args, const struct vm *vm, unsigned *ret_seconds, struct nrd_err *err)
{
	const struct stop_opts *opts = args->opts;

	bool guest = zone_is_guest(&vm->config);

	*ret_seconds = guest ? GUEST_SECONDS : vm->config.docker ? DOCKER_SECONDS : STOP_SECONDS;
	if (!nrd_given(args, 't'))
		return 0;
	if (!vm->config.docker && !guest)
		return nrd_fail(err, EINVAL, "NoTimeout", "-t is for docker and kvm machines: this one has %d s",
				STOP_SECONDS);
	*ret_seconds = (unsigned)opts->timeout;
	return 0;
}

int
cmd_stop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct stop_opts *opts = args->opts;
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	unsigned timeout = 0;
	const char *uuid;
	int r = open_vm(args, false, &vm, &lock, &uuid, err);

	if (r == 0)
		r = seconds(args, &vm, &timeout, err);
	if (r == 0)
		nrd_busy_begin("stopping VM %s", uuid);
	if (r == 0)
		r = vm_stop(&vm, opts->force ? VM_STOP_FORCE : VM_STOP_ASK, timeout, err);
	if (r < 0)
		return told(args, NULL, r, err);
	return r > 0 ? done("VM %s is already stopped", uuid) : done("Successfully completed stop for VM %s", uuid);
}

int
cmd_reboot(const struct nrd_args *args, struct nrd_err *err)
{
	const struct stop_opts *opts = args->opts;
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	unsigned timeout = 0;
	const char *uuid;
	int r = open_vm(args, true, &vm, &lock, &uuid, err);

	if (r == 0)
		r = seconds(args, &vm, &timeout, err);
	if (r == 0)
		nrd_busy_begin("rebooting VM %s", uuid);
	if (r == 0)
		r = vm_reboot(&vm, opts->force ? VM_STOP_FORCE : VM_STOP_ASK, timeout, err);
	return r < 0 ? told(args, NULL, r, err) : done("Successfully completed reboot for VM %s", uuid);
}

/* ---- kill ---- */

struct kill_opts {
	const char *signal;
};

const struct nrd_opt kill_opts[] = {
	NRD_OPT_STR('s', NULL, struct kill_opts, signal, "SIGNAL", "a name or number; TERM unless said"),
	NRD_OPT_END(struct kill_opts),
};

static int
signal_of(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;

	if (nrd_parse_u64(text, 1, 64, &number, NULL) == 0)
		return (int)number;
	for (int s = 1; s < NSIG; s++)
		if (sigabbrev_np(s) != NULL && strcasecmp(sigabbrev_np(s), name) == 0)
			return s;
	return -1;
}

int
cmd_kill(const struct nrd_args *args, struct nrd_err *err)
{
	const struct kill_opts *opts = args->opts;
	const char *text = opts->signal != NULL ? opts->signal : "TERM";
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	const char *uuid;
	int sig = signal_of(text), r;

	if (sig < 0)
		return nrd_usage(err, "\"%.40s\" is no signal", text);
	r = open_vm(args, false, &vm, &lock, &uuid, err);
	if (r == 0)
		r = vm_signal(&vm, sig, err);
	return r < 0 ? told(args, NULL, r, err) : done("Sent signal \"%s\" to init process for VM %s", text, uuid);
}

/* ---- console ---- */

int
cmd_console(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(vm) vm = { 0 };
	NRD_CLOSE int lock = -1;
	const char *uuid;
	int r = open_vm(args, false, &vm, &lock, &uuid, err);

	if (r == 0 && vm.run.state != ZONE_ST_RUNNING)
		r = nrd_fail(err, EINVAL, "VmWrongState", "it is %s: only a running machine's console is open here; "
			     "zlogin -C %s waits for it", vm_state(&vm), vm.config.zonename);
	if (r == 0) {
		(void)execl("/usr/sbin/zlogin", "zlogin", "-C", vm.config.zonename, (char *)NULL);
		r = nrd_fail(err, errno, "VmConsole", "run zlogin: %m");
	}
	return told(args, NULL, r, err);
}
