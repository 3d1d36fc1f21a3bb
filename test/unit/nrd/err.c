/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/err.h"

#include "nrd-test.h"

static void
fills_and_returns(void)
{
	struct nrd_err err = { 0 };

	errno = EBADF;
	CHECK_INT(nrd_fail(&err, ENOENT, "ZoneNotFound", "open %s: %m", "/x"), -ENOENT);
	CHECK_INT(err.num, ENOENT);
	CHECK_STR(err.code, "ZoneNotFound");
	CHECK_STR(err.msg, "open /x: No such file or directory");
	CHECK(nrd_err_is(&err, "ZoneNotFound"));
	CHECK(!nrd_err_is(&err, "Zone"));
	CHECK(!nrd_err_is(NULL, "Zone"));
	CHECK_INT(nrd_fail(NULL, EIO, "X", "x"), -EIO);
	CHECK_INT(nrd_nomem(&err), -ENOMEM);
	CHECK_STR(err.code, "NoMemory");
}

static void
arguments_may_be_its_own(void)
{
	struct nrd_err err = { 0 };

	(void)nrd_fail(&err, EIO, "A", "inner");
	(void)nrd_fail(&err, EIO, "B", "outer: %s (%s)", err.msg, err.code);
	CHECK_STR(err.msg, "outer: inner (A)");
}

static void
wraps_outermost_first(void)
{
	struct nrd_err err = { 0 };

	CHECK_INT(nrd_wrap(&err, -EIO, "nothing to wrap"), -EIO);
	CHECK_STR(err.msg, "");
	(void)nrd_fail(&err, EIO, "X", "mount /proc");
	CHECK_INT(nrd_wrap(&err, -EIO, "boot %s", "web0"), -EIO);
	CHECK_STR(err.msg, "boot web0: mount /proc");
	CHECK_INT(nrd_wrap(NULL, -EIO, "x"), -EIO);
}

/*
 * The context is kept while it fits to the byte, dropped when it does not; the cause always
 * stays.
 */
static void
keeps_the_cause(void)
{
	struct nrd_err err = { 0 };
	char cause[474];

	memset(cause, 'c', sizeof(cause) - 1);
	cause[sizeof(cause) - 1] = '\0';
	(void)nrd_fail(&err, EIO, "X", "%s", cause);
	(void)nrd_wrap(&err, -EIO, "abcde");
	CHECK_STR(err.msg, cause);
	(void)nrd_wrap(&err, -EIO, "abcd");
	CHECK_INT(strlen(err.msg), 479);
	CHECK(strncmp(err.msg, "abcd: ccc", 9) == 0);
}

static void
cuts_what_is_too_long(void)
{
	struct nrd_err err = { 0 };

	(void)nrd_fail(&err, EIO, "ACodeThatIsMuchTooLongForItsField", "%600d", 1);
	CHECK_INT(strlen(err.msg), sizeof(err.msg) - 1);
	CHECK_INT(strlen(err.code), sizeof(err.code) - 1);
}

static void
is_one_safe_line(void)
{
	struct nrd_err err = { 0 };

	(void)nrd_fail(&err, EIO, "X", "a\nb\033[31m\x7f\xc2\x9b" "2J \xc3\xa9");
	CHECK_STR(err.msg, "a?b?[31m???2J \xc3\xa9");
}

TEST_MAIN(fills_and_returns, arguments_may_be_its_own, wraps_outermost_first, keeps_the_cause,
	  cuts_what_is_too_long, is_one_safe_line)
