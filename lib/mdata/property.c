/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "machine-priv.h"
#include "mdata/limits.h"
#include "mdata/machine.h"
#include "nrd/mem.h"
#include "nrd/str.h"

/* "10.0.0.2/24": where the prefix begins. */
static size_t
address_len(const char *ip)
{
	return strcspn(ip, "/");
}

static bool
is_ipv4(const char *ip)
{
	return strchr(ip, '.') != NULL && strchr(ip, ':') == NULL;
}

/* ---- routes ---- */

static const struct nrd_val *
nic_by_mac(const struct nrd_val *nics, struct nrd_str mac)
{
	struct nrd_iter it = nrd_iter(nics);

	while (nrd_iter_next(&it)) {
		const char *its = nrd_get_str(it.val, "mac");

		if (its != NULL && nrd_str_eq(mac, its))
			return it.val;
	}
	return NULL;
}

/* What is between the brackets of "nics[1]" and "macs[aa:..]". */
static bool
in_brackets(const char *text, const char *name, struct nrd_str *ret_inside)
{
	const char *rest = nrd_starts(text, name);
	size_t n = rest != NULL ? strlen(rest) : 0;

	if (n < 3 || rest[0] != '[' || rest[n - 1] != ']')
		return false;
	*ret_inside = nrd_strn(rest + 1, n - 2);
	return true;
}

/* The machine's own address on the nic that a route goes out of; "" when it has none. */
static bool
link_route(const struct nrd_val *nics, const char *gateway, struct nrd_str *ret_address)
{
	const struct nrd_val *nic = NULL;
	struct nrd_str inside;
	const char *ip;

	if (in_brackets(gateway, "macs", &inside)) {
		nic = nic_by_mac(nics, inside);
	} else if (in_brackets(gateway, "nics", &inside)) {
		NRD_FREE char *number = nrd_str_dup(inside);
		uint64_t i;

		if (number != NULL && nrd_parse_u64(number, 0, 255, &i, NULL) >= 0)
			nic = nrd_val_at(nics, (size_t)i);
	} else {
		return false;
	}
	ip = nrd_val_str(nrd_val_at(nrd_val_get(nic, "ips"), 0));
	*ret_address = ip != NULL ? nrd_strn(ip, address_len(ip)) : nrd_str("");
	return true;
}

static void
write_routes(const struct mdata_machine *machine, struct nrd_jw *w)
{
	const struct nrd_val *nics = nrd_val_get(machine->config, "nics");
	struct nrd_iter it = nrd_iter(nrd_val_get(machine->config, "routes"));

	nrd_jw_arr_open(w);
	while (nrd_iter_next(&it)) {
		const char *gateway = nrd_val_str(it.val);
		struct nrd_str address;
		bool local;

		if (it.key == NULL || gateway == NULL)
			continue;
		local = link_route(nics, gateway, &address);
		nrd_jw_obj_open(w);
		nrd_jw_kbool(w, "linklocal", local);
		nrd_jw_kstr(w, "dst", it.key);
		nrd_jw_key(w, "gateway");
		if (local)
			nrd_jw_strn(w, address.data, address.len);
		else
			nrd_jw_str(w, gateway);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

/* ---- nics ---- */

static void
write_netmask(struct nrd_jw *w, const char *prefix)
{
	NRD_AUTO(nrd_buf) text = NRD_BUF_INIT(32);
	uint64_t bits;
	uint32_t mask;

	if (prefix[0] != '/' || nrd_parse_u64(prefix + 1, 0, 32, &bits, NULL) < 0)
		return;
	mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
	(void)nrd_buf_printf(&text, "%u.%u.%u.%u", mask >> 24, mask >> 16 & 255, mask >> 8 & 255,
			     mask & 255);
	nrd_jw_kstr(w, "netmask", nrd_buf_str(&text));
}

/* Programs of before there were lists read the first address from keys of its own. */
static void
write_first(const struct nrd_val *nic, struct nrd_jw *w)
{
	struct nrd_iter it = nrd_iter(nrd_val_get(nic, "ips"));
	const char *gateway = nrd_val_str(nrd_val_at(nrd_val_get(nic, "gateways"), 0));

	while (nrd_val_get(nic, "ip") == NULL && nrd_iter_next(&it)) {
		const char *ip = nrd_val_str(it.val);

		if (ip == NULL || (!is_ipv4(ip) && !nrd_streq(ip, "dhcp")))
			continue;
		nrd_jw_key(w, "ip");
		nrd_jw_strn(w, ip, address_len(ip));
		write_netmask(w, ip + address_len(ip));
		break;
	}
	if (gateway != NULL && nrd_val_get(nic, "gateway") == NULL)
		nrd_jw_kstr(w, "gateway", gateway);
}

static void
write_nics(const struct mdata_machine *machine, struct nrd_jw *w)
{
	struct nrd_iter nics = nrd_iter(nrd_val_get(machine->config, "nics"));

	nrd_jw_arr_open(w);
	while (nrd_iter_next(&nics)) {
		struct nrd_iter it = nrd_iter(nics.val);

		nrd_jw_obj_open(w);
		while (nrd_iter_next(&it))
			if (it.key != NULL)
				nrd_jw_kval(w, it.key, it.val);
		write_first(nics.val, w);
		nrd_jw_obj_close(w);
	}
	nrd_jw_arr_close(w);
}

static void
write_resolvers(const struct mdata_machine *machine, struct nrd_jw *w)
{
	const struct nrd_val *resolvers = nrd_val_get(machine->config, "resolvers");

	if (nrd_val_type(resolvers) == NRD_VAL_ARR) {
		nrd_jw_val(w, resolvers);
	} else {
		nrd_jw_arr_open(w);
		nrd_jw_arr_close(w);
	}
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*write)(const struct mdata_machine *machine, struct nrd_jw *w);
} lists[] = {
	{ "nics", write_nics },
	{ "resolvers", write_resolvers },
	{ "routes", write_routes },
};

/* Properties that stand somewhere else, in an object of that name; NULL: of the node. */
static const struct {
	const char *name, *object, *key;
} elsewhere[] = {
	{ "operator-script", "internal_metadata", "operator-script" },
	{ "volumes", "internal_metadata", "sdc:volumes" },
	{ "datacenter_name", NULL, "Datacenter Name" },
	{ "server_uuid", NULL, "UUID" },
};

/* What a machine has whose file does not say. */
static const char *
default_of(const struct mdata_machine *machine, const char *name)
{
	if (nrd_streq(name, "hostname") || nrd_streq(name, "zonename"))
		return machine->zone;
	return nrd_streq(name, "dns_domain") ? "local" : NULL;
}

static int
say_list(const struct mdata_machine *machine, size_t i, struct mdata_answer *answer)
{
	struct nrd_jw w;

	answer->code = MDATA_SUCCESS;
	answer->text.max = MDATA_ANSWER_MAX;
	nrd_jw_init(&w, &answer->text, NRD_JW_COMPACT);
	lists[i].write(machine, &w);
	return nrd_jw_finish(&w, NULL);
}

static const struct nrd_val *
find(const struct mdata_machine *machine, const char *name)
{
	const char *tag = nrd_starts(name, "tags.");

	if (tag != NULL)
		return nrd_val_get(nrd_val_get(machine->config, "tags"), tag);
	for (size_t i = 0; i < nrd_count(elsewhere); i++)
		if (nrd_streq(name, elsewhere[i].name))
			return nrd_val_get(elsewhere[i].object != NULL ?
						   nrd_val_get(machine->config, elsewhere[i].object) :
						   machine->sysinfo,
					   elsewhere[i].key);
	return nrd_val_get(machine->config, name);
}

int
mdata_machine_property(const struct mdata_machine *machine, const char *name,
		       struct mdata_answer *answer)
{
	const char *other = default_of(machine, name);
	const struct nrd_val *val;

	for (size_t i = 0; i < nrd_count(lists); i++)
		if (nrd_streq(name, lists[i].name))
			return say_list(machine, i, answer);
	val = find(machine, name);
	switch (nrd_val_type(val)) {
	case NRD_VAL_STR:
		if (other != NULL && nrd_val_len(val) == 0)
			return mdata_say_text(other, answer);
		return mdata_say_value(val, answer);
	case NRD_VAL_NUM:
	case NRD_VAL_BOOL:
		return mdata_say_value(val, answer);
	default: /* objects are for the node: all metadata, where things are */
		return other != NULL ? mdata_say_text(other, answer) : mdata_say_none(answer);
	}
}
