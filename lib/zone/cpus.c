/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "cpus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/cgroup.h"

#define LIST_MAX  4096
#define EXCLUSIVE "cpuset.cpus.exclusive"
#define PARTITION "cpuset.cpus.partition"

static bool
has(const struct zone_cpus *cpus, size_t cpu)
{
	return (cpus->words[cpu / 64] >> (cpu % 64) & 1) != 0;
}

static void
add(struct zone_cpus *cpus, size_t cpu)
{
	cpus->words[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

static void
add_all(struct zone_cpus *cpus, const struct zone_cpus *more)
{
	for (size_t i = 0; i < nrd_count(cpus->words); i++)
		cpus->words[i] |= more->words[i];
}

size_t
zone_cpus_count(const struct zone_cpus *cpus)
{
	size_t n = 0;

	for (size_t i = 0; i < nrd_count(cpus->words); i++)
		n += (size_t)__builtin_popcountll(cpus->words[i]);
	return n;
}

/* "3" or "3-5"; a number alone is both ends. */
static bool
parse_range(struct nrd_str part, uint64_t min, uint64_t max, uint64_t *ret_low, uint64_t *ret_high)
{
	char text[32];
	char *dash;

	if (part.len == 0 || part.len >= sizeof(text))
		return false;
	memcpy(text, part.data, part.len);
	text[part.len] = '\0';
	dash = strchr(text, '-');
	if (dash != NULL)
		*dash++ = '\0';
	if (nrd_parse_u64(text, min, max, ret_low, NULL) < 0)
		return false;
	*ret_high = *ret_low;
	return dash == NULL || nrd_parse_u64(dash, *ret_low, max, ret_high, NULL) == 0;
}

bool
zone_cpus_parse(const char *text, struct zone_cpus *ret_cpus)
{
	struct nrd_str rest = nrd_str_trim(nrd_str(text)), part;
	struct zone_cpus cpus = { 0 };

	while (rest.len > 0 && nrd_str_split(&rest, ',', &part)) {
		uint64_t low, high;

		if (!parse_range(part, 0, ZONE_CPUS_MAX - 1, &low, &high))
			return false;
		for (uint64_t cpu = low; cpu <= high; cpu++)
			add(&cpus, cpu);
	}
	*ret_cpus = cpus;
	return true;
}

int
zone_cpus_format(const struct zone_cpus *cpus, char *dst, size_t size)
{
	size_t n = 0;

	dst[0] = '\0';
	for (size_t low = 0; low < ZONE_CPUS_MAX; low++) {
		size_t high = low;
		int len;

		if (!has(cpus, low))
			continue;
		while (high + 1 < ZONE_CPUS_MAX && has(cpus, high + 1))
			high++;
		len = high == low ? snprintf(dst + n, size - n, "%s%zu", n > 0 ? "," : "", low)
				  : snprintf(dst + n, size - n, "%s%zu-%zu", n > 0 ? "," : "", low, high);
		if (len < 0 || (size_t)len >= size - n)
			return -ENOSPC;
		n += (size_t)len;
		low = high;
	}
	return 0;
}

bool
zone_cpus_wish(const char *text, uint64_t *ret_least, uint64_t *ret_most)
{
	return parse_range(nrd_str(text), 1, ZONE_CPUS_MAX, ret_least, ret_most);
}

bool
zone_cpus_choose(const struct zone_cpus *free, const struct zone_cpus *mine, uint64_t least,
		 uint64_t most, struct zone_cpus *ret_chosen)
{
	struct zone_cpus all = *free, chosen = { 0 };
	uint64_t left;

	add_all(&all, mine);
	left = zone_cpus_count(&all);
	left = left > 0 ? left - 1 : 0;
	if (left < least)
		return false;
	left = left < most ? left : most;
	for (int round = 0; round < 2; round++)
		for (size_t cpu = ZONE_CPUS_MAX; cpu-- > 0 && left > 0;) {
			if (has(round == 0 ? mine : &all, cpu) && !has(&chosen, cpu)) {
				add(&chosen, cpu);
				left--;
			}
		}
	*ret_chosen = chosen;
	return true;
}

/* ---- the node's ---- */

static void
read_list(int dir, const char *file, struct zone_cpus *ret_cpus)
{
	char text[LIST_MAX] = "";

	*ret_cpus = (struct zone_cpus){ 0 };
	if (nrd_attr_read(dir, file, text, sizeof(text), NULL) >= 0)
		(void)zone_cpus_parse(text, ret_cpus);
}

/* An empty list is written as a line end: the kernel does not see a write of nothing. */
static int
write_list(int dir, const char *file, const struct zone_cpus *cpus, struct nrd_err *err)
{
	char text[LIST_MAX];
	int r = zone_cpus_format(cpus, text, sizeof(text));

	if (r < 0)
		return nrd_fail(err, -r, "ZoneCpus", "%s: a list of too many CPUs", file);
	return nrd_attr_write(dir, file, text[0] != '\0' ? text : "\n", err);
}

static bool
is_partition(int cgroup)
{
	char text[256] = "";

	return nrd_attr_read(cgroup, PARTITION, text, sizeof(text), NULL) >= 0 &&
	       nrd_starts(text, "member") == NULL && text[0] != '\0';
}

/* All that are a zone's own. skip: one that is not counted, or NULL. */
static void
taken_by_zones(int zones, const char *skip, struct zone_cpus *ret_taken)
{
	NRD_CLOSEDIR DIR *dir = opendir(ZONE_CGROUP_DIR);
	const struct dirent *e;

	*ret_taken = (struct zone_cpus){ 0 };
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct zone_cpus theirs;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || nrd_streq(e->d_name, skip))
			continue;
		NRD_CLOSE int zone = openat(zones, e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (zone < 0)
			continue;
		read_list(zone, EXCLUSIVE, &theirs);
		add_all(ret_taken, &theirs);
	}
}

/* Held while CPUs change hands; all who do it are zoneadmds. -1: there is no tree of zones. */
static int
zones_lock(void)
{
	NRD_CLOSE int zones = open(ZONE_CGROUP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return zones < 0 || flock(zones, LOCK_EX) < 0 ? -1 : nrd_take_fd(&zones);
}

/*
 * cpuset.cpus is never set: while there are processes it cannot be emptied again, and what stands
 * in it keeps other zones from having those CPUs.
 */
static void
drop(int cgroup)
{
	static const struct zone_cpus none;

	(void)nrd_attr_write(cgroup, PARTITION, "member", NULL);
	(void)write_list(cgroup, EXCLUSIVE, &none, NULL);
}

/* cpus: those of the zone; others': of all other zones. */
static int
put(int zones, int cgroup, const struct zone_cpus *cpus, const struct zone_cpus *others,
    struct nrd_err *err)
{
	struct zone_cpus all = *others;
	char state[256] = "";
	int r;

	add_all(&all, cpus);
	drop(cgroup);
	r = write_list(zones, EXCLUSIVE, &all, err);
	if (r < 0 || zone_cpus_count(cpus) == 0)
		return r;
	r = write_list(cgroup, EXCLUSIVE, cpus, err);
	if (r >= 0)
		r = nrd_attr_write(cgroup, PARTITION, "root", err);
	if (r >= 0)
		r = nrd_attr_read(cgroup, PARTITION, state, sizeof(state), err);
	if (r >= 0 && !nrd_streq(state, "root"))
		r = nrd_fail(err, EBUSY, "ZoneCpus", "the kernel says \"%s\"", state);
	if (r < 0) {
		drop(cgroup);
		(void)write_list(zones, EXCLUSIVE, others, NULL);
	}
	return r;
}

int
zone_cpus_take(const struct zone_config *config, int cgroup, struct nrd_err *err)
{
	bool wanted = config->dedicated_cpu != NULL && config->dedicated_cpu[0] != '\0';
	struct zone_cpus free = { 0 }, mine, others, chosen = { 0 };
	char list[LIST_MAX] = "?";
	struct nrd_err why = { 0 };
	uint64_t least = 0, most = 0;
	int r;

	if (!wanted && !is_partition(cgroup))
		return 0;
	NRD_CLOSE int zones = zones_lock();

	if (zones < 0)
		return nrd_fail(err, errno, "ZoneCpus", "dedicated-cpu: open " ZONE_CGROUP_DIR ": %m");
	read_list(cgroup, EXCLUSIVE, &mine);
	/* The root of the tree has what is in no partition. */
	(void)nrd_attr_read(AT_FDCWD, ZONE_CGROUP_ROOT "/cpuset.cpus.effective", list, sizeof(list),
			    NULL);
	(void)zone_cpus_parse(list, &free);
	taken_by_zones(zones, config->zonename, &others);
	if (wanted && (!zone_cpus_wish(config->dedicated_cpu, &least, &most) ||
		       !zone_cpus_choose(&free, &mine, least, most, &chosen)))
		return nrd_fail(err, EBUSY, "ZoneCpus",
				"dedicated-cpu: it wants %s CPUs, and of the node's only %s are not "
				"dedicated, of which one stays for all others", config->dedicated_cpu,
				list);
	if (memcmp(&mine, &chosen, sizeof(mine)) == 0)
		return 0;
	r = put(zones, cgroup, &chosen, &others, &why);
	if (r >= 0)
		return 0;
	if (zone_cpus_count(&mine) > 0)
		(void)put(zones, cgroup, &mine, &others, NULL);
	return nrd_fail(err, -r, "ZoneCpus", "dedicated-cpu: %s", why.msg);
}

void
zone_cpus_settle(void)
{
	NRD_CLOSE int zones = -1;
	struct zone_cpus have, taken;
	char text[8] = "";

	/* Nearly always there is nothing to do, and then nobody is waited for. */
	if (nrd_attr_read(AT_FDCWD, ZONE_CGROUP_DIR "/" EXCLUSIVE, text, sizeof(text), NULL) == 0 &&
	    text[0] == '\0')
		return;
	zones = zones_lock();
	if (zones < 0)
		return;
	read_list(zones, EXCLUSIVE, &have);
	taken_by_zones(zones, NULL, &taken);
	if (memcmp(&have, &taken, sizeof(have)) != 0)
		(void)write_list(zones, EXCLUSIVE, &taken, NULL);
}

void
zone_cpus_of(const char *zone, char *dst, size_t size)
{
	char path[256];

	(void)snprintf(path, sizeof(path), ZONE_CGROUP_DIR "/%.80s/cpuset.cpus.effective", zone);
	dst[0] = '\0';
	(void)nrd_attr_read(AT_FDCWD, path, dst, size, NULL);
}
