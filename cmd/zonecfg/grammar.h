/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nrd/err.h"
#include "nrd/vec.h"

/*
 * The language of zonecfg: lines of commands between ";". A command is a verb and arguments:
 *
 *	word			add net, create -b
 *	name=value		set physical=net0
 *	value			add options [ro,nodev]
 *
 * A value is one word, a list [a,b] or (a,b), or complex (name=a,value=b); a complex value's
 * members may be lists. "..." makes one word of what has blanks and punctuation in it; in quotes
 * \" \\ and \n are a quote, a backslash and a line end. "#" begins a comment where a command may
 * begin.
 */
enum cfg_value_kind {
	CFG_NONE,    /* a word alone */
	CFG_SIMPLE,  /* items[0] */
	CFG_LIST,    /* items */
	CFG_COMPLEX, /* name, value, name, value; a list as value is joined by commas */
};

struct cfg_value {
	enum cfg_value_kind kind;
	char **items; /* owned */
};

struct cfg_arg {
	char *word;  /* the word or the name before "="; NULL: a list or complex value alone */
	bool quoted; /* it is never an option */
	struct cfg_value value;
};

struct cfg_command {
	char *verb;
	NRD_VEC(struct cfg_arg) args;
};

struct cfg_line {
	NRD_VEC(struct cfg_command) commands;
};

#define CFG_LINE_MAX ((size_t)64 << 10)
#define CFG_ITEMS_MAX 1024

/* "BadSyntax" (-EINVAL), saying where. ret_line is empty on failure. */
int cfg_parse(const char *text, struct cfg_line *ret_line, struct nrd_err *err);
void cfg_line_fini(struct cfg_line *line);
void cfg_line_cleanup(struct cfg_line *line);
void cfg_value_fini(struct cfg_value *value);

/* The text so that cfg_parse reads it as one word: in quotes where it needs them. NULL: no memory. */
char *cfg_quote(const char *s);
