/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nics/nics.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cgroup.h"
#include "zone/config-guest.h"
#include "zone/enter.h"
#include "zone/event.h"
#include "zone/live.h"
#include "zone/reboots.h"
#include "zone/sys.h"
#include "zoneadmd.h"

/* An init that dies at once again and again is left alone after so many times. */
#define QUICK_DEATH_MS 10000
#define QUICK_DEATHS_MAX 3

static int
set_state(struct zoneadmd *z, enum zone_state state, struct nrd_err *err)
{
	enum zone_state before = z->run.state;
	struct nrd_err why = { 0 };
	int r;

	z->run.state = state;
	z->run.zoneadmd = getpid();
	z->run.init = z->boot.init.pid;
	z->run.init_pidfd_ino =
		z->boot.init.pidfd >= 0 ? zone_sys_pidfd_ino(z->boot.init.pidfd) : 0;
	if (state == ZONE_ST_INSTALLED)
		z->run.zoneid = 0;
	if (before != state &&
	    zone_event(z->name, "state", zone_state_name(before), zone_state_name(state),
		       &z->run.seq, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: an event was not written", NRD_S("zone", z->name),
			NRD_ERR(&why));
	r = zone_run_write(z->name, &z->run, err);
	nrd_log(NRD_INFO, "state", NRD_S("zone", z->name), NRD_S("state", zone_state_name(state)));
	return r;
}

/* What is wrong with the configuration is found before anything is made. */
static int
load(struct zoneadmd *z, const struct zone_boot_request *how, struct nrd_err *err)
{
	struct zone_config config = { 0 };
	struct zone_spec spec = { 0 };
	int r = zone_config_read(NULL, z->name, &config, err);

	if (r >= 0)
		r = zone_config_verify(&config, err);
	if (r >= 0 && config.installed != ZONE_INSTALLED)
		r = nrd_fail(err, EINVAL, "ZoneWrongState", "zone '%s': it is %s, not installed",
			     z->name, zone_installed_names[config.installed]);
	if (r >= 0)
		r = spec_make(&config, how, &spec, err);
	if (r < 0) {
		zone_config_fini(&config);
		return r;
	}
	zone_config_fini(&z->config);
	zone_spec_fini(&z->spec);
	z->config = config;
	z->spec = spec;
	z->boot.config = &z->config;
	z->boot.spec = &z->spec;
	return 0;
}

/* What others are told is in force; a zone runs without it all the same. */
void
zone_record(const struct zoneadmd *z)
{
	struct nrd_err why = { 0 };

	if (zone_live_write(&z->config, &why) < 0)
		nrd_log(NRD_WARN, "ignoring: what is in force was not recorded", NRD_S("zone", z->name),
			NRD_ERR(&why));
}

static bool
is_up(const struct zoneadmd *z)
{
	return z->run.state == ZONE_ST_READY || z->run.state == ZONE_ST_RUNNING;
}

static int
wrong_state(const struct zoneadmd *z, struct nrd_err *err)
{
	return nrd_fail(err, EINVAL, "ZoneWrongState", "zone '%s': it is %s", z->name,
			zone_state_name(z->run.state));
}

/* A zone that was left half down by a process that did not die is brought down first. */
static int
finish_halt(struct zoneadmd *z, struct nrd_err *err)
{
	return z->run.state == ZONE_ST_SHUTTING_DOWN || z->run.state == ZONE_ST_DOWN ?
		       zone_op_halt(z, err) :
		       0;
}

/*
 * What was begun and failed is undone. Also of a zone that was ready: its cgroup may have been
 * killed, and then nothing starts in it any more.
 */
static void
give_up(struct zoneadmd *z)
{
	struct nrd_err err = { 0 };
	int r = zone_boot_down(&z->boot, &err);

	console_set(z, -1);
	guest_end(z);
	nics_unwatch(z);
	dhcp_forget(z);
	zone_live_remove(z->name);
	(void)set_state(z, r < 0 ? ZONE_ST_SHUTTING_DOWN : ZONE_ST_INSTALLED, NULL);
	if (r < 0)
		nrd_log(NRD_ERROR, "a zone whose boot failed is not down", NRD_S("zone", z->name),
			NRD_ERR(&err));
}

static int
make_ready(struct zoneadmd *z, struct nrd_err *err)
{
	int r = finish_halt(z, err);

	if (r < 0)
		return r;
	if (is_up(z))
		return wrong_state(z, err);
	r = load(z, &(struct zone_boot_request){ 0 }, err);
	if (r < 0)
		return r;
	r = zone_boot_up(&z->boot, ZONE_BOOT_READY, err);
	if (r >= 0)
		r = zone_next_id(&z->run.zoneid, err);
	if (r >= 0)
		r = set_state(z, ZONE_ST_READY, err);
	if (r < 0)
		give_up(z);
	return r;
}

int
zone_op_ready(struct zoneadmd *z, struct nrd_err *err)
{
	int r = make_ready(z, err);

	if (r >= 0)
		zone_record(z);
	return r;
}

/* From a boot of our own on init is our child. */
static void
not_adopted(struct zoneadmd *z)
{
	z->adopted = false;
	z->end_known = false;
	if (z->exits >= 0)
		(void)close(z->exits);
	z->exits = -1;
}

static int
start(struct zoneadmd *z, struct nrd_err *err)
{
	int r = stdio_open(z, err);

	if (r >= 0)
		r = guest_prepare(z, err);
	if (r >= 0)
		r = zone_boot_up(&z->boot, ZONE_BOOT_RUN, err);
	stdio_started(z);
	if (r < 0) {
		stdio_close(z);
		return r;
	}
	console_set(z, nrd_take_fd(&z->boot.init.console));
	(void)nrd_strcpy_to(z->run.missing_dataset, sizeof(z->run.missing_dataset),
			    z->boot.init.missing != NULL ? z->boot.init.missing : "");
	if (z->boot.init.missing != NULL)
		nrd_log(NRD_WARN, "ignoring: a delegated dataset is not there",
			NRD_S("zone", z->name), NRD_S("dataset", z->boot.init.missing));
	not_adopted(z);
	r = guest_begin(z, err);
	if (r < 0)
		return r;
	z->shutting = SHUTDOWN_NONE;
	z->deadline_ms = 0;
	z->booted_ms = nrd_now_ms();
	z->run.boots++;
	nrd_date_format(nrd_date_ms(), z->run.boot_time);
	zone_record(z);
	nics_watch(z);
	r = set_state(z, ZONE_ST_RUNNING, err);
	if (r < 0) {
		z->run.boots--; /* it is undone */
		return r;
	}
	dhcp_sync(z);
	provision_begin(z);
	return 0;
}

int
zone_op_boot(struct zoneadmd *z, const struct zone_boot_request *how, struct nrd_err *err)
{
	bool was_ready;
	int r = finish_halt(z, err);

	if (r < 0)
		return r;
	if (z->run.state == ZONE_ST_RUNNING)
		return nrd_fail(err, EEXIST, "ZoneWrongState", "zone '%s': it is running already",
				z->name);
	was_ready = z->run.state == ZONE_ST_READY;
	if (!was_ready)
		r = make_ready(z, err);
	if (r < 0)
		return r;
	z->run.exited = false;
	z->run.init_restarts = 0;
	z->restart = (struct restart){ 0 };
	r = load(z, how, err);
	if (r >= 0 && !how->force)
		r = guest_fits(z, err);
	/* Readied some time ago, it has the limits of then. */
	if (r >= 0 && was_ready)
		r = zone_cgroup_limit(&z->config, err);
	if (r >= 0)
		r = start(z, err);
	if (r < 0)
		give_up(z);
	return r;
}

/* "status 3", "signal 9" */
static void
format_end(int status, char *dst, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(dst, size, "signal %d", WTERMSIG(status));
	else
		(void)snprintf(dst, size, "status %d", WEXITSTATUS(status));
}

/* How init ended is said where it was nobody's wish. */
static void
say_end(struct zoneadmd *z, const char *what)
{
	char how[32];

	format_end(z->run.exit_status, how, sizeof(how));
	if (!z->died)
		console_say(z, "%s", what);
	else if (z->quick_deaths >= QUICK_DEATHS_MAX)
		console_say(z, "%s: its init ended with %s, %d times within seconds", what, how, QUICK_DEATHS_MAX);
	else
		console_say(z, "%s: its init ended with %s", what, how);
	z->died = false;
}

int
zone_op_halt(struct zoneadmd *z, struct nrd_err *err)
{
	int r;

	if (z->run.state == ZONE_ST_INSTALLED)
		return wrong_state(z, err);
	(void)set_state(z, ZONE_ST_SHUTTING_DOWN, NULL);
	z->shutting = SHUTDOWN_NONE;
	z->deadline_ms = 0;
	provision_end(&z->provision);
	nics_unwatch(z);
	dhcp_forget(z);
	r = zone_boot_down(&z->boot, err);
	console_drain(z);
	stdio_drain(z);
	if (r < 0)
		return r;
	stdio_close(z);
	say_end(z, "Zone halted");
	console_set(z, -1);
	guest_end(z);
	zone_live_remove(z->name);
	return set_state(z, ZONE_ST_INSTALLED, err);
}

int
zone_op_reboot(struct zoneadmd *z, const struct zone_boot_request *how, struct nrd_err *err)
{
	int r;

	if (z->run.state != ZONE_ST_RUNNING)
		return wrong_state(z, err);
	/* What would keep it from coming up again is found while it still runs. */
	r = load(z, how, err);
	if (r < 0)
		return r;
	(void)set_state(z, ZONE_ST_SHUTTING_DOWN, NULL);
	say_end(z, "Zone rebooting");
	/*
	 * The cgroup too: the kernel kills what is cloned into one that was ever killed (it compares
	 * the number of kills with that of the cgroup the parent is in).
	 */
	r = zone_boot_down(&z->boot, err);
	console_drain(z);
	stdio_drain(z);
	if (r >= 0)
		r = start(z, err);
	if (r < 0 && zone_op_halt(z, NULL) < 0)
		nrd_log(NRD_ERROR, "a zone whose reboot failed is not down", NRD_S("zone", z->name));
	return r;
}

int
zone_op_shutdown(struct zoneadmd *z, bool reboot, unsigned timeout_s, struct nrd_err *err)
{
	int r;

	if (z->run.state == ZONE_ST_READY)
		return zone_op_halt(z, err);
	if (z->run.state != ZONE_ST_RUNNING)
		return wrong_state(z, err);
	z->shutting = reboot ? SHUTDOWN_REBOOT : SHUTDOWN_HALT;
	z->deadline_ms = nrd_now_ms() + (int64_t)timeout_s * 1000 + 1;
	r = spec_ask_init(z, reboot, err);
	if (r < 0)
		z->shutting = SHUTDOWN_NONE;
	return r;
}

const struct zone_network zone_network = { .names = nics_names, .up = nics_set, .tap = nics_tap, .down = nics_down };

/* A zone that is only ready has no network yet. */
static int
network_apply(struct zoneadmd *z, struct zone_config *config, struct nrd_err *err)
{
	struct zone_nic *nics = z->config.nics;
	size_t n = z->config.n_nics;
	int r;

	if (z->run.state != ZONE_ST_RUNNING)
		return 0;
	r = nics_apply(config, z->boot.init.pid, err);
	if (r < 0)
		return r;
	z->config.nics = config->nics;
	z->config.n_nics = config->n_nics;
	config->nics = nics;
	config->n_nics = n;
	if (NRD_HAS(&zone_config_schema, config, nics))
		NRD_SET(&zone_config_schema, &z->config, nics);
	else
		NRD_CLEAR(&zone_config_schema, &z->config, nics);
	nics_watch(z);
	dhcp_sync(z);
	return 0;
}

int
zone_op_apply(struct zoneadmd *z, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	int r;

	if (!is_up(z))
		return wrong_state(z, err);
	r = zone_config_read(NULL, z->name, &config, err);
	if (r >= 0)
		r = zone_config_verify(&config, err);
	if (r < 0)
		return r;
	r = zone_live_apply(&config, z->boot.init.pidfd, &z->config, err);
	if (r >= 0)
		r = guest_apply(z, &config, err);
	if (r >= 0)
		r = network_apply(z, &config, err);
	zone_record(z);
	return r;
}

/* ---- init's end ---- */

enum meaning {
	MEANS_HALT,
	MEANS_REBOOT,
	MEANS_DEATH,
};

/*
 * Init of an adopted zone: the process connector says that it was killed, which is how reboot(2)
 * ends it too; the kernel tells a parent a signal that says which it was.
 */
static bool
how_adopted_ended(struct zoneadmd *z, int *ret_status)
{
	uint32_t cmd;

	z->end_known |= exits_find(z->exits, z->boot.init.pid, &z->end_status);
	*ret_status = z->end_status;
	if (!zone_reboots_asked(z->boot.init.pid, &cmd))
		return z->end_known;
	if (cmd == LINUX_REBOOT_CMD_RESTART || cmd == LINUX_REBOOT_CMD_RESTART2)
		*ret_status = SIGHUP;
	else if (cmd == LINUX_REBOOT_CMD_HALT || cmd == LINUX_REBOOT_CMD_POWER_OFF)
		*ret_status = SIGINT;
	return true;
}

/* The status of wait(2), from whoever knows it; false: nobody does. */
static bool
how_it_ended(struct zoneadmd *z, int *ret_status)
{
	siginfo_t info = { 0 };

	if (z->adopted)
		return how_adopted_ended(z, ret_status);
	if (waitid(P_PIDFD, (id_t)z->boot.init.pidfd, &info, WEXITED | WNOHANG) < 0)
		return false;
	*ret_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
						 : info.si_status & 0x7f;
	return true;
}

/* reboot(2) in a pid namespace ends init by one of these two signals. */
static enum meaning
meaning_of(const struct zoneadmd *z, int status)
{
	if (z->shutting != SHUTDOWN_NONE)
		return z->shutting == SHUTDOWN_REBOOT ? MEANS_REBOOT : MEANS_HALT;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP)
		return MEANS_REBOOT;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return MEANS_HALT;
	/* QEMU ends when its guest has switched itself off. */
	if (zone_is_guest(&z->config) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return MEANS_HALT;
	return MEANS_DEATH;
}

/* Init is started again, unless it keeps dying; a docker zone is its process, and ends with it. */
static enum meaning
after_death(struct zoneadmd *z)
{
	bool quick = nrd_now_ms() - z->booted_ms < QUICK_DEATH_MS;
	struct nrd_err err = { 0 };
	char how[32];

	format_end(z->run.exit_status, how, sizeof(how));
	nrd_log(NRD_WARN, "init ended by itself", NRD_S("zone", z->name), NRD_S("how", how));
	if (zone_event(z->name, "exit", NULL, how, &z->run.seq, &err) < 0)
		nrd_log(NRD_WARN, "ignoring: an event was not written", NRD_S("zone", z->name),
			NRD_ERR(&err));
	z->died = true;
	if (!z->config.restart_init || zone_is_guest(&z->config))
		return MEANS_HALT;
	z->quick_deaths = quick ? z->quick_deaths + 1 : 0;
	if (z->quick_deaths >= QUICK_DEATHS_MAX)
		return MEANS_HALT;
	z->run.init_restarts++;
	return MEANS_REBOOT;
}

void
zone_init_ended(struct zoneadmd *z)
{
	enum meaning what = MEANS_HALT;
	int64_t ran_ms = nrd_now_ms() - z->booted_ms;
	struct nrd_err err = { 0 };
	bool died = false;
	int status = 0;
	int r;

	console_drain(z);
	stdio_drain(z);
	nrd_date_format(nrd_date_ms(), z->run.exit_time);
	z->run.exited = how_it_ended(z, &status);
	if (z->run.exited) {
		z->run.exit_status = status;
		what = meaning_of(z, status);
	}
	died = what == MEANS_DEATH;
	if (died)
		what = after_death(z);
	if (what == MEANS_HALT && z->shutting == SHUTDOWN_NONE)
		provision_died(z);
	r = what == MEANS_REBOOT ? zone_op_reboot(z, &(struct zone_boot_request){ 0 }, &err) :
				   zone_op_halt(z, &err);
	if (r < 0)
		nrd_log(NRD_ERROR, "after the end of init", NRD_S("zone", z->name), NRD_ERR(&err));
	else if (died && what == MEANS_HALT)
		restart_plan(z, status, ran_ms);
	server_tell_down(z, r, &err);
}

/* ---- adopting ---- */

/* The file may say something else by now. */
static void
take_in_force(struct zoneadmd *z)
{
	struct zone_config in_force = { 0 };

	if (zone_live_read(z->name, &in_force, NULL) < 0)
		return;
	zone_config_fini(&z->config);
	z->config = in_force;
}

static int
adopt_init(struct zoneadmd *z)
{
	int fd = z->run.init > 0 ? zone_sys_pidfd_open(z->run.init) : -1;

	if (fd >= 0 && zone_sys_pidfd_ino(fd) == z->run.init_pidfd_ino) {
		z->boot.init.pidfd = fd;
		z->boot.init.pid = z->run.init;
		zone_reboots_forget(z->run.init);
		return 1;
	}
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

int
zone_adopt(struct zoneadmd *z, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r;

	if (z->run.state == ZONE_ST_INSTALLED)
		return 0;
	nrd_log(NRD_INFO, "adopting", NRD_S("zone", z->name),
		NRD_S("state", zone_state_name(z->run.state)));
	r = load(z, &(struct zone_boot_request){ 0 }, &why);
	if (r < 0) {
		/* Its file went away while it ran: enough is known to bring it down. */
		nrd_log(NRD_WARN, "ignoring its configuration", NRD_S("zone", z->name), NRD_ERR(&why));
		r = nrd_str_set(&z->config.zonename, z->name);
		if (r < 0)
			return nrd_nomem(err);
		z->boot.config = &z->config;
		z->boot.spec = &z->spec;
	}
	take_in_force(z);
	z->adopted = true;
	z->exits = exits_listen(&why);
	if (z->exits < 0)
		nrd_log(NRD_WARN, "ignoring: the end of init will not be known", NRD_S("zone", z->name),
			NRD_ERR(&why));
	if (zone_reboots_watch(&why) < 0)
		nrd_log(NRD_WARN, "ignoring: a reboot will look like init's death",
			NRD_S("zone", z->name), NRD_ERR(&why));
	if (z->run.state == ZONE_ST_RUNNING && adopt_init(z) == 1) {
		int master = -1;

		if (zone_is_guest(&z->config)) {
			guest_adopt(z);
		} else {
			/* A zone can run without a console; what it says there is lost then. */
			if (zone_enter_console(z->name, &master, &why) < 0)
				nrd_log(NRD_WARN, "ignoring: no console", NRD_S("zone", z->name), NRD_ERR(&why));
			console_set(z, master);
		}
		stdio_adopt(z);
		provision_begin(z);
		nics_watch(z);
		dhcp_adopt(z);
		return set_state(z, ZONE_ST_RUNNING, err);
	}
	if (z->run.state == ZONE_ST_READY)
		return set_state(z, ZONE_ST_READY, err);
	return zone_op_halt(z, err);
}
