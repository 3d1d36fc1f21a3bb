/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * How a process ended that is not our child: the kernel tells every end on the node through its
 * process connector. Listened to only while a zone is adopted; before the pidfd says that its
 * init is gone, the message is there.
 */
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/mem.h"
#include "zoneadmd.h"

#define RECEIVE_BYTES (1 << 20) /* a burst of ends must not push out the one */

#define MESSAGE_BYTES (NLMSG_HDRLEN + sizeof(struct cn_msg) + sizeof(struct proc_input))

/* cn_msg ends in its payload, so the message is put together by hand. */
static void
listen_message(char ret_data[MESSAGE_BYTES])
{
	const struct nlmsghdr head = { .nlmsg_len = MESSAGE_BYTES, .nlmsg_type = NLMSG_DONE };
	const struct cn_msg cn = {
		.id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(struct proc_input),
	};
	const struct proc_input input = {
		.mcast_op = PROC_CN_MCAST_LISTEN, .event_type = PROC_EVENT_EXIT,
	};

	memset(ret_data, 0, MESSAGE_BYTES);
	memcpy(ret_data, &head, sizeof(head));
	memcpy(ret_data + NLMSG_HDRLEN, &cn, sizeof(cn));
	memcpy(ret_data + NLMSG_HDRLEN + sizeof(cn), &input, sizeof(input));
}

int
exits_listen(struct nrd_err *err)
{
	NRD_CLOSE int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				  NETLINK_CONNECTOR);
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	char message[MESSAGE_BYTES];
	const int bytes = RECEIVE_BYTES;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return nrd_fail(err, errno, "Zoneadmd", "open the process connector: %m");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	listen_message(message);
	if (send(fd, message, sizeof(message), 0) < 0)
		return nrd_fail(err, errno, "Zoneadmd", "listen to the process connector: %m");
	return nrd_take_fd(&fd);
}

/* One datagram: true when it tells the end of pid. */
static bool
tells(const char *data, size_t len, pid_t pid, int *ret_status)
{
	const size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg);
	struct proc_event ev = { 0 };

	if (len < head)
		return false;
	len -= head;
	memcpy(&ev, data + head, len < sizeof(ev) ? len : sizeof(ev));
	if (ev.what != PROC_EVENT_EXIT || ev.event_data.exit.process_pid != pid ||
	    ev.event_data.exit.process_tgid != pid)
		return false;
	*ret_status = (int)ev.event_data.exit.exit_code;
	return true;
}

bool
exits_find(int fd, pid_t pid, int *ret_status)
{
	char data[8192];
	bool found = false;
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0 || (n < 0 && errno == ENOBUFS))
		if (n > 0 && tells(data, (size_t)n, pid, ret_status))
			found = true;
	return found;
}
