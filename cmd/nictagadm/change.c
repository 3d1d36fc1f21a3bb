/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

#include <stdio.h>
#include <string.h>

#include "nictagadm.h"
#include "node/nictag.h"
#include "node/sysinfo.h"
#include "nrd/mem.h"
#include "nrd/str.h"

/* "dhcp_pool=VALUE". An empty value takes it away. */
static bool
dhcp_take(const char *part, struct props *props)
{
	for (int i = 0; i < NODE_DHCP_N; i++) {
		const char *value = nrd_starts(part, node_dhcp_names[i]);

		if (value == NULL || value[0] != '=' || props->dhcp[i] != NULL)
			continue;
		props->dhcp[i] = value + 1;
		return true;
	}
	return false;
}

int
props_parse(char *text, struct props *ret_props, struct nrd_err *err)
{
	bool list = false; /* the last one may have more behind a comma */

	while (text != NULL) {
		char *part = strsep(&text, ",");
		const char *mac = nrd_starts(part, "mac="), *mtu = nrd_starts(part, "mtu="), *device = nrd_starts(part, "device=");

		if (list && part[0] != '\0' && strchr(part, '=') == NULL) {
			part[-1] = ',';
			continue;
		}
		list = nrd_starts(part, node_dhcp_names[NODE_DHCP_RESOLVERS]) != NULL;
		if (mac != NULL && mac[0] != '\0' && ret_props->nic == NULL)
			ret_props->nic = mac;
		else if (mtu != NULL && mtu[0] != '\0' && ret_props->mtu == NULL)
			ret_props->mtu = mtu;
		else if (device != NULL && ret_props->device == NULL)
			ret_props->device = device;
		else if (!dhcp_take(part, ret_props))
			return nrd_usage(err,
					 "-p takes mac=MAC, mtu=NUMBER, device=veth|netkit and dhcp_pool, dhcp_router, dhcp_resolvers, dhcp_domain, "
					 "dhcp_lease, each once, not \"%.60s\"",
					 part);
	}
	return 0;
}

static bool
has_pool(const struct props *props)
{
	for (int i = 0; i < NODE_DHCP_N; i++)
		if (props->dhcp[i] != NULL)
			return true;
	return false;
}

void
changed(const struct nrd_args *args, bool verbose)
{
	node_sysinfo_forget(NULL);
	if (verbose)
		(void)fprintf(stderr, "%s: %s: wrote %s\n", args->prog, args->verb,
			      NODE_CONFIG_PATH);
}

struct change_opts {
	bool verbose;
	bool etherstub;
	const char *props;
};

#define OPT_VERBOSE(t) NRD_OPT_FLAG('v', NULL, t, verbose, "say on standard error what is done")
#define OPT_PROPS                                                                \
	NRD_OPT_STR('p', NULL, struct change_opts, props, "PROP=VALUE,...",      \
		    "properties: mac (a MAC address or aggrN), mtu (1500 to 9000), device (veth, netkit); dhcp_pool (FIRST-LAST/BITS), dhcp_router, " \
		    "dhcp_resolvers, dhcp_domain, dhcp_lease (seconds): what machines get that ask for an address")

const struct nrd_opt add_opts[] = {
	OPT_VERBOSE(struct change_opts),
	NRD_OPT_FLAG('l', NULL, struct change_opts, etherstub, "an etherstub: no NIC behind it"),
	OPT_PROPS,
	NRD_OPT_END(struct change_opts),
};

const struct nrd_opt update_opts[] = {
	OPT_VERBOSE(struct change_opts),
	OPT_PROPS,
	NRD_OPT_END(struct change_opts),
};

typedef int change_fn(const struct node_nictag_env *env, const struct node_nictag_spec *spec,
		      struct nrd_err *err);

static int
change(const struct nrd_args *args, change_fn *fn, struct nrd_err *err)
{
	const struct change_opts *opts = args->opts;
	NRD_FREE char *text = opts->props == NULL ? NULL : nrd_format("%s", opts->props);
	struct props props = { 0 };
	struct node_nictag_spec spec;
	int r;

	if (opts->props != NULL && text == NULL)
		return nrd_nomem(err);
	r = props_parse(text, &props, err);
	if (r < 0)
		return r;
	if (props.nic != NULL && args->argc > 1)
		return nrd_usage(err, "give the MAC address once, either by -p or at the end");
	spec = (struct node_nictag_spec){
		.name = args->argv[0],
		.nic = args->argc > 1 ? args->argv[1] : props.nic,
		.mtu = props.mtu,
		.device = props.device,
		.etherstub = opts->etherstub,
	};
	if (spec.etherstub && (spec.nic != NULL || spec.mtu != NULL))
		return nrd_usage(err, "an etherstub (-l) has neither a MAC address nor an MTU");
	for (int i = 0; i < NODE_DHCP_N; i++)
		spec.dhcp[i] = props.dhcp[i];
	if (!spec.etherstub && spec.nic == NULL && (fn == node_nictag_add || (spec.mtu == NULL && spec.device == NULL && !has_pool(&props))))
		return nrd_usage(err, fn == node_nictag_add ?
					      "give the MAC address of a NIC, or -l" :
					      "give what to change: a MAC address or -p PROP=VALUE");
	r = fn(NULL, &spec, err);
	if (r == 0)
		changed(args, opts->verbose);
	return r;
}

int
cmd_add(const struct nrd_args *args, struct nrd_err *err)
{
	return change(args, node_nictag_add, err);
}

int
cmd_update(const struct nrd_args *args, struct nrd_err *err)
{
	return change(args, node_nictag_update, err);
}

struct delete_opts {
	bool verbose;
	bool force;
};

const struct nrd_opt delete_opts[] = {
	OPT_VERBOSE(struct delete_opts),
	NRD_OPT_FLAG('f', NULL, struct delete_opts, force, "also when machines use it"),
	NRD_OPT_END(struct delete_opts),
};

int
cmd_delete(const struct nrd_args *args, struct nrd_err *err)
{
	const struct delete_opts *opts = args->opts;
	int r = node_nictag_delete(NULL, args->argv[0], opts->force, err);

	if (r == 0)
		changed(args, opts->verbose);
	return r;
}
