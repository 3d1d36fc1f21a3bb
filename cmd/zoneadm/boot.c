/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "zoneadm.h"

void
boot_words_cleanup(struct boot_words *words)
{
	free(words->args);
}

static int
add_word(struct boot_words *w, const char *word)
{
	NRD_FREE char *more = w->args == NULL ? nrd_format("%s", word)
					      : nrd_format("%s %s", w->args, word);

	if (more == NULL)
		return -ENOMEM;
	free(w->args);
	w->args = NRD_TAKE(more);
	return 0;
}

int
boot_words_parse(const struct nrd_args *args, struct boot_words *ret_words, struct nrd_err *err)
{
	struct boot_words w = { 0 };
	int r = 0;

	for (int i = 0; r == 0 && i < args->argc; i++) {
		const char *word = args->argv[i];

		if (nrd_streq(word, "-s"))
			w.request.single_user = true;
		else if (nrd_streq(word, "-i") && i + 1 < args->argc)
			w.request.init = args->argv[++i];
		else if (nrd_streq(word, "-i"))
			r = nrd_usage(err, "-i wants the path of an init");
		else if (nrd_streq(word, "-m"))
			r = nrd_usage(err, "-m: a zone has no SMF milestones here; -s boots it to a "
					   "single user");
		else if (add_word(&w, word) < 0)
			r = nrd_nomem(err);
	}
	w.request.args = w.args;
	if (r < 0)
		boot_words_cleanup(&w);
	else
		*ret_words = w;
	return r;
}

void
boot_warn(const struct nrd_args *args, const char *name)
{
	struct zone_run run;

	if (zone_run_read(name, &run, NULL) == 0 && run.missing_dataset[0] != '\0')
		(void)fprintf(stderr,
			      "%s: zone '%s': WARNING: there is no dataset %s to delegate: it runs "
			      "without\n", args->prog, name, run.missing_dataset);
}

/* From installed or ready to running. */
static int
boot(const struct nrd_args *args, struct target *t, const struct boot_words *w,
     struct nrd_err *err)
{
	NRD_CLOSE int fd = -1;
	int r = 0;

	if (t->config.installed != ZONE_INSTALLED)
		return nrd_fail(err, EINVAL, "ZoneWrongState",
				"must be installed before boot: it is %s.",
				zone_installed_names[t->config.installed]);
	if (t->run.state == ZONE_ST_RUNNING)
		return nrd_fail(err, EINVAL, "ZoneWrongState", "is already running.");
	if (t->run.state < ZONE_ST_READY)
		r = root_ready(args, &t->config, err);
	if (r == 0)
		r = zone_client_open(t->name, &fd, err);
	return r == 0 ? zone_client_boot(fd, &w->request, err) : r;
}

int
cmd_boot(const struct nrd_args *args, struct nrd_err *err)
{
	__attribute__((cleanup(target_cleanup))) struct target t = TARGET_NONE;
	__attribute__((cleanup(boot_words_cleanup))) struct boot_words words = { 0 };
	int r = boot_words_parse(args, &words, err);

	if (r == 0)
		r = target_open(args, TARGET_LOCK, &t, err);
	if (r == 0)
		r = boot(args, &t, &words, err);
	if (r == 0)
		boot_warn(args, t.name);
	return told(args, t.name, r, err);
}
