/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/overlay-search.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "link/neigh-priv.h"
#include "link/overlay.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&overlay_answer_schema)
#define LINE_MAX_ 4096
#define ASKED_MAX 256 /* questions of this second that are remembered */

#define T struct overlay_answer
static const struct nrd_field fields[] = {
	NRD_FIELD_STR(T, overlay, NRD_REQUIRED, NULL),
	NRD_FIELD_MAC(T, mac, NRD_REQUIRED),
	NRD_FIELD_STR(T, node, NRD_OPTIONAL, NULL),
	NRD_FIELD_U64(T, port, NRD_OPTIONAL, 1, 65535),
	NRD_FIELD_STR(T, ip, NRD_OPTIONAL, NULL),
	NRD_FIELD_BOOL(T, gone, NRD_OPTIONAL),
};
const struct nrd_schema overlay_answer_schema = NRD_SCHEMA(T, present, fields, NULL);

void
overlay_answer_fini(struct overlay_answer *answer)
{
	nrd_object_fini(SCHEMA, answer);
}

void
overlay_answer_cleanup(struct overlay_answer *answer)
{
	overlay_answer_fini(answer);
}

int
overlay_answer_parse(const char *line, size_t len, struct overlay_answer *ret_answer, struct nrd_err *err)
{
	const struct nrd_json_limits limits = { .max = LINE_MAX_, .depth = 4 };
	struct nrd_err why = { 0 };
	int r = nrd_decode_text(SCHEMA, line, len, &limits, 0, ret_answer, &why);

	if (r < 0)
		return nrd_fail(err, EINVAL, "BadAnswer", "answer: %s", why.msg);
	if (!ret_answer->gone && ret_answer->node == NULL) {
		overlay_answer_fini(ret_answer);
		return nrd_fail(err, EINVAL, "BadAnswer", "answer: node is missing");
	}
	if (!NRD_HAS(SCHEMA, ret_answer, port))
		ret_answer->port = OVERLAY_PORT;
	return 0;
}

static int
take(const char *line, size_t len, struct nrd_err *err)
{
	NRD_AUTO(overlay_answer) a = { 0 };
	NRD_AUTO(datalink) d = { 0 };
	struct overlay_target t;
	int r = overlay_answer_parse(line, len, &a, err);

	if (r == 0)
		r = datalink_read(DATALINK_RUN, NULL, a.overlay, &d, err);
	if (r == 0 && (d.class_ != DATALINK_OVERLAY || !nrd_streq(d.search, "agent")))
		r = nrd_fail(err, EINVAL, "BadAnswer", "answer: link '%s' is no overlay that an agent is asked for", d.name);
	if (r < 0)
		return r;
	if (a.gone)
		return overlay_target_remove(&d, &a.mac, err);
	t = (struct overlay_target){ .mac = a.mac, .ip = a.node, .port = a.port };
	if (a.ip != NULL && strchr(a.ip, ':') != NULL)
		t.ndp = a.ip;
	else
		t.arp = a.ip;
	return overlay_target_set(&d, &t, err);
}

/* ---- questions ---- */

struct asked {
	unsigned ifindex;
	struct nrd_mac mac;
	struct switch_prefix ip;
};

struct search {
	const char *name;
	int out;
	time_t second;
	struct asked asked[ASKED_MAX];
	size_t n;
};

static bool
is_new(struct search *s, const struct neigh *n)
{
	struct timespec now = { 0 };
	struct asked a;

	memset(&a, 0, sizeof(a));
	a.ifindex = n->ifindex;
	a.mac = n->mac;
	a.ip.family = n->ip.family;
	memcpy(a.ip.addr, n->ip.addr, sizeof(a.ip.addr));
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != s->second)
		s->n = 0;
	s->second = now.tv_sec;
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(&s->asked[i], &a, sizeof(a)) == 0)
			return false;
	if (s->n == ASKED_MAX)
		return false;
	s->asked[s->n++] = a;
	return true;
}

static int
ask(struct search *s, const struct datalink *d, const struct neigh *n, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) line = NRD_BUF_INIT(LINE_MAX_);
	char mac[NRD_MAC_TEXT], ip[INET6_ADDRSTRLEN];
	struct nrd_jw w;
	int r;

	nrd_jw_init(&w, &line, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	nrd_jw_kstr(&w, "overlay", d->name);
	nrd_jw_ku64(&w, "vnetid", d->vnetid);
	if (n->has_mac) {
		nrd_mac_format(&n->mac, mac);
		nrd_jw_kstr(&w, "mac", mac);
	}
	if (n->ip.family != 0 && inet_ntop(n->ip.family, n->ip.addr, ip, sizeof(ip)) != NULL)
		nrd_jw_kstr(&w, "ip", ip);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r == 0 && nrd_buf_addc(&line, '\n') < 0)
		r = nrd_nomem(err);
	return r == 0 ? nrd_write_all(s->out, nrd_buf_str(&line), line.len, err) : r;
}

/* Overlays come and go while this runs: whose the interface is, their records say. */
static int
question(struct search *s, const struct neigh *n, struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	int r;

	if ((!n->has_mac && n->ip.family == 0) || !is_new(s, n))
		return 0;
	r = datalinks_read(DATALINK_RUN, DATALINK_GLOBAL, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++) {
		const struct datalink *d = &links.links[i];

		if (d->class_ == DATALINK_OVERLAY && d->ifindex == n->ifindex && nrd_streq(d->search, "agent") &&
		    (s->name == NULL || nrd_streq(d->name, s->name)))
			return ask(s, d, n, err);
	}
	return r;
}

static int
hear(struct search *s, int fd, struct nrd_err *err)
{
	_Alignas(8) unsigned char buf[8192];
	ssize_t len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	bool asked, done;
	struct neigh n;
	size_t at = 0;
	int r = 0;

	/* More questions than there was room for: they will be asked again. */
	if (len < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : nrd_fail(err, errno, "OverlaySearch", "hear the kernel: %m");
	while (r == 0 && neigh_next(buf, (size_t)len, &at, &n, &asked, &done))
		if (asked)
			r = question(s, &n, err);
	return r;
}

/* ---- answers ---- */

struct lines {
	char text[LINE_MAX_];
	size_t len;
	bool skips; /* the rest of a line that is too long */
};

/* 1: there may be more, 0: they end. */
static int
read_lines(struct lines *l, int in, void (*warn)(const struct nrd_err *why), struct nrd_err *err)
{
	ssize_t got = read(in, l->text + l->len, sizeof(l->text) - l->len);
	char *end;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : nrd_fail(err, errno, "OverlaySearch", "read answers: %m");
	if (got == 0)
		return 0;
	l->len += (size_t)got;
	while ((end = memchr(l->text, '\n', l->len)) != NULL) {
		size_t len = (size_t)(end - l->text);
		struct nrd_err why = { 0 };

		if (!l->skips && len > 0 && take(l->text, len, &why) < 0)
			warn(&why);
		l->skips = false;
		l->len -= len + 1;
		memmove(l->text, end + 1, l->len);
	}
	if (l->len == sizeof(l->text)) {
		struct nrd_err why = { 0 };

		(void)nrd_fail(&why, EFBIG, "BadAnswer", "answer: a line of more than %d bytes", LINE_MAX_);
		if (!l->skips)
			warn(&why);
		l->skips = true;
		l->len = 0;
	}
	return 1;
}

int
overlay_search_run(const char *name, int in, int out, void (*warn)(const struct nrd_err *why), struct nrd_err *err)
{
	NRD_FREE struct search *s = calloc(1, sizeof(*s));
	NRD_FREE struct lines *l = calloc(1, sizeof(*l));
	NRD_CLOSE int fd = neigh_listen();
	struct pollfd fds[] = { { .fd = in, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	int r = 1;

	if (s == NULL || l == NULL)
		return nrd_nomem(err);
	if (fd < 0)
		return nrd_fail(err, -fd, "OverlaySearch", "listen to the kernel: %m");
	s->name = name;
	s->out = out;
	while (r > 0) {
		if (poll(fds, nrd_count(fds), -1) < 0) {
			if (errno != EINTR)
				return nrd_fail(err, errno, "OverlaySearch", "wait: %m");
			continue;
		}
		if ((fds[1].revents & POLLIN) != 0) {
			r = hear(s, fd, err);
			r = r == 0 ? 1 : r;
		}
		if (r > 0 && fds[0].revents != 0)
			r = read_lines(l, in, warn, err);
	}
	return r;
}
