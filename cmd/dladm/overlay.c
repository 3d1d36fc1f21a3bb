/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dladm.h"
#include "link/overlay-search.h"
#include "link/overlay.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)

/* ---- create-overlay, delete-overlay ---- */

struct create_overlay_opts {
	struct admin_how how;
	const char *encap, *search;
	char **props;
	uint64_t vnetid;
};

const struct nrd_opt create_overlay_opts[] = {
	HOW_OPTS(struct create_overlay_opts, how),
	NRD_OPT_STR('e', NULL, struct create_overlay_opts, encap, "ENCAP", "how frames are wrapped: vxlan"),
	NRD_OPT_STR('s', NULL, struct create_overlay_opts, search, "SEARCH", "how it is known who has a machine: direct, files, agent"),
	NRD_OPT_U64('v', NULL, struct create_overlay_opts, vnetid, 0, OVERLAY_VNETID_MAX, "VNETID", "the virtual network's number"),
	NRD_OPT_STRV('p', NULL, struct create_overlay_opts, props, "PROP=VALUE,...", "properties, see show-overlay"),
	NRD_OPT_END(struct create_overlay_opts),
};

int
cmd_create_overlay(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_overlay_opts *opts = args->opts;
	NRD_AUTO(datalink) d = { .class_ = DATALINK_OVERLAY, .vnetid = opts->vnetid };
	int r = 0;

	if (opts->encap == NULL || opts->search == NULL || !nrd_given(args, 'v'))
		return nrd_usage(err, "-e ENCAP, -s SEARCH and -v VNETID are needed");
	if (nrd_str_set(&d.name, args->argv[0]) < 0 || nrd_str_set(&d.encap, opts->encap) < 0 || nrd_str_set(&d.search, opts->search) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, &d, encap);
	NRD_SET(SCHEMA, &d, search);
	NRD_SET(SCHEMA, &d, vnetid);
	for (size_t i = 0; r == 0 && opts->props != NULL && opts->props[i] != NULL; i++)
		r = overlay_props_set(&d, opts->props[i], err);
	return r == 0 ? admin_create(&d, &opts->how, err) : r;
}

struct delete_overlay_opts {
	struct admin_how how;
};

const struct nrd_opt delete_overlay_opts[] = {
	HOW_OPTS(struct delete_overlay_opts, how), NRD_OPT_END(struct delete_overlay_opts),
};

int
cmd_delete_overlay(const struct nrd_args *args, struct nrd_err *err)
{
	const struct delete_overlay_opts *opts = args->opts;

	return admin_delete(NULL, args->argv[0], DATALINK_OVERLAY, &opts->how, err);
}

static int
find(const char *name, struct datalink *ret_d, struct nrd_err *err)
{
	int r = datalink_read(DATALINK_RUN, NULL, name, ret_d, err);

	if (r == 0 && ret_d->class_ != DATALINK_OVERLAY)
		r = nrd_fail(err, EINVAL, "LinkClass", "link '%s': it is of class %s, not overlay", name, datalink_class_names[ret_d->class_]);
	return r;
}

/* ---- modify-overlay ---- */

struct modify_overlay_opts {
	const char *forget, *set;
	bool flush;
};

const struct nrd_opt modify_overlay_opts[] = {
	NRD_OPT_STR('d', NULL, struct modify_overlay_opts, forget, "MAC", "forget who has it"),
	NRD_OPT_FLAG('f', NULL, struct modify_overlay_opts, flush, "forget all, and read the table anew"),
	NRD_OPT_STR('s', NULL, struct modify_overlay_opts, set, "MAC=IP[:PORT]", "that node has it"),
	NRD_OPT_END(struct modify_overlay_opts),
};

/* "MAC=10.0.0.2:4789", "MAC=[fd00::2]:4789"; text is cut up, and ip points into it. */
static int
target_parse(char *text, struct overlay_target *t, struct nrd_err *err)
{
	char *eq = strchr(text, '='), *ip = eq != NULL ? eq + 1 : NULL, *port = NULL;

	*t = (struct overlay_target){ .port = OVERLAY_PORT };
	if (ip == NULL)
		return nrd_usage(err, "-s %.60s: it is MAC=IP or MAC=IP:PORT", text);
	*eq = '\0';
	if (ip[0] == '[') {
		port = strchr(ip, ']');
		if (port == NULL)
			return nrd_usage(err, "-s %.60s: ']' is missing", ip);
		*port++ = '\0';
		ip++;
		port = *port == ':' ? port + 1 : NULL;
	} else if (strchr(ip, ':') == strrchr(ip, ':')) {
		port = strchr(ip, ':');
		if (port != NULL)
			*port++ = '\0';
	}
	if (port != NULL && nrd_parse_u64(port, 1, 65535, &t->port, NULL) < 0)
		return nrd_usage(err, "-s: \"%.40s\" is no port", port);
	t->ip = ip;
	return nrd_mac_parse(text, &t->mac, err);
}

int
cmd_modify_overlay(const struct nrd_args *args, struct nrd_err *err)
{
	const struct modify_overlay_opts *opts = args->opts;
	NRD_FREE char *text = opts->set != NULL ? nrd_format("%s", opts->set) : NULL;
	NRD_AUTO(datalink) d = { 0 };
	struct overlay_target t = { 0 };
	struct nrd_mac mac = { 0 };
	int r = 0;

	if ((opts->forget != NULL) + (opts->set != NULL) + opts->flush != 1)
		return nrd_usage(err, "one of -d MAC, -f and -s MAC=IP:PORT");
	if (opts->set != NULL)
		r = text == NULL ? nrd_nomem(err) : target_parse(text, &t, err);
	if (opts->forget != NULL)
		r = nrd_mac_parse(opts->forget, &mac, err);
	if (r == 0)
		r = find(args->argv[0], &d, err);
	if (r < 0)
		return r;
	if (opts->flush)
		return overlay_flush(&d, err);
	return opts->set != NULL ? overlay_target_set(&d, &t, err) : overlay_target_remove(&d, &mac, err);
}

/* ---- show-overlay ---- */

struct show_overlay_opts {
	struct show_opts show;
	bool faults, targets;
};

const struct nrd_opt show_overlay_opts[] = {
	NRD_OPT_FLAG('f', NULL, struct show_overlay_opts, faults, "whether it works"),
	NRD_OPT_FLAG('t', NULL, struct show_overlay_opts, targets, "who has which machine"),
	SHOW_OPTS(struct show_overlay_opts, show),
	NRD_OPT_END(struct show_overlay_opts),
};

static const struct nrd_col prop_cols[] = {
	{ "link", 12 }, { "property", 18 }, { "perm", 4 }, { "value", 14 }, { "default", 14 }, { "possible", 20 },
};
static const struct nrd_col fault_cols[] = { { "link", 17 }, { "status", 10 }, { "details", 40 } };
static const struct nrd_col target_cols[] = { { "link", 17 }, { "target", 20 }, { "destination", 40 } };

struct shown {
	struct nrd_table *t;
	const struct datalink *d;
	bool json;
};

static void
prop_rows(struct shown *s)
{
	const char *none = s->json ? NULL : "--";
	char vnetid[24];

	(void)snprintf(vnetid, sizeof(vnetid), "%" PRIu64, s->d->vnetid);
	nrd_table_row(s->t, (const char *[]){ s->d->name, "encap", "r-", s->d->encap, none, "vxlan" });
	nrd_table_row(s->t, (const char *[]){ s->d->name, "search", "r-", s->d->search, none, "direct,files,agent" });
	nrd_table_row(s->t, (const char *[]){ s->d->name, "vnetid", "r-", vnetid, none, "0-16777215" });
	for (const struct overlay_prop *p = overlay_props; p->name != NULL; p++) {
		const char *value = overlay_prop_get(s->d, p->name);

		if (p->search >= 0 && !nrd_streq(overlay_search_names[p->search], s->d->search))
			continue;
		nrd_table_row(s->t, (const char *[]){ s->d->name, p->name, "r-", value != NULL ? value : none,
						      p->standard != NULL ? p->standard : none, p->possible[0] != '\0' ? p->possible : none });
	}
}

static void
target_row(void *arg, const struct nrd_mac *mac, const char *text)
{
	const struct shown *s = arg;
	char target[NRD_MAC_TEXT] = "*:*:*:*:*:*";

	if (mac != NULL)
		mac_text(mac, s->json, target);
	nrd_table_row(s->t, (const char *[]){ s->d->name, target, text });
}

static int
rows(struct shown *s, const struct show_overlay_opts *opts, struct nrd_err *err)
{
	struct nrd_err why = { 0 };

	if (opts->targets)
		return overlay_targets_read(s->d, target_row, s, err);
	if (!opts->faults)
		prop_rows(s);
	else if (overlay_fault(s->d, &why) < 0)
		nrd_table_row(s->t, (const char *[]){ s->d->name, "DEGRADED", why.msg });
	else
		nrd_table_row(s->t, (const char *[]){ s->d->name, "ONLINE", NULL });
	return 0;
}

int
cmd_show_overlay(const struct nrd_args *args, struct nrd_err *err)
{
	const struct show_overlay_opts *opts = args->opts;
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	const struct nrd_col *cols = opts->targets ? target_cols : opts->faults ? fault_cols : prop_cols;
	size_t n = opts->targets ? nrd_count(target_cols) : opts->faults ? nrd_count(fault_cols) : nrd_count(prop_cols);
	struct nrd_table_opts how;
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(datalinks) links = { 0 };
	bool any = false;
	int r;

	if (opts->targets && opts->faults)
		return nrd_usage(err, "-f and -t exclude each other");
	r = show_table(&opts->show, cols, n, &how, &t, err);
	if (r == 0)
		r = datalinks_read(DATALINK_RUN, DATALINK_GLOBAL, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++) {
		struct shown s = { .t = t, .d = &links.links[i], .json = opts->show.json };

		if (s.d->class_ != DATALINK_OVERLAY || !link_is_wanted(s.d->name, name))
			continue;
		any = true;
		r = rows(&s, opts, err);
	}
	if (r == 0 && !any && name != NULL)
		return link_not_found(name, err);
	return r == 0 ? nrd_table_print(t, STDOUT_FILENO, err) : r;
}

/* ---- search-overlay ---- */

static void
warn(const struct nrd_err *why)
{
	(void)fprintf(stderr, "dladm: search-overlay: %s\n", why->msg);
}

int
cmd_search_overlay(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_AUTO(datalink) d = { 0 };
	const char *name = args->argc > 0 ? args->argv[0] : NULL;
	int r = name != NULL ? find(name, &d, err) : 0;

	return r == 0 ? overlay_search_run(name, STDIN_FILENO, STDOUT_FILENO, warn, err) : r;
}
