/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* What is said of an overlay, and a table of where machines are: words, no kernel. */
#include <errno.h>
#include <string.h>

#include "link/overlay.h"
#include "link/prefix.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

#define SCHEMA (&datalink_schema)

const char *const overlay_search_names[] = {
	[OVERLAY_DIRECT] = "direct",
	[OVERLAY_FILES] = "files",
	[OVERLAY_AGENT] = "agent",
	NULL,
};

const struct overlay_prop overlay_props[] = {
	{ "mtu", "1400", "576-9000", -1 },
	{ "vxlan/listen_ip", NULL, "", -1 },
	{ "vxlan/listen_port", "4789", "1-65535", -1 },
	{ "direct/dest_ip", NULL, "", OVERLAY_DIRECT },
	{ "direct/dest_port", "4789", "1-65535", OVERLAY_DIRECT },
	{ "files/config", NULL, "", OVERLAY_FILES },
	{ NULL },
};

static int
prop_find(const char *name, const struct overlay_prop **ret, struct nrd_err *err)
{
	struct nrd_suggest near;

	nrd_suggest_init(&near, name);
	for (const struct overlay_prop *p = overlay_props; p->name != NULL; p++) {
		nrd_suggest_offer(&near, p->name);
		if (nrd_streq(p->name, name)) {
			*ret = p;
			return 0;
		}
	}
	return nrd_fail(err, EINVAL, "OverlayProp", "unknown property '%.40s'%s%s%s", name, near.best != NULL ? ", did you mean '" : "",
			near.best != NULL ? near.best : "", near.best != NULL ? "'?" : "");
}

static char **
place_of(const struct datalink *d, const char *name)
{
	for (char **p = d->overlay_props; p != NULL && p[0] != NULL; p += 2)
		if (nrd_streq(p[0], name))
			return &p[1];
	return NULL;
}

const char *
overlay_prop_get(const struct datalink *d, const char *name)
{
	char **has = place_of(d, name);

	if (has != NULL)
		return *has;
	for (const struct overlay_prop *p = overlay_props; p->name != NULL; p++)
		if (nrd_streq(p->name, name))
			return p->standard;
	return NULL;
}

static int
prop_set(struct datalink *d, const char *name, const char *value, struct nrd_err *err)
{
	const struct overlay_prop *p;
	char **has;
	int r = prop_find(name, &p, err);

	if (r < 0)
		return r;
	has = place_of(d, name);
	if (has != NULL)
		r = nrd_str_set(has, value);
	else if (nrd_strv_add(&d->overlay_props, name) < 0 || nrd_strv_add(&d->overlay_props, value) < 0)
		r = -ENOMEM;
	NRD_SET(SCHEMA, d, overlay_props);
	return r < 0 ? nrd_nomem(err) : 0;
}

int
overlay_props_set(struct datalink *d, const char *text, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = nrd_strv_split(text, ',', &words) < 0 ? nrd_nomem(err) : 0;

	for (size_t i = 0; r == 0 && words != NULL && words[i] != NULL; i++) {
		char *eq = strchr(words[i], '=');

		if (eq == NULL || eq[1] == '\0')
			return nrd_fail(err, EINVAL, "OverlayProp", "\"%.60s\" is no PROPERTY=VALUE", words[i]);
		*eq = '\0';
		r = prop_set(d, words[i], eq + 1, err);
	}
	return r;
}

int
overlay_rule_parse(const char *text, struct datalink *d, struct nrd_err *err)
{
	NRD_STRV char **words = NULL;
	int r = nrd_strv_split(text, ' ', &words) < 0 ? nrd_nomem(err) : 0;

	for (size_t i = 0; r == 0 && words != NULL && words[i] != NULL; i += 2) {
		const char *option = words[i], *value = words[i + 1];

		if (value == NULL || strlen(option) != 2 || option[0] != '-')
			return nrd_fail(err, EINVAL, "OverlayRule", "overlay rule: \"%.40s\": it consists of -e, -s and -p with what they say",
					option);
		if (option[1] == 'e')
			r = nrd_str_set(&d->encap, value) < 0 ? nrd_nomem(err) : 0;
		else if (option[1] == 's')
			r = nrd_str_set(&d->search, value) < 0 ? nrd_nomem(err) : 0;
		else if (option[1] == 'p')
			r = overlay_props_set(d, value, err);
		else
			r = nrd_fail(err, EINVAL, "OverlayRule", "overlay rule: there is no option %s", option);
	}
	NRD_SET(SCHEMA, d, encap);
	NRD_SET(SCHEMA, d, search);
	return r;
}

/* ---- what can be ---- */

static bool
is_address(const char *text)
{
	struct switch_prefix p;

	return link_prefix_parse(text, &p) && strchr(text, '/') == NULL;
}

static int
value_check(const char *name, const char *value, struct nrd_err *err)
{
	uint64_t n;

	if (nrd_ends(name, "_ip") && !is_address(value))
		return nrd_fail(err, EINVAL, "OverlayProp", "property '%s': \"%.60s\" is no IP address", name, value);
	if (nrd_ends(name, "_port") && nrd_parse_u64(value, 1, 65535, &n, NULL) < 0)
		return nrd_fail(err, EINVAL, "OverlayProp", "property '%s': \"%.40s\" is no port", name, value);
	if (nrd_streq(name, "mtu") && nrd_parse_u64(value, 576, 9000, &n, NULL) < 0)
		return nrd_fail(err, EINVAL, "OverlayProp", "property 'mtu': \"%.40s\" is not from 576 to 9000", value);
	if (nrd_streq(name, "files/config") && value[0] != '/')
		return nrd_fail(err, EINVAL, "OverlayProp", "property 'files/config': \"%.60s\" is not a whole path", value);
	return 0;
}

static int
search_of(const struct datalink *d, int *ret, struct nrd_err *err)
{
	const char *near;

	for (int i = 0; overlay_search_names[i] != NULL; i++)
		if (nrd_streq(overlay_search_names[i], d->search)) {
			*ret = i;
			return 0;
		}
	near = d->search != NULL ? nrd_suggest(d->search, overlay_search_names) : NULL;
	return nrd_fail(err, EINVAL, "OverlaySearch", "there is no search \"%.40s\"%s%s%s: direct, files or agent", d->search != NULL ? d->search : "",
			near != NULL ? ", did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
}

int
overlay_check(const struct datalink *d, struct nrd_err *err)
{
	int search = -1, r;

	if (!nrd_streq(d->encap, "vxlan"))
		return nrd_fail(err, EINVAL, "OverlayEncap", "there is no encapsulation \"%.40s\": it is vxlan", d->encap != NULL ? d->encap : "");
	r = search_of(d, &search, err);
	if (r == 0 && d->vnetid > OVERLAY_VNETID_MAX)
		r = nrd_fail(err, EINVAL, "OverlayVnetid", "virtual network %llu: it is at most %d", (unsigned long long)d->vnetid, OVERLAY_VNETID_MAX);
	for (const struct overlay_prop *p = overlay_props; r == 0 && p->name != NULL; p++) {
		const char *value = overlay_prop_get(d, p->name);

		if (p->search >= 0 && p->search != search && place_of(d, p->name) != NULL)
			r = nrd_fail(err, EINVAL, "OverlayProp", "property '%s' goes with search %s", p->name, overlay_search_names[p->search]);
		else if (p->search >= 0 && p->search != search)
			continue;
		else if (value == NULL)
			r = nrd_fail(err, EINVAL, "OverlayProp", "property '%s' is missing: -p %s=...", p->name, p->name);
		else
			r = value_check(p->name, value, err);
	}
	return r;
}

/* ---- tables ---- */

static int
row_fail(struct nrd_err *err, const char *mac, const char *rule)
{
	return nrd_fail(err, EINVAL, "OverlayTable", "row \"%.20s\": %s", mac, rule);
}

static int
row_parse(const char *mac, const struct nrd_val *row, struct overlay_target *t, struct nrd_err *err)
{
	const struct nrd_val *port = nrd_val_get(row, "port");

	*t = (struct overlay_target){ .port = OVERLAY_PORT };
	if (nrd_mac_parse(mac, &t->mac, NULL) < 0 || nrd_mac_is_group(&t->mac))
		return row_fail(err, mac, "it is not named by a machine's MAC address");
	t->ip = nrd_get_str(row, "ip");
	t->arp = nrd_get_str(row, "arp");
	t->ndp = nrd_get_str(row, "ndp");
	if (t->ip == NULL || !is_address(t->ip))
		return row_fail(err, mac, "ip, the address of the node that has it, is missing or none");
	if (port != NULL && (!nrd_val_u64(port, &t->port) || t->port < 1 || t->port > 65535))
		return row_fail(err, mac, "port is not from 1 to 65535");
	if ((nrd_val_get(row, "arp") != NULL && (t->arp == NULL || !is_address(t->arp) || strchr(t->arp, ':') != NULL)))
		return row_fail(err, mac, "arp is no IPv4 address");
	if (nrd_val_get(row, "ndp") != NULL && (t->ndp == NULL || !is_address(t->ndp) || strchr(t->ndp, ':') == NULL))
		return row_fail(err, mac, "ndp is no IPv6 address");
	return 0;
}

int
overlay_table_parse(const struct nrd_val *root, overlay_target_fn *fn, void *arg, struct nrd_err *err)
{
	struct nrd_iter it = nrd_iter(root);
	int r = 0;

	if (nrd_val_type(root) != NRD_VAL_OBJ)
		return nrd_fail(err, EINVAL, "OverlayTable", "it is not one object");
	while (r == 0 && nrd_iter_next(&it)) {
		struct overlay_target t;

		r = row_parse(it.key, it.val, &t, err);
		if (r == 0)
			r = fn(arg, &t, err);
	}
	return r;
}
