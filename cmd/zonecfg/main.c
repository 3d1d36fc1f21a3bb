/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "brand/lifecycle.h"
#include "nrd/cli.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "session.h"
#include "zone/client.h"
#include "zone/cpus.h"
#include "zone/live.h"
#include "zone/state.h"

struct opts {
	const char *zone, *uuid, *file, *root;
};

static const struct nrd_opt opts_table[] = {
	NRD_OPT_STR('z', NULL, struct opts, zone, "ZONE", "the zone"),
	NRD_OPT_STR('u', NULL, struct opts, uuid, "UUID", "the zone with this UUID"),
	NRD_OPT_STR('f', NULL, struct opts, file, "FILE", "commands from it; -: standard input"),
	NRD_OPT_STR('R', NULL, struct opts, root, "ROOT", "zones of the node below this directory"),
	NRD_OPT_END(struct opts),
};

/* Yes or no from the terminal; -1: nobody is there, or is there any more. */
static int
ask(void *arg, const char *question)
{
	NRD_FREE char *line = NULL;
	size_t size = 0;

	(void)arg;
	if (isatty(STDIN_FILENO) == 0)
		return -1;
	(void)printf("%s (y/[n])? ", question);
	(void)fflush(stdout);
	if (getline(&line, &size, stdin) < 0)
		return -1;
	return line[0] == 'y' || line[0] == 'Y';
}

static int
lock(void *arg, const char *name, int *ret_fd, struct nrd_err *err)
{
	/* Below another root nothing runs, and the locks are this node's. */
	return arg != NULL ? 0 : zone_lock(name, false, ret_fd, err);
}

static void
flush_out(struct cfg_session *s)
{
	(void)fwrite(nrd_buf_str(&s->out), 1, s->out.len, stdout);
	(void)fflush(stdout);
	nrd_buf_reset(&s->out);
}

static bool
is_up(const char *name)
{
	struct zone_run run = { 0 };

	return zone_run_read(name, &run, NULL) >= 0 &&
	       (run.state == ZONE_ST_READY || run.state == ZONE_ST_RUNNING);
}

/* Below another root nothing runs. */
static int
in_force(void *arg, const char *name, struct zone_config *ret_config)
{
	return arg == NULL && is_up(name) ? zone_live_read(name, ret_config, NULL) : -ENOENT;
}

static void
cpus(void *arg, const char *name, char *dst, size_t size)
{
	dst[0] = '\0';
	if (arg == NULL && is_up(name))
		zone_cpus_of(name, dst, size);
}

static void
not_in_force(const struct cfg_session *s, const struct nrd_err *err)
{
	(void)fprintf(stderr, "zonecfg: zone '%s': saved, but not in force: %s\n", s->name, err->msg);
}

static void
apply(const struct cfg_session *s)
{
	NRD_FREE char *waiting = NULL;
	NRD_CLOSE int fd = -1;
	struct nrd_err err = { 0 };
	int r = zone_client_open(s->name, &fd, &err);

	if (r >= 0)
		r = zone_client_apply(fd, &err);
	if (r < 0)
		not_in_force(s, &err);
	if (cfg_waiting(s, &waiting, NULL) >= 0 && waiting != NULL)
		(void)fprintf(stderr, "zonecfg: zone '%s': at its next boot: %s\n", s->name, waiting);
}

/* What was saved is put in force as far as it can be; it stays saved whatever comes of that. */
static void
put_in_force(struct cfg_session *s, bool node)
{
	struct nrd_err err = { 0 };

	if (s->saved && node && s->quota_changed && brand_quota_set(&s->config, &err) < 0)
		not_in_force(s, &err);
	if (s->saved && node && is_up(s->name))
		apply(s);
	if (s->verified && zone_config_idle(&s->config) != NULL)
		(void)fprintf(stderr, "zonecfg: zone '%s': %s\n", s->name,
			      zone_config_idle(&s->config));
	s->saved = s->quota_changed = s->verified = false;
}

static int
run_text(struct cfg_session *s, const char *text, bool node, struct nrd_err *err)
{
	int r = cfg_run(s, text, err);

	flush_out(s);
	put_in_force(s, node);
	return r;
}

static bool
chomp(char *line, ssize_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	return strlen(line) == (size_t)len;
}

/* A script: the first thing that is wrong ends it, and nothing more is saved. */
static int
run_script(struct cfg_session *s, FILE *in, const char *name, bool node, struct nrd_err *err)
{
	NRD_FREE char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t len;
	int r = 0;

	while (r >= 0 && !s->over && (len = getline(&line, &size, in)) >= 0) {
		number++;
		if (!chomp(line, len))
			r = nrd_fail(err, EINVAL, "BadSyntax", "a zero byte");
		else
			r = run_text(s, line, node, err);
	}
	if (r < 0)
		return nrd_wrap(err, r, "%s: line %zu", name, number);
	if (ferror(in) != 0)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", name);
	return 0;
}

static int
run_file(struct cfg_session *s, const char *path, bool node, struct nrd_err *err)
{
	if (strcmp(path, "-") == 0)
		return run_script(s, stdin, "standard input", node, err);
	NRD_FCLOSE FILE *in = fopen(path, "re");

	if (in == NULL)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", path);
	return run_script(s, in, path, node, err);
}

static void
complain(const struct nrd_err *err)
{
	(void)fprintf(stderr, "zonecfg: %s\n", err->msg);
}

/* The end of an interactive session: 0 it is not over, 1 it is, -1 and nothing was saved. */
static int
leave(struct cfg_session *s, bool node)
{
	struct nrd_err err = { 0 };

	if (cfg_finish(s, &err) >= 0) {
		put_in_force(s, node);
		return 1;
	}
	complain(&err);
	s->over = false;
	return ask(NULL, "The configuration is not saved; leave without saving it") == 0 ? 0 : -1;
}

static int
run_terminal(struct cfg_session *s, bool node, struct nrd_err *err)
{
	NRD_FREE char *line = NULL;
	size_t size = 0;
	int left = 0;

	if (!s->loaded)
		(void)fprintf(stderr,
			      "%s: No such zone configured\n"
			      "Use \"create\" to begin configuring a new zone.\n",
			      s->name);
	while (left == 0) {
		NRD_FREE char *prompt = cfg_prompt(s);
		struct nrd_err why = { 0 };
		ssize_t len;

		if (prompt == NULL)
			return nrd_nomem(err);
		(void)fputs(prompt, stdout);
		(void)fflush(stdout);
		len = getline(&line, &size, stdin);
		if (len < 0) {
			/* ^D; a terminal that is gone says so again when it is asked. */
			clearerr(stdin);
			(void)putchar('\n');
			s->over = true;
		} else if (chomp(line, len) && run_text(s, line, node, &why) < 0) {
			complain(&why);
		}
		if (s->over)
			left = leave(s, node);
	}
	/* What was wrong is said already. */
	return left > 0 ? 0 : -ECANCELED;
}

/* All operands are one line: zonecfg -z z1 add net ';' set physical=net0 ';' end */
static int
run_operands(struct cfg_session *s, const struct nrd_args *args, bool node, struct nrd_err *err)
{
	NRD_FREE char *line = nrd_strv_join(NRD_CSTRV(args->argv), " ");

	return line == NULL ? nrd_nomem(err) : run_text(s, line, node, err);
}

static int
run(struct cfg_session *s, const struct nrd_args *args, const struct opts *opts, bool node,
    struct nrd_err *err)
{
	int r;

	if (args->argc > 0)
		r = run_operands(s, args, node, err);
	else if (opts->file != NULL)
		r = run_file(s, opts->file, node, err);
	else if (isatty(STDIN_FILENO) == 0)
		r = run_script(s, stdin, "standard input", node, err);
	else
		return run_terminal(s, node, err);
	if (r >= 0)
		r = cfg_finish(s, err);
	put_in_force(s, node);
	return r;
}

/* -u is believed where a zone has that UUID; else -z. */
static int
name_of(const struct opts *opts, const char *dir, char **ret_name, struct nrd_err *err)
{
	int r = -ENOENT;

	if (opts->uuid != NULL)
		r = zone_config_by_uuid(dir, opts->uuid, ret_name, err);
	if (r == -ENOENT && opts->zone != NULL) {
		*ret_name = nrd_format("%s", opts->zone);
		r = *ret_name == NULL ? nrd_nomem(err) : 0;
	}
	return r;
}

static int
edit(const struct nrd_args *args, const struct opts *opts, struct nrd_err *err)
{
	struct cfg_host host = {
		.ask = ask, .lock = lock, .in_force = in_force, .cpus = cpus,
	};
	NRD_FREE char *dir = opts->root != NULL ? nrd_format("%s" ZONE_DIR, opts->root) : NULL;
	NRD_FREE char *name = NULL;
	NRD_AUTO(cfg_session) s = { 0 };
	int r;

	if (opts->root != NULL && dir == NULL)
		return nrd_nomem(err);
	host.arg = dir;
	r = name_of(opts, dir, &name, err);
	if (r >= 0)
		r = cfg_open(&s, dir, name, &host, err);
	return r < 0 ? r : run(&s, args, opts, dir == NULL, err);
}

static int
cmd_help(const char *topic, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = { 0 };
	int r = cfg_help(topic, &out, err);

	(void)fputs(nrd_buf_str(&out), stdout);
	return r;
}

static int
cmd_zonecfg(const struct nrd_args *args, struct nrd_err *err)
{
	const struct opts *opts = args->opts;
	int r;

	if (opts->zone == NULL && opts->uuid == NULL && args->argc > 0 &&
	    strcmp(args->argv[0], "help") == 0)
		return cmd_help(args->argv[1], err);
	if (opts->zone == NULL && opts->uuid == NULL)
		return nrd_usage(err, "give a zone: -z ZONE or -u UUID");
	if (opts->file != NULL && args->argc > 0)
		return nrd_usage(err,
				 "commands come from -f FILE or from the command line, not both");
	r = edit(args, opts, err);
	/* As in illumos there is no third kind of failure. */
	if (r < 0 && !nrd_err_is(err, "Usage") && !nrd_err_is(err, "BadSyntax"))
		return NRD_EXIT_FAIL;
	return r < 0 ? NRD_EXIT_USAGE : 0;
}

static const struct nrd_cmd cmd = {
	"zonecfg", cmd_zonecfg, opts_table, "-z ZONE | -u UUID [-R ROOT] [-f FILE | COMMAND...]",
	"configure a zone; \"zonecfg help\" lists the commands", NRD_CMD_STOP_EARLY
};

static const struct nrd_cli cli = {
	.prog = "zonecfg",
	.summary = "configure zones",
	.only = &cmd,
};

int
main(int argc, char **argv)
{
	NRD_AUTO(nrd_buf) words = { 0 };

	/* For completion, beside the --dump-options all commands have. */
	if (argc == 2 && strcmp(argv[1], "--dump-words") == 0) {
		cfg_dump_words(&words);
		(void)fputs(nrd_buf_str(&words), stdout);
		return 0;
	}
	return nrd_cli_main(&cli, argc, argv);
}
