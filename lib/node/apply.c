/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "link/nic.h"
#include "node/fill.h"
#include "node/net.h"
#include "node/shadow.h"
#include "node/state.h"
#include "nrd/file.h"
#include "nrd/hash.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/uuid.h"

#define PLATFORM_DIR "/run/nereid/platform"
#define LEASE_PATH "/run/systemd/netif/state"
#define SOURCES_PATH "/etc/chrony/sources.d/nereid.sources"
#define CONFIG_INC_DIR "/usbkey/config.inc"
#define SSH_DIR "/etc/ssh"
#define SSH_SAVED_DIR "/usbkey/ssh"
#define MACHINE_ID_PATH "/etc/machine-id"
#define MACHINE_ID_SAVED "/usbkey/machine-id"
#define JOURNAL_DIR "/run/log/journal"
#define KEYS_MAX ((size_t)1 << 20)
#define LEASE_MAX ((size_t)64 << 10)

__attribute__((format(printf, 2, 3))) static void
complain(struct node_apply *a, const char *fmt, ...)
{
	va_list ap;

	if (a->problem[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(a->problem, sizeof(a->problem), fmt, ap);
	va_end(ap);
}

/* Writes a file of the RAM root unless it already reads so. */
static int
put(const char *path, const char *text, size_t len, mode_t mode, struct nrd_err *err)
{
	NRD_FREE char *before = NULL;
	size_t n = 0;
	const char *slash = strrchr(path, '/');
	char dir[256];
	int r;

	if (nrd_file_read(path, len + 1, &before, &n, NULL) >= 0 && n == len &&
	    memcmp(before, text, len) == 0)
		return 0;
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	r = nrd_mkdir_p(dir, 0755, err);
	return r < 0 ? r : nrd_file_write(path, text, len, mode, err);
}

static int
put_str(const char *path, const char *text, mode_t mode, struct nrd_err *err)
{
	return put(path, text, strlen(text), mode, err);
}

struct context {
	struct node_apply *apply;
	struct node_config *config;
	struct link_nics nics;
};

static int
apply_config_lines(struct context *c, struct nrd_err *err)
{
	const struct node_config_problem *p = node_config_problem_at(c->config, 0);

	(void)err;
	if (p != NULL)
		complain(c->apply, "line %u of " NODE_CONFIG_PATH " is ignored: %s; correct it with "
				   "nereid-setup or an editor and reboot", p->line, p->what);
	return 0;
}

/* Directories and files of the image that the pool's own trees must have, once a platform. */
static int
fill_once(const char *image, const char *dir, const char *stamp, struct nrd_err *err)
{
	static const char *const never[] = { "lock", "run", "tmp", "cache", NULL };
	static const char *const layers[] = { "nereid", "base" };
	NRD_FREE char *mark = nrd_path_join(dir, ".platform");
	char have[64] = "";
	int r;

	if (mark == NULL)
		return nrd_nomem(err);
	if (nrd_attr_read(AT_FDCWD, mark, have, sizeof(have), NULL) >= 0 && nrd_streq(have, stamp))
		return 0;
	for (size_t i = 0; i < nrd_count(layers); i++) {
		NRD_FREE char *src = nrd_format(PLATFORM_DIR "/%s%s", layers[i], image);

		if (src == NULL)
			return nrd_nomem(err);
		if (!nrd_path_exists(src))
			continue;
		r = node_fill(src, dir, never, err);
		if (r < 0)
			return r;
	}
	return put_str(mark, stamp, 0644, err);
}

static void
platform_stamp(char *dst, size_t size)
{
	NRD_FREE char *text = NULL;
	struct nrd_str rest;
	struct nrd_str line;

	dst[0] = '\0';
	if (nrd_file_read("/etc/os-release", 65536, &text, NULL, NULL) < 0)
		return;
	rest = nrd_str(text);
	while (nrd_str_split(&rest, '\n', &line))
		if (line.len > 11 && strncmp(line.data, "VERSION_ID=", 11) == 0)
			(void)snprintf(dst, size, "%.*s", (int)line.len - 11, line.data + 11);
}

static int
apply_fill(struct context *c, struct nrd_err *err)
{
	char stamp[64];
	int r;
	int links;

	(void)c;
	platform_stamp(stamp, sizeof(stamp));
	r = fill_once("/var", "/var", stamp, err);
	/* What Debian has as links into /run; not part of the image's files. */
	links = symlink("/run", "/var/run");
	links += symlink("/run/lock", "/var/lock");
	(void)links;
	(void)mkdir("/var/tmp", 01777);
	(void)chmod("/var/tmp", 01777);
	(void)mkdir("/var/cache", 0755);
	return r;
}

/* PID 1 made one up before the pool was there; the node's own is what keeps its lease and logs. */
static int
apply_machine_id(struct context *c, struct nrd_err *err)
{
	char saved[64] = "";
	char live[64] = "";
	char from[128];
	char to[128];

	(void)c;
	(void)nrd_attr_read(AT_FDCWD, MACHINE_ID_PATH, live, sizeof(live), NULL);
	(void)nrd_attr_read(AT_FDCWD, MACHINE_ID_SAVED, saved, sizeof(saved), NULL);
	if (strlen(saved) != 32) {
		struct nrd_uuid id;
		int r = 0;

		if (strlen(live) != 32) {
			r = nrd_uuid_new(&id, err);
			if (r < 0)
				return r;
			nrd_hex_format(id.b, sizeof(id.b), live);
		}
		(void)snprintf(saved, sizeof(saved), "%.32s", live);
		(void)snprintf(to, sizeof(to), "%s\n", saved);
		r = put_str(MACHINE_ID_SAVED, to, 0444, err);
		if (r < 0)
			return r;
	}
	if (nrd_streq(saved, live))
		return 0;
	(void)umount2(MACHINE_ID_PATH, MNT_DETACH);
	(void)snprintf(to, sizeof(to), "%s\n", saved);
	/* The journal in RAM goes on under the old name; journalctl looks under the new one. */
	(void)snprintf(from, sizeof(from), JOURNAL_DIR "/%s", live);
	if (strlen(live) == 32 && nrd_path_exists(from)) {
		char link[128];

		(void)snprintf(link, sizeof(link), JOURNAL_DIR "/%s", saved);
		if (symlink(live, link) < 0 && errno != EEXIST)
			return nrd_fail(err, errno, "MachineId", "link %s: %m", link);
	}
	return put_str(MACHINE_ID_PATH, to, 0444, err);
}

static const char *
value_or(const struct node_config *config, const char *key, const char *other)
{
	const char *v = config != NULL ? node_config_get_filled(config, key) : NULL;

	return v != NULL ? v : other;
}

static int
set_hostname(const char *name, const char *domain, struct nrd_err *err)
{
	NRD_FREE char *line = nrd_format("%s\n", name);
	NRD_FREE char *hosts = nrd_format(
		"127.0.0.1 localhost\n"
		"127.0.1.1 %s%s%s%s%s\n"
		"::1 localhost ip6-localhost ip6-loopback\n"
		"ff02::1 ip6-allnodes\n"
		"ff02::2 ip6-allrouters\n",
		domain != NULL ? name : "", domain != NULL ? "." : "",
		domain != NULL ? domain : "", domain != NULL ? " " : "", name);
	int r;

	if (line == NULL || hosts == NULL)
		return nrd_nomem(err);
	if (sethostname(name, strlen(name)) < 0)
		return nrd_fail(err, errno, "Hostname", "set the hostname: %m");
	r = put_str("/etc/hostname", line, 0644, err);
	return r < 0 ? r : put_str("/etc/hosts", hosts, 0644, err);
}

static int
apply_hostname(struct context *c, struct nrd_err *err)
{
	const struct link_nic *nic = NULL;
	const char *name = value_or(c->config, "hostname", c->apply->param->hostname);
	char mac[NRD_MAC_TEXT] = "nereid";

	if (c->config != NULL)
		nic = node_net_admin_nic(c->config, &c->nics);
	for (size_t i = 0; nic == NULL && i < c->nics.n; i++)
		if (c->nics.nics[i].physical && c->nics.nics[i].has_mac)
			nic = &c->nics.nics[i];
	if (name == NULL) {
		if (nic != NULL)
			nrd_mac_format(&nic->mac, mac);
		for (char *p = mac; *p != '\0'; p++)
			*p = *p == ':' ? '-' : *p;
		name = mac;
	}
	return set_hostname(name, value_or(c->config, "dns_domain", NULL), err);
}

static int
apply_shadow(struct context *c, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT(NODE_SHADOW_MAX);
	NRD_FREE char *image = NULL;
	NRD_FREE char *saved = NULL;
	const char *hash = c->apply->param->root_shadow;
	struct nrd_err why = { 0 };
	int r;

	/* The image's own file: the live one has this node's passwords in it when we come again. */
	if (nrd_file_read(PLATFORM_DIR "/base" NODE_SHADOW_PATH, NODE_SHADOW_MAX, &image, NULL,
			  NULL) < 0)
		(void)nrd_file_read(NODE_SHADOW_PATH, NODE_SHADOW_MAX, &image, NULL, NULL);
	if (c->apply->pool != NULL) {
		r = nrd_file_read(NODE_SHADOW_SAVED_PATH, NODE_SHADOW_MAX, &saved, NULL, &why);
		if (r < 0)
			complain(c->apply, "the passwords cannot be read (%s): set one with "
					   "nereid-setup", why.msg);
	}
	if (hash == NULL && !node_shadow_root_set(saved))
		hash = value_or(c->config, "root_shadow", NULL);
	r = node_shadow_merge(image, saved, hash, &out, err);
	if (r >= 0)
		r = put(NODE_SHADOW_PATH, nrd_buf_str(&out), out.len, 0640, err);
	if (r >= 0 && node_shadow_root_set(nrd_buf_str(&out)))
		c->apply->login = true;
	explicit_bzero(out.data, out.len);
	return r;
}

static int
apply_keys(struct context *c, struct nrd_err *err)
{
	const char *name = value_or(c->config, "root_authorized_keys_file", NULL);
	NRD_FREE char *path = name != NULL ? nrd_path_join(CONFIG_INC_DIR, name) : NULL;
	NRD_FREE char *text = NULL;
	size_t len;
	int r;

	if (name == NULL)
		return 0;
	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_file_read(path, KEYS_MAX, &text, &len, err);
	if (r >= 0)
		r = nrd_mkdir_p("/root/.ssh", 0700, err);
	if (r >= 0)
		r = put("/root/.ssh/authorized_keys", text, len, 0600, err);
	if (r >= 0 && len > 0)
		c->apply->login = true;
	return r;
}

static int
apply_ssh(struct context *c, struct nrd_err *err)
{
	char stamp[64];
	struct stat live;
	struct stat saved;
	int r;

	(void)c;
	if (!nrd_path_exists(SSH_SAVED_DIR))
		return nrd_fail(err, ENOENT, "SshKeys",
				SSH_SAVED_DIR " is missing: no SSH until nereid-setup makes keys");
	platform_stamp(stamp, sizeof(stamp));
	r = fill_once(SSH_DIR, SSH_SAVED_DIR, stamp, err);
	if (r < 0)
		return r;
	if (stat(SSH_DIR, &live) == 0 && stat(SSH_SAVED_DIR, &saved) == 0 &&
	    live.st_dev == saved.st_dev && live.st_ino == saved.st_ino)
		return 0;
	if (mount(SSH_SAVED_DIR, SSH_DIR, NULL, MS_BIND, NULL) < 0)
		return nrd_fail(err, errno, "SshKeys", "bind " SSH_SAVED_DIR " to " SSH_DIR ": %m");
	return 0;
}

static int
write_resolvers(const struct node_config *config, struct nrd_err *err)
{
	NRD_AUTO(nrd_buf) resolv = NRD_BUF_INIT(LEASE_MAX);
	NRD_AUTO(nrd_buf) ntp = NRD_BUF_INIT(LEASE_MAX);
	NRD_FREE char *lease = NULL;
	int r;

	(void)nrd_file_read(LEASE_PATH, LEASE_MAX, &lease, NULL, NULL);
	r = node_net_resolv(config, lease, &resolv, err);
	if (r >= 0)
		r = put("/etc/resolv.conf", nrd_buf_str(&resolv), resolv.len, 0644, err);
	if (r >= 0)
		r = node_net_ntp(config, lease, &ntp, err);
	return r < 0 ? r : put(SOURCES_PATH, nrd_buf_str(&ntp), ntp.len, 0644, err);
}

static int
apply_resolvers(struct context *c, struct nrd_err *err)
{
	return write_resolvers(c->config, err);
}

static int
apply_network(struct context *c, struct nrd_err *err)
{
	NRD_AUTO(node_net) net = { 0 };
	NRD_FREE char *problem = NULL;
	int r = node_net_make(c->config, &c->nics, &net, &problem, err);

	if (r < 0)
		return r;
	/* A NIC that is merely late is no problem yet: the caller waits for it. */
	if (problem != NULL && !node_net_nic_missing(c->config, &c->nics))
		complain(c->apply, "%s", problem);
	return node_net_write(&net, NULL, err);
}

/* POOL/currbooted and lastbooted say which platform used the pool; /cores leads to the dumps. */
static int
apply_pool_files(struct context *c, struct nrd_err *err)
{
	struct utsname u;
	char now[256];
	char last[256];
	char cores[256];
	char text[300];
	NRD_FREE char *before = NULL;

	(void)snprintf(now, sizeof(now), "/%.200s/currbooted", c->apply->pool);
	(void)snprintf(last, sizeof(last), "/%.200s/lastbooted", c->apply->pool);
	(void)snprintf(cores, sizeof(cores), "/%.200s/global/cores", c->apply->pool);
	if (symlink(cores, "/cores") < 0 && errno != EEXIST)
		return nrd_fail(err, errno, "Cores", "link /cores: %m");
	if (uname(&u) < 0)
		return nrd_fail(err, errno, "Uname", "uname: %m");
	(void)snprintf(text, sizeof(text), "%s %s\n", u.release, u.version);
	if (nrd_file_read(now, 4096, &before, NULL, NULL) >= 0 && nrd_streq(before, text))
		return 0;
	if (before != NULL && rename(now, last) < 0)
		return nrd_fail(err, errno, "FileWrite", "rename %s: %m", now);
	return put_str(now, text, 0644, err);
}

/* In this order; what a later one needs is not undone by an earlier one's failure. */
static const struct {
	const char *name;
	int (*fn)(struct context *c, struct nrd_err *err);
	const char *todo;
} parts[] = {
	{ "config", apply_config_lines, "" },
	{ "machine-id", apply_machine_id, "see zpool status" },
	{ "hostname", apply_hostname, "set it with nereid-setup" },
	{ "passwords", apply_shadow, "set one with nereid-setup" },
	{ "SSH keys of root", apply_keys, "give them again with nereid-setup" },
	{ "SSH", apply_ssh, "run nereid-setup" },
	{ "resolvers", apply_resolvers, "correct them with nereid-setup" },
	{ "network", apply_network, "correct it with nereid-setup" },
	{ "/var", apply_fill, "see zpool status and free space" },
	{ "pool files", apply_pool_files, "see zpool status" },
};

int
node_apply_config(struct node_apply *a, struct nrd_err *err)
{
	NRD_AUTO(node_config) *config = NULL;
	NRD_AUTO(link_nics) nics = { 0 };
	struct nrd_err why = { 0 };
	struct context c = { .apply = a };
	int r = node_config_read(NULL, &config, &why);

	if (r < 0) {
		complain(a, "the configuration cannot be read (%s): make it anew with nereid-setup",
			 why.msg);
		r = node_config_new(&config, err);
		if (r < 0)
			return r;
	}
	if (link_nics_read(NULL, 0, &nics, &why) < 0)
		complain(a, "the NICs cannot be listed: %s", why.msg);
	c.config = config;
	c.nics = nics;
	for (size_t i = 0; i < nrd_count(parts); i++) {
		why = (struct nrd_err){ 0 };
		r = parts[i].fn(&c, &why);
		if (r == -ENOMEM)
			return nrd_nomem(err);
		if (r < 0)
			complain(a, "%s: %s; %s", parts[i].name, why.msg, parts[i].todo);
	}
	return 0;
}

int
node_apply_bare(struct node_apply *a, struct nrd_err *err)
{
	NRD_AUTO(link_nics) nics = { 0 };
	struct context c = { .apply = a };
	int r;

	(void)link_nics_read(NULL, 0, &nics, NULL);
	c.nics = nics;
	a->pool = NULL;
	r = apply_hostname(&c, err);
	return r < 0 ? r : apply_shadow(&c, err);
}

int
node_apply_lease(struct nrd_err *err)
{
	NRD_AUTO(node_config) *config = NULL;
	int r = node_config_read(NULL, &config, err);

	return r < 0 ? r : write_resolvers(config, err);
}
