/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Machines in namespaces at a switch: who hears what. */
#include "switch-world.h"

#include <dirent.h>
#include <linux/if_tun.h>

#include "nrd/fault.h"

static unsigned char got[2048];

static void
send_frame(const struct machine *from, const void *frame, size_t len)
{
	CHECK_INT(send(from->packets, frame, len, 0), (long long)len);
}

static size_t
hear_within(const struct machine *m, const unsigned char *frame, int tries)
{
	for (;;) {
		ssize_t n = recv(m->packets, got, sizeof(got), 0);

		if (n < 0 && --tries == 0)
			return 0;
		if (n >= 14 && memcmp(got, frame, 14) == 0)
			return (size_t)n;
	}
}

/* Whether that frame comes, on a busy machine too. */
static bool
hears(const struct machine *m, const unsigned char *frame)
{
	return hear_within(m, frame, 25) == 60;
}

/* That it does not come can only be waited for so long. */
static bool
deaf(const struct machine *m, const unsigned char *frame)
{
	return hear_within(m, frame, 1) == 0;
}

static void
attach(const struct machine *m, const struct switch_port_conf *conf)
{
	CHECK_OK(switch_port_set(sw, conf, &err), err);
	settle(m);
}

/* An IPv4 datagram of nothing; dst and src are the last bytes of MACs, 0xff a broadcast. */
static size_t
ip4(unsigned char *f, unsigned dst, unsigned src, const char *addr)
{
	static const unsigned char base[] = { 0x02, 0x08, 0x20, 0, 0 };

	memset(f, 0, 60);
	memcpy(f, base, sizeof(base));
	f[5] = (unsigned char)dst;
	if (dst == 0xff)
		memset(f, 0xff, 6);
	memcpy(f + 6, base, sizeof(base));
	f[11] = (unsigned char)src;
	f[12] = 0x08;
	f[14] = 0x45;
	f[17] = 46;
	f[22] = 64;
	f[23] = 253;
	CHECK(inet_pton(AF_INET, addr, f + 26) == 1);
	return 60;
}

static void
a_stub(void)
{
	unsigned char f[60];
	uint32_t stub;
	struct machine a = world_machine(0xa), b = world_machine(0xb), c = world_machine(0xc);
	struct switch_port_conf conf;
	struct switch_counts counts;

	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	conf = world_conf(&a, stub);
	attach(&a, &conf);
	conf = world_conf(&b, stub);
	attach(&b, &conf);
	conf = world_conf(&c, stub);
	attach(&c, &conf);

	send_frame(&a, f, ip4(f, 0xb, 0xa, "0.0.0.0"));
	CHECK(hears(&b, f));
	CHECK(deaf(&c, f));
	send_frame(&a, f, ip4(f, 0xff, 0xa, "0.0.0.0"));
	CHECK(hears(&b, f));
	CHECK(hears(&c, f));
	CHECK(deaf(&a, f));
	send_frame(&a, f, ip4(f, 0xb, 0xc, "0.0.0.0"));
	CHECK(deaf(&b, f));
	CHECK_INT(dropped(a.ifindex, SWITCH_DROP_MAC), 1);
	send_frame(&a, f, ip4(f, 0xd, 0xa, "0.0.0.0"));
	CHECK_INT(dropped(a.ifindex, SWITCH_DROP_UNKNOWN), 1);
	CHECK_OK(switch_counts_read(sw, b.ifindex, &counts, &err), err);
	CHECK_INT(counts.in_frames, 2);
	CHECK_INT(counts.in_bytes, 120);
	CHECK_OK(switch_counts_read(sw, a.ifindex, &counts, &err), err);
	CHECK_INT(counts.out_frames, 3);
}

static size_t
pins(void)
{
	char path[128];
	struct dirent *entry;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/links", world_dir);
	NRD_CLOSEDIR DIR *dir = opendir(path);
	CHECK(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	return n;
}

static int
count_one(void *arg, const struct switch_port *port, struct nrd_err *e)
{
	(void)port;
	(void)e;
	++*(size_t *)arg;
	return 0;
}

static size_t
ports_now(void)
{
	size_t n = 0;

	CHECK_OK(switch_port_each(sw, count_one, &n, &err), err);
	return n;
}

static bool
is_up(unsigned ifindex)
{
	NRD_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };

	CHECK(if_indextoname(ifindex, req.ifr_name) != NULL);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &req) == 0);
	return (req.ifr_flags & IFF_UP) != 0;
}

/* What is asked for is what is read. */
static void
what_a_port_is(void)
{
	struct switch_prefix allowed[] = {
		{ .family = AF_INET, .bits = 24, .addr = { 10, 0, 0, 0 } },
		{ .family = AF_INET6, .bits = 128, .addr = { 0xfd, [15] = 1 } },
	};
	struct machine m = world_machine(0x21);
	struct switch_port_conf conf;
	struct switch_port port;
	uint32_t stub;

	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	conf = world_conf(&m, stub);
	conf.vid = 7;
	conf.mtu = 1400;
	conf.allowed = allowed;
	conf.n_allowed = 2;
	conf.priority = SWITCH_PRIORITY_HIGH;
	conf.rules = 3;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	CHECK_OK(switch_port_get(sw, m.ifindex, &port, &err), err);
	CHECK_INT(port.segment, stub);
	CHECK_INT(port.vid, 7);
	CHECK_INT(port.mtu, 1400);
	CHECK(nrd_mac_equal(&port.mac, &m.mac));
	CHECK_INT(port.protect, SWITCH_PROTECT_ALL);
	CHECK_INT(port.n_allowed, 2);
	CHECK(memcmp(port.allowed, allowed, sizeof(allowed)) == 0);
	CHECK_INT(port.priority, SWITCH_PRIORITY_HIGH);
	CHECK_INT(port.rules, 3);
	CHECK(is_up(m.ifindex));
	/* Without an address, all ways to get one are on. */
	conf.n_allowed = 0;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	CHECK_OK(switch_port_get(sw, m.ifindex, &port, &err), err);
	CHECK_INT(port.protect, SWITCH_PROTECT_ALL | SWITCH_LEARN_ALL);
	CHECK_INT(port.n_allowed, 0);
	conf.vid = 8;
	CHECK_FAILS(switch_port_set(sw, &conf, &err), err, EINVAL, "PortMove");
	CHECK_OK(switch_port_remove(sw, m.ifindex, &err), err);
	CHECK_OK(switch_port_remove(sw, m.ifindex, &err), err);
	CHECK(!is_up(m.ifindex));
	CHECK_FAILS(switch_port_get(sw, m.ifindex, &port, &err), err, ENOENT, "PortNotFound");
	CHECK_OK(link_delete(m.ifindex, &err), err);
}

static void
secondary_addresses(void)
{
	static const struct nrd_mac more[] = { WORLD_MAC(0x31), WORLD_MAC(0x32) };
	struct machine m = world_machine(0x30), o = world_machine(0x33);
	struct switch_port_conf conf;
	unsigned char f[60];
	uint32_t stub;

	CHECK_OK(switch_segment_get(sw, "stub3", &stub, &err), err);
	conf = world_conf(&o, stub);
	attach(&o, &conf);
	conf = world_conf(&m, stub);
	conf.secondary = more;
	conf.n_secondary = 2;
	attach(&m, &conf);
	send_frame(&m, f, ip4(f, 0x33, 0x32, "0.0.0.0"));
	CHECK(hears(&o, f));
	send_frame(&o, f, ip4(f, 0x31, 0x33, "0.0.0.0"));
	CHECK(hears(&m, f));
	conf.n_secondary = 1;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	send_frame(&m, f, ip4(f, 0x33, 0x32, "0.0.0.0"));
	CHECK(deaf(&o, f));
	send_frame(&o, f, ip4(f, 0x32, 0x33, "0.0.0.0"));
	CHECK_INT(dropped(o.ifindex, SWITCH_DROP_UNKNOWN), 1);
	conf = world_conf(&o, stub);
	conf.secondary = more;
	conf.n_secondary = 1;
	CHECK_FAILS(switch_port_set(sw, &conf, &err), err, EEXIST, "MacInUse");
	CHECK_OK(link_delete(m.ifindex, &err), err);
	CHECK_OK(link_delete(o.ifindex, &err), err);
}

/* The last test's interfaces are gone, ports or not. */
static void
cleaning(void)
{
	size_t before = ports_now(), n;

	CHECK_OK(switch_clean(sw, &n, &err), err);
	CHECK_INT(n, 2);
	CHECK_INT(ports_now(), before - 2);
	CHECK_OK(switch_clean(sw, &n, &err), err);
	CHECK_INT(n, 0);
}

/* What one that is gone has left of its MAC and its address is the next one's, without being looked for. */
static void
heirs(void)
{
	const struct switch_prefix at = { .family = AF_INET, .bits = 32, .addr = { 10, 9, 9, 9 } };
	struct machine was = world_machine(0x34), o = world_machine(0x35), is, again;
	struct switch_port_conf conf;
	unsigned char f[60];
	uint32_t stub;
	size_t before;

	CHECK_OK(switch_segment_get(sw, "stub-heirs", &stub, &err), err);
	conf = world_conf(&o, stub);
	attach(&o, &conf);
	conf = world_conf(&was, stub);
	conf.allowed = &at;
	conf.n_allowed = 1;
	attach(&was, &conf);
	before = ports_now();
	CHECK_OK(link_delete(was.ifindex, &err), err);
	is = world_machine(0x34);
	conf.ifindex = is.ifindex;
	attach(&is, &conf);
	CHECK_INT(ports_now(), before);
	send_frame(&o, f, ip4(f, 0x34, 0x35, "0.0.0.0"));
	CHECK(hears(&is, f));
	/* Another MAC, the same address. */
	CHECK_OK(link_delete(is.ifindex, &err), err);
	again = world_machine(0x36);
	conf.ifindex = again.ifindex;
	conf.mac = again.mac;
	attach(&again, &conf);
	CHECK_INT(ports_now(), before);
	CHECK_OK(link_delete(again.ifindex, &err), err);
	CHECK_OK(link_delete(o.ifindex, &err), err);
	CHECK_OK(switch_clean(sw, NULL, &err), err);
}

/* Members come and go in any order, and all that are there hear. */
static void
membership(void)
{
	enum { N = 9 };
	static const unsigned gone[] = { 0, 4, 8, 3 };
	struct machine m[N];
	unsigned char f[60];
	uint32_t stub;
	bool there[N];

	CHECK_OK(switch_segment_get(sw, "stub1", &stub, &err), err);
	for (unsigned i = 0; i < N; i++) {
		m[i] = world_machine(0x40 + i);
		struct switch_port_conf conf = world_conf(&m[i], stub);

		attach(&m[i], &conf);
		there[i] = true;
	}
	for (unsigned g = 0; g < nrd_count(gone); g++) {
		CHECK_OK(switch_port_remove(sw, m[gone[g]].ifindex, &err), err);
		there[gone[g]] = false;
		send_frame(&m[1], f, ip4(f, 0xff, 0x41, "0.0.0.0"));
		for (unsigned i = 0; i < N; i++)
			CHECK(there[i] && i != 1 ? hears(&m[i], f) : deaf(&m[i], f));
	}
	CHECK_OK(switch_segment_find(sw, "stub1", &stub, &err), err);
	CHECK_FAILS(switch_segment_remove(sw, stub, &err), err, EBUSY, "SegmentInUse");
	for (unsigned i = 0; i < N; i++)
		CHECK_OK(switch_port_remove(sw, m[i].ifindex, &err), err);
	CHECK_OK(switch_segment_remove(sw, stub, &err), err);
	CHECK_FAILS(switch_segment_find(sw, "stub1", &stub, &err), err, ENOENT, "SegmentNotFound");
	for (unsigned i = 0; i < N; i++)
		CHECK_OK(link_delete(m[i].ifindex, &err), err);
}

/* Wherever making or changing a port fails, it is as before; at last it succeeds. */
static void
faults(void)
{
	struct switch_prefix allowed[] = { { .family = AF_INET, .bits = 32, .addr = { 10, 0, 0, 1 } } };
	struct machine m = world_machine(0x51), o = world_machine(0x52);
	struct switch_port_conf conf;
	size_t ports_before = ports_now(), pins_before = pins();
	unsigned char f[60];
	unsigned failed = 0;
	uint32_t stub;

	CHECK_OK(switch_segment_get(sw, "stub2", &stub, &err), err);
	conf = world_conf(&o, stub);
	attach(&o, &conf);
	conf = world_conf(&m, stub);
	conf.allowed = allowed;
	conf.n_allowed = 1;
	CHECK(setenv("NEREID_FAULT", "1", 1) == 0);
	nrd_fault_init();
	for (nrd_fault_begin(); switch_port_set(sw, &conf, &err) < 0; nrd_fault_begin(), failed++) {
		CHECK(nrd_err_is(&err, "Fault"));
		CHECK_INT(ports_now(), ports_before + 1);
		CHECK_INT(pins(), pins_before + 1);
		CHECK(!is_up(m.ifindex));
	}
	CHECK(failed >= 4);
	CHECK(is_up(m.ifindex));
	settle(&m);
	/* A change that fails anywhere loses nothing of what was. */
	nrd_fault_init();
	allowed[0].addr[3] = 2;
	conf.mac.b[5] = 0x59;
	failed = 0;
	for (nrd_fault_begin(); switch_port_set(sw, &conf, &err) < 0; nrd_fault_begin(), failed++) {
		CHECK(nrd_err_is(&err, "Fault"));
		if (is_up(m.ifindex)) {
			send_frame(&m, f, ip4(f, 0x52, 0x51, "10.0.0.1"));
			if (deaf(&o, f))
				break; /* it failed after the change, in setting the interface up */
			send_frame(&o, f, ip4(f, 0x59, 0x52, "0.0.0.0"));
			CHECK_INT(dropped(o.ifindex, SWITCH_DROP_UNKNOWN), failed + 1);
		}
	}
	CHECK(failed >= 2);
	CHECK(unsetenv("NEREID_FAULT") == 0);
	for (int i = 0; i < 1000; i++) /* past all points */
		nrd_fault_begin();
	attach(&m, &conf);
	send_frame(&m, f, ip4(f, 0x52, 0x59, "10.0.0.2"));
	CHECK(hears(&o, f));
	CHECK_OK(switch_port_remove(sw, m.ifindex, &err), err);
	CHECK_OK(switch_port_remove(sw, o.ifindex, &err), err);
}

/* The program is replaced at each port; tables stay. */
static void
replacing(void)
{
	struct switch_version_row none = { 0 };
	struct machine m = world_machine(0x61), o = world_machine(0x62);
	struct switch_port_conf conf;
	const void *object;
	unsigned char f[60];
	uint32_t stub, zero = 0;
	char path[128];
	size_t len;

	CHECK_OK(switch_segment_get(sw, "stub4", &stub, &err), err);
	conf = world_conf(&m, stub);
	attach(&m, &conf);
	conf = world_conf(&o, stub);
	attach(&o, &conf);
	object = switch_bpf__elf_bytes(&len);
	(void)snprintf(path, sizeof(path), "%s/maps/version", world_dir);
	NRD_CLOSE int map = bpf_obj_get(path);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(bpf_map_update_elem(map, &zero, &none, BPF_ANY), 0);
		CHECK_OK(switch_load(world_dir, object, len, &err), err);
		send_frame(&m, f, ip4(f, 0x62, 0x61, "0.0.0.0"));
		CHECK(hears(&o, f));
	}
	/* What was opened before goes on with what is there now. */
	CHECK_OK(switch_port_remove(sw, m.ifindex, &err), err);
	conf = world_conf(&m, stub);
	attach(&m, &conf);
	send_frame(&m, f, ip4(f, 0x62, 0x61, "0.0.0.0"));
	CHECK(hears(&o, f));
}

/* The one's complement sum of an IPv6 datagram's message with its pseudo header: 0xffff when it is right. */
static unsigned
sum6(const unsigned char *ip, size_t len)
{
	unsigned long sum = (unsigned long)len + ip[6];

	for (size_t i = 8; i < 40 + len; i += 2)
		sum += (unsigned long)ip[i] << 8 | ip[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (unsigned)sum;
}

/* Who has an address is told by the switch, on an etherstub; what it does not know for certain is asked of all. */
static void
answers(void)
{
	struct switch_prefix of_a[] = { { .family = AF_INET, .bits = 32, .addr = { 10, 0, 0, 1 } },
					{ .family = AF_INET6, .bits = 128, .addr = { 0xfd, [15] = 1 } } };
	struct switch_prefix of_b[] = { { .family = AF_INET, .bits = 32, .addr = { 10, 0, 0, 2 } },
					{ .family = AF_INET6, .bits = 128, .addr = { 0xfd, [15] = 2 } } };
	struct machine a = world_machine(0x91), b = world_machine(0x92), c = world_machine(0x93);
	unsigned char f[86] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, reply[14];
	static const unsigned char arp[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	struct switch_port_conf conf;
	uint32_t stub;

	CHECK_OK(switch_segment_get(sw, "stub6", &stub, &err), err);
	conf = world_conf(&c, stub);
	attach(&c, &conf);
	conf = world_conf(&a, stub);
	conf.allowed = of_a;
	conf.n_allowed = 2;
	attach(&a, &conf);
	conf = world_conf(&b, stub);
	conf.allowed = of_b;
	conf.n_allowed = 2;
	attach(&b, &conf);

	memcpy(f + 6, a.mac.b, 6);
	memcpy(f + 12, arp, sizeof(arp));
	memcpy(f + 22, a.mac.b, 6);
	memcpy(f + 28, of_a[0].addr, 4);
	memcpy(f + 38, of_b[0].addr, 4);
	memcpy(reply, a.mac.b, 6);
	memcpy(reply + 6, b.mac.b, 6);
	memcpy(reply + 12, arp, 2);
	send_frame(&a, f, 42);
	CHECK_INT(hear_within(&a, reply, 25), 42);
	CHECK_INT(got[21], 2);
	CHECK(memcmp(got + 22, b.mac.b, 6) == 0 && memcmp(got + 28, of_b[0].addr, 4) == 0);
	CHECK(memcmp(got + 32, a.mac.b, 6) == 0 && memcmp(got + 38, of_a[0].addr, 4) == 0);
	CHECK(deaf(&c, f) && deaf(&b, f));
	/* Of an address that nobody has all are asked, and so they are told of one's own. */
	f[41] = 77;
	send_frame(&a, f, 42);
	CHECK_INT(hear_within(&c, f, 25), 42);
	memcpy(f + 38, of_a[0].addr, 4);
	send_frame(&a, f, 42);
	CHECK_INT(hear_within(&c, f, 25), 42);

	memcpy(f, "\x33\x33\xff\0\0\2", 6);
	memcpy(f + 12, "\x86\xdd\x60\0\0\0\0\x20\x3a\xff", 10);
	memcpy(f + 22, of_a[1].addr, 16);
	memcpy(f + 38, "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\0\0\2", 16);
	memcpy(f + 54, "\x87\0\0\0\0\0\0\0", 8);
	memcpy(f + 62, of_b[1].addr, 16);
	memcpy(f + 78, "\1\1", 2);
	memcpy(f + 80, a.mac.b, 6);
	memcpy(reply + 12, "\x86\xdd", 2);
	send_frame(&a, f, 86);
	CHECK_INT(hear_within(&a, reply, 25), 86);
	CHECK(memcmp(got + 22, of_b[1].addr, 16) == 0 && memcmp(got + 38, of_a[1].addr, 16) == 0);
	CHECK_INT(got[54], 136);
	CHECK_INT(got[58], 0x60);
	CHECK(memcmp(got + 62, of_b[1].addr, 16) == 0 && memcmp(got + 80, b.mac.b, 6) == 0);
	CHECK_INT(sum6(got + 14, 32), 0xffff);
	CHECK(deaf(&c, f) && deaf(&b, f));

	/* Two that may have the same address are asked both. */
	conf = world_conf(&c, stub);
	conf.allowed = of_b;
	conf.n_allowed = 2;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	send_frame(&a, f, 86);
	CHECK_INT(hear_within(&c, f, 25), 86);
}

/* What is read next of any of both queues of a guest: the kernel says which one it is, by the flow. */
static ssize_t
read_either(int first, int second, unsigned char *dst, size_t size)
{
	struct pollfd p[2] = { { .fd = first, .events = POLLIN }, { .fd = second, .events = POLLIN } };

	CHECK(poll(p, 2, 5000) > 0);
	return read(p[0].revents != 0 ? first : second, dst, size);
}

/* A guest's: the switch's end is what the guest reads and writes, by any of its queues. */
static void
a_tap(void)
{
	struct ifreq req = { .ifr_name = "tap0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };
	struct machine guest = { .mac = WORLD_MAC(0x81) }, o = world_machine(0x82);
	struct switch_port_conf conf;
	unsigned char f[60], in[2048];
	uint32_t stub;

	NRD_CLOSE int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	NRD_CLOSE int second = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tap < 0) {
		(void)printf("# no /dev/net/tun here\n");
		return;
	}
	CHECK(ioctl(tap, TUNSETIFF, &req) == 0);
	CHECK(ioctl(second, TUNSETIFF, &req) == 0);
	guest.ifindex = if_nametoindex("tap0");
	CHECK_OK(switch_segment_get(sw, "stub5", &stub, &err), err);
	conf = world_conf(&guest, stub);
	conf.kind = SWITCH_TAP;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	conf = world_conf(&o, stub);
	attach(&o, &conf);
	for (int i = 0; i < 2; i++) {
		int queue = i == 0 ? tap : second;

		CHECK_INT(write(queue, f, ip4(f, 0x82, 0x81, "0.0.0.0")), 60);
		CHECK(hears(&o, f));
		CHECK_INT(write(queue, f, ip4(f, 0x82, 0x99, "0.0.0.0")), 60);
		CHECK(deaf(&o, f));
		CHECK_INT(dropped(guest.ifindex, SWITCH_DROP_MAC), i + 1);
	}
	send_frame(&o, f, ip4(f, 0x81, 0x82, "0.0.0.0"));
	CHECK_INT(read_either(tap, second, in, sizeof(in)), 60);
	CHECK(memcmp(in, f, 60) == 0);
	CHECK_OK(switch_port_remove(sw, guest.ifindex, &err), err);
}

/* A name at a time: what may be asked for. */
static void
bad_input(void)
{
	struct machine m = world_machine(0x71);
	struct switch_prefix prefix = { .family = AF_INET, .bits = 33 };
	struct switch_cid cid = { .len = 0 };
	struct switch_port_conf good, conf;
	char name[SWITCH_NAME_MAX + 1];
	uint32_t stub;

	memset(name, 'x', SWITCH_NAME_MAX);
	name[SWITCH_NAME_MAX] = '\0';
	CHECK_FAILS(switch_segment_get(sw, name, &stub, &err), err, EINVAL, "SegmentName");
	CHECK_FAILS(switch_segment_get(sw, "", &stub, &err), err, EINVAL, "SegmentName");
	name[SWITCH_NAME_MAX - 1] = '\0';
	CHECK_OK(switch_segment_get(sw, name, &stub, &err), err);
	good = world_conf(&m, stub);
#define REFUSED(member, value)                                                                \
	do {                                                                                  \
		conf = good;                                                                  \
		conf.member = value;                                                          \
		CHECK_FAILS(switch_port_set(sw, &conf, &err), err, EINVAL, "PortConf");       \
	} while (0)
	REFUSED(ifindex, 0);
	REFUSED(vid, 4095);
	REFUSED(mtu, 67);
	REFUSED(mtu, 65536);
	REFUSED(maxbw, 1);
	REFUSED(kind, 9);
	REFUSED(mac.b[0], 1);
	REFUSED(n_allowed, SWITCH_PREFIXES_MAX + 1);
	REFUSED(n_cids, SWITCH_CIDS_MAX + 1);
	REFUSED(n_secondary, SWITCH_SECONDARY_MAX + 1);
	good.allowed = &prefix;
	REFUSED(n_allowed, 1);
	prefix.bits = 32;
	REFUSED(n_allowed, 1); /* 0.0.0.0 */
	prefix.family = AF_UNIX;
	REFUSED(n_allowed, 1);
	good.cids = &cid;
	REFUSED(n_cids, 1);
	cid.len = SWITCH_CID_BYTES + 1;
	REFUSED(n_cids, 1);
	conf = good;
	conf.segment = 999;
	CHECK_FAILS(switch_port_set(sw, &conf, &err), err, ENOENT, "SegmentNotFound");
	CHECK(!is_up(m.ifindex));
}

int
main(void)
{
	static void (*const tests[])(void) = {
		a_stub, what_a_port_is, secondary_addresses, cleaning, heirs, membership, faults, replacing, answers, a_tap, bad_input,
	};
	const char *refused = world_refused();

	if (refused != NULL) {
		(void)printf("1..0 # SKIP %s\n", refused);
		return 0;
	}
	world_make();
	return test_run(tests, nrd_count(tests),
			"a_stub, what_a_port_is, secondary_addresses, cleaning, heirs, membership, faults, replacing, answers, a_tap, bad_input");
}
