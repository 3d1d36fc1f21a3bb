/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "uplink.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/nic.h"
#include "node/config.h"
#include "node/net.h"
#include "nrd/buf.h"
#include "nrd/clock.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"

#define NETWORKD "/usr/lib/systemd/systemd-networkd"
#define NETIF_DIR "/run/systemd/netif"
#define STATE_PATH NETIF_DIR "/state"
#define FILE_PATH NODE_NETWORK_DIR "/10-nereid-uplink.network"
#define WAIT_MS 60000
#define STOP_MS 5000
#define STATE_MAX ((size_t)64 << 10)

static const char network[] = "[Match]\n"
			      "Type=ether\n"
			      "Kind=!*\n"
			      "\n"
			      "[Network]\n"
			      "DHCP=ipv4\n"
			      "IPv6AcceptRA=yes\n"
			      "\n"
			      "[DHCPv4]\n"
			      "ClientIdentifier=mac\n"
			      "UseHostname=no\n";

struct node_uplink {
	int pidfd; /* networkd; -1: one was running already */
};

static bool
routable(void)
{
	NRD_FREE char *text = NULL;

	return nrd_file_read(STATE_PATH, STATE_MAX, &text, NULL, NULL) >= 0 &&
	       strstr(text, "OPER_STATE=routable\n") != NULL;
}

static int
wait_routable(struct nrd_err *err)
{
	int64_t end = nrd_now_ms() + WAIT_MS;
	NRD_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r = nrd_mkdir_p(NETIF_DIR, 0755, err);

	if (r < 0)
		return r;
	if (fd < 0 || inotify_add_watch(fd, NETIF_DIR, IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
		return nrd_fail(err, errno, "NoUplink", "watch " NETIF_DIR ": %m");
	while (!routable()) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - nrd_now_ms();
		char events[4096];

		if (left <= 0)
			return nrd_fail(err, ETIMEDOUT, "NoUplink",
					"no NIC got an address by DHCP within %d s",
					WAIT_MS / 1000);
		(void)poll(&p, 1, (int)left);
		while (read(fd, events, sizeof(events)) > 0)
			;
	}
	return 0;
}

static int
write_resolvers(struct nrd_err *err)
{
	NRD_AUTO(node_config) *none = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(STATE_MAX);
	NRD_FREE char *lease = NULL;
	int r = node_config_new(&none, err);

	if (r >= 0)
		r = nrd_file_read(STATE_PATH, STATE_MAX, &lease, NULL, err);
	if (r >= 0)
		r = node_net_resolv(none, lease, &out, err);
	return r < 0 ? r : nrd_file_write("/etc/resolv.conf", nrd_buf_str(&out), out.len, 0644, err);
}

/* networkd run by hand drops to its own user, which must be able to write its directories. */
static int
start_networkd(struct node_uplink *u, struct nrd_err *err)
{
	static const char *const dirs[] = { NETIF_DIR, NETIF_DIR "/links", NETIF_DIR "/leases" };
	const char *const argv[] = { NETWORKD, NULL };
	const struct nrd_proc proc = { .argv = argv };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < nrd_count(dirs); i++) {
		r = nrd_mkdir_p(dirs[i], 0755, err);
		if (r >= 0)
			r = nrd_run_argv(NULL, err, "chown", "systemd-network:systemd-network",
					 dirs[i], NULL);
	}
	return r < 0 ? r : nrd_spawn(&proc, &u->pidfd, NULL, err);
}

int
node_uplink_open(struct node_uplink **ret_uplink, struct nrd_err *err)
{
	struct node_uplink *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return nrd_nomem(err);
	u->pidfd = -1;
	r = nrd_mkdir_p(NODE_NETWORK_DIR, 0755, err);
	if (r >= 0 && !routable()) {
		r = nrd_file_write(FILE_PATH, network, sizeof(network) - 1, 0644, err);
		if (r >= 0)
			r = start_networkd(u, err);
	}
	if (r >= 0)
		r = wait_routable(err);
	if (r >= 0)
		r = write_resolvers(err);
	if (r < 0) {
		node_uplink_close(u);
		return r;
	}
	*ret_uplink = u;
	return 0;
}

void
node_uplink_close(struct node_uplink *u)
{
	int status;

	if (u == NULL)
		return;
	(void)unlink(FILE_PATH);
	if (u->pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, u->pidfd, SIGTERM, NULL, 0);
		if (nrd_pidfd_wait(u->pidfd, STOP_MS, &status, NULL) < 0) {
			(void)syscall(SYS_pidfd_send_signal, u->pidfd, SIGKILL, NULL, 0);
			(void)nrd_pidfd_wait(u->pidfd, STOP_MS, &status, NULL);
		}
		(void)close(u->pidfd);
	}
	free(u);
}
