/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

#define OPT(c, member_, arg_, help_) \
	NRD_OPT_STR(c, NULL, struct cfg_verb_opts, member_, arg_, help_)
#define FORCE(help_) NRD_OPT_FLAG('F', NULL, struct cfg_verb_opts, force, help_)
#define END NRD_OPT_END(struct cfg_verb_opts)

static const struct nrd_opt create_opts[] = {
	FORCE("in place of the configuration that is there"),
	OPT('a', path, "PATH", "the configuration of a detached zone at PATH"),
	NRD_OPT_FLAG('b', NULL, struct cfg_verb_opts, blank, "nothing set but the name"),
	OPT('t', template, "ZONE", "a copy of another zone's configuration"),
	NRD_OPT_FLAG('X', NULL, struct cfg_verb_opts, adopt, "the file that is there already"),
	END,
};
static const struct nrd_opt force_opts[] = { FORCE("without asking"), END };
static const struct nrd_opt exit_opts[] = { FORCE("and lose what was changed"), END };
static const struct nrd_opt export_opts[] = { OPT('f', file, "FILE", "into a file"), END };

#define ZONE CFG_IN_ZONE
#define RES  CFG_IN_RESOURCE
#define ANY  (CFG_IN_ZONE | CFG_IN_RESOURCE | CFG_WITHOUT)

const struct cfg_verb cfg_verbs[] = {
	{ "add", cfg_verb_add, ZONE | RES, NULL, "RESOURCE | PROPERTY VALUE",
	  "begin a resource; inside one, add to a property that is a list" },
	{ "cancel", cfg_verb_cancel, RES, NULL, "", "leave the resource as it was" },
	{ "clear", cfg_verb_clear, ZONE | RES, NULL, "PROPERTY", "unset a property" },
	{ "commit", cfg_verb_commit, ZONE, NULL, "", "verify the zone and write its file" },
	{ "create", cfg_verb_create, ZONE | CFG_WITHOUT, create_opts,
	  "[-F] [-a PATH | -b | -t ZONE | -X]", "begin a configuration" },
	{ "delete", cfg_verb_delete, ZONE | CFG_WITHOUT, force_opts, "[-F]",
	  "remove the zone's file at once" },
	{ "end", cfg_verb_end, RES, NULL, "", "finish the resource" },
	{ "exit", cfg_verb_exit, ANY, exit_opts, "[-F]", "commit and leave" },
	{ "export", cfg_verb_export, ZONE, export_opts, "[-f FILE]",
	  "print the commands that make this configuration" },
	{ "help", cfg_verb_help, ANY, NULL, "[VERB | RESOURCE | PROPERTY]", "what there is" },
	{ "info", cfg_verb_info, ZONE | RES, NULL, "[PROPERTY | RESOURCE [PROPERTY=VALUE]...]",
	  "show the configuration" },
	{ "remove", cfg_verb_remove, ZONE | RES, force_opts,
	  "[-F] RESOURCE [PROPERTY=VALUE]... | PROPERTY VALUE",
	  "remove resources; inside one, remove from a property that is a list" },
	{ "revert", cfg_verb_revert, ZONE | CFG_WITHOUT, force_opts, "[-F]",
	  "forget what was changed since the last commit" },
	{ "select", cfg_verb_select, ZONE, NULL, "RESOURCE [PROPERTY=VALUE]...",
	  "change the resource that has these values" },
	{ "set", cfg_verb_set, ZONE | RES, NULL, "PROPERTY=VALUE", "set a property" },
	{ "verify", cfg_verb_verify, ZONE, NULL, "", "is it a zone that can work?" },
	{ NULL },
};

int
cfg_load(struct cfg_session *s, struct nrd_err *err)
{
	NRD_AUTO(zone_config) fresh = { 0 };
	struct nrd_err why = { 0 };
	int r = zone_config_read(s->dir, s->name, &fresh, &why);

	if (r < 0 && r != -ENOENT) {
		if (err != NULL)
			*err = why;
		return r;
	}
	zone_config_fini(&s->original);
	zone_config_fini(&s->config);
	cfg_item_fini(&s->item);
	s->inside = s->changed = false;
	s->exists = s->loaded = r >= 0;
	if (r < 0)
		return 0;
	if (nrd_object_copy(&zone_config_schema, &fresh, &s->config) < 0)
		return nrd_nomem(err);
	s->original = fresh;
	fresh = (struct zone_config){ 0 };
	return 0;
}

int
cfg_open(struct cfg_session *s, const char *dir, const char *name, const struct cfg_host *host,
	 struct nrd_err *err)
{
	int r = zone_name_check(name, err);

	if (r < 0)
		return r;
	*s = (struct cfg_session){ .dir = dir, .host = host, .name = strdup(name) };
	return s->name != NULL ? cfg_load(s, err) : nrd_nomem(err);
}

void
cfg_session_fini(struct cfg_session *s)
{
	cfg_item_fini(&s->item);
	zone_config_fini(&s->original);
	zone_config_fini(&s->config);
	nrd_buf_fini(&s->out);
	free(s->name);
	*s = (struct cfg_session){ 0 };
}

void
cfg_session_cleanup(struct cfg_session *s)
{
	cfg_session_fini(s);
}

char *
cfg_prompt(const struct cfg_session *s)
{
	if (s->inside)
		return nrd_format("zonecfg:%s:%s> ", s->name, s->item.res->name);
	return nrd_format("zonecfg:%s> ", s->name);
}

int
cfg_confirm(const struct cfg_session *s, bool force, const char *question, struct nrd_err *err)
{
	int answer = force ? 1 : s->host->ask(s->host->arg, question);

	if (answer > 0)
		return 0;
	if (answer == 0)
		return nrd_fail(err, ECANCELED, "Refused", "not done");
	return nrd_fail(err, EPERM, "Refused", "needs -F where nobody can be asked: %s?", question);
}

char *
cfg_derived(const struct zone_config *config, const char *key)
{
	if (strcmp(key, "zpool") == 0)
		return nrd_format("zones");
	if (strcmp(key, "zonename") == 0 || strcmp(key, "hostname") == 0)
		return nrd_format("%s", config->zonename);
	if (strcmp(key, "zonepath") == 0)
		return nrd_format("/%s/%s", config->zpool, config->zonename);
	if (strcmp(key, "zfs_filesystem") == 0)
		return nrd_format("%s/%s", config->zpool, config->zonename);
	return NULL;
}

int
cfg_resource(const char *name, const struct cfg_res **ret_res, struct nrd_err *err)
{
	const struct cfg_res *res = cfg_res_find(name);
	const struct cfg_prop *prop = cfg_prop_find(&cfg_zone, name);
	struct nrd_suggest near;

	if (res == NULL && prop != NULL && prop->kind == CFG_REFUSED)
		return nrd_fail(err, ENOTSUP, "Refused", "%s: %s", prop->name, prop->help);
	if (res == NULL && prop != NULL)
		return nrd_usage(err, "%s is a property: set %s=VALUE", prop->name, prop->name);
	if (res != NULL && res->store == CFG_STORE_REFUSED)
		return nrd_fail(err, ENOTSUP, "Refused", "%s: %s", res->name, res->help);
	if (res != NULL) {
		*ret_res = res;
		return 0;
	}
	nrd_suggest_init(&near, name);
	for (res = cfg_resources; res->name != NULL; res++)
		nrd_suggest_offer(&near, res->name);
	if (near.best != NULL)
		return nrd_usage(err, "there is no resource \"%.40s\", did you mean %s?", name,
				 near.best);
	return nrd_usage(err, "there is no resource \"%.40s\", \"help\" lists them", name);
}

int
cfg_property(const struct cfg_res *res, const char *name, const struct cfg_prop **ret_prop,
	     struct nrd_err *err)
{
	const struct cfg_prop *prop = cfg_prop_find(res, name);
	const char *where = res->store == CFG_STORE_ZONE ? "a zone" : res->name;
	struct nrd_suggest near;

	if (prop != NULL) {
		*ret_prop = prop;
		return 0;
	}
	nrd_suggest_init(&near, name);
	for (prop = res->props; prop != NULL && prop->name != NULL; prop++)
		nrd_suggest_offer(&near, prop->name);
	if (near.best != NULL)
		return nrd_usage(err, "%s has no property \"%.40s\", did you mean %s?", where, name,
				 near.best);
	return nrd_usage(err, "%s has no property \"%.40s\", \"help\" lists them", where, name);
}

static int
find_verb(const char *name, const struct cfg_verb **ret_verb, struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (const struct cfg_verb *v = cfg_verbs; v->name != NULL; v++) {
		if (strcmp(v->name, name) == 0) {
			*ret_verb = v;
			return 0;
		}
		nrd_suggest_offer(&near, v->name);
	}
	if (near.best != NULL)
		return nrd_usage(err, "there is no verb \"%.40s\", did you mean %s?", name,
				 near.best);
	return nrd_usage(err, "there is no verb \"%.40s\", \"help\" lists them", name);
}

/* Words that begin with "-" and what belongs to them, by the verb's table. */
static int
take_options(const struct cfg_verb *verb, const struct cfg_command *command,
	     struct cfg_verb_opts *opts, size_t *ret_taken, struct nrd_err *err)
{
	size_t n = command->args.len;
	NRD_FREE char **argv = calloc(n + 1, sizeof(char *));
	uint64_t given = 0;
	int argc = 0;

	*ret_taken = 0;
	if (argv == NULL)
		return nrd_nomem(err);
	/* A quoted word, a list and NAME=VALUE are never options, nor what follows them. */
	while ((size_t)argc < n) {
		struct cfg_arg *arg = &command->args.data[argc];

		if (arg->word == NULL || arg->value.kind != CFG_NONE)
			break;
		if (arg->quoted && arg->word[0] == '-')
			break;
		argv[argc++] = arg->word;
	}
	if (verb->opts == NULL) {
		if (argc > 0 && argv[0][0] == '-' && n == 1)
			return nrd_usage(err, "has no option %.20s", argv[0]);
		return 0;
	}
	int before = argc;
	int r = nrd_opts_parse(verb->opts, opts, &argc, argv, NRD_CMD_STOP_EARLY, &given, err);

	*ret_taken = (size_t)(before - argc);
	return r;
}

static int
check_scope(const struct cfg_session *s, const struct cfg_verb *verb, struct nrd_err *err)
{
	if (s->inside && (verb->scopes & CFG_IN_RESOURCE) == 0)
		return nrd_usage(err, "not inside a resource: \"end\" or \"cancel\" %s first",
				 s->item.res->name);
	if (!s->inside && (verb->scopes & CFG_IN_ZONE) == 0)
		return nrd_usage(err, "only inside a resource, after add or select");
	if (!s->loaded && (verb->scopes & CFG_WITHOUT) == 0)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "%s: No such zone configured",
				s->name);
	return 0;
}

/* Messages say which zone and which verb, but once. */
static int
explain(const struct cfg_session *s, const char *verb, int r, struct nrd_err *err)
{
	struct nrd_err why = { 0 };

	if (err == NULL || nrd_starts(err->msg, "zone '") != NULL ||
	    nrd_err_is(err, "ZoneNotFound"))
		return r;
	why = *err;
	return nrd_fail(err, why.num, why.code, "zone '%s': %s: %s", s->name, verb, why.msg);
}

static int
run_command(struct cfg_session *s, const struct cfg_command *command, struct nrd_err *err)
{
	struct cfg_verb_opts opts = { 0 };
	const struct cfg_verb *verb = NULL;
	struct cfg_call call = { .opts = &opts };
	size_t taken = 0;
	int r = find_verb(command->verb, &verb, err);

	if (r < 0)
		return nrd_wrap(err, r, "zone '%s'", s->name);
	r = check_scope(s, verb, err);
	if (r >= 0)
		r = take_options(verb, command, &opts, &taken, err);
	call.n = command->args.len - taken;
	call.args = call.n > 0 ? command->args.data + taken : NULL;
	if (r >= 0)
		r = verb->fn(s, &call, err);
	return r < 0 ? explain(s, verb->name, r, err) : r;
}

int
cfg_run(struct cfg_session *s, const char *text, struct nrd_err *err)
{
	NRD_AUTO(cfg_line) line = { 0 };
	int r = cfg_parse(text, &line, err);

	if (r < 0)
		return nrd_wrap(err, r, "zone '%s'", s->name);
	nrd_vec_each(command, &line.commands) {
		r = run_command(s, command, err);
		if (r < 0 || s->over)
			return r;
	}
	return 0;
}

int
cfg_match(const struct cfg_session *s, const struct cfg_res *res, struct cfg_arg *filters,
	  size_t n, struct cfg_places *ret_places, struct nrd_err *err)
{
	size_t count = cfg_item_count(res, &s->config);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		bool same = true;

		for (size_t f = 0; r >= 0 && same && f < n; f++) {
			NRD_AUTO(cfg_item) item = { 0 };
			NRD_AUTO(cfg_item) wanted = { 0 };
			NRD_FREE char *has = NULL;
			NRD_FREE char *wants = NULL;
			const struct cfg_prop *prop = NULL;

			if (filters[f].word == NULL || filters[f].value.kind == CFG_NONE)
				return nrd_usage(err, "PROPERTY=VALUE expected");
			r = cfg_property(res, filters[f].word, &prop, err);
			if (r >= 0)
				r = cfg_item_load(res, &s->config, i, &item, err);
			if (r >= 0)
				r = cfg_item_new(res, &wanted, err);
			/* Set and read back: 1024m is 1g. */
			if (r >= 0)
				r = cfg_prop_set(&wanted, prop, &filters[f].value, err);
			if (r >= 0)
				r = cfg_prop_text(&item, prop, &has, err);
			if (r >= 0)
				r = cfg_prop_text(&wanted, prop, &wants, err);
			same = nrd_streq(has, wants);
		}
		if (r >= 0 && same && nrd_vec_push(&ret_places->at, i) < 0)
			r = nrd_nomem(err);
	}
	return r;
}
