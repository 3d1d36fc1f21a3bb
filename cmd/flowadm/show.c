/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "flowadm.h"
#include "link/find.h"
#include "link/flow.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"

/* What both lists are of, and how they are printed: -p, or -c where -p names properties. */
struct which {
	const char *link, *zone, *fields;
	bool kept, parsable, json;
};

#define WHICH_OPTS(t, m, parsable_letter)                                                                              \
	NRD_OPT_FLAG('P', NULL, t, m.kept, "what is kept, not what is there"),                                         \
	NRD_OPT_STR('l', NULL, t, m.link, "LINK", "flows of this link"),                                               \
	NRD_OPT_STR('z', NULL, t, m.zone, "ZONE", "flows of this zone"),                                               \
	NRD_OPT_STR('o', NULL, t, m.fields, "FIELD,...", "which columns, in this order"),                              \
	NRD_OPT_FLAG(parsable_letter, NULL, t, m.parsable, "for programs: no header, FIELD:FIELD; needs -o"),          \
	NRD_OPT_FLAG('j', NULL, t, m.json, "print JSON")

/* The flows, and a table for them. how lives as long as the table. */
static int
begin(const struct which *w, const struct nrd_args *args, char letter, const struct nrd_col *cols, size_t n, struct nrd_table_opts *how,
      struct nrd_table **ret_table, struct flows *ret_flows, struct nrd_err *err)
{
	struct flow_query q = { .zone = w->zone, .name = args->argc > 0 ? args->argv[0] : NULL, .kept = w->kept };
	NRD_AUTO(link_found) found = { 0 };
	int r = 0;

	if (w->parsable && w->fields == NULL)
		return nrd_usage(err, "-%c needs -o: which fields?", letter);
	*how = (struct nrd_table_opts){ .columns = w->fields, .parsable = w->parsable, .json = w->json, .one_bare = true };
	r = nrd_table_new(cols, n, how, ret_table, err);
	if (r == 0 && w->link != NULL && w->kept && strchr(w->link, '/') == NULL) {
		/* It need not be there now. */
		q.link = w->link;
	} else if (r == 0 && w->link != NULL) {
		r = link_find(w->zone, w->link, &found, err);
		q.zone = found.d.zone;
		q.link = found.d.name;
	}
	return r == 0 ? flows_read(&q, ret_flows, err) : r;
}

/* ---- show-flow ---- */

struct show_flow_opts {
	struct which which;
};

const struct nrd_opt show_flow_opts[] = {
	WHICH_OPTS(struct show_flow_opts, which, 'p'),
	NRD_OPT_END(struct show_flow_opts),
};

static const struct nrd_col flow_cols[] = {
	{ "flow", 11 }, { "link", 11 }, { "ipaddr", 30 }, { "proto", 6 }, { "lport", 5, NRD_COL_NUM }, { "rport", 5, NRD_COL_NUM },
	{ "dsfld", 9 }, { "zone", 10, NRD_COL_HIDDEN },
};

#define CELL 72

static const char *
cell_address(const struct switch_flow *f, char text[CELL])
{
	char addr[INET6_ADDRSTRLEN] = "";

	if (f->shape != SWITCH_FLOW_LOCAL_IP && f->shape != SWITCH_FLOW_REMOTE_IP)
		return NULL;
	(void)inet_ntop(f->addr.family, f->addr.addr, addr, sizeof(addr));
	(void)snprintf(text, CELL, "%s:%s/%u", f->shape == SWITCH_FLOW_LOCAL_IP ? "LCL" : "RMT", addr, f->addr.bits);
	return text;
}

static const char *
cell_port(const struct switch_flow *f, enum switch_flow_shape shape, char text[CELL])
{
	if (f->shape != shape)
		return NULL;
	(void)snprintf(text, CELL, "%u", f->port);
	return text;
}

static const char *
cell_dsfield(const struct switch_flow *f, char text[CELL])
{
	if (f->shape != SWITCH_FLOW_DSFIELD)
		return NULL;
	(void)snprintf(text, CELL, "0x%x:0x%x", f->dsfield, f->mask);
	return text;
}

static void
flow_row(struct nrd_table *t, const struct flow_item *item)
{
	const struct switch_flow *f = &item->flow;
	char addr[CELL], local[CELL], remote[CELL], dsfield[CELL];

	nrd_table_row(t, (const char *[]){ f->name, item->link, cell_address(f, addr), flow_transport_name(f->transport),
					   cell_port(f, SWITCH_FLOW_LOCAL_PORT, local), cell_port(f, SWITCH_FLOW_REMOTE_PORT, remote),
					   cell_dsfield(f, dsfield), item->zone });
}

int
cmd_show_flow(const struct nrd_args *args, struct nrd_err *err)
{
	static const struct show_flow_opts none;
	const struct show_flow_opts *opts = args->opts != NULL ? args->opts : &none;
	NRD_AUTO(flows) flows = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	struct nrd_table_opts how;
	int r = begin(&opts->which, args, 'p', flow_cols, nrd_count(flow_cols), &how, &t, &flows, err);

	for (size_t i = 0; r == 0 && i < flows.n; i++)
		flow_row(t, &flows.items[i]);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

/* ---- show-flowprop ---- */

struct show_flowprop_opts {
	struct which which;
	const char *props;
};

/* Here -p names properties, as in illumos. */
const struct nrd_opt show_flowprop_opts[] = {
	NRD_OPT_STR('p', NULL, struct show_flowprop_opts, props, "PROP,...", "these only"),
	WHICH_OPTS(struct show_flowprop_opts, which, 'c'),
	NRD_OPT_END(struct show_flowprop_opts),
};

static const struct nrd_col prop_cols[] = {
	{ "flow", 12 }, { "property", 15 }, { "perm", 4 }, { "value", 14 }, { "default", 14 }, { "possible", 20 },
	{ "link", 11, NRD_COL_HIDDEN }, { "zone", 10, NRD_COL_HIDDEN },
};

/* "--" is illumos's word for what is not set; for programs there is nothing. */
static int
prop_rows(struct nrd_table *t, const struct flow_item *item, char *const *only, const char *none)
{
	for (const struct flow_prop *p = flow_props; p->name != NULL; p++) {
		NRD_AUTO(nrd_buf) value = { 0 };

		if (only != NULL && !nrd_strv_has(NRD_CSTRV(only), p->name))
			continue;
		if (flow_prop_text(&item->flow, p->name, &value) < 0)
			return -ENOMEM;
		nrd_table_row(t, (const char *[]){ item->flow.name, p->name, "rw", value.len > 0 ? nrd_buf_str(&value) : none, none,
						   p->possible != NULL ? p->possible : none, item->link, item->zone });
	}
	return 0;
}

int
cmd_show_flowprop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_flowprop_opts *opts = args->opts;
	NRD_AUTO(flows) flows = { 0 };
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_STRV char **only = NULL;
	struct nrd_table_opts how;
	int r = opts->props != NULL ? flow_props_check(opts->props, err) : 0;

	if (r == 0 && opts->props != NULL && nrd_strv_split(opts->props, ',', &only) < 0)
		r = nrd_nomem(err);
	if (r == 0)
		r = begin(&opts->which, args, 'c', prop_cols, nrd_count(prop_cols), &how, &t, &flows, err);
	for (size_t i = 0; r == 0 && i < flows.n; i++)
		if (prop_rows(t, &flows.items[i], only, opts->which.parsable || opts->which.json ? NULL : "--") < 0)
			r = nrd_nomem(err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}
