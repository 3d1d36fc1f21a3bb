/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/log.h"
#include "nrd/str.h"
#include "zoneadmd.h"

static void
keep(struct ring *ring, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		ring->data[(ring->start + ring->len) % RING_BYTES] = data[i];
		if (ring->len < RING_BYTES)
			ring->len++;
		else
			ring->start = (ring->start + 1) % RING_BYTES;
	}
}

/* Who does not take it in time loses it: no zone waits for a terminal somebody left open. */
void
console_spread(struct zoneadmd *z, enum client_kind kind, const char *data, size_t len)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &z->clients[i];

		if (c->kind == kind)
			(void)send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void
console_show(struct zoneadmd *z, const char *data, size_t len)
{
	console_spread(z, CLIENT_CONSOLE, data, len);
	console_spread(z, CLIENT_SPECTATOR, data, len);
	keep(&z->ring, data, len);
}

/* True when there may be more. */
static bool
read_piece(struct zoneadmd *z)
{
	char data[PIECE];
	ssize_t n = read(z->console, data, sizeof(data));

	if (n > 0) {
		console_show(z, data, (size_t)n);
		stdio_log(z, "stdout", data, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		console_set(z, -1); /* the next boot brings a new one */
	}
	return n > 0;
}

void
console_readable(struct zoneadmd *z)
{
	(void)read_piece(z);
}

void
console_drain(struct zoneadmd *z)
{
	for (int i = 0; i < DRAIN_PIECES && z->console >= 0 && read_piece(z); i++)
		;
}

/*
 * We hold its other end open too: a terminal nobody in the zone has open would hang up on us
 * again and again.
 */
void
console_set(struct zoneadmd *z, int master)
{
	if (z->console >= 0)
		(void)close(z->console);
	if (z->console_peer >= 0)
		(void)close(z->console_peer);
	z->console = master;
	z->console_peer = -1;
	z->to_console.len = 0;
	if (master < 0)
		return;
	(void)fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	z->console_peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

void
console_say(struct zoneadmd *z, const char *fmt, ...)
{
	char text[160];
	char line[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "\r\n[NOTICE: %s]\r\n", text);
	console_show(z, line, (size_t)n);
}

static void
tell_the_past(struct zoneadmd *z, const struct client *c)
{
	struct ring *ring = &z->ring;

	while (ring->len > 0) {
		size_t piece = RING_BYTES - ring->start;

		piece = piece < ring->len ? piece : ring->len;
		piece = piece < PIECE ? piece : PIECE;
		if (send(c->fd, ring->data + ring->start, piece, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		ring->start = (ring->start + piece) % RING_BYTES;
		ring->len -= piece;
	}
}

void
console_attach(struct zoneadmd *z, struct client *c, enum client_kind kind)
{
	c->kind = kind;
	if (kind == CLIENT_CONSOLE || kind == CLIENT_SPECTATOR)
		tell_the_past(z, c);
}

/* ---- what is typed ---- */

void
sink_flush(struct sink *sink, int fd)
{
	ssize_t n = write(fd, sink->data + sink->start, sink->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Nobody reads it, or will: then it is lost, as on any terminal that is gone. */
	if (n < 0)
		n = (ssize_t)sink->len;
	sink->start += (size_t)n;
	sink->len -= (size_t)n;
	if (sink->len == 0)
		sink->start = 0;
}

static struct sink *
sink_of(struct zoneadmd *z, const struct client *c, int *ret_fd)
{
	if (c->kind == CLIENT_STDIO) {
		*ret_fd = z->stdio[0];
		return &z->to_stdin;
	}
	*ret_fd = z->console;
	return &z->to_console;
}

static bool
types(const struct client *c)
{
	return c->kind == CLIENT_CONSOLE || c->kind == CLIENT_STDIO;
}

short
console_client_events(const struct zoneadmd *z, const struct client *c)
{
	const struct sink *sink = c->kind == CLIENT_STDIO ? &z->to_stdin : &z->to_console;

	if (c->no_input || (types(c) && sink->len > 0))
		return 0;
	/* What is said before a process is there waits for it. */
	if (c->kind == CLIENT_STDIO && z->boot.init.pidfd < 0)
		return 0;
	return POLLIN;
}

static void
end_of_input(struct zoneadmd *z, struct client *c)
{
	c->no_input = true;
	if (c->kind == CLIENT_STDIO && !c->keeps_input)
		stdio_end_input(z);
	if (c->gone)
		server_drop(c);
}

static void
read_input(struct zoneadmd *z, struct client *c)
{
	char data[PIECE];
	int fd = -1;
	struct sink *sink = sink_of(z, c, &fd);
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		end_of_input(z, c);
	} else if (n > 0 && types(c) && fd >= 0) {
		memcpy(sink->data, data, (size_t)n);
		sink->start = 0;
		sink->len = (size_t)n;
		sink_flush(sink, fd);
	}
}

void
console_client_ready(struct zoneadmd *z, struct client *c, short revents)
{
	if ((revents & (POLLHUP | POLLERR)) != 0)
		c->gone = true;
	if ((revents & POLLIN) != 0)
		read_input(z, c);
	else if (c->gone && (c->no_input || !types(c)))
		server_drop(c);
}
