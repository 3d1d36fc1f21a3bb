/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <string.h>

#include "link/flow.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "session.h"

#define SCHEMA (&zone_config_schema)

int
cfg_verify(const struct cfg_session *s, struct nrd_err *err)
{
	int r = zone_config_verify(&s->config, err);
	NRD_AUTO(zone_config) renamed = { 0 };

	if (r < 0 || strcmp(s->name, s->config.zonename) == 0)
		return r < 0 ? r : zone_config_clash(s->dir, &s->config, err);
	/* A zone that changes its name is not in its own way: its file still has the old one. */
	if (nrd_object_copy(SCHEMA, &s->config, &renamed) < 0)
		return nrd_nomem(err);
	if (nrd_str_set(&renamed.zonename, s->name) < 0)
		return nrd_nomem(err);
	return zone_config_clash(s->dir, &renamed, err);
}

/* What belongs to zoneadm in the file, and changes while somebody edits. */
static bool
is_state(const struct nrd_field *field)
{
	return (field->flags & NRD_READONLY) != 0;
}

/* Everything but the state, as text. */
static int
essence(const struct zone_config *config, struct nrd_buf *out, struct nrd_err *err)
{
	struct nrd_jw w;

	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_arr_open(&w);
	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		if (!is_state(&SCHEMA->fields[i]))
			nrd_encode_field(SCHEMA, &SCHEMA->fields[i], config, &w);
	}
	nrd_jw_arr_close(&w);
	return nrd_jw_finish(&w, err);
}

static int
same_essence(const struct zone_config *a, const struct zone_config *b, bool *ret_same,
	     struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) of_a = { 0 };
	NRD_AUTO(nrd_buf) of_b = { 0 };
	int r = essence(a, &of_a, err);

	if (r >= 0)
		r = essence(b, &of_b, err);
	*ret_same = strcmp(nrd_buf_str(&of_a), nrd_buf_str(&of_b)) == 0;
	return r;
}

/* What was installed meanwhile is where it is, under the name it has. */
static int
check_frozen(const struct cfg_session *s, struct zone_config *now, struct nrd_err *err)
{
	struct zone_config old = s->original, new = s->config; /* only looked at */
	struct cfg_item before = cfg_item_zone(&old), after = cfg_item_zone(&new);

	for (const struct cfg_prop *p = cfg_zone.props; p->name != NULL; p++) {
		NRD_FREE char *was = NULL;
		NRD_FREE char *is = NULL;

		if ((p->flags & CFG_FROZEN) == 0 || now->installed == ZONE_CONFIGURED)
			continue;
		int r = cfg_prop_text(&before, p, &was, err);

		if (r >= 0)
			r = cfg_prop_text(&after, p, &is, err);
		if (r < 0)
			return r;
		if (!nrd_streq(was, is))
			return nrd_fail(err, EBUSY, "ZoneWrongState",
					"zone '%s': it was installed meanwhile, %s cannot change",
					s->name, p->name);
	}
	return 0;
}

static void
take_state(struct zone_config *dst, const struct zone_config *now)
{
	dst->installed = now->installed;
	dst->zonedid = now->zonedid;
	dst->id_base = now->id_base;
	dst->id_count = now->id_count;
	NRD_SET(SCHEMA, dst, installed);
	NRD_SET(SCHEMA, dst, zonedid);
	NRD_SET(SCHEMA, dst, id_base);
	NRD_SET(SCHEMA, dst, id_count);
}

/* Under the zone's lock: is the file still what was read, but for the zone's state? */
static int
check_meanwhile(struct cfg_session *s, struct nrd_err *err)
{
	NRD_AUTO(zone_config) now = { 0 };
	struct nrd_err why = { 0 };
	bool same = false;
	int r = zone_config_read(s->dir, s->name, &now, &why);

	if (r == -ENOENT && !s->exists)
		return 0;
	if (r >= 0 && s->exists)
		r = same_essence(&now, &s->original, &same, &why);
	if (r < 0 && r != -ENOENT) {
		if (err != NULL)
			*err = why;
		return r;
	}
	if (!same)
		return nrd_fail(err, EBUSY, "ZoneChanged",
				"zone '%s': another command changed it meanwhile; \"revert\" and "
				"make the changes again",
				s->name);
	r = check_frozen(s, &now, err);
	if (r >= 0)
		take_state(&s->config, &now);
	return r;
}

static int
write_locked(struct cfg_session *s, struct nrd_err *err)
{
	bool renamed = s->exists && strcmp(s->name, s->config.zonename) != 0;
	int r = check_meanwhile(s, err);

	if (r < 0)
		return r;
	r = renamed ? zone_config_rename(s->dir, s->name, &s->config, err)
		    : zone_config_write(s->dir, &s->config, err);
	/* What is kept elsewhere is the node's: not of files somewhere else. */
	if (r >= 0 && renamed && s->dir == NULL)
		flow_keep_zone(s->name, s->config.zonename);
	if (r >= 0 && nrd_str_set(&s->name, s->config.zonename) < 0)
		r = nrd_nomem(err);
	/* As it was written: with the number it was given. */
	return r < 0 ? r : cfg_load(s, err);
}

int
cfg_commit(struct cfg_session *s, struct nrd_err *err)
{
	NRD_CLOSE int lock = -1;
	int r = cfg_verify(s, err);

	s->verified |= r >= 0 && s->changed;
	if (r < 0 || !s->changed)
		return r;
	bool quota = s->exists && s->original.quota != s->config.quota;

	r = s->host->lock(s->host->arg, s->name, &lock, err);
	if (r >= 0)
		r = write_locked(s, err);
	if (r >= 0) {
		s->saved = true;
		s->quota_changed |= quota;
	}
	return r;
}

int
cfg_finish(struct cfg_session *s, struct nrd_err *err)
{
	if (s->inside)
		return nrd_fail(err, EINVAL, "BadProperty",
				"zone '%s': %s was not ended, nothing is saved", s->name,
				s->item.res->name);
	return s->loaded && s->changed ? cfg_commit(s, err) : 0;
}

int
cfg_verb_commit(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	return call->n > 0 ? nrd_usage(err, "takes no arguments") : cfg_commit(s, err);
}

int
cfg_verb_verify(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	int r = call->n > 0 ? nrd_usage(err, "takes no arguments") : cfg_verify(s, err);

	s->verified |= r >= 0;
	return r;
}

int
cfg_verb_revert(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	int r = 0;

	if (call->n > 0)
		return nrd_usage(err, "takes no arguments");
	if (s->changed)
		r = cfg_confirm(s, call->opts->force, "forget what was changed", err);
	return r < 0 ? r : cfg_load(s, err);
}

int
cfg_verb_exit(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	if (call->n > 0)
		return nrd_usage(err, "takes no arguments");
	if (call->opts->force) {
		cfg_item_fini(&s->item);
		s->inside = s->changed = false;
	}
	s->over = true;
	return 0;
}

int
cfg_verb_delete(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	NRD_AUTO(zone_config) now = { 0 };
	NRD_CLOSE int lock = -1;
	int r;

	if (call->n > 0)
		return nrd_usage(err, "takes no arguments");
	r = cfg_confirm(s, call->opts->force, "delete the zone's configuration", err);
	if (r >= 0)
		r = s->host->lock(s->host->arg, s->name, &lock, err);
	if (r >= 0)
		r = zone_config_read(s->dir, s->name, &now, err);
	if (r < 0)
		return r;
	if (now.installed != ZONE_CONFIGURED)
		return nrd_fail(err, EBUSY, "ZoneWrongState",
				"zone '%s': it is %s; \"zoneadm -z %s uninstall\" comes first",
				s->name, zone_installed_names[now.installed], s->name);
	r = zone_config_delete(s->dir, s->name, err);
	if (r >= 0 && s->dir == NULL)
		flow_keep_zone(s->name, NULL);
	return r < 0 ? r : cfg_load(s, err);
}

/* ---- create ---- */

/* What a zone has that nobody configured; the second row only without -b. */
static const char *const identity[] = { "zonename", "uuid",	      "brand",
					"zone_installed", "zonepath", "zpool",
					"zfs_filesystem", "create_timestamp", "id_count",
					NULL };
static const char *const usual[] = { "cpu_shares",  "max_lwps",	   "zfs_io_priority", "max_msg_ids",
				     "max_sem_ids", "max_shm_ids", NULL };

static int
make(const char *name, bool blank, struct zone_config *c, struct nrd_err *err)
{
	if (nrd_str_set(&c->zonename, name) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, c, zonename);
	int r = zone_config_fill(c, err);

	for (size_t i = 0; r >= 0 && i < SCHEMA->n_fields; i++) {
		const struct nrd_field *field = &SCHEMA->fields[i];

		if (!nrd_strv_has(identity, nrd_field_key(field)) &&
		    (blank || !nrd_strv_has(usual, nrd_field_key(field))))
			nrd_field_clear(SCHEMA, field, c);
	}
	/* As in illumos: a zone does not boot by itself until somebody says so. */
	c->autoboot = false;
	NRD_SET(SCHEMA, c, autoboot);
	return r;
}

/* Everything of another zone but what makes it that zone. */
static int
copy_from(struct zone_config *template, struct zone_config *c, bool moved, struct nrd_err *err)
{
	static const char *const own[] = { "zonename",	"uuid",	   "zone_installed",
					   "create_timestamp", "zonedid", "id_base",
					   "id_count",	NULL };
	static const char *const places[] = { "zonepath", "zfs_filesystem", "hostname", "alias",
					      NULL };
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;

	for (size_t i = 0; i < SCHEMA->n_fields; i++) {
		const char *key = nrd_field_key(&SCHEMA->fields[i]);

		if (nrd_strv_has(own, key) || (!moved && nrd_strv_has(places, key)))
			nrd_field_clear(SCHEMA, &SCHEMA->fields[i], template);
	}
	/* Two zones with one MAC address do not both have a network. */
	for (size_t i = 0; !moved && i < template->n_nics; i++) {
		const struct nrd_schema *nics = nrd_schema_find(SCHEMA, "nics")->schema;

		NRD_CLEAR(nics, &template->nics[i], mac);
	}
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_encode(SCHEMA, template, &w);
	int r = nrd_jw_finish(&w, err);

	return r < 0 ? r : nrd_decode_text(SCHEMA, nrd_buf_str(&text), text.len, NULL,
					   NRD_DECODE_PARTIAL, c, err);
}

/* The zpool of a template may not be the default, and then the places are not either. */
static int
settle(struct zone_config *c, struct nrd_err *err)
{
	NRD_FREE char *path = cfg_derived(c, "zonepath");
	NRD_FREE char *dataset = cfg_derived(c, "zfs_filesystem");

	if (path == NULL || dataset == NULL || nrd_str_set(&c->zonepath, path) < 0 ||
	    nrd_str_set(&c->zfs_filesystem, dataset) < 0)
		return nrd_nomem(err);
	return 0;
}

static int
from_template(const struct cfg_session *s, const char *name, struct zone_config *c,
	      struct nrd_err *err)
{
	NRD_AUTO(zone_config) template = { 0 };
	int r = zone_config_read(s->dir, name, &template, err);

	if (r >= 0)
		r = copy_from(&template, c, false, err);
	return r < 0 ? r : settle(c, err);
}

static int
from_detached(const char *dir, struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(zone_config) detached = { 0 };
	NRD_FREE char *path = nrd_path_join(dir, ZONE_DETACHED_FILE);
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = zone_config_read_file(path, &detached, err);
	if (r >= 0)
		r = copy_from(&detached, c, true, err);
	/* It lies where it was found, not where it was detached. */
	return r < 0 ? r : nrd_decode_field(SCHEMA, "zonepath", dir, c, err);
}

/* -X: what lies there is the configuration. */
static int
adopt(struct cfg_session *s, struct nrd_err *err)
{
	int r = cfg_load(s, err);

	if (r >= 0 && !s->loaded)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "%s: No such zone configured",
				s->name);
	return r;
}

static int
check_create(const struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	const struct cfg_verb_opts *o = call->opts;

	if (call->n > 0)
		return nrd_usage(err, "takes options only");
	if ((o->path != NULL) + o->blank + (o->template != NULL) + o->adopt > 1)
		return nrd_usage(err, "-a, -b, -t and -X exclude each other");
	if (o->adopt)
		return 0;
	if (s->exists && s->original.installed != ZONE_CONFIGURED)
		return nrd_fail(err, EBUSY, "ZoneWrongState",
				"zone '%s': it is %s and cannot be configured anew", s->name,
				zone_installed_names[s->original.installed]);
	return s->loaded ? cfg_confirm(s, o->force, "configure the zone anew", err) : 0;
}

int
cfg_verb_create(struct cfg_session *s, const struct cfg_call *call, struct nrd_err *err)
{
	NRD_AUTO(zone_config) fresh = { 0 };
	const struct cfg_verb_opts *o = call->opts;
	bool named = o->template != NULL && nrd_starts(o->template, "SUNW") == NULL;
	bool blank = o->blank || named || o->path != NULL ||
		     nrd_streq(o->template, "SUNWblank");
	int r = check_create(s, call, err);

	if (r < 0)
		return r;
	if (o->adopt)
		return adopt(s, err);
	r = make(s->name, blank, &fresh, err);
	if (r >= 0 && named)
		r = from_template(s, o->template, &fresh, err);
	if (r >= 0 && o->path != NULL)
		r = from_detached(o->path, &fresh, err);
	if (r < 0)
		return r;
	zone_config_fini(&s->config);
	s->config = fresh;
	fresh = (struct zone_config){ 0 };
	s->loaded = s->changed = true;
	return 0;
}
