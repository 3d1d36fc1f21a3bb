/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The switch by hand, on a node, as dladm and zoneadmd use it:
 *	switch_probe segment NAME                      its number
 *	switch_probe uplink NAME IFNAME                attaches
 *	switch_probe detach NAME
 *	switch_probe veth|netkit HOST NAME NETNS MAC MTU
 *	switch_probe port HOST SEGMENT MAC [netkit] [ip=ADDR[/BITS]] [vid=N] [mtu=N] [maxbw=BITS] [protect=N] ...
 *	switch_probe remove HOST
 *	switch_probe drop-segment NAME
 *	switch_probe counts HOST                       NAME VALUE lines; "-" for what is no port
 *	switch_probe list                              INDEX PORT SEGMENT VID MAC lines
 *	switch_probe clean                             how many
 *	switch_probe stale                             forgets which program is loaded
 *	switch_probe upgrade
 *	switch_probe samples N                         waits for N; REASON LENGTH lines
 *	switch_probe send IFNAME HEX...                frames, as they are
 *	switch_probe blast ADDR SECONDS                UDP as fast as it goes
 *	switch_probe drain                             two rates of what comes, until none does: see do_drain
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"
#include "link/switch.h"
#include "link/veth.h"
#include "nrd/clock.h"
#include "nrd/mem.h"

static struct link_switch *sw;
static struct nrd_err err;

static void
must(int r)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", err.code, err.msg);
	exit(1);
}

static unsigned
index_of(const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index == 0) {
		(void)fprintf(stderr, "NoInterface: %s\n", name);
		exit(1);
	}
	return index;
}

static const char *
value_of(const char *arg, const char *key)
{
	size_t len = strlen(key);

	return strncmp(arg, key, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static void
prefix_of(const char *text, struct switch_prefix *ret_prefix)
{
	char addr[64];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

	memcpy(addr, text, len);
	addr[len] = '\0';
	ret_prefix->family = strchr(addr, ':') != NULL ? AF_INET6 : AF_INET;
	ret_prefix->bits = slash != NULL ? (unsigned)atoi(slash + 1) : ret_prefix->family == AF_INET ? 32 : 128;
	if (inet_pton(ret_prefix->family, addr, ret_prefix->addr) != 1)
		exit(2);
}

static int
do_port(char **argv)
{
	struct switch_port_conf conf = { .protect = SWITCH_PROTECT_ALL };
	struct switch_prefix allowed[SWITCH_PREFIXES_MAX] = { 0 };

	conf.ifindex = index_of(argv[0]);
	conf.allowed = allowed;
	must(switch_segment_get(sw, argv[1], &conf.segment, &err));
	must(nrd_mac_parse(argv[2], &conf.mac, &err));
	for (char **arg = argv + 3; *arg != NULL; arg++) {
		const char *v;

		if ((v = value_of(*arg, "ip")) != NULL)
			prefix_of(v, &allowed[conf.n_allowed++]);
		else if ((v = value_of(*arg, "vid")) != NULL)
			conf.vid = (unsigned)atoi(v);
		else if ((v = value_of(*arg, "mtu")) != NULL)
			conf.mtu = (unsigned)atoi(v);
		else if ((v = value_of(*arg, "protect")) != NULL)
			conf.protect = (unsigned)atoi(v);
		else if ((v = value_of(*arg, "maxbw")) != NULL)
			conf.maxbw = (uint64_t)atoll(v);
		else if (strcmp(*arg, "netkit") == 0)
			conf.kind = SWITCH_NETKIT;
		else if ((v = value_of(*arg, "group")) != NULL)
			conf.group_rate = (unsigned)atoi(v);
		else
			return 2;
	}
	must(switch_port_set(sw, &conf, &err));
	return 0;
}

static int
do_pair(bool netkit, char **argv)
{
	struct veth_conf conf = { .host = argv[0], .name = argv[1], .mtu = (unsigned)atoi(argv[4]), .alias = argv[1],
				  .netkit = netkit };
	unsigned ifindex;

	NRD_CLOSE int netns = open(argv[2], O_RDONLY | O_CLOEXEC);
	conf.netns = netns;
	must(nrd_mac_parse(argv[3], &conf.mac, &err));
	must(veth_create(&conf, &ifindex, &err));
	return 0;
}

static int
do_counts(const char *name)
{
	struct switch_counts counts;

	must(switch_counts_read(sw, strcmp(name, "-") == 0 ? 0 : index_of(name), &counts, &err));
	(void)printf("out_frames %" PRIu64 "\nout_bytes %" PRIu64 "\nin_frames %" PRIu64 "\nin_bytes %" PRIu64 "\n",
		     counts.out_frames, counts.out_bytes, counts.in_frames, counts.in_bytes);
	for (unsigned i = 1; i < SWITCH_DROP_COUNT; i++)
		(void)printf("%s %" PRIu64 "\n", switch_drop_name(i), counts.drops[i]);
	return 0;
}

static int
print_port(void *arg, const struct switch_port *port, struct nrd_err *e)
{
	char mac[NRD_MAC_TEXT];

	(void)arg;
	(void)e;
	nrd_mac_format(&port->mac, mac);
	(void)printf("%u %u %u %u %s\n", port->ifindex, port->port, port->segment, port->vid, mac);
	return 0;
}

static int
do_samples(int n)
{
	struct switch_samples *samples;
	struct switch_sample s;

	must(switch_samples_open(sw, &samples, &err));
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (n > 0) {
		struct pollfd p = { .fd = switch_samples_fd(samples), .events = POLLIN };

		if (poll(&p, 1, 20000) <= 0)
			return 1;
		for (; n > 0 && switch_samples_next(samples, &s) == 1; n--)
			(void)printf("%s %u\n", switch_drop_name(s.reason), s.len);
	}
	switch_samples_close(samples);
	return 0;
}

static int
do_send(const char *name, char **frames)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)index_of(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	for (; *frames != NULL; frames++) {
		unsigned char bytes[2048];
		size_t n = strlen(*frames) / 2;

		for (size_t i = 0; i < n; i++) {
			char two[3] = { (*frames)[2 * i], (*frames)[2 * i + 1] };

			bytes[i] = (unsigned char)strtoul(two, NULL, 16);
		}
		/* A netkit device tells its sender of a frame that was dropped; veth keeps it to itself. */
		if (sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)n && errno != ENOBUFS) {
			perror("send");
			return 1;
		}
	}
	return 0;
}

#define UDP_PORT 9000

static int
do_blast(const char *addr, int seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(UDP_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t end = nrd_now_ms() + 1000 * (int64_t)seconds;
	static const char bytes[1400];

	(void)inet_pton(AF_INET, addr, &to.sin_addr);
	while (nrd_now_ms() < end)
		(void)sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to));
	return 0;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum { STRETCHES = 16, FRAMES_MAX = 1 << 20 };

static uint64_t
rate(uint64_t frames, size_t size, int64_t from, int64_t to)
{
	return to > from ? frames * size * 8 * 1000000000 / (uint64_t)(to - from) : 0;
}

/*
 * Prints the rate of all that came and the median of the rates of its sixteenths, in bits a second as on the wire, with the
 * headers of Ethernet, IP and UDP. A processor that does something else for a while is in the first and not in the second.
 */
static int
do_drain(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(UDP_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 8 << 20;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static int64_t came[FRAMES_MAX];
	uint64_t rates[STRETCHES], n = 0;
	size_t frame = 0;
	char buf[2048];

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return 1;
	while (n < FRAMES_MAX && poll(&p, 1, n > 0 ? 1500 : 20000) > 0) {
		frame = (size_t)recv(fd, buf, sizeof(buf), 0) + 42;
		came[n++] = now_ns();
	}
	if (n <= STRETCHES) {
		(void)printf("0 0\n");
		return 0;
	}
	for (uint64_t i = 0; i < STRETCHES; i++) {
		uint64_t from = i * (n - 1) / STRETCHES, to = (i + 1) * (n - 1) / STRETCHES;

		rates[i] = rate(to - from, frame, came[from], came[to]);
	}
	qsort(rates, STRETCHES, sizeof(rates[0]), by_size);
	(void)printf("%" PRIu64 " %" PRIu64 "\n", rate(n - 1, frame, came[0], came[n - 1]),
		     (rates[STRETCHES / 2 - 1] + rates[STRETCHES / 2]) / 2);
	return 0;
}

int
main(int argc, char **argv)
{
	struct switch_version_row none = { 0 };
	const char *verb = argc > 1 ? argv[1] : "";
	uint32_t segment, zero = 0;
	size_t n;

	argv += 2;
	argc -= 2;
	if (strcmp(verb, "send") == 0)
		return do_send(argv[0], argv + 1);
	if (strcmp(verb, "blast") == 0)
		return do_blast(argv[0], atoi(argv[1]));
	if (strcmp(verb, "drain") == 0)
		return do_drain();
	if ((strcmp(verb, "veth") == 0 || strcmp(verb, "netkit") == 0) && argc == 5)
		return do_pair(strcmp(verb, "netkit") == 0, argv);
	if (strcmp(verb, "upgrade") == 0) {
		must(switch_upgrade(&err));
		return 0;
	}
	must(switch_open(NULL, &sw, &err));
	if (strcmp(verb, "segment") == 0) {
		must(switch_segment_get(sw, argv[0], &segment, &err));
		(void)printf("%u\n", segment);
	} else if (strcmp(verb, "uplink") == 0) {
		must(switch_segment_get(sw, argv[0], &segment, &err));
		must(switch_uplink_attach(sw, segment, index_of(argv[1]), &err));
	} else if (strcmp(verb, "detach") == 0) {
		must(switch_segment_find(sw, argv[0], &segment, &err));
		must(switch_uplink_detach(sw, segment, &err));
	} else if (strcmp(verb, "drop-segment") == 0) {
		must(switch_segment_find(sw, argv[0], &segment, &err));
		must(switch_segment_remove(sw, segment, &err));
	} else if (strcmp(verb, "port") == 0) {
		return do_port(argv);
	} else if (strcmp(verb, "remove") == 0) {
		must(switch_port_remove(sw, index_of(argv[0]), &err));
	} else if (strcmp(verb, "counts") == 0) {
		return do_counts(argv[0]);
	} else if (strcmp(verb, "list") == 0) {
		must(switch_port_each(sw, print_port, NULL, &err));
	} else if (strcmp(verb, "clean") == 0) {
		must(switch_clean(sw, &n, &err));
		(void)printf("%zu\n", n);
	} else if (strcmp(verb, "stale") == 0) {
		must(link_bpf_set(sw->maps[MAP_version], &zero, &none));
	} else if (strcmp(verb, "samples") == 0) {
		return do_samples(atoi(argv[0]));
	} else {
		return 2;
	}
	return 0;
}
