/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/legacy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "link/prefix.h"
#include "node/check.h"
#include "nrd/buf.h"
#include "nrd/mem.h"
#include "nrd/str.h"

static const char *const old_names[] = { "ip", "netmask", "gateway", NULL };

static bool
is_old(const struct nrd_val *nic)
{
	for (size_t i = 0; old_names[i] != NULL; i++)
		if (nrd_val_get(nic, old_names[i]) != NULL)
			return true;
	return false;
}

static void
write_one(struct nrd_jw *w, const char *key, const char *text)
{
	nrd_jw_key(w, key);
	nrd_jw_arr_open(w);
	if (text[0] != '\0')
		nrd_jw_str(w, text);
	nrd_jw_arr_close(w);
}

static int
text_of(const struct nrd_val *nic, const char *name, const char **ret_text, struct nrd_err *err)
{
	const struct nrd_val *v = nrd_val_get(nic, name);

	*ret_text = nrd_val_str(v);
	if (v != NULL && *ret_text == NULL && nrd_val_type(v) != NRD_VAL_NULL)
		return nrd_fail(err, EINVAL, "BadProperty", "%s: must be a string, not %s", name, nrd_val_type_name(v));
	return 0;
}

static int
write_ip(struct nrd_jw *w, const struct nrd_val *nic, struct nrd_err *err)
{
	const char *ip, *netmask;
	unsigned bits = 0;
	int r = text_of(nic, "ip", &ip, err);

	if (r == 0)
		r = text_of(nic, "netmask", &netmask, err);
	if (r < 0 || nrd_val_get(nic, "ips") != NULL)
		return r;
	if (ip == NULL && netmask == NULL)
		return 0;
	if (ip == NULL)
		return nrd_fail(err, EINVAL, "BadProperty", "netmask %.40s: of which ip?", netmask);
	if (nrd_streq(ip, "dhcp") || ip[0] == '\0') {
		write_one(w, "ips", ip);
		return 0;
	}
	if (netmask == NULL)
		return nrd_fail(err, EINVAL, "BadProperty", "Missing .netmask option for NIC: ip %.60s needs one, or say \"ips\": [\"%.60s/BITS\"]",
				ip, ip);
	r = node_netmask_prefix(netmask, &bits, err);
	if (r < 0)
		return nrd_wrap(err, r, "netmask");
	NRD_FREE char *text = nrd_format("%s/%u", ip, bits);
	if (text == NULL)
		return nrd_nomem(err);
	write_one(w, "ips", text);
	return 0;
}

static int
write_modern(struct nrd_jw *w, const struct nrd_val *nic, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(nic);
	const char *gateway;
	int r = text_of(nic, "gateway", &gateway, err);

	if (r < 0)
		return r;
	nrd_jw_obj_open(w);
	while (nrd_iter_next(&it))
		if (!nrd_strv_has(old_names, it.key))
			nrd_jw_kval(w, it.key, it.val);
	r = write_ip(w, nic, err);
	if (gateway != NULL && nrd_val_get(nic, "gateways") == NULL)
		write_one(w, "gateways", gateway);
	nrd_jw_obj_close(w);
	return r;
}

int
vm_nics_modern(const struct nrd_val *nics, struct nrd_json **ret_doc, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_iter it = nrd_iter(nics);
	struct nrd_jw w;
	bool old = false;
	int r = 0;

	while (nrd_val_type(nics) == NRD_VAL_ARR && nrd_iter_next(&it))
		old |= is_old(it.val);
	if (!old)
		return 0;
	nrd_jw_init(&w, &text, NRD_JW_COMPACT);
	nrd_jw_arr_open(&w);
	it = nrd_iter(nics);
	while (r == 0 && nrd_iter_next(&it)) {
		if (is_old(it.val))
			r = nrd_wrap(err, write_modern(&w, it.val, err), "nics[%zu]", it.index);
		else
			nrd_jw_val(&w, it.val);
	}
	nrd_jw_arr_close(&w);
	if (r == 0)
		r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_json_parse(nrd_buf_str(&text), text.len, NULL, ret_doc, err);
}

/* ---- shown ---- */

static void
write_first(const struct nrd_val *ips, struct nrd_jw *w)
{
	struct nrd_iter it = nrd_iter(ips);

	while (nrd_iter_next(&it)) {
		const char *text = nrd_val_str(it.val);
		struct switch_prefix ip;
		char addr[INET_ADDRSTRLEN];
		struct in_addr mask;

		if (nrd_streq(text, "dhcp")) {
			nrd_jw_kstr(w, "ip", text);
			return;
		}
		if (text == NULL || !link_prefix_parse(text, &ip) || ip.family != AF_INET)
			continue;
		mask.s_addr = ip.bits == 0 ? 0 : htonl(UINT32_MAX << (32 - ip.bits));
		nrd_jw_kstr(w, "ip", inet_ntop(AF_INET, ip.addr, addr, sizeof(addr)));
		nrd_jw_kstr(w, "netmask", inet_ntop(AF_INET, &mask, addr, sizeof(addr)));
		return;
	}
}

void
vm_nics_write_old(const struct nrd_val *nics, struct nrd_jw *w)
{
	struct nrd_iter it = nrd_iter(nics);

	nrd_jw_arr_open(w);
	while (nrd_iter_next(&it)) {
		struct nrd_iter members = nrd_iter(it.val);
		const struct nrd_val *gateway = nrd_val_at(nrd_val_get(it.val, "gateways"), 0);

		nrd_jw_obj_open(w);
		while (nrd_iter_next(&members))
			nrd_jw_kval(w, members.key, members.val);
		write_first(nrd_val_get(it.val, "ips"), w);
		if (gateway != NULL)
			nrd_jw_kval(w, "gateway", gateway);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}
