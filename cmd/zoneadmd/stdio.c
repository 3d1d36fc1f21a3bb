/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Standard input, output and error of a zone whose life is one process: three FIFOs in the zone's
 * directory in RAM, so that a zoneadmd that takes over finds them again. The zone has its ends of
 * the output open for both directions: a reader that was killed is no broken pipe to it. What it
 * says goes to zlogin -I, to the console, and to a file as Docker's json-file driver writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zoneadmd.h"

#define LOG_BYTES ((off_t)8 << 20) /* then it is stdio.log.1, in place of the one before */
#define LINE_BYTES ((size_t)PIECE * 8)

static const char *const names[] = { "stdin", "stdout", "stderr" };

static void
fifo_path(const struct zoneadmd *z, int stream, char ret_path[192])
{
	(void)snprintf(ret_path, 192, ZONE_RUN_DIR "/%.80s/%s", z->name, names[stream]);
}

static void
shut(int *fd)
{
	nrd_closep(fd);
	*fd = -1;
}

/* ---- the log ---- */

static void
log_path(const struct zoneadmd *z, const char *end, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/" ZONE_LOGS_DIR "/stdio.log%s", z->config.zonepath, end);
}

/* Nobody but the node's root has a say above the zone's root, where this is. */
static void
log_open(struct zoneadmd *z)
{
	struct nrd_err err = { 0 };
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/" ZONE_LOGS_DIR, z->config.zonepath);
	shut(&z->stdio_log);
	if (nrd_mkdir_p(path, 0700, &err) < 0) {
		nrd_log(NRD_WARN, "ignoring: no log of what it says", NRD_S("zone", z->name), NRD_ERR(&err));
		return;
	}
	log_path(z, "", path, sizeof(path));
	z->stdio_log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (z->stdio_log < 0)
		nrd_log(NRD_WARN, "ignoring: no log of what it says", NRD_S("zone", z->name), NRD_S("path", path));
}

static void
log_turn(struct zoneadmd *z)
{
	char path[1024];
	char old[1024];
	struct stat st;

	if (z->stdio_log < 0 || fstat(z->stdio_log, &st) < 0 || st.st_size < LOG_BYTES)
		return;
	log_path(z, "", path, sizeof(path));
	log_path(z, ".1", old, sizeof(old));
	if (rename(path, old) == 0)
		log_open(z);
}

static void
log_line(const struct zoneadmd *z, const char *stream, const char *data, size_t len)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(LINE_BYTES);
	NRD_FREE char *text = nrd_str_dup(nrd_strn(data, len));
	char now[NRD_DATE_TEXT];
	struct nrd_jw w;

	if (text == NULL)
		return;
	/* A zero byte would end the text. */
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '\0' ? '\x1a' : text[i];
	nrd_date_format(nrd_date_ms(), now);
	nrd_jw_init(&w, &out, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "log", text);
	nrd_jw_kstr(&w, "stream", stream);
	nrd_jw_kstr(&w, "time", now);
	nrd_jw_obj_close(&w);
	if (nrd_jw_finish(&w, NULL) >= 0 && nrd_buf_addc(&out, '\n') >= 0)
		(void)nrd_write_all(z->stdio_log, nrd_buf_str(&out), out.len, NULL);
}

void
stdio_log(struct zoneadmd *z, const char *stream, const char *data, size_t len)
{
	if (z->stdio_log < 0)
		return;
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end != NULL ? (size_t)(end - data) + 1 : len;

		log_line(z, stream, data, n);
		data += n;
		len -= n;
	}
	log_turn(z);
}

/* ---- the streams ---- */

static int
make_fifo(const struct zoneadmd *z, int stream, uid_t owner, struct nrd_err *err)
{
	char path[192];

	fifo_path(z, stream, path);
	(void)unlink(path);
	/* Its user's, who may open /dev/stdout. */
	if (mkfifo(path, 0600) < 0 || chown(path, owner, (gid_t)-1) < 0)
		return nrd_fail(err, errno, "ZoneStdio", "make %s: %m", path);
	return 0;
}

static int
open_fifo(const struct zoneadmd *z, int stream, int flags)
{
	char path[192];

	fifo_path(z, stream, path);
	return open(path, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
}

static bool
open_both(struct zoneadmd *z, int stream)
{
	int theirs = open_fifo(z, stream, stream == 0 ? O_RDONLY : O_RDWR);

	z->boot.stdio[stream] = theirs;
	z->stdio[stream] = open_fifo(z, stream, stream == 0 ? O_WRONLY : O_RDWR);
	return theirs >= 0 && z->stdio[stream] >= 0 &&
	       fcntl(theirs, F_SETFL, fcntl(theirs, F_GETFL) & ~O_NONBLOCK) == 0;
}

/* The user of its process, as the node counts. */
static uid_t
owner_of(const struct zoneadmd *z)
{
	char first[16] = "";
	uint64_t uid = 0;

	if (z->spec.user != NULL)
		(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(z->spec.user, ":"), z->spec.user);
	if (nrd_parse_u64(first, 0, z->config.id_count - 1, &uid, NULL) < 0)
		uid = 0;
	return (uid_t)(z->config.id_base + uid);
}

int
stdio_open(struct zoneadmd *z, struct nrd_err *err)
{
	stdio_close(z);
	if (!z->config.docker)
		return 0;
	log_open(z);
	if (z->config.docker_tty)
		return 0;
	for (int i = z->config.docker_stdin ? 0 : 1; i <= 2; i++) {
		int r = make_fifo(z, i, owner_of(z), err);

		if (r >= 0 && !open_both(z, i))
			r = nrd_fail(err, errno, "ZoneStdio", "open its %s: %m", names[i]);
		if (r < 0) {
			stdio_close(z);
			return r;
		}
	}
	return 0;
}

void
stdio_started(struct zoneadmd *z)
{
	for (int i = 0; i <= 2; i++) {
		shut(&z->boot.stdio[i]);
	}
}

void
stdio_adopt(struct zoneadmd *z)
{
	if (!z->config.docker)
		return;
	log_open(z);
	z->stdio[0] = open_fifo(z, 0, O_WRONLY);
	for (int i = 1; i <= 2; i++)
		z->stdio[i] = open_fifo(z, i, O_RDWR);
}

void
stdio_end_input(struct zoneadmd *z)
{
	shut(&z->stdio[0]);
	z->to_stdin.len = 0;
}

void
stdio_close(struct zoneadmd *z)
{
	char path[192];

	stdio_end_input(z);
	stdio_started(z);
	shut(&z->stdio_log);
	for (int i = 0; i <= 2; i++) {
		shut(&z->stdio[i]);
		fifo_path(z, i, path);
		(void)unlink(path);
	}
}

/* On the console a line ends as terminals want it. */
static void
show_on_console(struct zoneadmd *z, const char *data, size_t len)
{
	char out[2 * PIECE];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			out[n++] = '\r';
		out[n++] = data[i];
	}
	console_show(z, out, n);
}

static bool
read_piece(struct zoneadmd *z, int stream)
{
	char data[PIECE];
	ssize_t n = read(z->stdio[stream], data, sizeof(data));

	if (n <= 0)
		return false;
	if (stream == 1) {
		console_spread(z, CLIENT_STDIO, data, (size_t)n);
		console_spread(z, CLIENT_STDOUT, data, (size_t)n);
	} else {
		console_spread(z, CLIENT_STDERR, data, (size_t)n);
	}
	show_on_console(z, data, (size_t)n);
	stdio_log(z, names[stream], data, (size_t)n);
	return true;
}

void
stdio_readable(struct zoneadmd *z, int stream)
{
	(void)read_piece(z, stream);
}

void
stdio_drain(struct zoneadmd *z)
{
	for (int stream = 1; stream <= 2; stream++)
		for (int i = 0; i < DRAIN_PIECES && z->stdio[stream] >= 0 && read_piece(z, stream); i++)
			;
}
