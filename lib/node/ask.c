/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"

enum {
	KEY_INTERRUPT = 0x03,
	KEY_EOF = 0x04,
	KEY_BACKSPACE = 0x08,
	KEY_KILL = 0x15,
	KEY_ESCAPE = 0x1b,
	KEY_DELETE = 0x7f,
};

int
ask_open(struct ask *ask, int in, int out, struct nrd_err *err)
{
	struct termios raw;

	*ask = (struct ask){ .in = in, .out = out };
	if (!isatty(in))
		return 0;
	if (tcgetattr(in, &ask->saved) < 0)
		return nrd_fail(err, errno, "Terminal", "ask the terminal: %m");
	raw = ask->saved;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_oflag |= OPOST | ONLCR;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(in, TCSANOW, &raw) < 0)
		return nrd_fail(err, errno, "Terminal", "set the terminal: %m");
	ask->tty = true;
	return 0;
}

void
ask_close(struct ask *ask)
{
	if (ask->tty)
		(void)tcsetattr(ask->in, TCSADRAIN, &ask->saved);
	ask->tty = false;
}

void
ask_cleanup(struct ask *ask)
{
	ask_close(ask);
}

void
ask_put(struct ask *ask, const char *text)
{
	(void)nrd_write_all(ask->out, text, strlen(text), NULL);
}

void
ask_say(struct ask *ask, const char *fmt, ...)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT((size_t)64 << 10);
	va_list ap;

	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	ask_put(ask, nrd_buf_str(&b));
}

/* One byte, or why there is none. */
static enum ask_key
read_byte(struct ask *ask, const struct ask_watch *watch, unsigned char *ret)
{
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = ask->in, .events = POLLIN },
			{ .fd = watch != NULL ? watch->fd : -1, .events = POLLIN },
		};
		ssize_t n;

		if (watch != NULL) {
			if (poll(p, 2, -1) < 0)
				continue;
			/* Typing first, so that no key is lost to an event. */
			if (p[0].revents == 0) {
				if (watch->happened(watch->arg))
					return ASK_EVENT;
				continue;
			}
		}
		n = read(ask->in, ret, 1);
		if (n == 1)
			return ASK_LINE;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		return ASK_END;
	}
}

static void
echo(struct ask *ask, bool hidden, const char *text)
{
	if (ask->tty && !hidden)
		ask_put(ask, text);
}

/* Takes the last character off; one of UTF-8 may be several bytes. */
static size_t
erase(const char *dst, size_t n)
{
	while (n > 0 && ((unsigned char)dst[n - 1] & 0xc0) == 0x80)
		n--;
	return n > 0 ? n - 1 : 0;
}

/* Cursor keys and the like send ESC [ ... letter: none of them means anything here. */
static void
skip_escape(struct ask *ask)
{
	struct pollfd p = { .fd = ask->in, .events = POLLIN };
	unsigned char c;

	for (int i = 0; i < 16 && poll(&p, 1, 20) == 1; i++) {
		if (read(ask->in, &c, 1) != 1)
			return;
		if (i > 0 && c >= 0x40 && c <= 0x7e)
			return;
	}
}

enum ask_key
ask_line(struct ask *ask, char *dst, size_t size, bool hidden, const struct ask_watch *watch)
{
	size_t n = 0;

	for (;;) {
		unsigned char c;
		enum ask_key key = read_byte(ask, watch, &c);
		bool after_cr = ask->skip_lf;

		dst[n] = '\0';
		if (key != ASK_LINE)
			return key == ASK_END && n > 0 ? ASK_LINE : key;
		ask->skip_lf = c == '\r';
		if (c == '\n' && after_cr)
			continue;
		if (c == '\r' || c == '\n') {
			echo(ask, false, "\n");
			return ASK_LINE;
		}
		if (c == KEY_INTERRUPT) {
			echo(ask, false, "^C\n");
			return ASK_INTERRUPT;
		}
		if (c == KEY_EOF && n == 0)
			return ASK_END;
		if ((c == KEY_BACKSPACE || c == KEY_DELETE) && n > 0) {
			n = erase(dst, n);
			echo(ask, hidden, "\b \b");
		} else if (c == KEY_KILL) {
			for (; n > 0; n = erase(dst, n))
				echo(ask, hidden, "\b \b");
		} else if (c == KEY_ESCAPE) {
			skip_escape(ask);
		} else if (c >= ' ' && c != KEY_DELETE && n + 1 < size) {
			dst[n++] = (char)c;
			echo(ask, hidden, (const char[]){ (char)c, '\0' });
		}
	}
}

static int
end_of_input(struct nrd_err *err)
{
	return nrd_fail(err, EPIPE, "AskEnd", "no more input");
}

/* ^C: leave this round of questions? */
static int
interrupted(struct ask *ask, struct nrd_err *err)
{
	char line[64];

	ask_put(ask, "Begin again with the first question? (y/n) [n]: ");
	switch (ask_line(ask, line, sizeof(line), false, NULL)) {
	case ASK_LINE:
		if (line[0] != 'y' && line[0] != 'Y')
			return 0;
		break;
	case ASK_INTERRUPT:
		break;
	default:
		return end_of_input(err);
	}
	return nrd_fail(err, ECANCELED, "AskAgain", "begin again");
}

static void
prompt(struct ask *ask, const struct ask_question *q)
{
	const char *shown = q->dflt != NULL ? q->dflt : q->empty_ok ? q->empty_is : NULL;

	if (shown != NULL)
		ask_say(ask, "%s [%s]: ", q->prompt, shown);
	else
		ask_say(ask, "%s: ", q->prompt);
}

/* NULL when the answer will not do and that was said. */
static const char *
judge(struct ask *ask, const struct ask_question *q, const char *line)
{
	struct nrd_err why = { 0 };

	if (line[0] == '\0') {
		if (q->dflt != NULL || q->empty_ok)
			return q->dflt != NULL ? q->dflt : "";
		ask_put(ask, "  An answer is needed; ? explains.\n");
		return NULL;
	}
	if (q->check != NULL && q->check(line, &why) < 0) {
		ask_say(ask, "  %s\n", why.msg);
		return NULL;
	}
	return line;
}

int
ask_text(struct ask *ask, const struct ask_question *q, char **ret_answer, struct nrd_err *err)
{
	char line[ASK_LINE_MAX];
	int r = 0;

	for (;;) {
		const char *answer = NULL;
		struct nrd_str text;

		prompt(ask, q);
		switch (ask_line(ask, line, sizeof(line), q->hidden, NULL)) {
		case ASK_LINE:
			break;
		case ASK_INTERRUPT:
			r = interrupted(ask, err);
			if (r < 0)
				return r;
			continue;
		default:
			return end_of_input(err);
		}
		if (nrd_streq(line, "?") && q->help != NULL) {
			ask_say(ask, "%s\n", q->help);
			continue;
		}
		if (!q->hidden) {
			text = nrd_str_trim(nrd_str(line));
			memmove(line, text.data, text.len);
			line[text.len] = '\0';
		}
		answer = judge(ask, q, line);
		if (answer == NULL)
			continue;
		*ret_answer = nrd_format("%s", answer);
		if (q->hidden)
			explicit_bzero(line, sizeof(line));
		return *ret_answer == NULL ? nrd_nomem(err) : 0;
	}
}

static int
check_yes_no(const char *s, struct nrd_err *err)
{
	static const char *const words[] = { "y", "yes", "n", "no", "Y", "N", NULL };

	return nrd_strv_has(words, s) ? 0 : nrd_fail(err, EINVAL, "BadAnswer", "y or n");
}

int
ask_yes(struct ask *ask, const char *text, bool dflt, const char *help, bool *ret_yes,
	struct nrd_err *err)
{
	const struct ask_question q = {
		.prompt = text,
		.dflt = dflt ? "y" : "n",
		.help = help,
		.check = check_yes_no,
	};
	NRD_FREE char *answer = NULL;
	int r = ask_text(ask, &q, &answer, err);

	if (r < 0)
		return r;
	*ret_yes = answer[0] == 'y' || answer[0] == 'Y';
	return 0;
}
