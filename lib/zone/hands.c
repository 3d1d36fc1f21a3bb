/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/hands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "nrd/clock.h"
#include "nrd/fault.h"
#include "nrd/mem.h"
#include "nrd/sock.h"
#include "nrd/str.h"

#define VOLUMES        "/dev/zvol/"
#define VOLUME_WAIT_MS 20000
#define VOLUME_LOOK_NS 2000000

static int
open_file(const struct zone_hand *h, int *ret_fd, struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = VOLUME_LOOK_NS };
	bool volume = nrd_starts(h->path, VOLUMES) != NULL;
	int64_t end = nrd_now_ms() + VOLUME_WAIT_MS;
	int fd;

	for (;;) {
		fd = open(h->path, h->flags | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0 || !volume || (errno != ENOENT && errno != ENXIO) || nrd_now_ms() > end)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (fd < 0)
		return nrd_fail(err, errno, "ZoneHand", "open %s: %m", h->path);
	*ret_fd = fd;
	return 0;
}

int
zone_hands_listen(const char *path, int *ret_fd, struct nrd_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	NRD_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (nrd_strcpy_to(addr.sun_path, sizeof(addr.sun_path), path) < 0)
		return nrd_fail(err, ENAMETOOLONG, "ZoneHand", "listen at %s: its name is too long", path);
	(void)unlink(path); /* of the boot before */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, 0600) < 0 || listen(fd, 1) < 0)
		return nrd_fail(err, errno, "ZoneHand", "listen at %s: %m", path);
	*ret_fd = nrd_take_fd(&fd);
	return 0;
}

static int
connect_to(const char *path, int *ret_fd, struct nrd_err *err)
{
	int r = nrd_sock_connect(path, SOCK_STREAM, ret_fd);

	return r < 0 ? nrd_fail(err, -r, "ZoneHand", "connect to %s: %m", path) : 0;
}

static int
open_one(const struct zone_config *config, const struct zone_hand *h, const struct zone_network *network, int *ret_fd,
	 struct nrd_err *err)
{
	int r = nrd_fault(err, "open %s", h->path);

	if (r < 0)
		return r;
	switch (h->kind) {
	case ZONE_HAND_FILE:
		return open_file(h, ret_fd, err);
	case ZONE_HAND_LISTEN:
		return zone_hands_listen(h->path, ret_fd, err);
	case ZONE_HAND_CONNECT:
		return connect_to(h->path, ret_fd, err);
	case ZONE_HAND_NIC:
		break;
	}
	return network != NULL && network->tap != NULL ? network->tap(config, h->path, (unsigned)h->flags, ret_fd, err) :
							 nrd_fail(err, ENOTSUP, "ZoneHand", "NIC %s: there is no network", h->path);
}

int
zone_hands_open(const struct zone_config *config, const struct zone_spec *spec, const struct zone_network *network,
		struct zone_hands *ret_hands, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; i < spec->n_hands; i++)
		ret_hands->fds[i] = -1;
	for (size_t i = 0; r >= 0 && i < spec->n_hands; i++) {
		r = open_one(config, &spec->hands[i], network, &ret_hands->fds[i], err);
		/* Its place would be another's. */
		if (r >= 0 && ret_hands->fds[i] >= ZONE_HAND_FIRST)
			r = nrd_fail(err, EMFILE, "ZoneHand", "open %s: too much is open in zoneadmd", spec->hands[i].path);
	}
	if (r < 0)
		zone_hands_close(spec, ret_hands);
	return r;
}

void
zone_hands_close(const struct zone_spec *spec, struct zone_hands *hands)
{
	for (size_t i = 0; i < spec->n_hands; i++) {
		if (hands->fds[i] >= 0)
			(void)close(hands->fds[i]);
		hands->fds[i] = -1;
	}
}

int
zone_hands_take(const struct zone_spec *spec, const struct zone_hands *hands, struct nrd_err *err)
{
	for (size_t i = 0; i < spec->n_hands; i++)
		if (dup2(hands->fds[i], ZONE_HAND_FIRST + (int)i) < 0)
			return nrd_fail(err, errno, "ZoneHand", "hand over %s: %m", spec->hands[i].path);
	return 0;
}
