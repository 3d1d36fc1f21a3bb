/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

static struct nrd_err err;
static char text[400];

static enum platform_outcome
confirm(const struct fixture *f)
{
	struct platform_opts opts = f->opts;
	enum platform_outcome outcome;
	NRD_AUTO(platform) *p = NULL;

	opts.flags |= PLATFORM_EMPTY;
	CHECK_OK(platform_open(&opts, &p, &err), err);
	CHECK_OK(platform_confirm(p, &outcome, text, sizeof(text), &err), err);
	CHECK_OK(platform_close(NRD_TAKE(p), &err), err);
	return outcome;
}

static bool
has_notice(const struct fixture *f)
{
	NRD_FREE char *path = nrd_path_join(f->run, "notice");

	return nrd_path_exists(path);
}

/* Volumes with A confirmed and B to be tried. */
static void
update_pending(struct fixture *f, unsigned tries)
{
	const struct platform_grubenv env = { .current = A, .next = B, .tries = tries };
	struct platform_change change;

	fixture_init(f);
	CHECK_OK(do_install(f, A, 0, &change, &err), err);
	CHECK_OK(do_install(f, B, 0, &change, &err), err);
	env_put(f->v0, &env);
	env_put(f->v1, &env);
}

static void
update_that_came_up(void)
{
	struct fixture f;

	update_pending(&f, 1);
	fixture_running(&f, B);
	CHECK_INT(confirm(&f), PLATFORM_CONFIRMED);
	CHECK_STR(env_of(f.v0).current, B);
	CHECK_STR(env_of(f.v0).previous, A);
	CHECK_STR(env_of(f.v0).next, "");
	CHECK_STR(env_of(f.v1).current, B);
	CHECK(!has_notice(&f));
	CHECK_INT(confirm(&f), PLATFORM_SAME);
	CHECK_STR(text, "");
	fixture_fini(&f);
}

static void
update_that_did_not(void)
{
	const struct platform_grubenv other = { .current = A, .next = B, .tries = 2 };
	struct fixture f;

	update_pending(&f, 0);
	/* The second disk was not asked: its tries are still all there. */
	env_put(f.v1, &other);
	CHECK_INT(confirm(&f), PLATFORM_FAILED);
	CHECK_HAS(text, "update to platform " B " did not come up; this node runs " A);
	CHECK(has_notice(&f));
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_STR(env_of(f.v0).next, "");
	CHECK_STR(env_of(f.v0).failed, B);
	CHECK_STR(env_of(f.v1).next, "");
	CHECK_STR(env_of(f.v1).failed, B);
	/* It is told at each boot until the operator does something about it. */
	CHECK_INT(confirm(&f), PLATFORM_FAILED);
	CHECK_HAS(text, B);
	CHECK(has_notice(&f));
	CHECK_OK(do_remove(&f, B, &err), err);
	CHECK(!has_notice(&f));
	CHECK_INT(confirm(&f), PLATFORM_SAME);
	fixture_fini(&f);
}

static void
failed_can_be_tried_again(void)
{
	struct fixture f;

	update_pending(&f, 0);
	CHECK_INT(confirm(&f), PLATFORM_FAILED);
	CHECK_OK(do_activate(&f, B, &err), err);
	CHECK_STR(env_of(f.v0).failed, "");
	CHECK_STR(env_of(f.v0).next, B);
	fixture_fini(&f);
}

static void
menu_chose_the_old_one(void)
{
	struct fixture f;

	update_pending(&f, 1);
	CHECK_INT(confirm(&f), PLATFORM_SAME);
	CHECK_STR(env_of(f.v0).next, B);
	CHECK_INT(env_of(f.v0).tries, 1);
	fixture_fini(&f);
}

static void
update_whose_files_went(void)
{
	struct fixture f;
	NRD_FREE char *dir = NULL;

	update_pending(&f, 2);
	dir = nrd_format("%s/nereid/platform/" B, f.v0);
	CHECK_OK(platform_tree_remove(dir, &err), err);
	CHECK_INT(confirm(&f), PLATFORM_FAILED);
	CHECK_STR(env_of(f.v0).next, "");
	fixture_fini(&f);
}

static void
corrupt_environment(void)
{
	struct fixture f;
	NRD_FREE char *env = NULL;

	update_pending(&f, 2);
	env = nrd_path_join(f.v0, "nereid/grubenv");
	put(env, "x");
	CHECK_INT(confirm(&f), PLATFORM_REPAIRED);
	CHECK_HAS(text, "NEREID0");
	CHECK_STR(env_of(f.v0).current, A);
	CHECK(has_notice(&f));
	CHECK(unlink(env) == 0);
	CHECK_INT(confirm(&f), PLATFORM_REPAIRED);
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_INT(confirm(&f), PLATFORM_SAME);
	fixture_fini(&f);
}

static void
current_went_missing(void)
{
	const struct platform_grubenv env = { .current = C, .previous = A };
	struct fixture f;

	update_pending(&f, 2);
	env_put(f.v0, &env);
	env_put(f.v1, &env);
	CHECK_INT(confirm(&f), PLATFORM_FALLBACK);
	CHECK_HAS(text, C);
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_STR(env_of(f.v0).previous, "");
	fixture_fini(&f);
}

static void
first_boot_of_a_stick(void)
{
	const struct platform_grubenv env = { .rest = "" };
	struct fixture f;

	update_pending(&f, 2);
	env_put(f.v0, &env);
	env_put(f.v1, &env);
	CHECK_INT(confirm(&f), PLATFORM_CONFIRMED);
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_STR(env_of(f.v1).current, A);
	CHECK_STR(env_of(f.v0).previous, "");
	fixture_fini(&f);
}

static void
no_volume_at_all(void)
{
	static const char *const none[] = { NULL };
	struct fixture f;

	fixture_init(&f);
	f.opts.dirs = none;
	CHECK_INT(confirm(&f), PLATFORM_SAME);
	fixture_fini(&f);
}

TEST_MAIN(update_that_came_up, update_that_did_not, failed_can_be_tried_again,
	  menu_chose_the_old_one, update_whose_files_went, corrupt_environment,
	  current_went_missing, first_boot_of_a_stick, no_volume_at_all)
