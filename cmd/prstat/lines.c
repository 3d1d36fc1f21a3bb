/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "prstat.h"
#include "zone/config.h"
#include "zone/report.h"

const char *const prstat_keys[] = { "cpu", "pri", "rss", "size", "time", NULL };

/* A line of either table. */
struct line {
	const struct zone_process *process;
	const char *zone;
	uint64_t zoneid;      /* ZONE_STAT_NONE: not known */
	uint64_t processes, lwps, size, rss, time_us;
	double cpu;           /* percent of the node's CPUs */
	int priority;
	enum prstat_key key;  /* what it is sorted by */
	bool ascending;
};

struct lines {
	struct line *data;
	size_t n;
};

static void
lines_cleanup(struct lines *lines)
{
	free(lines->data);
}

static double
cpu_percent(const struct prstat *p, uint64_t before_us, uint64_t now_us)
{
	double all = (double)(p->stats.time_us - p->stats_before.time_us) * (double)p->stats.cpus;

	return all <= 0 ? 0 : 100.0 * (double)zone_stat_since(before_us, now_us) / all;
}

static int
order(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int
compare(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;
	int c = 0;

	switch (a->key) {
	case KEY_CPU:
		c = order(a->cpu, b->cpu);
		break;
	case KEY_PRI:
		c = order(a->priority, b->priority);
		break;
	case KEY_RSS:
		c = order((double)a->rss, (double)b->rss);
		break;
	case KEY_SIZE:
		c = order((double)a->size, (double)b->size);
		break;
	case KEY_TIME:
		c = order((double)a->time_us, (double)b->time_us);
		break;
	}
	if (c == 0 && a->process != NULL)
		return a->process->pid - b->process->pid;
	if (c == 0)
		return strcmp(a->zone, b->zone);
	return a->ascending ? c : -c;
}

static void
sort(struct lines *lines, size_t most)
{
	if (lines->n > 1)
		qsort(lines->data, lines->n, sizeof(*lines->data), compare);
	if (lines->n > most)
		lines->n = most;
}

static const char *
zone_name(const struct zone_process *process)
{
	return process->zone[0] != '\0' ? process->zone : "global";
}

static int
process_lines(const struct prstat *p, struct lines *lines, struct nrd_err *err)
{
	lines->data = calloc(p->table.n + 1, sizeof(*lines->data));
	if (lines->data == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; i < p->table.n; i++) {
		const struct zone_process *now = &p->table.processes[i];
		const struct zone_process *before =
			zone_proctab_find(&p->table_before, now->pid, now->start_ticks);

		if (!zone_report_wants(NRD_CSTRV(p->wanted), zone_name(now)))
			continue;
		lines->data[lines->n++] = (struct line){
			.process = now,
			.zone = zone_name(now),
			.lwps = now->lwps,
			.size = now->size,
			.rss = now->rss,
			.time_us = now->time_us,
			.priority = now->priority,
			.cpu = cpu_percent(p, before != NULL ? before->time_us : 0, now->time_us),
			.key = p->key,
			.ascending = p->ascending,
		};
	}
	return 0;
}

/* Sums of processes; for zones the kernel keeps better ones, which include what has ended. */
static void
sum_processes(const struct prstat *p, struct line *line)
{
	uint64_t before_us = 0;

	for (size_t i = 0; i < p->table.n; i++) {
		const struct zone_process *now = &p->table.processes[i], *before;

		if (!nrd_streq(zone_name(now), line->zone))
			continue;
		line->processes++;
		line->lwps += now->lwps;
		line->rss += now->rss;
		line->time_us += now->time_us;
		before = zone_proctab_find(&p->table_before, now->pid, now->start_ticks);
		before_us += before != NULL ? before->time_us : 0;
	}
	line->cpu = cpu_percent(p, before_us, line->time_us);
}

static void
use_counters(const struct prstat *p, const struct zone_stat *z, struct line *line)
{
	const struct zone_stat *before = zone_stats_find(&p->stats_before, z->name);

	if (z->memory != ZONE_STAT_NONE)
		line->rss = z->memory;
	line->size = z->swap;
	line->time_us = z->usage_us;
	line->cpu = cpu_percent(p, before != NULL ? before->usage_us : 0, z->usage_us);
	line->zoneid = z->zoneid != 0 ? z->zoneid : ZONE_STAT_NONE;
}

static int
zone_lines(const struct prstat *p, struct lines *lines, struct nrd_err *err)
{
	lines->data = calloc(p->stats.n_zones + 1, sizeof(*lines->data));
	if (lines->data == NULL)
		return nrd_nomem(err);
	for (size_t i = 0; i < p->stats.n_zones + 1; i++) {
		const struct zone_stat *z = i == 0 ? NULL : &p->stats.zones[i - 1];
		struct line line = {
			.zone = z == NULL ? "global" : z->name,
			.size = ZONE_STAT_NONE,
			.key = p->key == KEY_PRI ? KEY_CPU : p->key,
			.ascending = p->ascending,
		};

		if (!zone_report_wants(NRD_CSTRV(p->wanted), line.zone))
			continue;
		sum_processes(p, &line);
		if (z != NULL)
			use_counters(p, z, &line);
		lines->data[lines->n++] = line;
	}
	return 0;
}

/* ---- text ---- */

static const struct nrd_col process_cols[] = {
	{ "pid", 6, NRD_COL_RIGHT },
	{ "username", 8 },
	{ "size", 5, NRD_COL_RIGHT },
	{ "rss", 5, NRD_COL_RIGHT },
	{ "state", 6 },
	{ "pri", 3, NRD_COL_RIGHT },
	{ "nice", 4, NRD_COL_RIGHT },
	{ "time", 9, NRD_COL_RIGHT },
	{ "cpu", 4, NRD_COL_RIGHT },
	{ "process", 0, 0, "PROCESS/NLWP" },
};

static const struct nrd_col zone_cols[] = {
	{ "zoneid", 6, NRD_COL_RIGHT },
	{ "nproc", 8, NRD_COL_RIGHT },
	{ "swap", 5, NRD_COL_RIGHT },
	{ "rss", 5, NRD_COL_RIGHT },
	{ "memory", 6, NRD_COL_RIGHT },
	{ "time", 9, NRD_COL_RIGHT },
	{ "cpu", 4, NRD_COL_RIGHT },
	{ "zone", 0 },
};

static const struct nrd_table_opts narrow = { .gap = 1 };

/* 5412K, 1234M, 12G: at most four digits. */
static const char *
size_cell(char cell[ZONE_CELL], uint64_t bytes)
{
	uint64_t v = bytes >> 10;
	const char *unit = "KMGTP";

	if (bytes == ZONE_STAT_NONE)
		return NULL;
	for (; v >= 10000 && unit[1] != '\0'; unit++)
		v >>= 10;
	(void)snprintf(cell, ZONE_CELL, "%llu%c", (unsigned long long)v, *unit);
	return cell;
}

static const char *
time_cell(char cell[ZONE_CELL], uint64_t us)
{
	uint64_t s = us / 1000000;

	(void)snprintf(cell, ZONE_CELL, "%llu:%02u:%02u", (unsigned long long)(s / 3600),
		       (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	return cell;
}

static const char *
cpu_cell(char cell[ZONE_CELL], double percent)
{
	(void)snprintf(cell, ZONE_CELL, percent >= 99.95 ? "%.0f%%" : "%.1f%%", percent);
	return cell;
}

static const char *
state_cell(char cell[ZONE_CELL], const struct zone_process *process)
{
	static const struct {
		char state;
		const char *name;
	} names[] = {
		{ 'S', "sleep" }, { 'I', "sleep" }, { 'D', "disk" },
		{ 'Z', "zombie" }, { 'T', "stop" }, { 't', "trace" },
	};

	for (size_t i = 0; i < nrd_count(names); i++) {
		if (names[i].state == process->state)
			return names[i].name;
	}
	(void)snprintf(cell, ZONE_CELL, "cpu%u", process->cpu);
	return cell;
}

/* Users of a zone are the zone's: their number there, of which only root's name is sure. */
static const char *
user_cell(char cell[ZONE_CELL], const struct zone_process *process)
{
	NRD_AUTO(zone_config) config = { 0 };
	const struct passwd *pw;
	uint64_t uid = process->uid;

	if (process->zone[0] == '\0') {
		pw = getpwuid(process->uid);
		if (pw != NULL) {
			(void)snprintf(cell, ZONE_CELL, "%.31s", pw->pw_name);
			return cell;
		}
	} else if (zone_config_read(NULL, process->zone, &config, NULL) == 0 &&
		   uid >= config.id_base) {
		uid -= config.id_base;
		if (uid == 0)
			return "root";
	}
	return zone_cell_u64(cell, uid);
}

static void
process_row(struct nrd_table *table, const struct line *line)
{
	const struct zone_process *process = line->process;
	char text[9][ZONE_CELL], name[64];

	(void)snprintf(name, sizeof(name), "%s/%llu", process->name,
		       (unsigned long long)process->lwps);
	(void)snprintf(text[5], ZONE_CELL, "%d", process->priority);
	(void)snprintf(text[6], ZONE_CELL, "%d", process->nice);
	nrd_table_row(table, (const char *[]){
				     zone_cell_u64(text[0], (uint64_t)process->pid),
				     user_cell(text[1], process),
				     size_cell(text[2], process->size),
				     size_cell(text[3], process->rss),
				     state_cell(text[4], process),
				     text[5],
				     text[6],
				     time_cell(text[7], process->time_us),
				     cpu_cell(text[8], line->cpu),
				     name,
			     });
}

static void
zone_row(const struct prstat *p, struct nrd_table *table, const struct line *line)
{
	double part = p->stats.memory == 0 ? 0 : 100.0 * (double)line->rss / (double)p->stats.memory;
	char text[7][ZONE_CELL];

	nrd_table_row(table, (const char *[]){
				     zone_cell_u64(text[0], line->zoneid),
				     zone_cell_u64(text[1], line->processes),
				     size_cell(text[2], line->size),
				     size_cell(text[3], line->rss),
				     cpu_cell(text[4], part),
				     time_cell(text[5], line->time_us),
				     cpu_cell(text[6], line->cpu),
				     line->zone,
			     });
}

static int
zone_table(const struct prstat *p, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_AUTO(lines) zones = { 0 };
	int r = nrd_table_new(zone_cols, nrd_count(zone_cols), &narrow, &table, err);

	if (r == 0)
		r = zone_lines(p, &zones, err);
	if (r < 0)
		return r;
	sort(&zones, p->bottom);
	for (size_t i = 0; i < zones.n; i++)
		zone_row(p, table, &zones.data[i]);
	return nrd_table_format(table, out, err);
}

static void
total_line(const struct lines *processes, struct nrd_buf *out)
{
	double load[3] = { 0 };
	uint64_t lwps = 0;

	for (size_t i = 0; i < processes->n; i++)
		lwps += processes->data[i].lwps;
	(void)getloadavg(load, 3);
	(void)nrd_buf_printf(out, "Total: %zu processes, %llu lwps, load averages: %.2f, %.2f, %.2f\n",
			     processes->n, (unsigned long long)lwps, load[0], load[1], load[2]);
}

int
prstat_text(const struct prstat *p, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *table = NULL;
	NRD_AUTO(nrd_buf) total = NRD_BUF_INIT(256);
	NRD_AUTO(lines) processes = { 0 };
	int r = nrd_table_new(process_cols, nrd_count(process_cols), &narrow, &table, err);

	if (r == 0)
		r = process_lines(p, &processes, err);
	if (r < 0)
		return r;
	total_line(&processes, &total);
	sort(&processes, p->top);
	for (size_t i = 0; i < processes.n; i++)
		process_row(table, &processes.data[i]);
	r = nrd_table_format(table, out, err);
	if (r == 0 && p->zones)
		r = zone_table(p, out, err);
	(void)nrd_buf_adds(out, nrd_buf_str(&total));
	return r;
}

/* ---- JSON ---- */

static void
json_u64(struct nrd_jw *w, const char *key, uint64_t v)
{
	nrd_jw_key(w, key);
	if (v == ZONE_STAT_NONE)
		nrd_jw_null(w);
	else
		nrd_jw_u64(w, v);
}

static void
json_line(struct nrd_jw *w, const struct line *line)
{
	char text[ZONE_CELL];

	nrd_jw_obj_open(w);
	if (line->process != NULL) {
		nrd_jw_ku64(w, "pid", (uint64_t)line->process->pid);
		nrd_jw_kstr(w, "username", user_cell(text, line->process));
		nrd_jw_kstr(w, "state", state_cell(text, line->process));
		nrd_jw_ki64(w, "pri", line->process->priority);
		nrd_jw_ki64(w, "nice", line->process->nice);
		nrd_jw_kstr(w, "process", line->process->name);
		nrd_jw_ku64(w, "nlwp", line->lwps);
		nrd_jw_ku64(w, "size", line->size);
	} else {
		json_u64(w, "zoneid", line->zoneid);
		nrd_jw_ku64(w, "nproc", line->processes);
		json_u64(w, "swap", line->size);
	}
	nrd_jw_ku64(w, "rss", line->rss);
	nrd_jw_ku64(w, "time_us", line->time_us);
	nrd_jw_key(w, "cpu");
	nrd_jw_double(w, line->cpu);
	nrd_jw_kstr(w, "zone", line->zone);
	nrd_jw_obj_close(w);
}

static void
json_lines(struct nrd_jw *w, const char *key, const struct lines *lines)
{
	nrd_jw_key(w, key);
	nrd_jw_arr_open(w);
	for (size_t i = 0; i < lines->n; i++)
		json_line(w, &lines->data[i]);
	nrd_jw_arr_close(w);
}

int
prstat_json(const struct prstat *p, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_AUTO(lines) processes = { 0 };
	NRD_AUTO(lines) zones = { 0 };
	struct nrd_jw w;
	int r = process_lines(p, &processes, err);

	if (r == 0)
		r = zone_lines(p, &zones, err);
	if (r < 0)
		return r;
	sort(&processes, p->top);
	sort(&zones, p->bottom);
	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	json_lines(&w, "processes", &processes);
	if (p->zones)
		json_lines(&w, "zones", &zones);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	(void)nrd_buf_addc(out, '\n');
	return r;
}
