/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* The answer a port gets that asks for an address, as RFC 2131 and 2132 lay it out: all of it but what the question says. */
#include <arpa/inet.h>
#include <string.h>

#include "link/bpf-priv.h"
#include "link/switch-priv.h"

#define COOKIE 0x63825363
#define LABEL_MAX 63
#define DOMAIN_MAX 80 /* of the options, which are all in one row */

enum {
	OP_REPLY = 2,
	HARDWARE_ETHERNET = 1,
	AT_HARDWARE = 1,
	AT_YOUR = 16,
	AT_MAC = 28,
	AT_COOKIE = SWITCH_DHCP_OPTIONS - 4,
};

enum {
	OPTION_MASK = 1,
	OPTION_ROUTERS = 3,
	OPTION_RESOLVERS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_DOMAIN = 15,
	OPTION_MTU = 26,
	OPTION_BROADCAST = 28,
	OPTION_LEASE = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255,
};

struct packet {
	uint8_t *bytes;
	size_t at;
};

/* The last byte is the end's. */
static void
option(struct packet *p, uint8_t code, const void *data, size_t len)
{
	if (len == 0 || len > UINT8_MAX || p->at + 2 + len >= SWITCH_DHCP_BYTES)
		return;
	p->bytes[p->at++] = code;
	p->bytes[p->at++] = (uint8_t)len;
	memcpy(p->bytes + p->at, data, len);
	p->at += len;
}

static void
option_u32(struct packet *p, uint8_t code, uint32_t be)
{
	option(p, code, &be, sizeof(be));
}

static void
option_text(struct packet *p, uint8_t code, const char *text, size_t most)
{
	if (text != NULL && strlen(text) <= most)
		option(p, code, text, strlen(text));
}

static void
row_of(const struct switch_port_conf *conf, struct switch_dhcp_row *row)
{
	const struct switch_dhcp *d = conf->dhcp;
	struct packet p = { .bytes = row->packet, .at = SWITCH_DHCP_OPTIONS };
	uint32_t cookie = htonl(COOKIE), mask = d->bits == 0 ? 0 : htonl(UINT32_MAX << (32 - d->bits));
	uint16_t mtu = htons((uint16_t)conf->mtu);
	const uint8_t type = 0;

	row->your = d->address;
	row->server = d->server;
	row->packet[0] = OP_REPLY;
	row->packet[AT_HARDWARE] = HARDWARE_ETHERNET;
	row->packet[AT_HARDWARE + 1] = sizeof(conf->mac.b);
	memcpy(row->packet + AT_YOUR, &d->address, sizeof(d->address));
	memcpy(row->packet + AT_MAC, conf->mac.b, sizeof(conf->mac.b));
	memcpy(row->packet + AT_COOKIE, &cookie, sizeof(cookie));
	/* These three stand where the switch looks for them. */
	option(&p, OPTION_TYPE, &type, sizeof(type));
	option_u32(&p, OPTION_SERVER, d->server);
	option_u32(&p, OPTION_LEASE, htonl(d->lease_s));
	option_u32(&p, OPTION_MASK, mask);
	option_u32(&p, OPTION_BROADCAST, d->address | ~mask);
	option(&p, OPTION_ROUTERS, d->routers, d->n_routers * sizeof(d->routers[0]));
	if (conf->mtu != 0)
		option(&p, OPTION_MTU, &mtu, sizeof(mtu));
	option(&p, OPTION_RESOLVERS, d->resolvers, d->n_resolvers * sizeof(d->resolvers[0]));
	option_text(&p, OPTION_HOSTNAME, d->hostname, LABEL_MAX);
	option_text(&p, OPTION_DOMAIN, d->domain, DOMAIN_MAX);
	row->packet[p.at] = OPTION_END;
}

int
switch_dhcp_set(struct link_switch *sw, uint32_t port, const struct switch_port_conf *conf, struct nrd_err *err)
{
	struct switch_dhcp_row row = { 0 };
	int r;

	row_of(conf, &row);
	r = link_bpf_set(sw->maps[MAP_dhcp], &port, &row);
	return r < 0 ? switch_map_failed(r, "dhcp", err) : 0;
}

void
switch_dhcp_remove(struct link_switch *sw, uint32_t port)
{
	(void)link_bpf_del(sw->maps[MAP_dhcp], &port);
}
