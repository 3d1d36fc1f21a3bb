/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/mem.h"
#include "zone/fdpass.h"

#define LINE_MAX_BYTES ((size_t)256 << 10)
#define READ_BYTES     ((size_t)16 << 10)

void
qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		(void)close(q->fd);
	q->fd = -1;
	nrd_buf_fini(&q->in);
}

/* The next message, when a whole line is there: 1. */
static int
take_message(struct qmp *q, struct nrd_json **ret_doc)
{
	for (;;) {
		const char *end = q->in.len > 0 ? memchr(q->in.data, '\n', q->in.len) : NULL;
		size_t len = end != NULL ? (size_t)(end - q->in.data) : 0;
		int r;

		if (end == NULL)
			return 0;
		r = nrd_json_parse(q->in.data, len, NULL, ret_doc, NULL);
		nrd_buf_drop(&q->in, len + 1);
		if (r == 0)
			return 1;
	}
}

/* 1: something came. -EPIPE: it is gone, or says without end what is no line. */
static int
read_some(struct qmp *q)
{
	ssize_t n;

	if (nrd_buf_reserve(&q->in, READ_BYTES) < 0)
		return -EPIPE;
	n = recv(q->fd, q->in.data + q->in.len, READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		q->in.len += (size_t)n;
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

/* The next message that is no event; the caller frees it. */
static int
await_message(struct qmp *q, int64_t end_ms, struct nrd_json **ret_doc, struct nrd_err *err)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = q->fd, .events = POLLIN }, { .fd = q->pidfd, .events = POLLIN } };
		NRD_AUTO(nrd_json) *doc = NULL;
		int64_t left = end_ms - nrd_now_ms();

		while (take_message(q, &doc) == 1) {
			if (nrd_get_str(nrd_json_root(doc), "event") == NULL) {
				*ret_doc = NRD_TAKE(doc);
				return 0;
			}
			q->on_event(q->ctx, nrd_json_root(doc));
			nrd_json_cleanup(&doc);
			doc = NULL;
		}
		if (left <= 0)
			return nrd_fail(err, ETIMEDOUT, "QemuFailed", "QEMU does not answer");
		if (poll(p, 2, (int)left) > 0 && p[0].revents != 0 && read_some(q) < 0)
			return nrd_fail(err, EPIPE, "QemuFailed", "QEMU ended");
		if (p[1].revents != 0 && p[0].revents == 0)
			return nrd_fail(err, EPIPE, "QemuFailed", "QEMU ended");
	}
}

static int
await_answer(struct qmp *q, const char *name, int64_t end_ms, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = await_message(q, end_ms, &doc, err);
	const struct nrd_val *error = r == 0 ? nrd_val_get(nrd_json_root(doc), "error") : NULL;
	const char *why = nrd_get_str(error, "desc");

	if (error != NULL)
		r = nrd_fail(err, EIO, "QemuFailed", "%.200s", why != NULL ? why : "?");
	if (r < 0)
		return nrd_wrap(err, r, "%s", name);
	if (ret_doc != NULL)
		*ret_doc = NRD_TAKE(doc);
	return 0;
}

/* fd: what goes with it, or -1. */
static int
ask_with(struct qmp *q, const char *name, const struct nrd_val *arguments, int fd, int64_t end_ms, struct nrd_json **ret_doc,
	 struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LINE_MAX_BYTES);
	struct nrd_jw w;
	int r;

	if (q->fd < 0)
		return nrd_fail(err, ENOTCONN, "QemuFailed", "%s: there is no connection to QEMU's monitor", name);
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "execute", name);
	if (arguments != NULL)
		nrd_jw_kval(&w, "arguments", arguments);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0 && nrd_buf_addc(&text, '\n') < 0)
		r = nrd_nomem(err);
	if (r < 0)
		return r;
	if (fd >= 0)
		r = zone_fd_send_with(q->fd, nrd_buf_str(&text), text.len, fd, err);
	else if (send(q->fd, nrd_buf_str(&text), text.len, MSG_NOSIGNAL) != (ssize_t)text.len)
		r = nrd_fail(err, errno, "QemuFailed", "%s: send: %m", name);
	return r < 0 ? r : await_answer(q, name, end_ms, ret_doc, err);
}

int
qmp_ask(struct qmp *q, const char *name, const struct nrd_val *arguments, int64_t end_ms, struct nrd_json **ret_doc,
	struct nrd_err *err)
{
	return ask_with(q, name, arguments, -1, end_ms, ret_doc, err);
}

__attribute__((format(printf, 5, 0))) static int
tell_with(struct qmp *q, struct nrd_json **ret_doc, const char *name, int fd, const char *fmt, va_list ap, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *arguments = NULL;
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(LINE_MAX_BYTES);
	int r = nrd_buf_vprintf(&text, fmt, ap) < 0 ? nrd_nomem(err) : 0;

	if (r == 0)
		r = nrd_json_parse(nrd_buf_str(&text), text.len, NULL, &arguments, err);
	return r < 0 ? r : ask_with(q, name, nrd_json_root(arguments), fd, nrd_now_ms() + QMP_ANSWER_MS, ret_doc, err);
}

int
qmp_tell(struct qmp *q, struct nrd_err *err, const char *name, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = tell_with(q, NULL, name, -1, fmt, ap, err);
	va_end(ap);
	return r;
}

__attribute__((format(printf, 6, 7))) static int
give(struct qmp *q, struct nrd_json **ret_doc, struct nrd_err *err, const char *name, int fd, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = tell_with(q, ret_doc, name, fd, fmt, ap, err);
	va_end(ap);
	return r;
}

int
qmp_add_fd(struct qmp *q, const char *name, int fd, unsigned *ret_set, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	uint64_t set = UINT64_MAX;
	int r = give(q, &doc, err, "add-fd", fd, "{\"opaque\":\"%s\"}", name);

	if (r < 0)
		return r;
	if (!nrd_val_u64(nrd_val_get(nrd_val_get(nrd_json_root(doc), "return"), "fdset-id"), &set) || set > UINT32_MAX)
		return nrd_fail(err, EPROTO, "QemuFailed", "add-fd: QEMU does not say which set it is");
	*ret_set = (unsigned)set;
	return 0;
}

int
qmp_get_fd(struct qmp *q, const char *name, int fd, struct nrd_err *err)
{
	return give(q, NULL, err, "getfd", fd, "{\"fdname\":\"%s\"}", name);
}

int
qmp_open(struct qmp *q, int fd, int pidfd, int64_t end_ms, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *greeting = NULL;
	int r;

	qmp_close(q);
	q->in = (struct nrd_buf)NRD_BUF_INIT(LINE_MAX_BYTES);
	q->fd = fd;
	q->pidfd = pidfd;
	r = await_message(q, end_ms, &greeting, err);
	if (r == 0)
		r = qmp_ask(q, "qmp_capabilities", NULL, end_ms, NULL, err);
	if (r < 0)
		qmp_close(q);
	return r;
}

void
qmp_turn(struct qmp *q)
{
	NRD_AUTO(nrd_json) *doc = NULL;
	int r;

	if (q->fd < 0)
		return;
	r = read_some(q);
	while (take_message(q, &doc) == 1) {
		q->on_event(q->ctx, nrd_json_root(doc));
		nrd_json_cleanup(&doc);
		doc = NULL;
	}
	if (r < 0)
		qmp_close(q);
}
