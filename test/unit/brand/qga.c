/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/qga.h"

#include <poll.h>
#include <sys/socket.h>

#include "nrd-test.h"
#include "nrd/clock.h"
#include "nrd/mem.h"

#define SYNC "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":"

/* Both ends: the question, and the guest that answers it. */
struct talk {
	struct qga qga;
	struct nrd_json *answer;
	struct nrd_err err;
	int guest;
};

static void
begin(struct talk *t, int64_t limit_ms)
{
	int ends[2];

	*t = (struct talk){ .qga = QGA_NONE };
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	t->guest = ends[1];
	CHECK_OK(qga_begin(&t->qga, ends[0], "guest-info", limit_ms, &t->err), t->err);
}

static void
end(struct talk *t)
{
	qga_end(&t->qga);
	nrd_json_cleanup(&t->answer);
	if (t->guest >= 0)
		(void)close(t->guest);
}

static void
say(struct talk *t, const char *text, size_t len)
{
	CHECK_INT(write(t->guest, text, len), len);
}

static int
turn(struct talk *t)
{
	return qga_turn(&t->qga, &t->answer, &t->err);
}

static void
hear(struct talk *t, char *dst, size_t size)
{
	ssize_t n = read(t->guest, dst, size - 1);

	dst[n > 0 ? n : 0] = '\0';
}

static unsigned long
number_asked(struct talk *t)
{
	char said[256];

	hear(t, said, sizeof(said));
	CHECK(strncmp(said, SYNC, strlen(SYNC)) == 0 && said[strlen(said) - 1] == '\n');
	return strtoul(said + strlen(SYNC), NULL, 10);
}

static void
say_number(struct talk *t, unsigned long number, const char *more)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "\xff{\"return\": %lu}\n%s", number, more);

	say(t, text, (size_t)len);
}

static void
synced(struct talk *t)
{
	char said[256];

	say_number(t, number_asked(t), "");
	CHECK_INT(turn(t), 0);
	hear(t, said, sizeof(said));
	CHECK_STR(said, "{\"execute\":\"guest-info\"}\n");
}

static void
an_answer(void)
{
	struct talk t;

	begin(&t, 1000);
	synced(&t);
	/* In pieces, as it comes. */
	say(&t, "{\"return\": {\"version\":", 22);
	CHECK_INT(turn(&t), 0);
	say(&t, " \"10\"}}\n", 8);
	CHECK_INT(turn(&t), 1);
	CHECK_STR(nrd_get_str(nrd_val_get(nrd_json_root(t.answer), "return"), "version"), "10");
	CHECK_INT(t.qga.fd, -1);
	end(&t);
}

/* What another question was answered too late, with and without its number, is nothing to us. */
static void
stale_answers(void)
{
	static const char stale[] = "{\"return\": {\"version\": \"9\"}}\n\xff{\"return\": 5}\n{\"return\": {}}\nhalf a line \xff\xff{\"ret";
	unsigned long number;
	struct talk t;
	char said[256];

	begin(&t, 1000);
	number = number_asked(&t);
	say(&t, stale, sizeof(stale) - 1);
	CHECK_INT(turn(&t), 0);
	/* The number without the delimiter could be any command's. */
	(void)snprintf(said, sizeof(said), "urn\": %lu}\n{\"return\": %lu}\n", number ^ 1, number);
	say(&t, said, strlen(said));
	CHECK_INT(turn(&t), 0);
	hear(&t, said, sizeof(said));
	CHECK_STR(said, "");
	say_number(&t, number, "{\"return\": {\"version\": \"10\"}}\n");
	CHECK_INT(turn(&t), 1);
	CHECK_STR(nrd_get_str(nrd_val_get(nrd_json_root(t.answer), "return"), "version"), "10");
	end(&t);
}

static void
refusals(void)
{
	static const struct {
		const char *said;
		int r;
		const char *words;
	} wrong[] = {
		{ "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no \\u001b[2J such\"}}\n", -EIO, "guest-info: the agent says: no ?[2J such" },
		{ "{\"error\": 7}\n", -EIO, "the agent says: error" },
		{ "{\"event\": 7}\n", -EPROTO, "is no answer" },
		{ "[]\n", -EPROTO, "is no answer" },
		{ "\n", -EPROTO, "no JSON" },
		{ "{\"return\": }\n", -EPROTO, "no JSON" },
	};

	for (size_t i = 0; i < nrd_count(wrong); i++) {
		struct talk t;

		begin(&t, 1000);
		synced(&t);
		say(&t, wrong[i].said, strlen(wrong[i].said));
		CHECK_INT(turn(&t), wrong[i].r);
		CHECK_STR(t.err.code, "AgentFailed");
		CHECK_HAS(t.err.msg, wrong[i].words);
		CHECK_INT(t.qga.fd, -1);
		end(&t);
	}
}

/* Turns until it is over. */
static int
flooded(struct talk *t, const char *text)
{
	int r;

	do
		while (write(t->guest, text, strlen(text)) > 0)
			;
	while ((r = turn(t)) == 0);
	return r;
}

static void
floods(void)
{
	struct talk t;

	/* Lines before the number, a line without an end there, and one as its answer. */
	begin(&t, 1000);
	CHECK_INT(flooded(&t, "{\"return\": {}}\n"), -EPROTO);
	CHECK_HAS(t.err.msg, "without end");
	end(&t);
	begin(&t, 1000);
	CHECK_INT(flooded(&t, "\xff\xff\xff{{{{{{"), -EPROTO);
	end(&t);
	begin(&t, 1000);
	synced(&t);
	CHECK_INT(flooded(&t, "[[[[\"aaaaaaaaaaaaaaaa"), -EPROTO);
	CHECK_HAS(t.err.msg, "too long");
	end(&t);
}

static void
silence(void)
{
	struct talk t;
	struct pollfd p;
	int64_t begun = nrd_now_ms();

	begin(&t, 20);
	CHECK(qga_left_ms(&t.qga) > QGA_SYNC_MS / 2);
	synced(&t);
	p = (struct pollfd){ .fd = t.qga.fd, .events = POLLIN };
	CHECK_INT(poll(&p, 1, (int)qga_left_ms(&t.qga)), 0);
	while (turn(&t) == 0)
		CHECK(nrd_now_ms() - begun < 5000);
	CHECK_INT(t.err.num, ETIMEDOUT);
	end(&t);
	/* QEMU is gone. */
	begin(&t, 1000);
	(void)close(t.guest);
	t.guest = -1;
	CHECK_INT(turn(&t), -EPIPE);
	end(&t);
}

TEST_MAIN(an_answer, stale_answers, refusals, floods, silence)
