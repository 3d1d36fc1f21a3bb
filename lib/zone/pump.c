/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "nrd/cli.h"
#include "nrd/mem.h"

#define LANES_MAX   4
#define WATCHES_MAX 4

/* Bytes that come without being read: one held back, an end, or an escape nobody wants. */
#define EXTRA_MAX 4

/* How often a pty is looked at that is to be told of the end of input. */
#define EOF_MS 250

/*
 * A message of a SOCK_SEQPACKET socket is read whole or cut: lanes read only when the largest fits.
 */
#define READ_MAX ((size_t)64 << 10)
#define LANE_CAP (2 * READ_MAX)

/* At once; also a message of a SOCK_SEQPACKET socket, which its receiver must have room for. */
#define WRITE_MAX ((size_t)4 << 10)

/*
 * What other processes of an ended command go on writing is no concern of ours. More than this
 * cannot have been on its way when it ended.
 */
#define DRAIN_MAX ((size_t)1 << 20)

struct lane {
	int from, to;          /* -1: done with it */
	bool from_sock, to_sock;
	size_t write_max;
	unsigned flags;
	char *data;            /* start..end is to be written */
	size_t start, end;
	size_t drained;
	struct zone_escape escape;
	int slave;             /* of the pty `to`, when it is one; -1 */
};

struct watch {
	int fd;
	zone_pump_fn *fn;
	void *arg;
};

struct zone_pump {
	struct lane lanes[LANES_MAX];
	size_t n_lanes;
	struct watch watches[WATCHES_MAX];
	size_t n_watches;
	zone_pump_fn *suspend;
	void *suspend_arg;
	bool draining, stopped, detached;
};

int
zone_escape_parse(const char *text, int *ret_ch, struct nrd_err *err)
{
	unsigned char c = (unsigned char)text[0];

	if (c != '\0' && text[1] == '\0' && c != '\r' && c != '\n') {
		*ret_ch = c;
		return 0;
	}
	if (c == '^' && text[1] >= '?' && text[1] <= '_' && text[2] == '\0' && text[1] != 'M' &&
	    text[1] != 'J' && text[1] != '@') {
		*ret_ch = text[1] ^ 0x40;
		return 0;
	}
	return nrd_usage(err, "-e takes one character such as ~ or ^], not \"%.20s\"", text);
}

static enum zone_escape_action
escape_action(char c)
{
	if (c == '.')
		return ZONE_ESCAPE_DETACH;
	return c == ('Z' & 0x1f) ? ZONE_ESCAPE_SUSPEND : ZONE_ESCAPE_NONE;
}

size_t
zone_escape_feed(struct zone_escape *escape, const char *in, size_t len, char *out,
		 size_t *ret_used, enum zone_escape_action *ret_action)
{
	size_t n = 0;

	*ret_action = ZONE_ESCAPE_NONE;
	for (size_t i = 0; i < len; i++) {
		char c = in[i];

		if (escape->alone && (unsigned char)c == escape->ch) {
			*ret_action = ZONE_ESCAPE_DETACH;
			*ret_used = i + 1;
			return n;
		}
		if (escape->held) {
			escape->held = false;
			*ret_action = escape_action(c);
			if (*ret_action != ZONE_ESCAPE_NONE) {
				*ret_used = i + 1;
				return n;
			}
			out[n++] = (char)escape->ch;
			escape->inside = true;
			if ((unsigned char)c == escape->ch)
				continue;
		} else if (!escape->inside && (unsigned char)c == escape->ch) {
			escape->held = true;
			continue;
		}
		escape->inside = c != '\r' && c != '\n';
		out[n++] = c;
	}
	*ret_used = len;
	return n;
}

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
zone_pump_borrow(int fd, int *ret_fd, struct nrd_err *err)
{
	char path[32];
	struct stat st;
	int flags = fcntl(fd, F_GETFL), fresh = -1;

	if (flags < 0 || fstat(fd, &st) < 0)
		return nrd_fail(err, errno, "Pump", "descriptor %d: %m", fd);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* A file opened anew would begin at its beginning, other devices may act on being opened. */
	if (S_ISFIFO(st.st_mode) || isatty(fd))
		fresh = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fresh < 0)
		fresh = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fresh < 0)
		return nrd_fail(err, errno, "Pump", "copy descriptor %d: %m", fd);
	*ret_fd = fresh;
	return 0;
}

int
zone_pump_new(struct zone_pump **ret_pump, struct nrd_err *err)
{
	*ret_pump = calloc(1, sizeof(**ret_pump));
	return *ret_pump == NULL ? nrd_nomem(err) : 0;
}

void
zone_pump_free(struct zone_pump *pump)
{
	if (pump == NULL)
		return;
	for (size_t i = 0; i < pump->n_lanes; i++) {
		nrd_closep(&pump->lanes[i].from);
		nrd_closep(&pump->lanes[i].to);
		free(pump->lanes[i].data);
	}
	free(pump);
}

void
zone_pump_cleanup(struct zone_pump **pump)
{
	zone_pump_free(*pump);
}

/*
 * How much may be written at once after poll said that there is room. Pipes that block take
 * PIPE_BUF then; terminals and devices promise less.
 */
static size_t
write_max(int fd, bool sock)
{
	struct stat st;

	if (sock || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)
		return WRITE_MAX;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode))
		return 256;
	return PIPE_BUF;
}

int
zone_pump_lane(struct zone_pump *pump, int from, int to, unsigned flags, struct nrd_err *err)
{
	NRD_CLOSE int own_from = from;
	NRD_CLOSE int own_to = to;
	NRD_FREE char *data = malloc(LANE_CAP + 1);

	if (pump->n_lanes == LANES_MAX)
		return nrd_fail(err, E2BIG, "Pump", "more than %d lanes", LANES_MAX);
	if (data == NULL)
		return nrd_nomem(err);
	bool to_sock = is_socket(to);

	pump->lanes[pump->n_lanes++] = (struct lane){
		.from = nrd_take_fd(&own_from),
		.to = nrd_take_fd(&own_to),
		.from_sock = is_socket(from),
		.to_sock = to_sock,
		.write_max = write_max(to, to_sock),
		.flags = flags,
		.data = NRD_TAKE(data),
		.escape = { .ch = -1 },
		.slave = -1,
	};
	return 0;
}

int
zone_pump_watch(struct zone_pump *pump, int fd, zone_pump_fn *fn, void *arg, struct nrd_err *err)
{
	if (pump->n_watches == WATCHES_MAX)
		return nrd_fail(err, E2BIG, "Pump", "more than %d watches", WATCHES_MAX);
	pump->watches[pump->n_watches++] = (struct watch){ fd, fn, arg };
	return 0;
}

void
zone_pump_escape(struct zone_pump *pump, int ch, zone_pump_fn *suspend, void *arg)
{
	pump->suspend = suspend;
	pump->suspend_arg = arg;
	for (size_t i = 0; i < pump->n_lanes; i++) {
		if ((pump->lanes[i].flags & ZONE_LANE_INPUT) != 0)
			pump->lanes[i].escape.ch = ch;
	}
}

void
zone_pump_leave(struct zone_pump *pump, int ch)
{
	for (size_t i = 0; i < pump->n_lanes; i++)
		if ((pump->lanes[i].flags & ZONE_LANE_INPUT) != 0)
			pump->lanes[i].escape = (struct zone_escape){ .ch = ch, .alone = true };
}

void
zone_pump_eof(struct zone_pump *pump, int slave)
{
	for (size_t i = 0; i < pump->n_lanes; i++) {
		if ((pump->lanes[i].flags & ZONE_LANE_INPUT) != 0)
			pump->lanes[i].slave = slave;
	}
}

static void
close_now(int *fd)
{
	nrd_closep(fd);
	*fd = -1;
}

void
zone_pump_drain(struct zone_pump *pump)
{
	pump->draining = true;
	for (size_t i = 0; i < pump->n_lanes; i++) {
		struct lane *lane = &pump->lanes[i];

		if ((lane->flags & ZONE_LANE_INPUT) != 0) {
			close_now(&lane->from);
			close_now(&lane->to);
		}
	}
}

void
zone_pump_stop(struct zone_pump *pump)
{
	pump->stopped = true;
}

bool
zone_pump_detached(const struct zone_pump *pump)
{
	return pump->detached;
}

/* Nothing more comes: what is held back was no escape. There is room, lane_read made it. */
static void
lane_end_input(struct lane *lane)
{
	if (lane->escape.held) {
		lane->escape.held = false;
		lane->escape.inside = true;
		lane->data[lane->end++] = (char)lane->escape.ch;
	}
	close_now(&lane->from);
}

/* In the middle of a line the character only hands on what there is: then it is sent again later. */
static void
lane_put_eof(struct lane *lane)
{
	struct termios modes;
	char eof = 'D' & 0x1f;

	if (poll(&(struct pollfd){ .fd = lane->slave, .events = POLLIN }, 1, 0) != 0)
		return;
	if (tcgetattr(lane->slave, &modes) == 0 && modes.c_cc[VEOF] != _POSIX_VDISABLE)
		eof = (char)modes.c_cc[VEOF];
	lane->data[lane->end++] = eof;
}

static bool
lane_at_end(const struct lane *lane)
{
	return lane->to >= 0 && lane->from < 0 && lane->start == lane->end;
}

static void
lane_finish(struct lane *lane)
{
	if (!lane_at_end(lane) || lane->slave >= 0)
		return;
	if ((lane->flags & ZONE_LANE_SHUTDOWN) != 0)
		(void)shutdown(lane->to, SHUT_WR);
	close_now(&lane->to);
}

static void
lane_write(struct lane *lane)
{
	size_t len = lane->end - lane->start;
	ssize_t n;

	if (len > lane->write_max)
		len = lane->write_max;
	if (lane->to_sock)
		n = send(lane->to, lane->data + lane->start, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(lane->to, lane->data + lane->start, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		/* Nobody takes it: who writes shall hear of it, so it is closed there as well. */
		lane->start = lane->end = 0;
		close_now(&lane->from);
		close_now(&lane->to);
		return;
	}
	lane->start += (size_t)n;
	if (lane->start == lane->end)
		lane->start = lane->end = 0;
}

static int
escape_do(struct zone_pump *pump, struct lane *lane, enum zone_escape_action action,
	  struct nrd_err *err)
{
	if (action == ZONE_ESCAPE_SUSPEND && pump->suspend != NULL)
		return pump->suspend(pump->suspend_arg, err);
	if (action == ZONE_ESCAPE_SUSPEND) {
		lane->data[lane->end++] = (char)lane->escape.ch;
		lane->data[lane->end++] = 'Z' & 0x1f;
		lane->escape.inside = true;
	} else if (action == ZONE_ESCAPE_DETACH) {
		pump->detached = pump->stopped = true;
		/* What was typed before it was meant for the zone. */
		if (lane->start < lane->end)
			lane_write(lane);
	}
	return 0;
}

/* Takes n bytes that stand one behind the end into the lane. */
static int
lane_take(struct zone_pump *pump, struct lane *lane, size_t n, struct nrd_err *err)
{
	const char *in = lane->data + lane->end + 1, *end = in + n;
	int r = 0;

	while (in < end && r == 0 && !pump->stopped) {
		enum zone_escape_action action;
		size_t used;

		lane->end += zone_escape_feed(&lane->escape, in, (size_t)(end - in),
					      lane->data + lane->end, &used, &action);
		in += used;
		r = escape_do(pump, lane, action, err);
	}
	return r;
}

static bool
lane_has_room(const struct lane *lane)
{
	return lane->end - lane->start <= LANE_CAP - READ_MAX - EXTRA_MAX;
}

static int
lane_read(struct zone_pump *pump, struct lane *lane, struct nrd_err *err)
{
	ssize_t n;

	memmove(lane->data, lane->data + lane->start, lane->end - lane->start);
	lane->end -= lane->start;
	lane->start = 0;
	if (lane->from_sock)
		n = recv(lane->from, lane->data + lane->end + 1, READ_MAX, MSG_DONTWAIT);
	else
		n = read(lane->from, lane->data + lane->end + 1, READ_MAX);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A pty without anybody on the other side says EIO, a terminal that is gone as well. */
	if (n <= 0) {
		lane_end_input(lane);
		return 0;
	}
	lane->drained += pump->draining ? (size_t)n : 0;
	int r = lane_take(pump, lane, (size_t)n, err);

	if (lane->drained >= DRAIN_MAX)
		lane_end_input(lane);
	return r;
}

/* Fills the poll set; its size. */
static size_t
pump_poll_set(const struct zone_pump *pump, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < pump->n_lanes; i++) {
		const struct lane *lane = &pump->lanes[i];

		/* poll leaves negative descriptors out. */
		fds[n++] = (struct pollfd){
			.fd = lane_has_room(lane) ? lane->from : -1,
			.events = POLLIN,
		};
		fds[n++] = (struct pollfd){
			.fd = lane->start < lane->end ? lane->to : -1,
			.events = POLLOUT,
		};
	}
	for (size_t i = 0; i < pump->n_watches; i++)
		fds[n++] = (struct pollfd){ .fd = pump->watches[i].fd, .events = POLLIN };
	return n;
}

static int
pump_lanes(struct zone_pump *pump, const struct pollfd *fds, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; i < pump->n_lanes && r == 0; i++) {
		struct lane *lane = &pump->lanes[i];

		if (fds[2 * i + 1].revents != 0)
			lane_write(lane);
		if (lane->from >= 0 && fds[2 * i].revents != 0)
			r = lane_read(pump, lane, err);
		else if (lane->from >= 0 && fds[2 * i].fd >= 0 && pump->draining)
			lane_end_input(lane);
		if (lane_at_end(lane) && lane->slave >= 0)
			lane_put_eof(lane);
		lane_finish(lane);
	}
	return r;
}

static int
pump_watches(struct zone_pump *pump, const struct pollfd *fds, struct nrd_err *err)
{
	for (size_t i = 0; i < pump->n_watches; i++) {
		struct watch *watch = &pump->watches[i];
		int r = fds[i].revents != 0 ? watch->fn(watch->arg, err) : 0;

		if (r < 0)
			return r;
		if (r > 0)
			watch->fd = -1;
	}
	return 0;
}

static bool
pump_done(const struct zone_pump *pump)
{
	bool open = false, watching = false;

	for (size_t i = 0; i < pump->n_lanes; i++) {
		const struct lane *lane = &pump->lanes[i];

		if (lane->to >= 0)
			open = true;
		else if ((lane->flags & ZONE_LANE_LAST) != 0)
			return true;
	}
	for (size_t i = 0; i < pump->n_watches; i++)
		watching |= pump->watches[i].fd >= 0;
	return pump->stopped || (!open && (pump->draining || !watching));
}

/* While draining, a lane with nothing to read right now has ended: it is not waited for. */
static int
pump_timeout_ms(const struct zone_pump *pump, const struct pollfd *fds)
{
	int ms = -1;

	for (size_t i = 0; i < pump->n_lanes; i++) {
		const struct lane *lane = &pump->lanes[i];

		if (pump->draining && lane->from >= 0 && fds[2 * i].fd >= 0)
			return 0;
		if (lane_at_end(lane) && lane->slave >= 0)
			ms = EOF_MS;
	}
	return ms;
}

int
zone_pump_run(struct zone_pump *pump, struct nrd_err *err)
{
	struct pollfd fds[2 * LANES_MAX + WATCHES_MAX];

	while (!pump_done(pump)) {
		size_t n = pump_poll_set(pump, fds);
		int r = poll(fds, n, pump_timeout_ms(pump, fds));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return nrd_fail(err, errno, "Pump", "wait for input: %m");
		r = pump_lanes(pump, fds, err);
		if (r == 0)
			r = pump_watches(pump, fds + 2 * pump->n_lanes, err);
		if (r < 0)
			return r;
	}
	return 0;
}
