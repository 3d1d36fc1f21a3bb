/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "nrd/str.h"

bool
link_prefix_parse(const char *text, struct switch_prefix *ret_prefix)
{
	size_t len = strcspn(text, "/");
	struct switch_prefix p = { .family = memchr(text, ':', len) != NULL ? AF_INET6 : AF_INET };
	uint64_t most = p.family == AF_INET ? 32 : 128, bits = most;
	char addr[INET6_ADDRSTRLEN];

	if (len >= sizeof(addr))
		return false;
	(void)snprintf(addr, sizeof(addr), "%.*s", (int)len, text);
	if (inet_pton(p.family, addr, p.addr) != 1 || (text[len] == '/' && nrd_parse_u64(text + len + 1, 0, most, &bits, NULL) < 0))
		return false;
	p.bits = (unsigned)bits;
	*ret_prefix = p;
	return true;
}
