/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "grammar.h"
#include "item.h"
#include "nrd/buf.h"
#include "nrd/cli.h"
#include "nrd/err.h"
#include "zone/config.h"

/*
 * One run of zonecfg on one zone: the configuration being edited, the resource that is open in it,
 * and what was said. Nothing is printed here: text for people gathers in `out`.
 */
struct cfg_host {
	/* 1 yes, 0 no, -1 there is nobody to ask. */
	int (*ask)(void *arg, const char *question);
	/* Held while the zone's file is looked at and replaced; *ret_fd may stay -1. */
	int (*lock)(void *arg, const char *name, int *ret_fd, struct nrd_err *err);
	/* What the zone runs with; a failure: it does not. NULL: no zone runs. */
	int (*in_force)(void *arg, const char *name, struct zone_config *ret_config);
	/* The CPUs it has; "": it is not known. NULL: as above. */
	void (*cpus)(void *arg, const char *name, char *dst, size_t size);
	void *arg;
};

struct cfg_session {
	const char *dir;             /* of the zones' files, NULL: ZONE_DIR */
	const struct cfg_host *host;
	char *name;                  /* the zone, as its file is called */
	struct zone_config original; /* as in the file */
	struct zone_config config;
	bool exists;                 /* there is a file */
	bool loaded;                 /* config holds something */
	bool changed;
	bool saved;                  /* a commit changed the file; the reader resets it */
	bool quota_changed;          /* with it */
	bool verified;               /* looked at for commit or by itself; the reader resets it */
	bool over;                   /* exit was said */
	struct cfg_item item;        /* the open resource */
	size_t index;                /* its place; their count: a new one */
	bool inside;
	struct nrd_buf out;
};

/* A zone that is not there is fine: it can be created. "BadName", "BadZoneFile". */
int cfg_open(struct cfg_session *s, const char *dir, const char *name, const struct cfg_host *host,
	     struct nrd_err *err);
void cfg_session_fini(struct cfg_session *s);
void cfg_session_cleanup(struct cfg_session *s);

/* Runs the commands of one line up to the first that fails. "BadSyntax", "Usage" and theirs. */
int cfg_run(struct cfg_session *s, const char *line, struct nrd_err *err);

/* The end of a session without errors: commits what changed. */
int cfg_finish(struct cfg_session *s, struct nrd_err *err);

/* "zonecfg:z1:net> "; caller frees; NULL: no memory. */
char *cfg_prompt(const struct cfg_session *s);

/* One verb. */
struct cfg_verb_opts {
	bool force, blank, adopt;
	const char *path, *template, *file;
};

struct cfg_call {
	const struct cfg_verb_opts *opts;
	struct cfg_arg *args; /* without the options */
	size_t n;
};

enum cfg_scope {
	CFG_IN_ZONE = 1u << 0,
	CFG_IN_RESOURCE = 1u << 1,
	CFG_WITHOUT = 1u << 2, /* also when the zone is not configured */
};

typedef int cfg_verb_fn(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err);

struct cfg_verb {
	const char *name; /* NULL ends the table */
	cfg_verb_fn *fn;
	unsigned scopes;
	const struct nrd_opt *opts; /* NULL: none */
	const char *synopsis;
	const char *help;
};

extern const struct cfg_verb cfg_verbs[];

cfg_verb_fn cfg_verb_add, cfg_verb_cancel, cfg_verb_clear, cfg_verb_commit, cfg_verb_create,
	cfg_verb_delete, cfg_verb_end, cfg_verb_exit, cfg_verb_export, cfg_verb_help, cfg_verb_info,
	cfg_verb_remove, cfg_verb_revert, cfg_verb_select, cfg_verb_set, cfg_verb_verify;

/* The help text of a verb, resource or property; topic NULL: all verbs. "Usage". */
int cfg_help(const char *topic, struct nrd_buf *out, struct nrd_err *err);

/* For completion: one line a verb, resource and property. */
void cfg_dump_words(struct nrd_buf *out);

/* ---- between the verbs ---- */

int cfg_commit(struct cfg_session *s, struct nrd_err *err);

/*
 * What of the file is not in force in the zone that runs and waits for its next boot: names of
 * properties and resources, "hostname, fs"; NULL: nothing. Caller frees.
 */
int cfg_waiting(const struct cfg_session *s, char **ret_names, struct nrd_err *err);
int cfg_verify(const struct cfg_session *s, struct nrd_err *err);
int cfg_load(struct cfg_session *s, struct nrd_err *err);

/* Yes by -F or by an answer. "Refused" when it is no, or nobody can be asked. */
int cfg_confirm(const struct cfg_session *s, bool force, const char *question,
		struct nrd_err *err);

/* What this property is when nobody set it, worked out from the zone's name; NULL: nothing. */
char *cfg_derived(const struct zone_config *config, const char *key);

/* A resource by its name: "Usage" (with the nearest), "Refused". */
int cfg_resource(const char *name, const struct cfg_res **ret_res, struct nrd_err *err);
int cfg_property(const struct cfg_res *res, const char *name, const struct cfg_prop **ret_prop,
		 struct nrd_err *err);

/* The places of all resources of a kind that have the values in filters (name=value). */
struct cfg_places {
	NRD_VEC(size_t) at;
};
int cfg_match(const struct cfg_session *s, const struct cfg_res *res, struct cfg_arg *filters,
	      size_t n, struct cfg_places *ret_places, struct nrd_err *err);
