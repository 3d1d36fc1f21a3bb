/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/* create-vnic: illumos's ways to come by a MAC address. */
#include <errno.h>
#include <string.h>

#include "dladm.h"
#include "link/linkprop.h"
#include "link/vnic.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define SCHEMA (&datalink_schema)
#define PREFIX_MAX 5 /* bytes, of six */

struct create_vnic_opts {
	struct admin_how how;
	bool force;
	const char *over, *mac, *prefix, *family, *props;
	uint64_t vid, slot, router;
};

const struct nrd_opt create_vnic_opts[] = {
	HOW_OPTS(struct create_vnic_opts, how),
	NRD_OPT_STR('l', NULL, struct create_vnic_opts, over, "LINK", "a NIC, an aggregation, an etherstub or an overlay"),
	NRD_OPT_STR('m', NULL, struct create_vnic_opts, mac, "MAC", "an address; or auto, random, factory, vrrp: how to come by one"),
	NRD_OPT_STR('r', NULL, struct create_vnic_opts, prefix, "PREFIX", "with random: how it begins, as 2:8:20"),
	NRD_OPT_U64('n', NULL, struct create_vnic_opts, slot, 1, 65535, "SLOT", "with factory: which one"),
	NRD_OPT_U64('V', NULL, struct create_vnic_opts, router, 1, 255, "VRID", "with vrrp: the virtual router"),
	NRD_OPT_STR('A', NULL, struct create_vnic_opts, family, "inet|inet6", "with vrrp: of which addresses"),
	NRD_OPT_U64('v', NULL, struct create_vnic_opts, vid, 1, 4094, "VID", "its VLAN on that link"),
	NRD_OPT_FLAG('f', NULL, struct create_vnic_opts, force, "with -v, as in illumos: also where the driver knows no VLANs"),
	NRD_OPT_STR('p', NULL, struct create_vnic_opts, props, "PROP=VALUE,...", "properties, see show-linkprop"),
	NRD_OPT_END(struct create_vnic_opts),
};

/* "2:8:20": what it lacks of an address is zeros for a moment. */
static int
random_of(const char *prefix, struct datalink *d, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_mac begins;
	size_t groups = 1;

	for (const char *c = prefix; *c != '\0'; c++)
		groups += *c == ':';
	(void)nrd_buf_adds(&text, prefix);
	for (size_t i = groups; i < sizeof(begins.b); i++)
		(void)nrd_buf_adds(&text, ":0");
	if (text.failed < 0)
		return nrd_nomem(err);
	if (groups > PREFIX_MAX || nrd_mac_parse(nrd_buf_str(&text), &begins, NULL) < 0 || nrd_mac_is_group(&begins))
		return nrd_fail(err, EINVAL, "MacPrefix", "\"%.40s\" does not begin an address: it is 1 to %d bytes as in 2:8:20, the first even",
				prefix, PREFIX_MAX);
	return vnic_random_mac(begins.b, groups, &d->mac, err);
}

/* Each virtual router has one of RFC 5798's. */
static int
router_of(const struct create_vnic_opts *opts, struct datalink *d, struct nrd_err *err)
{
	bool six = nrd_streq(opts->family, "inet6");

	if (opts->router == 0 || opts->family == NULL)
		return nrd_usage(err, "which virtual router, of which addresses? -V VRID -A inet|inet6");
	if (!six && !nrd_streq(opts->family, "inet"))
		return nrd_usage(err, "-A is inet or inet6, not \"%.40s\"", opts->family);
	d->mac = (struct nrd_mac){ .b = { 0, 0, 0x5e, 0, six ? 2 : 1, (uint8_t)opts->router } };
	d->mac_type = DATALINK_MAC_VRRP;
	NRD_SET(SCHEMA, d, mac_type);
	return 0;
}

/* What is said must belong together; nothing: the node chooses. */
static int
mac_of(const struct create_vnic_opts *opts, struct datalink *d, struct nrd_err *err)
{
	bool any = opts->mac == NULL || nrd_streq(opts->mac, "auto"), random = any || nrd_streq(opts->mac, "random");
	bool vrrp = nrd_streq(opts->mac, "vrrp"), factory = nrd_streq(opts->mac, "factory");
	int r;

	if (opts->prefix != NULL && !random)
		return nrd_usage(err, "-r goes with -m random");
	if (opts->slot != 0 && !factory)
		return nrd_usage(err, "-n goes with -m factory");
	if ((opts->router != 0 || opts->family != NULL) && !vrrp)
		return nrd_usage(err, "-V and -A go with -m vrrp");
	if (factory)
		return nrd_fail(err, ENOTSUP, "MacFactory", "link '%s' has no factory address but its own", opts->over);
	if (random && opts->prefix == NULL)
		return 0;
	r = random ? random_of(opts->prefix, d, err) : vrrp ? router_of(opts, d, err) : nrd_mac_parse(opts->mac, &d->mac, err);
	NRD_SET(SCHEMA, d, mac);
	if (random) {
		d->mac_type = DATALINK_MAC_RANDOM;
		NRD_SET(SCHEMA, d, mac_type);
	}
	return r;
}

int
cmd_create_vnic(const struct nrd_args *args, struct nrd_err *err)
{
	const struct create_vnic_opts *opts = args->opts;
	NRD_AUTO(datalink) d = { .class_ = DATALINK_VNIC };
	int r;

	if (opts->over == NULL)
		return nrd_usage(err, "over which link? -l LINK");
	if (nrd_str_set(&d.name, args->argv[0]) < 0 || nrd_str_set(&d.over, opts->over) < 0)
		return nrd_nomem(err);
	NRD_SET(SCHEMA, &d, over);
	d.vid = opts->vid;
	if (d.vid != 0)
		NRD_SET(SCHEMA, &d, vid);
	r = mac_of(opts, &d, err);
	if (r == 0 && opts->props != NULL)
		r = linkprop_set_text(&d, opts->props, err);
	return r == 0 ? nrd_wrap(err, admin_create(&d, &opts->how, err), "vnic creation over %s failed", opts->over) : r;
}
