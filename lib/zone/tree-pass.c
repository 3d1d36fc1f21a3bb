/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <sys/socket.h>

#include "zone/fdpass.h"
#include "zone/tree.h"

/* One message a place, in an order both sides know; one without a descriptor where there is none. */
static int
send_one(int sock, int fd, struct nrd_err *err)
{
	static const char none = 0;

	if (fd >= 0)
		return zone_fd_send(sock, fd, err);
	if (send(sock, &none, 1, MSG_NOSIGNAL) != 1)
		return nrd_fail(err, errno, "FdPass", "hand a descriptor over: %m");
	return 0;
}

static int
receive_one(int sock, int *ret_fd, struct nrd_err *err)
{
	char byte;
	ssize_t n = zone_fd_receive(sock, &byte, 1, ret_fd);

	if (n != 1)
		return nrd_fail(err, n < 0 ? errno : EPIPE, "FdPass", "take a descriptor over: %m");
	return 0;
}

int
zone_tree_send(int sock, const struct zone_tree *tree, struct nrd_err *err)
{
	int r = send_one(sock, tree->root, err);

	if (r >= 0)
		r = send_one(sock, tree->dev, err);
	if (r >= 0)
		r = send_one(sock, tree->sys, err);
	for (size_t i = 0; r >= 0 && i < tree->n_binds; i++)
		r = send_one(sock, tree->binds[i], err);
	return r;
}

int
zone_tree_receive(int sock, const struct zone_spec *spec, struct zone_tree *ret_tree,
		  struct nrd_err *err)
{
	struct zone_tree t = ZONE_TREE_NONE;
	int r = receive_one(sock, &t.root, err);

	if (r >= 0)
		r = receive_one(sock, &t.dev, err);
	if (r >= 0)
		r = receive_one(sock, &t.sys, err);
	for (size_t i = 0; r >= 0 && i < spec->n_mounts; i++) {
		t.binds[i] = -1;
		t.n_binds = i + 1;
		r = receive_one(sock, &t.binds[i], err);
	}
	if (r < 0)
		zone_tree_close(&t);
	else
		*ret_tree = t;
	return r;
}
