/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "opt-priv.h"
#include "str.h"
#include "suggest.h"

bool
nrd_given(const struct nrd_args *args, int short_name)
{
	for (size_t i = 0; i < nrd_opts_count(args->table); i++) {
		if (args->table[i].short_name == short_name)
			return (args->given >> i & 1) != 0;
	}
	return false;
}

bool
nrd_given_long(const struct nrd_args *args, const char *long_name)
{
	for (size_t i = 0; i < nrd_opts_count(args->table); i++) {
		if (nrd_streq(args->table[i].long_name, long_name))
			return (args->given >> i & 1) != 0;
	}
	return false;
}

int
nrd_exit_of(const struct nrd_err *err)
{
	if (nrd_err_is(err, "Usage"))
		return NRD_EXIT_USAGE;
	if (nrd_ends(err->code, "NotFound") || nrd_ends(err->code, "WrongState"))
		return NRD_EXIT_STATE;
	return NRD_EXIT_FAIL;
}

static void
say_option(const struct nrd_opt *opt, struct nrd_buf *b)
{
	NRD_AUTO(nrd_buf) left = NRD_BUF_INIT(200);

	if (opt->short_name != 0)
		(void)nrd_buf_printf(&left, "-%c%s", opt->short_name,
				     opt->long_name != NULL ? ", " : "");
	else
		(void)nrd_buf_adds(&left, "    ");
	if (opt->long_name != NULL)
		(void)nrd_buf_printf(&left, "--%s", opt->long_name);
	if (opt->arg != NULL)
		(void)nrd_buf_printf(&left, " %s", opt->arg);
	(void)nrd_buf_printf(b, "  %-28s %s\n", nrd_buf_str(&left),
			     opt->help != NULL ? opt->help : "");
}

static void
say_options(const struct nrd_opt *table, const char *title, struct nrd_buf *b)
{
	size_t n = nrd_opts_count(table);

	if (n > 0)
		(void)nrd_buf_printf(b, "\n%s:\n", title);
	for (size_t i = 0; i < n; i++)
		say_option(&table[i], b);
}

/* Options as they stand in a usage line, for a command that has no synopsis of its own. */
static void
say_synopsis(const struct nrd_opt *table, const char *synopsis, struct nrd_buf *b)
{
	if (synopsis != NULL) {
		if (synopsis[0] != '\0')
			(void)nrd_buf_printf(b, " %s", synopsis);
		return;
	}
	for (size_t i = 0; i < nrd_opts_count(table); i++) {
		const struct nrd_opt *o = &table[i];

		if (o->short_name != 0)
			(void)nrd_buf_printf(b, " [-%c", o->short_name);
		else
			(void)nrd_buf_printf(b, " [--%s", o->long_name);
		(void)nrd_buf_printf(b, "%s%s]", o->arg != NULL ? " " : "",
				     o->arg != NULL ? o->arg : "");
	}
}

static void
say_summary(const char *summary, struct nrd_buf *b)
{
	if (summary != NULL)
		(void)nrd_buf_printf(b, "\n%s\n", summary);
}

static void
say_cmd(const struct nrd_cli *cli, const struct nrd_cmd *cmd, struct nrd_buf *b)
{
	(void)nrd_buf_printf(b, "usage: %s", cli->prog);
	if (cli->cmds != NULL) {
		say_synopsis(cli->opts, NULL, b);
		(void)nrd_buf_printf(b, " %s", cmd->name);
	}
	say_synopsis(cmd->opts, cmd->synopsis, b);
	(void)nrd_buf_addc(b, '\n');
	say_summary(cmd->summary != NULL || cli->cmds != NULL ? cmd->summary : cli->summary, b);
	say_options(cmd->opts, "options", b);
	if (cli->cmds != NULL)
		say_options(cli->opts, "options before the verb", b);
}

static void
say_prog(const struct nrd_cli *cli, struct nrd_buf *b)
{
	(void)nrd_buf_printf(b, "usage: %s", cli->prog);
	say_synopsis(cli->opts, NULL, b);
	(void)nrd_buf_printf(b, " %s\n", cli->only != NULL ? "[VERB ...]" : "VERB ...");
	say_summary(cli->summary, b);
	(void)nrd_buf_adds(b, "\nverbs:\n");
	for (const struct nrd_cmd *c = cli->cmds; c->name != NULL; c++) {
		if ((c->flags & NRD_CMD_HIDDEN) == 0)
			(void)nrd_buf_printf(b, "  %-20s %s\n", c->name,
					     c->summary != NULL ? c->summary : "");
	}
	(void)nrd_buf_printf(b, "  %-20s what a verb does and which options it has\n",
			     "help [VERB]");
	say_options(cli->opts, "options", b);
}

/* cmd NULL: the whole program. */
static int
print_help(const struct nrd_cli *cli, const struct nrd_cmd *cmd)
{
	NRD_AUTO(nrd_buf) b = { 0 };

	if (cmd != NULL)
		say_cmd(cli, cmd, &b);
	else
		say_prog(cli, &b);
	(void)fputs(nrd_buf_str(&b), stdout);
	return NRD_EXIT_OK;
}

static void
dump_table(const char *verb, const struct nrd_opt *table)
{
	size_t n = nrd_opts_count(table);

	if (n == 0)
		(void)printf("%s\t-\t-\t-\n", verb);
	for (size_t i = 0; i < n; i++) {
		const struct nrd_opt *o = &table[i];

		if (o->short_name != 0)
			(void)printf("%s\t-%c", verb, o->short_name);
		else
			(void)printf("%s\t-", verb);
		(void)printf("\t%s%s\t%s\n", o->long_name != NULL ? "--" : "",
			     o->long_name != NULL ? o->long_name : "-",
			     o->arg != NULL ? o->arg : "-");
	}
}

static int
dump_options(const struct nrd_cli *cli)
{
	if (cli->cmds == NULL) {
		dump_table("-", cli->only->opts);
		return NRD_EXIT_OK;
	}
	if (nrd_opts_count(cli->opts) > 0)
		dump_table("-", cli->opts);
	for (const struct nrd_cmd *c = cli->cmds; c->name != NULL; c++) {
		if ((c->flags & NRD_CMD_HIDDEN) == 0)
			dump_table(c->name, c->opts);
	}
	return NRD_EXIT_OK;
}

static int
find_cmd(const struct nrd_cli *cli, const char *name, const struct nrd_cmd **ret_cmd,
	 struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (const struct nrd_cmd *c = cli->cmds; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			*ret_cmd = c;
			return 0;
		}
		if ((c->flags & NRD_CMD_HIDDEN) == 0)
			nrd_suggest_offer(&near, c->name);
	}
	if (near.best != NULL)
		return nrd_usage(err, "unknown verb, did you mean %s?", near.best);
	return nrd_usage(err, "unknown verb, \"%s help\" lists them", cli->prog);
}

static int
check_operands(const struct nrd_cmd *cmd, int argc, char **argv, struct nrd_err *err)
{
	unsigned n = (unsigned)argc;

	if (cmd->max_args == NRD_ARGS_NONE && n > 0)
		return nrd_usage(err, "takes no arguments, got \"%s\"", argv[0]);
	if (n < cmd->min_args)
		return nrd_usage(err, "arguments missing: %s",
				 cmd->synopsis != NULL ? cmd->synopsis : "see help");
	if (cmd->max_args != 0 && n > cmd->max_args)
		return nrd_usage(err, "one argument too many: \"%s\"", argv[cmd->max_args]);
	return 0;
}

static int
run_parsed(const struct nrd_cli *cli, const struct nrd_cmd *cmd, struct nrd_args *args,
	   void *opts, struct nrd_err *err)
{
	bool help = false;
	int r = 0;

	args->table = cmd->opts;
	args->opts = opts;
	if ((cmd->flags & NRD_CMD_RAW) == 0) {
		r = nrd_opts_parse_help(cmd->opts, opts, &args->argc, args->argv, cmd->flags,
					&args->given, &help, err);
		if (r == 0 && help)
			return print_help(cli, cmd);
		if (r == 0)
			r = check_operands(cmd, args->argc, args->argv, err);
	}
	return r < 0 ? r : cmd->fn(args, err);
}

/* Runs a command on args->argv, which stand behind its name. */
static int
run_cmd(const struct nrd_cli *cli, const struct nrd_cmd *cmd, struct nrd_args *args,
	struct nrd_err *err)
{
	NRD_FREE void *opts = NULL;

	if (cmd->opts != NULL) {
		opts = calloc(1, nrd_opts_size(cmd->opts));
		if (opts == NULL)
			return nrd_nomem(err);
	}
	int r = run_parsed(cli, cmd, args, opts, err);

	if (opts != NULL)
		nrd_opts_fini(cmd->opts, opts);
	return r;
}

static int
run_help(const struct nrd_cli *cli, struct nrd_args *args, struct nrd_err *err)
{
	const struct nrd_cmd *cmd = NULL;

	if (args->argc > 1) {
		args->verb = args->argv[1];
		int r = find_cmd(cli, args->argv[1], &cmd, err);

		if (r < 0)
			return r;
	}
	return print_help(cli, cmd);
}

/* What stands behind the global options: a verb, or nothing. */
static int
run_verb(const struct nrd_cli *cli, struct nrd_args *args, struct nrd_err *err)
{
	const struct nrd_cmd *cmd = NULL;

	if (args->argc == 0 && cli->only != NULL)
		return run_cmd(cli, cli->only, args, err);
	if (args->argc == 0)
		return nrd_usage(err, "give a verb, \"%s help\" lists them", cli->prog);
	const char *name = args->argv[0];
	int r = find_cmd(cli, name, &cmd, err);

	if (r < 0 && strcmp(name, "help") == 0) {
		*err = (struct nrd_err){ 0 };
		return run_help(cli, args, err);
	}
	args->verb = name;
	if (r < 0)
		return r;
	args->argc--;
	args->argv++;
	return run_cmd(cli, cmd, args, err);
}

static int
run_with_verbs(const struct nrd_cli *cli, struct nrd_args *args, struct nrd_err *err)
{
	NRD_FREE void *global = NULL;
	bool help = false;

	if (cli->opts != NULL) {
		global = calloc(1, nrd_opts_size(cli->opts));
		if (global == NULL)
			return nrd_nomem(err);
	}
	int r = nrd_opts_parse_help(cli->opts, global, &args->argc, args->argv,
				    NRD_CMD_STOP_EARLY, &args->global_given, &help, err);

	args->global = global;
	args->global_table = cli->opts;
	if (r == 0)
		r = help ? print_help(cli, NULL) : run_verb(cli, args, err);
	if (global != NULL)
		nrd_opts_fini(cli->opts, global);
	return r;
}

static void
print_error(const struct nrd_args *args, const struct nrd_err *err)
{
	/* One write, so that lines of parallel commands do not mix. */
	NRD_AUTO(nrd_buf) b = { 0 };

	(void)nrd_buf_printf(&b, "%s: ", args->prog);
	if (args->verb != NULL)
		(void)nrd_buf_printf(&b, "%s: ", args->verb);
	(void)nrd_buf_printf(&b, "%s\n", err->msg);
	(void)fputs(nrd_buf_str(&b), stderr);
}

/* Output that did not arrive (a full disk) is a failure, unless there was a worse one. */
static int
flush_output(const struct nrd_args *args, int code)
{
	struct nrd_err err = { 0 };

	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return code;
	(void)nrd_fail(&err, errno != 0 ? errno : EIO, "FileWrite", "write standard output: %m");
	print_error(args, &err);
	return code != NRD_EXIT_OK ? code : NRD_EXIT_FAIL;
}

int
nrd_cli_main(const struct nrd_cli *cli, int argc, char **argv)
{
	struct nrd_err err = { 0 };
	struct nrd_args args = { .prog = cli->prog };
	int r;

	/* argv[0] may be missing altogether when the caller of exec is hostile. */
	args.argc = argc > 0 ? argc - 1 : 0;
	args.argv = argc > 0 ? argv + 1 : argv;
	if (args.argc == 1 && strcmp(args.argv[0], "--dump-options") == 0)
		r = dump_options(cli);
	else if (cli->cmds != NULL)
		r = run_with_verbs(cli, &args, &err);
	else
		r = run_cmd(cli, cli->only, &args, &err);
	if (r < 0 && err.msg[0] == '\0')
		(void)nrd_fail(&err, -r, "Failed", "%m");
	int code = r < 0 ? nrd_exit_of(&err) : r;

	if (err.msg[0] != '\0' && r != 0 && cli->tell != NULL)
		code = cli->tell(&args, &err, code);
	else if (err.msg[0] != '\0' && r != 0)
		print_error(&args, &err);
	return flush_output(&args, code);
}
