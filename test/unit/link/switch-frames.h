/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

/*
 * Frames, put together header by header: frame_begin, then what it consists of in order. Lengths
 * and checksums are not filled in where the switch does not look at them.
 */
#include <arpa/inet.h>
#include <string.h>

#include "nrd-test.h"

#define ME "\x02\x08\x20\x00\x00\x0a"
#define OTHER "\x02\x08\x20\x00\x00\x0b"
#define STRANGER "\x02\x08\x20\x00\x00\xee"
#define EVERYBODY "\xff\xff\xff\xff\xff\xff"

static unsigned char frame[4096];
static size_t frame_len;

static inline void
put(const void *data, size_t len)
{
	CHECK(frame_len + len <= sizeof(frame));
	memcpy(frame + frame_len, data, len);
	frame_len += len;
}

static inline void
put8(unsigned v)
{
	unsigned char b = (unsigned char)v;

	put(&b, 1);
}

static inline void
put16(unsigned v)
{
	put8(v >> 8);
	put8(v & 0xff);
}

static inline void
put32(unsigned long v)
{
	put16((unsigned)(v >> 16));
	put16((unsigned)(v & 0xffff));
}

static inline void
zeros(size_t n)
{
	while (n-- > 0)
		put8(0);
}

static inline void
put_addr(const char *text)
{
	unsigned char b[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	CHECK(inet_pton(family, text, b) == 1);
	put(b, family == AF_INET ? 4 : 16);
}

static inline void
eth_to(const char *dst, const char *src, unsigned type)
{
	frame_len = 0;
	put(dst, 6);
	put(src, 6);
	put16(type);
}

static inline void
eth(unsigned type)
{
	eth_to(OTHER, ME, type);
}

static inline void
arp(unsigned op, const char *mac, const char *addr)
{
	put16(1);
	put16(0x0800);
	put8(6);
	put8(4);
	put16(op);
	put(mac, 6);
	put_addr(addr);
	zeros(10);
}

/* fragment: the 16 bits of flags and offset. */
static inline void
ip4_fragment(const char *src, unsigned protocol, unsigned fragment)
{
	eth(0x0800);
	put16(0x4500);
	put16(0);
	put16(1);
	put16(fragment);
	put8(64);
	put8(protocol);
	put16(0);
	put_addr(src);
	put_addr("10.0.0.1");
}

static inline void
ip4(const char *src, unsigned protocol)
{
	ip4_fragment(src, protocol, 0);
}

static inline void
ip6(const char *src, unsigned next)
{
	eth(0x86dd);
	put32(0x60000000);
	put16(0);
	put8(next);
	put8(255);
	put_addr(src);
	put_addr("ff02::1");
}

/* An extension header of 8 bytes. */
static inline void
extension(unsigned next)
{
	put8(next);
	put8(0);
	zeros(6);
}

static inline void
fragment6(unsigned next, unsigned offset_and_more)
{
	put8(next);
	put8(0);
	put16(offset_and_more);
	put32(7);
}

static inline void
udp(unsigned src, unsigned dst)
{
	put16(src);
	put16(dst);
	put32(0);
}

/* The fixed part, the cookie and the type; options may follow. */
static inline void
dhcp4(unsigned op, const char *mac, unsigned long xid, const char *your, unsigned type)
{
	put8(op);
	put8(1);
	put8(6);
	put8(0);
	put32(xid);
	put32(0);
	zeros(4);
	put_addr(your);
	zeros(8);
	put(mac, 6);
	zeros(10 + 192);
	put32(0x63825363);
	put8(53);
	put8(1);
	put8(type);
}

static inline void
option4(unsigned code, const void *data, size_t len)
{
	put8(code);
	put8((unsigned)len);
	put(data, len);
}

static inline void
end4(void)
{
	put8(255);
}

/* DHCP discover of ME from 0.0.0.0, up to where options may follow. */
static inline void
discover(void)
{
	ip4("0.0.0.0", 17);
	udp(68, 67);
	dhcp4(1, ME, 1, "0.0.0.0", 1);
}

static inline void
dhcp6(unsigned type, unsigned long xid)
{
	put32((unsigned long)type << 24 | xid);
}

static inline void
option6(unsigned code, const void *data, size_t len)
{
	put16(code);
	put16((unsigned)len);
	put(data, len);
}

static inline void
icmp6(unsigned type)
{
	put8(type);
	put8(0);
	put16(0);
	put32(0);
}

static inline void
nd_option(unsigned type, const char *mac)
{
	put8(type);
	put8(1);
	put(mac, 6);
}

/* A solicitation or advertisement. */
static inline void
neighbour(unsigned type, const char *target)
{
	icmp6(type);
	put_addr(target);
}
