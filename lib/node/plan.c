/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "node/check.h"
#include "node/datasets.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"

#define DEFAULT_NETMASK "255.255.255.0"
#define DEFAULT_NTP "pool.ntp.org"
#define KEYS_NAME "authorized_keys"

static const char *const default_resolvers = "8.8.8.8,8.8.4.4";

/* ---- disks ---- */

static const struct disk *
find_disk(const struct disk_list *disks, const char *name)
{
	const struct disk *disk = disk_list_find(disks, name);
	NRD_FREE char *real = NULL;
	const char *base;

	if (disk != NULL || nrd_starts(name, "/dev/") == NULL)
		return disk;
	real = realpath(name, NULL);
	base = real != NULL ? strrchr(real, '/') : NULL;
	return base != NULL ? disk_list_find(disks, base + 1) : NULL;
}

static void
names_of(const struct disk_list *disks, struct nrd_buf *out)
{
	for (size_t i = 0; i < disks->len; i++)
		(void)nrd_buf_printf(out, "%s%s", i > 0 ? ", " : "", disks->data[i].name);
	if (disks->len == 0)
		(void)nrd_buf_adds(out, "none");
}

static int
no_such_disk(const char *key, const char *name, const struct disk_list *disks, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(2048);

	names_of(disks, &b);
	return nrd_fail(err, ENOENT, "NoSuchDisk",
			"%s: there is no disk %s; the disks of this node: %s", key, name,
			nrd_buf_str(&b));
}

/* The names in a list of the answers, as the kernel's names. */
static int
resolve(const char *key, char **names, const struct disk_list *disks, char ***ret,
	struct nrd_err *err)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		const struct disk *disk = find_disk(disks, names[i]);

		if (disk == NULL)
			return no_such_disk(key, names[i], disks, err);
		if (!nrd_strv_has(NRD_CSTRV(*ret), disk->name) &&
		    nrd_strv_add(ret, disk->name) < 0)
			return nrd_nomem(err);
	}
	return 0;
}

/* Why a disk that was named can never be taken. */
static int
check_named(const struct disk *disk, struct nrd_err *err)
{
	const char *why = disk->boot_medium ? "the node boots from it" :
			  disk->read_only   ? "it is read-only" :
			  disk->busy        ? "it is in use right now" :
			  disk->removable   ? "it is removable" :
					      NULL;

	if (disk->use_error != NULL && why == NULL)
		return nrd_fail(err, EIO, "DiskInUse", "disks: %s cannot be read: %s", disk->name,
				disk->use_error);
	if (why != NULL)
		return nrd_fail(err, EBUSY, "DiskInUse", "disks: %s cannot be taken: %s%s%s%s",
				disk->name, why, disk->use != NULL && disk->use[0] ? " (" : "",
				disk->use != NULL ? disk->use : "",
				disk->use != NULL && disk->use[0] ? ")" : "");
	return 0;
}

static int
holds_something(const struct disk *disk, struct nrd_err *err)
{
	return nrd_fail(err, EEXIST, "DiskInUse",
			"disks: %s holds %s; name it in overwrite_disks to lose that", disk->name,
			disk->use != NULL && disk->use[0] ? disk->use : "something unknown");
}

static int
nothing_usable(const struct disk_list *disks, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(300);

	for (size_t i = 0; i < disks->len; i++) {
		const struct disk *d = &disks->data[i];

		(void)nrd_buf_printf(&b, "%s%s: %s", i > 0 ? "; " : "", d->name,
				     d->boot_medium          ? "boot medium" :
				     d->removable            ? "removable" :
				     d->use && d->use[0]     ? d->use :
				     d->use_error != NULL    ? d->use_error :
							       "too small");
	}
	if (disks->len == 0)
		return nrd_fail(err, ENOENT, "NoDisk", "this node has no disk");
	return nrd_fail(err, ENOENT, "NoDisk",
			"no disk is blank (%s): name one in overwrite_disks to take it",
			nrd_buf_str(&b));
}

int
node_plan_disks(const struct node_answers *a, const struct node_plan_env *env, char ***ret_names,
		char ***ret_force, struct nrd_err *err)
{
	NRD_STRV char **named = NULL;
	NRD_STRV char **names = NULL;
	NRD_STRV char **force = NULL;
	int r = resolve("overwrite_disks", a->overwrite_disks, env->disks, &force, err);

	if (r >= 0)
		r = resolve("disks", a->disks, env->disks, &named, err);
	for (size_t i = 0; r >= 0 && i < env->disks->len; i++) {
		const struct disk *d = &env->disks->data[i];
		bool over = nrd_strv_has(NRD_CSTRV(force), d->name);
		bool left = nrd_strv_has(env->unfinished, d->name);

		if (named != NULL && !nrd_strv_has(NRD_CSTRV(named), d->name))
			continue;
		if (named != NULL || over)
			r = check_named(d, err);
		if (r >= 0 && !d->blank && !over && !left) {
			if (named != NULL)
				r = holds_something(d, err);
			else
				continue;
		}
		/* Left-overs are overwritten like what the answers name. */
		if (r >= 0 && left && !over && nrd_strv_add(&force, d->name) < 0)
			r = nrd_nomem(err);
		if (r >= 0 && nrd_strv_add(&names, d->name) < 0)
			r = nrd_nomem(err);
	}
	if (r < 0)
		return r;
	if (names == NULL)
		return nothing_usable(env->disks, err);
	*ret_names = NRD_TAKE(names);
	*ret_force = NRD_TAKE(force);
	return 0;
}

static int
make_layout(const struct node_answers *a, const struct node_plan_env *env, struct node_plan *plan,
	    struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	struct disk_layout_opts opts = { .layout = a->zpool_layout };
	int r = node_plan_disks(a, env, &names, &plan->force, err);

	if (r < 0)
		return r;
	opts.only = NRD_CSTRV(names);
	if (nrd_streq(opts.layout, "default") || nrd_streq(opts.layout, "yes"))
		opts.layout = NULL;
	r = disk_layout_compute(env->disks, &opts, &plan->layout, err);
	return r < 0 ? nrd_wrap(err, r, "zpool_layout") : 0;
}

/* ---- network ---- */

static const struct link_nic *
first_nic(const struct link_nics *nics)
{
	const struct link_nic *first = NULL;

	for (size_t i = 0; i < nics->n; i++) {
		const struct link_nic *n = &nics->nics[i];

		if (!n->physical || !n->has_mac)
			continue;
		if (n->state == LINK_UP)
			return n;
		if (first == NULL)
			first = n;
	}
	return first;
}

static int
no_such_nic(const char *name, const struct link_nics *nics, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(300);
	size_t n = 0;

	for (size_t i = 0; i < nics->n; i++) {
		char mac[NRD_MAC_TEXT];

		if (!nics->nics[i].physical)
			continue;
		nrd_mac_format(&nics->nics[i].perm_mac, mac);
		(void)nrd_buf_printf(&b, "%s%s %s", n++ > 0 ? ", " : "", nics->nics[i].name, mac);
	}
	return nrd_fail(err, ENOENT, "NoSuchNic",
			"admin_nic: there is no NIC %s; the NICs of this node: %s", name,
			n > 0 ? nrd_buf_str(&b) : "none");
}

static int
pick_nic(const struct node_answers *a, const struct link_nics *nics, const struct link_nic **ret,
	 struct nrd_err *err)
{
	struct nrd_mac mac;

	if (a->admin_nic == NULL) {
		*ret = first_nic(nics);
		return 0;
	}
	*ret = nrd_mac_parse(a->admin_nic, &mac, NULL) >= 0 ? link_nics_by_mac(nics, &mac)
							    : link_nics_by_name(nics, a->admin_nic);
	if (*ret == NULL || !(*ret)->physical)
		return no_such_nic(a->admin_nic, nics, err);
	return 0;
}

static int
set(struct node_config *config, const char *key, const char *value, struct nrd_err *err)
{
	if (value == NULL) {
		node_config_unset(config, key);
		return 0;
	}
	return node_config_set(config, key, value, err);
}

static int
set_address(const struct node_answers *a, struct node_config *config, struct nrd_err *err)
{
	bool dhcp = a->admin_ip == NULL || nrd_streq(a->admin_ip, "dhcp");
	const char *mask = a->admin_netmask != NULL ? a->admin_netmask : DEFAULT_NETMASK;
	char network[INET_ADDRSTRLEN] = "";
	struct in_addr ip;
	struct in_addr m;
	int r = set(config, "admin_ip", dhcp ? "dhcp" : a->admin_ip, err);

	if (!dhcp && inet_pton(AF_INET, a->admin_ip, &ip) == 1 && inet_pton(AF_INET, mask, &m) == 1) {
		ip.s_addr &= m.s_addr;
		(void)inet_ntop(AF_INET, &ip, network, sizeof(network));
	}
	if (r >= 0)
		r = set(config, "admin_netmask", dhcp ? NULL : mask, err);
	if (r >= 0)
		r = set(config, "admin_network", network[0] != '\0' ? network : NULL, err);
	if (r >= 0)
		r = set(config, "headnode_default_gateway",
			a->headnode_default_gateway != NULL ? a->headnode_default_gateway :
			dhcp                                ? NULL :
							      "none", err);
	if (r >= 0)
		node_config_unset(config, "admin_gateway");
	return r;
}

static int
set_vlan(const struct node_answers *a, struct node_config *config, struct nrd_err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)a->admin_vlan_id);
	return set(config, "admin_vlan_id", a->admin_vlan_id > 0 ? text : NULL, err);
}

static int
set_resolvers(const struct node_answers *a, struct node_config *config, struct nrd_err *err)
{
	bool dhcp = a->admin_ip == NULL || nrd_streq(a->admin_ip, "dhcp");
	NRD_FREE char *text = NULL;

	if (a->dns_resolvers != NULL) {
		text = nrd_strv_join(NRD_CSTRV(a->dns_resolvers), ",");
	} else if (a->dns_resolver1 != NULL || a->dns_resolver2 != NULL) {
		bool both = a->dns_resolver1 != NULL && a->dns_resolver2 != NULL;

		text = nrd_format("%s%s%s", a->dns_resolver1 != NULL ? a->dns_resolver1 : "",
				  both ? "," : "", a->dns_resolver2 != NULL ? a->dns_resolver2 : "");
	} else if (dhcp) {
		return set(config, "dns_resolvers", NULL, err);
	} else {
		text = nrd_format("%s", default_resolvers);
	}
	return text == NULL ? nrd_nomem(err) : set(config, "dns_resolvers", text, err);
}

/* An aggregation is made in /usbkey/config by hand; changing other things leaves it alone. */
static bool
keeps_aggr(const struct node_answers *a, const struct node_config *config)
{
	return a->admin_nic != NULL && nrd_starts(a->admin_nic, "aggr") != NULL &&
	       nrd_streq(node_config_get_filled(config, "admin_nic"), a->admin_nic);
}

static int
set_nic(const struct node_answers *a, const struct link_nics *nics, struct node_config *config,
	struct nrd_err *err)
{
	const struct link_nic *nic = NULL;
	char mac[NRD_MAC_TEXT];
	int r = pick_nic(a, nics, &nic, err);

	if (r < 0)
		return r;
	/* A node without a NIC can be set up; its network begins when one is plugged in. */
	if (nic == NULL)
		return set(config, "admin_nic_autoselect", "true", err);
	nrd_mac_format(&nic->perm_mac, mac);
	return set(config, "admin_nic", mac, err);
}

int
node_plan_configure(const struct node_answers *a, const struct link_nics *nics,
		    struct node_config *config, struct nrd_err *err)
{
	const char *ntp = a->ntp_host != NULL ? a->ntp_host : DEFAULT_NTP;
	int r = node_answers_check_network(a, err);

	if (r >= 0 && !keeps_aggr(a, config))
		r = set_nic(a, nics, config, err);
	if (r >= 0)
		r = set_address(a, config, err);
	if (r >= 0)
		r = set_vlan(a, config, err);
	if (r >= 0)
		r = set_resolvers(a, config, err);
	if (r >= 0)
		r = set(config, "dns_domain", a->dns_search, err);
	if (r >= 0)
		r = set(config, "ntp_hosts", ntp, err);
	if (r >= 0)
		r = set(config, "compute_node_ntp_hosts", ntp, err);
	if (r >= 0)
		r = set(config, "hostname", a->hostname, err);
	if (r >= 0 && nrd_strv_len(NRD_CSTRV(a->root_authorized_keys)) > 0)
		r = set(config, "root_authorized_keys_file", KEYS_NAME, err);
	return r;
}

/* ---- the whole ---- */

int
node_plan_login(const struct node_answers *a, struct node_plan *plan, struct nrd_err *err)
{
	char hash[NODE_HASH_MAX];
	int r = 0;

	if (a->root_password_hash != NULL) {
		if (nrd_str_set(&plan->hash, a->root_password_hash) < 0)
			return nrd_nomem(err);
	} else if (a->root_password != NULL) {
		r = node_password_hash(a->root_password, hash, err);
		if (r >= 0 && nrd_str_set(&plan->hash, hash) < 0)
			r = nrd_nomem(err);
	}
	if (r < 0 || nrd_strv_len(NRD_CSTRV(a->root_authorized_keys)) == 0)
		return r;
	plan->keys = nrd_strv_join(NRD_CSTRV(a->root_authorized_keys), "\n");
	return plan->keys == NULL ? nrd_nomem(err) : 0;
}

int
node_plan_make(const struct node_answers *a, const struct node_plan_env *env,
	       struct node_plan *ret_plan, struct nrd_err *err)
{
	NRD_AUTO(node_plan) plan = { .pool = env->pool };
	int r = node_answers_check(a, err);

	if (r >= 0)
		r = node_config_new(&plan.config, err);
	if (r >= 0)
		r = node_plan_configure(a, env->nics, plan.config, err);
	if (r >= 0 && env->pool != NODE_PLAN_POOL_REUSE)
		r = make_layout(a, env, &plan, err);
	if (r >= 0)
		r = node_plan_login(a, &plan, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct node_plan){ 0 };
	return 0;
}

void
node_plan_fini(struct node_plan *plan)
{
	disk_layout_fini(&plan->layout);
	nrd_strv_free(plan->force);
	node_config_free(plan->config);
	free(plan->hash);
	free(plan->keys);
	*plan = (struct node_plan){ 0 };
}

void
node_plan_cleanup(struct node_plan *plan)
{
	node_plan_fini(plan);
}

static void
member_words(const char *head, const struct disk_member *m, size_t n, struct nrd_buf *out)
{
	if (n == 0)
		return;
	(void)nrd_buf_printf(out, "%s%s", out->len > 0 ? "; " : "", head);
	for (size_t i = 0; i < n; i++)
		(void)nrd_buf_printf(out, " %s", m[i].name);
}

void
node_plan_layout_words(const struct disk_layout *layout, struct nrd_buf *out)
{
	for (size_t i = 0; i < layout->n_vdevs; i++)
		member_words(layout->vdevs[i].type != NULL ? layout->vdevs[i].type : "single",
			     layout->vdevs[i].devices, layout->vdevs[i].n_devices, out);
	member_words("spare", layout->spares, layout->n_spares, out);
	member_words("log", layout->logs, layout->n_logs, out);
	member_words("cache", layout->cache, layout->n_cache, out);
}

static void
fact(struct nrd_buf *out, const char *name, const char *value)
{
	(void)nrd_buf_printf(out, "  %-16s %s\n", name, value);
}

static void
network_facts(const struct node_config *c, struct nrd_buf *out)
{
	static const struct {
		const char *key;
		const char *name;
		const char *none;
	} rows[] = {
		{ "hostname", "hostname", "(the admin NIC's MAC address)" },
		{ "admin_nic", "admin NIC", "(the first that appears)" },
		{ "admin_ip", "address", "dhcp" },
		{ "admin_netmask", "netmask", NULL },
		{ "admin_vlan_id", "VLAN", NULL },
		{ "headnode_default_gateway", "gateway", NULL },
		{ "dns_resolvers", "DNS servers", "(from DHCP)" },
		{ "dns_domain", "search domain", NULL },
		{ "ntp_hosts", "time servers", NULL },
	};

	for (size_t i = 0; i < nrd_count(rows); i++) {
		const char *v = node_config_get_filled(c, rows[i].key);

		if (v == NULL)
			v = rows[i].none;
		if (v != NULL)
			fact(out, rows[i].name, v);
	}
}

void
node_plan_describe(const struct node_plan *plan, const struct disk_list *disks,
		   struct nrd_buf *out)
{
	NRD_AUTO(nrd_buf) words = NRD_BUF_INIT(4096);
	char size[NRD_SIZE_TEXT];

	network_facts(plan->config, out);
	if (plan->change) {
		fact(out, "pool " NODE_POOL, "as it is");
	} else if (plan->pool == NODE_PLAN_POOL_REUSE) {
		fact(out, "pool " NODE_POOL, "the one that is there; nothing on it is changed");
	} else {
		node_plan_layout_words(&plan->layout, &words);
		fact(out, "pool " NODE_POOL, nrd_buf_str(&words));
		nrd_size_format(plan->layout.capacity, size);
		fact(out, "usable", size);
	}
	for (size_t i = 0; plan->force != NULL && plan->force[i] != NULL; i++) {
		const struct disk *d = disk_list_find(disks, plan->force[i]);
		const struct disk_member *m;
		bool used = false;

		for (size_t j = 0; disk_layout_next(&plan->layout, &j, &m);)
			used |= nrd_streq(m->name, plan->force[i]);
		if (d != NULL && used && d->use != NULL && d->use[0] != '\0')
			(void)nrd_buf_printf(out, "  %-16s %s on %s\n", "WILL BE LOST", d->use,
					     d->name);
	}
	fact(out, "root password", plan->hash != NULL ? "set" :
				   plan->change       ? "as it is" :
							"none (SSH keys only)");
	if (plan->keys != NULL)
		fact(out, "SSH keys", "given");
}
