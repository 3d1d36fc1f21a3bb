/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "answers.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "disk/layout.h"
#include "node/check.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/suggest.h"

#define DEFAULT_WORD "<default>"
#define PASSWORD_MAX 512
#define KEY_MAX 16384

static int
bad(struct nrd_err *err, const char *rule)
{
	return nrd_fail(err, EINVAL, "BadAnswers", "%s", rule);
}

static int
check_nic(const char *s, struct nrd_err *err)
{
	/* A link's name is looked up later; here only what no name can be is refused. */
	if (strchr(s, ':') != NULL)
		return node_check_mac(s, err);
	if (s[0] == '\0' || strlen(s) > 15 || strpbrk(s, " \t/,") != NULL)
		return nrd_fail(err, EINVAL, "BadAnswers",
				"\"%.40s\" is neither a MAC address nor the name of a NIC", s);
	return 0;
}

static int
check_layout(const char *s, struct nrd_err *err)
{
	const char *near;

	if (nrd_streq(s, "default") || nrd_streq(s, "yes") ||
	    nrd_strv_has(disk_layout_names, s))
		return 0;
	if (nrd_streq(s, "manual"))
		return bad(err, "\"manual\" needs a person: make the pool by hand, then run "
				"nereid-setup, which takes it as it is");
	near = nrd_suggest(s, disk_layout_names);
	return nrd_fail(err, EINVAL, "BadAnswers", "unknown layout \"%.40s\"%s%s%s", s,
			near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
			near != NULL ? "\"?)" : "");
}

static int
check_yes(const char *s, struct nrd_err *err)
{
	if (nrd_streq(s, "yes") || nrd_streq(s, "y") || nrd_streq(s, "true"))
		return 0;
	return bad(err, "only \"yes\" lets the pool be made");
}

int
node_check_password(const char *s, struct nrd_err *err)
{
	size_t n = strlen(s);

	if (n == 0)
		return bad(err, "is empty");
	if (n > PASSWORD_MAX)
		return bad(err, "is longer than 512 bytes");
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return bad(err, "holds a control character");
	return 0;
}

static int
check_disk(const char *s, struct nrd_err *err)
{
	if (s[0] == '\0' || strlen(s) > 255)
		return bad(err, "a disk is a name (sda), a serial number or a path below /dev");
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return bad(err, "holds a control character");
	return 0;
}

static int
check_bootpool(const char *s, struct nrd_err *err)
{
	if (nrd_streq(s, "none") || nrd_streq(s, "zones"))
		return 0;
	return bad(err, "only \"zones\" or \"none\"");
}

int
node_check_ssh_key(const char *s, struct nrd_err *err)
{
	static const char *const types[] = {
		"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com", NULL,
	};
	struct nrd_str rest = nrd_str(s);
	struct nrd_str word;
	bool typed = false;

	if (strlen(s) > KEY_MAX)
		return nrd_fail(err, EINVAL, "BadKey", "is longer than 16384 bytes");
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return nrd_fail(err, EINVAL, "BadKey", "is more than one line");
	/* Options may come before the type; they may hold blanks inside quotes, so look for it. */
	while (!typed && nrd_str_word(&rest, &word))
		for (size_t i = 0; types[i] != NULL; i++)
			typed |= nrd_str_eq(word, types[i]);
	if (!typed)
		return nrd_fail(err, EINVAL, "BadKey",
				"is not a public SSH key (\"ssh-ed25519 AAAA... comment\")");
	if (!nrd_str_word(&rest, &word) || word.len < 32)
		return nrd_fail(err, EINVAL, "BadKey", "is cut off: there is no key after its type");
	for (size_t i = 0; i < word.len; i++)
		if (!isalnum((unsigned char)word.data[i]) && strchr("+/=", word.data[i]) == NULL)
			return nrd_fail(err, EINVAL, "BadKey", "is damaged: not base64");
	return 0;
}

/* In answers.json "<default>" stands for any value not given. */
#define OR_DEFAULT(name, check)                                          \
	static int                                                       \
	name##_or_default(const char *s, struct nrd_err *err)            \
	{                                                                \
		return nrd_streq(s, DEFAULT_WORD) ? 0 : check(s, err);   \
	}

OR_DEFAULT(hostname, node_check_hostname)
OR_DEFAULT(nic, check_nic)
OR_DEFAULT(ip, node_check_ip4_dhcp)
OR_DEFAULT(netmask, node_check_netmask)
OR_DEFAULT(gateway, node_check_ip4_none)
OR_DEFAULT(resolver, node_check_ip)
OR_DEFAULT(search, node_check_domain)
OR_DEFAULT(ntp, node_check_host_list)
OR_DEFAULT(layout, check_layout)
OR_DEFAULT(yes, check_yes)
OR_DEFAULT(bootpool, check_bootpool)

#define A struct node_answers

static const struct nrd_field fields[] = {
	NRD_FIELD_STR(A, hostname, NRD_OPTIONAL, hostname_or_default,
		      .help = "the node's name; without it the admin NIC's MAC with dashes"),
	NRD_FIELD_STR(A, admin_nic, NRD_OPTIONAL, nic_or_default,
		      .help = "MAC (or link name) of the admin NIC; without it the first with a link"),
	NRD_FIELD_STR(A, admin_ip, NRD_OPTIONAL, ip_or_default,
		      .help = "IPv4 address or \"dhcp\", which is the default"),
	NRD_FIELD_STR(A, admin_netmask, NRD_OPTIONAL, netmask_or_default,
		      .help = "of a static address; 255.255.255.0"),
	NRD_FIELD_STR(A, headnode_default_gateway, NRD_OPTIONAL, gateway_or_default,
		      .help = "or \"none\", which is the default"),
	NRD_FIELD_U64(A, admin_vlan_id, NRD_OPTIONAL | NRD_LOOSE, 0, 4094,
		      .help = "802.1Q tag of the admin network; 0: none"),
	NRD_FIELD_STR(A, dns_resolver1, NRD_OPTIONAL, resolver_or_default,
		      .help = "with a static address 8.8.8.8, with DHCP what it says"),
	NRD_FIELD_STR(A, dns_resolver2, NRD_OPTIONAL, resolver_or_default,
		      .help = "with a static address 8.8.4.4"),
	NRD_FIELD_STRV(A, dns_resolvers, NRD_OPTIONAL, 3, node_check_ip,
		       .help = "instead of the two: up to three"),
	NRD_FIELD_STR(A, dns_search, NRD_OPTIONAL, search_or_default, .help = "search domain"),
	NRD_FIELD_STR(A, ntp_host, NRD_OPTIONAL, ntp_or_default,
		      .help = "time servers by commas; pool.ntp.org"),
	NRD_FIELD_STR(A, zpool_layout, NRD_OPTIONAL, layout_or_default,
		      .help = "default, single, mirror, raidz1, raidz2, raidz3"),
	NRD_FIELD_STR(A, zpool_confirm_layout, NRD_OPTIONAL, yes_or_default,
		      .help = "only \"yes\""),
	NRD_FIELD_STRV(A, disks, NRD_OPTIONAL, NODE_ANSWERS_LIST_MAX, check_disk,
		       .help = "use these and no others: names, serials or /dev/disk/by-id paths"),
	NRD_FIELD_STRV(A, overwrite_disks, NRD_OPTIONAL, NODE_ANSWERS_LIST_MAX, check_disk,
		       .help = "disks that may lose what they hold"),
	NRD_FIELD_STR(A, root_password, NRD_OPTIONAL | NRD_SECRET, NULL,
		      .help = "in clear text; better root_password_hash"),
	NRD_FIELD_STR(A, root_password_hash, NRD_OPTIONAL | NRD_SECRET, NULL,
		      .help = "as in shadow(5); mkpasswd makes one"),
	NRD_FIELD_STRV(A, root_authorized_keys, NRD_OPTIONAL, NODE_ANSWERS_LIST_MAX,
		       node_check_ssh_key, .help = "public SSH keys that may log in as root"),
	NRD_FIELD_STR(A, config_console, NRD_OPTIONAL, NULL, .help = "ignored"),
	NRD_FIELD_STR(A, bootpool, NRD_OPTIONAL, bootpool_or_default,
		      .help = "ignored: the disks of zones are always made bootable"),
	NRD_FIELD_STR(A, pisource, NRD_OPTIONAL, NULL, .help = "ignored: see piadm(8)"),
	NRD_FIELD_STR(A, install_pkgsrc, NRD_OPTIONAL, NULL, .help = "ignored"),
	NRD_FIELD_BOOL(A, skip_instructions, NRD_OPTIONAL | NRD_LOOSE, .help = "ignored"),
	NRD_FIELD_BOOL(A, simple_headers, NRD_OPTIONAL | NRD_LOOSE, .help = "ignored"),
	NRD_FIELD_BOOL(A, skip_ntp_check, NRD_OPTIONAL | NRD_LOOSE, .help = "ignored"),
	NRD_FIELD_BOOL(A, skip_final_confirm, NRD_OPTIONAL | NRD_LOOSE, .help = "ignored"),
	NRD_FIELD_BOOL(A, skip_final_summary, NRD_OPTIONAL | NRD_LOOSE, .help = "ignored"),
};

const struct nrd_schema node_answers_schema =
	NRD_SCHEMA(struct node_answers, present, fields, NULL);

/* admin_mac is SmartOS's other name for admin_nic. */
struct alias {
	struct nrd_present present;
	char *admin_mac;
};

static const struct nrd_field alias_fields[] = {
	NRD_FIELD_STR(struct alias, admin_mac, NRD_OPTIONAL, nic_or_default),
};

static const struct nrd_schema alias_schema =
	NRD_SCHEMA(struct alias, present, alias_fields, NULL);

nrd_check_fn *
node_answers_rule(const char *key)
{
	const struct nrd_field *f = nrd_schema_find(&node_answers_schema, key);

	return f != NULL ? f->check : NULL;
}

static void
drop_defaults(struct node_answers *a)
{
	for (size_t i = 0; i < nrd_count(fields); i++) {
		char *const *s = (void *)((char *)a + fields[i].offset);

		if (fields[i].type == NRD_TYPE_STR && *s != NULL && nrd_streq(*s, DEFAULT_WORD))
			nrd_field_clear(&node_answers_schema, &fields[i], a);
	}
}

int
node_answers_check_network(const struct node_answers *a, struct nrd_err *err)
{
	bool dhcp = a->admin_ip == NULL || nrd_streq(a->admin_ip, "dhcp");
	struct nrd_err why = { 0 };

	if (dhcp && a->admin_netmask != NULL)
		return nrd_fail(err, EINVAL, "BadAnswers",
				"admin_netmask is given, but admin_ip is not an address");
	if (!dhcp && node_check_network(a->admin_ip,
					a->admin_netmask != NULL ? a->admin_netmask : "255.255.255.0",
					a->headnode_default_gateway, &why) < 0)
		return nrd_fail(err, EINVAL, "BadNetwork", "admin_ip: %s", why.msg);
	if (a->dns_resolvers != NULL && (a->dns_resolver1 != NULL || a->dns_resolver2 != NULL))
		return nrd_fail(err, EINVAL, "BadAnswers",
				"dns_resolvers: give either this or dns_resolver1 and dns_resolver2");
	return 0;
}

int
node_answers_check(const struct node_answers *a, struct nrd_err *err)
{
	int r = node_answers_check_network(a, err);

	/* Not by the table, which says nothing about values that are secret. */
	if (r >= 0 && a->root_password != NULL)
		r = nrd_wrap(err, node_check_password(a->root_password, err), "root_password");
	if (r >= 0 && a->root_password_hash != NULL &&
	    node_check_shadow(a->root_password_hash, NULL) < 0)
		r = nrd_fail(err, EINVAL, "BadAnswers",
			     "root_password_hash: is no password hash of crypt(5); mkpasswd makes "
			     "one");
	if (r < 0)
		return r;
	if (a->root_password != NULL && a->root_password_hash != NULL)
		return nrd_fail(err, EINVAL, "BadAnswers",
				"root_password: give either this or root_password_hash");
	if (a->root_password == NULL && a->root_password_hash == NULL &&
	    nrd_strv_len(NRD_CSTRV(a->root_authorized_keys)) == 0)
		return nrd_fail(err, EINVAL, "BadAnswers",
				"nobody could log in: give root_password_hash, root_password or "
				"root_authorized_keys");
	return 0;
}

static int
decode(const struct nrd_json *doc, struct node_answers *a, struct nrd_err *err)
{
	const struct nrd_val *root = nrd_json_root(doc);
	struct alias alias = { 0 };
	const struct nrd_val *mac = nrd_val_get(root, "admin_mac");
	NRD_AUTO(nrd_buf) rest = NRD_BUF_INIT(2 * NODE_ANSWERS_MAX);
	struct nrd_iter it = nrd_iter(root);
	struct nrd_jw w;
	int r;

	if (mac == NULL || nrd_val_type(root) != NRD_VAL_OBJ)
		return nrd_decode(&node_answers_schema, root, 0, a, err);
	r = nrd_decode(&alias_schema, root, NRD_DECODE_UNKNOWN, &alias, err);
	if (r < 0)
		return r;
	/* The schema knows one name; hand it the rest and put the alias in its place. */
	nrd_jw_init(&w, &rest, NRD_JW_COMPACT);
	nrd_jw_obj_open(&w);
	while (nrd_iter_next(&it))
		if (!nrd_streq(it.key, "admin_mac"))
			nrd_jw_kval(&w, it.key, it.val);
	nrd_jw_obj_close(&w);
	r = nrd_jw_finish(&w, err);
	if (r >= 0)
		r = nrd_decode_text(&node_answers_schema, nrd_buf_str(&rest), rest.len, NULL, 0, a,
				    err);
	if (r >= 0 && a->admin_nic != NULL && !nrd_streq(a->admin_nic, alias.admin_mac)) {
		r = nrd_fail(err, EINVAL, "BadAnswers",
			     "admin_mac: give either this or admin_nic");
	} else if (r >= 0 && a->admin_nic == NULL) {
		a->admin_nic = NRD_TAKE(alias.admin_mac);
		NRD_SET(&node_answers_schema, a, admin_nic);
	}
	nrd_object_fini(&alias_schema, &alias);
	return r;
}

int
node_answers_parse(const char *text, size_t len, struct node_answers *ret_answers,
		   struct nrd_err *err)
{
	static const struct nrd_json_limits limits = { .max = NODE_ANSWERS_MAX, .depth = 4 };
	NRD_AUTO(node_answers) a = { 0 };
	NRD_AUTO(nrd_json) *doc = NULL;
	int r = nrd_json_parse(text, len, &limits, &doc, err);

	if (r >= 0)
		r = decode(doc, &a, err);
	if (r >= 0) {
		drop_defaults(&a);
		r = node_answers_check(&a, err);
	}
	if (r < 0)
		return nrd_wrap(err, r, "answers");
	*ret_answers = a;
	a = (struct node_answers){ 0 };
	return 0;
}

int
node_answers_read(const char *path, struct node_answers *ret_answers, struct nrd_err *err)
{
	NRD_FREE char *text = NULL;
	size_t len;
	int r = nrd_file_read(path, NODE_ANSWERS_MAX, &text, &len, err);

	if (r < 0)
		return nrd_wrap(err, r, "answers");
	r = node_answers_parse(text, len, ret_answers, err);
	explicit_bzero(text, len);
	return r;
}

void
node_answers_fini(struct node_answers *a)
{
	if (a == NULL)
		return;
	if (a->root_password != NULL)
		explicit_bzero(a->root_password, strlen(a->root_password));
	nrd_object_fini(&node_answers_schema, a);
}

void
node_answers_cleanup(struct node_answers *a)
{
	node_answers_fini(a);
}
