/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/table.h"
#include "setup.h"

static int
show_disks(struct ask *ask, const struct node_setup *setup, struct nrd_err *err)
{
	static const struct nrd_col cols[] = {
		{ "disk", 6 },
		{ "model", 12 },
		{ "size", 6, NRD_COL_RIGHT },
		{ "serial", 10 },
		{ "holds", 10 },
	};
	NRD_AUTO(nrd_table) *t = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT((size_t)1 << 20);
	int r = nrd_table_new(cols, nrd_count(cols), NULL, &t, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < setup->disks.len; i++) {
		const struct disk *d = &setup->disks.data[i];
		char size[NRD_SIZE_TEXT];
		char model[24];
		char serial[24];
		const char *holds = d->use != NULL ? d->use : "?";

		nrd_size_format(d->size_bytes, size);
		(void)snprintf(model, sizeof(model), "%.20s", d->pid != NULL ? d->pid : "-");
		(void)snprintf(serial, sizeof(serial), "%.20s",
			       d->serial != NULL ? d->serial : "-");
		if (nrd_strv_has(NRD_CSTRV(setup->unfinished), d->name))
			holds = "(setup that was cut off)";
		else if (d->boot_medium)
			holds = "(the boot medium)";
		else if (d->use_error != NULL)
			holds = "(cannot be read)";
		else if (d->blank)
			holds = "nothing";
		nrd_table_row(t, (const char *[]){ d->name, model, size, serial, holds });
	}
	r = nrd_table_format(t, &out, err);
	if (r < 0)
		return r;
	ask_say(ask, "\nThe disks of this node:\n\n%s\n", nrd_buf_str(&out));
	return 0;
}

/* The names a person typed, with blanks or commas between. */
static int
split_names(const char *text, char ***ret, struct nrd_err *err)
{
	NRD_FREE char *copy = nrd_format("%s", text);

	if (copy == NULL)
		return nrd_nomem(err);
	for (char *p = copy; *p != '\0'; p++)
		*p = *p == ' ' || *p == '\t' ? ',' : *p;
	return nrd_strv_split(copy, ',', ret) < 0 ? nrd_nomem(err) : 0;
}

/* A disk that holds something is taken only when its name is typed once more. */
static int
confirm_loss(struct ask *ask, const struct disk *d, struct node_answers *a, bool *ret_yes,
	     struct nrd_err *err)
{
	NRD_FREE char *prompt = nrd_format(
		"  %s holds %s.\n  ALL OF IT WILL BE LOST. Type %s again to take it", d->name,
		d->use != NULL && d->use[0] != '\0' ? d->use : "something", d->name);
	const struct ask_question q = {
		.prompt = prompt,
		.empty_ok = true,
		.empty_is = "leave it alone",
		.help = "  Anything else than the disk's name leaves it as it is.",
	};
	NRD_FREE char *answer = NULL;
	int r;

	if (prompt == NULL)
		return nrd_nomem(err);
	r = ask_text(ask, &q, &answer, err);
	if (r < 0)
		return r;
	*ret_yes = nrd_streq(answer, d->name);
	if (*ret_yes && nrd_strv_add(&a->overwrite_disks, d->name) < 0)
		return nrd_nomem(err);
	if (*ret_yes)
		NRD_SET(&node_answers_schema, a, overwrite_disks);
	return 0;
}

static void
forget_disks(struct node_answers *a)
{
	NRD_CLEAR(&node_answers_schema, a, disks);
	NRD_CLEAR(&node_answers_schema, a, overwrite_disks);
}

/* Takes the typed names as the disks; *ret_ok false when one will not do, which was said. */
static int
take_names(struct ask *ask, const struct node_setup *setup, char **names, struct node_answers *a,
	   bool *ret_ok, struct nrd_err *err)
{
	forget_disks(a);
	*ret_ok = false;
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		const struct disk *d = disk_list_find(&setup->disks, names[i]);
		bool yes = true;
		int r = 0;

		if (d == NULL) {
			ask_say(ask, "  There is no disk %s.\n", names[i]);
			return 0;
		}
		if (!d->blank && !d->busy && !d->boot_medium &&
		    !nrd_strv_has(NRD_CSTRV(setup->unfinished), d->name))
			r = confirm_loss(ask, d, a, &yes, err);
		if (r < 0)
			return r;
		if (!yes)
			return 0;
		if (nrd_strv_add(&a->disks, d->name) < 0)
			return nrd_nomem(err);
		NRD_SET(&node_answers_schema, a, disks);
	}
	*ret_ok = true;
	return 0;
}

/* Asks for the disks until they can be used; *ret_names are their names. */
static int
choose_disks(struct ask *ask, const struct node_setup *setup, struct node_answers *a,
	     char ***ret_names, struct nrd_err *err)
{
	const struct node_plan_env env = node_setup_env(setup);

	for (;;) {
		NRD_STRV char **blank = NULL;
		NRD_STRV char **typed = NULL;
		NRD_STRV char **force = NULL;
		NRD_FREE char *dflt = NULL;
		NRD_FREE char *answer = NULL;
		struct nrd_err why = { 0 };
		struct ask_question q = {
			.prompt = "Disks for the pool",
			.help = "  Names from the list with blanks between. Disks that hold "
				"something are never\n  taken unless you name them here and "
				"confirm it for each.",
		};
		bool ok = false;
		int r;

		if (node_plan_disks(a, &env, &blank, &force, &why) >= 0)
			dflt = nrd_strv_join(NRD_CSTRV(blank), " ");
		q.dflt = dflt;
		r = ask_text(ask, &q, &answer, err);
		if (r >= 0)
			r = split_names(answer, &typed, err);
		if (r >= 0 && !nrd_streq(answer, dflt))
			r = take_names(ask, setup, typed, a, &ok, err);
		else
			ok = true;
		if (r < 0)
			return r;
		nrd_strv_free(force);
		force = NULL;
		why = (struct nrd_err){ 0 };
		if (ok && node_plan_disks(a, &env, ret_names, &force, &why) >= 0)
			return 0;
		if (ok)
			ask_say(ask, "  %s\n", why.msg);
		forget_disks(a);
	}
}

/* Which layouts these disks can make; the recommended one first in the list of names. */
struct choices {
	const char *names[16];
	size_t n;
	const char *dflt;
};

static const char *
kind_of(const struct disk_layout *layout)
{
	const char *type = layout->n_vdevs > 0 ? layout->vdevs[0].type : NULL;

	return type == NULL ? "single" : nrd_streq(type, "raidz") ? "raidz1" : type;
}

static void
show_layouts(struct ask *ask, const struct node_setup *setup, char **names, struct choices *c)
{
	static const char *const good_for[][2] = {
		{ "single", "no disk may fail" },
		{ "mirror", "one disk of each pair may fail; fastest" },
		{ "raidz1", "one disk may fail" },
		{ "raidz2", "two disks may fail" },
		{ "raidz3", "three disks may fail" },
	};
	struct disk_layout_opts opts = { .only = NRD_CSTRV(names) };
	NRD_AUTO(disk_layout) best = { 0 };

	*c = (struct choices){ 0 };
	if (disk_layout_compute(&setup->disks, &opts, &best, NULL) < 0)
		return;
	ask_put(ask, "\nPossible layouts:\n\n");
	for (size_t i = 0; i < nrd_count(good_for); i++) {
		NRD_AUTO(disk_layout) layout = { 0 };
		NRD_AUTO(nrd_buf) words = NRD_BUF_INIT(16384);
		char size[NRD_SIZE_TEXT];

		opts.layout = good_for[i][0];
		if (disk_layout_compute(&setup->disks, &opts, &layout, NULL) < 0)
			continue;
		node_plan_layout_words(&layout, &words);
		nrd_size_format(layout.capacity, size);
		ask_say(ask, "  %-7s %6s  %s: %s\n", good_for[i][0], size, good_for[i][1],
			nrd_buf_str(&words));
		c->names[c->n++] = good_for[i][0];
		if (nrd_streq(good_for[i][0], kind_of(&best)))
			c->dflt = good_for[i][0];
	}
	ask_put(ask, "\n");
}

static int
choose_layout(struct ask *ask, const struct choices *c, struct node_answers *a,
	      struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = "Layout",
		.dflt = a->zpool_layout != NULL && nrd_strv_has(c->names, a->zpool_layout) ?
				a->zpool_layout :
				c->dflt,
		.help = "  One of the names above. Sizes are what is left for data.",
	};

	for (;;) {
		NRD_FREE char *answer = NULL;
		int r = ask_text(ask, &q, &answer, err);

		if (r < 0)
			return r;
		if (nrd_strv_has(c->names, answer)) {
			SETUP_TAKE(a, zpool_layout, NRD_TAKE(answer));
			return 0;
		}
		ask_say(ask, "  \"%s\" is none of the layouts above.\n", answer);
	}
}

int
setup_ask_disks(struct ask *ask, const struct node_setup *setup, struct node_answers *a,
		struct nrd_err *err)
{
	if (setup->pool == NODE_PLAN_POOL_REUSE) {
		ask_say(ask, "\nPool %s is there already and will be used as it is.\n",
			setup->system_pool);
		return 0;
	}
	for (;;) {
		NRD_STRV char **names = NULL;
		struct choices choices;
		int r = show_disks(ask, setup, err);

		if (r < 0)
			return r;
		if (setup->disks.len == 0)
			return nrd_fail(err, ENOENT, "NoDisk",
					"this node has no disk: attach one and reboot");
		r = choose_disks(ask, setup, a, &names, err);
		if (r < 0)
			return r;
		show_layouts(ask, setup, names, &choices);
		if (choices.n > 0)
			return choose_layout(ask, &choices, a, err);
		ask_put(ask, "  These disks make no pool: choose others.\n");
		forget_disks(a);
	}
}
