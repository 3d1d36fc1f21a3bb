/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "nrd/mem.h"
#include "nrd/str.h"

enum { COL_ID, COL_NAME, COL_STATE, COL_PATH, COL_UUID, COL_BRAND, COL_IP, N_COLS };

static const struct nrd_col cols[] = {
	[COL_ID] = { "zoneid", 4, NRD_COL_RIGHT | NRD_COL_NUM, "ID" },
	[COL_NAME] = { "zonename", 16, 0, "NAME" },
	[COL_STATE] = { "state", 10, 0, "STATUS" },
	[COL_PATH] = { "zonepath", 30, 0, "PATH" },
	[COL_UUID] = { "uuid", NRD_UUID_LEN, 0, "UUID" },
	[COL_BRAND] = { "brand", 8, 0, "BRAND" },
	[COL_IP] = { "ip-type", 6, 0, "IP" },
};

#define VERBOSE_COLS "zoneid,zonename,state,zonepath,brand,ip-type"

/* The global zone has no file: it is there as long as anybody can ask. */
static void
add_global(struct nrd_table *t)
{
	nrd_table_row(t, (const char *[]){ "0", "global", zone_state_name(ZONE_ST_RUNNING), "/",
					   NULL, "nereid", "shared" });
}

static void
add_zone(struct nrd_table *t, const struct zone_config *c, enum zone_state state,
	 const struct zone_run *run, bool json)
{
	bool has_id = state >= ZONE_ST_READY && run->zoneid != 0;
	char id[24] = "-", uuid[NRD_UUID_TEXT];

	if (has_id)
		(void)snprintf(id, sizeof(id), "%" PRIu64, run->zoneid);
	nrd_uuid_format(&c->uuid, uuid);
	nrd_table_row(t, (const char *[]){ has_id || !json ? id : NULL, c->zonename, zone_state_name(state), c->zonepath,
					   uuid, zone_brand_names[c->brand], "excl" });
}

/* Names of what runs need no file read: a node with many zones asks for them often. */
static bool
names_of_running(const struct brand_list_opts *opts)
{
	return opts->least >= ZONE_ST_READY && opts->only == NULL && !opts->verbose &&
	       opts->table.columns == NULL && !opts->table.parsable && !opts->table.json;
}

static int
consider(const struct brand_place *place, const struct brand_list_opts *opts, const char *name,
	 struct nrd_table *t, struct nrd_err *err)
{
	NRD_AUTO(zone_config) config = { 0 };
	enum zone_state state;
	struct zone_run run;
	int r = zone_run_read(name, &run, err);

	if (r < 0)
		return r;
	if (names_of_running(opts)) {
		if (run.state >= opts->least)
			nrd_table_row(t, (const char *[N_COLS]){ [COL_NAME] = name });
		return 0;
	}
	r = zone_config_read(place->dir, name, &config, err);
	if (r < 0)
		return r;
	state = zone_state_of(config.installed, &run);
	if (opts->only != NULL || state >= opts->least)
		add_zone(t, &config, state, &run, opts->table.json);
	return 0;
}

static int
collect(const struct brand_place *place, const struct brand_list_opts *opts, struct nrd_table *t,
	struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int first = 0, r;

	if (opts->only != NULL && nrd_streq(opts->only, "global")) {
		add_global(t);
		return 0;
	}
	if (opts->only != NULL)
		return consider(place, opts, opts->only, t, err);
	if (!opts->no_global)
		add_global(t);
	r = zone_config_list(place->dir, &names, err);
	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++) {
		int one = consider(place, opts, names[i], t, first < 0 ? NULL : err);

		/* Removed while we looked. */
		if (one < 0 && one != -ENOENT && first == 0)
			first = one;
	}
	return r < 0 ? r : first;
}

int
brand_list(const struct brand_place *place, const struct brand_list_opts *opts,
	   struct nrd_buf *out, struct nrd_err *err)
{
	NRD_AUTO(nrd_table) *t = NULL;
	struct nrd_table_opts how = opts->table;
	struct nrd_err why = { 0 };
	int collected, r;

	how.gap = 1;
	if (how.columns == NULL && !how.parsable && !how.json) {
		how.columns = opts->verbose ? VERBOSE_COLS : "zonename";
		how.no_header |= !opts->verbose;
	}
	r = nrd_table_new(cols, nrd_count(cols), &how, &t, err);
	if (r < 0)
		return r;
	collected = collect(place, opts, t, &why);
	if (collected < 0 && opts->only != NULL)
		return nrd_fail(err, -collected, why.code, "%s", why.msg);
	r = nrd_table_format(t, out, err);
	if (r < 0 || collected == 0)
		return r;
	return nrd_fail(err, -collected, why.code, "%s", why.msg);
}
