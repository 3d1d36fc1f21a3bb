/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "node/sysinfo-priv.h"
#include "nrd/json.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define BOND_LACP 4 /* the kernel's number of 802.3ad */

static bool
is_vnic(const struct link_nic *nic)
{
	static const char *const kinds[] = { "vlan", "macvlan", "ipvlan" };

	for (size_t i = 0; i < nrd_count(kinds); i++)
		if (nrd_streq(nic->kind, kinds[i]))
			return true;
	return false;
}

/* The first address that can be reached from elsewhere, "" when there is none. */
static void
ip4_of(const struct link_nic *nic, char ret_text[LINK_ADDR_TEXT])
{
	ret_text[0] = '\0';
	for (size_t i = 0; i < nic->n_addrs; i++) {
		const struct link_addr *addr = &nic->addrs[i];

		if (addr->family != AF_INET)
			continue;
		if (ret_text[0] == '\0' || !addr->link_local)
			link_addr_format(addr, ret_text);
		if (!addr->link_local)
			return;
	}
}

static void
common_write(const struct link_nic *nic, const struct nrd_mac *mac, struct nrd_jw *w)
{
	char text[NRD_MAC_TEXT] = "", ip[LINK_ADDR_TEXT];

	if (nic->has_mac)
		nrd_mac_format(mac, text);
	nrd_jw_kstr(w, "MAC Address", text);
	ip4_of(nic, ip);
	nrd_jw_kstr(w, "ip4addr", ip);
	nrd_jw_kstr(w, "Link Status", link_state_name(nic->state));
}

void
sysinfo_nics_write(const struct sysinfo *info, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	for (size_t i = 0; i < info->nics.n; i++) {
		const struct link_nic *nic = &info->nics.nics[i];

		if (!nic->physical && !nrd_streq(nic->kind, "bond"))
			continue;
		nrd_jw_key(w, nic->name);
		nrd_jw_obj_open(w);
		common_write(nic, nic->physical ? &nic->perm_mac : &nic->mac, w);
		nrd_jw_key(w, "NIC Names");
		nrd_jw_arr_open(w);
		for (size_t j = 0; j < info->tags.n; j++)
			if (nrd_streq(info->tags.tags[j].link, nic->name))
				nrd_jw_str(w, info->tags.tags[j].name);
		nrd_jw_arr_close(w);
		nrd_jw_obj_close(w);
	}
	nrd_jw_obj_close(w);
}

void
sysinfo_vnics_write(const struct sysinfo *info, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	for (size_t i = 0; i < info->nics.n; i++) {
		const struct link_nic *nic = &info->nics.nics[i], *lower;
		char vlan[16];

		if (!is_vnic(nic))
			continue;
		lower = link_nics_by_index(&info->nics, nic->lower);
		(void)snprintf(vlan, sizeof(vlan), "%u", nic->vlan_id);
		nrd_jw_key(w, nic->name);
		nrd_jw_obj_open(w);
		common_write(nic, &nic->mac, w);
		if (lower != NULL)
			nrd_jw_kstr(w, "Host Interface", lower->name);
		nrd_jw_kstr(w, "VLAN", vlan);
		nrd_jw_obj_close(w);
	}
	nrd_jw_obj_close(w);
}

void
sysinfo_aggrs_write(const struct sysinfo *info, struct nrd_jw *w)
{
	nrd_jw_obj_open(w);
	for (size_t i = 0; i < info->nics.n; i++) {
		const struct link_nic *nic = &info->nics.nics[i];
		NRD_FREE char *key = NULL;
		const char *mode = NULL;

		if (!nrd_streq(nic->kind, "bond"))
			continue;
		key = nrd_format("%s_lacp_mode", nic->name);
		if (info->config != NULL && key != NULL)
			mode = node_config_get_filled(info->config, key);
		if (mode == NULL)
			mode = nic->bond_mode == BOND_LACP ? "active" : "off";
		nrd_jw_key(w, nic->name);
		nrd_jw_obj_open(w);
		nrd_jw_kstr(w, "LACP mode", mode);
		nrd_jw_key(w, "Interfaces");
		nrd_jw_arr_open(w);
		for (size_t j = 0; j < info->nics.n; j++)
			if (info->nics.nics[j].master == nic->index)
				nrd_jw_str(w, info->nics.nics[j].name);
		nrd_jw_arr_close(w);
		nrd_jw_obj_close(w);
	}
	nrd_jw_obj_close(w);
}

const char *
sysinfo_admin_tag(const struct sysinfo *info)
{
	const char *tag = NULL;

	if (info->config != NULL)
		tag = node_config_get_filled(info->config, "admin_tag");
	return tag == NULL ? "admin" : tag;
}

void
sysinfo_admin_ip(const struct sysinfo *info, char ret_text[LINK_ADDR_TEXT])
{
	const struct node_nictag *tag = node_nictags_find(&info->tags, sysinfo_admin_tag(info));
	const struct link_nic *nic = NULL;
	const char *ip = NULL;

	ret_text[0] = '\0';
	if (info->config != NULL)
		ip = node_config_get_filled(info->config, "admin_ip");
	if (tag != NULL)
		nic = link_nics_by_name(&info->nics, tag->link);
	if (nic != NULL && (ip == NULL || nrd_streq(ip, "dhcp")))
		ip4_of(nic, ret_text);
	if (ret_text[0] == '\0' && ip != NULL)
		(void)nrd_strcpy_to(ret_text, LINK_ADDR_TEXT, ip);
}
