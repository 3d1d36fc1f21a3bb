/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What is seen of a port at its node's end: all of it while it is watched. */
#include "switch-world.h"

#define FRAMES 5

static struct machine a, b;
static unsigned char frame[60];

static void
attach(const struct machine *m, uint32_t segment)
{
	struct switch_port_conf conf = world_conf(m, segment);

	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	settle(m);
}

/* A frame of one to the other, whose last byte is mark. */
static void
say(const struct machine *from, const struct machine *to, uint8_t mark)
{
	memset(frame, 0, 60);
	memcpy(frame, to->mac.b, 6);
	memcpy(frame + 6, from->mac.b, 6);
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x2e\x00\x00\x00\x00\x40\xfd\x00\x00\x00\x00\x00\x00", 18);
	frame[59] = mark;
	CHECK_INT(send(from->packets, frame, 60, 0), 60);
}

/* How many of the frames with that mark a socket has got by now, of all that it has. */
static int
seen(int packets, uint8_t mark)
{
	unsigned char got[256];
	int n = 0;
	ssize_t len;

	while ((len = recv(packets, got, sizeof(got), 0)) >= 0)
		n += len == 60 && got[59] == mark;
	return n;
}

/* A socket at the node's end that hears what goes out by it too. */
static int
watcher(const char *name)
{
	int fd = world_packets(name), zero = 0;

	CHECK(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &zero, sizeof(zero)) == 0);
	return fd;
}

static void
while_watched(void)
{
	struct switch_port_conf conf;
	struct switch_port port;
	uint32_t stub;
	int end;

	a = world_machine(1);
	b = world_machine(2);
	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	attach(&a, stub);
	attach(&b, stub);
	end = watcher("v2");
	/* The short way: what b sends is seen, what it gets is not. */
	for (int i = 0; i < FRAMES; i++)
		say(&a, &b, 1);
	CHECK_INT(seen(b.packets, 1), FRAMES);
	CHECK_INT(seen(end, 1), 0);
	say(&b, &a, 2);
	CHECK_INT(seen(end, 2), 1);

	CHECK_OK(switch_port_watch(sw, b.ifindex, true, &err), err);
	for (int i = 0; i < FRAMES; i++)
		say(&a, &b, 3);
	CHECK_INT(seen(b.packets, 3), FRAMES);
	CHECK_INT(seen(end, 3), FRAMES);
	/* It is nothing of what a port may do, and a change of the port leaves it. */
	CHECK_OK(switch_port_get(sw, b.ifindex, &port, &err), err);
	CHECK_INT(port.protect, SWITCH_PROTECT_ALL | SWITCH_LEARN_ALL);
	conf = world_conf(&b, stub);
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	say(&a, &b, 4);
	CHECK_INT(seen(end, 4), 1);

	CHECK_OK(switch_port_watch(sw, b.ifindex, false, &err), err);
	say(&a, &b, 5);
	CHECK_INT(seen(b.packets, 5), 1);
	CHECK_INT(seen(end, 5), 0);
	CHECK_INT(dropped(a.ifindex, SWITCH_DROP_UNKNOWN), 0);
	CHECK_FAILS(switch_port_watch(sw, 1, true, &err), err, ENOENT, "PortNotFound");
	(void)close(end);
}

int
main(void)
{
	static void (*const tests[])(void) = { while_watched };
	const char *refused = world_refused();

	if (refused != NULL) {
		(void)printf("1..0 # SKIP %s\n", refused);
		return 0;
	}
	world_make();
	return test_run(tests, nrd_count(tests), "while_watched");
}
