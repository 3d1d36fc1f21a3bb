/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "net.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/datalink.h"
#include "node/check.h"
#include "node/nictag.h"
#include "nrd/file.h"
#include "nrd/mac.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define OUR_PREFIX "10-nereid-"
#define ADMIN_VLAN_LINK "admin0"
#define FILE_MAX ((size_t)16 << 10)

/* Everything node_net_make works with. */
struct maker {
	const struct node_config *config;
	const struct link_nics *nics;
	struct node_nictags tags;
	struct node_net *net;
	char *problem;
};

static int
add_file(struct maker *m, struct nrd_buf *text, const char *fmt, const char *name)
{
	struct node_net_file f = { 0 };

	(void)snprintf(f.name, sizeof(f.name), OUR_PREFIX "%.24s.%s", name, fmt);
	f.text = nrd_buf_take(text);
	if (f.text == NULL)
		return -ENOMEM;
	if (nrd_vec_push(m->net, f) < 0) {
		free(f.text);
		return -ENOMEM;
	}
	return 0;
}

/* The first problem is the one that is told. */
__attribute__((format(printf, 2, 3))) static int
complain(struct maker *m, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (m->problem != NULL)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->problem = nrd_format("%s", text);
	return m->problem != NULL ? 0 : -ENOMEM;
}

static bool
is_aggr(const char *nic)
{
	return nrd_starts(nic, "aggr") != NULL;
}

static const struct link_nic *
nic_by_mac_text(const struct link_nics *nics, const char *text)
{
	struct nrd_mac mac;

	return nrd_mac_parse(text, &mac, NULL) < 0 ? NULL : link_nics_by_mac(nics, &mac);
}

/* config's value under "NAME_KEY". */
static const char *
get_of(const struct node_config *config, const char *name, const char *key)
{
	char full[NODE_CONFIG_KEY_MAX + 1];

	if (snprintf(full, sizeof(full), "%s_%s", name, key) >= (int)sizeof(full))
		return NULL;
	return node_config_get_filled(config, full);
}

/* A NIC that will do for the admin network when none is named or the named one may be replaced. */
static const struct link_nic *
any_nic(const struct link_nics *nics)
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

const char *
node_net_admin_on(const struct node_config *config, const struct link_nics *nics,
		  char buf[NRD_MAC_TEXT])
{
	const char *tag = node_config_get_filled(config, "admin_tag");
	const char *nic = NULL;
	const char *pick = node_config_get_filled(config, "admin_nic_autoselect");
	const struct link_nic *any;

	if (tag != NULL)
		nic = get_of(config, tag, "nic");
	if (nic == NULL)
		nic = node_config_get_filled(config, "admin_nic");
	if (!nrd_streq(pick, "true") ||
	    (nic != NULL && (is_aggr(nic) || nic_by_mac_text(nics, nic) != NULL)))
		return nic;
	any = any_nic(nics);
	if (any == NULL)
		return nic;
	nrd_mac_format(&any->mac, buf);
	return buf;
}

const struct link_nic *
node_net_admin_nic(const struct node_config *config, const struct link_nics *nics)
{
	char buf[NRD_MAC_TEXT];
	const char *nic = node_net_admin_on(config, nics, buf);

	return nic == NULL || is_aggr(nic) ? NULL : nic_by_mac_text(nics, nic);
}

bool
node_net_uses_dhcp(const struct node_config *config)
{
	const char *ip = node_config_get_filled(config, "admin_ip");

	return ip == NULL || nrd_streq(ip, "dhcp");
}

static size_t
aggr_members_missing(const struct node_config *config, const struct link_nics *nics,
		     const char *aggr, size_t *ret_n)
{
	const char *list = get_of(config, aggr, "aggr");
	struct nrd_str rest = nrd_str(list);
	struct nrd_str part;
	size_t missing = 0;

	*ret_n = 0;
	while (list != NULL && nrd_str_split(&rest, ',', &part)) {
		char mac[NRD_MAC_TEXT + 8];

		if (part.len == 0 || part.len >= sizeof(mac))
			continue;
		memcpy(mac, part.data, part.len);
		mac[part.len] = '\0';
		(*ret_n)++;
		missing += nic_by_mac_text(nics, mac) == NULL;
	}
	return missing;
}

bool
node_net_nic_missing(const struct node_config *config, const struct link_nics *nics)
{
	char buf[NRD_MAC_TEXT];
	const char *nic = node_net_admin_on(config, nics, buf);
	size_t n;

	if (nic == NULL)
		return any_nic(nics) == NULL;
	if (is_aggr(nic))
		return aggr_members_missing(config, nics, nic, &n) > 0;
	return nic_by_mac_text(nics, nic) == NULL;
}

static unsigned
max_mtu(const struct maker *m, const char *nic)
{
	uint64_t mtu = NODE_MTU_MIN;

	for (size_t i = 0; i < m->tags.n; i++) {
		const struct node_nictag *t = &m->tags.tags[i];
		const char *tag_nic = get_of(m->config, t->name, "nic");
		struct nrd_mac a;
		struct nrd_mac b;
		bool same = nrd_streq(tag_nic, nic);

		if (!same && tag_nic != NULL && nrd_mac_parse(tag_nic, &a, NULL) >= 0 &&
		    nrd_mac_parse(nic, &b, NULL) >= 0)
			same = nrd_mac_equal(&a, &b);
		if (same && t->mtu > mtu)
			mtu = t->mtu;
	}
	return (unsigned)mtu;
}

/* [Match] by MAC: of hardware only, as VLANs carry the same one. */
static void
match_mac(struct nrd_buf *b, const char *mac)
{
	(void)nrd_buf_printf(b, "[Match]\nMACAddress=%s\nKind=!*\n", mac);
}

static void
link_section(struct nrd_buf *b, unsigned mtu)
{
	(void)nrd_buf_printf(b, "\n[Link]\nRequiredForOnline=no\nActivationPolicy=up\n");
	if (mtu != NODE_MTU_MIN)
		(void)nrd_buf_printf(b, "MTUBytes=%u\n", mtu);
}

static const char *
gateway_of(const struct node_config *config)
{
	static const char *const order[] = {
		"headnode_default_gateway", "admin_gateway", "external_gateway", "external0_gateway",
	};

	for (size_t i = 0; i < nrd_count(order); i++) {
		const char *gw = node_config_get_filled(config, order[i]);

		if (gw != NULL)
			return nrd_streq(gw, "none") ? NULL : gw;
	}
	return NULL;
}

static int
address_section(struct maker *m, struct nrd_buf *b)
{
	const char *ip = node_config_get_filled(m->config, "admin_ip");
	const char *mask = node_config_get_filled(m->config, "admin_netmask");
	const char *ip6 = node_config_get_filled(m->config, "admin_ip6");
	const char *gw6 = node_config_get_filled(m->config, "admin_gateway6");
	const char *gw = gateway_of(m->config);
	struct nrd_err why = { 0 };
	unsigned prefix = 24;
	bool dhcp = node_net_uses_dhcp(m->config);
	bool addrconf = nrd_streq(ip6, "addrconf");

	if (mask != NULL)
		(void)node_netmask_prefix(mask, &prefix, NULL);
	(void)nrd_buf_printf(b, "DHCP=%s\nIPv6AcceptRA=%s\nLinkLocalAddressing=%s\n",
			     dhcp ? "ipv4" : "no", addrconf ? "yes" : "no",
			     ip6 != NULL ? "ipv6" : "no");
	if (!dhcp) {
		(void)nrd_buf_printf(b, "Address=%s/%u\n", ip, prefix);
		if (node_check_network(ip, mask != NULL ? mask : "255.255.255.0", gw, &why) < 0 &&
		    complain(m, "admin_ip in /usbkey/config: %s; correct it with nereid-setup",
			     why.msg) < 0)
			return -ENOMEM;
	}
	if (ip6 != NULL && !addrconf)
		(void)nrd_buf_printf(b, "Address=%s\n", ip6);
	if (gw != NULL && !dhcp)
		(void)nrd_buf_printf(b, "Gateway=%s\n", gw);
	if (gw6 != NULL)
		(void)nrd_buf_printf(b, "Gateway=%s\n", gw6);
	/* The MAC as identity: the machine id is not the node's before its pool is there. */
	if (dhcp)
		(void)nrd_buf_printf(b, "\n[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\n"
					"UseGateway=%s\n", gw == NULL &&
				     node_config_get_filled(m->config, "headnode_default_gateway") !=
					     NULL ? "no" : "yes");
	return 0;
}

/* The network of a physical NIC or an aggregation, on top of what `match` says. */
static int
network_file(struct maker *m, const char *name, const char *mac, const char *nic, bool admin)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(FILE_MAX);
	const char *vlan = node_config_get_filled(m->config, "admin_vlan_id");
	bool tagged = vlan != NULL && !nrd_streq(vlan, "0");
	int r = 0;

	if (mac != NULL)
		match_mac(&b, mac);
	else
		(void)nrd_buf_printf(&b, "[Match]\nName=%s\n", nic);
	link_section(&b, max_mtu(m, nic));
	(void)nrd_buf_adds(&b, "\n[Network]\n");
	if (admin && !tagged) {
		r = address_section(m, &b);
	} else {
		(void)nrd_buf_adds(&b, "LinkLocalAddressing=no\nIPv6AcceptRA=no\n");
		if (admin)
			(void)nrd_buf_adds(&b, "VLAN=" ADMIN_VLAN_LINK "\n");
	}
	if (r < 0)
		return r;
	r = add_file(m, &b, "network", name);
	if (r < 0 || !admin || !tagged)
		return r;
	(void)nrd_buf_printf(&b, "[NetDev]\nName=" ADMIN_VLAN_LINK "\nKind=vlan\n\n[VLAN]\nId=%s\n",
			     vlan);
	r = add_file(m, &b, "netdev", ADMIN_VLAN_LINK);
	if (r < 0)
		return r;
	(void)nrd_buf_adds(&b, "[Match]\nName=" ADMIN_VLAN_LINK "\n");
	link_section(&b, NODE_MTU_MIN);
	(void)nrd_buf_adds(&b, "\n[Network]\n");
	r = address_section(m, &b);
	return r < 0 ? r : add_file(m, &b, "network", ADMIN_VLAN_LINK);
}

static int
aggr_files(struct maker *m, const char *aggr, bool admin)
{
	const char *list = get_of(m->config, aggr, "aggr");
	const char *lacp = get_of(m->config, aggr, "lacp_mode");
	const char *mtu = get_of(m->config, aggr, "mtu");
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(FILE_MAX);
	NRD_AUTO(datalink) kept = { 0 };
	NRD_STRV char **macs = NULL;
	bool off = lacp == NULL || nrd_streq(lacp, "off");
	size_t n;
	int r;

	/* One that dladm keeps is made by `dladm restore`, and only to be set up. */
	if (list == NULL && !admin && datalink_read(DATALINK_KEEP, NULL, aggr, &kept, NULL) == 0)
		return network_file(m, aggr, NULL, aggr, false);
	if (list == NULL)
		return complain(m, "%s in /usbkey/config has no members: add %s_aggr=MAC,MAC", aggr,
				aggr);
	if (nrd_strv_split(list, ',', &macs) < 0)
		return -ENOMEM;
	/* illumos spreads by layer 4 without LACP as well. */
	(void)nrd_buf_printf(&b, "[NetDev]\nName=%s\nKind=bond\n", aggr);
	if (mtu != NULL)
		(void)nrd_buf_printf(&b, "MTUBytes=%s\n", mtu);
	(void)nrd_buf_printf(&b, "\n[Bond]\nMode=%s\nTransmitHashPolicy=layer3+4\n"
				 "MIIMonitorSec=0.1s\n",
			     off ? "balance-xor" : "802.3ad");
	r = add_file(m, &b, "netdev", aggr);
	if (r < 0)
		return r;
	/* A member takes the bond's MAC, so it is known by the one burnt into it. */
	for (size_t i = 0; macs != NULL && macs[i] != NULL; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%.16s-%zu", aggr, i);
		(void)nrd_buf_printf(&b, "[Match]\nPermanentMACAddress=%s\nKind=!*\n"
					 "\n[Network]\nBond=%s\n",
				     macs[i], aggr);
		r = add_file(m, &b, "network", name);
		if (r < 0)
			return r;
	}
	r = network_file(m, admin ? "admin" : aggr, NULL, aggr, admin);
	if (r < 0 || !admin)
		return r;
	if (aggr_members_missing(m->config, m->nics, aggr, &n) > 0)
		return complain(m, "a NIC of %s is missing; see sysinfo for those there are, correct "
				   "%s_aggr in /usbkey/config or plug it in, and reboot", aggr, aggr);
	return 0;
}

static int
admin_files(struct maker *m)
{
	char buf[NRD_MAC_TEXT];
	const char *nic = node_net_admin_on(m->config, m->nics, buf);

	if (nic == NULL)
		return complain(m, "there is no admin_nic in /usbkey/config: choose one with "
				   "nereid-setup");
	if (is_aggr(nic))
		return aggr_files(m, nic, true);
	if (nic_by_mac_text(m->nics, nic) == NULL &&
	    complain(m, "the admin NIC %s is missing; plug it in and reboot, or choose another "
			"with nereid-setup", nic) < 0)
		return -ENOMEM;
	return network_file(m, "admin", nic, nic, true);
}

/* NICs of the other tags: up, without addresses. */
static int
tag_files(struct maker *m)
{
	char buf[NRD_MAC_TEXT];
	const char *admin = node_net_admin_on(m->config, m->nics, buf);
	NRD_STRV char **done = NULL;

	if (admin != NULL && nrd_strv_add(&done, admin) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->tags.n; i++) {
		const char *nic = get_of(m->config, m->tags.tags[i].name, "nic");
		int r;

		if (nic == NULL || nrd_strv_has(NRD_CSTRV(done), nic))
			continue;
		if (nrd_strv_add(&done, nic) < 0)
			return -ENOMEM;
		r = is_aggr(nic) ? aggr_files(m, nic, false)
				 : network_file(m, m->tags.tags[i].name, nic, nic, false);
		if (r < 0)
			return r;
	}
	return 0;
}

int
node_net_make(const struct node_config *config, const struct link_nics *nics,
	      struct node_net *ret_net, char **ret_problem, struct nrd_err *err)
{
	NRD_AUTO(node_net) net = { 0 };
	struct maker m = { .config = config, .nics = nics, .net = &net };
	int r = node_nictags_from(config, nics, &m.tags, err);

	if (r < 0)
		return r;
	r = admin_files(&m);
	if (r >= 0)
		r = tag_files(&m);
	node_nictags_fini(&m.tags);
	if (r < 0) {
		free(m.problem);
		return nrd_nomem(err);
	}
	*ret_net = net;
	net = (struct node_net){ 0 };
	*ret_problem = m.problem;
	return 0;
}

void
node_net_fini(struct node_net *net)
{
	nrd_vec_each(f, net)
		free(f->text);
	nrd_vec_fini(net);
}

void
node_net_cleanup(struct node_net *net)
{
	node_net_fini(net);
}

static int
remove_ours(const char *dir, struct nrd_err *err)
{
	NRD_CLOSEDIR DIR *d = opendir(dir);
	const struct dirent *e;

	if (d == NULL)
		return nrd_fail(err, errno, "NetworkFiles", "open %s: %m", dir);
	while ((e = readdir(d)) != NULL)
		if (nrd_starts(e->d_name, OUR_PREFIX) != NULL)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	return 0;
}

int
node_net_write(const struct node_net *net, const char *dir, struct nrd_err *err)
{
	int r;

	if (dir == NULL)
		dir = NODE_NETWORK_DIR;
	r = nrd_mkdir_p(dir, 0755, err);
	if (r >= 0)
		r = remove_ours(dir, err);
	for (size_t i = 0; r >= 0 && i < net->len; i++) {
		NRD_FREE char *path = nrd_path_join(dir, net->data[i].name);

		if (path == NULL)
			return nrd_nomem(err);
		r = nrd_file_write(path, net->data[i].text, strlen(net->data[i].text), 0644, err);
	}
	return r;
}

/* The words after KEY= in networkd's state, which separates them by blanks. */
static struct nrd_str
lease_words(const char *lease, const char *key)
{
	struct nrd_str rest = nrd_str(lease);
	struct nrd_str line;
	size_t n = strlen(key);

	while (lease != NULL && nrd_str_split(&rest, '\n', &line))
		if (line.len > n && strncmp(line.data, key, n) == 0 && line.data[n] == '=')
			return nrd_strn(line.data + n + 1, line.len - n - 1);
	return nrd_strn("", 0);
}

typedef void line_fn(struct nrd_buf *out, const char *word);

static void
resolver_line(struct nrd_buf *out, const char *word)
{
	if (node_check_ip(word, NULL) >= 0)
		(void)nrd_buf_printf(out, "nameserver %s\n", word);
}

static void
server_line(struct nrd_buf *out, const char *word)
{
	if (node_check_host_list(word, NULL) >= 0 && strchr(word, ',') == NULL)
		(void)nrd_buf_printf(out, "server %s iburst\n", word);
}

/* One line a word, words by commas (configuration) or blanks (lease). */
static void
lines(struct nrd_buf *out, struct nrd_str words, line_fn *fn)
{
	size_t i = 0;

	while (i < words.len) {
		char word[256];
		size_t n = 0;

		while (i < words.len && (words.data[i] == ',' || words.data[i] == ' '))
			i++;
		while (i + n < words.len && words.data[i + n] != ',' && words.data[i + n] != ' ')
			n++;
		if (n > 0 && n < sizeof(word)) {
			memcpy(word, words.data + i, n);
			word[n] = '\0';
			fn(out, word);
		}
		i += n;
	}
}

int
node_net_resolv(const struct node_config *config, const char *lease, struct nrd_buf *out,
		struct nrd_err *err)
{
	const char *resolvers = node_config_get_filled(config, "dns_resolvers");
	const char *domain = node_config_get_filled(config, "dns_domain");
	struct nrd_str search = domain != NULL ? nrd_str(domain) : lease_words(lease, "DOMAINS");

	if (search.len > 0 && search.len < 1024)
		(void)nrd_buf_printf(out, "search %.*s\n", NRD_STR_ARG(search));
	lines(out, resolvers != NULL ? nrd_str(resolvers) : lease_words(lease, "DNS"),
	      resolver_line);
	return out->failed < 0 ? nrd_nomem(err) : 0;
}

int
node_net_ntp(const struct node_config *config, const char *lease, struct nrd_buf *out,
	     struct nrd_err *err)
{
	const char *hosts = node_config_get_filled(config, "ntp_hosts");

	lines(out, hosts != NULL ? nrd_str(hosts) : lease_words(lease, "NTP"), server_line);
	return out->failed < 0 ? nrd_nomem(err) : 0;
}
