/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The metadata service. Everything that comes in is from a tenant, and zoneadmd works outside the
 * tenant's limits, so there is a bound on all of it: clients, bytes of a client, answers that
 * nobody fetches, and time. Time is a credit that grows by a share of what passes: who floods the
 * service is not read while it rests, and the console and the zone's init are seen to all the same.
 *
 * A change needs the zone's lock, which a command may hold while it waits for us: it is tried again
 * and again from the loop, never waited for.
 */
#include "mdata.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mdata/limits.h"
#include "mdata/machine.h"
#include "node/sysinfo.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/event.h"
#include "zoneadmd.h"

#define SHARE_PERCENT 10
#define CREDIT_US     1000000 /* most that can be saved up */
#define READ_BYTES    ((size_t)16 << 10)
#define HELD_MAX      ((size_t)128 << 10) /* of answers not fetched, before there are no more */
#define STALL_MS      10000 /* an answer that is not fetched for so long is dropped, with its client */
#define QUIET_MS      1000  /* then a client makes room for another one */
#define RETRY_MS      50
#define BLOCKED_MS    10000
#define EVENT_MS      1000
#define LOG_MS        60000

int
mdata_listen(struct zoneadmd *z, struct nrd_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	NRD_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char dir[128];
	int r;

	(void)snprintf(dir, sizeof(dir), ZONE_RUN_DIR "/%.64s/" ZONE_CONTROL, z->name);
	r = nrd_mkdir_p(dir, 0700, err);
	if (r < 0)
		return r;
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), ZONE_RUN_DIR "/%.64s/" ZONE_CONTROL "/metadata.sock",
		       z->name);
	(void)unlink(addr.sun_path); /* of one that was killed */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(addr.sun_path, 0600) < 0 || listen(fd, MDATA_CLIENTS) < 0)
		return nrd_fail(err, errno, "Zoneadmd", "listen at %s: %m", addr.sun_path);
	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		z->mdata.clients[i].fd = -1;
	z->mdata.credit_us = CREDIT_US;
	z->mdata.listener = nrd_take_fd(&fd);
	return 0;
}

/* ---- clients ---- */

static bool
anybody(const struct mdata *m)
{
	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		if (m->clients[i].fd >= 0)
			return true;
	return false;
}

/* With the last one goes all the memory that the service has taken. */
static void
drop(struct mdata *m, struct mdata_client *c)
{
	(void)close(c->fd);
	nrd_buf_fini(&c->in);
	nrd_buf_fini(&c->out);
	*c = (struct mdata_client){ .fd = -1 };
	if (anybody(m))
		return;
	nrd_json_cleanup(&m->config);
	nrd_json_cleanup(&m->sysinfo);
	m->config = NULL;
	m->sysinfo = NULL;
	(void)malloc_trim(0);
}

static bool
is_quiet(const struct mdata_client *c, int64_t now)
{
	return now - c->active_ms >= QUIET_MS;
}

/* Whose place the next client gets: nobody's, else that of the one that is silent longest. */
static size_t
next_place(const struct mdata *m, int64_t now)
{
	size_t best = MDATA_CLIENTS;

	for (size_t i = 0; i < MDATA_CLIENTS; i++) {
		const struct mdata_client *c = &m->clients[i];

		if (c->fd < 0)
			return i;
		if (!c->guest && is_quiet(c, now) &&
		    (best == MDATA_CLIENTS || c->active_ms < m->clients[best].active_ms))
			best = i;
	}
	return best;
}

/* In place of who is there. Takes the descriptor. */
static void
put_client(struct mdata *m, size_t place, int fd, int64_t now)
{
	if (m->clients[place].fd >= 0)
		drop(m, &m->clients[place]);
	m->clients[place] = (struct mdata_client){
		.fd = fd,
		.active_ms = now,
		.in = NRD_BUF_INIT(MDATA_LINE_MAX + READ_BYTES),
		.out = NRD_BUF_INIT(MDATA_ANSWER_MAX),
	};
}

static void
take_client(struct mdata *m, int64_t now)
{
	size_t place = next_place(m, now);
	NRD_CLOSE int fd = -1;

	if (place == MDATA_CLIENTS)
		return;
	fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	put_client(m, place, nrd_take_fd(&fd), now);
}

void
mdata_serve(struct zoneadmd *z, int fd)
{
	struct mdata *m = &z->mdata;
	int64_t now = nrd_now_ms();
	size_t place = m->listener >= 0 ? next_place(m, now) : MDATA_CLIENTS;

	if (place == MDATA_CLIENTS) {
		(void)close(fd);
		return;
	}
	put_client(m, place, fd, now);
	m->clients[place].guest = true;
}

bool
mdata_serves(const struct mdata *m)
{
	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		if (m->clients[i].fd >= 0 && m->clients[i].guest)
			return true;
	return false;
}

static size_t
held(const struct mdata *m)
{
	size_t n = 0;

	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		n += m->clients[i].out.len;
	return n;
}

static bool
has_line(const struct mdata_client *c)
{
	return c->looked < c->in.len;
}

/* ---- answers ---- */

/* The machine's file as it is now; read again only when it was replaced. */
static int
read_config(struct zoneadmd *z, struct nrd_err *err)
{
	struct mdata *m = &z->mdata;
	NRD_AUTO(nrd_json) *config = NULL;
	struct stat st;
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), ZONE_DIR "/%.64s.json", z->name);
	if (stat(path, &st) < 0)
		return nrd_fail(err, errno, "FileRead", "read %s: %m", path);
	if (m->config != NULL && st.st_ino == m->read.st_ino && st.st_size == m->read.st_size &&
	    st.st_mtim.tv_sec == m->read.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == m->read.st_mtim.tv_nsec)
		return 0;
	r = nrd_json_read_file(path, NULL, &config, err);
	if (r < 0)
		return r;
	nrd_json_cleanup(&m->config);
	m->config = NRD_TAKE(config);
	m->read = st;
	/* A node that does not say what it is has none of these properties. */
	if (m->sysinfo == NULL)
		(void)nrd_json_read_file(NODE_SYSINFO_PATH, NULL, &m->sysinfo, NULL);
	return 0;
}

static int
read_machine(struct zoneadmd *z, const struct mdata_request *request, struct mdata_answer *answer,
	     struct nrd_err *err)
{
	int r = read_config(z, err);
	const struct mdata_machine machine = {
		z->name, nrd_json_root(z->mdata.config), nrd_json_root(z->mdata.sysinfo),
	};

	if (r < 0)
		return r;
	return mdata_machine_read(&machine, request, answer) < 0 ? nrd_nomem(err) : 0;
}

static void
tell_event(struct zoneadmd *z, int64_t now)
{
	struct mdata *m = &z->mdata;

	if (!m->event_due || now - m->event_ms < EVENT_MS)
		return;
	m->event_due = false;
	m->event_ms = now;
	(void)zone_event(z->name, "metadata", NULL, NULL, &z->run.seq, NULL);
}

/* 1: not yet, the zone's lock is held. */
static int
change_machine(struct zoneadmd *z, struct mdata_client *c, const struct mdata_request *request,
	       struct mdata_answer *answer, struct nrd_err *err)
{
	int64_t now = nrd_now_ms();
	bool changed = false;
	int r = mdata_machine_change(NULL, z->name, request, answer, &changed, err);

	if (r == -EBUSY) {
		c->blocked_ms = c->blocked_ms != 0 ? c->blocked_ms : now;
		if (now - c->blocked_ms < BLOCKED_MS) {
			z->mdata.retry_ms = now + RETRY_MS;
			return 1;
		}
	}
	c->blocked_ms = 0;
	z->mdata.event_due |= r >= 0 && changed;
	tell_event(z, now);
	return r;
}

/* The tenant is told that it failed; why is the node's business, and its log is in memory. */
static void
tell_failure(struct zoneadmd *z, int r, struct mdata_answer *answer, const struct nrd_err *why)
{
	int64_t now = nrd_now_ms();

	mdata_answer_fini(answer);
	answer->code = MDATA_FAILURE;
	(void)nrd_buf_adds(&answer->text, r == -EBUSY ? "another command is at work on this machine; try again"
						       : "the node cannot do it now; its operator can read why");
	if (r == -EBUSY || (z->mdata.logged_ms != 0 && now - z->mdata.logged_ms < LOG_MS))
		return;
	z->mdata.logged_ms = now;
	nrd_log(NRD_WARN, "a request for metadata failed", NRD_S("zone", z->name), NRD_ERR(why));
}

/* 1: later. */
static int
answer_line(struct zoneadmd *z, struct mdata_client *c, struct nrd_str line)
{
	NRD_AUTO(mdata_request) request = { 0 };
	NRD_AUTO(mdata_answer) answer = { 0 };
	struct nrd_err why = { 0 };
	int r = mdata_request_parse(line, &request);

	if (r < 0)
		return r;
	switch (request.op) {
	case MDATA_DROPPED:
		return 0;
	case MDATA_REFUSED:
		answer.code = MDATA_FAILURE;
		r = nrd_buf_adds(&answer.text, request.why);
		break;
	case MDATA_NEGOTIATE:
		break;
	case MDATA_GET:
	case MDATA_KEYS:
		r = read_machine(z, &request, &answer, &why);
		break;
	case MDATA_PUT:
	case MDATA_DELETE:
		r = change_machine(z, c, &request, &answer, &why);
		break;
	}
	if (r > 0)
		return r;
	if (r < 0)
		tell_failure(z, r, &answer, &why);
	return mdata_answer_format(&request, &answer, &c->out);
}

static void
look_for_line(struct mdata_client *c)
{
	const char *end = c->looked < c->in.len ?
				  memchr(c->in.data + c->looked, '\n', c->in.len - c->looked) : NULL;

	c->looked = end != NULL ? (size_t)(end - c->in.data) : c->in.len;
}

/* One line a turn. Without memory there is no answer, and no client. */
static void
serve(struct zoneadmd *z, struct mdata_client *c)
{
	int r = answer_line(z, c, nrd_strn(c->in.data, c->looked));

	if (r > 0)
		return;
	if (r < 0) {
		drop(&z->mdata, c);
		return;
	}
	nrd_buf_drop(&c->in, c->looked + 1);
	c->looked = 0;
	look_for_line(c);
	if (c->in.len == 0) {
		nrd_buf_fini(&c->in);
		c->in.max = MDATA_LINE_MAX + READ_BYTES;
	}
}

/* ---- bytes ---- */

static void
flush(struct mdata *m, struct mdata_client *c, int64_t now)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (now - c->active_ms >= STALL_MS)
			drop(m, c);
		return;
	}
	if (n < 0) {
		drop(m, c);
		return;
	}
	c->sent += (size_t)n;
	c->active_ms = now;
	if (c->sent == c->out.len) {
		nrd_buf_fini(&c->out);
		c->out.max = MDATA_ANSWER_MAX;
		c->sent = 0;
	}
}

static void
receive(struct mdata *m, struct mdata_client *c, int64_t now)
{
	ssize_t n;

	if (nrd_buf_reserve(&c->in, READ_BYTES) < 0) {
		drop(m, c);
		return;
	}
	n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->ended = true;
		return;
	}
	c->in.len += (size_t)n;
	c->active_ms = now;
	look_for_line(c);
	if (!has_line(c) && c->in.len > MDATA_LINE_MAX)
		drop(m, c);
}

/* ---- turns ---- */

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t
credit_at(const struct mdata *m, int64_t us)
{
	int64_t credit = m->credit_us + (us - m->counted_us) / (100 / SHARE_PERCENT);

	return credit < CREDIT_US ? credit : CREDIT_US;
}

static void
sooner(int *timeout_ms, int64_t ms)
{
	int wait = ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;

	if (*timeout_ms < 0 || wait < *timeout_ms)
		*timeout_ms = wait;
}

static void
poll_client(const struct mdata *m, const struct mdata_client *c, int64_t now, struct pollfd *p,
	    int *timeout_ms)
{
	if (c->fd < 0)
		return;
	if (c->out.len > 0) {
		*p = (struct pollfd){ .fd = c->fd, .events = POLLOUT };
		sooner(timeout_ms, c->active_ms + STALL_MS - now);
	} else if (c->blocked_ms != 0) {
		sooner(timeout_ms, m->retry_ms - now);
	} else if (has_line(c) || c->ended) {
		/* Those who do not fetch theirs are waited for. */
		sooner(timeout_ms, held(m) > HELD_MAX ? RETRY_MS : 0);
	} else {
		*p = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	}
}

void
mdata_poll(const struct mdata *m, struct pollfd p[MDATA_POLLS], int *timeout_ms)
{
	int64_t now = nrd_now_ms();
	int64_t credit = credit_at(m, now_us());

	for (size_t i = 0; i < MDATA_POLLS; i++)
		p[i] = (struct pollfd){ .fd = -1 };
	if (m->listener < 0)
		return;
	if (m->event_due)
		sooner(timeout_ms, m->event_ms + EVENT_MS - now);
	if (credit < 0) {
		sooner(timeout_ms, 1 - credit * (100 / SHARE_PERCENT) / 1000);
		return;
	}
	if (next_place(m, now) < MDATA_CLIENTS)
		p[0] = (struct pollfd){ .fd = m->listener, .events = POLLIN };
	else
		sooner(timeout_ms, QUIET_MS);
	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		poll_client(m, &m->clients[i], now, &p[1 + i], timeout_ms);
}

static void
turn_client(struct zoneadmd *z, struct mdata_client *c, short revents, int64_t now)
{
	struct mdata *m = &z->mdata;

	if (c->out.len > 0) {
		flush(m, c, now);
		return;
	}
	if (!has_line(c) && !c->ended && revents != 0)
		receive(m, c, now);
	if (c->fd < 0)
		return;
	if (has_line(c) && (c->blocked_ms == 0 || now >= m->retry_ms) && held(m) <= HELD_MAX)
		serve(z, c);
	if (c->fd >= 0 && c->out.len > 0)
		flush(m, c, now);
	else if (c->fd >= 0 && c->ended && !has_line(c))
		drop(m, c);
}

void
mdata_turn(struct zoneadmd *z, const struct pollfd p[MDATA_POLLS])
{
	struct mdata *m = &z->mdata;
	int64_t start = now_us();
	int64_t now = nrd_now_ms();
	int64_t credit = credit_at(m, start);

	if (m->listener < 0)
		return;
	tell_event(z, now);
	if (credit < 0 || (p[0].revents == 0 && !anybody(m)))
		return;
	for (size_t i = 0; i < MDATA_CLIENTS; i++)
		if (m->clients[i].fd >= 0)
			turn_client(z, &m->clients[i], p[1 + i].revents, now);
	if (p[0].revents != 0)
		take_client(m, now);
	m->credit_us = credit - (now_us() - start);
	m->counted_us = start;
}
