/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "nrd/mem.h"
#include "nrd/str.h"
#include "zone/config-guest.h"
#include "zone/config.h"

static int
bad(const struct zone_config *c, struct nrd_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int
bad(const struct zone_config *c, struct nrd_err *err, const char *fmt, ...)
{
	NRD_AUTO(nrd_buf) why = NRD_BUF_INIT(400);
	va_list ap;

	va_start(ap, fmt);
	(void)nrd_buf_vprintf(&why, fmt, ap);
	va_end(ap);
	return nrd_fail(err, EINVAL, "BadConfig", "zone '%s': %s", c->zonename, nrd_buf_str(&why));
}

/* True when path is dir or below it. */
static bool
is_below(const char *path, const char *dir)
{
	const char *rest = nrd_starts(path, dir);

	return rest != NULL && (rest[0] == '\0' || rest[0] == '/');
}

static int
verify_identity(const struct zone_config *c, struct nrd_err *err)
{
	static const char *const system_dirs[] = { "/bin",  "/boot", "/dev", "/etc", "/lib",
						   "/proc", "/root", "/run", "/sbin", "/sys",
						   "/usr",  NULL };

	if (c->zonename == NULL)
		return nrd_fail(err, EINVAL, "BadConfig", "a zone without a name");
	if (c->zonepath == NULL)
		return bad(c, err, "zonepath is not set");
	if (strcmp(c->zonepath, "/") == 0)
		return bad(c, err, "zonepath is the root of the node");
	for (size_t i = 0; system_dirs[i] != NULL; i++) {
		if (is_below(c->zonepath, system_dirs[i]))
			return bad(c, err, "zonepath %s is in a directory of the node's own",
				   c->zonepath);
	}
	if (c->id_base != 0 && c->id_base + c->id_count > UINT32_MAX)
		return bad(c, err, "its ids %" PRIu64 " and up are more than there are",
			   c->id_base);
	if (c->id_count == 0)
		return bad(c, err, "it has no ids (id_count is 0)");
	return 0;
}

static int
verify_controls(const struct zone_config *c, struct nrd_err *err)
{
	uint64_t ram = c->max_physical_memory;

	if (ram != 0 && c->max_swap != 0 && c->max_swap < ram)
		return bad(c, err,
			   "swap (%" PRIu64 " MiB) counts physical memory too and must not be "
			   "below it (%" PRIu64 " MiB)",
			   c->max_swap, ram);
	if (ram != 0 && c->max_locked_memory > ram)
		return bad(c, err,
			   "locked memory (%" PRIu64 " MiB) is above physical memory (%" PRIu64
			   " MiB)",
			   c->max_locked_memory, ram);
	if (ram != 0 && c->tmpfs > ram)
		return bad(c, err,
			   "tmpfs (%" PRIu64 " MiB) is above physical memory (%" PRIu64 " MiB)",
			   c->tmpfs, ram);
	if (c->max_lwps != 0 && c->max_processes > c->max_lwps)
		return bad(c, err,
			   "max-processes (%" PRIu64 ") is above max-lwps (%" PRIu64
			   "): each process has a thread",
			   c->max_processes, c->max_lwps);
	if (c->dedicated_cpu != NULL && c->cpu_cap != 0)
		return bad(c, err, "dedicated-cpu and capped-cpu exclude each other");
	return 0;
}

static int
verify_fs(const struct zone_config *c, const struct zone_fs *fs, struct nrd_err *err)
{
	static const char *const own[] = { "/proc", "/sys", "/dev", NULL };
	bool tmpfs = strcmp(fs->type, "tmpfs") == 0;

	if (strcmp(fs->target, "/") == 0)
		return bad(c, err, "fs %s: the root is the zone's own", fs->target);
	for (size_t i = 0; own[i] != NULL; i++) {
		if (is_below(fs->target, own[i]))
			return bad(c, err, "fs %s: %s is made by the system", fs->target, own[i]);
	}
	if (!tmpfs && (fs->source == NULL || fs->source[0] == '\0'))
		return bad(c, err, "fs %s: special is not set", fs->target);
	if (strcmp(fs->type, "lofs") == 0 && fs->source[0] != '/')
		return bad(c, err, "fs %s: special \"%s\" is not an absolute path", fs->target,
			   fs->source);
	for (size_t i = 0; i < c->n_filesystems && &c->filesystems[i] != fs; i++) {
		if (strcmp(c->filesystems[i].target, fs->target) == 0)
			return bad(c, err, "fs %s: there are two of them", fs->target);
	}
	return 0;
}

static int
verify_nic(const struct zone_config *c, const struct zone_nic *nic, struct nrd_err *err)
{
	if (nic->interface == NULL)
		return bad(c, err, "net: physical is not set");
	if (nrd_mac_is_group(&nic->mac))
		return bad(c, err, "net %s: its MAC address is a group address", nic->interface);
	for (size_t i = 0; i < c->n_nics && &c->nics[i] != nic; i++) {
		const struct zone_nic *other = &c->nics[i];

		if (nrd_streq(other->interface, nic->interface))
			return bad(c, err, "net %s: there are two of them", nic->interface);
		if (!nrd_mac_is_zero(&nic->mac) && nrd_mac_equal(&other->mac, &nic->mac))
			return bad(c, err, "net %s: has the MAC address of net %s",
				   nic->interface, other->interface);
		if (nic->primary && other->primary)
			return bad(c, err, "net %s: net %s is primary already", nic->interface,
				   other->interface);
	}
	return 0;
}

static int
verify_datasets(const struct zone_config *c, struct nrd_err *err)
{
	for (char **name = c->datasets; name != NULL && *name != NULL; name++) {
		if (strchr(*name, '/') == NULL)
			return bad(c, err, "dataset %s: a pool cannot be delegated", *name);
		if (c->zfs_filesystem != NULL && is_below(c->zfs_filesystem, *name))
			return bad(c, err, "dataset %s: holds the zone's own root", *name);
		for (char **other = c->datasets; other != name; other++) {
			if (is_below(*name, *other) || is_below(*other, *name))
				return bad(c, err, "dataset %s: is delegated by dataset %s already",
					   *name, *other);
		}
	}
	return 0;
}

int
zone_config_verify(const struct zone_config *c, struct nrd_err *err)
{
	int r = verify_identity(c, err);

	if (r >= 0)
		r = verify_controls(c, err);
	for (size_t i = 0; r >= 0 && i < c->n_filesystems; i++)
		r = verify_fs(c, &c->filesystems[i], err);
	for (size_t i = 0; r >= 0 && i < c->n_nics; i++)
		r = verify_nic(c, &c->nics[i], err);
	for (size_t i = 0; r >= 0 && i < c->n_attrs; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(c->attrs[i].name, c->attrs[j].name) == 0)
				return bad(c, err, "attr %s: there are two of them",
					   c->attrs[i].name);
		}
	}
	if (r >= 0)
		r = zone_guest_verify(c, err);
	return r < 0 ? r : verify_datasets(c, err);
}

/* 100 is what everybody has. */
const char *
zone_config_idle(const struct zone_config *c)
{
	if (c->zfs_io_priority == 0 || c->zfs_io_priority == 100)
		return NULL;
	return "zfs-io-priority is kept and has no effect: ZFS does not tell whose reads and writes it "
	       "does";
}

/* One dataset is managed by one zone, and no zone is given another one's root. */
static int
clash_datasets(const struct zone_config *c, const struct zone_config *other, struct nrd_err *err)
{
	const char *mine = c->zfs_filesystem;

	for (char **o = other->datasets; o != NULL && *o != NULL; o++)
		if (mine != NULL && mine[0] != '\0' && (is_below(mine, *o) || is_below(*o, mine)))
			return bad(c, err, "its dataset %s is delegated to zone '%s' (%s)", mine,
				   other->zonename, *o);
	for (char **name = c->datasets; name != NULL && *name != NULL; name++) {
		const char *root = other->zfs_filesystem;

		if (root != NULL && root[0] != '\0' && (is_below(*name, root) || is_below(root, *name)))
			return bad(c, err, "dataset %s: is that of zone '%s' (%s)", *name,
				   other->zonename, root);
		for (char **o = other->datasets; o != NULL && *o != NULL; o++)
			if (is_below(*name, *o) || is_below(*o, *name))
				return bad(c, err, "dataset %s: is delegated to zone '%s' (%s)",
					   *name, other->zonename, *o);
	}
	return 0;
}

int
zone_config_clash(const char *dir, const struct zone_config *c, struct nrd_err *err)
{
	NRD_STRV char **names = NULL;
	int r = zone_config_list(dir, &names, err);

	for (size_t i = 0; r >= 0 && names != NULL && names[i] != NULL; i++) {
		NRD_AUTO(zone_config) other = { 0 };

		if (strcmp(names[i], c->zonename) == 0 ||
		    zone_config_read(dir, names[i], &other, NULL) < 0)
			continue;
		if (is_below(c->zonepath, other.zonepath) || is_below(other.zonepath, c->zonepath))
			return bad(c, err, "zonepath %s is that of zone '%s' (%s)", c->zonepath,
				   names[i], other.zonepath);
		if (c->zfs_filesystem != NULL && c->zfs_filesystem[0] != '\0' &&
		    other.zfs_filesystem[0] != '\0' &&
		    (is_below(c->zfs_filesystem, other.zfs_filesystem) ||
		     is_below(other.zfs_filesystem, c->zfs_filesystem)))
			return bad(c, err, "dataset %s is that of zone '%s' (%s)",
				   c->zfs_filesystem, names[i], other.zfs_filesystem);
		if (nrd_uuid_equal(&c->uuid, &other.uuid) && !nrd_uuid_is_nil(&c->uuid))
			return bad(c, err, "its uuid is that of zone '%s'", names[i]);
		r = clash_datasets(c, &other, err);
	}
	return r;
}
