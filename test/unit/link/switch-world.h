/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * A switch of the test's own: a network namespace that is the node, others that are machines, and
 * a bpf filesystem for the pins. All of it goes with the process.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "link/switch-load.h"
#include "link/switch.h"
#include "link/veth.h"
#include "nrd-test.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "switch.skel.h"

#define WORLD_MAC(n) { { 0x02, 0x08, 0x20, 0x00, 0x00, (n) } }

struct machine {
	int netns;
	unsigned ifindex; /* of the node's end */
	int packets;      /* an AF_PACKET socket at the machine's end */
	struct nrd_mac mac;
};

static struct nrd_err err;
static struct link_switch *sw;
static int node_netns = -1;
static char world_dir[96];

__attribute__((format(printf, 2, 0))) static int
world_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	if (getenv("SWITCH_VERBOSE") != NULL && level <= LIBBPF_INFO)
		(void)vfprintf(stderr, format, args);
	return 0;
}

/* Why this cannot be tested here, or NULL. */
static const char *
world_refused(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int map;

	if (geteuid() != 0)
		return "not root";
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 4, 1, &opts);
	if (map < 0)
		return "the kernel lets us load no BPF here";
	(void)close(map);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return "the kernel gives us no namespaces here";
	return NULL;
}

/* What the kernel says of its own accord (listener reports, solicitations) would be among the frames that are counted. */
static void
world_hush(void)
{
	if (access("/proc/sys/net/ipv6/conf", F_OK) == 0)
		CHECK_OK(nrd_attr_write(-1, "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", &err), err);
}

static void
world_make(void)
{
	char dir[64];
	const void *object;
	size_t len;

	(void)libbpf_set_print(world_quiet);
	test_mkdir(dir);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("bpf", dir, "bpf", 0, NULL) == 0);
	(void)snprintf(world_dir, sizeof(world_dir), "%s/switch", dir);
	object = switch_bpf__elf_bytes(&len);
	CHECK_OK(switch_load(world_dir, object, len, &err), err);
	CHECK_OK(switch_open(world_dir, &sw, &err), err);
	world_hush();
	node_netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(node_netns >= 0);
}

static void
world_enter(int netns)
{
	CHECK(setns(netns, CLONE_NEWNET) == 0);
}

static int
world_netns(void)
{
	int fd;

	CHECK(unshare(CLONE_NEWNET) == 0);
	world_hush();
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	world_enter(node_netns);
	return fd;
}

static int
world_packets(const char *name)
{
	static const struct timeval limit = { .tv_usec = 200000 };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	CHECK(fd >= 0);
	at.sll_ifindex = (int)if_nametoindex(name);
	CHECK(at.sll_ifindex != 0);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	return fd;
}

static void
name_up(const char *name)
{
	CHECK_OK(link_set_up(if_nametoindex(name), true, &err), err);
}

/* The machine sets its own end up, and looks at what comes. */
static void
world_inside(struct machine *m)
{
	world_enter(m->netns);
	/* So that nothing is heard but what the test sends. */
	(void)nrd_attr_write(-1, "/proc/sys/net/ipv6/conf/net0/disable_ipv6", "1", NULL);
	name_up("net0");
	m->packets = world_packets("net0");
	world_enter(node_netns);
}

/* A machine with a NIC whose node's end is not a port yet; n is the last byte of its MAC. */
static struct machine
world_machine(unsigned n)
{
	struct machine m = { .netns = world_netns(), .mac = WORLD_MAC((uint8_t)n) };
	char host[16];
	struct veth_conf conf = { .host = host, .name = "net0", .netns = m.netns, .mac = m.mac, .alias = "a machine" };

	(void)snprintf(host, sizeof(host), "v%u", n);
	CHECK_OK(veth_create(&conf, &m.ifindex, &err), err);
	world_inside(&m);
	return m;
}

/* A machine's end carries frames a moment after the node's end is up. */
static void
settle(const struct machine *m)
{
	struct ifreq req = { .ifr_name = "net0" };

	world_enter(m->netns);
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < 5000 && (req.ifr_flags & IFF_RUNNING) == 0; i++) {
		CHECK(ioctl(fd, SIOCGIFFLAGS, &req) == 0);
		(void)usleep(1000);
	}
	world_enter(node_netns);
	CHECK((req.ifr_flags & IFF_RUNNING) != 0);
}

static struct switch_port_conf
world_conf(const struct machine *m, uint32_t segment)
{
	return (struct switch_port_conf){
		.ifindex = m->ifindex, .segment = segment, .mac = m->mac, .mtu = 1500, .protect = SWITCH_PROTECT_ALL,
	};
}

static uint64_t
dropped(unsigned ifindex, enum switch_drop reason)
{
	struct switch_counts counts;

	CHECK_OK(switch_counts_read(sw, ifindex, &counts, &err), err);
	return counts.drops[reason];
}
