/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "mac.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
nrd_mac_parse(const char *s, struct nrd_mac *ret_mac, struct nrd_err *err)
{
	struct nrd_mac mac = { 0 };
	const char *p = s;

	for (size_t i = 0; i < sizeof(mac.b); i++) {
		int high = hex_digit(p[0]);
		int low = high < 0 ? -1 : hex_digit(p[1]);
		char end = i + 1 < sizeof(mac.b) ? ':' : '\0';

		if (high >= 0) {
			mac.b[i] = (uint8_t)(low < 0 ? high : high << 4 | low);
			p += low < 0 ? 1 : 2;
		}
		if (high < 0 || *p != end)
			return nrd_fail(err, EINVAL, "BadMac", "\"%.40s\" is not a MAC address", s);
		p++;
	}
	*ret_mac = mac;
	return 0;
}

void
nrd_mac_format(const struct nrd_mac *mac, char ret_text[NRD_MAC_TEXT])
{
	(void)snprintf(ret_text, NRD_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0],
		       mac->b[1], mac->b[2], mac->b[3], mac->b[4], mac->b[5]);
}

bool
nrd_mac_equal(const struct nrd_mac *a, const struct nrd_mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
nrd_mac_is_zero(const struct nrd_mac *mac)
{
	static const struct nrd_mac zero;

	return nrd_mac_equal(mac, &zero);
}

bool
nrd_mac_is_group(const struct nrd_mac *mac)
{
	return (mac->b[0] & 1) != 0;
}
