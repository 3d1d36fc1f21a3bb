/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nrd/buf.h"

#include <fcntl.h>

#include "nrd-test.h"
#include "nrd/mem.h"

static void
grows_and_terminates(void)
{
	NRD_AUTO(nrd_buf) b = { 0 };

	CHECK_STR(nrd_buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		CHECK_INT(nrd_buf_printf(&b, "%d,", i), 0);
	CHECK_INT(b.len, 3890);
	CHECK_INT(b.data[b.len], 0);
	CHECK(strncmp(b.data, "0,1,2,", 6) == 0);
	nrd_buf_drop(&b, 2);
	CHECK(strncmp(b.data, "1,2,", 4) == 0);
	nrd_buf_truncate(&b, 1);
	CHECK_STR(nrd_buf_str(&b), "1");
	nrd_buf_drop(&b, 100);
	CHECK_STR(nrd_buf_str(&b), "");
}

static void
stops_at_its_maximum(void)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(4);

	CHECK_INT(nrd_buf_adds(&b, "abcd"), 0);
	CHECK_INT(nrd_buf_addc(&b, 'e'), -EFBIG);
	CHECK_STR(nrd_buf_str(&b), "abcd");
	nrd_buf_truncate(&b, 2);
	CHECK_INT(nrd_buf_addc(&b, 'x'), -EFBIG); /* sticks */
	CHECK(nrd_buf_take(&b) == NULL);
	nrd_buf_reset(&b);
	CHECK_INT(nrd_buf_printf(&b, "%d", 1234), 0);
	CHECK_INT(nrd_buf_printf(&b, "%s", ""), 0);
	CHECK_INT(nrd_buf_printf(&b, "%d", 5), -EFBIG);
	CHECK_STR(nrd_buf_str(&b), "1234");
}

static void
refuses_overflow(void)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(100);

	CHECK_INT(nrd_buf_adds(&b, "x"), 0);
	CHECK_INT(nrd_buf_reserve(&b, SIZE_MAX), -EFBIG);
}

static void
gives_away(void)
{
	NRD_AUTO(nrd_buf) b = { 0 };
	NRD_FREE char *empty = nrd_buf_take(&b);

	CHECK_STR(empty, "");
	CHECK_INT(nrd_buf_adds(&b, "mine"), 0);
	NRD_FREE char *s = nrd_buf_take(&b);

	CHECK_STR(s, "mine");
	CHECK_INT(b.len, 0);
}

static void
reads_to_the_limit(void)
{
	struct nrd_err err = { 0 };
	int fds[2];

	for (size_t n = 9; n <= 11; n++) {
		NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(10);

		CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
		CHECK_INT(write(fds[1], "0123456789a", n), n);
		(void)close(fds[1]);
		if (n <= 10) {
			CHECK_OK(nrd_buf_read_fd(&b, fds[0], &err), err);
			CHECK_INT(b.len, n);
		} else {
			CHECK_FAILS(nrd_buf_read_fd(&b, fds[0], &err), err, EFBIG, "FileTooBig");
		}
		(void)close(fds[0]);
	}
	NRD_AUTO(nrd_buf) b = { 0 };

	CHECK_FAILS(nrd_buf_read_file(&b, "/nonexistent", &err), err, ENOENT, "FileOpen");
	CHECK_FAILS(nrd_buf_read_file(&b, "/", &err), err, EISDIR, "FileRead");
}

TEST_MAIN(grows_and_terminates, stops_at_its_maximum, refuses_overflow, gives_away,
	  reads_to_the_limit)
