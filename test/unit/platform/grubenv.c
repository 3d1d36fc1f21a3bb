/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd-test.h"

#include <sys/stat.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "platform/grubenv.h"

#define A "20260101T000000Z"
#define B "20260202T000000Z"
#define HEADER "# GRUB Environment Block\n"

/* The text filled up as GRUB does. */
static void
block(const char *text, char data[PLATFORM_GRUBENV_BYTES])
{
	memset(data, '#', PLATFORM_GRUBENV_BYTES);
	memcpy(data, text, strlen(text));
}

static int
parse(const char *text, struct platform_grubenv *env, struct nrd_err *err)
{
	char data[PLATFORM_GRUBENV_BYTES];

	block(text, data);
	return platform_grubenv_parse(data, sizeof(data), env, err);
}

static void
reads_what_grub_wrote(void)
{
	struct platform_grubenv env;
	struct nrd_err err = { 0 };

	CHECK_OK(parse(HEADER "current=" A "\nnext=" B "\ntries=1\n", &env, &err), err);
	CHECK_STR(env.current, A);
	CHECK_STR(env.next, B);
	CHECK_STR(env.previous, "");
	CHECK_INT(env.tries, 1);
	CHECK_STR(env.rest, "");
	CHECK_OK(parse(HEADER, &env, &err), err);
	CHECK_STR(env.current, "");
	CHECK_OK(parse(HEADER "current=\nfailed=\ntries=\n", &env, &err), err);
	CHECK_STR(env.current, "");
	CHECK_INT(env.tries, 0);
}

static void
keeps_other_variables(void)
{
	static const char text[] = HEADER "current=" A "\nsaved_entry=a\\\nb=\\\\\nx=\n";
	struct platform_grubenv env, again;
	char data[PLATFORM_GRUBENV_BYTES];
	struct nrd_err err = { 0 };

	CHECK_OK(parse(text, &env, &err), err);
	CHECK_STR(env.rest, "saved_entry=a\\\nb=\\\\\nx=\n");
	CHECK_OK(platform_grubenv_format(&env, data, &err), err);
	CHECK(memcmp(data, text, sizeof(text) - 1) == 0);
	CHECK(data[PLATFORM_GRUBENV_BYTES - 1] == '#');
	CHECK_OK(platform_grubenv_parse(data, sizeof(data), &again, &err), err);
	CHECK(memcmp(&env, &again, sizeof(env)) == 0);
}

static void
writes_what_grub_reads(void)
{
	static const char want[] = HEADER "current=" A "\nprevious=" B "\nnext=" B
					  "\ntries=2\n####";
	struct platform_grubenv env = { .current = A, .previous = B, .next = B, .tries = 2 };
	char data[PLATFORM_GRUBENV_BYTES];
	struct nrd_err err = { 0 };

	CHECK_OK(platform_grubenv_format(&env, data, &err), err);
	CHECK(memcmp(data, want, sizeof(want) - 1) == 0);
	/* All that matters is in the first sector, which a disk writes whole or not at all. */
	CHECK(memchr(data, '#', PLATFORM_GRUBENV_BYTES) == data);
	CHECK(data[511] == '#');
}

static void
refuses_damage(void)
{
	static const char *const texts[] = {
		"", "# GRUB environment block\n", HEADER "current=" A,
		HEADER "current\n", HEADER "\n", HEADER "current=2026\n",
		HEADER "current=20261301T000000Z\n", HEADER "tries=3\n", HEADER "tries=11\n",
		HEADER "tries=-1\n", HEADER "current=" A "\n### current\n",
	};
	struct platform_grubenv env;
	char data[PLATFORM_GRUBENV_BYTES] = { 0 };

	for (size_t i = 0; i < nrd_count(texts); i++) {
		struct nrd_err err = { 0 };

		CHECK_FAILS(parse(texts[i], &env, &err), err, EBADMSG, "BadGrubenv");
	}
	for (size_t len = 0; len < PLATFORM_GRUBENV_BYTES; len += 93) {
		struct nrd_err err = { 0 };

		block(HEADER, data);
		CHECK_FAILS(platform_grubenv_parse(data, len, &env, &err), err, EBADMSG,
			    "BadGrubenv");
	}
	for (size_t i = 0; i < 60; i++) {
		struct nrd_err err = { 0 };

		block(HEADER "current=" A "\n", data);
		data[i] = '\0';
		CHECK_FAILS(platform_grubenv_parse(data, sizeof(data), &env, &err), err, EBADMSG,
			    "BadGrubenv");
	}
}

static void
full_block_is_an_error(void)
{
	struct platform_grubenv env = { .current = A };
	char data[PLATFORM_GRUBENV_BYTES];
	struct nrd_err err = { 0 };

	memset(env.rest, 'x', sizeof(env.rest) - 1);
	CHECK_FAILS(platform_grubenv_format(&env, data, &err), err, EFBIG, "GrubenvFull");
}

static void
file_is_rewritten_in_place(void)
{
	struct platform_grubenv env = { .current = A }, got;
	struct nrd_err err = { 0 };
	struct stat before, after;
	char dir[64];
	NRD_FREE char *path = NULL;

	test_mkdir(dir);
	path = nrd_path_join(dir, "grubenv");
	CHECK_FAILS(platform_grubenv_read(path, &got, &err), err, ENOENT, "FileOpen");
	CHECK_OK(platform_grubenv_write(path, &env, &err), err);
	CHECK(stat(path, &before) == 0);
	CHECK_INT(before.st_size, PLATFORM_GRUBENV_BYTES);
	memcpy(env.next, B, sizeof(env.next));
	env.tries = 2;
	CHECK_OK(platform_grubenv_write(path, &env, &err), err);
	CHECK(stat(path, &after) == 0);
	CHECK(before.st_ino == after.st_ino);
	CHECK_OK(platform_grubenv_read(path, &got, &err), err);
	CHECK(memcmp(&env, &got, sizeof(env)) == 0);
	/* A file of a wrong size is of no use to GRUB: it is made anew. */
	CHECK(truncate(path, 10) == 0);
	CHECK_FAILS(platform_grubenv_read(path, &got, &err), err, EBADMSG, "BadGrubenv");
	CHECK_OK(platform_grubenv_write(path, &env, &err), err);
	CHECK_OK(platform_grubenv_read(path, &got, &err), err);
	CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

TEST_MAIN(reads_what_grub_wrote, keeps_other_variables, writes_what_grub_reads, refuses_damage,
	  full_block_is_an_error, file_is_rewritten_in_place)
