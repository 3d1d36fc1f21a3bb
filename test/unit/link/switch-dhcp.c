/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* The switch as DHCP server: what a machine is told that asks, over its own wire. */
#include "switch-frames.h"
#include "switch-world.h"

#define AT_BOOTP 42
#define AT_OPTIONS (AT_BOOTP + SWITCH_DHCP_OPTIONS)

static struct machine me, other;
static uint32_t stub;
static unsigned char got[2048];
static size_t got_len;

static uint32_t
addr(const char *text)
{
	uint32_t a;

	CHECK(inet_pton(AF_INET, text, &a) == 1);
	return a;
}

static struct switch_dhcp
lease(void)
{
	return (struct switch_dhcp){
		.address = addr("10.0.0.2"), .bits = 24, .server = addr("10.0.0.1"), .routers = { addr("10.0.0.1") }, .n_routers = 1,
		.resolvers = { addr("10.0.0.53"), addr("9.9.9.9") }, .n_resolvers = 2, .lease_s = 7200,
		.hostname = "web", .domain = "example.com",
	};
}

static void
set(const struct switch_dhcp *dhcp, unsigned protect)
{
	struct switch_prefix allowed = { .family = AF_INET, .bits = 32 };
	struct switch_port_conf conf = world_conf(&me, stub);

	memcpy(allowed.addr, &(uint32_t){ addr("10.0.0.2") }, 4);
	conf.allowed = &allowed;
	conf.n_allowed = 1;
	conf.protect = protect;
	conf.dhcp = dhcp;
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
}

/* A UDP datagram that the machine gets from port 67, within a while. */
static bool
answered(const struct machine *m)
{
	for (int i = 0; i < 10; i++) {
		ssize_t n = recv(m->packets, got, sizeof(got), 0);

		if (n > AT_OPTIONS && got[12] == 8 && got[13] == 0 && got[23] == 17 && got[34] == 0 && got[35] == 67) {
			got_len = (size_t)n;
			return true;
		}
	}
	return false;
}

static void
ask(void)
{
	CHECK_INT(send(me.packets, frame, frame_len, 0), (long long)frame_len);
}

static const unsigned char *
option(unsigned code, size_t len)
{
	size_t at = AT_OPTIONS;

	while (at + 2 < got_len && got[at] != 255) {
		if (got[at] == 0) {
			at++;
			continue;
		}
		if (got[at] == code) {
			CHECK_INT(got[at + 1], (long long)len);
			return got + at + 2;
		}
		at += 2u + got[at + 1];
	}
	CHECK(at < got_len && got[at] == 255);
	return NULL;
}

static bool
option_is(unsigned code, const void *data, size_t len)
{
	const unsigned char *at = option(code, len);

	return at != NULL && memcmp(at, data, len) == 0;
}

static bool
bytes_are(size_t at, const void *data, size_t len)
{
	return at + len <= got_len && memcmp(got + at, data, len) == 0;
}

static bool
ip_is_sound(void)
{
	uint32_t sum = 0;

	for (size_t i = 14; i < 34; i += 2)
		sum += (uint32_t)(got[i] << 8 | got[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && (size_t)(got[16] << 8 | got[17]) == got_len - 14 && (size_t)(got[38] << 8 | got[39]) == got_len - 34;
}

static void
question(unsigned type, unsigned long xid)
{
	ip4("0.0.0.0", 17);
	memset(frame, 0xff, 6);
	udp(68, 67);
	dhcp4(1, ME, xid, "0.0.0.0", type);
}

static void
requested(const char *address)
{
	uint32_t a = addr(address);

	option4(50, &a, 4);
}

static void
an_offer(void)
{
	struct switch_dhcp d = lease();
	struct switch_counts before, after;

	set(&d, SWITCH_PROTECT_ALL);
	CHECK_OK(switch_counts_read(sw, other.ifindex, &before, &err), err);
	question(1, 0x12345678), end4(), zeros(60);
	ask();
	CHECK(answered(&me));
	CHECK(ip_is_sound());
	CHECK(bytes_are(0, ME, 6));
	CHECK(bytes_are(26, "\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x43\x00\x44", 12));
	CHECK(bytes_are(AT_BOOTP, "\x02\x01\x06\x00\x12\x34\x56\x78", 8));
	CHECK(bytes_are(AT_BOOTP + 16, "\x0a\x00\x00\x02", 4));
	CHECK(bytes_are(AT_BOOTP + 28, ME, 6));
	CHECK(option_is(53, "\x02", 1));
	CHECK(option_is(54, "\x0a\x00\x00\x01", 4));
	CHECK(option_is(51, "\x00\x00\x1c\x20", 4));
	CHECK(option_is(1, "\xff\xff\xff\x00", 4));
	CHECK(option_is(28, "\x0a\x00\x00\xff", 4));
	CHECK(option_is(3, "\x0a\x00\x00\x01", 4));
	CHECK(option_is(6, "\x0a\x00\x00\x35\x09\x09\x09\x09", 8));
	CHECK(option_is(12, "web", 3));
	CHECK(option_is(15, "example.com", 11));
	CHECK(option_is(26, "\x05\xdc", 2));
	/* It asked all, and only the switch heard it. */
	CHECK_OK(switch_counts_read(sw, other.ifindex, &after, &err), err);
	CHECK_INT(after.in_frames, before.in_frames);
}

static void
a_lease(void)
{
	question(3, 2), requested("10.0.0.2"), end4();
	ask();
	CHECK(answered(&me));
	CHECK(option_is(53, "\x05", 1));
	CHECK(bytes_are(AT_BOOTP + 16, "\x0a\x00\x00\x02", 4));
	/* Who has it asks for it without saying so again, by the address itself. */
	question(3, 3), end4();
	memcpy(frame + 26, "\x0a\x00\x00\x02", 4);
	memcpy(frame + AT_BOOTP + 12, "\x0a\x00\x00\x02", 4);
	ask();
	CHECK(answered(&me));
	CHECK(option_is(53, "\x05", 1));
	CHECK(bytes_are(AT_BOOTP + 12, "\x0a\x00\x00\x02\x0a\x00\x00\x02", 8));
	/* Of another server: that one's business. */
	question(3, 4), requested("10.0.0.2"), option4(54, "\x0a\x00\x00\x63", 4), end4();
	ask();
	CHECK(!answered(&me));
}

static void
another_address(void)
{
	question(3, 5), requested("10.0.0.9"), end4();
	ask();
	CHECK(answered(&me));
	CHECK(option_is(53, "\x06", 1));
	CHECK(option_is(54, "\x0a\x00\x00\x01", 4));
	CHECK(option(51, 4) == NULL);
	CHECK(option(3, 4) == NULL);
	CHECK(bytes_are(0, EVERYBODY, 6));
	CHECK(bytes_are(AT_BOOTP + 16, "\0\0\0\0", 4));
}

static void
only_the_rest(void)
{
	question(8, 6), end4();
	memcpy(frame + 26, "\x0a\x00\x00\x02", 4);
	memcpy(frame + AT_BOOTP + 12, "\x0a\x00\x00\x02", 4);
	ask();
	CHECK(answered(&me));
	CHECK(option_is(53, "\x05", 1));
	CHECK(option(51, 4) == NULL);
	CHECK(option_is(3, "\x0a\x00\x00\x01", 4));
	CHECK(bytes_are(AT_BOOTP + 12, "\x0a\x00\x00\x02\0\0\0\0", 8));
}

static void
who_hears_broadcasts_alone(void)
{
	question(1, 7), end4();
	frame[AT_BOOTP + 10] = 0x80;
	ask();
	CHECK(answered(&me));
	CHECK(bytes_are(0, EVERYBODY, 6));
	CHECK(bytes_are(30, "\xff\xff\xff\xff", 4));
	CHECK(bytes_are(AT_BOOTP + 10, "\x80\x00", 2));
	CHECK(ip_is_sound());
}

/* What is no question, or somebody else's, is not answered; what is forged is dropped and counted as ever. */
static void
what_is_not_answered(void)
{
	static const unsigned types[] = { 0, 2, 4, 5, 6, 7, 9, 255 };

	for (size_t i = 0; i < nrd_count(types); i++) {
		question(types[i], 8), end4();
		ask();
	}
	question(1, 9);
	memset(frame + AT_BOOTP + SWITCH_DHCP_OPTIONS - 4, 0, 7); /* BOOTP, without options */
	ask();
	question(1, 10), put8(12), put8(200); /* longer than there is */
	ask();
	question(1, 11), end4();
	memcpy(frame + AT_BOOTP + 28, OTHER, 6);
	ask();
	question(1, 12), end4();
	memcpy(frame + 26, "\x0a\x00\x00\x09", 4);
	ask();
	ip4("0.0.0.0", 17), udp(67, 68), dhcp4(2, ME, 13, "10.0.0.7", 2), end4();
	ask();
	frame_len = AT_BOOTP + 100;
	ask();
	CHECK(!answered(&me));
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_DHCP_MAC), 1);
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_IP4_SOURCE), 1);
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_DHCP_SERVER), 1);
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_DHCP_SHORT), 1);
}

/* Without protection, too; and not any more when the port is set without it. */
static void
changes(void)
{
	struct switch_dhcp d = lease();
	char domain[300];

	d.address = addr("10.0.0.3");
	d.n_routers = 0;
	d.hostname = NULL;
	memset(domain, 'x', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	d.domain = domain;
	set(&d, 0);
	question(1, 20), end4();
	ask();
	CHECK(answered(&me));
	CHECK(bytes_are(AT_BOOTP + 16, "\x0a\x00\x00\x03", 4));
	CHECK(option(3, 4) == NULL);
	CHECK(option(12, 3) == NULL);
	CHECK(option(15, 1) == NULL);
	set(NULL, SWITCH_PROTECT_ALL);
	question(1, 21), end4();
	ask();
	CHECK(!answered(&me));
	CHECK_INT(dropped(me.ifindex, SWITCH_DROP_DHCP_STATIC), 1);
}

int
main(void)
{
	static void (*const tests[])(void) = {
		an_offer, a_lease, another_address, only_the_rest, who_hears_broadcasts_alone, what_is_not_answered, changes,
	};
	const char *refused = world_refused();
	struct switch_port_conf conf;

	if (refused != NULL) {
		(void)printf("1..0 # SKIP %s\n", refused);
		return 0;
	}
	world_make();
	CHECK_OK(switch_segment_get(sw, "stub0", &stub, &err), err);
	me = world_machine(0xa);
	other = world_machine(0xb);
	conf = world_conf(&other, stub);
	CHECK_OK(switch_port_set(sw, &conf, &err), err);
	set(NULL, SWITCH_PROTECT_ALL);
	settle(&me);
	settle(&other);
	return test_run(tests, nrd_count(tests),
			"an_offer, a_lease, another_address, only_the_rest, who_hears_broadcasts_alone, what_is_not_answered, changes");
}
