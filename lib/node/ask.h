/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "nrd/err.h"
#include "nrd/schema.h"

/*
 * Questions on a terminal: plain ASCII, a line at a time, no cursor movement but backspace, so that
 * it works on any serial line. It edits the line itself, as the terminal is in raw mode: what is
 * typed is echoed here, and ^C is a character. Input from a pipe is not echoed.
 */
#define ASK_LINE_MAX 20000 /* an SSH key is one line */

struct ask {
	int in;
	int out;
	bool tty;
	bool skip_lf; /* the last byte was a CR: an LF after it belongs to it */
	struct termios saved;
};

/* Puts a terminal into raw mode; anything else is used as it is. */
int ask_open(struct ask *ask, int in, int out, struct nrd_err *err);

/* Restores the terminal. */
void ask_close(struct ask *ask);
void ask_cleanup(struct ask *ask);

void ask_say(struct ask *ask, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ask_put(struct ask *ask, const char *text);

enum ask_key {
	ASK_LINE,      /* a line was given */
	ASK_INTERRUPT, /* ^C */
	ASK_END,       /* ^D on an empty line, or the terminal went away */
	ASK_EVENT,     /* the watch ended the wait; the line so far is lost */
};

/* Something else to look at while a person types: when fd is readable, happened() is asked. */
struct ask_watch {
	int fd;
	bool (*happened)(void *arg); /* empties fd; true ends the wait */
	void *arg;
};

/* Reads one line into dst without its end. watch may be NULL. hidden: nothing is echoed. */
enum ask_key ask_line(struct ask *ask, char *dst, size_t size, bool hidden,
		      const struct ask_watch *watch);

struct ask_question {
	const char *prompt;
	const char *dflt;    /* taken when nothing is typed; NULL: something must be */
	const char *help;    /* for "?" */
	nrd_check_fn *check; /* or NULL */
	bool hidden;
	bool empty_ok;       /* an empty answer is one (when there is no dflt) */
	const char *empty_is; /* how the empty answer is shown in the brackets, or NULL */
};

/*
 * Asks until the answer is good, telling in one line why one is not. Caller frees. "AskAgain"
 * (-ECANCELED): ^C, and the person wants to begin anew. "AskEnd" (-EPIPE): no more input.
 */
int ask_text(struct ask *ask, const struct ask_question *q, char **ret_answer,
	     struct nrd_err *err);

/* "y" or "n". */
int ask_yes(struct ask *ask, const char *prompt, bool dflt, const char *help, bool *ret_yes,
	    struct nrd_err *err);
