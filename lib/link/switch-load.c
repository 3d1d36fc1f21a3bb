/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/switch-load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "link/switch-priv.h"
#include "nrd/file.h"
#include "nrd/str.h"

#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

static void
version_of(const void *object, size_t len, struct switch_version_row *ret_version)
{
	const unsigned char *bytes = object;
	uint64_t hash = FNV_BASIS;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	memset(ret_version, 0, sizeof(*ret_version));
	ret_version->abi = SWITCH_ABI;
	(void)snprintf(ret_version->program, sizeof(ret_version->program), "%016" PRIx64, hash);
}

static int
make_dirs(const char *dir, struct nrd_err *err)
{
	static const char *const parts[] = { "", "/maps", "/programs", "/links" };
	char path[SWITCH_PATH_MAX];

	for (size_t i = 0; i < nrd_count(parts); i++) {
		int r;

		(void)snprintf(path, sizeof(path), "%s%s", dir, parts[i]);
		r = nrd_mkdir_p(path, 0700, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* True when all is pinned, of this very object. */
static bool
is_loaded(const char *dir, const struct switch_version_row *version)
{
	struct switch_version_row has;
	char path[SWITCH_PATH_MAX];
	uint32_t row = 0;
	bool same;
	int map;

	(void)snprintf(path, sizeof(path), "%s/programs/%s", dir,
		       switch_program_names[PROGRAM_COUNT - 1]);
	if (!nrd_path_exists(path))
		return false;
	(void)snprintf(path, sizeof(path), "%s/maps/%s", dir, switch_map_names[MAP_version]);
	map = bpf_obj_get(path);
	if (map < 0)
		return false;
	same = bpf_map_lookup_elem(map, &row, &has) == 0 && memcmp(&has, version, sizeof(has)) == 0;
	(void)close(map);
	return same;
}

/* Those that are pinned are used, the others made and pinned, by libbpf. */
static int
place_maps(struct bpf_object *object, const char *dir, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX];

	for (int i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, switch_map_names[i]);
		int r;

		if (map == NULL)
			return nrd_fail(err, ENOENT, "SwitchLoad", "the switch has no table '%s'",
					switch_map_names[i]);
		(void)snprintf(path, sizeof(path), "%s/maps/%s", dir, switch_map_names[i]);
		r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return nrd_fail(err, -r, "SwitchLoad", "place the table %s: %m", path);
	}
	return 0;
}

static struct bpf_program *
program_of(struct bpf_object *object, int i)
{
	return bpf_object__find_program_by_name(object, switch_program_names[i]);
}

/* In one step each, over the one that may be there. */
static int
pin_programs(struct bpf_object *object, const char *dir, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX], new[SWITCH_PATH_MAX + 8];

	for (int i = 0; i < PROGRAM_COUNT; i++) {
		struct bpf_program *program = program_of(object, i);
		int r;

		(void)snprintf(path, sizeof(path), "%s/programs/%s", dir, switch_program_names[i]);
		(void)snprintf(new, sizeof(new), "%s_new", path);
		(void)unlink(new);
		r = bpf_obj_pin(bpf_program__fd(program), new);
		if (r < 0)
			return nrd_fail(err, -r, "SwitchLoad", "pin %s: %m", new);
		if (rename(new, path) < 0)
			return nrd_fail(err, errno, "SwitchLoad", "pin %s: %m", path);
	}
	return 0;
}

/* One pin, "IFINDEX_PROGRAM". Of an interface that is gone there is nothing to replace. */
static int
replace_one(struct bpf_object *object, const char *dir, const char *name, struct nrd_err *err)
{
	const char *what = strchr(name, '_');
	char path[SWITCH_PATH_MAX + 256];

	for (int i = 0; what != NULL && i < PROGRAM_COUNT; i++) {
		int link, r;

		if (!nrd_streq(what + 1, switch_program_names[i]))
			continue;
		(void)snprintf(path, sizeof(path), "%s/links/%s", dir, name);
		link = bpf_obj_get(path);
		if (link < 0)
			return errno == ENOENT ? 0 : nrd_fail(err, errno, "SwitchLoad", "open %s: %m", path);
		r = bpf_link_update(link, bpf_program__fd(program_of(object, i)), NULL);
		(void)close(link);
		if (r < 0 && r != -ENOLINK)
			return nrd_fail(err, -r, "SwitchLoad", "replace the program of %s: %m", path);
		return 0;
	}
	return 0;
}

static int
replace_all(struct bpf_object *object, const char *dir, struct nrd_err *err)
{
	char path[SWITCH_PATH_MAX];
	struct dirent *entry;
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s/links", dir);
	NRD_CLOSEDIR DIR *links = opendir(path);
	if (links == NULL)
		return nrd_fail(err, errno, "SwitchLoad", "read %s: %m", path);
	while (r >= 0 && (entry = readdir(links)) != NULL)
		if (entry->d_name[0] != '.')
			r = replace_one(object, dir, entry->d_name, err);
	return r;
}

static int
load(struct bpf_object *object, const char *dir, const struct switch_version_row *version,
     struct nrd_err *err)
{
	struct bpf_map *map;
	uint32_t row = 0;
	int r = place_maps(object, dir, err);

	if (r < 0)
		return r;
	r = bpf_object__load(object);
	if (r < 0)
		return nrd_fail(err, -r, "SwitchLoad", "load the switch into the kernel: %m");
	r = pin_programs(object, dir, err);
	if (r >= 0)
		r = replace_all(object, dir, err);
	if (r < 0)
		return r;
	map = bpf_object__find_map_by_name(object, switch_map_names[MAP_version]);
	r = bpf_map_update_elem(bpf_map__fd(map), &row, version, BPF_ANY);
	return r < 0 ? nrd_fail(err, -r, "SwitchLoad", "note the switch's version: %m") : 0;
}

int
switch_load(const char *dir, const void *object, size_t len, struct nrd_err *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "switch");
	struct switch_version_row version;
	struct bpf_object *opened;
	int r = make_dirs(dir, err);

	if (r < 0)
		return r;
	NRD_CLOSE int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return nrd_fail(err, errno, "SwitchLoad", "lock %s: %m", dir);
	version_of(object, len, &version);
	if (is_loaded(dir, &version))
		return 0;
	opened = bpf_object__open_mem(object, len, &opts);
	if (opened == NULL)
		return nrd_fail(err, errno, "SwitchLoad", "open the switch's object: %m");
	r = load(opened, dir, &version, err);
	bpf_object__close(opened);
	return r;
}
