/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "node/dhcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/check.h"
#include "node/nictag.h"
#include "nrd/str.h"

const char *const node_dhcp_names[NODE_DHCP_N] = {
#define X(id, name, check, text) [NODE_DHCP_##id] = "dhcp_" name,
	NODE_DHCP_KEYS(X)
#undef X
};

static const char *
value_of(const struct node_config *config, const char *tag, enum node_dhcp_key key)
{
	char name[NODE_NICTAG_MAX + 32];

	(void)snprintf(name, sizeof(name), "%s_%s", tag, node_dhcp_names[key]);
	return node_config_get_filled(config, name);
}

static bool
address(const char *text, uint32_t *ret)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*ret = ntohl(a.s_addr);
	return true;
}

/* Inside its network, and neither the network's own address nor its broadcast. */
static int
fits(const struct node_dhcp *p, uint32_t a, const char *what, const char *tag, struct nrd_err *err)
{
	uint32_t mask = UINT32_MAX << (32 - p->bits), net = p->first & mask;

	if ((a & mask) != net)
		return nrd_fail(err, EINVAL, "BadDhcpPool", "NIC tag %s: %s of its DHCP pool is not in the network of the pool (/%u)", tag, what,
				p->bits);
	if (a == net || a == (net | ~mask))
		return nrd_fail(err, EINVAL, "BadDhcpPool", "NIC tag %s: %s of its DHCP pool is the network's own address or its broadcast",
				tag, what);
	return 0;
}

static int
pool_check(const struct node_dhcp *p, const char *tag, struct nrd_err *err)
{
	int r = fits(p, p->first, "the first address", tag, err);

	if (r == 0)
		r = fits(p, p->last, "the last address", tag, err);
	if (r == 0 && p->router != 0)
		r = fits(p, p->router, "the router", tag, err);
	if (r == 0 && p->router >= p->first && p->router <= p->last)
		return nrd_fail(err, EINVAL, "BadDhcpPool", "NIC tag %s: its router is one of the addresses of its DHCP pool", tag);
	return r;
}

static void
resolvers_of(const char *text, struct node_dhcp *p)
{
	struct nrd_str rest = nrd_str(text), part;

	while (nrd_str_split(&rest, ',', &part) && p->n_resolvers < NODE_DHCP_RESOLVERS_MAX) {
		char one[INET_ADDRSTRLEN];

		(void)snprintf(one, sizeof(one), "%.*s", (int)part.len, part.data);
		if (address(one, &p->resolvers[p->n_resolvers]))
			p->n_resolvers++;
	}
}

int
node_dhcp_from(const struct node_config *config, const char *tag, struct node_dhcp *ret_pool, struct nrd_err *err)
{
	const char *pool = value_of(config, tag, NODE_DHCP_POOL), *router = value_of(config, tag, NODE_DHCP_ROUTER);
	const char *resolvers = value_of(config, tag, NODE_DHCP_RESOLVERS), *domain = value_of(config, tag, NODE_DHCP_DOMAIN);
	const char *lease = value_of(config, tag, NODE_DHCP_LEASE_KEY);
	struct node_dhcp p = { .lease_s = NODE_DHCP_LEASE };
	uint64_t seconds;
	int r;

	if (pool == NULL)
		return 0;
	r = node_dhcp_pool_parse(pool, &p.first, &p.last, &p.bits, err);
	if (r < 0)
		return nrd_wrap(err, r, "NIC tag %s: %s", tag, node_dhcp_names[NODE_DHCP_POOL]);
	if (router != NULL && !address(router, &p.router))
		return nrd_fail(err, EINVAL, "BadDhcpPool", "NIC tag %s: router \"%.40s\" is no address", tag, router);
	if (resolvers != NULL)
		resolvers_of(resolvers, &p);
	if (domain != NULL && nrd_strcpy_to(p.domain, sizeof(p.domain), domain) < 0)
		return nrd_fail(err, EINVAL, "BadDhcpPool", "NIC tag %s: its domain is too long", tag);
	if (lease != NULL && nrd_parse_u64(lease, NODE_DHCP_LEASE_MIN, UINT32_MAX - 1, &seconds, NULL) == 0)
		p.lease_s = (uint32_t)seconds;
	r = pool_check(&p, tag, err);
	if (r < 0)
		return r;
	*ret_pool = p;
	return 1;
}
