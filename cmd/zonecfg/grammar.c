/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "grammar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define BLANKS " \t\r\n"

struct parser {
	const char *text;
	const char *at;
	struct nrd_err *err;
};

static int
bad(const struct parser *p, const char *what)
{
	if (*p->at == '\0')
		return nrd_fail(p->err, EINVAL, "BadSyntax", "%s at the end of the line", what);
	return nrd_fail(p->err, EINVAL, "BadSyntax", "%s at \"%.30s\"", what, p->at);
}

static void
skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, BLANKS);
}

/* A quoted word, from its first quote on. */
static int
parse_quoted(struct parser *p, struct nrd_buf *out)
{
	const char *start = p->at++;

	for (; *p->at != '"'; p->at++) {
		char c = *p->at;

		if (c == '\0') {
			p->at = start;
			return bad(p, "a quote that does not end");
		}
		if (c == '\\' && p->at[1] != '\0' && strchr("\"\\n", p->at[1]) != NULL)
			c = *++p->at == 'n' ? '\n' : *p->at;
		(void)nrd_buf_addc(out, c);
	}
	p->at++;
	return 0;
}

/* A word that ends before any of the characters in `ends`, a blank or the line's end. */
static int
parse_word(struct parser *p, const char *ends, char **ret_word, bool *ret_quoted)
{
	NRD_AUTO(nrd_buf) word = NRD_BUF_INIT(CFG_LINE_MAX);
	bool quoted = *p->at == '"';
	int r = 0;

	if (quoted)
		r = parse_quoted(p, &word);
	else
		while (*p->at != '\0' && strchr(BLANKS, *p->at) == NULL &&
		       strchr(ends, *p->at) == NULL && *p->at != '"')
			(void)nrd_buf_addc(&word, *p->at++);
	if (r < 0)
		return r;
	if (!quoted && word.len == 0)
		return bad(p, "a word is missing");
	if (*p->at != '\0' && strchr(BLANKS, *p->at) == NULL && strchr(ends, *p->at) == NULL)
		return bad(p, "a quote in or behind a word");
	if (ret_quoted != NULL)
		*ret_quoted = quoted;
	*ret_word = strdup(nrd_buf_str(&word));
	return *ret_word == NULL || word.failed < 0 ? nrd_nomem(p->err) : 0;
}

static int
add_item(struct parser *p, char ***items, char *item)
{
	if (nrd_strv_len(NRD_CSTRV(*items)) >= CFG_ITEMS_MAX) {
		free(item);
		return bad(p, "too many values");
	}
	return nrd_strv_take(items, item) < 0 ? nrd_nomem(p->err) : 0;
}

/* After an item: true when another one follows. */
static int
more_items(struct parser *p, char close)
{
	skip_blanks(p);
	if (*p->at == ',') {
		p->at++;
		skip_blanks(p);
		return 1;
	}
	if (*p->at != close)
		return bad(p, close == ']' ? "\",\" or \"]\" expected" : "\",\" or \")\" expected");
	p->at++;
	return 0;
}

/* "[a,b]" from its bracket on. */
static int
parse_list(struct parser *p, char ***items)
{
	int r = 1;

	p->at++;
	skip_blanks(p);
	if (*p->at == ']') {
		p->at++;
		return 0;
	}
	while (r > 0) {
		char *word = NULL;

		r = parse_word(p, ",]", &word, NULL);
		if (r >= 0)
			r = add_item(p, items, word);
		else
			free(word);
		if (r >= 0)
			r = more_items(p, ']');
	}
	return r;
}

/* The value of a member of "(name=value,...)". */
static int
parse_member_value(struct parser *p, char **ret_value)
{
	NRD_STRV char **items = NULL;

	skip_blanks(p);
	if (*p->at != '[')
		return parse_word(p, ",)", ret_value, NULL);
	int r = parse_list(p, &items);

	if (r < 0)
		return r;
	*ret_value = nrd_strv_join(NRD_CSTRV(items), ",");
	return *ret_value != NULL ? 0 : nrd_nomem(p->err);
}

/* One of "(a,b)" or "(name=a,value=b)": *ret_value stays NULL without a "=". */
static int
parse_member(struct parser *p, char **ret_name, char **ret_value)
{
	int r = parse_word(p, "=,)", ret_name, NULL);

	if (r < 0)
		return r;
	skip_blanks(p);
	if (*p->at != '=')
		return 0;
	p->at++;
	return parse_member_value(p, ret_value);
}

/*
 * "(...)" from its parenthesis on. It is complex when each member has a name; when some have and
 * some have not it is a list of words, of which some hold a "=": (ro,size=64m).
 */
static int
parse_parens(struct parser *p, struct cfg_value *value)
{
	NRD_STRV char **plain = NULL;
	NRD_STRV char **pairs = NULL;
	bool complex = true;
	int r = 1;

	p->at++;
	skip_blanks(p);
	while (r > 0) {
		NRD_FREE char *name = NULL;
		NRD_FREE char *member = NULL;
		char *whole;

		r = parse_member(p, &name, &member);
		if (r < 0)
			return r;
		complex = complex && member != NULL;
		whole = member != NULL ? nrd_format("%s=%s", name, member) : strdup(name);
		if (whole == NULL)
			return nrd_nomem(p->err);
		r = add_item(p, &plain, whole);
		if (r >= 0 && complex)
			r = nrd_strv_take(&pairs, NRD_TAKE(name)) < 0 ||
					    nrd_strv_take(&pairs, NRD_TAKE(member)) < 0
				    ? nrd_nomem(p->err)
				    : 0;
		if (r >= 0)
			r = more_items(p, ')');
	}
	if (r < 0)
		return r;
	value->kind = complex ? CFG_COMPLEX : CFG_LIST;
	value->items = complex ? NRD_TAKE(pairs) : NRD_TAKE(plain);
	return 0;
}

/* With what follows it must be at an end: nothing is glued to a closing bracket. */
static int
parse_value(struct parser *p, struct cfg_value *value)
{
	char *word = NULL;
	int r;

	if (*p->at == '(') {
		r = parse_parens(p, value);
	} else if (*p->at == '[') {
		value->kind = CFG_LIST;
		r = parse_list(p, &value->items);
	} else {
		value->kind = CFG_SIMPLE;
		r = parse_word(p, ";", &word, NULL);
		if (r >= 0)
			r = add_item(p, &value->items, NRD_TAKE(word));
		free(word);
	}
	if (r >= 0 && *p->at != '\0' && strchr(BLANKS ";", *p->at) == NULL)
		return bad(p, "a blank or \";\" expected");
	return r;
}

static int
parse_arg(struct parser *p, struct cfg_arg *arg)
{
	int r;

	if (*p->at == '(' || *p->at == '[')
		return parse_value(p, &arg->value);
	r = parse_word(p, "=;", &arg->word, &arg->quoted);
	if (r < 0)
		return r;
	skip_blanks(p);
	if (*p->at != '=')
		return 0;
	p->at++;
	skip_blanks(p);
	return parse_value(p, &arg->value);
}

static void
arg_fini(struct cfg_arg *arg)
{
	free(arg->word);
	cfg_value_fini(&arg->value);
}

static void
command_fini(struct cfg_command *command)
{
	free(command->verb);
	nrd_vec_each(arg, &command->args)
		arg_fini(arg);
	nrd_vec_fini(&command->args);
}

static int
parse_command(struct parser *p, struct cfg_command *command)
{
	int r = parse_word(p, "=;", &command->verb, NULL);

	skip_blanks(p);
	while (r >= 0 && *p->at != '\0' && *p->at != ';') {
		struct cfg_arg arg = { 0 };

		r = parse_arg(p, &arg);
		if (r >= 0 && command->args.len >= CFG_ITEMS_MAX)
			r = bad(p, "too many arguments");
		if (r >= 0 && nrd_vec_push(&command->args, arg) < 0)
			r = nrd_nomem(p->err);
		if (r < 0)
			arg_fini(&arg);
		skip_blanks(p);
	}
	return r;
}

int
cfg_parse(const char *text, struct cfg_line *ret_line, struct nrd_err *err)
{
	NRD_AUTO(cfg_line) line = { 0 };
	struct parser p = { .text = text, .at = text, .err = err };

	if (strlen(text) > CFG_LINE_MAX)
		return nrd_fail(err, EINVAL, "BadSyntax", "a line of more than %zu bytes",
				CFG_LINE_MAX);
	for (;;) {
		struct cfg_command command = { 0 };
		int r;

		p.at += strspn(p.at, BLANKS ";");
		if (*p.at == '\0' || *p.at == '#')
			break;
		r = parse_command(&p, &command);
		if (r >= 0 && nrd_vec_push(&line.commands, command) < 0)
			r = nrd_nomem(err);
		if (r < 0) {
			command_fini(&command);
			return r;
		}
	}
	*ret_line = line;
	line = (struct cfg_line){ 0 };
	return 0;
}

void
cfg_value_fini(struct cfg_value *value)
{
	nrd_strv_free(value->items);
	*value = (struct cfg_value){ 0 };
}

void
cfg_line_fini(struct cfg_line *line)
{
	nrd_vec_each(command, &line->commands)
		command_fini(command);
	nrd_vec_fini(&line->commands);
}

void
cfg_line_cleanup(struct cfg_line *line)
{
	cfg_line_fini(line);
}

char *
cfg_quote(const char *s)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	if (s[0] != '\0' && s[0] != '#' && strpbrk(s, BLANKS ";,=()[]\"\\") == NULL)
		return strdup(s);
	(void)nrd_buf_addc(&out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)nrd_buf_addc(&out, '\\');
		if (*s == '\n')
			(void)nrd_buf_adds(&out, "\\n");
		else
			(void)nrd_buf_addc(&out, *s);
	}
	(void)nrd_buf_addc(&out, '"');
	return nrd_buf_take(&out);
}
