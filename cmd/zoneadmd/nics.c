/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "nics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/datalink.h"
#include "nics/nics.h"
#include "nrd/clock.h"
#include "nrd/log.h"
#include "nrd/mem.h"
#include "zone/config-guest.h"
#include "zoneadmd.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define QUIET_MS     (5 * PAUSE_MAX_MS) /* after that it is the first time again */
#define LINKS_MAX    64
#define FILTER_MAX   (6 + 2 * LINKS_MAX)

#define AT_TYPE  offsetof(struct nlmsghdr, nlmsg_type)
#define AT_INDEX (NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_index))

/*
 * Of all links that go on the node, the socket tells of ours alone: hundreds of zoneadmds are not to wake up for each zone
 * that halts. A filter reads numbers as the network has them, and rtnetlink's are the processor's.
 */
static int
set_filter(int fd, const struct datalinks *links)
{
	struct sock_filter code[FILTER_MAX];
	struct sock_fprog prog = { .filter = code };
	size_t n = 0, links_n = links->n < LINKS_MAX ? links->n : LINKS_MAX;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_INDEX);
	for (size_t i = 0; i < links_n; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)links->links[i].ifindex), 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	prog.len = (unsigned short)n;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int
open_watch(void)
{
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	return nrd_take_fd(&fd);
}

void
nics_watch(struct zoneadmd *z)
{
	NRD_AUTO(datalinks) links = { 0 };
	struct nrd_err err = { 0 };

	/* A guest's are its QEMU's, and nobody in there deletes them. */
	if (zone_is_guest(&z->config) || (z->nics.fd < 0 && z->config.n_nics == 0))
		return;
	if (z->nics.fd < 0)
		z->nics.fd = open_watch();
	if (z->nics.fd < 0 || datalinks_read(DATALINK_RUN, z->name, &links, &err) < 0 || set_filter(z->nics.fd, &links) < 0)
		nrd_log(NRD_WARN, "ignoring: NICs that its root deletes will not come back", NRD_S("zone", z->name));
}

void
nics_unwatch(struct zoneadmd *z)
{
	if (z->nics.fd >= 0)
		(void)close(z->nics.fd);
	z->nics = (struct nics_watch){ .fd = -1 };
}

void
nics_poll(const struct zoneadmd *z, struct pollfd *p, int *timeout_ms)
{
	int64_t left = z->nics.at_ms - nrd_now_ms();

	*p = (struct pollfd){ .fd = z->nics.fd, .events = POLLIN };
	if (z->nics.at_ms == 0)
		return;
	left = left < 0 ? 0 : left;
	if (*timeout_ms < 0 || left < *timeout_ms)
		*timeout_ms = (int)left;
}

static void
drain(int fd)
{
	char scrap[8192];

	while (recv(fd, scrap, sizeof(scrap), 0) >= 0 || errno == ENOBUFS)
		;
}

static void
plan(struct nics_watch *w)
{
	int64_t now = nrd_now_ms();

	if (w->last_ms == 0 || now - w->last_ms > QUIET_MS)
		w->pause_ms = 0;
	w->at_ms = now + (int64_t)w->pause_ms;
	w->pause_ms = w->pause_ms == 0 ? PAUSE_MIN_MS : w->pause_ms < PAUSE_MAX_MS / 2 ? w->pause_ms * 2 : PAUSE_MAX_MS;
}

static void
repair(struct zoneadmd *z)
{
	struct nrd_err err = { 0 };

	z->nics.at_ms = 0;
	z->nics.last_ms = nrd_now_ms();
	z->nics.count++;
	if (nics_apply(&z->config, z->boot.init.pid, &err) < 0)
		nrd_log(NRD_ERROR, "a NIC that went was not made again", NRD_S("zone", z->name), NRD_ERR(&err));
	else
		nrd_log(NRD_WARN, "a NIC that went was made again", NRD_S("zone", z->name), NRD_U("times", z->nics.count));
	nics_watch(z);
	dhcp_sync(z);
}

void
nics_turn(struct zoneadmd *z, const struct pollfd *p)
{
	if (p->revents != 0 && z->nics.fd >= 0) {
		drain(z->nics.fd);
		if (z->run.state == ZONE_ST_RUNNING && z->nics.at_ms == 0)
			plan(&z->nics);
	}
	if (z->nics.at_ms == 0 || nrd_now_ms() < z->nics.at_ms)
		return;
	if (z->run.state == ZONE_ST_RUNNING)
		repair(z);
	else
		z->nics.at_ms = 0;
}
