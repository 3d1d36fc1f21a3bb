/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/uuid.h"
#include "vm/object.h"
#include "vm/watch.h"
#include "vmadm.h"

#define ALIAS_SHOWN 30

struct events_opts {
	bool full, json, ready;
};

const struct nrd_opt events_opts[] = {
	NRD_OPT_FLAG('f', "full", struct events_opts, full, "whole uuids, aliases and times"),
	NRD_OPT_FLAG('j', "json", struct events_opts, json, "print JSON, an object a line"),
	NRD_OPT_FLAG('r', "ready", struct events_opts, ready, "first say when nothing is missed any more"),
	NRD_OPT_END(struct events_opts),
};

struct line {
	const struct events_opts *opts;
	char head[256]; /* what every line of an event begins with */
};

/* ---- as text ---- */

static void
add_json(struct nrd_buf *out, const struct nrd_val *v)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_val(&w, v);
}

static int
print_change(void *arg, const char *path, const struct nrd_val *old, const struct nrd_val *new)
{
	const struct line *l = arg;
	NRD_AUTO(nrd_buf) out = { 0 };

	(void)nrd_buf_printf(&out, "%s: %s %s :: ", l->head, path, old == NULL ? "added" : new == NULL ? "removed" : "changed");
	if (old != NULL)
		add_json(&out, old);
	if (old != NULL && new != NULL)
		(void)nrd_buf_adds(&out, " -> ");
	if (new != NULL)
		add_json(&out, new);
	(void)puts(nrd_buf_str(&out));
	return 0;
}

static void
make_head(const struct events_opts *opts, const struct vm_event *e, char ret_head[256])
{
	char stamp[NRD_DATE_TEXT], alias[64];

	nrd_date_format(e->time_ms, stamp);
	(void)snprintf(alias, sizeof(alias), "%s", e->alias[0] != '\0' ? e->alias : "-");
	if (opts->full) {
		(void)snprintf(ret_head, 256, "[%s] %s %.120s %s", stamp, e->uuid, e->alias[0] != '\0' ? e->alias : "-",
			       e->type);
		return;
	}
	if (strlen(e->alias) > ALIAS_SHOWN)
		(void)snprintf(alias, sizeof(alias), "%.*s...", ALIAS_SHOWN - 3, e->alias);
	/* The time alone, and the uuid's first group. */
	(void)snprintf(ret_head, 256, "[%s] %.8s %s %s", strchr(stamp, 'T') + 1, e->uuid, alias, e->type);
}

/* ---- as JSON ---- */

static int
add_change(void *arg, const char *path, const struct nrd_val *old, const struct nrd_val *new)
{
	struct nrd_jw *w = arg;
	NRD_STRV char **parts = NULL;

	if (nrd_strv_split(path, '.', &parts) < 0)
		return -1;
	nrd_jw_obj_open(w);
	nrd_jw_kstr(w, "prettyPath", path);
	nrd_jw_key(w, "path");
	nrd_jw_strv(w, NRD_CSTRV(parts));
	nrd_jw_kstr(w, "action", old == NULL ? "added" : new == NULL ? "removed" : "changed");
	if (old != NULL)
		nrd_jw_kval(w, "oldValue", old);
	if (new != NULL)
		nrd_jw_kval(w, "newValue", new);
	nrd_jw_obj_close(w);
	return 0;
}

static void
print_json(const struct vm_event *e)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	char stamp[NRD_DATE_TEXT];
	struct nrd_jw w;

	nrd_date_format(e->time_ms, stamp);
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "type", e->type);
	nrd_jw_kstr(&w, "ts", stamp);
	nrd_jw_kstr(&w, "zonename", nrd_get_str(e->vm, "zonename"));
	nrd_jw_kstr(&w, "uuid", e->uuid);
	if (e->before != NULL) {
		nrd_jw_key(&w, "changes");
		nrd_jw_arr_open(&w);
		(void)vm_diff(e->before, e->vm, add_change, &w);
		nrd_jw_arr_close(&w);
	}
	nrd_jw_kval(&w, "vm", e->vm);
	nrd_jw_obj_close(&w);
	(void)puts(nrd_buf_str(&out));
}

/* ---- the stream ---- */

/* Who no longer reads has seen enough. */
static int
flushed(void)
{
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
on_event(void *arg, const struct vm_event *e, struct nrd_err *err)
{
	struct line l = { .opts = arg };

	(void)err;
	make_head(l.opts, e, l.head);
	if (l.opts->json)
		print_json(e);
	else if (e->before != NULL)
		(void)vm_diff(e->before, e->vm, print_change, &l);
	else
		(void)puts(l.head);
	return flushed();
}

static int
on_ready(void *arg, struct nrd_err *err)
{
	const struct events_opts *opts = arg;
	char stamp[NRD_DATE_TEXT];

	(void)err;
	if (!opts->ready)
		return 0;
	nrd_date_format(nrd_date_ms(), stamp);
	if (opts->json)
		(void)printf("{\"type\":\"ready\",\"ts\":\"%s\"}\n", stamp);
	else
		(void)printf("[%s] - - ready\n", opts->full ? stamp : strchr(stamp, 'T') + 1);
	return flushed();
}

int
cmd_events(const struct nrd_args *args, struct nrd_err *err)
{
	struct events_opts opts = *(const struct events_opts *)args->opts;
	const char *uuid = NULL;
	int r = args->argc > 0 ? uuid_of(args, 0, &uuid, err) : 0;

	if (r < 0)
		return r;
	outlive_reader();
	r = vm_watch(uuid, on_event, on_ready, &opts, err);
	return r > 0 ? 0 : told(args, NULL, r, err);
}
