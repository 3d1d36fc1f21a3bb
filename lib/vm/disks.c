/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "vm/disks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "image/installed.h"
#include "nrd/json.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "store/dataset.h"
#include "store/pool.h"
#include "zone/config-guest.h"

#define DISK_SCHEMA   (nrd_schema_find(&zone_config_schema, "disks")->schema)
#define DATASOURCE_TAG "org.smartos:cloudinit_datasource"
#define DEFAULT_MODEL "virtio"
#define DEFAULT_BLOCK 8192 /* as SmartOS has it: most guests write 4 KiB */

/* ---- completed ---- */

static int
number_it(const struct zone_config *c, const struct zone_config *old, struct zone_disk *d, struct nrd_err *err)
{
	for (unsigned n = 0;; n++) {
		NRD_FREE char *volume = nrd_format("%s/disk%u", c->zfs_filesystem, n);
		NRD_FREE char *path = volume != NULL ? store_volume_path(volume) : NULL;

		if (path == NULL)
			return nrd_nomem(err);
		/* One that goes in the same update is another one. */
		if (zone_disk_find(c, path) != NULL || zone_disk_find(old, path) != NULL)
			continue;
		d->zfs_filesystem = NRD_TAKE(volume);
		d->path = NRD_TAKE(path);
		NRD_SET(DISK_SCHEMA, d, zfs_filesystem);
		NRD_SET(DISK_SCHEMA, d, path);
		return 0;
	}
}

static int
fill_models(struct zone_config *c, struct zone_disk *d)
{
	const char *model = c->disk_driver;

	for (size_t i = 0; model == NULL && i < c->n_disks; i++)
		model = c->disks[i].model;
	if (d->model == NULL && nrd_str_set(&d->model, model != NULL ? model : DEFAULT_MODEL) < 0)
		return -ENOMEM;
	NRD_SET(DISK_SCHEMA, d, model);
	NRD_SET(DISK_SCHEMA, d, media);
	return d->media != NULL ? 0 : nrd_str_set(&d->media, "disk");
}

static int
read_image(const struct zone_config *c, const char *uuid, struct image *image, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = store_open(&store, err);

	return r == 0 ? image_read_in(store, c->zpool, uuid, image, err) : r;
}

/* *ret_said: NULL when it says nothing of it, or is not there, which is said elsewhere; the caller frees. */
static int
image_datasource(const struct zone_config *c, const char *uuid, char **ret_said, struct nrd_err *err)
{
	NRD_AUTO(nrd_json) *tags = NULL;
	struct image image = { 0 };
	const char *said = NULL;
	int r = 0;

	if (read_image(c, uuid, &image, NULL) == 0 && image.known && image.manifest.tags != NULL &&
	    nrd_json_parse(image.manifest.tags, strlen(image.manifest.tags), NULL, &tags, NULL) == 0)
		said = nrd_get_str(nrd_json_root(tags), DATASOURCE_TAG);
	if (said != NULL && nrd_str_set(ret_said, said) < 0)
		r = nrd_nomem(err);
	image_fini(&image);
	return r;
}

static int
fill_from_image(const struct zone_config *c, struct zone_disk *d, size_t i, struct nrd_err *err)
{
	struct image image = { 0 };
	uint64_t size = 0;
	int r = read_image(c, d->image_uuid, &image, err);

	if (r == -ENOENT)
		return nrd_fail(err, ENOENT, "ImageNotInstalled", "disks[%zu].image_uuid: image %s is not installed: imgadm import %s",
				i, d->image_uuid, d->image_uuid);
	if (r == 0 && (!image.known || image.manifest.type != IMAGE_TYPE_ZVOL))
		r = nrd_fail(err, EINVAL, "BadImage", "disks[%zu].image_uuid: image %s is of type %s; a disk is made of type zvol", i,
			     d->image_uuid, image.known ? image_type_names[image.manifest.type] : "unknown");
	size = image.manifest.image_size;
	image_fini(&image);
	if (r < 0)
		return r;
	if (d->image_size != 0 && d->image_size != size)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].image_size: image %s has %" PRIu64 " MiB, not %" PRIu64, i,
				d->image_uuid, size, d->image_size);
	if (d->size != 0 && d->size < size)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].size: %" PRIu64 " MiB are less than image %s has, %" PRIu64, i,
				d->size, d->image_uuid, size);
	d->image_size = size;
	NRD_SET(DISK_SCHEMA, d, image_size);
	if (d->size == 0)
		d->size = size;
	NRD_SET(DISK_SCHEMA, d, size);
	return 0;
}

static int
fill_cdrom(const struct zone_disk *d, size_t i, struct nrd_err *err)
{
	struct stat st;

	if (d->path == NULL)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].path: a cdrom is a file: say which", i);
	if (d->image_uuid != NULL || d->size != 0)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu]: a cdrom has no size and no image_uuid", i);
	if (stat(d->path, &st) < 0)
		return nrd_fail(err, errno, "BadDisk", "disks[%zu].path: %s: %m", i, d->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].path: %s is no file", i, d->path);
	return 0;
}

static int
fill_volume(struct zone_config *c, const struct zone_config *old, struct zone_disk *d, size_t i, struct nrd_err *err)
{
	int r = 0;

	if (d->path != NULL)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].path: only a cdrom says its path; a disk's is made up", i);
	if (d->image_uuid == NULL && d->size == 0)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu]: it needs a size (MiB) or an image_uuid", i);
	if (d->image_uuid != NULL && d->block_size != 0)
		return nrd_fail(err, EINVAL, "BadDisk", "disks[%zu].block_size: it is that of image %s", i, d->image_uuid);
	if (d->image_uuid != NULL)
		r = fill_from_image(c, d, i, err);
	if (r < 0)
		return r;
	if (d->image_uuid == NULL && d->block_size == 0) {
		d->block_size = DEFAULT_BLOCK;
		NRD_SET(DISK_SCHEMA, d, block_size);
	}
	if (!NRD_HAS(DISK_SCHEMA, d, refreservation)) {
		d->refreservation = d->size;
		NRD_SET(DISK_SCHEMA, d, refreservation);
	}
	return number_it(c, old, d, err);
}

/* ---- media ---- */

static bool
is_new_cdrom(const struct zone_disk *d, const struct zone_config *old)
{
	return nrd_streq(d->media, "cdrom") && zone_disk_find(old, d->path) == NULL;
}

/* A cdrom that comes where another goes is another medium in the drive of that one: it takes its place, *at. */
static int
change_medium(struct zone_config *c, const struct zone_config *old, const struct zone_disk *gone, size_t *at)
{
	size_t from = *at;
	struct zone_disk d;

	while (from < c->n_disks && !(is_new_cdrom(&c->disks[from], old) &&
				      (c->disks[from].model == NULL || nrd_streq(c->disks[from].model, gone->model))))
		from++;
	if (from >= c->n_disks)
		return 0;
	d = c->disks[from];
	memmove(&c->disks[*at + 1], &c->disks[*at], (from - *at) * sizeof(d));
	c->disks[*at] = d;
	(*at)++;
	return d.model != NULL ? 0 : nrd_str_set(&c->disks[*at - 1].model, gone->model);
}

/* Those that stay are in the order of before, and the new ones behind them. */
static int
change_media(struct zone_config *c, const struct zone_config *old)
{
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && old != NULL && i < old->n_disks; i++)
		if (zone_disk_find(c, old->disks[i].path) != NULL)
			at++;
		else if (nrd_streq(old->disks[i].media, "cdrom"))
			r = change_medium(c, old, &old->disks[i], &at);
	return r;
}

/* What the image says that it boots from, as SmartOS's images do; any other cloud's image looks for a seed. */
static int
fill_datasource(struct zone_config *c, struct nrd_err *err)
{
	NRD_FREE char *said = NULL;
	int r = 0;

	if (!zone_is_guest(c) || c->cloudinit_datasource != NULL)
		return 0;
	for (size_t i = 0; r == 0 && said == NULL && i < c->n_disks; i++)
		if (c->disks[i].image_uuid != NULL)
			r = image_datasource(c, c->disks[i].image_uuid, &said, err);
	if (r == 0 && nrd_str_set(&c->cloudinit_datasource, nrd_streq(said, "smartos") ? said : "nocloud") < 0)
		r = nrd_nomem(err);
	NRD_SET(&zone_config_schema, c, cloudinit_datasource);
	return r;
}

int
vm_disks_fill(struct zone_config *c, const struct zone_config *old, struct nrd_err *err)
{
	int r = old == NULL ? fill_datasource(c, err) : 0;

	if (r == 0 && zone_is_guest(c) && change_media(c, old) < 0)
		r = nrd_nomem(err);

	for (size_t i = 0; r == 0 && zone_is_guest(c) && i < c->n_disks; i++) {
		struct zone_disk *d = &c->disks[i];

		if (zone_disk_find(old, d->path) != NULL)
			continue;
		if (fill_models(c, d) < 0)
			return nrd_nomem(err);
		r = zone_disk_is_volume(d) ? fill_volume(c, old, d, i, err) : fill_cdrom(d, i, err);
	}
	return r;
}

/* ---- changed ---- */

/* What they hold that the disks do not hold any more. */
static int
snapshots_take(const struct zone_config *c, uint64_t *ret_bytes, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	uint64_t all = 0;
	int r = store_open(&store, err);

	for (size_t i = 0; r == 0 && i < c->n_disks; i++) {
		char text[32] = "";
		uint64_t bytes = 0;

		if (!zone_disk_is_volume(&c->disks[i]))
			continue;
		r = store_dataset_get(store, c->disks[i].zfs_filesystem, "usedbysnapshots", text, sizeof(text), err);
		if (r == 0)
			r = nrd_parse_u64(text, 0, UINT64_MAX, &bytes, err);
		all += bytes;
	}
	if (r == 0)
		*ret_bytes = all;
	return r;
}

int
vm_disks_free_space(const struct zone_config *c, uint64_t *ret_mib, struct nrd_err *err)
{
	uint64_t taken = 0, room = (c->flexible_disk_size - zone_disks_size(c)) << 20;
	int r = snapshots_take(c, &taken, err);

	if (r == 0)
		*ret_mib = taken < room ? (room - taken) >> 20 : 0;
	return r;
}

/* Where there is a limit that was not there, or was above. */
static int
check_room(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	uint64_t bytes = 0, mib;
	int r;

	if (c->flexible_disk_size == 0 || (old->flexible_disk_size != 0 && old->flexible_disk_size <= c->flexible_disk_size))
		return 0;
	r = snapshots_take(old, &bytes, err);
	mib = zone_disks_size(c) + ((bytes + ((uint64_t)1 << 20) - 1) >> 20);
	if (r == 0 && mib > c->flexible_disk_size)
		r = nrd_fail(err, EINVAL, "BadDisk", "flexible_disk_size: its disks and their snapshots take %" PRIu64 " MiB", mib);
	return r;
}

static int
check_kept(const struct zone_disk *old, const struct zone_disk *d, bool running, struct nrd_err *err)
{
	const char *what = d->block_size != old->block_size		       ? "block_size" :
			   !nrd_streq(d->image_uuid, old->image_uuid)	       ? "image_uuid" :
			   !nrd_streq(d->media, old->media)		       ? "media" :
			   !nrd_streq(d->zfs_filesystem, old->zfs_filesystem) ? "zfs_filesystem" :
										 NULL;

	if (what != NULL)
		return nrd_fail(err, EINVAL, "BadDisk", "disk %s: its %s is that it was made with", d->path, what);
	if (d->size < old->size)
		return nrd_fail(err, EINVAL, "BadDisk", "disk %s: %" PRIu64 " MiB are smaller than it is, %" PRIu64 " MiB: what is behind "
				"them would be lost", d->path, d->size, old->size);
	if (running && (!nrd_streq(d->model, old->model) || d->boot != old->boot))
		return nrd_fail(err, EINVAL, "VmWrongState", "disk %s: the machine must be stopped for that", d->path);
	return 0;
}

/* Whether the disks of one are the other's as well. */
static bool
are_all_in(const struct zone_config *a, const struct zone_config *b)
{
	for (size_t i = 0; i < a->n_disks; i++)
		if (zone_disk_find(b, a->disks[i].path) == NULL)
			return false;
	return true;
}

bool
vm_disks_same(const struct zone_config *a, const struct zone_config *b)
{
	return a->n_disks == b->n_disks && are_all_in(a, b);
}

int
vm_disks_check(const struct zone_config *old, const struct zone_config *c, bool running, struct nrd_err *err)
{
	int r = 0;

	if (!zone_is_guest(c))
		return 0;
	for (size_t i = 0; r == 0 && i < c->n_disks; i++) {
		const struct zone_disk *before = zone_disk_find(old, c->disks[i].path);

		r = before != NULL ? check_kept(before, &c->disks[i], running, err) : 0;
	}
	return r == 0 ? check_room(old, c, err) : r;
}

/* ---- made ---- */

#define PROPS_MAX 12

struct props {
	const char *list[PROPS_MAX];
	size_t n;
	char block[32], reserved[32];
};

static void
prop(struct props *p, const char *name, const char *value)
{
	p->list[p->n++] = name;
	p->list[p->n++] = value;
	p->list[p->n] = NULL;
}

/* Its partitions are the guest's business: the node does not look for any. */
static void
props_of(const struct zone_disk *d, bool cloned, struct props *p)
{
	*p = (struct props){ 0 };
	prop(p, "volmode", "dev");
	(void)snprintf(p->block, sizeof(p->block), "%" PRIu64, d->block_size);
	(void)snprintf(p->reserved, sizeof(p->reserved), "%" PRIu64 "M", d->refreservation);
	if (!cloned)
		prop(p, "volblocksize", p->block);
	prop(p, "refreservation", d->refreservation == 0 ? "none" : p->reserved);
	if (d->compression != NULL)
		prop(p, "compression", d->compression);
}

static int
set_size(struct store *store, const struct zone_disk *d, struct nrd_err *err)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "%" PRIu64 "M", d->size);
	return store_dataset_set(store, d->zfs_filesystem, "volsize", size, err);
}

static int
make(struct store *store, const struct zone_config *c, const struct zone_disk *d, struct nrd_err *err)
{
	NRD_FREE char *snapshot = NULL;
	struct props p;
	int r;

	props_of(d, d->image_uuid != NULL, &p);
	if (d->image_uuid == NULL)
		return store_volume_create(store, d->zfs_filesystem, d->size << 20, p.list, err);
	snapshot = nrd_format("%s/%s@" IMAGE_SNAPSHOT, c->zpool, d->image_uuid);
	if (snapshot == NULL)
		return nrd_nomem(err);
	r = store_dataset_clone(store, snapshot, d->zfs_filesystem, p.list, err);
	if (r == 0 && d->size > d->image_size)
		r = set_size(store, d, err);
	return r;
}

static int
change(struct store *store, const struct zone_disk *old, const struct zone_disk *d, struct nrd_err *err)
{
	char reserved[32];
	int r = 0;

	(void)snprintf(reserved, sizeof(reserved), "%" PRIu64 "M", d->refreservation);
	if (d->size != old->size)
		r = set_size(store, d, err);
	if (r == 0 && d->refreservation != old->refreservation)
		r = store_dataset_set(store, d->zfs_filesystem, "refreservation", d->refreservation == 0 ? "none" : reserved, err);
	if (r == 0 && !nrd_streq(d->compression, old->compression))
		r = d->compression != NULL ? store_dataset_set(store, d->zfs_filesystem, "compression", d->compression, err) :
					     store_dataset_inherit(store, d->zfs_filesystem, "compression", err);
	return r;
}

/* ---- the room they share ---- */

static uint64_t
block_of(struct store *store, const struct zone_config *c, const struct zone_disk *d)
{
	NRD_FREE char *image = d->image_uuid != NULL ? nrd_format("%s/%s", c->zpool, d->image_uuid) : NULL;
	char text[32] = "";
	uint64_t bytes = d->block_size;

	if (bytes != 0)
		return bytes;
	if (store_dataset_get(store, d->zfs_filesystem, "volblocksize", text, sizeof(text), NULL) < 0 && image != NULL)
		(void)store_dataset_get(store, image, "volblocksize", text, sizeof(text), NULL);
	return nrd_parse_u64(text, 512, UINT32_MAX, &bytes, NULL) == 0 ? bytes : DEFAULT_BLOCK;
}

/*
 * A quota of all that is the machine's: its root's own, the room, and what ZFS needs beside a disk's contents, which is not the
 * guest's to count.
 */
static int
room_bytes(struct store *store, const struct zone_config *c, uint64_t *ret_bytes, struct nrd_err *err)
{
	uint64_t all = (c->quota << 30) + (c->flexible_disk_size << 20);
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_disks; i++) {
		const struct zone_disk *d = &c->disks[i];
		uint64_t takes = 0;

		if (!zone_disk_is_volume(d))
			continue;
		r = store_volume_takes(store, c->zpool, d->size << 20, block_of(store, c, d), &takes, err);
		all += takes > d->size << 20 ? takes - (d->size << 20) : 0;
	}
	if (r == 0)
		*ret_bytes = all;
	return r;
}

/* What its root does not use of its part is kept for it, or else snapshots would take it. */
static int
set_room(struct store *store, const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	char all[32] = "none", kept[32] = "none";
	uint64_t bytes = 0;
	int r = 0;

	if (c->flexible_disk_size == 0 && (old == NULL || old->flexible_disk_size == 0))
		return 0;
	if (c->flexible_disk_size != 0)
		r = room_bytes(store, c, &bytes, err);
	if (r == 0 && bytes != 0) {
		(void)snprintf(all, sizeof(all), "%" PRIu64, bytes);
		/* As SmartOS has it: a quota that is all reserved would have no room for what is being freed. */
		(void)snprintf(kept, sizeof(kept), "%" PRIu64, (c->quota << 30) - ((uint64_t)1 << 20));
	}
	if (r == 0)
		r = store_dataset_set(store, c->zfs_filesystem, "refreservation", "none", err);
	if (r == 0)
		r = store_dataset_set(store, c->zfs_filesystem, "quota", all, err);
	if (r == 0 && bytes != 0)
		r = store_dataset_set(store, c->zfs_filesystem, "refreservation", kept, err);
	return nrd_wrap(err, r, "flexible_disk_size");
}

/* The volumes of one that the other has not. */
static int
destroy_others(struct store *store, const struct zone_config *a, const struct zone_config *b, size_t n, struct nrd_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (zone_disk_is_volume(&a->disks[i]) && zone_disk_find(b, a->disks[i].path) == NULL)
			r = nrd_wrap(err, store_dataset_destroy(store, a->disks[i].zfs_filesystem, err), "disk %s", a->disks[i].path);
	return r;
}

int
vm_disks_remove(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r;

	if (!zone_is_guest(c) || are_all_in(old, c))
		return 0;
	r = store_open(&store, err);
	if (r == 0)
		r = destroy_others(store, old, c, old->n_disks, err);
	return r == 0 ? set_room(store, old, c, err) : r;
}

int
vm_disks_make(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	size_t n = 0;
	int r;

	if (!zone_is_guest(c) || (old != NULL && are_all_in(c, old)))
		return 0;
	r = store_open(&store, err);
	if (r == 0)
		r = set_room(store, old, c, err);
	for (; r == 0 && n < c->n_disks; n++)
		if (zone_disk_is_volume(&c->disks[n]) && zone_disk_find(old, c->disks[n].path) == NULL)
			r = nrd_wrap(err, make(store, c, &c->disks[n], err), "disk %s", c->disks[n].path);
	/* Of the last one nothing is there, or what a clone that could not grow is. */
	if (r < 0 && n > 0)
		(void)destroy_others(store, c, old, n, NULL);
	if (r < 0 && old != NULL)
		(void)set_room(store, c, old, NULL);
	return r;
}

int
vm_disks_change(const struct zone_config *old, const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r;

	if (!zone_is_guest(c) || (c->n_disks == 0 && c->flexible_disk_size == 0 && old->flexible_disk_size == 0))
		return 0;
	r = store_open(&store, err);
	if (r == 0)
		r = set_room(store, old, c, err);
	/* What goes has still its part of it: then it is set when that is gone. */
	if (r < 0 && !are_all_in(old, c))
		r = 0;
	for (size_t i = 0; r == 0 && i < c->n_disks; i++) {
		const struct zone_disk *before = zone_disk_find(old, c->disks[i].path);

		if (before != NULL && zone_disk_is_volume(before))
			r = nrd_wrap(err, change(store, before, &c->disks[i], err), "disk %s", before->path);
	}
	return r;
}

static int
clone_disk(struct store *store, const char *snapshot, const struct zone_disk *d, struct nrd_err *err)
{
	size_t len = strcspn(snapshot, "@");
	NRD_FREE char *of = nrd_format("%.*s/%s%s", (int)len, snapshot, strrchr(d->zfs_filesystem, '/') + 1, snapshot + len);
	struct props p;

	if (of == NULL)
		return nrd_nomem(err);
	props_of(d, true, &p);
	return store_dataset_clone(store, of, d->zfs_filesystem, p.list, err);
}

int
vm_disks_clone(const char *snapshot, const struct zone_config *c, struct nrd_err *err)
{
	NRD_AUTO(store) *store = NULL;
	int r = zone_is_guest(c) ? store_open(&store, err) : 0;

	if (r == 0 && store != NULL)
		r = set_room(store, NULL, c, err);
	for (size_t i = 0; r == 0 && zone_is_guest(c) && i < c->n_disks; i++)
		if (zone_disk_is_volume(&c->disks[i]))
			r = nrd_wrap(err, clone_disk(store, snapshot, &c->disks[i], err), "disk %s", c->disks[i].path);
	return r;
}
