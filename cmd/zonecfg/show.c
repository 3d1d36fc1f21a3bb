/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "session.h"
#include "zone/live.h"

/* ---- what waits for the next boot ---- */

/* A key of the file, as zonecfg calls it. */
static const char *
name_of_key(const char *key)
{
	for (const struct cfg_prop *p = cfg_zone.props; p->name != NULL; p++)
		if (nrd_streq(p->key, key))
			return p->name;
	for (const struct cfg_res *r = cfg_resources; r->name != NULL; r++) {
		if (nrd_streq(r->key, key))
			return r->name;
		for (const struct cfg_prop *p = r->props;
		     r->store == CFG_STORE_FIELDS && p->name != NULL; p++)
			if (nrd_streq(p->key, key))
				return r->name;
	}
	return key;
}

int
cfg_waiting(const struct cfg_session *s, char **ret_names, struct nrd_err *err)
{
	NRD_AUTO(zone_config) in_force = { 0 };
	NRD_STRV char **keys = NULL;
	NRD_STRV char **names = NULL;
	int r;

	*ret_names = NULL;
	if (s->host->in_force == NULL ||
	    s->host->in_force(s->host->arg, s->name, &in_force) < 0)
		return 0;
	r = zone_live_waiting(&in_force, &s->config, !s->changed, &keys, err);
	for (size_t i = 0; r >= 0 && keys != NULL && keys[i] != NULL; i++)
		if (nrd_strv_add(&names, name_of_key(keys[i])) < 0)
			r = -ENOMEM;
	if (r < 0 || names == NULL)
		return r == -ENOMEM ? nrd_nomem(err) : r;
	*ret_names = nrd_strv_join(NRD_CSTRV(names), ", ");
	return *ret_names != NULL ? 0 : nrd_nomem(err);
}

/* ---- info ---- */

/* "[a,b]", each in quotes where it needs them. */
static int
add_list(char *const *v, struct nrd_buf *out)
{
	(void)nrd_buf_addc(out, '[');
	for (size_t i = 0; v != NULL && v[i] != NULL; i++) {
		NRD_FREE char *word = cfg_quote(v[i]);

		if (word == NULL)
			return -ENOMEM;
		(void)nrd_buf_printf(out, "%s%s", i > 0 ? "," : "", word);
	}
	return nrd_buf_addc(out, ']');
}

static int
add_pair(const char *name, const char *value, struct nrd_buf *out)
{
	NRD_FREE char *word = cfg_quote(value);

	return word == NULL ? -ENOMEM : nrd_buf_printf(out, "(name=%s,value=%s)", name, word);
}

static int
info_pairs(const struct cfg_prop *prop, char *const *v, const char *indent, struct nrd_buf *out)
{
	int r = 0;

	for (; r >= 0 && v != NULL && v[0] != NULL; v += 2) {
		(void)nrd_buf_printf(out, "%s%s: ", indent, prop->name);
		(void)add_pair(v[0], v[1], out);
		r = nrd_buf_addc(out, '\n');
	}
	return r;
}

static int
info_value(const struct cfg_item *item, const struct cfg_prop *prop, char *const *v,
	   const char *indent, struct nrd_buf *out, struct nrd_err *err)
{
	bool brackets = (prop->flags & CFG_CONTROL) != 0;
	NRD_FREE char *text = NULL;
	int r = 0;

	(void)nrd_buf_printf(out, "%s%s%s: ", indent, brackets ? "[" : "", prop->name);
	if (prop->kind == CFG_TEXTS && (prop->flags & CFG_COMMAS) == 0)
		r = add_list(v, out);
	else
		r = cfg_prop_text(item, prop, &text, err);
	if (r < 0)
		return r;
	(void)nrd_buf_printf(out, "%s%s\n", text != NULL ? text : "", brackets ? "]" : "");
	return 0;
}

static int
info_prop(const struct cfg_item *item, const struct cfg_prop *prop, bool asked,
	  struct nrd_buf *out, struct nrd_err *err)
{
	bool zone = item->res->store == CFG_STORE_ZONE;
	const char *indent = zone ? "" : "\t";
	NRD_STRV char **v = NULL;
	int r;

	if (prop->kind == CFG_REFUSED)
		return asked ? nrd_fail(err, ENOTSUP, "Refused", "%s: %s", prop->name, prop->help)
			     : 0;
	r = cfg_prop_get(item, prop, &v, err);
	if (r < 0)
		return r;
	if (prop->kind == CFG_PAIRS)
		return info_pairs(prop, v, indent, out);
	if (v != NULL)
		return info_value(item, prop, v, indent, out, err);
	/* What is in force all the same. */
	if (nrd_streq(prop->key, "hostid"))
		(void)nrd_buf_printf(out, "%s: %08x (of its uuid)\n", prop->name,
				     zone_config_hostid(item->obj));
	else if (zone && (asked || (prop->flags & CFG_ALWAYS) != 0))
		(void)nrd_buf_printf(out, "%s: \n", prop->name);
	else if (!zone && (prop->flags & CFG_CONTROL) == 0)
		(void)nrd_buf_printf(out, "%s%s not specified\n", indent, prop->name);
	return 0;
}

static int
info_item(const struct cfg_item *item, struct nrd_buf *out, struct nrd_err *err)
{
	int r = 0;

	if (item->res->store != CFG_STORE_ZONE)
		(void)nrd_buf_printf(out, "%s:\n", item->res->name);
	for (const struct cfg_prop *p = item->res->props; r >= 0 && p->name != NULL; p++)
		r = info_prop(item, p, false, out, err);
	return r;
}

/* Which they are is known only while it runs. */
static void
info_cpus(const struct cfg_session *s, struct nrd_buf *out)
{
	char cpus[1024] = "";

	if (s->host->cpus != NULL)
		s->host->cpus(s->host->arg, s->name, cpus, sizeof(cpus));
	if (cpus[0] != '\0')
		(void)nrd_buf_printf(out, "\t[cpus: %s]\n", cpus);
}

static int
info_waiting(struct cfg_session *s, struct nrd_err *err)
{
	NRD_FREE char *names = NULL;
	int r = cfg_waiting(s, &names, err);

	if (r >= 0 && names != NULL)
		(void)nrd_buf_printf(&s->out, "at its next boot: %s\n", names);
	return r;
}

static int
info_resources(const struct cfg_session *s, const struct cfg_res *res, struct cfg_arg *filters,
	       size_t n, struct nrd_buf *out, struct nrd_err *err)
{
	struct cfg_places places = { 0 };
	int r = cfg_match(s, res, filters, n, &places, err);

	for (size_t i = 0; r >= 0 && i < places.at.len; i++) {
		NRD_AUTO(cfg_item) item = { 0 };

		r = cfg_item_load(res, &s->config, places.at.data[i], &item, err);
		if (r >= 0)
			r = info_item(&item, out, err);
		if (nrd_streq(res->name, "dedicated-cpu"))
			info_cpus(s, out);
	}
	nrd_vec_fini(&places.at);
	return r;
}

static int
info_all(struct cfg_session *s, struct nrd_err *err)
{
	struct cfg_item zone = cfg_item_zone(&s->config);
	int r = info_item(&zone, &s->out, err);

	for (const struct cfg_res *res = cfg_resources; r >= 0 && res->name != NULL; res++) {
		/* The properties have told them already. */
		if (res->store != CFG_STORE_REFUSED && res->store != CFG_STORE_RCTL)
			r = info_resources(s, res, NULL, 0, &s->out, err);
	}
	return r < 0 ? r : info_waiting(s, err);
}

int
cfg_verb_info(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	struct cfg_item item = s->inside ? s->item : cfg_item_zone(&s->config);
	const struct cfg_arg *arg = call->args;
	const struct cfg_prop *prop = NULL;
	const struct cfg_res *res = NULL;
	int r;

	if (call->n == 0)
		return s->inside ? info_item(&item, &s->out, err) : info_all(s, err);
	if (arg->word == NULL || arg->value.kind != CFG_NONE)
		return nrd_usage(err, "the name of a property or resource expected");
	if (call->n == 1 && (s->inside || cfg_prop_find(item.res, arg->word) != NULL)) {
		r = cfg_property(item.res, arg->word, &prop, err);
		return r < 0 ? r : info_prop(&item, prop, true, &s->out, err);
	}
	if (s->inside)
		return nrd_usage(err, "one property expected");
	r = cfg_resource(arg->word, &res, err);
	return r < 0 ? r : info_resources(s, res, call->args + 1, call->n - 1, &s->out, err);
}

/* ---- export ---- */

static int
export_pairs(const struct cfg_prop *prop, char *const *v, struct nrd_buf *out)
{
	int r = 0;

	for (; r >= 0 && v != NULL && v[0] != NULL; v += 2) {
		(void)nrd_buf_printf(out, "add %s ", prop->name);
		(void)add_pair(v[0], v[1], out);
		r = nrd_buf_addc(out, '\n');
	}
	return r;
}

/* Is it what the zone would have by its name alone? Then it is left to the next zone's name. */
static bool
is_derived(const struct cfg_item *item, const struct cfg_prop *prop, const char *text)
{
	NRD_FREE char *derived = NULL;

	if ((prop->flags & CFG_DERIVED) == 0 && !nrd_streq(prop->key, "hostname"))
		return false;
	derived = cfg_derived(item->obj, prop->key);
	return nrd_streq(derived, text);
}

static int
export_prop(const struct cfg_item *item, const struct cfg_prop *prop, struct nrd_buf *out,
	    struct nrd_err *err)
{
	NRD_STRV char **v = NULL;
	NRD_FREE char *text = NULL;
	NRD_FREE char *word = NULL;
	int r = prop->kind == CFG_REFUSED ? 0 : cfg_prop_get(item, prop, &v, err);

	if (r < 0 || v == NULL)
		return r;
	if (prop->kind == CFG_PAIRS)
		return export_pairs(prop, v, out);
	r = cfg_prop_text(item, prop, &text, err);
	if (r < 0)
		return r;
	if (item->res->store == CFG_STORE_ZONE && is_derived(item, prop, text))
		return 0;
	(void)nrd_buf_printf(out, "set %s=", prop->name);
	if (prop->kind == CFG_TEXTS && (prop->flags & CFG_COMMAS) == 0)
		r = add_list(v, out);
	else if ((word = cfg_quote(text)) == NULL)
		return nrd_nomem(err);
	else
		r = nrd_buf_adds(out, word);
	(void)nrd_buf_addc(out, '\n');
	return r;
}

static int
export_props(const struct cfg_item *item, struct nrd_buf *out, struct nrd_err *err)
{
	int r = 0;

	for (const struct cfg_prop *p = item->res->props; r >= 0 && p->name != NULL; p++)
		r = export_prop(item, p, out, err);
	return r;
}

static int
export_resource(const struct cfg_session *s, const struct cfg_res *res, struct nrd_buf *out,
		struct nrd_err *err)
{
	size_t n = cfg_item_count(res, &s->config);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		NRD_AUTO(cfg_item) item = { 0 };

		r = cfg_item_load(res, &s->config, i, &item, err);
		(void)nrd_buf_printf(out, "add %s\n", res->name);
		if (r >= 0)
			r = export_props(&item, out, err);
		(void)nrd_buf_adds(out, "end\n");
	}
	return r;
}

static int
export_all(struct cfg_session *s, struct nrd_buf *out, struct nrd_err *err)
{
	struct cfg_item zone = cfg_item_zone(&s->config);
	int r;

	(void)nrd_buf_adds(out, "create -b\n");
	r = export_props(&zone, out, err);
	for (const struct cfg_res *res = cfg_resources; r >= 0 && res->name != NULL; res++) {
		if (res->store != CFG_STORE_REFUSED && res->store != CFG_STORE_RCTL)
			r = export_resource(s, res, out, err);
	}
	return r >= 0 && out->failed < 0 ? nrd_nomem(err) : r;
}

int
cfg_verb_export(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	int r;

	if (call->n > 0)
		return nrd_usage(err, "takes -f FILE only");
	r = export_all(s, &text, err);
	if (r < 0)
		return r;
	if (call->opts->file == NULL || strcmp(call->opts->file, "-") == 0)
		return nrd_buf_adds(&s->out, nrd_buf_str(&text)) < 0 ? nrd_nomem(err) : 0;
	return nrd_file_write(call->opts->file, nrd_buf_str(&text), text.len, 0644, err);
}

/* ---- help ---- */

static void
help_prop(const struct cfg_prop *p, struct nrd_buf *out)
{
	if (p->kind == CFG_REFUSED)
		(void)nrd_buf_printf(out, "  %-20s (not here) %s\n", p->name, p->help);
	else if (p->values != NULL)
		(void)nrd_buf_printf(out, "  %-20s %s: %s\n", p->name, p->help, p->values);
	else
		(void)nrd_buf_printf(out, "  %-20s %s\n", p->name, p->help);
}

static void
help_resource(const struct cfg_res *res, struct nrd_buf *out)
{
	(void)nrd_buf_printf(out, "%s: %s\n", res->name, res->help);
	for (const struct cfg_prop *p = res->props; p != NULL && p->name != NULL; p++)
		help_prop(p, out);
}

static void
help_verb(const struct cfg_verb *v, struct nrd_buf *out)
{
	(void)nrd_buf_printf(out, "usage: %s%s%s\n\n%s\n", v->name, v->synopsis[0] ? " " : "",
			     v->synopsis, v->help);
	for (size_t i = 0; v->opts != NULL && v->opts[i].type != NRD_OPT_TYPE_END; i++)
		(void)nrd_buf_printf(out, "  -%c %-17s %s\n", v->opts[i].short_name,
				     v->opts[i].arg != NULL ? v->opts[i].arg : "",
				     v->opts[i].help);
}

static void
help_all(struct nrd_buf *out)
{
	(void)nrd_buf_adds(out, "verbs:\n");
	for (const struct cfg_verb *v = cfg_verbs; v->name != NULL; v++)
		(void)nrd_buf_printf(out, "  %-10s %s\n", v->name, v->help);
	(void)nrd_buf_adds(out, "\nresources:\n");
	for (const struct cfg_res *r = cfg_resources; r->name != NULL; r++) {
		if (r->store != CFG_STORE_REFUSED)
			(void)nrd_buf_printf(out, "  %-14s %s\n", r->name, r->help);
	}
	(void)nrd_buf_adds(out, "\nproperties of the zone:\n");
	for (const struct cfg_prop *p = cfg_zone.props; p->name != NULL; p++)
		help_prop(p, out);
	(void)nrd_buf_adds(out, "\n\"help NAME\" says more about a verb or resource.\n");
}

int
cfg_help(const char *topic, struct nrd_buf *out, struct nrd_err *err)
{
	const struct cfg_prop *prop = topic != NULL ? cfg_prop_find(&cfg_zone, topic) : NULL;
	const struct cfg_res *res = topic != NULL ? cfg_res_find(topic) : NULL;

	if (topic == NULL)
		help_all(out);
	for (const struct cfg_verb *v = cfg_verbs; topic != NULL && v->name != NULL; v++) {
		if (strcmp(v->name, topic) == 0) {
			help_verb(v, out);
			return 0;
		}
	}
	if (res != NULL)
		help_resource(res, out);
	else if (prop != NULL)
		help_prop(prop, out);
	else if (topic != NULL)
		return nrd_usage(err, "there is no verb, resource or property \"%.40s\"", topic);
	return 0;
}

int
cfg_verb_help(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	if (call->n > 1 || (call->n == 1 && call->args->word == NULL))
		return nrd_usage(err, "one name expected");
	if (s->inside && call->n == 0) {
		help_resource(s->item.res, &s->out);
		return 0;
	}
	return cfg_help(call->n > 0 ? call->args->word : NULL, &s->out, err);
}

static void
dump_props(const struct cfg_res *res, struct nrd_buf *out)
{
	for (const struct cfg_prop *p = res->props; p != NULL && p->name != NULL; p++) {
		if (p->kind != CFG_REFUSED)
			(void)nrd_buf_printf(out, "property\t%s\t%s\t%s\n", res->name, p->name,
					     p->values != NULL ? p->values : "");
	}
}

void
cfg_dump_words(struct nrd_buf *out)
{
	for (const struct cfg_verb *v = cfg_verbs; v->name != NULL; v++)
		(void)nrd_buf_printf(out, "verb\t%s\n", v->name);
	dump_props(&cfg_zone, out);
	for (const struct cfg_res *r = cfg_resources; r->name != NULL; r++) {
		if (r->store == CFG_STORE_REFUSED)
			continue;
		(void)nrd_buf_printf(out, "resource\t%s\n", r->name);
		dump_props(r, out);
	}
}
