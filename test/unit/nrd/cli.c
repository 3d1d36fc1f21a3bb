/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/cli.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "nrd-test.h"
#include "nrd/buf.h"
#include "nrd/str.h"

struct stop_opts {
	bool force, verbose;
	uint64_t timeout, size;
	const char *name;
	char **props;
};

static const struct nrd_opt stop_opts[] = {
	NRD_OPT_FLAG('F', "force", struct stop_opts, force, "pull the plug"),
	NRD_OPT_FLAG('v', NULL, struct stop_opts, verbose, "say more"),
	NRD_OPT_U64('t', "timeout", struct stop_opts, timeout, 1, 60, "SECONDS", "how long"),
	NRD_OPT_SIZE(0, "size", struct stop_opts, size, 0, UINT64_MAX, "SIZE", "how much"),
	NRD_OPT_STR('n', "name", struct stop_opts, name, "NAME", "which"),
	NRD_OPT_STRV('p', "prop", struct stop_opts, props, "KEY=VALUE", "more than one"),
	NRD_OPT_END(struct stop_opts),
};

struct global_opts {
	const char *zone;
};

static const struct nrd_opt global_opts[] = {
	NRD_OPT_STR('z', NULL, struct global_opts, zone, "ZONE", "the zone"),
	NRD_OPT_END(struct global_opts),
};

static char log_text[512]; /* what the last verb saw */

static int
cmd_stop(const struct nrd_args *args, struct nrd_err *err)
{
	const struct stop_opts *o = args->opts;
	const struct global_opts *g = args->global;
	NRD_FREE char *props = nrd_strv_join(NRD_CSTRV(o->props), ",");
	NRD_FREE char *rest = nrd_strv_join(NRD_CSTRV(args->argv), ",");

	(void)err;
	(void)snprintf(log_text, sizeof(log_text), "z=%s F=%d v=%d t=%d/%d n=%s p=%s [%s]%d",
		       g != NULL && g->zone != NULL ? g->zone : "", o->force, o->verbose,
		       (int)o->timeout, nrd_given(args, 't'), o->name != NULL ? o->name : "",
		       props, rest, args->argc);
	return NRD_EXIT_OK;
}

static int
cmd_fail(const struct nrd_args *args, struct nrd_err *err)
{
	const char *how = args->argv[0];

	if (strcmp(how, "gone") == 0)
		return nrd_fail(err, ENOENT, "ZoneNotFound", "no zone \"x\"");
	if (strcmp(how, "state") == 0)
		return nrd_fail(err, EBUSY, "ZoneWrongState", "is running");
	if (strcmp(how, "usage") == 0)
		return nrd_usage(err, "give %s", "one");
	if (strcmp(how, "silent") == 0)
		return -EPERM;
	if (strcmp(how, "three") == 0)
		return NRD_EXIT_STATE;
	return nrd_fail(err, EIO, "Disk", "read");
}

static int
cmd_echo(const struct nrd_args *args, struct nrd_err *err)
{
	NRD_FREE char *rest = nrd_strv_join(NRD_CSTRV(args->argv), ",");

	(void)err;
	(void)snprintf(log_text, sizeof(log_text), "[%s]", rest);
	return NRD_EXIT_OK;
}

static const struct nrd_cmd cmds[] = {
	{ "stop", cmd_stop, stop_opts, "[-F] [-t SECONDS] UUID", "stop a machine" },
	{ "fail", cmd_fail, NULL, "HOW", "fail", .min_args = 1, .max_args = 1 },
	{ "exec", cmd_echo, NULL, "ZONE CMD ...", "run", .flags = NRD_CMD_STOP_EARLY },
	{ "raw", cmd_echo, NULL, "...", "anything", .flags = NRD_CMD_RAW },
	{ "none", cmd_echo, NULL, "", "nothing", .max_args = NRD_ARGS_NONE },
	{ "secret", cmd_echo, NULL, "", "hidden", .flags = NRD_CMD_HIDDEN },
	{ 0 },
};

static const struct nrd_cli cli = {
	.prog = "prog", .summary = "Tests things.", .cmds = cmds, .opts = global_opts,
};

static char output[4096], errors[1024];

/* Points a standard descriptor at a memory file; returns what it was. */
static int
redirect(int fd)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	int mem = memfd_create("out", MFD_CLOEXEC);

	CHECK(saved >= 0 && mem >= 0 && dup2(mem, fd) == fd);
	(void)close(mem);
	return saved;
}

static void
restore(int fd, int saved, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	CHECK(n >= 0);
	text[n] = '\0';
	CHECK(dup2(saved, fd) == fd);
	(void)close(saved);
}

/* Runs a command line that is split at blanks; output and errors are kept. */
static int
run(const struct nrd_cli *what, const char *line)
{
	NRD_STRV char **argv = NULL;

	CHECK_INT(nrd_strv_split(line, ' ', &argv), 0);
	int argc = (int)nrd_strv_len(NRD_CSTRV(argv));
	char *shuffled[32];

	for (int i = 0; i <= argc; i++)
		shuffled[i] = argv[i];
	log_text[0] = '\0';
	(void)fflush(stdout);
	int out = redirect(1), err = redirect(2);
	int code = nrd_cli_main(what, argc, shuffled);

	restore(1, out, output, sizeof(output));
	restore(2, err, errors, sizeof(errors));
	return code;
}

static void
parses_options(void)
{
	const struct { const char *line, *log; } cases[] = {
		{ "prog stop u", "z= F=0 v=0 t=0/0 n= p= [u]1" },
		{ "prog stop -Fv -t5 u w", "z= F=1 v=1 t=5/1 n= p= [u,w]2" },
		{ "prog stop u -vFt 5", "z= F=1 v=1 t=5/1 n= p= [u]1" },
		{ "prog -z web0 stop --timeout=60 --force", "z=web0 F=1 v=0 t=60/1 n= p= []0" },
		{ "prog -zweb0 stop --timeout 7 --name=", "z=web0 F=0 v=0 t=7/1 n= p= []0" },
		{ "prog stop -p a=1 -pb=2 --prop=c --prop d", "z= F=0 v=0 t=0/0 n= p=a=1,b=2,c,d []0" },
		{ "prog stop -n a -n b", "z= F=0 v=0 t=0/0 n=b p= []0" },
		{ "prog stop -F -- -v - --x", "z= F=1 v=0 t=0/0 n= p= [-v,-,--x]3" },
		{ "prog stop -n -- u", "z= F=0 v=0 t=0/0 n=-- p= [u]1" },
		{ "prog exec z0 ls -l --color", "[z0,ls,-l,--color]" },
		{ "prog exec -- -z0 ls", "[-z0,ls]" },
		{ "prog raw -x --help", "[-x,--help]" },
		{ "prog secret", "[]" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		CHECK_INT(run(&cli, cases[i].line), 0);
		CHECK_STR(log_text, cases[i].log);
		CHECK_STR(errors, "");
	}
}

static void
usage_errors_are_one_line(void)
{
	const struct { const char *line, *errors; } cases[] = {
		{ "prog", "prog: give a verb, \"prog help\" lists them\n" },
		{ "prog sotp", "prog: sotp: unknown verb, did you mean stop?\n" },
		{ "prog zzzzzz", "prog: zzzzzz: unknown verb, \"prog help\" lists them\n" },
		{ "prog secre", "prog: secre: unknown verb, \"prog help\" lists them\n" },
		{ "prog -q stop", "prog: unknown option -q\n" },
		{ "prog -z", "prog: option -z needs a value\n" },
		{ "prog stop -Fq", "prog: stop: unknown option -q\n" },
		{ "prog stop --froce", "prog: stop: unknown option --froce, did you mean --force?\n" },
		{ "prog stop --zzzzzz=1", "prog: stop: unknown option --zzzzzz\n" },
		{ "prog stop --force=1", "prog: stop: option --force takes no value\n" },
		{ "prog stop -t", "prog: stop: option -t needs a value\n" },
		{ "prog stop -t 0", "prog: stop: option -t: 0 is below 1\n" },
		{ "prog stop -t 61", "prog: stop: option -t: 61 is above 60\n" },
		{ "prog stop --timeout=x",
		  "prog: stop: option --timeout: \"x\" is not a whole number\n" },
		{ "prog stop --size 5Q",
		  "prog: stop: option --size: \"5Q\" is not a size such as 512M or 10G\n" },
		{ "prog fail", "prog: fail: arguments missing: HOW\n" },
		{ "prog fail a b", "prog: fail: one argument too many: \"b\"\n" },
		{ "prog none x", "prog: none: takes no arguments, got \"x\"\n" },
		{ "prog help sotp", "prog: sotp: unknown verb, did you mean stop?\n" },
		{ "prog fail usage", "prog: fail: give one\n" },
	};

	for (size_t i = 0; i < nrd_count(cases); i++) {
		CHECK_INT(run(&cli, cases[i].line), NRD_EXIT_USAGE);
		CHECK_STR(errors, cases[i].errors);
		CHECK_STR(output, "");
	}
}

static void
maps_exit_codes(void)
{
	CHECK_INT(run(&cli, "prog fail gone"), NRD_EXIT_STATE);
	CHECK_STR(errors, "prog: fail: no zone \"x\"\n");
	CHECK_INT(run(&cli, "prog fail state"), NRD_EXIT_STATE);
	CHECK_INT(run(&cli, "prog fail other"), NRD_EXIT_FAIL);
	CHECK_STR(errors, "prog: fail: read\n");
	CHECK_INT(run(&cli, "prog fail silent"), NRD_EXIT_FAIL);
	CHECK_STR(errors, "prog: fail: Operation not permitted\n");
	CHECK_INT(run(&cli, "prog fail three"), NRD_EXIT_STATE);
	CHECK_STR(errors, "");
}

static void
helps(void)
{
	const char *ask[] = { "prog help", "prog -h", "prog --help", "prog -z x --help" };

	for (size_t i = 0; i < nrd_count(ask); i++) {
		CHECK_INT(run(&cli, ask[i]), 0);
		CHECK_HAS(output, "usage: prog [-z ZONE] VERB ...\n\nTests things.\n\nverbs:\n");
		CHECK_HAS(output, "  stop                 stop a machine\n");
		CHECK(strstr(output, "secret") == NULL);
	}
	const char *verb[] = { "prog help stop", "prog stop -h", "prog stop u -Fh --help" };

	for (size_t i = 0; i < nrd_count(verb); i++) {
		CHECK_INT(run(&cli, verb[i]), 0);
		CHECK_HAS(output, "usage: prog [-z ZONE] stop [-F] [-t SECONDS] UUID\n");
		CHECK_HAS(output, "  -t, --timeout SECONDS        how long\n");
		CHECK_HAS(output, "      --size SIZE              how much\n");
		CHECK_STR(log_text, "");
	}
}

static void
dumps_options(void)
{
	CHECK_INT(run(&cli, "prog --dump-options"), 0);
	CHECK_HAS(output, "-\t-z\t-\tZONE\nstop\t-F\t--force\t-\nstop\t-v\t-\t-\n"
			  "stop\t-t\t--timeout\tSECONDS\nstop\t-\t--size\tSIZE\n");
	CHECK_HAS(output, "\nfail\t-\t-\t-\n");
	CHECK(strstr(output, "secret") == NULL);
}

static void
works_without_verbs(void)
{
	static const struct nrd_cmd only = { "sysinfo", cmd_stop, stop_opts, NULL, NULL };
	const struct nrd_cli one = { .prog = "sysinfo", .summary = "Facts.", .only = &only };
	const struct nrd_cli both = { .prog = "prog", .cmds = cmds, .only = &cmds[4] };

	CHECK_INT(run(&one, "sysinfo -F help"), 0);
	CHECK_STR(log_text, "z= F=1 v=0 t=0/0 n= p= [help]1");
	CHECK_INT(run(&one, "sysinfo --help"), 0);
	CHECK_HAS(output, "usage: sysinfo [-F] [-v] [-t SECONDS] [--size SIZE]");
	CHECK_HAS(output, "\nFacts.\n");
	CHECK_INT(run(&one, "sysinfo -x"), NRD_EXIT_USAGE);
	CHECK_STR(errors, "sysinfo: unknown option -x\n");
	CHECK_INT(run(&one, "sysinfo --dump-options"), 0);
	CHECK_HAS(output, "-\t-F\t--force\t-\n");
	CHECK_INT(run(&both, "prog"), 0);
	CHECK_STR(log_text, "[]");
	CHECK_INT(run(&both, "prog exec a"), 0);
	CHECK_STR(log_text, "[a]");
}

TEST_MAIN(parses_options, usage_errors_are_one_line, maps_exit_codes, helps, dumps_options,
	  works_without_verbs)
