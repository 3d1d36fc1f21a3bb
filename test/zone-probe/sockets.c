/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/* Socket families, netlink, sockets of others. */
#include <linux/audit.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

#define SOCKET(name, family, type, proto) static int name(void) { return TRY(socket(family, type, proto)); }

SOCKET(af_vsock, AF_VSOCK, SOCK_STREAM, 0)
SOCKET(af_alg, AF_ALG, SOCK_SEQPACKET, 0)
SOCKET(af_xdp, AF_XDP, SOCK_RAW, 0)
SOCKET(af_key, AF_KEY, SOCK_RAW, 2)
SOCKET(af_can, AF_CAN, SOCK_RAW, 1)
SOCKET(af_tipc, AF_TIPC, SOCK_RDM, 0)
SOCKET(af_rds, AF_RDS, SOCK_SEQPACKET, 0)
SOCKET(af_bluetooth, AF_BLUETOOTH, SOCK_RAW, 1)
SOCKET(af_smc, AF_SMC, SOCK_STREAM, 0)
SOCKET(af_rxrpc, AF_RXRPC, SOCK_DGRAM, AF_INET)
SOCKET(af_llc, AF_LLC, SOCK_DGRAM, 0)
SOCKET(af_future, 99, SOCK_DGRAM, 0)
SOCKET(af_packet, AF_PACKET, SOCK_RAW, 0)
SOCKET(af_inet, AF_INET, SOCK_STREAM, 0)
SOCKET(netlink_scsi, AF_NETLINK, SOCK_RAW, NETLINK_SCSITRANSPORT)

/* What the kernel answers to a request for its audit state. */
static int
netlink_audit(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr h = { .nlmsg_len = sizeof(h), .nlmsg_type = AUDIT_GET, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0)
		return errno;
	if (sendto(fd, &h, sizeof(h), 0, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		return errno;
	return answer.head.nlmsg_type == NLMSG_ERROR ? -answer.err.error : 0;
}

/* To be told of every process that is born or ends, on the whole node. */
static int
netlink_connector(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	char request[NLMSG_HDRLEN + sizeof(struct cn_msg) + sizeof(enum proc_cn_mcast_op)] = "";
	struct nlmsghdr head = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE };
	struct cn_msg cn = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(enum proc_cn_mcast_op) };
	enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);

	memcpy(request, &head, sizeof(head));
	memcpy(request + NLMSG_HDRLEN, &cn, sizeof(cn));
	memcpy(request + NLMSG_HDRLEN + sizeof(cn), &op, sizeof(op));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return TRY(send(fd, request, sizeof(request), 0));
}

static int
abstract(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", given("PROBE_ABSTRACT", "nereid-probe"));
	return fd < 0 ? errno : TRY(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)));
}

/* socketcall(2) of 32-bit programs, whose arguments are in memory, where a filter cannot look. */
static int
i386_socket(int family, int type, int proto)
{
	uint32_t *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r = 102;

	if (args == MAP_FAILED)
		return errno;
	args[0] = (uint32_t)family;
	args[1] = (uint32_t)type;
	args[2] = (uint32_t)proto;
	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(1L), "c"((long)(uintptr_t)args)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)r < 0 ? -(int)r : 0;
}

static int i386_inet(void) { return i386_socket(AF_INET, SOCK_STREAM, 0); }
static int i386_vsock(void) { return i386_socket(AF_VSOCK, SOCK_STREAM, 0); }
static int i386_alg(void) { return i386_socket(AF_ALG, SOCK_SEQPACKET, 0); }
static int i386_xdp(void) { return i386_socket(AF_XDP, SOCK_RAW, 0); }
static int i386_key(void) { return i386_socket(AF_KEY, SOCK_RAW, 2); }

const struct attempt attempts_sockets[] = {
	{ "af_vsock", af_vsock, HARMLESS }, { "af_alg", af_alg, HARMLESS }, { "af_xdp", af_xdp, HARMLESS },
	{ "af_key", af_key, HARMLESS }, { "af_can", af_can, 0 }, { "af_tipc", af_tipc, 0 },
	{ "af_rds", af_rds, 0 }, { "af_bluetooth", af_bluetooth, 0 }, { "af_smc", af_smc, 0 },
	{ "af_rxrpc", af_rxrpc, 0 }, { "af_llc", af_llc, 0 }, { "af_future", af_future, 0 },
	{ "af_packet", af_packet, HARMLESS }, { "af_inet", af_inet, HARMLESS },
	{ "netlink_audit", netlink_audit, HARMLESS }, { "netlink_connector", netlink_connector, HARMLESS },
	{ "netlink_scsi", netlink_scsi, 0 },
	{ "abstract_socket", abstract, HARMLESS }, { "i386_inet", i386_inet, HARMLESS },
	{ "i386_vsock", i386_vsock, HARMLESS }, { "i386_alg", i386_alg, HARMLESS },
	{ "i386_xdp", i386_xdp, HARMLESS }, { "i386_key", i386_key, HARMLESS },
	{ NULL },
};
