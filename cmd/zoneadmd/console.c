/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/log.h"
#include "nrd/str.h"
#include "zoneadmd.h"

#define PIECE 4096

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
static void
spread(struct zoneadmd *z, const char *data, size_t len)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &z->clients[i];

		if (c->kind == CLIENT_CONSOLE || c->kind == CLIENT_SPECTATOR)
			(void)send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (z->ring == NULL)
		z->ring = calloc(1, sizeof(*z->ring));
	if (z->ring != NULL)
		keep(z->ring, data, len);
}

void
console_readable(struct zoneadmd *z)
{
	char data[PIECE];
	ssize_t n = read(z->console, data, sizeof(data));

	if (n > 0) {
		spread(z, data, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		console_set(z, -1); /* the next boot brings a new one */
	}
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
	if (master < 0)
		return;
	(void)fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	z->console_peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

void
console_say(struct zoneadmd *z, const char *text)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "\r\n[NOTICE: %s]\r\n", text);

	spread(z, line, (size_t)n);
}

void
console_attach(struct zoneadmd *z, struct client *c, bool write)
{
	struct ring *ring = z->ring;

	c->kind = write ? CLIENT_CONSOLE : CLIENT_SPECTATOR;
	while (ring != NULL && ring->len > 0) {
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
console_input(struct zoneadmd *z, struct client *c)
{
	char data[PIECE];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		server_drop(c);
		return;
	}
	/* A zone that does not read its terminal does not hold us up: what it cannot take is lost. */
	if (n > 0 && c->kind == CLIENT_CONSOLE && z->console >= 0 &&
	    write(z->console, data, (size_t)n) < 0 && errno != EAGAIN)
		nrd_log(NRD_DEBUG, "console: input is lost", NRD_S("zone", z->name));
}
