/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/state.h"

#define LINE_MAX_BYTES ((size_t)1024)
#define KEEP_BYTES (1 << 20) /* then the file begins anew; numbers go on */

/* The number of the last line: its first member. */
static uint64_t
last_seq(int fd, off_t size)
{
	char tail[LINE_MAX_BYTES * 2 + 1];
	off_t from = size > (off_t)sizeof(tail) - 1 ? size - ((off_t)sizeof(tail) - 1) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail) - 1, from);
	const char *at = NULL;
	char digits[24] = "";
	uint64_t seq = 0;

	if (n <= 0)
		return 0;
	tail[n] = '\0';
	for (const char *p = tail; (p = strstr(p, "{\"seq\":")) != NULL; p++)
		at = p;
	if (at != NULL) {
		at += strlen("{\"seq\":");
		(void)snprintf(digits, sizeof(digits), "%.*s", (int)strspn(at, "0123456789"), at);
	}
	return nrd_parse_u64(digits, 0, UINT64_MAX - 1, &seq, NULL) < 0 ? 0 : seq;
}

static int
format(uint64_t seq, const char *zone, const char *event, const char *from, const char *to,
       struct nrd_buf *out, struct nrd_err *err)
{
	char text[NRD_DATE_TEXT];
	struct nrd_jw w;
	int r;

	nrd_date_format(nrd_date_ms(), text);
	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_ku64(&w, "seq", seq);
	nrd_jw_kstr(&w, "time", text);
	nrd_jw_kstr(&w, "zone", zone);
	nrd_jw_kstr(&w, "event", event);
	if (from != NULL)
		nrd_jw_kstr(&w, "from", from);
	if (to != NULL)
		nrd_jw_kstr(&w, "to", to);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_buf_adds(out, "\n");
}

int
zone_event(const char *zone, const char *event, const char *from, const char *to,
	   uint64_t *ret_seq, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) line = NRD_BUF_INIT(LINE_MAX_BYTES);
	NRD_CLOSE int fd = open(ZONE_EVENTS_PATH, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct stat st;
	uint64_t seq;
	int r;

	if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "ZoneEvent", "open " ZONE_EVENTS_PATH ": %m");
	seq = last_seq(fd, st.st_size) + 1;
	r = format(seq, zone, event, from, to, &line, err);
	if (r < 0)
		return r;
	if (st.st_size > KEEP_BYTES && ftruncate(fd, 0) < 0)
		return nrd_fail(err, errno, "ZoneEvent", "shorten " ZONE_EVENTS_PATH ": %m");
	r = nrd_write_all(fd, nrd_buf_str(&line), line.len, err);
	if (r >= 0 && ret_seq != NULL)
		*ret_seq = seq;
	return r;
}
