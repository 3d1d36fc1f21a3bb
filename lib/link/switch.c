/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/switch.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"
#include "nrd/fault.h"
#include "nrd/file.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define LOADER "/usr/lib/nereid/switch-load"

const char *const switch_map_names[MAP_COUNT] = {
#define X(name) [MAP_##name] = #name,
	SWITCH_MAPS(X)
#undef X
};

const char *const switch_program_names[PROGRAM_COUNT] = {
#define X(name) [PROGRAM_##name] = #name,
	SWITCH_PROGRAMS(X)
#undef X
};

static const struct {
	const char *name, *counter;
} drops[SWITCH_DROP_COUNT] = {
#define X(id, name_, counter_) { .name = name_, .counter = counter_ },
	SWITCH_DROPS(X)
#undef X
};

const char *
switch_drop_name(enum switch_drop reason)
{
	return (unsigned)reason < SWITCH_DROP_COUNT ? drops[reason].name : "unknown";
}

const char *
switch_drop_counter(enum switch_drop reason)
{
	return (unsigned)reason < SWITCH_DROP_COUNT ? drops[reason].counter : "";
}

int
switch_map_failed(int r, const char *map, struct nrd_err *err)
{
	return nrd_fail(err, -r, "SwitchTable", "change the switch's table '%s': %m", map);
}

void
switch_ifname(unsigned ifindex, char ret_name[SWITCH_IFNAME])
{
	char name[IF_NAMESIZE];

	if (if_indextoname(ifindex, name) != NULL)
		(void)snprintf(ret_name, SWITCH_IFNAME, "%s", name);
	else
		(void)snprintf(ret_name, SWITCH_IFNAME, "(gone: %u)", ifindex);
}

/* ---- opening ---- */

static int
open_all(struct link_switch *sw, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX];

	for (int i = 0; i < MAP_COUNT; i++) {
		nrd_closep(&sw->maps[i]);
		(void)snprintf(path, sizeof(path), "%s/maps/%s", sw->dir, switch_map_names[i]);
		sw->maps[i] = link_bpf_open(path);
		if (sw->maps[i] < 0)
			return nrd_fail(err, -sw->maps[i], "SwitchOpen",
					"open the switch's table %s: %m", path);
	}
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		nrd_closep(&sw->programs[i]);
		(void)snprintf(path, sizeof(path), "%s/programs/%s", sw->dir, switch_program_names[i]);
		sw->programs[i] = link_bpf_open(path);
		if (sw->programs[i] < 0)
			return nrd_fail(err, -sw->programs[i], "SwitchOpen",
					"open the switch's program %s: %m", path);
	}
	return 0;
}

/* The loader pins the programs last, in their order. */
static bool
is_loaded(const char *dir)
{
	char path[SWITCH_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/programs/%s", dir,
		       switch_program_names[PROGRAM_COUNT - 1]);
	return nrd_path_exists(path);
}

static int
load(struct nrd_err *err)
{
	int r = nrd_fault(err, "load the switch");

	if (r >= 0)
		r = nrd_run_argv(NULL, err, LOADER, NULL);
	if (r < 0 && err != NULL)
		(void)snprintf(err->code, sizeof(err->code), "SwitchLoad");
	return nrd_wrap(err, r, "load the switch");
}

int
switch_upgrade(struct nrd_err *err)
{
	return load(err);
}

int
switch_open(const char *dir, struct link_switch **ret_sw, struct nrd_err *err)
{
	NRD_AUTO(link_switch) *sw = calloc(1, sizeof(*sw));
	int r;

	if (sw == NULL)
		return nrd_nomem(err);
	for (int i = 0; i < MAP_COUNT; i++)
		sw->maps[i] = -1;
	for (int i = 0; i < PROGRAM_COUNT; i++)
		sw->programs[i] = -1;
	if (nrd_strcpy_to(sw->dir, sizeof(sw->dir), dir != NULL ? dir : SWITCH_DIR) < 0)
		return nrd_fail(err, ENAMETOOLONG, "SwitchOpen", "open the switch in %s: %m", dir);
	if (dir == NULL && !is_loaded(sw->dir)) {
		r = load(err);
		if (r < 0)
			return r;
	}
	r = open_all(sw, err);
	/* One that an older build loaded may lack tables. */
	if (r == -ENOENT && dir == NULL) {
		r = load(err);
		if (r >= 0)
			r = open_all(sw, err);
	}
	if (r < 0)
		return r;
	*ret_sw = NRD_TAKE(sw);
	return 0;
}

void
switch_close(struct link_switch *sw)
{
	if (sw == NULL)
		return;
	for (int i = 0; i < MAP_COUNT; i++)
		nrd_closep(&sw->maps[i]);
	for (int i = 0; i < PROGRAM_COUNT; i++)
		nrd_closep(&sw->programs[i]);
	free(sw);
}

void
link_switch_cleanup(struct link_switch **sw)
{
	switch_close(*sw);
}

int
switch_lock(struct link_switch *sw, int *ret_lock, struct nrd_err *err)
{
	NRD_CLOSE int lock = open(sw->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0)
		return nrd_fail(err, errno, "SwitchLock", "lock the switch, %s: %m", sw->dir);
	while (flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return nrd_fail(err, errno, "SwitchLock", "lock the switch, %s: %m", sw->dir);
	*ret_lock = nrd_take_fd(&lock);
	return 0;
}

/* ---- links ---- */

static void
link_path(struct link_switch *sw, unsigned ifindex, enum switch_program program,
	  char ret_path[SWITCH_PATH_MAX])
{
	(void)snprintf(ret_path, SWITCH_PATH_MAX, "%s/links/%u_%s", sw->dir, ifindex,
		       switch_program_names[program]);
}

bool
switch_link_alive(struct link_switch *sw, unsigned ifindex, enum switch_program program)
{
	char path[SWITCH_PATH_MAX];

	link_path(sw, ifindex, program, path);
	NRD_CLOSE int link = link_bpf_open(path);
	return link >= 0 && link_bpf_is_at(link, ifindex);
}

int
switch_link_attach(struct link_switch *sw, unsigned ifindex, enum switch_program program, unsigned type,
		   struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX], name[SWITCH_IFNAME];
	int r;

	if (switch_link_alive(sw, ifindex, program))
		return 0;
	r = nrd_fault(err, "attach %s", switch_program_names[program]);
	if (r < 0)
		return r;
	switch_link_detach(sw, ifindex, program);
	switch_ifname(ifindex, name);
	NRD_CLOSE int link = link_bpf_attach(sw->programs[program], ifindex, type);
	if (link < 0)
		return nrd_fail(err, -link, "PortAttach", "attach the switch's program to %s: %m",
				name);
	link_path(sw, ifindex, program, path);
	r = link_bpf_pin(link, path);
	if (r < 0)
		(void)link_bpf_detach(link);
	if (r < 0)
		return nrd_fail(err, -r, "PortAttach", "pin the switch's program of %s: %m", name);
	return 0;
}

void
switch_link_detach(struct link_switch *sw, unsigned ifindex, enum switch_program program)
{
	char path[SWITCH_PATH_MAX];

	link_path(sw, ifindex, program, path);
	NRD_CLOSE int link = link_bpf_open(path);
	if (link >= 0)
		(void)link_bpf_detach(link);
	(void)unlink(path);
}

/* ---- segments ---- */

static int
segment_name_check(const char *name, struct nrd_err *err)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (len == 0 || len >= SWITCH_NAME_MAX)
		return nrd_fail(err, EINVAL, "SegmentName",
				"segment '%s': a name has 1 to %d bytes", name != NULL ? name : "",
				SWITCH_NAME_MAX - 1);
	return 0;
}

/* The number of the one of that name, 0: none; ret_free: the first without a name, or 0. */
static int
segment_look(struct link_switch *sw, const char *name, uint32_t *ret_segment, uint32_t *ret_free,
	     struct nrd_err *err)
{
	struct switch_segment_row row;

	*ret_segment = 0;
	*ret_free = 0;
	for (uint32_t i = 1; i < SWITCH_SEGMENTS_MAX; i++) {
		int r = link_bpf_get(sw->maps[MAP_segments], &i, &row);

		if (r < 0)
			return switch_map_failed(r, "segments", err);
		if (row.name[0] == '\0') {
			if (*ret_free == 0)
				*ret_free = i;
		} else if (strncmp(row.name, name, sizeof(row.name)) == 0) {
			*ret_segment = i;
			return 0;
		}
	}
	return 0;
}

int
switch_segment_read(struct link_switch *sw, uint32_t segment, struct switch_segment_row *ret_row,
		    struct nrd_err *err)
{
	if (segment == 0 || segment >= SWITCH_SEGMENTS_MAX ||
	    link_bpf_get(sw->maps[MAP_segments], &segment, ret_row) < 0 || ret_row->name[0] == '\0')
		return nrd_fail(err, ENOENT, "SegmentNotFound", "segment %u: there is none", segment);
	return 0;
}

int
switch_segment_find(struct link_switch *sw, const char *name, uint32_t *ret_segment,
		    struct nrd_err *err)
{
	uint32_t segment, unused;
	int r = segment_name_check(name, err);

	if (r >= 0)
		r = segment_look(sw, name, &segment, &unused, err);
	if (r < 0)
		return r;
	if (segment == 0)
		return nrd_fail(err, ENOENT, "SegmentNotFound", "segment '%s': there is none", name);
	*ret_segment = segment;
	return 0;
}

int
switch_segment_get(struct link_switch *sw, const char *name, uint32_t *ret_segment,
		   struct nrd_err *err)
{
	struct switch_segment_row row = { 0 };
	NRD_CLOSE int lock = -1;
	uint32_t segment, empty;
	int r = segment_name_check(name, err);

	if (r >= 0)
		r = switch_lock(sw, &lock, err);
	if (r >= 0)
		r = segment_look(sw, name, &segment, &empty, err);
	if (r < 0)
		return r;
	if (segment == 0) {
		if (empty == 0)
			return nrd_fail(err, ENOSPC, "SegmentsFull",
					"segment '%s': there are %d already", name,
					SWITCH_SEGMENTS_MAX - 1);
		segment = empty;
		(void)nrd_strcpy_to(row.name, sizeof(row.name), name);
		r = link_bpf_set(sw->maps[MAP_segments], &segment, &row);
		if (r < 0)
			return switch_map_failed(r, "segments", err);
	}
	*ret_segment = segment;
	return 0;
}

int
switch_segment_rename(struct link_switch *sw, uint32_t segment, const char *name,
		      struct nrd_err *err)
{
	struct switch_segment_row row;
	NRD_CLOSE int lock = -1;
	uint32_t taken, unused;
	int r = segment_name_check(name, err);

	if (r >= 0)
		r = switch_lock(sw, &lock, err);
	if (r >= 0)
		r = switch_segment_read(sw, segment, &row, err);
	if (r >= 0)
		r = segment_look(sw, name, &taken, &unused, err);
	if (r < 0)
		return r;
	if (taken != 0 && taken != segment)
		return nrd_fail(err, EEXIST, "SegmentName", "rename segment '%s': '%s' is taken",
				row.name, name);
	memset(row.name, 0, sizeof(row.name));
	(void)nrd_strcpy_to(row.name, sizeof(row.name), name);
	r = link_bpf_set(sw->maps[MAP_segments], &segment, &row);
	return r < 0 ? switch_map_failed(r, "segments", err) : 0;
}

struct user {
	uint32_t segment;
	const char *name;
};

static int
refuse_used(void *arg, const struct switch_port *port, struct nrd_err *err)
{
	const struct user *user = arg;
	char name[SWITCH_IFNAME];

	if (port->segment != user->segment)
		return 0;
	switch_ifname(port->ifindex, name);
	return nrd_fail(err, EBUSY, "SegmentInUse", "remove segment '%s': %s is a port of it",
			user->name, name);
}

int
switch_segment_remove(struct link_switch *sw, uint32_t segment, struct nrd_err *err)
{
	struct switch_segment_row row, none = { 0 };
	NRD_CLOSE int lock = -1;
	int r = switch_lock(sw, &lock, err);

	if (r >= 0)
		r = switch_segment_read(sw, segment, &row, err);
	if (r < 0)
		return r;
	if (row.uplink != 0) {
		char name[SWITCH_IFNAME];

		switch_ifname(row.uplink, name);
		return nrd_fail(err, EBUSY, "SegmentInUse",
				"remove segment '%s': %s is its uplink, detach it first", row.name, name);
	}
	struct user user = { segment, row.name };
	r = switch_port_each(sw, refuse_used, &user, err);
	if (r < 0)
		return r;
	r = link_bpf_set(sw->maps[MAP_segments], &segment, &none);
	return r < 0 ? switch_map_failed(r, "segments", err) : 0;
}
