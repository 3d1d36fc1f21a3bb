/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-priv.h"

#define RUN_MAX ((size_t)4096)

static const char *const names[] = {
#define X(id, name) [id] = name,
	ZONE_STATES(X)
#undef X
};

const char *
zone_state_name(enum zone_state state)
{
	return names[state];
}

static void
run_path(const char *name, char ret_path[192])
{
	(void)snprintf(ret_path, 192, ZONE_RUN_DIR "/%.80s/state.json", name);
}

static void
text(const struct nrd_val *root, const char *key, char *dst, size_t size)
{
	const char *s = nrd_val_str(nrd_val_get(root, key));

	(void)nrd_strcpy_to(dst, size, s != NULL ? s : "");
}

static uint64_t
number(const struct nrd_val *root, const char *key)
{
	uint64_t v = 0;

	return nrd_val_u64(nrd_val_get(root, key), &v) ? v : 0;
}

int
zone_run_list(char ***ret_names, struct nrd_err *err)
{
	return zone_names_in(ZONE_RUN_DIR, "", ret_names, err);
}

int
zone_run_read(const char *name, struct zone_run *ret_run, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = RUN_MAX, .regular = true };
	NRD_AUTO(nrd_json) *doc = NULL;
	struct zone_run run = { .state = ZONE_ST_INSTALLED };
	struct nrd_err why = { 0 };
	const struct nrd_val *root;
	const char *state;
	char path[192];
	size_t i;
	int r;

	run_path(name, path);
	r = nrd_json_read_file(path, &limits, &doc, &why);
	if (r == -ENOENT) {
		*ret_run = run;
		return 0;
	}
	if (r < 0)
		return nrd_fail(err, -r, "BadZoneState", "%s", why.msg);
	root = nrd_json_root(doc);
	state = nrd_val_str(nrd_val_get(root, "state"));
	for (i = 0; i < nrd_count(names) && !nrd_streq(state, names[i]); i++)
		;
	if (i == nrd_count(names))
		return nrd_fail(err, EINVAL, "BadZoneState", "%s: no state of a zone in it", path);
	run.state = (enum zone_state)i;
	run.zoneid = number(root, "zoneid");
	run.zoneadmd = (pid_t)number(root, "zoneadmd");
	run.init = (pid_t)number(root, "init");
	run.init_pidfd_ino = number(root, "init_pidfd_ino");
	run.boots = number(root, "boots");
	run.seq = number(root, "seq");
	run.init_restarts = number(root, "init_restarts");
	run.exited = nrd_val_get(root, "exit_status") != NULL;
	(void)nrd_get_bool(root, "frozen", &run.frozen);
	run.exit_status = (int)number(root, "exit_status");
	text(root, "boot_time", run.boot_time, sizeof(run.boot_time));
	text(root, "exit_time", run.exit_time, sizeof(run.exit_time));
	text(root, "missing_dataset", run.missing_dataset, sizeof(run.missing_dataset));
	*ret_run = run;
	return 0;
}

int
zone_run_write(const char *name, const struct zone_run *run, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(RUN_MAX);
	struct nrd_jw w;
	char path[192];
	char tmp[200];
	int r = nrd_fault(err, "write the state %s", zone_state_name(run->state));

	if (r < 0)
		return r;
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "state", zone_state_name(run->state));
	nrd_jw_ku64(&w, "zoneid", run->zoneid);
	nrd_jw_ku64(&w, "zoneadmd", (uint64_t)run->zoneadmd);
	nrd_jw_ku64(&w, "init", (uint64_t)run->init);
	nrd_jw_ku64(&w, "init_pidfd_ino", run->init_pidfd_ino);
	nrd_jw_ku64(&w, "boots", run->boots);
	nrd_jw_ku64(&w, "seq", run->seq);
	nrd_jw_ku64(&w, "init_restarts", run->init_restarts);
	nrd_jw_kstr(&w, "boot_time", run->boot_time);
	if (run->exited) {
		nrd_jw_ku64(&w, "exit_status", (uint64_t)(unsigned)run->exit_status);
		nrd_jw_kstr(&w, "exit_time", run->exit_time);
	}
	if (run->frozen)
		nrd_jw_kbool(&w, "frozen", true);
	if (run->missing_dataset[0] != '\0')
		nrd_jw_kstr(&w, "missing_dataset", run->missing_dataset);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r < 0)
		return r;
	run_path(name, path);
	(void)snprintf(tmp, sizeof(tmp), "%s.new", path);
	/* RAM: a rename without the fsyncs of nrd_file_write. */
	NRD_CLOSE int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return nrd_fail(err, errno, "FileWrite", "create %s: %m", tmp);
	r = nrd_write_all(fd, nrd_buf_str(&out), out.len, err);
	if (r < 0)
		return r;
	if (rename(tmp, path) < 0)
		return nrd_fail(err, errno, "FileWrite", "rename %s: %m", tmp);
	return 0;
}

void
zone_run_remove(const char *name)
{
	char path[192];

	run_path(name, path);
	(void)unlink(path);
}

int
zone_next_id(uint64_t *ret_id, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(ZONE_RUN_DIR "/.zoneid", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint64_t last = 0;
	int r = nrd_fault(err, "take a zone id");

	if (r < 0)
		return r;
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return nrd_fail(err, errno, "ZoneId", "lock " ZONE_RUN_DIR "/.zoneid: %m");
	if (pread(fd, &last, sizeof(last), 0) < 0)
		return nrd_fail(err, errno, "ZoneId", "read " ZONE_RUN_DIR "/.zoneid: %m");
	last++;
	if (pwrite(fd, &last, sizeof(last), 0) != sizeof(last))
		return nrd_fail(err, errno, "ZoneId", "write " ZONE_RUN_DIR "/.zoneid: %m");
	*ret_id = last;
	return 0;
}

enum zone_state
zone_state_of(int installed, const struct zone_run *run)
{
	switch (installed) {
	case ZONE_CONFIGURED:
		return ZONE_ST_CONFIGURED;
	case ZONE_INCOMPLETE:
		return ZONE_ST_INCOMPLETE;
	default:
		return run->state;
	}
}

int
zone_lock(const char *name, bool wait, int *ret_fd, struct nrd_err *err)
{
	char path[192];
	int r = nrd_mkdir_p(ZONE_RUN_DIR, 0755, err); /* all may look at what runs */

	if (r >= 0)
		r = nrd_mkdir_p(ZONE_RUN_DIR "/.locks", 0700, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), ZONE_RUN_DIR "/.locks/%.80s", name);
	NRD_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return nrd_fail(err, errno, "ZoneLock", "open %s: %m", path);
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return nrd_fail(err, EBUSY, "ZoneBusy",
					"zone '%s': another command is at work on it", name);
		if (errno != EINTR)
			return nrd_fail(err, errno, "ZoneLock", "lock %s: %m", path);
	}
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}
