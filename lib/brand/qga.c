/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "brand/qga.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/mem.h"

#define READ_BYTES ((size_t)16 << 10)
#define DELIMITER  '\xff' /* in no JSON text: what an agent had half read is dropped at it, and so is what we had */

void
qga_end(struct qga *a)
{
	if (a->fd >= 0)
		(void)close(a->fd);
	nrd_buf_fini(&a->in);
	*a = (struct qga)QGA_NONE;
}

int64_t
qga_left_ms(const struct qga *a)
{
	int64_t left = a->end_ms - nrd_now_ms();

	return left > 0 ? left : 0;
}

/* A connection of which nobody has read anything yet has room for all of it. */
static int
say(const struct qga *a, const char *text, size_t len, struct nrd_err *err)
{
	ssize_t n = send(a->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n == (ssize_t)len)
		return 0;
	return nrd_fail(err, EPIPE, "AgentFailed", "%s: the agent cannot be told: %s", a->command, n < 0 ? strerror(errno) : "no room");
}

int
qga_begin(struct qga *a, int fd, const char *command, int64_t limit_ms, struct nrd_err *err)
{
	uint32_t number = 0;
	char text[128];
	int len, r;

	qga_end(a);
	*a = (struct qga){
		.fd = fd,
		.command = command,
		.end_ms = nrd_now_ms() + QGA_SYNC_MS,
		.limit_ms = limit_ms,
		.left = QGA_BYTES_MAX,
		.in = NRD_BUF_INIT(QGA_LINE_MAX + READ_BYTES),
	};
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		r = nrd_fail(err, errno, "AgentFailed", "%s: getrandom: %m", command);
	else
		r = 0;
	a->number = number;
	len = snprintf(text, sizeof(text), "%c{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" PRIu64 "}}\n", DELIMITER,
		       a->number);
	if (r == 0)
		r = say(a, text, (size_t)len, err);
	if (r < 0)
		qga_end(a);
	return r;
}

static int
tell_command(struct qga *a, struct nrd_err *err)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "{\"execute\":\"%.80s\"}\n", a->command);

	a->told = true;
	a->end_ms = nrd_now_ms() + a->limit_ms;
	return say(a, text, (size_t)len, err);
}

/* What follows the line's last delimiter. */
static bool
is_number(const struct qga *a, const char *line, size_t len)
{
	const char *mark = memrchr(line, DELIMITER, len);
	NRD_AUTO(nrd_json) *doc = NULL;
	uint64_t number;

	return mark != NULL && nrd_json_parse(mark + 1, len - (size_t)(mark + 1 - line), NULL, &doc, NULL) == 0 &&
	       nrd_get_u64(nrd_json_root(doc), "return", &number) && number == a->number;
}

/* Drops whole lines, up to the one with the number. */
static bool
take_number(struct qga *a)
{
	const char *line = nrd_buf_str(&a->in), *const all = line + a->in.len, *end;
	bool found = false;

	while (!found && (end = memchr(line, '\n', (size_t)(all - line))) != NULL) {
		found = is_number(a, line, (size_t)(end - line));
		line = end + 1;
	}
	nrd_buf_drop(&a->in, a->in.len - (size_t)(all - line));
	return found;
}

static int
take_answer(struct qga *a, struct nrd_json **ret_answer, struct nrd_err *err)
{
	const char *end = a->in.len > 0 ? memchr(a->in.data, '\n', a->in.len) : NULL;
	NRD_AUTO(nrd_json) *doc = NULL;
	const struct nrd_val *error;
	const char *why;

	if (end == NULL)
		return a->in.len <= QGA_LINE_MAX ? 0 :
						     nrd_fail(err, EPROTO, "AgentFailed", "%s: the agent's answer is too long", a->command);
	if (nrd_json_parse(a->in.data, (size_t)(end - a->in.data), NULL, &doc, NULL) < 0)
		return nrd_fail(err, EPROTO, "AgentFailed", "%s: what the agent says is no JSON", a->command);
	error = nrd_val_get(nrd_json_root(doc), "error");
	why = nrd_get_str(error, "desc");
	if (error != NULL)
		return nrd_fail(err, EIO, "AgentFailed", "%s: the agent says: %.200s", a->command, why != NULL ? why : "error");
	if (nrd_val_get(nrd_json_root(doc), "return") == NULL)
		return nrd_fail(err, EPROTO, "AgentFailed", "%s: what the agent says is no answer", a->command);
	*ret_answer = NRD_TAKE(doc);
	return 1;
}

static int
receive(struct qga *a, struct nrd_err *err)
{
	ssize_t n;

	if (a->left == 0)
		return nrd_fail(err, EPROTO, "AgentFailed", "%s: the agent talks without end", a->command);
	if (nrd_buf_reserve(&a->in, READ_BYTES) < 0)
		return a->in.failed == -EFBIG ? nrd_fail(err, EPROTO, "AgentFailed", "%s: the agent's answer is too long", a->command) :
						nrd_nomem(err);
	n = recv(a->fd, a->in.data + a->in.len, a->left < READ_BYTES ? a->left : READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		a->in.len += (size_t)n;
		a->left -= (size_t)n;
		return 0;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : nrd_fail(err, EPIPE, "AgentFailed", "%s: QEMU ended", a->command);
}

static int
turn(struct qga *a, struct nrd_json **ret_answer, struct nrd_err *err)
{
	int r = receive(a, err);

	if (r == 0 && !a->told && take_number(a))
		r = tell_command(a, err);
	if (r == 0 && a->told)
		r = take_answer(a, ret_answer, err);
	if (r == 0 && qga_left_ms(a) == 0)
		r = nrd_fail(err, ETIMEDOUT, "AgentFailed", "%s: the agent does not answer", a->command);
	return r;
}

int
qga_turn(struct qga *a, struct nrd_json **ret_answer, struct nrd_err *err)
{
	int r = turn(a, ret_answer, err);

	if (r != 0)
		qga_end(a);
	return r;
}
