/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "fixture.h"

#include <sys/mount.h>
#include <sys/wait.h>

static struct nrd_err err;

#define INSTALL(f, stamp, flags)                                                      \
	do {                                                                          \
		struct platform_change change_;                                       \
		CHECK_OK(do_install((f), (stamp), (flags), &change_, &err), err);     \
	} while (0)

static void
install_on_empty_volumes(void)
{
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK(change.changed && change.activated);
	CHECK_STR(change.stamp, A);
	CHECK(is_good(f.v0, A) && is_good(f.v1, A));
	/* There is nothing to fall back to, so it needs no trial. */
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_STR(env_of(f.v1).next, "");
	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK(!change.changed && change.activated);
	fixture_fini(&f);
}

static void
newer_is_tried_next(void)
{
	struct fixture f;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	INSTALL(&f, B, 0);
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_STR(env_of(f.v0).next, B);
	CHECK_INT(env_of(f.v1).tries, 2);
	fixture_fini(&f);
}

static void
older_and_unwanted_are_not(void)
{
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	INSTALL(&f, B, 0);
	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK(change.changed && !change.activated);
	CHECK_STR(env_of(f.v0).next, "");
	CHECK_OK(do_install(&f, C, PLATFORM_NO_ACTIVATE, &change, &err), err);
	CHECK(!change.activated);
	CHECK_STR(env_of(f.v0).next, "");
	fixture_fini(&f);
}

static void
activate_back_and_forth(void)
{
	struct fixture f;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	INSTALL(&f, B, 0);
	CHECK_OK(do_activate(&f, A, &err), err);
	CHECK_STR(env_of(f.v0).next, "");
	CHECK_STR(env_of(f.v0).current, A);
	CHECK_OK(do_activate(&f, B, &err), err);
	CHECK_STR(env_of(f.v1).next, B);
	CHECK_FAILS(do_activate(&f, D, &err), err, ENOENT, "PlatformNotFound");
	fixture_fini(&f);
}

static void
activate_needs_it_everywhere(void)
{
	struct fixture f;
	NRD_FREE char *dir = NULL;
	NRD_FREE char *kernel = NULL;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	INSTALL(&f, B, PLATFORM_NO_ACTIVATE);
	dir = nrd_format("%s/nereid/platform/" B, f.v1);
	kernel = nrd_path_join(dir, "kernel");
	CHECK(truncate(kernel, 7) == 0);
	CHECK_FAILS(do_activate(&f, B, &err), err, EBADMSG, "PlatformDamaged");
	CHECK_OK(platform_tree_remove(dir, &err), err);
	CHECK_FAILS(do_activate(&f, B, &err), err, ENOENT, "PlatformNotFound");
	CHECK_HAS(err.msg, "NEREID1");
	CHECK_STR(env_of(f.v0).next, "");
	/* Installing again puts it right where it is missing. */
	INSTALL(&f, B, 0);
	CHECK(is_good(f.v1, B));
	CHECK_STR(env_of(f.v1).next, B);
	fixture_fini(&f);
}

static void
damaged_version_is_replaced(void)
{
	struct fixture f;
	NRD_FREE char *kernel = NULL;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	kernel = nrd_format("%s/nereid/platform/" A "/kernel", f.v0);
	put(kernel, "rotten");
	INSTALL(&f, A, 0);
	CHECK(is_good(f.v0, A));
	CHECK(!is_there(f.v0, ".tmp-old-" A));
	fixture_fini(&f);
}

static void
remove_refuses_what_is_needed(void)
{
	struct fixture f;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	CHECK_FAILS(do_remove(&f, A, &err), err, EBUSY, "PlatformInUse");
	INSTALL(&f, B, 0);
	CHECK_FAILS(do_remove(&f, B, &err), err, EBUSY, "PlatformInUse");
	CHECK_HAS(err.msg, "boots next");
	fixture_running(&f, B);
	CHECK_FAILS(do_remove(&f, A, &err), err, EBUSY, "PlatformInUse");
	CHECK_HAS(err.msg, "falls back");
	CHECK_FAILS(do_remove(&f, D, &err), err, ENOENT, "PlatformNotFound");
	CHECK(is_good(f.v0, A) && is_good(f.v0, B));
	fixture_fini(&f);
}

static void
remove_takes_away(void)
{
	struct platform_grubenv env = { .current = C, .previous = B, .failed = A };
	struct fixture f;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	INSTALL(&f, B, 0);
	INSTALL(&f, C, 0);
	env_put(f.v0, &env);
	env_put(f.v1, &env);
	fixture_running(&f, C);
	CHECK_OK(do_remove(&f, B, &err), err);
	CHECK(!is_there(f.v0, B) && !is_there(f.v1, B));
	CHECK_STR(env_of(f.v0).previous, "");
	CHECK_STR(env_of(f.v0).failed, A);
	CHECK_OK(do_remove(&f, A, &err), err);
	CHECK_STR(env_of(f.v1).failed, "");
	CHECK_FAILS(do_remove(&f, C, &err), err, EBUSY, "PlatformInUse");
	fixture_fini(&f);
}

static void
corrupt_environment_is_mended(void)
{
	struct fixture f;
	NRD_FREE char *env = NULL;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	env = nrd_path_join(f.v1, "nereid/grubenv");
	put(env, "garbage");
	INSTALL(&f, B, 0);
	CHECK_STR(env_of(f.v1).current, A);
	CHECK_STR(env_of(f.v1).next, B);
	fixture_fini(&f);
}

static void
where_chooses(void)
{
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	f.opts.where = "NEREID1";
	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK(!is_there(f.v0, A) && is_good(f.v1, A));
	f.opts.where = "zones";
	CHECK_OK(do_install(&f, A, 0, &change, &err), err);
	CHECK(is_good(f.v0, A));
	f.opts.where = "tank";
	CHECK_FAILS(do_install(&f, A, 0, &change, &err), err, ENOENT, "VolumeNotFound");
	fixture_fini(&f);
}

static void
one_at_a_time(void)
{
	struct platform_change change;
	struct fixture f;
	NRD_AUTO(platform) *p = NULL;

	fixture_init(&f);
	CHECK_OK(platform_open(&f.opts, &p, &err), err);
	CHECK_FAILS(do_install(&f, A, 0, &change, &err), err, EBUSY, "PlatformBusy");
	CHECK_OK(platform_close(NRD_TAKE(p), &err), err);
	INSTALL(&f, A, 0);
	fixture_fini(&f);
}

static void
source_that_lies(void)
{
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	struct platform_change change;
	struct fixture f;
	NRD_AUTO(platform) *p = NULL;
	NRD_FREE char *dir = NULL;
	NRD_FREE char *kernel = NULL;

	fixture_init(&f);
	INSTALL(&f, A, 0);
	dir = make_platform(&f, B, 100, 100);
	kernel = nrd_path_join(dir, "kernel");
	CHECK(truncate(kernel, 0) == 0 && truncate(kernel, 100) == 0);
	CHECK_OK(platform_open(&f.opts, &p, &err), err);
	CHECK_OK(platform_source_open_dir(dir, &src, &err), err);
	CHECK_FAILS(platform_install(p, &src, 0, &change, &err), err, EBADMSG, "PlatformDamaged");
	CHECK(!change.changed && !is_there(f.v0, B) && !is_there(f.v0, ".tmp-" B));
	CHECK_STR(env_of(f.v0).next, "");
	CHECK_OK(platform_close(NRD_TAKE(p), &err), err);
	fixture_fini(&f);
}

/* Step by step: what a step does, counted from one. */
static unsigned step_count, step_stop;
static bool step_exit;

static int
step(const char *name, struct nrd_err *e)
{
	if (++step_count != step_stop)
		return 0;
	if (step_exit)
		_exit(77);
	return nrd_fail(e, EIO, "Injected", "injected at %s", name);
}

/* What must hold at any moment: the node finds something to boot, and it is whole. */
static void
check_bootable(const struct fixture *f)
{
	const char *const volumes[] = { f->v0, f->v1 };

	for (size_t i = 0; i < nrd_count(volumes); i++) {
		struct platform_grubenv env = env_of(volumes[i]);

		CHECK_STR(env.current, A);
		CHECK(is_good(volumes[i], A));
		if (env.next[0] != '\0')
			CHECK(is_good(volumes[i], env.next));
	}
}

static void
failure_at_every_step(void)
{
	bool partial = false, done = false;

	for (step_stop = 1; !done; step_stop++) {
		struct platform_change change;
		struct fixture f;
		int r;

		fixture_init(&f);
		INSTALL(&f, A, 0);
		platform_step_hook = step;
		step_count = 0;
		step_exit = false;
		err = (struct nrd_err){ 0 };
		r = do_install(&f, B, 0, &change, &err);
		platform_step_hook = NULL;
		check_bootable(&f);
		CHECK(!is_there(f.v0, ".tmp-" B) && !is_there(f.v1, ".tmp-" B));
		done = r == 0;
		CHECK(done || nrd_err_is(&err, "Injected") || nrd_err_is(&err, "PlatformPartial"));
		/* "Nothing changed" is the truth. */
		if (nrd_err_is(&err, "Injected"))
			CHECK(!is_there(f.v0, B) || !is_there(f.v1, B) ||
			      (env_of(f.v0).next[0] == '\0' && env_of(f.v1).next[0] == '\0'));
		partial |= nrd_err_is(&err, "PlatformPartial");
		INSTALL(&f, B, 0);
		CHECK(is_good(f.v0, B) && is_good(f.v1, B));
		CHECK_STR(env_of(f.v1).next, B);
		fixture_fini(&f);
	}
	CHECK(partial);
	CHECK(step_stop > 12);
}

/* The process is gone at that moment and clears nothing away. */
static void
killed_at_every_step(void)
{
	bool done = false;

	for (step_stop = 1; !done; step_stop++) {
		struct platform_change change;
		struct fixture f;
		int status;
		pid_t pid;

		fixture_init(&f);
		INSTALL(&f, A, 0);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			platform_step_hook = step;
			step_count = 0;
			step_exit = true;
			_exit(do_install(&f, B, 0, &change, &err) == 0 ? 0 : 1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		CHECK(WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0);
		done = WEXITSTATUS(status) == 0;
		check_bootable(&f);
		INSTALL(&f, B, 0);
		CHECK(is_good(f.v0, B) && is_good(f.v1, B));
		CHECK(!is_there(f.v0, ".tmp-" B) && !is_there(f.v1, ".tmp-" B));
		fixture_fini(&f);
	}
	CHECK(step_stop > 12);
}

static void
removal_killed_at_every_step(void)
{
	bool done = false;

	for (step_stop = 1; !done; step_stop++) {
		struct fixture f;
		int status;
		pid_t pid;

		fixture_init(&f);
		INSTALL(&f, A, 0);
		INSTALL(&f, B, PLATFORM_NO_ACTIVATE);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			platform_step_hook = step;
			step_count = 0;
			step_exit = true;
			_exit(do_remove(&f, B, &err) == 0 ? 0 : 1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		done = WEXITSTATUS(status) == 0;
		check_bootable(&f);
		CHECK(!is_there(f.v0, B) || is_good(f.v0, B));
		fixture_fini(&f);
	}
	CHECK(step_stop > 4);
}

/* A small file system at f->v0; false when this process may not mount. */
static bool
small_volume(const struct fixture *f, const char *size)
{
	NRD_FREE char *opts = nrd_format("size=%s", size);
	NRD_FREE char *dir = nrd_path_join(f->v0, "nereid/platform");

	if (mount("tmpfs", f->v0, "tmpfs", 0, opts) < 0) {
		(void)printf("# no permission to mount a small file system: skipped\n");
		return false;
	}
	CHECK_OK(nrd_mkdir_p(dir, 0755, &err), err);
	return true;
}

/* Four of 75,000 bytes and the slack do not fit into this, three do. */
#define SMALL "1340k"

static void
full_volume_makes_room(void)
{
	struct platform_grubenv env = { .current = C, .previous = B };
	struct fixture f;

	fixture_init(&f);
	if (small_volume(&f, SMALL)) {
		INSTALL(&f, A, 0);
		INSTALL(&f, B, 0);
		INSTALL(&f, C, 0);
		CHECK(is_good(f.v0, A));
		env_put(f.v0, &env);
		env_put(f.v1, &env);
		fixture_running(&f, C);
		INSTALL(&f, D, 0);
		/* The oldest that nobody needs went, from the full volume only. */
		CHECK(!is_there(f.v0, A) && is_good(f.v0, B) && is_good(f.v0, C) &&
		      is_good(f.v0, D));
		CHECK(is_good(f.v1, A));
		CHECK(umount(f.v0) == 0);
	}
	fixture_fini(&f);
}

static void
full_volume_keeps_what_is_needed(void)
{
	struct platform_grubenv env = { .current = C, .previous = B };
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	if (small_volume(&f, SMALL)) {
		INSTALL(&f, A, 0);
		INSTALL(&f, B, 0);
		INSTALL(&f, C, 0);
		env_put(f.v0, &env);
		env_put(f.v1, &env);
		fixture_running(&f, A);
		CHECK_FAILS(do_install(&f, D, 0, &change, &err), err, EIO, "PlatformPartial");
		CHECK_HAS(err.msg, "NEREID0");
		CHECK_HAS(err.msg, "piadm remove");
		CHECK_HAS(err.msg, "done on NEREID1");
		CHECK(is_good(f.v0, A) && is_good(f.v0, B) && is_good(f.v0, C));
		/* Not on all of them, so nobody boots it. */
		CHECK_STR(env_of(f.v1).next, "");
		CHECK(umount(f.v0) == 0);
	}
	fixture_fini(&f);
}

static void
full_single_volume_changes_nothing(void)
{
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	f.dirs[1] = NULL;
	if (small_volume(&f, "1200k")) {
		INSTALL(&f, A, 0);
		CHECK_FAILS(do_install(&f, B, 0, &change, &err), err, ENOSPC, "VolumeFull");
		CHECK(is_good(f.v0, A) && !is_there(f.v0, ".tmp-" B));
		CHECK_STR(env_of(f.v0).current, A);
		CHECK_STR(env_of(f.v0).next, "");
		CHECK(umount(f.v0) == 0);
	}
	fixture_fini(&f);
}

static void
read_only_volume(void)
{
	struct platform_change change;
	struct fixture f;

	fixture_init(&f);
	f.dirs[1] = NULL;
	if (small_volume(&f, "8m")) {
		INSTALL(&f, A, 0);
		CHECK(mount(NULL, f.v0, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
		CHECK_FAILS(do_install(&f, B, 0, &change, &err), err, EROFS, "FileWrite");
		CHECK_HAS(err.msg, "Read-only file system");
		CHECK_FAILS(do_remove(&f, D, &err), err, ENOENT, "PlatformNotFound");
		CHECK(umount(f.v0) == 0);
	}
	fixture_fini(&f);
}

TEST_MAIN(install_on_empty_volumes, newer_is_tried_next, older_and_unwanted_are_not,
	  activate_back_and_forth, activate_needs_it_everywhere, damaged_version_is_replaced,
	  remove_refuses_what_is_needed, remove_takes_away, corrupt_environment_is_mended,
	  where_chooses, one_at_a_time, source_that_lies, failure_at_every_step,
	  killed_at_every_step, removal_killed_at_every_step, full_volume_makes_room,
	  full_volume_keeps_what_is_needed, full_single_volume_changes_nothing, read_only_volume)
