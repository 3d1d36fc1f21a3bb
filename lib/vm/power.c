/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/power.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "brand/lifecycle.h"
#include "nrd/mem.h"
#include "zone/client.h"
#include "zone/sys.h"

static int
set_autoboot(struct vm *vm, bool value, struct nrd_err *err)
{
	if (vm->config.autoboot == value && NRD_HAS(&zone_config_schema, &vm->config, autoboot))
		return 0;
	vm->config.autoboot = value;
	NRD_SET(&zone_config_schema, &vm->config, autoboot);
	return zone_config_write(NULL, &vm->config, err);
}

static int
wrong_state(const struct vm *vm, const char *act, const char *want, struct nrd_err *err)
{
	return nrd_fail(err, EINVAL, "VmWrongState", "cannot %s it while it is %s: it must be %s", act,
			vm_state(vm), want);
}

static int
boot(struct vm *vm, const struct zone_boot_request *request, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = brand_root_ready(&vm->config, err);

	if (r == 0)
		r = zone_client_open(vm->config.zonename, &fd, err);
	return r == 0 ? zone_client_boot(fd, request, err) : r;
}

int
vm_boot(struct vm *vm, struct nrd_err *err)
{
	return boot(vm, &(struct zone_boot_request){ 0 }, err);
}

/* Its init may have ended since its state was read: what is restarted without end is down half of the time. */
static int
or_down(struct vm *vm, int r, const struct nrd_err *why, struct nrd_err *err)
{
	if (r == 0)
		return 0;
	if (nrd_err_is(why, "ZoneWrongState") && zone_run_read(vm->config.zonename, &vm->run, NULL) >= 0 &&
	    vm->run.state <= ZONE_ST_INSTALLED)
		return 0;
	if (err != NULL)
		*err = *why;
	return r;
}

int
vm_halt(struct vm *vm, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	struct nrd_err why = { 0 };
	int r = zone_client_open(vm->config.zonename, &fd, &why);

	return or_down(vm, r == 0 ? zone_client_halt(fd, &why) : r, &why, err);
}

int
vm_shutdown(struct vm *vm, unsigned timeout_s, struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	struct nrd_err why = { 0 };
	int r = zone_client_open(vm->config.zonename, &fd, &why);

	return or_down(vm, r == 0 ? zone_client_shutdown(fd, false, timeout_s, &why) : r, &why, err);
}

int
vm_start(struct vm *vm, const char *how, bool force, struct nrd_err *err)
{
	const struct zone_boot_request request = { .args = how, .force = force };
	int r;

	if (vm->run.state == ZONE_ST_RUNNING)
		return 1;
	if (vm->config.installed != ZONE_INSTALLED || vm->config.failed || vm->run.state > ZONE_ST_READY)
		return wrong_state(vm, "start", "stopped", err);
	r = set_autoboot(vm, true, err);
	return r == 0 ? boot(vm, &request, err) : r;
}

int
vm_stop(struct vm *vm, enum vm_stop how, unsigned timeout_s, struct nrd_err *err)
{
	int r = set_autoboot(vm, false, err);

	/* Who would restart it looks at that: what is down now stays so. */
	if (r >= 0)
		r = zone_run_read(vm->config.zonename, &vm->run, err);
	if (r < 0 || vm->run.state < ZONE_ST_READY)
		return r < 0 ? r : 1;
	if (how == VM_STOP_FORCE || vm->run.state == ZONE_ST_READY)
		return vm_halt(vm, err);
	return vm_shutdown(vm, timeout_s, err);
}

int
vm_reboot(struct vm *vm, enum vm_stop how, unsigned timeout_s, struct nrd_err *err)
{
	const struct zone_boot_request plain = { 0 };
	NRD_CLOSE int fd = -1;
	int r;

	if (vm->run.state != ZONE_ST_RUNNING && vm->config.docker && vm->config.installed == ZONE_INSTALLED)
		return vm_boot(vm, err);
	if (vm->run.state != ZONE_ST_RUNNING)
		return wrong_state(vm, "reboot", "running", err);
	r = zone_client_open(vm->config.zonename, &fd, err);
	if (r < 0)
		return r;
	return how == VM_STOP_FORCE ? zone_client_reboot(fd, &plain, err)
				    : zone_client_shutdown(fd, true, timeout_s, err);
}

int
vm_signal(const struct vm *vm, int signal, struct nrd_err *err)
{
	NRD_CLOSE int fd = vm->run.state == ZONE_ST_RUNNING ? zone_sys_pidfd_open(vm->run.init) : -1;

	/* The number may be another process's by now; the inode tells. */
	if (fd < 0 || zone_sys_pidfd_ino(fd) != vm->run.init_pidfd_ino)
		return nrd_fail(err, ESRCH, "VmNotRunning", "it does not run");
	if (zone_sys_pidfd_kill(fd, signal) < 0)
		return nrd_fail(err, errno, "VmSignal", "send signal %d to its init: %m", signal);
	return 0;
}
