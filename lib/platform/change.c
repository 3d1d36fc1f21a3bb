/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Changes to a set of volumes that mean the same thing to the node: every disk of a mirror can
 * be the one the firmware chooses. What can be refused is refused before anything is written;
 * what fails on some volumes only is told as such.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/platform-priv.h"
#include "platform/platform.h"
#include "platform/tally.h"

static void
note(const struct platform *p, const char *text)
{
	if (p->ui.note != NULL && text != NULL)
		p->ui.note(p->ui.arg, text);
}

/* Was the node started from one of these, so that what runs now is theirs? */
static bool
is_booted(const struct platform *p)
{
	bool booted = p->by_hand;

	nrd_vec_each(v, p)
		booted |= v->booted;
	return booted;
}

/* The environment as it is, or as good as it can be made again. */
static struct platform_grubenv
env_sound(const struct platform *p, const struct platform_volume *v)
{
	struct platform_grubenv env = v->env;
	const struct platform_version *running = platform_volume_find(v, p->running);
	const struct platform_version *boots = platform_volume_next(v);

	if (v->env_good && env.current[0] != '\0')
		return env;
	if (running != NULL && running->whole && is_booted(p))
		boots = running;
	if (boots != NULL)
		memcpy(env.current, boots->stamp, sizeof(env.current));
	return env;
}

static int
env_activate(const struct platform *p, struct platform_volume *v, const char *stamp,
	     struct nrd_err *err)
{
	struct platform_grubenv env = env_sound(p, v);
	bool first = env.current[0] == '\0';
	int r;

	env.next[0] = '\0';
	env.tries = 0;
	if (first) {
		memcpy(env.current, stamp, PLATFORM_STAMP_TEXT);
	} else if (!nrd_streq(env.current, stamp)) {
		memcpy(env.next, stamp, PLATFORM_STAMP_TEXT);
		env.tries = PLATFORM_TRIES;
	}
	if (nrd_streq(env.failed, stamp))
		env.failed[0] = '\0';
	if (v->env_good && memcmp(&env, &v->env, sizeof(env)) == 0)
		return 0;
	r = platform_step("env", err);
	if (r == 0)
		r = platform_volume_env_write(v, &env, err);
	return r < 0 ? r : 1;
}

/* The operator has dealt with the update that failed: the console need not tell of it any more. */
static void
notice_settle(const struct platform *p, const char *stamp)
{
	NRD_FREE char *path = nrd_path_join(p->node.run, PLATFORM_NOTICE);
	bool failed = false;

	nrd_vec_each(v, p)
		failed |= nrd_streq(v->env.failed, stamp);
	if (failed && path != NULL)
		(void)unlink(path);
}

static int
activate(struct platform *p, const char *stamp, struct platform_change *change,
	 struct nrd_err *err)
{
	struct platform_tally t = { 0 };
	int r;

	notice_settle(p, stamp);
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };

		if (v->kind != PLATFORM_COPIES)
			platform_tally_add(&t, v->label, env_activate(p, v, stamp, &why), &why);
	}
	change->changed |= t.done > 0;
	r = platform_tally_end(&t, p, err);
	change->activated = r == 0;
	return r;
}

int
platform_activate(struct platform *p, const char *stamp, struct platform_change *ret_change,
		  struct nrd_err *err)
{
	struct platform_change change = { 0 };
	const struct platform_volume *without = NULL;
	bool somewhere = false;
	int r;

	nrd_vec_each(v, p) {
		const struct platform_version *version = platform_volume_find(v, stamp);

		somewhere |= version != NULL;
		if (v->kind == PLATFORM_COPIES || (version != NULL && version->whole))
			continue;
		if (version != NULL)
			return nrd_fail(err, EBADMSG, "PlatformDamaged",
					"%s on %s is damaged (%s); put it right with: piadm "
					"install %s", stamp, v->label, version->why, stamp);
		without = v;
	}
	if (!somewhere)
		return nrd_fail(err, ENOENT, "PlatformNotFound",
				"%s is not installed; piadm list shows what is", stamp);
	if (without != NULL)
		return nrd_fail(err, ENOENT, "PlatformNotFound",
				"%s is not on %s; put it there with: piadm install %s", stamp,
				without->label, stamp);
	memcpy(change.stamp, stamp, sizeof(change.stamp));
	r = activate(p, stamp, &change, err);
	*ret_change = change;
	return r;
}

/* May this version go without taking away what the node boots or falls back to? */
static bool
is_needed(const struct platform *p, const struct platform_volume *v, const char *stamp)
{
	const struct platform_version *boots = platform_volume_next(v);
	const char *const needed[] = { p->running, v->env.current, v->env.next, v->env.previous };

	for (size_t i = 0; i < nrd_count(needed); i++) {
		if (nrd_streq(needed[i], stamp))
			return true;
	}
	return boots != NULL && nrd_streq(boots->stamp, stamp);
}

/* What goes first: a failed update, then damaged ones, then by age. The master copies keep all
 * that a volume still has. */
static const struct platform_version *
prune_choose(const struct platform *p, const struct platform_volume *v)
{
	const struct platform_version *oldest = NULL;

	nrd_vec_each(version, v) {
		bool needed = is_needed(p, v, version->stamp);

		nrd_vec_each(other, p) {
			if (v->kind == PLATFORM_COPIES)
				needed |= is_needed(p, other, version->stamp);
		}
		if (needed)
			continue;
		if (!version->whole || nrd_streq(version->stamp, v->env.failed))
			return version;
		if (oldest == NULL)
			oldest = version;
	}
	return oldest;
}

static int
env_forget(struct platform_volume *v, const char *stamp, struct nrd_err *err)
{
	struct platform_grubenv env = v->env;

	if (!v->env_good)
		return 0;
	if (nrd_streq(env.previous, stamp))
		env.previous[0] = '\0';
	if (nrd_streq(env.failed, stamp))
		env.failed[0] = '\0';
	return platform_volume_env_write(v, &env, err);
}

static int
prune_for(const struct platform *p, struct platform_volume *v, uint64_t needs,
	  struct nrd_err *err)
{
	for (;;) {
		const struct platform_version *victim;
		char stamp[PLATFORM_STAMP_TEXT];
		NRD_FREE char *text = NULL;
		uint64_t there;
		int r = platform_volume_free(v, &there, err);

		if (r < 0 || there >= needs)
			return r;
		victim = prune_choose(p, v);
		if (victim == NULL)
			return 0; /* the copy will say that there is no room */
		memcpy(stamp, victim->stamp, sizeof(stamp));
		r = env_forget(v, stamp, err);
		if (r == 0)
			r = platform_volume_remove(v, stamp, err);
		if (r < 0)
			return r;
		text = nrd_format("%s: removed %s to make room", v->label, stamp);
		note(p, text);
	}
}

/* What is shown while copies are made. */
struct progress {
	const struct platform *p;
	const char *label;
	uint64_t done, total;
};

static void
progress_add(void *arg, uint64_t bytes)
{
	struct progress *pg = arg;

	pg->done += bytes;
	if (pg->p->ui.progress != NULL)
		pg->p->ui.progress(pg->p->ui.arg, pg->label, pg->done, pg->total);
}

static int
install_on(const struct platform *p, struct platform_volume *v, const struct platform_source *src,
	   struct nrd_err *err)
{
	struct progress pg = {
		.p = p,
		.label = v->label,
		.total = platform_manifest_bytes(&src->manifest),
	};
	const struct platform_version *there = platform_volume_find(v, src->manifest.stamp);
	int r = platform_volume_clean(v, err);

	if (r == 0 && (there == NULL || !there->whole))
		r = prune_for(p, v, platform_volume_needs(src), err);
	if (r < 0)
		return r;
	return platform_volume_copy(v, src, progress_add, &pg, err);
}

/* Newer than what each of the volumes would start? */
static bool
is_newer(const struct platform *p, const char *stamp)
{
	nrd_vec_each(v, p) {
		const struct platform_version *boots = platform_volume_next(v);

		if (v->kind != PLATFORM_COPIES && boots != NULL &&
		    strcmp(stamp, boots->stamp) < 0)
			return false;
	}
	return true;
}

int
platform_install(struct platform *p, const struct platform_source *src, unsigned flags,
		 struct platform_change *ret_change, struct nrd_err *err)
{
	struct platform_change change = { 0 };
	const char *stamp = src->manifest.stamp;
	bool newer = is_newer(p, stamp);
	struct platform_tally t = { 0 };
	int r;

	memcpy(change.stamp, stamp, sizeof(change.stamp));
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };

		platform_tally_add(&t, v->label, install_on(p, v, src, &why), &why);
	}
	change.changed = t.done > 0;
	r = platform_tally_end(&t, p, err);
	if (r == 0 && newer && (flags & PLATFORM_NO_ACTIVATE) == 0)
		r = activate(p, stamp, &change, err);
	*ret_change = change;
	return r;
}

static int
remove_check(const struct platform *p, const struct platform_volume *v, const char *stamp,
	     struct nrd_err *err)
{
	const struct platform_version *boots = platform_volume_next(v);
	const char *why = NULL;

	if (is_booted(p) && nrd_streq(stamp, p->running))
		why = "it is running now";
	else if (boots != NULL && nrd_streq(stamp, boots->stamp))
		why = "it is what boots next; activate another one first";
	else if (nrd_streq(stamp, v->env.next))
		why = "it is about to be tried";
	else if (nrd_streq(stamp, v->env.current))
		why = "it is what the node falls back to";
	if (why == NULL)
		return 0;
	return nrd_fail(err, EBUSY, "PlatformInUse", "%s is kept on %s: %s", stamp, v->label, why);
}

static int
remove_on(struct platform_volume *v, const char *stamp, struct nrd_err *err)
{
	int r = platform_step("env", err);

	if (r == 0)
		r = env_forget(v, stamp, err);
	if (r == 0)
		r = platform_volume_remove(v, stamp, err);
	return r < 0 ? r : 1;
}

int
platform_remove(struct platform *p, const char *stamp, struct nrd_err *err)
{
	struct platform_tally t = { 0 };
	bool somewhere = false;
	int r;

	nrd_vec_each(v, p) {
		if (platform_volume_find(v, stamp) == NULL)
			continue;
		somewhere = true;
		if (v->kind == PLATFORM_COPIES)
			continue;
		r = remove_check(p, v, stamp, err);
		if (r < 0)
			return r;
	}
	if (!somewhere)
		return nrd_fail(err, ENOENT, "PlatformNotFound",
				"%s is not installed; piadm list shows what is", stamp);
	notice_settle(p, stamp);
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };

		if (platform_volume_find(v, stamp) != NULL)
			platform_tally_add(&t, v->label, remove_on(v, stamp, &why), &why);
	}
	return platform_tally_end(&t, p, err);
}
