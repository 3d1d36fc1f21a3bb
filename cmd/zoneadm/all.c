/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/proc.h"
#include "zone/delegate.h"
#include "zoneadm.h"

/*
 * The node's own boot and shutdown: a child of this program for each zone, several at once, so
 * that what one does wrong is its own matter.
 */
#define SLOTS_MAX 64
#define GRACE_MS  45000 /* to be halted in, after its time is over */

struct slot {
	const char *name; /* NULL: free */
	int pidfd;
	int64_t end_ms;
};

struct work {
	const struct nrd_args *args;
	const char *const *verb; /* and its options; NULL terminated */
	size_t slots;
	int64_t limit_ms; /* for each: nobody is waited for longer; 0: no limit */
	unsigned failed;
};

static size_t
cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

static int
start(const struct work *w, struct slot *slot, const char *name, struct nrd_err *err)
{
	const char *argv[8] = { "/proc/self/exe", "-z", name };
	char self[4096];
	ssize_t n = readlink(argv[0], self, sizeof(self) - 1);
	const struct nrd_proc proc = {
		.argv = argv,
		.flags = NRD_PROC_STDOUT | NRD_PROC_STDERR | NRD_PROC_SAME_GROUP,
	};
	int r;

	if (n < 0)
		return nrd_fail(err, errno, "ChildStart", "read %s: %m", argv[0]);
	self[n] = '\0';
	argv[0] = self;
	for (size_t i = 0; w->verb[i] != NULL && i < 4; i++)
		argv[3 + i] = w->verb[i];
	r = nrd_spawn(&proc, &slot->pidfd, NULL, err);
	if (r < 0)
		return r;
	slot->name = name;
	slot->end_ms = w->limit_ms > 0 ? nrd_now_ms() + w->limit_ms : INT64_MAX;
	return 0;
}

/* A zone whose zoneadmd does not answer must not hold the node up. */
static void
give_up(struct work *w, struct slot *slot)
{
	struct nrd_err err = { 0 };
	int r = nrd_fail(&err, ETIMEDOUT, "ZoneTimeout",
			 "no answer to %s in %lld s: it is left as it is", w->verb[0],
			 (long long)(w->limit_ms / 1000));

	(void)told(w->args, slot->name, r, &err);
	(void)pidfd_send_signal(slot->pidfd, SIGKILL, NULL, 0);
	slot->end_ms = INT64_MAX;
}

/* Milliseconds until the first of them is given up; -1: never. */
static int
next_end(const struct work *w, const struct slot *slots)
{
	int64_t first = INT64_MAX, now = nrd_now_ms();

	for (size_t i = 0; i < w->slots; i++)
		if (slots[i].name != NULL && slots[i].end_ms < first)
			first = slots[i].end_ms;
	if (first == INT64_MAX)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

/* Frees the slots whose child has ended; waits for one when none has. */
static void
reap(struct work *w, struct slot *slots)
{
	struct pollfd fds[SLOTS_MAX];

	for (size_t i = 0; i < w->slots; i++)
		fds[i] = (struct pollfd){ .fd = slots[i].name != NULL ? slots[i].pidfd : -1,
					  .events = POLLIN };
	if (poll(fds, w->slots, next_end(w, slots)) < 0)
		return;
	for (size_t i = 0; i < w->slots; i++) {
		int status = 0;

		if (slots[i].name == NULL)
			continue;
		if ((fds[i].revents & POLLIN) == 0) {
			if (nrd_now_ms() >= slots[i].end_ms)
				give_up(w, &slots[i]);
			continue;
		}
		if (nrd_pidfd_wait(slots[i].pidfd, 0, &status, NULL) < 0 || status != 0)
			w->failed++;
		nrd_closep(&slots[i].pidfd);
		slots[i] = (struct slot){ .pidfd = -1 };
	}
}

static bool
any_busy(const struct work *w, const struct slot *slots)
{
	for (size_t i = 0; i < w->slots; i++)
		if (slots[i].name != NULL)
			return true;
	return false;
}

static struct slot *
free_slot(struct work *w, struct slot *slots)
{
	for (;;) {
		for (size_t i = 0; i < w->slots; i++)
			if (slots[i].name == NULL)
				return &slots[i];
		reap(w, slots);
	}
}

static int
run_all(struct work *w, char **names)
{
	struct slot slots[SLOTS_MAX] = { 0 };
	struct nrd_err err = { 0 };

	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		if (start(w, free_slot(w, slots), names[i], &err) < 0) {
			(void)told(w->args, names[i], -err.num, &err);
			w->failed++;
		}
	while (any_busy(w, slots))
		reap(w, slots);
	return w->failed == 0 ? NRD_EXIT_OK : NRD_EXIT_FAIL;
}

/* Calls pick for each zone whose file can be read, and keeps the names it says true to. */
static int
choose(const struct nrd_args *args, bool (*pick)(const struct zone_config *, const struct zone_run *),
       char ***ret_names, unsigned *failed, struct nrd_err *err)
{
	NRD_STRV char **all = NULL;
	int r = zone_config_list(NULL, &all, err);

	for (size_t i = 0; r == 0 && all != NULL && all[i] != NULL; i++) {
		NRD_AUTO(zone_config) config = { 0 };
		struct zone_run run;
		int one = zone_config_read(NULL, all[i], &config, err);

		if (one == 0)
			one = zone_run_read(all[i], &run, err);
		if (told(args, all[i], one, err) != NRD_EXIT_OK)
			(*failed)++;
		else if (pick(&config, &run) && nrd_strv_add(ret_names, all[i]) < 0)
			r = nrd_nomem(err);
	}
	return r;
}

static bool
is_to_boot(const struct zone_config *config, const struct zone_run *run)
{
	return config->autoboot && config->installed == ZONE_INSTALLED &&
	       run->state < ZONE_ST_READY;
}

static bool
is_up(const struct zone_config *config, const struct zone_run *run)
{
	(void)config;
	return run->state >= ZONE_ST_READY;
}

/* A zone that lost power had no halt to do this at. What cannot be read is told when it is to boot. */
static void
tame_datasets(const struct nrd_args *args)
{
	NRD_STRV char **names = NULL;
	NRD_STRV char **datasets = NULL;
	struct nrd_err err = { 0 };
	int r = zone_config_list(NULL, &names, NULL);

	for (size_t i = 0; r == 0 && names != NULL && names[i] != NULL; i++) {
		NRD_AUTO(zone_config) config = { 0 };
		struct zone_run run;

		if (zone_config_read(NULL, names[i], &config, NULL) < 0 ||
		    zone_run_read(names[i], &run, NULL) < 0 || run.state >= ZONE_ST_READY)
			continue;
		for (char **d = config.datasets; r == 0 && d != NULL && *d != NULL; d++)
			if (nrd_strv_add(&datasets, *d) < 0)
				r = nrd_nomem(&err);
	}
	if (r == 0)
		r = zone_delegate_tame(NRD_CSTRV(datasets), &err);
	if (err.msg[0] != '\0')
		(void)told(args, NULL, r, &err);
}

int
cmd_boot_all(const struct nrd_args *args, struct nrd_err *err)
{
	static const char *const verb[] = { "boot", NULL };
	struct work w = { .args = args, .verb = verb, .slots = 2 * cpus() };
	NRD_STRV char **names = NULL;
	int r = choose(args, is_to_boot, &names, &w.failed, err);

	if (w.slots > SLOTS_MAX)
		w.slots = SLOTS_MAX;
	tame_datasets(args);
	return r < 0 ? told(args, NULL, r, err) : run_all(&w, names);
}

struct halt_all_opts {
	uint64_t timeout;
};

const struct nrd_opt halt_all_opts[] = {
	NRD_OPT_U64('t', "timeout", struct halt_all_opts, timeout, 0, 86400, "SECONDS",
		    "how long each has; then it is halted"),
	NRD_OPT_END(struct halt_all_opts),
};

/*
 * All at once, as far as there are slots: a zone that goes down mostly waits. What is ready has no
 * services to end, and shutdown says so; then halting is what is left.
 */
int
cmd_halt_all(const struct nrd_args *args, struct nrd_err *err)
{
	const struct halt_all_opts *opts = args->opts;
	char seconds[24];
	const char *const shutdown_verb[] = { "shutdown", "-t", seconds, NULL };
	static const char *const halt_verb[] = { "halt", NULL };
	uint64_t limit = nrd_given(args, 't') ? opts->timeout : SHUTDOWN_SECONDS;
	struct work first = { .args = args, .verb = shutdown_verb, .slots = SLOTS_MAX,
			      .limit_ms = (int64_t)limit * 1000 + GRACE_MS };
	struct work second = { .args = args, .verb = halt_verb, .slots = SLOTS_MAX,
			       .limit_ms = GRACE_MS };
	NRD_STRV char **names = NULL;
	NRD_STRV char **left = NULL;
	int r = choose(args, is_up, &names, &first.failed, err);

	(void)snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)limit);
	if (r == 0)
		(void)run_all(&first, names);
	if (r == 0)
		r = choose(args, is_up, &left, &second.failed, err);
	return r < 0 ? told(args, NULL, r, err) : run_all(&second, left);
}
