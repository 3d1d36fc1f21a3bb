/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/apply.h"
#include "node/bootlog.h"
#include "node/bootparam.h"
#include "node/datasets.h"
#include "node/netwait.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "store/dataset.h"
#include "store/pool.h"
#include "store/store.h"

/*
 * How long a node waits for what comes by itself. Disks announce themselves one by one and
 * nothing says "that was all": a pool is imported as soon as it is whole, and only a pool that is
 * not (or none at all) costs waiting.
 */
#define MODULE_WAIT_MS 240000   /* nereid-zfs.service loads it in the background */
#define MODULE_LOOK_MS 500      /* ... and says when it could not */
#define MODULE_FAILED NODE_RUN_DIR "/zfs-failed"
#define MEMBERS_WAIT_MS 20000   /* for the missing disks of a pool that was found */
#define QUIET_MS 2000           /* no new disk for so long: there is no pool */
#define QUIET_SLOW_MS 15000     /* the same with controllers that start their disks one by one */
#define NIC_WAIT_MS 15000
#define UEVENT_GROUP_UDEV 2     /* udev's events come when its links are made */

struct boot {
	const struct node_boot_opts *opts;
	struct node_bootparam param;
	struct store *store;
	struct node_bootlog log;
	int uevents;
	char *pool;
	char problem[NODE_STATE_WHY_MAX];
	char note[NODE_STATE_WHY_MAX]; /* told when there is no problem; does not stand in the way */
};

/* Only the first is shown on the console; all are in the log. */
__attribute__((format(printf, 2, 3))) static void
problem(struct boot *b, const char *fmt, ...)
{
	char text[NODE_STATE_WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	node_bootlog_say(&b->log, "problem: %s", text);
	if (b->problem[0] == '\0')
		memcpy(b->problem, text, sizeof(text));
}

/* ---- disks ---- */

static int
uevents_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP_UDEV };
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
				  NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	return nrd_take_fd(&fd);
}

/*
 * Waits for a device event, at most ms; true when one came. Bursts are taken as one: the wait
 * ends when no further one came for a moment.
 */
static bool
uevents_wait(const struct boot *b, int64_t ms)
{
	struct pollfd p = { .fd = b->uevents, .events = POLLIN };
	bool any = false;
	char buf[16384];

	while (ms > 0 && poll(&p, 1, any ? 50 : (int)ms) > 0) {
		any = true;
		while (recv(b->uevents, buf, sizeof(buf), 0) > 0)
			;
	}
	return any;
}

static bool
udev_busy(void)
{
	return nrd_path_exists("/run/udev/control") && nrd_path_exists("/run/udev/queue");
}

/* Controllers behind which disks may be slow to appear: RAID, SAS, Fibre Channel, USB storage. */
static bool
slow_controllers(void)
{
	static const char *const slow[] = { "0x0104", "0x0107", "0x0c04" };
	NRD_CLOSEDIR DIR *dir = opendir("/sys/bus/pci/devices");
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char path[300];
		char class[16] = "";

		(void)snprintf(path, sizeof(path), "%.255s/class", e->d_name);
		if (e->d_name[0] == '.' ||
		    nrd_attr_read(dirfd(dir), path, class, sizeof(class), NULL) < 0)
			continue;
		for (size_t i = 0; i < nrd_count(slow); i++)
			if (nrd_starts(class, slow[i]) != NULL)
				return true;
	}
	return false;
}

/* ---- pools ---- */

static bool
wanted(const struct boot *b, const char *pool)
{
	return b->param.zpools == NULL || nrd_strv_has(NRD_CSTRV(b->param.zpools), pool);
}

static void
import_one(struct boot *b, const struct store_found *f)
{
	struct nrd_err why = { 0 };

	if (f->twin && !store_pool_exists(b->store, f->name)) {
		problem(b, "two pools are named %s: unplug the disks of one of them, or rename it "
			   "(zpool import GUID NEWNAME)", f->name);
		return;
	}
	if (!f->usable) {
		problem(b, "pool %s cannot be imported: %s; %s", f->name, f->health.what,
			f->health.todo);
		return;
	}
	if (store_pool_import(b->store, f, &why) < 0)
		problem(b, "%s; see zpool import", why.msg);
	else
		node_bootlog_say(&b->log, "pool %s imported", f->name);
}

/* What of a search still lacks disks that may come. */
static bool
incomplete(const struct boot *b, const struct store_search *s)
{
	bool any = false;

	nrd_vec_each(f, s)
		any |= wanted(b, f->name) && f->health.missing;
	return any;
}

static bool
any_wanted(const struct boot *b, const struct store_search *s)
{
	bool any = false;

	nrd_vec_each(f, s)
		any |= wanted(b, f->name);
	return any;
}

/* Searches until the pools found are whole, or waiting for more disks has lost its sense. */
static int
search(struct boot *b, struct store_search *ret, struct nrd_err *err)
{
	int64_t start = nrd_now_ms();
	int64_t quiet = slow_controllers() ? QUIET_SLOW_MS : QUIET_MS;
	int64_t last_event = start;

	for (;;) {
		NRD_AUTO(store_search) s = { 0 };
		int64_t left;
		int r = store_search(b->store, &s, err);

		if (r < 0)
			return r;
		if (any_wanted(b, &s) && !incomplete(b, &s)) {
			*ret = s;
			s = (struct store_search){ 0 };
			return 0;
		}
		if (udev_busy())
			last_event = nrd_now_ms();
		left = any_wanted(b, &s) ? start + MEMBERS_WAIT_MS - nrd_now_ms()
					 : last_event + quiet - nrd_now_ms();
		if (left <= 0) {
			*ret = s;
			s = (struct store_search){ 0 };
			return 0;
		}
		if (uevents_wait(b, left))
			last_event = nrd_now_ms();
	}
}

static int
import_all(struct boot *b, struct nrd_err *err)
{
	NRD_AUTO(store_search) s = { 0 };
	NRD_STRV char **have = NULL;
	int r = store_pools(b->store, &have, err);

	/* Run again on a node that is up: what is imported stays. */
	if (r < 0 || have != NULL)
		return r;
	r = search(b, &s, err);
	if (r < 0)
		return r;
	if (b->param.zpools != NULL && !any_wanted(b, &s))
		problem(b, "none of the pools of boot parameter zpools= is there; see zpool import");
	nrd_vec_each(f, &s) {
		if (wanted(b, f->name))
			import_one(b, f);
	}
	return 0;
}

static void
look_at_health(struct boot *b)
{
	NRD_STRV char **names = NULL;

	if (store_pools(b->store, &names, NULL) < 0)
		return;
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		struct store_pool_health h;
		static const char *const words[] = { "online", "degraded", "suspended", "faulted" };

		if (store_pool_health(b->store, names[i], &h, NULL) < 0)
			continue;
		if (h.health != STORE_ONLINE)
			problem(b, "pool %s is %s: %s; %s", names[i], words[h.health], h.what,
				h.todo);
	}
}

/* ---- the sequence ---- */

static bool
secure_boot_refuses(void)
{
	char lockdown[64] = "";

	(void)nrd_attr_read(AT_FDCWD, "/sys/kernel/security/lockdown", lockdown, sizeof(lockdown),
			    NULL);
	return strstr(lockdown, "[integrity]") != NULL ||
	       strstr(lockdown, "[confidentiality]") != NULL;
}

static int
open_store(struct boot *b, struct nrd_err *err)
{
	int64_t end = nrd_now_ms() + MODULE_WAIT_MS;
	struct nrd_err why = { 0 };
	int r;

	if (!store_present()) {
		node_bootlog_say(&b->log, "waiting for the ZFS module");
		do
			r = store_wait(MODULE_LOOK_MS, &why);
		while (r < 0 && nrd_now_ms() < end && !nrd_path_exists(MODULE_FAILED));
		if (r < 0 && secure_boot_refuses())
			return nrd_fail(err, ENODEV, "ZfsRefused",
					"Secure Boot is on and refuses this platform's ZFS module: "
					"enrol /usr/share/nereid/module-signing.der with mokutil "
					"--import and reboot, or turn Secure Boot off");
		if (r < 0)
			return nrd_fail(err, ENODEV, "ZfsMissing",
					"the ZFS module did not load: see modprobe zfs and dmesg, "
					"or boot the platform before this one");
	}
	r = store_open(&b->store, err);
	if (r >= 0)
		node_bootlog_say(&b->log, "ZFS is there");
	return r;
}

/* Configures from the pool; what is wrong becomes the problem. */
static int
with_pool(struct boot *b, struct nrd_err *err)
{
	struct node_apply apply = { .param = &b->param, .pool = b->pool };
	struct nrd_err why = { 0 };
	int r = node_datasets_mount(b->store, b->pool, &why);

	if (r < 0)
		problem(b, "%s", why.msg);
	node_bootlog_say(&b->log, "datasets of %s mounted", b->pool);
	r = node_apply_config(&apply, err);
	if (r < 0)
		return r;
	if (apply.problem[0] != '\0')
		problem(b, "%s", apply.problem);
	node_bootlog_say(&b->log, "configuration is in force");
	if (apply.login)
		(void)nrd_file_write(NODE_LOGIN_PATH, "", 0, 0644, NULL);
	return nrd_file_write(NODE_CONFIGURED_PATH, "", 0, 0644, err);
}

/* What may take its time and nobody waits for: after the markers, before the state. */
static void
afterwards(struct boot *b)
{
	NRD_STRV char **names = NULL;
	char text[NODE_STATE_WHY_MAX];
	struct nrd_err why = { 0 };

	look_at_health(b);
	if (store_pools(b->store, &names, NULL) >= 0)
		for (size_t i = 0; names != NULL && names[i] != NULL; i++)
			if (store_pool_mount_all(b->store, names[i], &why) < 0)
				node_bootlog_say(&b->log, "%s", why.msg);
	if (!node_netwait_nics(NIC_WAIT_MS)) {
		node_netwait_problem(text, sizeof(text));
		problem(b, "%s", text);
	}
}

static int
without_pool(struct boot *b, struct nrd_err *err)
{
	struct node_apply apply = { .param = &b->param };
	int r = node_apply_bare(&apply, err);

	if (r >= 0 && apply.login)
		(void)nrd_file_write(NODE_LOGIN_PATH, "", 0, 0644, NULL);
	return r;
}

/*
 * Finds the pool that holds the node, or a reason for having none. True with *ret_pool set to a
 * configured pool; false and no problem: the node wants to be set up.
 */
static int
find_pool(struct boot *b, bool *ret_configured, struct nrd_err *err)
{
	bool complete = true;
	int r = import_all(b, err);

	if (r < 0)
		return r;
	free(b->pool);
	b->pool = NULL;
	r = node_pool_find(b->store, &b->pool, err);
	*ret_configured = false;
	if (r < 0 || b->pool == NULL)
		return r;
	r = node_pool_complete(b->store, b->pool, &complete, err);
	if (r >= 0 && !complete)
		node_bootlog_say(&b->log, "pool %s: its setup was cut off", b->pool);
	*ret_configured = complete && node_pool_configured(b->pool);
	return r;
}

static int
finish(struct boot *b, enum node_state_kind kind, const char *why, struct node_state *ret,
       struct nrd_err *err)
{
	if (kind == NODE_READY && b->note[0] != '\0') {
		kind = NODE_DEGRADED;
		why = b->note;
	}
	ret->kind = kind;
	(void)snprintf(ret->why, sizeof(ret->why), "%s", why != NULL ? why : "");
	/* What is configured is ready when others can reach it: see `nereid-boot ready`. */
	if (kind == NODE_READY) {
		node_bootlog_say(&b->log, "waiting for the network");
		return node_state_write(NULL, NODE_BOOTING, NULL, err);
	}
	node_bootlog_say(&b->log, "state: %s%s%s", node_state_name(kind), ret->why[0] != '\0' ? ": " : "", ret->why);
	return node_state_write(NULL, kind, why, err);
}

static int
unconfigured(struct boot *b, struct node_state *ret, struct nrd_err *err)
{
	char why[NODE_STATE_WHY_MAX] = "";
	bool configured = false;
	int r;

	/* A pool that is there and cannot be used is no reason to make another. */
	if (b->problem[0] != '\0') {
		r = without_pool(b, err);
		return r < 0 ? r : finish(b, NODE_DEGRADED, b->problem, ret, err);
	}
	if (b->opts->setup != NULL && !b->opts->live) {
		int done = b->opts->setup(b->opts->setup_arg, why, sizeof(why));

		if (done == NODE_BOOT_SETUP_DONE) {
			r = find_pool(b, &configured, err);
			if (r < 0)
				return r;
			if (configured) {
				node_bootlog_say(&b->log, "set up from answers");
				r = with_pool(b, err);
				afterwards(b);
				if (r < 0)
					return r;
				return finish(b, b->problem[0] ? NODE_DEGRADED : NODE_READY,
					      b->problem, ret, err);
			}
			(void)snprintf(why, sizeof(why), "setup left no configured pool");
		}
	}
	if (why[0] == '\0' && b->pool != NULL) {
		bool complete = true;

		(void)node_pool_complete(b->store, b->pool, &complete, NULL);
		(void)snprintf(why, sizeof(why),
			       complete ? "pool %s is there but holds no configuration; setup takes "
					  "it as it is" :
					  "the setup before this was cut off; pool %s will be made "
					  "anew",
			       b->pool);
	}
	r = without_pool(b, err);
	return r < 0 ? r : finish(b, NODE_SETUP, why, ret, err);
}

static int
run(struct boot *b, struct node_state *ret, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	bool configured = false;
	int r;

	if (b->param.noimport && !b->opts->live) {
		r = without_pool(b, err);
		return r < 0 ? r : finish(b, NODE_NOIMPORT, NULL, ret, err);
	}
	r = open_store(b, &why);
	if (r >= 0)
		r = find_pool(b, &configured, &why);
	if (r < 0) {
		problem(b, "%s", why.msg);
		r = without_pool(b, err);
		return r < 0 ? r : finish(b, NODE_DEGRADED, b->problem, ret, err);
	}
	if (!configured)
		return unconfigured(b, ret, err);
	r = with_pool(b, err);
	if (r < 0)
		return r;
	afterwards(b);
	return finish(b, b->problem[0] != '\0' ? NODE_DEGRADED : NODE_READY, b->problem, ret, err);
}

int
node_boot(const struct node_boot_opts *opts, struct node_state *ret_state, struct nrd_err *err)
{
	struct boot b = { .opts = opts, .uevents = -1 };
	NRD_FREE char *param_problem = NULL;
	struct nrd_err why = { 0 };
	int r = nrd_mkdir_p(NODE_RUN_DIR, 0755, err);

	if (r < 0)
		return r;
	b.log = node_bootlog_open(opts->quiet);
	b.uevents = uevents_open();
	if (!opts->live)
		(void)node_state_write(NULL, NODE_BOOTING, NULL, NULL);
	r = node_bootparam_read(NULL, &b.param, &param_problem, &why);
	if (r < 0)
		node_bootlog_say(&b.log, "%s: ignoring the boot parameters", why.msg);
	if (param_problem != NULL)
		(void)snprintf(b.note, sizeof(b.note), "%s: it is ignored", param_problem);
	r = run(&b, ret_state, err);
	/* However it ended, the console must not go on saying that the node boots. */
	if (r < 0 && err != NULL)
		(void)finish(&b, NODE_DEGRADED, err->msg, ret_state, NULL);
	store_close(b.store);
	node_bootparam_fini(&b.param);
	free(b.pool);
	node_bootlog_close(&b.log);
	if (b.uevents >= 0)
		(void)close(b.uevents);
	return r;
}
