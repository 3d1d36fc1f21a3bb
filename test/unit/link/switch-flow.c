/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* Flows: which one each kind of frame is of, sent and heard, by BPF_PROG_TEST_RUN; what they are let; and how sets of them change. */
#include "switch-world.h"

#include "link/flow.h"
#include "nrd/fault.h"

#define REDIRECTED 7 /* TCX_REDIRECT */
#define DROPPED 2
#define TCP 6
#define UDP 17

static unsigned char frame[2048];
static size_t len;
static struct machine me, other;
static uint32_t stub;
static int program;

static void
put(const void *data, size_t n)
{
	CHECK(len + n <= sizeof(frame));
	memcpy(frame + len, data, n);
	len += n;
}

static void
put16(unsigned v)
{
	const unsigned char b[] = { (unsigned char)(v >> 8), (unsigned char)v };

	put(b, 2);
}

static void
put_addr(const char *text)
{
	unsigned char b[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	CHECK(inet_pton(family, text, b) == 1);
	put(b, family == AF_INET ? 4 : 16);
}

/* Either way between me and the other; local is my address. */
static void
eth(bool sent, unsigned type)
{
	len = 0;
	put(sent ? other.mac.b : me.mac.b, 6);
	put(sent ? me.mac.b : other.mac.b, 6);
	put16(type);
}

static void
ip4(bool sent, const char *local, const char *remote, unsigned tos, unsigned protocol, unsigned fragment)
{
	eth(sent, 0x0800);
	put16(0x4500 | tos);
	put16(28);
	put16(1);
	put16(fragment);
	put16(64 << 8 | protocol);
	put16(0);
	put_addr(sent ? local : remote);
	put_addr(sent ? remote : local);
}

static void
ip6(bool sent, const char *local, const char *remote, unsigned class, unsigned next)
{
	eth(sent, 0x86dd);
	put16(0x6000 | class << 4);
	put16(0);
	put16(16);
	put16(next << 8 | 64);
	put_addr(sent ? local : remote);
	put_addr(sent ? remote : local);
}

/* The ports of a transport, and room for the rest of it. */
static void
ports(bool sent, unsigned local, unsigned remote)
{
	static const unsigned char rest[32];

	put16(sent ? local : remote);
	put16(sent ? remote : local);
	put(rest, sizeof(rest));
}

static int
run(bool sent)
{
	struct __sk_buff ctx = { .ifindex = sent ? me.ifindex : other.ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (unsigned)len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);

	CHECK(bpf_prog_test_run_opts(program, &opts) == 0);
	return (int)opts.retval;
}

static struct switch_flow
flow(const char *name, const char *attrs, const char *props)
{
	struct switch_flow f = { 0 };

	(void)snprintf(f.name, sizeof(f.name), "%s", name);
	CHECK_OK(flow_attrs_parse(attrs, &f, &err), err);
	if (props != NULL)
		CHECK_OK(flow_props_set(&f, props, &err), err);
	return f;
}

static struct switch_flow_counts
counts_of(const char *name)
{
	struct switch_flow flows[SWITCH_PORT_FLOWS_MAX];
	struct switch_flow_counts c = { 0 };
	size_t n;

	CHECK_OK(switch_flows_read(sw, me.ifindex, flows, &n, &err), err);
	for (size_t i = 0; i < n; i++)
		if (strcmp(flows[i].name, name) == 0) {
			CHECK_OK(switch_flow_counts_read(sw, flows[i].number, &c, &err), err);
			return c;
		}
	test_fail(__FILE__, __LINE__, "there is no flow %s", name);
}

/* The frame counts for that one of my flows and for no other; NULL: for none. */
static void
is_of(const char *what, bool sent, const char *name)
{
	struct switch_flow flows[SWITCH_PORT_FLOWS_MAX];
	struct switch_flow_counts before[SWITCH_PORT_FLOWS_MAX], after;
	size_t n;

	CHECK_OK(switch_flows_read(sw, me.ifindex, flows, &n, &err), err);
	for (size_t i = 0; i < n; i++)
		CHECK_OK(switch_flow_counts_read(sw, flows[i].number, &before[i], &err), err);
	CHECK_INT(run(sent), REDIRECTED);
	for (size_t i = 0; i < n; i++) {
		bool wanted = name != NULL && strcmp(flows[i].name, name) == 0;

		CHECK_OK(switch_flow_counts_read(sw, flows[i].number, &after, &err), err);
		if (after.out_frames - before[i].out_frames != (wanted && sent) ||
		    after.in_frames - before[i].in_frames != (wanted && !sent) ||
		    (wanted && (sent ? after.out_bytes - before[i].out_bytes : after.in_bytes - before[i].in_bytes) != len))
			test_fail(__FILE__, __LINE__, "%s, %s: flow %s", what, sent ? "sent" : "heard", flows[i].name);
	}
}

static void
set(const struct switch_flow *flows, size_t n)
{
	CHECK_OK(switch_flows_set(sw, me.ifindex, flows, n, &err), err);
}

#define BOTH for (int sent = 0; sent < 2; sent++)

static void
by_address(void)
{
	const struct switch_flow local[] = {
		flow("all", "local_ip=10.0.0.0/8", NULL), flow("one", "local_ip=10.0.0.2", NULL), flow("six", "local_ip=fd00::/16", NULL),
	};
	const struct switch_flow remote[] = { flow("far", "remote_ip=10.9.0.0/16", NULL), flow("six", "remote_ip=fd00::9", NULL) };

	set(local, 3);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 1, 2);
		is_of("the longest prefix", sent, "one");
		ip4(sent, "10.0.0.3", "10.0.0.2", 0, UDP, 0), ports(sent, 1, 2);
		is_of("a shorter prefix", sent, "all");
		ip4(sent, "192.168.0.1", "10.0.0.2", 0, UDP, 0), ports(sent, 1, 2);
		is_of("no prefix", sent, NULL);
		ip6(sent, "fd00::1", "fe80::1", 0, UDP), ports(sent, 1, 2);
		is_of("IPv6", sent, "six");
		ip6(sent, "a00:2::", "fd00::1", 0, UDP), ports(sent, 1, 2);
		is_of("an IPv6 address that begins like an IPv4 one", sent, NULL);
		eth(sent, 0x88b5), ports(sent, 1, 2);
		is_of("no IP", sent, NULL);
	}
	set(remote, 2);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 1, 2);
		is_of("the remote prefix", sent, "far");
		ip4(sent, "10.9.0.1", "10.0.0.2", 0, UDP, 0), ports(sent, 1, 2);
		is_of("it is the local one", sent, NULL);
		ip6(sent, "fd00::1", "fd00::9", 0, UDP), ports(sent, 1, 2);
		is_of("a remote IPv6 address", sent, "six");
		ip6(sent, "fd00::1", "fd00::8", 0, UDP), ports(sent, 1, 2);
		is_of("another", sent, NULL);
	}
}

static void
by_transport(void)
{
	const struct switch_flow kinds[] = {
		flow("t", "transport=tcp", NULL), flow("u", "transport=udp", NULL), flow("p", "transport=icmp", NULL),
		flow("p6", "transport=icmpv6", NULL),
	};
	const struct switch_flow local[] = { flow("web", "transport=tcp,local_port=80", NULL), flow("dns", "transport=udp,local_port=80", NULL) };
	const struct switch_flow remote[] = { flow("web", "transport=tcp,remote_port=443", NULL) };

	set(kinds, 4);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), ports(sent, 1, 2);
		is_of("TCP", sent, "t");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, 1, 0), ports(sent, 1, 2);
		is_of("ICMP", sent, "p");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0x0010), ports(sent, 1, 2);
		is_of("a later fragment", sent, "u");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, 47, 0), ports(sent, 1, 2);
		is_of("another", sent, NULL);
		ip6(sent, "fd00::1", "fd00::2", 0, 58), ports(sent, 1, 2);
		is_of("ICMPv6", sent, "p6");
		ip6(sent, "fd00::1", "fd00::2", 0, 60), put("\x06\0\0\0\0\0\0\0", 8), ports(sent, 1, 2);
		is_of("TCP behind an extension header", sent, "t");
	}
	set(local, 2);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), ports(sent, 80, 5000);
		is_of("my port", sent, "web");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), ports(sent, 5000, 80);
		is_of("the other's port", sent, NULL);
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 80, 5000);
		is_of("my port of the other transport", sent, "dns");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0x2000), ports(sent, 80, 5000);
		is_of("a first fragment", sent, "web");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0x2010), ports(sent, 80, 5000);
		is_of("a later fragment", sent, NULL);
		ip6(sent, "fd00::1", "fd00::2", 0, TCP), ports(sent, 80, 5000);
		is_of("IPv6", sent, "web");
		ip6(sent, "fd00::1", "fd00::2", 0, 44), put("\x06\0\0\x01\0\0\0\x07", 8), ports(sent, 80, 5000);
		is_of("a first fragment of IPv6", sent, "web");
		ip6(sent, "fd00::1", "fd00::2", 0, 44), put("\x06\0\0\x11\0\0\0\x07", 8), ports(sent, 80, 5000);
		is_of("a later fragment of IPv6", sent, NULL);
	}
	set(remote, 1);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), ports(sent, 5000, 443);
		is_of("the other's port", sent, "web");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), ports(sent, 443, 5000);
		is_of("my port", sent, NULL);
		/* Behind IP options. */
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, TCP, 0), put("\x01\x01\x01\x01", 4), ports(sent, 5000, 443);
		frame[14] = 0x46;
		is_of("behind IP options", sent, "web");
	}
}

static void
by_dsfield(void)
{
	const struct switch_flow flows[] = {
		flow("upper", "dsfield=0xa0:0xe0", NULL), flow("one", "dsfield=0xb8", NULL), flow("low", "dsfield=0x1:0x3", NULL),
	};

	set(flows, 3);
	BOTH {
		ip4(sent, "10.0.0.2", "10.9.0.1", 0xb8, UDP, 0), ports(sent, 1, 2);
		is_of("the whole field", sent, "one");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0xa4, UDP, 0), ports(sent, 1, 2);
		is_of("under its mask", sent, "upper");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0xa5, UDP, 0), ports(sent, 1, 2);
		is_of("of two masks the longer", sent, "upper");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0x01, UDP, 0), ports(sent, 1, 2);
		is_of("the other mask", sent, "low");
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 1, 2);
		is_of("none", sent, NULL);
		ip6(sent, "fd00::1", "fd00::2", 0xb8, UDP), ports(sent, 1, 2);
		is_of("a traffic class", sent, "one");
	}
}

/* A cap, where this kernel has the queue that paces or not. */
static void
cap(const char *name, uint64_t bits_a_second)
{
	struct switch_flow flows[SWITCH_PORT_FLOWS_MAX];
	struct switch_flow_row row;
	char path[128];
	size_t n, i = 0;

	CHECK_OK(switch_flows_read(sw, me.ifindex, flows, &n, &err), err);
	while (i < n && strcmp(flows[i].name, name) != 0)
		i++;
	CHECK(i < n);
	(void)snprintf(path, sizeof(path), "%s/maps/flow_rows", world_dir);
	NRD_CLOSE int map = bpf_obj_get(path);
	CHECK(map >= 0 && bpf_map_lookup_elem(map, &flows[i].number, &row) == 0);
	row.cost = (UINT64_C(8000000000) << SWITCH_COST_SHIFT) / bits_a_second;
	CHECK(bpf_map_update_elem(map, &flows[i].number, &row, BPF_ANY) == 0);
}

/* A cap holds back one flow, each way, and no other; more than two seconds of it are dropped. */
static void
caps(void)
{
	static const unsigned char more[960];
	const struct switch_flow flows[] = {
		flow("slow", "transport=udp,local_port=5", NULL), flow("fast", "transport=udp,local_port=6", NULL),
	};
	unsigned passed[2] = { 0 };
	struct switch_flow_counts c;

	set(flows, 2);
	cap("slow", 1000000);
	BOTH {
		for (int i = 0; i < 500; i++) {
			ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 5, 5000), put(more, sizeof(more));
			passed[sent] += run(sent) == REDIRECTED;
		}
		ip4(sent, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(sent, 6, 5000);
		is_of("one without a cap", sent, "fast");
		/* Two seconds of a megabit and what time went by, of frames of 1030 bytes. */
		if (passed[sent] < 240 || passed[sent] > 400)
			test_fail(__FILE__, __LINE__, "%u of 500 frames passed", passed[sent]);
	}
	c = counts_of("slow");
	CHECK_INT(c.out_frames, passed[1]);
	CHECK_INT(c.in_frames, passed[0]);
	CHECK_INT(c.out_drops, 500 - passed[1]);
	CHECK_INT(c.in_drops, 500 - passed[0]);
	CHECK(dropped(me.ifindex, SWITCH_DROP_QUEUE) == 1000 - passed[0] - passed[1]);
}

/* What stays the same counts on; what is removed begins anew. */
static void
changes(void)
{
	struct switch_flow flows[] = {
		flow("a", "transport=udp,local_port=5", NULL), flow("b", "transport=udp,local_port=6", "priority=low"),
	}, read[SWITCH_PORT_FLOWS_MAX];
	struct switch_port_conf conf = world_conf(&me, stub);
	unsigned failed = 0;
	size_t n;

	set(flows, 2);
	ip4(true, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(true, 6, 5000);
	is_of("b", true, "b");
	flows[1].priority = SWITCH_PRIORITY_HIGH;
	set(flows + 1, 1);
	CHECK_INT(counts_of("b").out_frames, 1);
	CHECK_OK(switch_flows_read(sw, me.ifindex, read, &n, &err), err);
	CHECK_INT(n, 1);
	CHECK(read[0].has_priority && read[0].priority == SWITCH_PRIORITY_HIGH);
	set(flows, 2);
	CHECK_INT(counts_of("a").out_frames, 0);
	is_of("b again", true, "b");
	CHECK_INT(counts_of("b").out_frames, 2);
	/* The port's own changes leave them. */
	conf.protect = 0;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	is_of("sent after a change of the port", true, "b");
	ip4(false, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(false, 6, 5000);
	is_of("heard after a change of the port", false, "b");
	/* A failure leaves all as it was. */
	CHECK(setenv("NEREID_FAULT", "1", 1) == 0);
	nrd_fault_init();
	for (nrd_fault_begin(); switch_flows_set(sw, me.ifindex, flows, 1, &err) < 0; nrd_fault_begin(), failed++) {
		CHECK(nrd_err_is(&err, "Fault"));
		CHECK_OK(switch_flows_read(sw, me.ifindex, read, &n, &err), err);
		CHECK_INT(n, 2);
		is_of("heard after a failure", false, "b");
	}
	CHECK_INT(failed, 2);
	CHECK(unsetenv("NEREID_FAULT") == 0);
	for (int i = 0; i < 1000; i++) /* past all points */
		nrd_fault_begin();
	set(NULL, 0);
	CHECK_OK(switch_flows_read(sw, me.ifindex, read, &n, &err), err);
	CHECK_INT(n, 0);
	CHECK_INT(run(false), REDIRECTED);
}

static void
refused(void)
{
	struct switch_flow flows[SWITCH_PORT_FLOWS_MAX + 1], read[SWITCH_PORT_FLOWS_MAX];
	size_t n;

	flows[0] = flow("a", "transport=udp,local_port=5", NULL);
	set(flows, 1);
#define REFUSED(f, code, num)                                                                         \
	do {                                                                                          \
		flows[1] = (f);                                                                       \
		CHECK_FAILS(switch_flows_set(sw, me.ifindex, flows, 2, &err), err, num, code);        \
	} while (0)
	REFUSED(flow("a", "transport=udp,local_port=6", NULL), "FlowExists", EEXIST);
	REFUSED(flow("b", "transport=udp,local_port=5", NULL), "FlowExists", EEXIST);
	REFUSED(flow("b", "transport=udp", NULL), "FlowConf", EINVAL);
	REFUSED(flow("1b", "transport=udp,local_port=6", NULL), "FlowConf", EINVAL);
	REFUSED(flow("b c", "transport=udp,local_port=6", NULL), "FlowConf", EINVAL);
	REFUSED(flow("", "transport=udp,local_port=6", NULL), "FlowConf", EINVAL);
	REFUSED(flow("b", "transport=udp,local_port=6", "maxbw=1K"), "FlowConf", EINVAL);
	CHECK_FAILS(switch_flows_set(sw, 1, flows, 1, &err), err, ENOENT, "PortNotFound");
	for (unsigned i = 0; i <= SWITCH_PORT_FLOWS_MAX; i++) {
		flows[i] = flow("f", "transport=udp,local_port=6", NULL);
		(void)snprintf(flows[i].name, sizeof(flows[i].name), "f%u", i);
		flows[i].port = 100 + i;
	}
	CHECK_FAILS(switch_flows_set(sw, me.ifindex, flows, SWITCH_PORT_FLOWS_MAX + 1, &err), err, ENOSPC, "FlowsFull");
	CHECK_OK(switch_flows_read(sw, me.ifindex, read, &n, &err), err);
	CHECK_INT(n, 1);
	set(flows, SWITCH_PORT_FLOWS_MAX);
	ip4(true, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(true, 100 + SWITCH_PORT_FLOWS_MAX - 1, 5000);
	is_of("the last", true, "f63");
}

/* A port that goes leaves none of its flows behind: there are not enough for so many otherwise. */
static void
with_their_port(void)
{
	struct switch_flow flows[SWITCH_PORT_FLOWS_MAX];
	struct switch_port_conf conf = world_conf(&me, stub);

	conf.protect = 0;
	for (unsigned i = 0; i < SWITCH_PORT_FLOWS_MAX; i++) {
		flows[i] = flow("f", "transport=udp,local_port=6", NULL);
		(void)snprintf(flows[i].name, sizeof(flows[i].name), "f%u", i);
		flows[i].port = 100 + i;
	}
	for (int i = 0; i < SWITCH_FLOWS_MAX / SWITCH_PORT_FLOWS_MAX + 2; i++) {
		set(flows, SWITCH_PORT_FLOWS_MAX);
		CHECK_OK(switch_port_remove(sw, me.ifindex, &err), err);
		CHECK_OK(switch_port_set(sw, &conf, &err), err);
	}
	ip4(true, "10.0.0.2", "10.9.0.1", 0, UDP, 0), ports(true, 100, 5000);
	is_of("none", true, NULL);
}

int
main(void)
{
	static void (*const tests[])(void) = { by_address, by_transport, by_dsfield, caps, changes, refused, with_their_port };
	const char *why = world_refused();
	struct switch_port_conf conf;
	char path[128];

	if (why != NULL) {
		(void)printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	world_make();
	(void)snprintf(path, sizeof(path), "%s/programs/from_port", world_dir);
	program = bpf_obj_get(path);
	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	me = world_machine(0xa);
	other = world_machine(0xb);
	conf = world_conf(&me, stub);
	conf.protect = 0;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	conf = world_conf(&other, stub);
	conf.protect = 0;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	settle(&me);
	return test_run(tests, nrd_count(tests), "by_address, by_transport, by_dsfield, caps, changes, refused, with_their_port");
}
