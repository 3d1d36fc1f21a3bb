/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/nics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "link/prefix.h"
#include "node/nictag.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"

#define NIC_SCHEMA (nrd_schema_find(&zone_config_schema, "nics")->schema)
#define MTU_TAG 1500 /* of a tag that says none */

/* ---- completed ---- */

/* As SmartOS makes them: X2 and five bytes that are not zero. */
static int
random_mac(struct nrd_mac *mac, struct nrd_err *err)
{
	if (getrandom(mac->b, sizeof(mac->b), 0) != sizeof(mac->b))
		return nrd_fail(err, errno, "RandomMac", "make a MAC address: %m");
	mac->b[0] = (uint8_t)((mac->b[0] % 15 + 1) << 4 | 2);
	for (size_t i = 1; i < sizeof(mac->b); i++)
		mac->b[i] = (uint8_t)(mac->b[i] % 255 + 1);
	return 0;
}

static bool
has_interface(const struct zone_config *c, const char *name)
{
	for (size_t i = 0; i < c->n_nics; i++)
		if (nrd_streq(c->nics[i].interface, name))
			return true;
	return false;
}

static int
name_it(struct zone_config *c, struct zone_nic *nic)
{
	for (unsigned n = 0;; n++) {
		NRD_FREE char *name = nrd_format("%s%u", c->brand == ZONE_LX ? "eth" : "net", n);

		if (name == NULL)
			return -ENOMEM;
		if (has_interface(c, name))
			continue;
		nic->interface = NRD_TAKE(name);
		NRD_SET(NIC_SCHEMA, nic, interface);
		return 0;
	}
}

/* It has an IPv4 address that is not private. */
static bool
is_public(const struct zone_nic *nic)
{
	static const struct { uint32_t net, mask; } private[] = {
		{ 0x0a000000, 0xff000000 }, { 0xac100000, 0xfff00000 }, { 0xc0a80000, 0xffff0000 },
	};

	for (size_t i = 0; nic->ips != NULL && nic->ips[i] != NULL; i++) {
		struct switch_prefix ip;
		uint32_t addr;
		bool inside = false;

		if (!link_prefix_parse(nic->ips[i], &ip) || ip.family != AF_INET)
			continue;
		memcpy(&addr, ip.addr, sizeof(addr));
		for (size_t p = 0; p < nrd_count(private); p++)
			inside |= (ntohl(addr) & private[p].mask) == private[p].net;
		if (!inside)
			return true;
	}
	return false;
}

static const struct zone_nic *
nic_by_mac(const struct zone_config *c, const struct nrd_mac *mac)
{
	for (size_t i = 0; c != NULL && i < c->n_nics; i++)
		if (nrd_mac_equal(&c->nics[i].mac, mac))
			return &c->nics[i];
	return NULL;
}

/* A flag that was there before counts less than one that is new. */
static size_t
primary_of(const struct zone_config *c, const struct zone_config *old)
{
	size_t was = c->n_nics;

	for (size_t i = 0; i < c->n_nics; i++) {
		const struct zone_nic *then = nic_by_mac(old, &c->nics[i].mac);

		if (!c->nics[i].primary)
			continue;
		if (then == NULL || !then->primary)
			return i;
		was = i;
	}
	if (was < c->n_nics)
		return was;
	for (size_t i = 0; old != NULL && i < c->n_nics; i++)
		if (is_public(&c->nics[i]))
			return i;
	return 0;
}

static void
set_primary(struct zone_config *c, size_t primary)
{
	for (size_t i = 0; i < c->n_nics; i++) {
		c->nics[i].primary = i == primary;
		if (i == primary)
			NRD_SET(NIC_SCHEMA, &c->nics[i], primary);
		else
			NRD_CLEAR(NIC_SCHEMA, &c->nics[i], primary);
	}
}

/* Two in one payload are an error, and are left for who looks for that. */
static size_t
new_primaries(const struct zone_config *c, const struct zone_config *old)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_nics; i++) {
		const struct zone_nic *then = nic_by_mac(old, &c->nics[i].mac);

		n += c->nics[i].primary && (then == NULL || !then->primary);
	}
	return n;
}

/* What a guest sees it as. */
static int
model_it(struct zone_config *c, struct zone_nic *nic)
{
	const char *model = c->nic_driver;

	for (size_t i = 0; model == NULL && i < c->n_nics; i++)
		model = c->nics[i].model;
	NRD_SET(NIC_SCHEMA, nic, model);
	return nrd_str_set(&nic->model, model != NULL ? model : "virtio");
}

int
vm_nics_fill(struct zone_config *c, const struct zone_config *old, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nics; i++) {
		struct zone_nic *nic = &c->nics[i];

		if (nrd_mac_is_zero(&nic->mac)) {
			r = random_mac(&nic->mac, err);
			NRD_SET(NIC_SCHEMA, nic, mac);
		}
		if (r == 0 && nic->interface == NULL && name_it(c, nic) < 0)
			r = nrd_nomem(err);
		if (r == 0 && zone_is_guest(c) && nic->model == NULL && model_it(c, nic) < 0)
			r = nrd_nomem(err);
	}
	if (r == 0 && new_primaries(c, old) <= 1 && c->n_nics > 0)
		set_primary(c, primary_of(c, old));
	return r;
}

/* ---- looked at ---- */

static int
check_tag(const struct node_nictags *tags, const struct zone_nic *nic, struct nrd_err *err)
{
	const char *name = nic->nic_tag != NULL ? nic->nic_tag : "";
	const struct node_nictag *tag = NULL;
	uint64_t most, vnetid;
	int r;

	if (name[0] == '\0')
		return nrd_fail(err, EINVAL, "BadNicTag", "NIC %s: it needs a nic_tag", nic->interface);
	r = node_nictags_of(tags, name, &tag, &vnetid, err);
	if (r < 0)
		return nrd_wrap(err, r, "NIC %s", nic->interface);
	most = tag->mtu != 0 ? tag->mtu : MTU_TAG;
	if (tag->type != NODE_NICTAG_ETHERSTUB && nic->mtu > most)
		return nrd_fail(err, EINVAL, "BadMtu", "NIC %s: mtu %llu is above that of nic tag \"%s\" (%llu)", nic->interface,
				(unsigned long long)nic->mtu, name, (unsigned long long)most);
	if ((tag->type == NODE_NICTAG_ETHERSTUB || tag->type == NODE_NICTAG_OVERLAY) && nic->vlan_id != 0)
		return nrd_fail(err, EINVAL, "BadNicTag", "NIC %s: vlan_id %llu: nic tag \"%s\" is an %s, which has no VLANs",
				nic->interface, (unsigned long long)nic->vlan_id, name, node_nictag_type_name(tag->type));
	return 0;
}

static bool
same_network(const struct zone_nic *a, const struct zone_nic *b)
{
	return nrd_streq(a->nic_tag, b->nic_tag) && a->vlan_id == b->vlan_id;
}

/* Without what is behind the slash; words such as "dhcp" are nobody's. */
static const char *
shared_ip(const struct zone_nic *a, const struct zone_nic *b)
{
	for (size_t i = 0; a->ips != NULL && a->ips[i] != NULL; i++)
		for (size_t j = 0; b->ips != NULL && b->ips[j] != NULL; j++) {
			size_t n = strcspn(a->ips[i], "/");

			if (strpbrk(a->ips[i], ".:") != NULL && n == strcspn(b->ips[j], "/") &&
			    strncasecmp(a->ips[i], b->ips[j], n) == 0)
				return a->ips[i];
		}
	return NULL;
}

static int
check_other(const struct zone_nic *nic, const struct zone_config *other, struct nrd_err *err)
{
	char mac[NRD_MAC_TEXT];

	for (size_t i = 0; i < other->n_nics; i++) {
		const char *ip = same_network(nic, &other->nics[i]) ? shared_ip(nic, &other->nics[i]) : NULL;

		nrd_mac_format(&nic->mac, mac);
		if (nrd_mac_equal(&nic->mac, &other->nics[i].mac))
			return nrd_fail(err, EEXIST, "MacInUse", "NIC %s: MAC address %s is that of a NIC of machine %s", nic->interface,
					mac, other->zonename);
		if (ip != NULL)
			return nrd_fail(err, EEXIST, "IpInUse", "NIC %s: IP address %s is that of machine %s on nic tag \"%s\"",
					nic->interface, ip, other->zonename, nic->nic_tag);
	}
	return 0;
}

static int
check_others(const struct zone_config *c, struct nrd_err *err)
{
	static const char *const only[] = { "zonename", "nics", NULL };
	NRD_STRV char **names = NULL;
	int r = zone_config_list(NULL, &names, err);

	for (size_t n = 0; r == 0 && names != NULL && names[n] != NULL; n++) {
		NRD_AUTO(zone_config) other = { 0 };

		/* One that cannot be read has nothing that could be compared. */
		if (nrd_streq(names[n], c->zonename) || zone_config_read_some(NULL, names[n], only, &other, NULL) < 0)
			continue;
		for (size_t i = 0; r == 0 && i < c->n_nics; i++)
			r = check_other(&c->nics[i], &other, err);
	}
	return r;
}

int
vm_nics_check(const struct zone_config *c, struct nrd_err *err)
{
	__attribute__((cleanup(node_nictags_cleanup))) struct node_nictags tags = { 0 };
	int r;

	if (c->n_nics == 0)
		return 0;
	r = node_nictag_list(&(const struct node_nictag_env){ 0 }, &tags, err);
	for (size_t i = 0; r == 0 && i < c->n_nics; i++)
		r = check_tag(&tags, &c->nics[i], err);
	return r == 0 ? check_others(c, err) : r;
}
