/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Runs once at each boot, when the node is ready. Only this makes a version `current`: GRUB and
 * piadm merely propose it. So whatever was tried and did not get as far as here is not started
 * again, and `current` always names something that once was up.
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

/* The environment that tells what happened: that of the volume the node was started from. */
static struct platform_volume *
witness(struct platform *p)
{
	nrd_vec_each(v, p) {
		if (v->kind != PLATFORM_COPIES && (v->booted || p->by_hand))
			return v;
	}
	return NULL;
}

static bool
is_whole(const struct platform_volume *v, const char *stamp)
{
	const struct platform_version *version = platform_volume_find(v, stamp);

	return version != NULL && version->whole;
}

static enum platform_outcome
judge(const struct platform *p, const struct platform_volume *w)
{
	const struct platform_grubenv *env = &w->env;

	if (!w->env_good)
		return PLATFORM_REPAIRED;
	if (nrd_streq(env->next, p->running))
		return PLATFORM_CONFIRMED;
	if (env->next[0] != '\0' && (env->tries == 0 || !is_whole(w, env->next)))
		return PLATFORM_FAILED;
	/* Nothing was confirmed yet: a stick that boots for the first time. */
	if (env->current[0] == '\0')
		return PLATFORM_CONFIRMED;
	if (!nrd_streq(env->current, p->running) && !is_whole(w, env->current))
		return PLATFORM_FALLBACK;
	if (env->failed[0] != '\0' && env->next[0] == '\0')
		return PLATFORM_FAILED;
	return PLATFORM_SAME;
}

static void
stamp_copy(char dst[PLATFORM_STAMP_TEXT], const char *src)
{
	memcpy(dst, src, PLATFORM_STAMP_TEXT);
}

/* What the outcome means for one volume; lost is what failed or went missing. */
static struct platform_grubenv
conclude(const struct platform *p, const struct platform_volume *v, enum platform_outcome outcome,
	 const char *lost)
{
	struct platform_grubenv env = v->env;
	bool here = is_whole(v, p->running);

	switch (outcome) {
	case PLATFORM_CONFIRMED:
	case PLATFORM_FALLBACK:
	case PLATFORM_REPAIRED:
		if (!here)
			break;
		if (outcome == PLATFORM_CONFIRMED && env.current[0] != '\0' &&
		    !nrd_streq(env.current, p->running))
			stamp_copy(env.previous, env.current);
		if (nrd_streq(env.previous, p->running))
			env.previous[0] = '\0';
		stamp_copy(env.current, p->running);
		if (nrd_streq(env.next, p->running)) {
			env.next[0] = '\0';
			env.tries = 0;
		}
		if (nrd_streq(env.failed, p->running))
			env.failed[0] = '\0';
		break;
	case PLATFORM_FAILED:
		stamp_copy(env.failed, lost);
		if (nrd_streq(env.next, lost)) {
			env.next[0] = '\0';
			env.tries = 0;
		}
		break;
	case PLATFORM_SAME:
		break;
	}
	return env;
}

static void
tell(const struct platform *p, enum platform_outcome outcome, const char *lost, const char *label,
     char *ret_text, size_t size)
{
	switch (outcome) {
	case PLATFORM_SAME:
		ret_text[0] = '\0';
		return;
	case PLATFORM_CONFIRMED:
		(void)snprintf(ret_text, size, "platform %s is up and stays the one in use",
			       p->running);
		return;
	case PLATFORM_FAILED:
		(void)snprintf(ret_text, size,
			       "the update to platform %s did not come up; this node runs %s "
			       "(piadm remove %s takes it away, piadm activate %s tries it again)",
			       lost, p->running, lost, lost);
		return;
	case PLATFORM_REPAIRED:
		(void)snprintf(ret_text, size,
			       "the boot environment on %s was damaged and was made anew; this "
			       "node runs platform %s", label, p->running);
		return;
	case PLATFORM_FALLBACK:
		(void)snprintf(ret_text, size,
			       "platform %s is missing or damaged on %s; this node runs %s (piadm "
			       "install %s puts it back)", lost, label, p->running, lost);
		return;
	}
}

/* What the console's banner shows: there while there is something to say. */
static int
notice_write(const struct platform *p, enum platform_outcome outcome, const char *text,
	     struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(p->node.run, PLATFORM_NOTICE);
	NRD_FREE char *line = nrd_format("%s\n", text);

	if (path == NULL || line == NULL)
		return nrd_nomem(err);
	if (outcome == PLATFORM_SAME || outcome == PLATFORM_CONFIRMED) {
		(void)unlink(path);
		return 0;
	}
	return nrd_file_write(path, line, strlen(line), 0644, err);
}

int
platform_confirm(struct platform *p, enum platform_outcome *ret_outcome, char *ret_text,
		 size_t size, struct nrd_err *err)
{
	const struct platform_volume *w = witness(p);
	enum platform_outcome outcome = PLATFORM_SAME;
	char lost[PLATFORM_STAMP_TEXT] = "";
	int result = 0;

	if (p->running[0] == '\0')
		return nrd_fail(err, ENOENT, "NotNereid", "%s does not name a version of Nereid",
				p->node.os_release);
	if (w != NULL) {
		outcome = judge(p, w);
		if (outcome == PLATFORM_FAILED)
			stamp_copy(lost, w->env.next[0] != '\0' ? w->env.next : w->env.failed);
		else if (outcome == PLATFORM_FALLBACK)
			stamp_copy(lost, w->env.current);
	}
	tell(p, outcome, lost, w != NULL ? w->label : "", ret_text, size);
	nrd_vec_each(v, p) {
		struct platform_grubenv env = conclude(p, v, outcome, lost);
		struct nrd_err why = { 0 };
		int r;

		if (w == NULL || v->kind == PLATFORM_COPIES ||
		    (v->env_good && memcmp(&env, &v->env, sizeof(env)) == 0))
			continue;
		r = platform_step("env", &why);
		if (r == 0)
			r = platform_volume_env_write(v, &env, &why);
		if (r < 0 && result == 0) {
			if (err != NULL)
				*err = why;
			result = nrd_wrap(err, r, "%s", v->label);
		}
	}
	if (result == 0)
		result = notice_write(p, outcome, ret_text, err);
	*ret_outcome = outcome;
	return result;
}
