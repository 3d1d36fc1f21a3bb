/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

/*
 * Commands as tables. main.c is one struct nrd_cli and `return nrd_cli_main(&cli, argc, argv);`;
 * a verb is a function with its struct of options and their table:
 *
 *	struct stop_opts {
 *		bool force;
 *		uint64_t timeout;
 *	};
 *
 *	const struct nrd_opt stop_opts[] = {
 *		NRD_OPT_FLAG('F', "force", struct stop_opts, force, "pull the plug"),
 *		NRD_OPT_U64('t', "timeout", struct stop_opts, timeout, 0, 3600, "SECONDS",
 *			    "how long to wait"),
 *		NRD_OPT_END(struct stop_opts),
 *	};
 *
 *	int
 *	cmd_stop(const struct nrd_args *args, struct nrd_err *err)
 *	{
 *		const struct stop_opts *opts = args->opts;
 *		...
 *	}
 *
 * Understood: -x, grouped -xyz, -o val, -oval, --long, --long val, --long=val, `--`, options
 * after operands. Provided for every command: -h (unless the table has one), --help, `help
 * [verb]`, and a hidden --dump-options that prints "verb<TAB>-x<TAB>--long<TAB>ARG" for each
 * option ("-" where there is none; a verb without options has one line of them).
 */
enum nrd_exit {
	NRD_EXIT_OK = 0,
	NRD_EXIT_FAIL = 1,
	NRD_EXIT_USAGE = 2,
	NRD_EXIT_STATE = 3, /* no such object, or it is in the wrong state */
};

enum nrd_opt_type {
	NRD_OPT_TYPE_END,
	NRD_OPT_TYPE_FLAG, /* bool */
	NRD_OPT_TYPE_STR,  /* const char *: borrowed from argv; the last one given wins */
	NRD_OPT_TYPE_STRV, /* char **: every one given, in order; freed after the verb */
	NRD_OPT_TYPE_U64,  /* uint64_t */
	NRD_OPT_TYPE_SIZE, /* uint64_t bytes: 512M, 10G */
};

struct nrd_opt {
	int short_name;        /* 0: none */
	const char *long_name; /* NULL: none */
	enum nrd_opt_type type;
	size_t offset;         /* END: size of the struct */
	uint64_t min, max;
	const char *arg;       /* its name in the usage text */
	const char *help;
};

#define NRD_OPT_(s, l, type_, t, m, ctype) \
	.short_name = (s), .long_name = (l), .type = (type_), .offset = NRD_OFFSET(t, m, ctype)
#define NRD_OPT_FLAG(s, l, t, m, help_) \
	{ NRD_OPT_(s, l, NRD_OPT_TYPE_FLAG, t, m, bool), .help = (help_) }
#define NRD_OPT_STR(s, l, t, m, arg_, help_) \
	{ NRD_OPT_(s, l, NRD_OPT_TYPE_STR, t, m, const char *), .arg = (arg_), .help = (help_) }
#define NRD_OPT_STRV(s, l, t, m, arg_, help_) \
	{ NRD_OPT_(s, l, NRD_OPT_TYPE_STRV, t, m, char **), .arg = (arg_), .help = (help_) }
#define NRD_OPT_U64(s, l, t, m, min_, max_, arg_, help_)                                           \
	{ NRD_OPT_(s, l, NRD_OPT_TYPE_U64, t, m, uint64_t), .min = (min_), .max = (max_),          \
	  .arg = (arg_), .help = (help_) }
#define NRD_OPT_SIZE(s, l, t, m, min_, max_, arg_, help_)                                          \
	{ NRD_OPT_(s, l, NRD_OPT_TYPE_SIZE, t, m, uint64_t), .min = (min_), .max = (max_),         \
	  .arg = (arg_), .help = (help_) }
#define NRD_OPT_END(t) { .type = NRD_OPT_TYPE_END, .offset = sizeof(t) }

/* What a verb gets. */
struct nrd_args {
	const char *prog;
	const char *verb;         /* NULL in a command without verbs */
	const void *opts;         /* its struct, zero where not given; NULL when it has no table */
	const void *global;       /* struct of the options before the verb, NULL when none */
	int argc;                 /* operands */
	char **argv;              /* NULL terminated */
	uint64_t given;           /* bit i: option i of the table was given */
	uint64_t global_given;
	const struct nrd_opt *table, *global_table;
};

/* Was the option with this short or long name given (in the verb's table)? */
bool nrd_given(const struct nrd_args *args, int short_name);
bool nrd_given_long(const struct nrd_args *args, const char *long_name);

/*
 * Returns an enum nrd_exit, or -errno with err filled; the exit code is then nrd_exit_of(err).
 * When the result is not 0 and err holds a message, that is printed to standard error as "prog:
 * verb: msg".
 */
typedef int nrd_cmd_fn(const struct nrd_args *args, struct nrd_err *err);

enum nrd_cmd_flags {
	NRD_CMD_STOP_EARLY = 1u << 0, /* the first operand ends the options (zlogin zone cmd -x) */
	NRD_CMD_HIDDEN = 1u << 1,     /* not in the usage text */
	NRD_CMD_RAW = 1u << 2,        /* argv is handed over unparsed */
};

struct nrd_cmd {
	const char *name; /* NULL ends the table */
	nrd_cmd_fn *fn;
	const struct nrd_opt *opts; /* ends with NRD_OPT_END; NULL: takes no options */
	const char *synopsis;       /* after the verb: "[-F] [-t SECONDS] UUID" */
	const char *summary;        /* one line */
	unsigned flags;
	unsigned min_args;          /* operands; outside: usage error */
	unsigned max_args;          /* 0: as many as one likes; NRD_ARGS_NONE: none */
};

#define NRD_ARGS_NONE (~0u)

struct nrd_cli {
	const char *prog;
	const char *summary;
	const struct nrd_cmd *cmds; /* verbs, or NULL */
	const struct nrd_opt *opts; /* options before the verb (zoneadm -z), or NULL */
	/*
	 * A command without verbs. Beside verbs: what runs when none is given; it then sees the
	 * global options and has none of its own.
	 */
	const struct nrd_cmd *only;
	/*
	 * For commands whose errors have another form than "prog: verb: msg": says what went wrong
	 * and returns the exit code, of which code is the usual one. args->global is gone by then.
	 */
	int (*tell)(const struct nrd_args *args, const struct nrd_err *err, int code);
};

/*
 * Parses, runs, prints errors and returns the exit code; standard output is flushed and a failed
 * flush is an error.
 */
int nrd_cli_main(const struct nrd_cli *cli, int argc, char **argv);

/*
 * The parser alone, for grammars inside a verb and for tests: fills opts (zeroed by the caller)
 * and moves the operands to the front of argv. argv holds no program name. STRV members belong
 * to the caller (nrd_opts_fini). "Usage" (-EINVAL).
 */
int nrd_opts_parse(const struct nrd_opt *table, void *opts, int *argc, char **argv, unsigned flags,
		   uint64_t *ret_given, struct nrd_err *err);
void nrd_opts_fini(const struct nrd_opt *table, void *opts);

/*
 * A usage error from inside a verb: `return nrd_usage(err, "give a uuid")`. Code "Usage",
 * -EINVAL.
 */
int nrd_usage(struct nrd_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "Usage": 2. Codes that end in "NotFound" or "WrongState": 3. Otherwise 1. */
int nrd_exit_of(const struct nrd_err *err);
