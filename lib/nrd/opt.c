/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "opt-priv.h"
#include "str.h"
#include "suggest.h"

struct parser {
	const struct nrd_opt *table;
	char *opts;
	int argc;
	char **argv;
	int at; /* next argument to look at */
	uint64_t given;
	bool help;
	struct nrd_err *err;
};

int
nrd_usage(struct nrd_err *err, const char *fmt, ...)
{
	char msg[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return nrd_fail(err, EINVAL, "Usage", "%s", msg);
}

size_t
nrd_opts_count(const struct nrd_opt *table)
{
	size_t n = 0;

	while (table != NULL && table[n].type != NRD_OPT_TYPE_END)
		n++;
	assert(n <= 64);
	return n;
}

size_t
nrd_opts_size(const struct nrd_opt *table)
{
	return table != NULL ? table[nrd_opts_count(table)].offset : 0;
}

static const struct nrd_opt *
find_short(const struct nrd_opt *table, int c)
{
	for (size_t i = 0; i < nrd_opts_count(table); i++) {
		if (table[i].short_name == c)
			return &table[i];
	}
	return NULL;
}

static const struct nrd_opt *
find_long(const struct nrd_opt *table, struct nrd_str name)
{
	for (size_t i = 0; i < nrd_opts_count(table); i++) {
		if (table[i].long_name != NULL && nrd_str_eq(name, table[i].long_name))
			return &table[i];
	}
	return NULL;
}

/* Stores a value; shown is the option as the user wrote it. */
static int
store(struct parser *p, const struct nrd_opt *opt, const char *shown, char *value)
{
	char *dst = p->opts + opt->offset;
	uint64_t u;
	int r = 0;

	switch (opt->type) {
	case NRD_OPT_TYPE_FLAG:
		*(bool *)dst = true;
		break;
	case NRD_OPT_TYPE_STR:
		memcpy(dst, &value, sizeof(value));
		break;
	case NRD_OPT_TYPE_STRV:
		if (nrd_strv_add((char ***)(void *)dst, value) < 0)
			return nrd_nomem(p->err);
		break;
	case NRD_OPT_TYPE_U64:
	case NRD_OPT_TYPE_SIZE:
		r = opt->type == NRD_OPT_TYPE_U64
			    ? nrd_parse_u64(value, opt->min, opt->max, &u, p->err)
			    : nrd_parse_size(value, opt->min, opt->max, &u, p->err);
		if (r < 0 && p->err != NULL) {
			struct nrd_err why = *p->err;

			return nrd_usage(p->err, "option %s: %s", shown, why.msg);
		}
		if (r < 0)
			return -EINVAL;
		memcpy(dst, &u, sizeof(u));
		break;
	default:
		assert(!"option type");
	}
	p->given |= UINT64_C(1) << (opt - p->table);
	return 0;
}

static int
unknown_long(struct parser *p, struct nrd_str name)
{
	char word[64];
	struct nrd_suggest near;

	(void)snprintf(word, sizeof(word), "%.*s", NRD_STR_ARG(name));
	nrd_suggest_init(&near, word);
	for (size_t i = 0; i < nrd_opts_count(p->table); i++) {
		if (p->table[i].long_name != NULL)
			nrd_suggest_offer(&near, p->table[i].long_name);
	}
	if (near.best != NULL)
		return nrd_usage(p->err, "unknown option --%s, did you mean --%s?", word,
				 near.best);
	return nrd_usage(p->err, "unknown option --%s", word);
}

static int
parse_long(struct parser *p, char *arg)
{
	char *eq = strchr(arg, '=');
	struct nrd_str name = nrd_strn(arg, eq != NULL ? (size_t)(eq - arg) : strlen(arg));
	const struct nrd_opt *opt = find_long(p->table, name);
	char shown[72];
	char *value = NULL;

	if (opt == NULL && nrd_str_eq(name, "help") && eq == NULL) {
		p->help = true;
		return 0;
	}
	if (opt == NULL)
		return unknown_long(p, name);
	(void)snprintf(shown, sizeof(shown), "--%s", opt->long_name);
	if (opt->type == NRD_OPT_TYPE_FLAG) {
		if (eq != NULL)
			return nrd_usage(p->err, "option %s takes no value", shown);
	} else if (eq != NULL) {
		value = eq + 1;
	} else if (p->at < p->argc) {
		value = p->argv[p->at++];
	} else {
		return nrd_usage(p->err, "option %s needs a value", shown);
	}
	return store(p, opt, shown, value);
}

/* -x, -xyz, -ovalue, -xo value */
static int
parse_shorts(struct parser *p, char *arg)
{
	for (char *c = arg; *c != '\0'; c++) {
		const struct nrd_opt *opt = find_short(p->table, (unsigned char)*c);
		char shown[3] = { '-', *c, '\0' };
		char *value = NULL;

		if (opt == NULL && *c == 'h') {
			p->help = true;
			return 0;
		}
		if (opt == NULL)
			return nrd_usage(p->err, "unknown option %s", shown);
		bool takes = opt->type != NRD_OPT_TYPE_FLAG;

		if (takes && c[1] != '\0')
			value = c + 1;
		else if (takes && p->at < p->argc)
			value = p->argv[p->at++];
		else if (takes)
			return nrd_usage(p->err, "option %s needs a value", shown);
		int r = store(p, opt, shown, value);

		if (r < 0 || takes)
			return r;
	}
	return 0;
}

int
nrd_opts_parse_help(const struct nrd_opt *table, void *opts, int *argc, char **argv,
		    unsigned flags, uint64_t *ret_given, bool *ret_help, struct nrd_err *err)
{
	struct parser p = { .table = table, .opts = opts, .argc = *argc, .argv = argv,
			    .err = err };
	int kept = 0;
	bool only_operands = false;

	while (p.at < p.argc && !p.help) {
		char *arg = argv[p.at++];
		int r = 0;

		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			argv[kept++] = arg;
			only_operands |= (flags & NRD_CMD_STOP_EARLY) != 0;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (arg[1] == '-') {
			r = parse_long(&p, arg + 2);
		} else {
			r = parse_shorts(&p, arg + 1);
		}
		if (r < 0)
			return r;
	}
	argv[kept] = NULL;
	*argc = kept;
	if (ret_given != NULL)
		*ret_given = p.given;
	*ret_help = p.help;
	return 0;
}

int
nrd_opts_parse(const struct nrd_opt *table, void *opts, int *argc, char **argv, unsigned flags,
	       uint64_t *ret_given, struct nrd_err *err)
{
	bool help = false;
	int r = nrd_opts_parse_help(table, opts, argc, argv, flags, ret_given, &help, err);

	if (r == 0 && help)
		return nrd_usage(err, "unknown option --help");
	return r;
}

void
nrd_opts_fini(const struct nrd_opt *table, void *opts)
{
	for (size_t i = 0; i < nrd_opts_count(table); i++) {
		if (table[i].type != NRD_OPT_TYPE_STRV)
			continue;
		char ***v = (char ***)(void *)((char *)opts + table[i].offset);

		nrd_strv_free(*v);
		*v = NULL;
	}
}
