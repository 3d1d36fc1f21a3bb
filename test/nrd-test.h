/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Unit tests: one program a file, TAP on standard output, abort at the first failure (the
 * sanitizers and the core then show where). A test is a function; main is TEST_MAIN with their
 * list.
 *
 *	static void
 *	adds_up(void)
 *	{
 *		CHECK_INT(1 + 1, 2);
 *	}
 *
 *	TEST_MAIN(adds_up)
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *test_name;
static unsigned test_number;

__attribute__((noreturn, format(printf, 3, 4))) static inline void
test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	(void)printf("not ok %u - %s\n# %s:%d: ", test_number, test_name, file, line);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
	(void)fflush(stdout);
	abort();
}

#define CHECK(cond)                                                           \
	do {                                                                  \
		if (!(cond))                                                  \
			test_fail(__FILE__, __LINE__, "%s", #cond);           \
	} while (0)

#define CHECK_INT(got, want)                                                                       \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_)                                                                 \
			test_fail(__FILE__, __LINE__, "%s: got %lld, want %lld", #got, got_, want_); \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (got_ == NULL || strcmp(got_, want_) != 0)                                      \
			test_fail(__FILE__, __LINE__, "%s: got \"%s\", want \"%s\"", #got,         \
				  got_ != NULL ? got_ : "(null)", want_);                          \
	} while (0)

#define CHECK_HAS(text, part)                                                                      \
	do {                                                                                       \
		const char *text_ = (text), *part_ = (part);                                       \
		if (strstr(text_, part_) == NULL)                                                  \
			test_fail(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", part_, text_);    \
	} while (0)

/* A call that must succeed; says why it did not. e is the struct nrd_err it was given. */
#define CHECK_OK(call, e)                                                                          \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ < 0)                                                                        \
			test_fail(__FILE__, __LINE__, "%s: %d %s: %s", #call, r_, (e).code,        \
				  (e).msg);                                                        \
	} while (0)

/* A call that must fail with this errno and this code. */
#define CHECK_FAILS(call, e, num_, code_)                                                          \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ != -(num_) || (e).num != (num_) || strcmp((e).code, code_) != 0)            \
			test_fail(__FILE__, __LINE__, "%s: %d, num %d, code %s: %s", #call, r_,    \
				  (e).num, (e).code, (e).msg);                                     \
	} while (0)

#define TEST_MAIN(...)                                                                             \
	int main(void)                                                                             \
	{                                                                                          \
		void (*const tests[])(void) = { __VA_ARGS__ };                                     \
		return test_run(tests, sizeof(tests) / sizeof(tests[0]), #__VA_ARGS__);            \
	}

/* names is the text of the list: "a, b, c". */
static inline int
test_run(void (*const *tests)(void), size_t n, const char *names)
{
	char name[64];

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(names, ", \n\t");

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
		names += len + strspn(names + len, ", \n\t");
		test_name = name;
		test_number = (unsigned)i + 1;
		tests[i]();
		(void)printf("ok %zu - %s\n", i + 1, name);
	}
	return 0;
}

/* A fresh directory below $TMPDIR or /tmp; dir has room for 64 bytes. Left behind on failure. */
static inline void
test_mkdir(char dir[64])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, 64, "%.40s/nrd-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	CHECK(mkdtemp(dir) != NULL);
}
