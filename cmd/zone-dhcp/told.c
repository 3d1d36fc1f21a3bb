/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/lease.h"
#include "link/prefix.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone-dhcp.h"
#include "zone/etc.h"

#define NO_LEASE_S 3600 /* of a server that says none */

static const char *
told_of(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

/* Of several the first. */
static bool
first_address(const char *text, struct switch_prefix *ret)
{
	NRD_FREE char *first = nrd_str_dup(nrd_strn(text, strcspn(text, " ")));

	return first != NULL && first[0] != '\0' && link_prefix_parse(first, ret) && ret->family == AF_INET;
}

static int
resolvers(void)
{
	NRD_STRV char **list = NULL;

	if (getenv(ENV_RESOLVERS) == NULL)
		return 0;
	if (nrd_strv_split(told_of("dns"), ' ', &list) < 0)
		return -ENOMEM;
	if (list != NULL && list[0] != NULL && list[0][0] != '\0')
		zone_resolvers_write(list, told_of("domain"), false);
	return 0;
}

static int
lease_of(struct lease *ret, struct nrd_err *err)
{
	uint64_t bits = 32, seconds = NO_LEASE_S, metric = 0;

	if (!first_address(told_of("ip"), &ret->address))
		return nrd_fail(err, EINVAL, "ZoneDhcp", "\"%.60s\" is no address", told_of("ip"));
	(void)nrd_parse_u64(told_of("mask"), 1, 32, &bits, NULL);
	(void)nrd_parse_u64(told_of("lease"), 1, UINT32_MAX, &seconds, NULL);
	(void)nrd_parse_u64(told_of(ENV_METRIC), 0, UINT32_MAX, &metric, NULL);
	if (!first_address(told_of("router"), &ret->router))
		ret->router.family = 0;
	ret->address.bits = (unsigned)bits;
	ret->seconds = (uint32_t)seconds;
	ret->metric = (unsigned)metric;
	return 0;
}

int
told(const char *event, struct nrd_err *err)
{
	const char *nic = told_of("interface");
	struct lease lease = { 0 };
	int r;

	if (nrd_streq(event, "deconfig"))
		return link_lease_set(nic, NULL, err);
	if (!nrd_streq(event, "bound") && !nrd_streq(event, "renew"))
		return 0;
	r = lease_of(&lease, err);
	if (r == 0)
		r = link_lease_set(nic, &lease, err);
	return r == 0 && resolvers() < 0 ? nrd_nomem(err) : r;
}
