/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "link/datalink.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/switch.h"
#include "nrd/file.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "nrd/vec.h"

#define SUFFIX    ".json"
#define FILE_MAX_ ((size_t)64 << 10)
#define LIST_MAX  128

const char *const datalink_class_names[] = {
#define X(id, name) [id] = (name),
	DATALINK_CLASSES(X)
#undef X
	NULL,
};

const char *const datalink_mac_type_names[] = {
	[DATALINK_MAC_RANDOM] = "random",
	[DATALINK_MAC_FIXED] = "fixed",
	[DATALINK_MAC_VRRP] = "vrrp",
	NULL,
};

const char *const datalink_priority_names[] = { "high", "medium", "low", NULL };

const char *const datalink_lacp_names[] = {
	[DATALINK_LACP_OFF] = "off",
	[DATALINK_LACP_ACTIVE] = "active",
	[DATALINK_LACP_PASSIVE] = "passive",
	NULL,
};

const char *const datalink_timer_names[] = {
	[DATALINK_TIMER_SHORT] = "short",
	[DATALINK_TIMER_LONG] = "long",
	NULL,
};

#define T struct datalink

static const struct nrd_field fields[] = {
	NRD_FIELD_STR(T, name, NRD_REQUIRED, NULL),
	NRD_FIELD_STR(T, zone, NRD_REQUIRED, NULL),
	NRD_FIELD_ENUM(T, class_, NRD_REQUIRED, datalink_class_names, .json = "class"),
	NRD_FIELD_STR(T, over, NRD_OPTIONAL, NULL),
	NRD_FIELD_MAC(T, mac, NRD_OPTIONAL),
	NRD_FIELD_ENUM(T, mac_type, NRD_OPTIONAL, datalink_mac_type_names),
	NRD_FIELD_U64(T, vid, NRD_OPTIONAL, 0, 4094),
	NRD_FIELD_U64(T, mtu, NRD_OPTIONAL, 0, 65535),
	NRD_FIELD_U64(T, ifindex, NRD_OPTIONAL, 0, INT32_MAX),
	NRD_FIELD_STR(T, ifname, NRD_OPTIONAL, NULL),
	NRD_FIELD_BOOL(T, netkit, NRD_OPTIONAL),
	NRD_FIELD_BOOL(T, tap, NRD_OPTIONAL),
	NRD_FIELD_U64(T, since, NRD_OPTIONAL, 0, INT64_MAX),
	NRD_FIELD_U64(T, maxbw, NRD_OPTIONAL, 0, UINT64_MAX),
	NRD_FIELD_ENUM(T, priority, NRD_OPTIONAL, datalink_priority_names),
	NRD_FIELD_STRV(T, protection, NRD_OPTIONAL, 4, NULL),
	NRD_FIELD_STRV(T, allowed_ips, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_STRV(T, allowed_dhcp_cids, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_STRV(T, dynamic_methods, NRD_OPTIONAL, 4, NULL),
	NRD_FIELD_STRV(T, secondary_macs, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_BOOL(T, allow_ra, NRD_OPTIONAL),
	NRD_FIELD_STRV(T, ports, NRD_OPTIONAL, DATALINK_PORTS_MAX, NULL),
	NRD_FIELD_STR(T, policy, NRD_OPTIONAL, NULL),
	NRD_FIELD_ENUM(T, lacp, NRD_OPTIONAL, datalink_lacp_names),
	NRD_FIELD_ENUM(T, timer, NRD_OPTIONAL, datalink_timer_names),
	NRD_FIELD_BOOL(T, force, NRD_OPTIONAL),
	NRD_FIELD_STR(T, encap, NRD_OPTIONAL, NULL),
	NRD_FIELD_STR(T, search, NRD_OPTIONAL, NULL),
	NRD_FIELD_U64(T, vnetid, NRD_OPTIONAL, 0, 16777215),
	NRD_FIELD_MAP(T, overlay_props, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_STRV(T, addresses, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_STRV(T, gateways, NRD_OPTIONAL, LIST_MAX, NULL),
	NRD_FIELD_STR(T, dhcp_address, NRD_OPTIONAL, NULL),
	NRD_FIELD_STR(T, dhcp_server, NRD_OPTIONAL, NULL),
	NRD_FIELD_STRV(T, dhcp_resolvers, NRD_OPTIONAL, SWITCH_DHCP_RESOLVERS_MAX, NULL),
	NRD_FIELD_STR(T, dhcp_hostname, NRD_OPTIONAL, NULL),
	NRD_FIELD_STR(T, dhcp_domain, NRD_OPTIONAL, NULL),
	NRD_FIELD_U64(T, dhcp_lease, NRD_OPTIONAL, 0, UINT32_MAX),
};

const struct nrd_schema datalink_schema = NRD_SCHEMA(T, present, fields, NULL);

void
datalink_fini(struct datalink *d)
{
	nrd_object_fini(&datalink_schema, d);
}

void
datalink_cleanup(struct datalink *d)
{
	datalink_fini(d);
}

int
datalink_name_check(const char *name, struct nrd_err *err)
{
	size_t len = strlen(name), digits = 0;

	while (digits < len && isdigit((unsigned char)name[len - 1 - digits]))
		digits++;
	if (len >= DATALINK_NAME_MAX || !isalpha((unsigned char)name[0]))
		return nrd_fail(err, EINVAL, "LinkName", "invalid link name '%.40s': it begins with a letter and has at most %d "
				"characters", name, DATALINK_NAME_MAX - 1);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			return nrd_fail(err, EINVAL, "LinkName", "invalid link name '%s': it consists of letters, digits, '_' and '.'",
					name);
	if (digits == 0 || (digits > 1 && name[len - digits] == '0'))
		return nrd_fail(err, EINVAL, "LinkName", "invalid link name '%s': it ends with a number that has no leading zero",
				name);
	return 0;
}

static char *
path_of(const char *dir, const char *zone, const char *name)
{
	return nrd_format("%s/%s/%s" SUFFIX, dir, zone != NULL ? zone : DATALINK_GLOBAL, name);
}

static int
read_some(const char *dir, const char *zone, const char *name, const char *const *only, struct datalink *ret_d, struct nrd_err *err)
{
	unsigned flags = NRD_DECODE_UNKNOWN | (only != NULL ? NRD_DECODE_PARTIAL : 0);
	const struct nrd_json_limits limits = { .max = FILE_MAX_, .regular = true };
	NRD_AUTO(nrd_json) *doc = NULL;
	NRD_FREE char *path = path_of(dir, zone, name);
	struct nrd_err why = { 0 };
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_json_read_file(path, &limits, &doc, &why);
	if (r == -ENOENT)
		return nrd_fail(err, ENOENT, "LinkNotFound", "link '%s': object not found", name);
	if (r == 0)
		r = nrd_decode_some(&datalink_schema, nrd_json_root(doc), flags, only, ret_d, &why);
	return r < 0 ? nrd_fail(err, -r, "BadLinkFile", "link '%s': %s: %s", name, path, why.msg) : 0;
}

int
datalink_read(const char *dir, const char *zone, const char *name, struct datalink *ret_d, struct nrd_err *err)
{
	return read_some(dir, zone, name, NULL, ret_d, err);
}

int
datalink_write(const char *dir, const struct datalink *d, struct nrd_err *err)
{
	NRD_FREE char *parent = nrd_format("%s/%s", dir, d->zone);
	NRD_FREE char *path = path_of(dir, d->zone, d->name);
	NRD_AUTO(nrd_buf) text = { 0 };
	struct nrd_jw w;
	int r;

	if (parent == NULL || path == NULL)
		return nrd_nomem(err);
	r = nrd_mkdir_p(parent, 0755, err);
	if (r < 0)
		return r;
	nrd_jw_init(&w, &text, NRD_JW_PRETTY);
	nrd_encode(&datalink_schema, d, &w);
	r = nrd_jw_finish(&w, err);
	return r < 0 ? r : nrd_file_write(path, nrd_buf_str(&text), text.len, 0644, err);
}

int
datalink_remove(const char *dir, const char *zone, const char *name, struct nrd_err *err)
{
	NRD_FREE char *path = path_of(dir, zone, name);

	if (path == NULL)
		return nrd_nomem(err);
	if (unlink(path) < 0 && errno != ENOENT)
		return nrd_fail(err, errno, "LinkRemove", "remove %s: %m", path);
	/* Of a zone's last one the directory as well: it is no news that there are others. */
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	return 0;
}

/* ---- all ---- */

void
datalinks_fini(struct datalinks *links)
{
	for (size_t i = 0; i < links->n; i++)
		datalink_fini(&links->links[i]);
	free(links->links);
	*links = (struct datalinks){ 0 };
}

void
datalinks_cleanup(struct datalinks *links)
{
	datalinks_fini(links);
}

const struct datalink *
datalinks_find(const struct datalinks *links, const char *zone, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (nrd_streq(links->links[i].name, name) &&
		    nrd_streq(links->links[i].zone, zone != NULL ? zone : DATALINK_GLOBAL))
			return &links->links[i];
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
datalink_names_in(const char *path, const char *suffix, char ***ret_names, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	DIR *dir = opendir(path);
	struct dirent *e;
	int r = 0;

	if (dir == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : nrd_fail(err, errno, "LinkList", "read %s: %m", path);
	while (r == 0 && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name), cut = strlen(suffix);

		if (e->d_name[0] == '.' || len <= cut || strcmp(e->d_name + len - cut, suffix) != 0)
			continue;
		r = nrd_strv_addf(&names, "%.*s", (int)(len - cut), e->d_name);
	}
	(void)closedir(dir);
	if (r < 0)
		return nrd_nomem(err);
	if (names != NULL)
		qsort(names, nrd_strv_len(NRD_CSTRV(names)), sizeof(*names), by_name);
	*ret_names = NRD_TAKE(names);
	return 0;
}

static int
read_zone(const char *dir, const char *zone, const char *const *only, struct datalinks *links, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_format("%s/%s", dir, zone);
	NRD_STRV char **names = NULL;
	struct datalink *grown;
	int r = path != NULL ? datalink_names_in(path, SUFFIX, &names, err) : nrd_nomem(err);
	size_t n = nrd_strv_len(NRD_CSTRV(names));

	if (r < 0 || n == 0)
		return r;
	grown = realloc(links->links, (links->n + n) * sizeof(*grown));
	if (grown == NULL)
		return nrd_nomem(err);
	links->links = grown;
	for (size_t i = 0; r == 0 && i < n; i++) {
		links->links[links->n] = (struct datalink){ 0 };
		r = read_some(dir, zone, names[i], only, &links->links[links->n], err);
		if (r == 0)
			links->n++;
		else if (r == -ENOENT) /* deleted while we looked */
			r = 0;
	}
	return r;
}

int
datalinks_read(const char *dir, const char *zone, struct datalinks *ret_links, struct nrd_err *err)
{
	return datalinks_read_some(dir, zone, NULL, ret_links, err);
}

int
datalinks_read_some(const char *dir, const char *zone, const char *const *only, struct datalinks *ret_links, struct nrd_err *err)
{
	NRD_AUTO(datalinks) links = { 0 };
	NRD_STRV char **zones = NULL;
	int r;

	if (zone != NULL)
		r = read_zone(dir, zone, only, &links, err);
	else
		r = datalink_names_in(dir, "", &zones, err);
	for (size_t i = 0; r == 0 && zones != NULL && zones[i] != NULL; i++)
		r = read_zone(dir, zones[i], only, &links, err);
	if (r < 0)
		return r;
	*ret_links = links;
	links = (struct datalinks){ 0 };
	return 0;
}
