/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/ask.h"

#include <fcntl.h>
#include <pty.h>

#include "node/check.h"
#include "nrd-test.h"
#include "nrd/mem.h"

/* A person at a pipe: `typed` is all that will ever come. What is shown goes to `shown`. */
struct person {
	struct ask ask;
	int shown;
	char text[8192];
};

static void
sits_down(struct person *p, const char *typed)
{
	int in[2];
	int out[2];
	struct nrd_err err = { 0 };

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
	CHECK_INT(write(in[1], typed, strlen(typed)), strlen(typed));
	(void)close(in[1]);
	p->shown = out[0];
	CHECK_INT(ask_open(&p->ask, in[0], out[1], &err), 0);
}

static const char *
sees(struct person *p)
{
	ssize_t n = read(p->shown, p->text, sizeof(p->text) - 1);

	p->text[n > 0 ? n : 0] = '\0';
	return p->text;
}

static void
leaves(struct person *p)
{
	ask_close(&p->ask);
	(void)close(p->ask.in);
	(void)close(p->ask.out);
	(void)close(p->shown);
}

static const struct ask_question address = {
	.prompt = "Address",
	.dflt = "dhcp",
	.check = node_check_ip4_dhcp,
	.help = "HELP",
};

static void
takes_the_default(void)
{
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *answer = NULL;

	sits_down(&p, "\r\n");
	CHECK_INT(ask_text(&p.ask, &address, &answer, &err), 0);
	CHECK_STR(answer, "dhcp");
	CHECK_STR(sees(&p), "Address [dhcp]: ");
	leaves(&p);
}

static void
says_why_and_asks_again(void)
{
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *answer = NULL;

	sits_down(&p, "10.0.0.300\n?\n  10.0.0.3 \n");
	CHECK_INT(ask_text(&p.ask, &address, &answer, &err), 0);
	CHECK_STR(answer, "10.0.0.3");
	sees(&p);
	CHECK(strstr(p.text, "\"10.0.0.300\" is not") != NULL);
	CHECK(strstr(p.text, "HELP\n") != NULL);
	CHECK_INT(strstr(strstr(p.text, "HELP"), "Address [dhcp]: ") != NULL, 1);
	leaves(&p);
}

static void
wants_an_answer(void)
{
	static const struct ask_question name = { .prompt = "Name" };
	static const struct ask_question free_text = { .prompt = "Any", .empty_ok = true,
						       .empty_is = "none" };
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *answer = NULL;
	NRD_FREE char *second = NULL;

	sits_down(&p, "\nme\n\n");
	CHECK_INT(ask_text(&p.ask, &name, &answer, &err), 0);
	CHECK_STR(answer, "me");
	CHECK_INT(ask_text(&p.ask, &free_text, &second, &err), 0);
	CHECK_STR(second, "");
	CHECK(strstr(sees(&p), "Any [none]: ") != NULL);
	leaves(&p);
}

static void
edits_the_line(void)
{
	struct person p = { 0 };
	char line[32];

	/* Backspace over UTF-8, kill the line, a cursor key, a CR LF as one end. */
	sits_down(&p, "abc\xc3\xa4\x7f\x08" "d\r\nxyz\x15" "new\x1b[A!\rtail");
	CHECK_INT(ask_line(&p.ask, line, sizeof(line), false, NULL), ASK_LINE);
	CHECK_STR(line, "abd");
	CHECK_INT(ask_line(&p.ask, line, sizeof(line), false, NULL), ASK_LINE);
	CHECK_STR(line, "new!");
	CHECK_INT(ask_line(&p.ask, line, sizeof(line), false, NULL), ASK_LINE);
	CHECK_STR(line, "tail");
	CHECK_INT(ask_line(&p.ask, line, sizeof(line), false, NULL), ASK_END);
	leaves(&p);
}

static void
keeps_within_the_line(void)
{
	struct person p = { 0 };
	char line[5];

	sits_down(&p, "123456789\n");
	CHECK_INT(ask_line(&p.ask, line, sizeof(line), false, NULL), ASK_LINE);
	CHECK_STR(line, "1234");
	leaves(&p);
}

static void
interrupt_asks_whether_to_begin_again(void)
{
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *answer = NULL;

	sits_down(&p, "10\x03n\ndhcp\n\x03y\n");
	CHECK_INT(ask_text(&p.ask, &address, &answer, &err), 0);
	CHECK_STR(answer, "dhcp");
	CHECK_INT(ask_text(&p.ask, &address, &answer, &err), -ECANCELED);
	CHECK_STR(err.code, "AskAgain");
	leaves(&p);
}

static void
notices_the_end(void)
{
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	NRD_FREE char *answer = NULL;

	sits_down(&p, "nonsense\n");
	CHECK_INT(ask_text(&p.ask, &address, &answer, &err), -EPIPE);
	CHECK_STR(err.code, "AskEnd");
	leaves(&p);
}

static void
yes_and_no(void)
{
	struct person p = { 0 };
	struct nrd_err err = { 0 };
	bool yes = false;

	sits_down(&p, "perhaps\nyes\n\n");
	CHECK_INT(ask_yes(&p.ask, "Sure?", false, "help", &yes, &err), 0);
	CHECK(yes);
	CHECK_INT(ask_yes(&p.ask, "Sure?", false, "help", &yes, &err), 0);
	CHECK(!yes);
	leaves(&p);
}

static bool
happened(void *arg)
{
	int *times = arg;

	return ++*times == 2;
}

static void
an_event_ends_the_wait(void)
{
	int times = 0;
	int in[2];
	int event[2];
	struct ask ask = { 0 };
	struct ask_watch watch = { .happened = happened, .arg = &times };
	char line[16];

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(event, O_CLOEXEC) == 0);
	CHECK_INT(write(event[1], "x", 1), 1);
	watch.fd = event[0];
	CHECK_INT(ask_open(&ask, in[0], STDERR_FILENO, NULL), 0);
	CHECK_INT(ask_line(&ask, line, sizeof(line), false, &watch), ASK_EVENT);
	CHECK_INT(times, 2);
}

/* On a terminal: echoed, but not when hidden, and the terminal is as before afterwards. */
static void
terminal_is_restored(void)
{
	int master;
	int slave;
	struct ask ask;
	struct termios before;
	struct termios after;
	struct nrd_err err = { 0 };
	char line[64];
	char shown[256];
	size_t n = 0;

	CHECK_INT(openpty(&master, &slave, NULL, NULL, NULL), 0);
	CHECK_INT(tcgetattr(slave, &before), 0);
	CHECK_INT(ask_open(&ask, slave, slave, &err), 0);
	CHECK_INT(write(master, "open\rsecret\r", 12), 12);
	CHECK_INT(ask_line(&ask, line, sizeof(line), false, NULL), ASK_LINE);
	CHECK_STR(line, "open");
	CHECK_INT(ask_line(&ask, line, sizeof(line), true, NULL), ASK_LINE);
	CHECK_STR(line, "secret");
	while (n < strlen("open\r\n\r\n")) {
		ssize_t more = read(master, shown + n, sizeof(shown) - 1 - n);

		CHECK(more > 0);
		n += (size_t)more;
	}
	shown[n] = '\0';
	CHECK_STR(shown, "open\r\n\r\n");
	/* TCSADRAIN waits for what was shown to be read. */
	ask_close(&ask);
	CHECK_INT(tcgetattr(slave, &after), 0);
	CHECK_INT(before.c_lflag, after.c_lflag);
	CHECK_INT(before.c_iflag, after.c_iflag);
	(void)close(master);
	(void)close(slave);
}

TEST_MAIN(takes_the_default, says_why_and_asks_again, wants_an_answer, edits_the_line,
	  keeps_within_the_line, interrupt_asks_whether_to_begin_again, notices_the_end, yes_and_no,
	  an_event_ends_the_wait, terminal_is_restored)
