/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/frame-text.h"

#include "nrd-test.h"
#include "nrd/mem.h"

static uint8_t frame[256];
static size_t len;

/* Bytes in hexadecimal, blanks between them as one likes. */
static void
add(const char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		CHECK(hex[1] != '\0' && len < sizeof(frame));
		frame[len++] = (uint8_t)((strchr(digits, hex[0]) - digits) << 4 | (strchr(digits, hex[1]) - digits));
		hex++;
	}
}

static void
begin(const char *type)
{
	len = 0;
	add("020820000002 020820000001");
	add(type);
}

static const char *
shown(size_t caught, unsigned vid, enum frame_text how)
{
	static struct nrd_buf out;
	/* Its own block, so that reading beyond it is seen. */
	NRD_FREE uint8_t *copy = malloc(caught == 0 ? 1 : caught);

	CHECK(copy != NULL);
	memcpy(copy, frame, caught);
	nrd_buf_reset(&out);
	CHECK_INT(frame_text(copy, caught, len, vid, how, "", &out), 0);
	return nrd_buf_str(&out);
}

#define IP4(proto, total) "4500 " total " 1234 4000 40 " proto " 0000 0a000001 0a000002"

static void
summaries(void)
{
	begin("0806");
	add("0001 0800 06 04 0001 020820000001 0a000001 000000000000 0a000002");
	CHECK_STR(shown(len, 0, FRAME_SUMMARY), "2:8:20:0:0:1 -> 2:8:20:0:0:2 ARP C Who is 10.0.0.2 ? (from 10.0.0.1)\n");
	begin("0800");
	add(IP4("06", "0030"));
	add("c000 0050 00000005 00000007 50 12 2000 0000 0000 4142434445464748");
	CHECK_STR(shown(len, 0, FRAME_SUMMARY), "    10.0.0.1 -> 10.0.0.2     HTTP C port=49152\n");
	CHECK_HAS(shown(len, 0, FRAME_LAYERS), "TCP D=80 S=49152 Syn Ack=7 Seq=5 Len=8 Win=8192\n");
	CHECK_HAS(shown(len, 0, FRAME_LAYERS), "IP D=10.0.0.2 S=10.0.0.1 LEN=48, ID=4660, TOS=0x0, TTL=64\n");
	CHECK_HAS(shown(len, 0, FRAME_VERBOSE), "TCP:  Acknowledgement number = 7\n");
	begin("0800");
	add(IP4("11", "0039"));
	add("c000 0035 0025 0000 0001 0100 0001 0000 0000 0000 03 777777 07 6578616d706c65 00 0001 0001");
	CHECK_STR(shown(len, 0, FRAME_SUMMARY), "    10.0.0.1 -> 10.0.0.2     DNS C www.example. Internet A ?\n");
	begin("0800");
	add(IP4("01", "001c"));
	add("0800 0000 0007 0009");
	CHECK_STR(shown(len, 0, FRAME_SUMMARY), "    10.0.0.1 -> 10.0.0.2     ICMP Echo request (ID: 7 Sequence number: 9)\n");
	begin("86dd");
	add("60000000 0018 3a ff fe800000000000000000000000000001 ff0200000000000000000001ff000002");
	add("87 00 0000 00000000 fe800000000000000000000000000002");
	CHECK_STR(shown(len, 0, FRAME_SUMMARY), "     fe80::1 -> ff02::1:ff00:2 ICMPv6 Neighbor solicitation fe80::2\n");
	begin("88cc");
	add("0000");
	CHECK_HAS(shown(len, 0, FRAME_SUMMARY), "ETHER Type=88CC (LLDP), size=16 bytes\n");
}

/* A tag in the frame, and one that was taken out of it. */
static void
tags(void)
{
	begin("8100");
	add("6005 0800");
	add(IP4("fd", "0014"));
	CHECK_HAS(shown(len, 0, FRAME_LAYERS), "VLAN ID=5 Priority=3\n");
	CHECK_HAS(shown(len, 0, FRAME_SUMMARY), "IP D=10.0.0.2 S=10.0.0.1");
	begin("0800");
	add(IP4("fd", "0014"));
	CHECK_HAS(shown(len, 7, FRAME_LAYERS), "VLAN ID=7 Priority=0\n");
	CHECK(strstr(shown(len, 0, FRAME_LAYERS), "VLAN") == NULL);
}

/* Ports are in the first fragment only, behind extension headers too; what fills a short frame is nobody's. */
static void
fragments(void)
{
	begin("0800");
	add("4500 0024 1234 0001 40 11 0000 0a000001 0a000002 0035 0035 0010 0000 00000000");
	CHECK_HAS(shown(len, 0, FRAME_SUMMARY), "continuation of a datagram\n");
	CHECK(strstr(shown(len, 0, FRAME_LAYERS), "UDP") == NULL);
	begin("86dd");
	add("60000000 0018 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002");
	add("2c 00 010400000000 11 00 0001 00000009 c000 c001 0008 0000");
	CHECK_HAS(shown(len, 0, FRAME_SUMMARY), "UDP D=49153 S=49152 LEN=8\n");
	begin("0800");
	add(IP4("11", "001c"));
	add("c000 0035 0008 0000 deadbeefdeadbeefdeadbeefdeadbeef");
	CHECK_HAS(shown(len, 0, FRAME_SUMMARY), "UDP D=53 S=49152 LEN=8\n");
}

/* However short it is cut, it is said as far as it goes, and nothing beyond is read (a sanitizer looks). */
static void
cut_short(void)
{
	begin("0800");
	add(IP4("06", "0030"));
	add("c000 0050 00000005 00000007 50 12 2000 0000 0000 4142434445464748");
	for (size_t n = 0; n <= len; n++)
		for (int how = FRAME_SUMMARY; how <= FRAME_VERBOSE; how++)
			CHECK(shown(n, 0, (enum frame_text)how)[0] != '\0');
	CHECK_STR(shown(0, 0, FRAME_SUMMARY), "           ? -> ?            ETHER (cut short)\n");
	CHECK_HAS(shown(20, 0, FRAME_SUMMARY), "IP (cut short)\n");
	CHECK_HAS(shown(40, 0, FRAME_SUMMARY), "TCP (cut short)\n");
}

static void
hexadecimal(void)
{
	NRD_AUTO(nrd_buf) out = { 0 };

	begin("0800");
	add("41424344");
	CHECK_INT(frame_hex(frame, len, 14, 0, &out), 0);
	CHECK_STR(nrd_buf_str(&out), "\t   0: 4142 4344                                  ABCD\n");
	nrd_buf_reset(&out);
	CHECK_INT(frame_hex(frame, len, 14, 2, &out), 0);
	CHECK_HAS(nrd_buf_str(&out), "   AB\n");
	nrd_buf_reset(&out);
	CHECK_INT(frame_hex(frame, len, 1000, 2, &out), 0);
	CHECK_STR(nrd_buf_str(&out), "");
}

TEST_MAIN(summaries, tags, fragments, cut_short, hexadecimal)
