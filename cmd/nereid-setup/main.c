/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/bootparam.h"
#include "node/datasets.h"
#include "node/sources.h"
#include "node/state.h"
#include "nrd/cli.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "setup.h"
#include "store/store.h"

#define BOOT_PROGRAM "/usr/lib/nereid/nereid-boot"
#define BOOT_LIMIT_MS 300000
#define CARRIER_WAIT_MS 1500 /* links take a moment to tell whether there is a cable */
#define MODULE_WAIT_MS 60000

struct setup_opts {
	const char *file;
	bool dry_run;
	bool automatic;
};

static const struct nrd_opt setup_opts[] = {
	NRD_OPT_STR('f', "file", struct setup_opts, file, "FILE",
		    "set up without questions from this answers.json"),
	NRD_OPT_FLAG('a', "automatic", struct setup_opts, automatic,
		     "look for answers.json where a booting node does; exit 3 when there is none"),
	NRD_OPT_FLAG('n', "dry-run", struct setup_opts, dry_run,
		     "only print what would be done"),
	NRD_OPT_END(struct setup_opts),
};

/* A NIC that is down does not know whether it has a link. */
static void
nics_up(void)
{
	NRD_AUTO(link_nics) nics = { 0 };
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool raised = false;

	if (fd < 0 || link_nics_read(NULL, LINK_NICS_PHYSICAL, &nics, NULL) < 0)
		return;
	for (size_t i = 0; i < nics.n; i++) {
		struct ifreq ifr = { 0 };
		char path[64];

		if (nics.nics[i].admin_up ||
		    nrd_strcpy_to(ifr.ifr_name, sizeof(ifr.ifr_name), nics.nics[i].name) < 0 ||
		    ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
			continue;
		/* Addresses are networkd's business, not the kernel's. */
		(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra",
			       ifr.ifr_name);
		(void)nrd_attr_write(AT_FDCWD, path, "0", NULL);
		ifr.ifr_flags |= IFF_UP;
		raised |= ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
	}
	if (raised)
		(void)poll(NULL, 0, CARRIER_WAIT_MS);
}

static int
print_plan(const struct node_plan *plan, const struct node_setup *setup, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(0);
	const char *step;

	node_plan_describe(plan, &setup->disks, &b);
	if (b.failed < 0)
		return nrd_nomem(err);
	(void)fputs(nrd_buf_str(&b), stdout);
	for (size_t i = 0; (step = node_setup_step(plan, i)) != NULL; i++)
		printf("%zu. %s\n", i + 1, step);
	return 0;
}

struct progress {
	struct ask *ask; /* NULL: lines on standard error */
	bool open;
};

static void
show_progress(void *arg, const char *step)
{
	struct progress *p = arg;

	if (p->ask != NULL) {
		if (p->open)
			ask_put(p->ask, "done\n");
		if (step != NULL)
			ask_say(p->ask, "  %s ... ", step);
		p->open = step != NULL;
	} else if (step != NULL) {
		(void)fprintf(stderr, "nereid-setup: %s\n", step);
	}
}

/* Boots the rest of the way on the running node: no reboot is needed. */
static int
go_live(struct nrd_err *err)
{
	static const char *const argv[] = { BOOT_PROGRAM, "boot", "-l", NULL };
	const struct nrd_proc proc = { .argv = argv, .timeout_ms = BOOT_LIMIT_MS };

	return nrd_run(&proc, NULL, NULL, err);
}

/* From answers without questions. */
static int
unattended(const struct node_answers *answers, bool dry_run, bool live, struct nrd_err *err)
{
	NRD_AUTO(node_setup) setup = { 0 };
	NRD_AUTO(node_plan) plan = { 0 };
	struct progress progress = { 0 };
	struct node_plan_env env;
	int r = store_wait(MODULE_WAIT_MS, err);

	if (r >= 0) {
		nics_up();
		r = node_setup_open(dry_run ? NODE_SETUP_LOOK : 0, &setup, err);
	}
	if (r < 0)
		return r;
	if (setup.configured)
		return nrd_fail(err, EEXIST, "WrongState", "this node is set up already, on pool %s",
				setup.system_pool);
	env = node_setup_env(&setup);
	r = node_plan_make(answers, &env, &plan, err);
	if (r < 0)
		return nrd_wrap(err, r, "answers");
	if (dry_run)
		return print_plan(&plan, &setup, err);
	r = node_setup_run(&setup, &plan, show_progress, &progress, err);
	return r < 0 || !live ? r : go_live(err);
}

static int
automatic(bool dry_run, struct nrd_err *err)
{
	NRD_AUTO(node_bootparam) param = { 0 };
	NRD_AUTO(node_answers) answers = { 0 };
	NRD_FREE char *where = NULL;
	int r = node_bootparam_read(NULL, &param, NULL, err);

	if (r >= 0)
		r = node_answers_find(&param, &answers, &where, err);
	if (r < 0 && nrd_err_is(err, "NoAnswers"))
		return NRD_EXIT_STATE;
	if (r >= 0)
		r = unattended(&answers, dry_run, false, err);
	return r < 0 && where != NULL ? nrd_wrap(err, r, "%s", where) : r;
}

static int
from_file(const char *file, bool dry_run, struct nrd_err *err)
{
	NRD_AUTO(node_answers) answers = { 0 };
	int r = node_answers_read(file, &answers, err);

	return r < 0 ? nrd_wrap(err, r, "%s", file) : unattended(&answers, dry_run, true, err);
}

/* ---- with a person ---- */

static int
make_plan(const struct node_setup *setup, const struct node_answers *answers,
	  struct node_plan *plan, struct nrd_err *err)
{
	const struct node_plan_env env = node_setup_env(setup);
	int r;

	if (!setup->configured)
		return node_plan_make(answers, &env, plan, err);
	if (node_config_read(NULL, &plan->config, NULL) < 0) {
		r = node_config_new(&plan->config, err);
		if (r < 0)
			return r;
	}
	plan->pool = NODE_PLAN_POOL_REUSE;
	plan->change = true;
	r = node_plan_configure(answers, &setup->nics, plan->config, err);
	return r < 0 ? r : node_plan_login(answers, plan, err);
}

/* Shows what was decided and asks; *ret_yes false: again from the first question. */
static int
confirm(struct ask *ask, const struct node_setup *setup, const struct node_plan *plan,
	bool *ret_yes, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(0);
	bool disks = !setup->configured && plan->pool != NODE_PLAN_POOL_REUSE;

	node_plan_describe(plan, &setup->disks, &b);
	if (b.failed < 0)
		return nrd_nomem(err);
	ask_say(ask, "\nThis is what will be done. Nothing has been written yet.\n\n%s\n",
		nrd_buf_str(&b));
	return ask_yes(ask, disks ? "Write this to the disks? (y/n)" : "Is this right? (y/n)", false,
		       "  y does it; n begins again with your answers as defaults.", ret_yes, err);
}

static int
carry_out(struct ask *ask, struct node_setup *setup, const struct node_plan *plan,
	  struct nrd_err *err)
{
	struct progress progress = { .ask = ask };
	int r;

	ask_put(ask, "\n");
	if (setup->configured)
		r = node_setup_change(setup, plan, err);
	else
		r = node_setup_run(setup, plan, show_progress, &progress, err);
	if (r < 0) {
		if (progress.open)
			ask_put(ask, "failed\n");
		return r;
	}
	ask_put(ask, "  put it in force ... ");
	r = go_live(err);
	ask_put(ask, r < 0 ? "failed\n" : "done\n\n");
	return r;
}

static int
one_round(struct ask *ask, struct node_setup *setup, struct node_answers *answers, bool dry_run,
	  bool *ret_done, struct nrd_err *err)
{
	NRD_AUTO(node_plan) plan = { 0 };
	struct nrd_err why = { 0 };
	bool yes = false;
	int r = setup_dialogue(ask, setup, answers, err);

	*ret_done = false;
	if (r < 0)
		return r;
	r = make_plan(setup, answers, &plan, &why);
	if (r < 0) {
		ask_say(ask, "\n  %s\n\n", why.msg);
		return 0;
	}
	if (dry_run) {
		*ret_done = true;
		return print_plan(&plan, setup, err);
	}
	r = confirm(ask, setup, &plan, &yes, err);
	if (r < 0 || !yes)
		return r;
	*ret_done = true;
	return carry_out(ask, setup, &plan, err);
}

static int
rounds(struct ask *ask, struct node_setup *setup, struct node_answers *answers, bool dry_run,
       struct nrd_err *err)
{
	bool done = false;

	while (!done) {
		int r = one_round(ask, setup, answers, dry_run, &done, err);

		if (r < 0 && !nrd_err_is(err, "AskAgain"))
			return r;
		if (!done) {
			if (err != NULL)
				*err = (struct nrd_err){ 0 };
			ask_put(ask, "\nFrom the first question. Enter takes what is in brackets.\n\n");
		}
	}
	return 0;
}

static int
attended(bool dry_run, struct nrd_err *err)
{
	NRD_AUTO(node_setup) setup = { 0 };
	NRD_AUTO(node_answers) answers = { 0 };
	NRD_AUTO(node_config) *config = NULL;
	NRD_AUTO(ask) ask = { 0 };
	int r = store_wait(MODULE_WAIT_MS, err);

	if (r >= 0) {
		nics_up();
		r = node_setup_open(dry_run ? NODE_SETUP_LOOK : 0, &setup, err);
	}
	if (r >= 0 && setup.configured && node_config_read(NULL, &config, NULL) >= 0)
		r = setup_from_config(config, &answers, err);
	if (r >= 0)
		r = ask_open(&ask, STDIN_FILENO, STDOUT_FILENO, err);
	if (r < 0)
		return r;
	ask_say(&ask, "\n%s\nEnter takes what is in brackets, ? explains, ^C begins again.\n\n",
		setup.configured ?
			"This node is set up; its name, network, password and keys can be changed." :
			"Some questions set this node up. Nothing is written before you confirm it.");
	return rounds(&ask, &setup, &answers, dry_run, err);
}

static int
cmd_setup(const struct nrd_args *args, struct nrd_err *err)
{
	const struct setup_opts *opts = args->opts;
	NRD_CLOSE int lock = -1;
	struct node_state state;
	int r;

	if (opts->file != NULL && opts->automatic)
		return nrd_usage(err, "-a looks for the answers itself: leave -f out");
	if (geteuid() != 0)
		return nrd_fail(err, EPERM, "NotRoot", "only root may set up the node");
	r = setup_lock(&lock, err);
	if (r < 0)
		return r;
	if (opts->automatic)
		return automatic(opts->dry_run, err);
	r = node_state_read(NULL, &state, err);
	if (r >= 0 && state.kind == NODE_NOIMPORT)
		return nrd_fail(err, EBUSY, "WrongState",
				"the node was booted without importing pools: reboot without "
				"noimport and rescue first");
	if (r >= 0 && state.kind == NODE_BOOTING)
		return nrd_fail(err, EBUSY, "WrongState", "the node is still booting");
	if (r < 0)
		return r;
	return opts->file != NULL ? from_file(opts->file, opts->dry_run, err)
				  : attended(opts->dry_run, err);
}

static const struct nrd_cmd only = {
	"nereid-setup", cmd_setup, setup_opts, "[-n] [-a | -f FILE]",
	"set the node up or change how it is set up", 0, 0, NRD_ARGS_NONE,
};

static const struct nrd_cli cli = {
	.prog = "nereid-setup",
	.summary = "sets the node up or changes how it is set up",
	.only = &only,
};

int
main(int argc, char **argv)
{
	return nrd_cli_main(&cli, argc, argv);
}
