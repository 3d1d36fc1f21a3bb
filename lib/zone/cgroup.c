/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/magic.h>

#include "nrd/buf.h"
#include "nrd/clock.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cpus.h"
#include "zone/devices.h"
#include "zone/guard.h"
#include "zone/ipc.h"

#define MONITORS "zones.mon"
#define MONITORS_DIR ZONE_CGROUP_ROOT "/" MONITORS
#define RECLAIM_TRIES 5
#define PERIOD_US 100000
#define WEIGHT_MAX 10000
#define WEIGHT_DEFAULT 100
/* Kernel memory a zone could pin with directories alone. */
#define DESCENDANTS_MAX "1000"
#define DEPTH_MAX "32"

/* What the zone's root may write in its payload (see /sys/kernel/cgroup/delegate). */
static const char *const delegated[] = {
	".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "memory.oom.group",
	"memory.reclaim",
};

static void
cgroup_path(const char *name, const char *below, char ret_path[256])
{
	(void)snprintf(ret_path, 256, ZONE_CGROUP_DIR "/%.80s%s%.100s", name,
		       below[0] != '\0' ? "/" : "", below);
}

static int
check_version(struct nrd_err *err)
{
	struct statfs fs;

	if (statfs(ZONE_CGROUP_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	return nrd_fail(err, ENOTSUP, "ZoneCgroupVersion",
			ZONE_CGROUP_ROOT " is not cgroup v2: zones need it, and nothing beside it");
}

static int
make_dir(const char *path, struct nrd_err *err)
{
	int r = nrd_fault(err, "create %s", path);

	if (r < 0)
		return r;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return nrd_fail(err, errno, "ZoneCgroup", "create %s: %m", path);
	return 0;
}

static int
put(int dir, const char *file, const char *value, struct nrd_err *err)
{
	struct nrd_err why = { 0 };
	int r = nrd_fault(err, "write %s", file);

	if (r < 0)
		return r;
	r = nrd_attr_write(dir, file, value, &why);
	return r < 0 ? nrd_fail(err, -r, "ZoneCgroup", "%s", why.msg) : 0;
}

/* none: the value means no limit, for which no controller is needed. */
static int
put_limit(int dir, const char *file, const char *value, bool none, struct nrd_err *err)
{
	if (faccessat(dir, file, W_OK, 0) == 0)
		return put(dir, file, value, err);
	return none ? 0 : nrd_fail(err, ENOTSUP, "ZoneCgroup", "this kernel has no %s to limit with",
				   file);
}

static const char *const controllers[] = { "cpu", "cpuset", "io", "memory", "pids" };

/* Those the kernel has here; a limit that needs another is refused when it is set. */
static int
enable_controllers(int dir, struct nrd_err *err)
{
	NRD_STRV char **have = NULL;
	char text[256] = "";
	size_t n = 0;
	int r = nrd_attr_read(dir, "cgroup.controllers", text, sizeof(text), err);

	if (r >= 0)
		r = nrd_strv_split(text, ' ', &have);
	if (r < 0)
		return r;
	text[0] = '\0';
	for (size_t i = 0; i < nrd_count(controllers); i++)
		if (nrd_strv_has(NRD_CSTRV(have), controllers[i]))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "+%s ", controllers[i]);
	return n == 0 ? 0 : put(dir, "cgroup.subtree_control", text, err);
}

static int
enable_at(const char *path, struct nrd_err *err)
{
	NRD_CLOSE int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return nrd_fail(err, errno, "ZoneCgroup", "open %s: %m", path);
	return enable_controllers(dir, err);
}

static int
make_zones(struct nrd_err *err)
{
	NRD_CLOSE int dir = open(ZONE_CGROUP_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return nrd_fail(err, errno, "ZoneCgroup", "open " ZONE_CGROUP_DIR ": %m");
	r = enable_controllers(dir, err);
	return r < 0 ? r : zone_guard(dir, err);
}

/*
 * The tree above the zones; made once a boot, cheap to ask again. Its last step tells that it is
 * there: what was cut off before is made again.
 */
static int
make_tree(struct nrd_err *err)
{
	char text[256] = "";
	int r = check_version(err);

	if (r < 0 || (nrd_attr_read(AT_FDCWD, ZONE_CGROUP_DIR "/cgroup.subtree_control", text,
				    sizeof(text), NULL) >= 0 && text[0] != '\0'))
		return r;
	r = enable_at(ZONE_CGROUP_ROOT, err);
	if (r >= 0)
		r = make_dir(ZONE_CGROUP_DIR, err);
	return r < 0 ? r : make_zones(err);
}

static int
delegate(const struct zone_config *config, int payload, struct nrd_err *err)
{
	int r = nrd_fault(err, "give the cgroup to the zone");

	if (r < 0)
		return r;
	for (size_t i = 0; i < nrd_count(delegated); i++)
		if (fchownat(payload, delegated[i], (uid_t)config->id_base, (gid_t)config->id_base,
			     0) < 0 && errno != ENOENT)
			return nrd_fail(err, errno, "ZoneCgroup", "give %s to the zone: %m",
					delegated[i]);
	return 0;
}

static void
format_mib(uint64_t mib, char ret_text[32])
{
	if (mib == 0)
		(void)snprintf(ret_text, 32, "max");
	else
		(void)snprintf(ret_text, 32, "%llu", (unsigned long long)mib << 20);
}

/* illumos counts memory and swap together. Without swap in the kernel there is none to limit. */
static void
format_swap(const struct zone_config *c, char ret_text[32])
{
	if (c->max_swap > c->max_physical_memory)
		format_mib(c->max_swap - c->max_physical_memory, ret_text);
	else
		(void)snprintf(ret_text, 32, c->max_swap == 0 ? "max" : "0");
}

static void
format_cap(const struct zone_config *c, char ret_text[32])
{
	if (c->cpu_cap == 0)
		(void)snprintf(ret_text, 32, "max %d", PERIOD_US);
	else
		(void)snprintf(ret_text, 32, "%llu %d",
			       (unsigned long long)c->cpu_cap * (PERIOD_US / 100), PERIOD_US);
}

static void
format_lwps(const struct zone_config *c, char ret_text[32])
{
	if (c->max_lwps == 0)
		(void)snprintf(ret_text, 32, "max");
	else
		(void)snprintf(ret_text, 32, "%llu", (unsigned long long)c->max_lwps);
}

/*
 * What caps the zone. memory.high is left alone: at memory.max the kernel reclaims and pages out
 * before it kills, and memory.high would make the zone sleep where nothing can be reclaimed.
 */
static int
caps_at(const struct zone_config *c, int dir, struct nrd_err *err)
{
	char text[32];
	int r;

	format_cap(c, text);
	r = put_limit(dir, "cpu.max", text, c->cpu_cap == 0, err);
	format_mib(c->max_physical_memory, text);
	if (r >= 0)
		r = put_limit(dir, "memory.max", text, c->max_physical_memory == 0, err);
	format_swap(c, text);
	if (r >= 0)
		r = put_limit(dir, "memory.swap.max", text, true, err);
	format_lwps(c, text);
	return r < 0 ? r : put_limit(dir, "pids.max", text, c->max_lwps == 0, err);
}

static int
weigh(const struct zone_config *c, int dir, struct nrd_err *err)
{
	uint64_t weight = c->cpu_shares > WEIGHT_MAX ? WEIGHT_MAX : c->cpu_shares;
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu",
		       (unsigned long long)(weight == 0 ? WEIGHT_DEFAULT : weight));
	return put_limit(dir, "cpu.weight", text, weight == 0 || weight == WEIGHT_DEFAULT, err);
}

static bool
is_capped(const struct zone_config *c)
{
	return c->cpu_cap != 0 || c->max_physical_memory != 0 || c->max_swap != 0 || c->max_lwps != 0;
}

static int
open_dir(const char *path, int *ret_fd, struct nrd_err *err)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "ZoneCgroup", "open %s: %m", path) : 0;
}

static int
read_bytes(int dir, const char *file, uint64_t *ret_bytes, struct nrd_err *err)
{
	char text[32];
	int r = nrd_attr_read(dir, file, text, sizeof(text), err);

	*ret_bytes = UINT64_MAX;
	if (r < 0 || nrd_streq(text, "max"))
		return r;
	return nrd_parse_u64(text, 0, UINT64_MAX, ret_bytes, err);
}

/*
 * What the kernel cannot take from a zone when its limit is lowered it gets by killing. So first it is
 * asked to take what it can, and if that is too little the limit stays.
 */
static int
make_room(const struct zone_config *config, int dir, struct nrd_err *err)
{
	uint64_t want = config->max_physical_memory << 20, used = 0, limit = 0;
	char text[32];
	int r = want != 0 && faccessat(dir, "memory.reclaim", W_OK, 0) == 0 ?
			read_bytes(dir, "memory.max", &limit, err) : 0;

	if (r < 0 || want >= limit)
		return r;
	for (int i = 0; i < RECLAIM_TRIES; i++) {
		r = read_bytes(dir, "memory.current", &used, err);
		if (r < 0 || used <= want)
			return r;
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)(used - want));
		(void)nrd_attr_write(dir, "memory.reclaim", text, NULL); /* as far as it goes */
	}
	return nrd_fail(err, EBUSY, "ZoneMemory",
			"capped-memory: it uses %llu MiB that cannot be taken from it; at %llu MiB it would "
			"be killed", (unsigned long long)used >> 20,
			(unsigned long long)config->max_physical_memory);
}

int
zone_cgroup_limit(const struct zone_config *config, struct nrd_err *err)
{
	NRD_CLOSE int dir = -1;
	NRD_CLOSE int payload = -1;
	char path[256];
	int r;

	cgroup_path(config->zonename, "", path);
	r = open_dir(path, &dir, err);
	cgroup_path(config->zonename, "init", path);
	if (r >= 0)
		r = open_dir(path, &payload, err);
	if (r >= 0)
		r = make_room(config, dir, err);
	if (r >= 0)
		r = weigh(config, dir, err);
	if (r >= 0)
		r = caps_at(config, dir, err);
	if (r >= 0)
		r = caps_at(config, payload, err);
	if (r >= 0)
		r = zone_ipc_guard(config, dir, false, err);
	return r < 0 ? r : zone_cpus_take(config, dir, err);
}

/*
 * The payload has the caps too: its directory is all the zone sees of the tree, and what runs there
 * (runtimes of languages, systemd, lxcfs) looks in it for how much it may use.
 */
static int
make_payload(const struct zone_config *config, int *ret_fd, struct nrd_err *err)
{
	NRD_CLOSE int payload = -1;
	char path[256];
	int r;

	cgroup_path(config->zonename, "init", path);
	r = make_dir(path, err);
	if (r >= 0)
		r = open_dir(path, &payload, err);
	if (r >= 0 && is_capped(config))
		r = caps_at(config, payload, err);
	if (r >= 0)
		r = delegate(config, payload, err);
	if (r >= 0)
		*ret_fd = nrd_take_fd(&payload);
	return r;
}

int
zone_cgroup_make(const struct zone_config *config, int *ret_payload_fd, struct nrd_err *err)
{
	char path[256];
	NRD_CLOSE int dir = -1;
	int r = make_tree(err);

	cgroup_path(config->zonename, "", path);
	if (r >= 0)
		r = make_dir(path, err);
	if (r >= 0)
		r = open_dir(path, &dir, err);
	if (r >= 0)
		r = enable_controllers(dir, err);
	if (r >= 0)
		r = put(dir, "cgroup.max.descendants", DESCENDANTS_MAX, err);
	if (r >= 0)
		r = put(dir, "cgroup.max.depth", DEPTH_MAX, err);
	if (r >= 0)
		r = weigh(config, dir, err);
	if (r >= 0)
		r = caps_at(config, dir, err);
	if (r >= 0)
		r = zone_devices_filter(config, dir, err);
	if (r >= 0)
		r = zone_ipc_guard(config, dir, true, err);
	if (r >= 0)
		r = zone_cpus_take(config, dir, err);
	return r < 0 ? r : make_payload(config, ret_payload_fd, err);
}

static bool
events_populated(int fd)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false; /* ENODEV: removed */
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

bool
zone_cgroup_populated(const char *name)
{
	char path[256];

	cgroup_path(name, "cgroup.events", path);
	NRD_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && events_populated(fd);
}

/* The first process that does not die, and where in the kernel it stands: for the operator. */
static int
stuck(const char *name, unsigned timeout_ms, struct nrd_err *err)
{
	char path[256];
	char pid[32] = "?";
	char comm[64] = "?";
	char wchan[128] = "?";

	cgroup_path(name, "init/cgroup.procs", path);
	(void)nrd_attr_read(AT_FDCWD, path, pid, sizeof(pid), NULL);
	pid[strcspn(pid, "\n")] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%.31s/comm", pid);
	(void)nrd_attr_read(AT_FDCWD, path, comm, sizeof(comm), NULL);
	(void)snprintf(path, sizeof(path), "/proc/%.31s/wchan", pid);
	(void)nrd_attr_read(AT_FDCWD, path, wchan, sizeof(wchan), NULL);
	return nrd_fail(err, EBUSY, "ZoneStuck",
			"zone '%s': process %s (%s) is still there %u s after it was killed; it waits "
			"in the kernel in %s", name, pid, comm, timeout_ms / 1000, wchan);
}

/*
 * The kernel tells of an empty cgroup at most every 10 ms, so that of a zone that just started
 * comes late; init ends last, and its end is told at once.
 */
int
zone_cgroup_kill(const char *name, int init, unsigned timeout_ms, struct nrd_err *err)
{
	int64_t end = nrd_now_ms() + timeout_ms;
	char path[256];

	cgroup_path(name, "cgroup.events", path);
	NRD_CLOSE int events = open(path, O_RDONLY | O_CLOEXEC);

	if (events < 0)
		return errno == ENOENT ? 0 : nrd_fail(err, errno, "ZoneCgroup", "open %s: %m", path);
	while (events_populated(events)) {
		struct pollfd p[] = {
			{ .fd = events, .events = POLLPRI },
			{ .fd = init, .events = POLLIN },
		};
		int64_t left = end - nrd_now_ms();
		int r;

		if (left <= 0)
			return stuck(name, timeout_ms, err);
		cgroup_path(name, "cgroup.kill", path);
		r = nrd_attr_write(AT_FDCWD, path, "1", err);
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return r;
		(void)poll(p, nrd_count(p), left < 1000 ? (int)left : 1000);
		if (p[1].revents != 0)
			init = -1;
	}
	return 0;
}

/* Removes the directories below fd, deepest first. Cgroups have no files that can be removed. */
static int
remove_below(int fd, unsigned depth, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *dir = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	const struct dirent *e;

	if (dir == NULL || depth == 0)
		return nrd_fail(err, dir == NULL ? errno : ELOOP, "ZoneCgroup", "list a cgroup: %m");
	while ((e = readdir(dir)) != NULL) {
		NRD_CLOSE int sub = -1;
		int r;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? 0 : remove_below(sub, depth - 1, err);
		if (r < 0)
			return r;
		if (unlinkat(fd, e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return nrd_fail(err, errno, "ZoneCgroup", "remove cgroup %s: %m", e->d_name);
	}
	return 0;
}

static int
remove_tree(const char *path, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : nrd_fail(err, errno, "ZoneCgroup", "open %s: %m", path);
	r = remove_below(fd, 64, err);
	if (r < 0)
		return r;
	if (rmdir(path) < 0 && errno != ENOENT)
		return nrd_fail(err, errno, "ZoneCgroup", "remove %s: %m", path);
	return 0;
}

int
zone_cgroup_remove(const char *name, struct nrd_err *err)
{
	char path[256];
	int r;

	cgroup_path(name, "", path);
	r = remove_tree(path, err);
	if (r >= 0)
		zone_cpus_settle();
	return r;
}

static void
each_of(int dir, void (*fn)(pid_t pid, void *arg), void *arg)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT((size_t)1 << 20);
	NRD_CLOSE int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	struct nrd_str rest, line;

	if (fd < 0 || nrd_buf_read_fd(&text, fd, NULL) < 0)
		return;
	rest = nrd_str(nrd_buf_str(&text));
	while (nrd_str_split(&rest, '\n', &line)) {
		NRD_FREE char *number = nrd_str_dup(line);
		uint64_t pid;

		if (number != NULL && nrd_parse_u64(number, 1, INT32_MAX, &pid, NULL) == 0)
			fn((pid_t)pid, arg);
	}
}

static void
each_below(int fd, unsigned depth, void (*fn)(pid_t pid, void *arg), void *arg)
{
	NRD_CLOSEDIR DIR *dir = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	const struct dirent *e;

	each_of(fd, fn, arg);
	while (dir != NULL && depth > 0 && (e = readdir(dir)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		NRD_CLOSE int sub = openat(fd, e->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (sub >= 0)
			each_below(sub, depth - 1, fn, arg);
	}
}

void
zone_cgroup_each(const char *name, void (*fn)(pid_t pid, void *arg), void *arg)
{
	char path[256];

	cgroup_path(name, "", path);
	NRD_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		each_below(fd, 64, fn, arg);
}

int
zone_cgroup_monitors(int *ret_fd, struct nrd_err *err)
{
	int r = check_version(err);

	if (r >= 0)
		r = make_dir(MONITORS_DIR, err);
	if (r < 0)
		return r;
	*ret_fd = open(MONITORS_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? nrd_fail(err, errno, "ZoneCgroup", "open " MONITORS_DIR ": %m") : 0;
}

int
zone_cgroup_enter_monitors(struct nrd_err *err)
{
	NRD_CLOSE int dir = -1;
	char mine[1024];
	int r;

	if (nrd_attr_read(AT_FDCWD, "/proc/self/cgroup", mine, sizeof(mine), NULL) >= 0 &&
	    nrd_ends(mine, "0::/" MONITORS))
		return 0;
	r = zone_cgroup_monitors(&dir, err);
	return r < 0 ? r : nrd_attr_write(dir, "cgroup.procs", "0", err);
}
