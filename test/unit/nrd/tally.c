/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/tally.h"

#include "nrd-test.h"
#include "nrd/mem.h"

static void
what_was_added(void)
{
	__attribute__((cleanup(nrd_tally_cleanup))) struct nrd_tally t = { 0 };
	uint64_t a[] = { 10, 5 }, b[] = { 7, 7 };

	CHECK_INT(nrd_tally_since(&t, "a", a, 2), 0);
	CHECK_INT(a[0], 10);
	CHECK_INT(nrd_tally_since(&t, "b", b, 2), 0);
	CHECK_INT(b[0], 7);
	a[0] = 12, a[1] = 5;
	CHECK_INT(nrd_tally_since(&t, "a", a, 2), 0);
	CHECK_INT(a[0], 2);
	CHECK_INT(a[1], 0);
	/* A link that was made anew begins at nothing. */
	a[0] = 3, a[1] = 6;
	CHECK_INT(nrd_tally_since(&t, "a", a, 2), 0);
	CHECK_INT(a[0], 3);
	CHECK_INT(a[1], 1);
}

static void
in_words(void)
{
	static const struct { uint64_t n; char unit; const char *text; } cases[] = {
		{ 0, '\0', "0" }, { 999, '\0', "999" }, { 1000, '\0', "1.00K" }, { 1234567, '\0', "1.23M" }, { 999994, '\0', "999.99K" },
		{ 999999, '\0', "1.00M" }, { UINT64_MAX, '\0', "18446.74P" }, { 1234, 'R', "1234" }, { 1234, 'M', "0.00M" },
		{ 5, 'K', "0.01K" }, { 2500000, 'M', "2.50M" },
	};
	char text[NRD_TALLY_TEXT];

	for (size_t i = 0; i < nrd_count(cases); i++) {
		nrd_tally_text(cases[i].n, cases[i].unit, text);
		CHECK_STR(text, cases[i].text);
	}
}

struct times {
	int calls, firsts, fail_at;
};

static int
count(void *arg, bool first, struct nrd_err *err)
{
	struct times *t = arg;

	t->calls++;
	t->firsts += first;
	return t->calls == t->fail_at ? nrd_fail(err, EIO, "Test", "enough") : 0;
}

static void
again_and_again(void)
{
	struct times t = { 0 };
	struct nrd_err err = { 0 };

	CHECK_OK(nrd_repeat(0, 5, count, &t, &err), err);
	CHECK_INT(t.calls, 1);
	t = (struct times){ 0 };
	CHECK_OK(nrd_repeat(1, 2, count, &t, &err), err);
	CHECK_INT(t.calls, 2);
	CHECK_INT(t.firsts, 1);
	t = (struct times){ .fail_at = 1 };
	CHECK_FAILS(nrd_repeat(1, 0, count, &t, &err), err, EIO, "Test");
}

static void
operands(void)
{
	struct nrd_tally_opts opts = { 0 };
	struct nrd_tally_how how;
	struct nrd_err err = { 0 };
	char five[] = "5", two[] = "2", word[] = "net0", *argv[] = { five, two, NULL }, *bad[] = { word, NULL };

	CHECK_OK(nrd_tally_settle(&opts, 2, argv, &how, &err), err);
	CHECK_INT(how.interval, 5);
	CHECK_INT(how.times, 2);
	CHECK_INT(how.unit, '\0');
	CHECK_FAILS(nrd_tally_settle(&opts, 1, bad, &how, &err), err, EINVAL, "Usage");
	opts.interval = 1;
	CHECK_FAILS(nrd_tally_settle(&opts, 1, argv, &how, &err), err, EINVAL, "Usage");
	opts = (struct nrd_tally_opts){ .parsable = true };
	CHECK_FAILS(nrd_tally_settle(&opts, 0, argv, &how, &err), err, EINVAL, "Usage");
	opts.fields = "link";
	CHECK_OK(nrd_tally_settle(&opts, 0, argv, &how, &err), err);
	CHECK_INT(how.unit, 'R');
	opts = (struct nrd_tally_opts){ .unit = "KM" };
	CHECK_FAILS(nrd_tally_settle(&opts, 0, argv, &how, &err), err, EINVAL, "Usage");
	CHECK(nrd_tally_is_number("10") && !nrd_tally_is_number("0a47/eth0") && !nrd_tally_is_number(""));
}

TEST_MAIN(what_was_added, in_words, again_and_again, operands)
