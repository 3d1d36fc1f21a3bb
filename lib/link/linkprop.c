/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/linkprop.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

#define SCHEMA (&datalink_schema)
#define MBIT   UINT64_C(1000000)

const struct linkprop linkprops[] = {
	{ "allowed-dhcp-cids", "allowed_dhcp_cids", .list = true },
	{ "allowed-ips", "allowed_ips", .list = true },
	{ "dynamic-methods", "dynamic_methods", .possible = "dhcpv4,dhcpv6,slaac,addrconf", .list = true },
	{ "maxbw", "maxbw", .bandwidth = true },
	{ "mtu", "mtu", .possible = "68-65535" },
	{ "priority", "priority", .standard = "high", .possible = "low,medium,high" },
	{ "protection", "protection", .possible = "mac-nospoof,restricted,ip-nospoof,dhcp-nospoof", .list = true },
	{ "secondary-macs", "secondary_macs", .list = true },
	{ "zone", "zone", .read_only = true },
	{ NULL },
};

int
linkprop_find(const char *name, const struct linkprop **ret_prop, struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (const struct linkprop *p = linkprops; p->name != NULL; p++) {
		nrd_suggest_offer(&near, p->name);
		if (nrd_streq(p->name, name)) {
			*ret_prop = p;
			return 0;
		}
	}
	if (near.best != NULL)
		return nrd_fail(err, EINVAL, "LinkProp", "unknown property '%.40s', did you mean '%s'?", name, near.best);
	return nrd_fail(err, EINVAL, "LinkProp", "unknown property '%.40s'", name);
}

int
linkprop_bandwidth_parse(const char *text, uint64_t *ret, struct nrd_err *err)
{
	static const struct { char suffix; uint64_t unit; } units[] = {
		{ 'K', UINT64_C(1000) }, { 'M', MBIT }, { 'G', UINT64_C(1000) * MBIT },
	};
	size_t len = strlen(text);
	uint64_t unit = MBIT, n;
	NRD_FREE char *digits = NULL;

	for (size_t i = 0; len > 0 && i < nrd_count(units); i++)
		if ((text[len - 1] & ~0x20) == units[i].suffix) {
			unit = units[i].unit;
			len--;
			break;
		}
	digits = nrd_str_dup(nrd_strn(text, len));
	if (digits == NULL)
		return nrd_nomem(err);
	if (nrd_parse_u64(digits, 1, UINT64_MAX / unit, &n, NULL) < 0)
		return nrd_fail(err, EINVAL, "BadProperty", "\"%.40s\" is no bandwidth: a number of Mbit/s, or with K, M or G", text);
	*ret = n * unit;
	return 0;
}

/* The value as the schema reads it. */
static int
to_json(const struct linkprop *prop, const char *value, struct nrd_buf *out, struct nrd_err *err)
{
	NRD_STRV char **values = NULL;
	uint64_t bits = 0;
	struct nrd_jw w;
	int r;

	if (prop->bandwidth) {
		r = linkprop_bandwidth_parse(value, &bits, err);
		return r < 0 ? r : nrd_buf_printf(out, "%" PRIu64, bits);
	}
	if (!prop->list)
		return nrd_buf_adds(out, value);
	if (nrd_strv_split(value, ',', &values) < 0)
		return nrd_nomem(err);
	nrd_jw_init(&w, out, NRD_JW_COMPACT);
	nrd_jw_strv(&w, NRD_CSTRV(values));
	return nrd_jw_finish(&w, err);
}

int
linkprop_set(struct datalink *d, const struct linkprop *prop, const char *value, struct nrd_err *err)
{
	const struct nrd_field *field = nrd_schema_find(SCHEMA, prop->field);
	NRD_AUTO(nrd_buf) json = { 0 };
	struct nrd_err why = { 0 };
	int r;

	if (prop->read_only)
		return nrd_fail(err, EPERM, "LinkPropFixed", "property '%s' is only shown", prop->name);
	if (value == NULL) {
		nrd_field_clear(SCHEMA, field, d);
		return 0;
	}
	r = to_json(prop, value, &json, &why);
	if (r == 0)
		r = nrd_decode_field(SCHEMA, prop->field, nrd_buf_str(&json), d, &why);
	return r < 0 ? nrd_fail(err, -r, "BadProperty", "property '%s': %s", prop->name, why.msg) : 0;
}

/* As illumos prints it, with as many digits as it needs. */
int
linkprop_bandwidth_text(uint64_t bits, struct nrd_buf *out)
{
	if (bits % MBIT == 0)
		return nrd_buf_printf(out, "%" PRIu64, bits / MBIT);
	return nrd_buf_printf(out, "%.3f", (double)bits / (double)MBIT);
}

static int
list_text(const struct datalink *d, const struct nrd_field *field, struct nrd_buf *out)
{
	char **values;

	memcpy(&values, (const char *)d + field->offset, sizeof(values));
	for (size_t i = 0; values != NULL && values[i] != NULL; i++)
		(void)nrd_buf_printf(out, "%s%s", i > 0 ? "," : "", values[i]);
	return out->failed;
}

int
linkprop_text(const struct datalink *d, const struct linkprop *prop, struct nrd_buf *out)
{
	const struct nrd_field *field = nrd_schema_find(SCHEMA, prop->field);

	if (!nrd_field_present(SCHEMA, field, d))
		return 0;
	if (prop->list)
		return list_text(d, field, out);
	if (nrd_streq(prop->name, "priority"))
		return nrd_buf_adds(out, datalink_priority_names[d->priority]);
	if (nrd_streq(prop->name, "zone"))
		return nrd_streq(d->zone, DATALINK_GLOBAL) ? 0 : nrd_buf_adds(out, d->zone);
	if (nrd_streq(prop->name, "mtu"))
		return d->mtu == 0 ? 0 : nrd_buf_printf(out, "%" PRIu64, d->mtu);
	return d->maxbw == 0 ? 0 : linkprop_bandwidth_text(d->maxbw, out);
}

int
linkprop_set_text(struct datalink *d, const char *text, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = nrd_strv_split(text, ',', &words) < 0 ? nrd_nomem(err) : 0;

	if (r == 0 && (words == NULL || strchr(words[0], '=') == NULL))
		return nrd_fail(err, EINVAL, "LinkProp", "\"%.60s\" is no PROPERTY=VALUE", text);
	for (size_t i = 0; r == 0 && words[i] != NULL;) {
		const char *eq = strchr(words[i], '=');
		NRD_FREE char *name = nrd_str_dup(nrd_strn(words[i], (size_t)(eq - words[i])));
		NRD_FREE char *value = nrd_format("%s", eq + 1);
		const struct linkprop *prop;

		for (i++; value != NULL && words[i] != NULL && strchr(words[i], '=') == NULL; i++) {
			char *longer = nrd_format("%s,%s", value, words[i]);

			nrd_freep(&value);
			value = longer;
		}
		if (name == NULL || value == NULL)
			return nrd_nomem(err);
		r = linkprop_find(name, &prop, err);
		if (r == 0)
			r = linkprop_set(d, prop, value, err);
	}
	return r;
}
