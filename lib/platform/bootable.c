/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Making disks bootable goes in an order in which a disk says it can be started from only when
 * it can: file system and empty layout, then the platform (as any other install), then the boot
 * loaders' files and last the code in the first sector.
 */
#include "platform/bootable.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/signature.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/embed.h"
#include "platform/platform-priv.h"
#include "platform/tally.h"
#include "store/dataset.h"
#include "store/store.h"

#define BOOT_FILE_MAX ((size_t)8 << 20)
#define MKFS_MS (120 * 1000)
#define LABELS_MAX 256

/* What goes on each volume, besides the platforms. */
static const struct {
	const char *from;
	const char *to;
} boot_files[] = {
	{ "grub.cfg", "nereid/grub.cfg" },
	{ "efi-grub.cfg", "EFI/debian/grub.cfg" },
	{ "mmx64.efi", "EFI/BOOT/mmx64.efi" },
	{ "grubx64.efi", "EFI/BOOT/grubx64.efi" },
	/* What firmware looks for comes last. */
	{ "shimx64.efi", "EFI/BOOT/BOOTX64.EFI" },
};

static int
pool_check(const char *pool, struct nrd_err *err)
{
	if (!nrd_streq(pool, PLATFORM_POOL))
		return nrd_fail(err, ENOTSUP, "PoolNotBootable",
				"%s: only the pool %s can be made bootable", pool, PLATFORM_POOL);
	return 0;
}

/*
 * The dataset of the master copies, mounted where everybody sees it: this comes before anything
 * that makes this process's mounts private.
 */
static int
copies_make(struct nrd_err *err)
{
	static const char *const props[] = { "mountpoint", "/" PLATFORM_MASTER, NULL };
	NRD_AUTO(store) *store = NULL;
	int r = store_open(&store, err);

	if (r == 0 && !store_dataset_exists(store, PLATFORM_MASTER))
		r = store_dataset_create(store, PLATFORM_MASTER, props, err);
	if (r == 0)
		r = store_dataset_mount(store, PLATFORM_MASTER, err);
	if (r == 0)
		r = nrd_mkdir_p("/" PLATFORM_MASTER "/nereid/platform", 0755, err);
	return nrd_wrap(err, r, "master copies");
}

/* 0 .. LABELS_MAX - 1 of NEREIDn, or -1. */
static int
label_number(const char *label)
{
	const char *digits = label != NULL ? nrd_starts(label, PLATFORM_LABEL) : NULL;
	uint64_t n;

	if (digits == NULL || nrd_parse_u64(digits, 0, LABELS_MAX - 1, &n, NULL) < 0)
		return -1;
	return (int)n;
}

/* What is on an EFI system partition: its number when it is one of ours, -1 when nothing. */
static int
esp_look(const struct platform_disk *d, int *ret_number, struct nrd_err *err)
{
	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;
	int r = disk_use_read(d->esp, &use, err);

	if (r < 0)
		return r;
	*ret_number = -1;
	if (use.len == 1 && use.data[0].kind == DISK_SIG_FS &&
	    nrd_streq(use.data[0].type, "vfat"))
		*ret_number = label_number(use.data[0].label);
	if (*ret_number >= 0 || disk_use_is_blank(&use))
		return 0;
	words = disk_use_words(&use);
	return nrd_fail(err, EEXIST, "DiskNotBlank",
			"%s holds %s; if that can go: wipefs -a %s", d->esp,
			words != NULL ? words : "something", d->esp);
}

static int
esp_format(const struct platform_disk *d, int number, struct nrd_err *err)
{
	char label[32];
	const char *const argv[] = { "mkfs.vfat", "-F", "32", "-n", label, d->esp, NULL };
	const struct nrd_proc proc = { .argv = argv, .timeout_ms = MKFS_MS };

	(void)snprintf(label, sizeof(label), "%s%d", PLATFORM_LABEL, number);
	return nrd_wrap(err, nrd_run(&proc, NULL, NULL, err), "format %s", d->esp);
}

/* The layout with no version in it and an empty environment. */
static int
esp_lay_out(const struct platform *p, const struct platform_disk *d, struct nrd_err *err)
{
	static const struct platform_grubenv empty;
	/* Its own place: it may be mounted as a volume already. */
	NRD_FREE char *dir = nrd_path_join(p->node.run, "boot/new");
	NRD_FREE char *top = dir != NULL ? nrd_path_join(dir, "nereid/platform") : NULL;
	NRD_FREE char *env = dir != NULL ? nrd_path_join(dir, "nereid/grubenv") : NULL;
	bool repaired;
	int r, end;

	if (top == NULL || env == NULL)
		return nrd_nomem(err);
	r = platform_mount_fat(d->esp, dir, true, &repaired, err);
	if (r < 0)
		return r;
	r = nrd_mkdir_p(top, 0755, err);
	if (r == 0 && !nrd_path_exists(env))
		r = platform_grubenv_write(env, &empty, err);
	end = platform_unmount(dir, r == 0 ? err : NULL);
	return r < 0 ? r : end;
}

/* All disks that can be boot volumes are ones after this; none is touched when one refuses. */
static int
disks_prepare(const struct platform *p, const struct platform_disks *disks, struct nrd_err *err)
{
	bool taken[LABELS_MAX] = { false };
	int next = 0;

	nrd_vec_each(d, disks) {
		int number = -1, r = d->esp != NULL ? esp_look(d, &number, err) : 0;

		if (r < 0)
			return r;
		if (number >= 0)
			taken[number] = true;
	}
	nrd_vec_each(d, disks) {
		int number = -1, r = d->esp != NULL ? esp_look(d, &number, err) : 0;

		if (r < 0)
			return r;
		if (d->esp == NULL)
			continue;
		while (number < 0 && next < LABELS_MAX && taken[next])
			next++;
		if (number < 0 && next == LABELS_MAX)
			return nrd_fail(err, ENOSPC, "PoolNotBootable", "too many disks");
		if (number < 0) {
			taken[next] = true;
			r = esp_format(d, next, err);
		}
		if (r == 0)
			r = esp_lay_out(p, d, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Somewhere a disk must have the partitions for it; otherwise each disk's reason is told. */
static int
disks_check(const struct platform_disks *disks, const char *pool, struct nrd_err *err)
{
	char why[360] = "";

	nrd_vec_each(d, disks) {
		size_t used = strlen(why);

		if (d->esp != NULL)
			return 0;
		(void)snprintf(why + used, sizeof(why) - used, "%s%s: %s", used > 0 ? "; " : "",
			       d->disk, d->why);
	}
	return nrd_fail(err, ENOTSUP, "PoolNotBootable", "pool %s cannot be made bootable: %s",
			pool, why);
}

/* Writes what is different, so that a refresh of a good volume writes nothing. */
static int
boot_file_put(const char *files, const char *from, const char *root, const char *to,
	      struct nrd_err *err)
{
	NRD_FREE char *src = nrd_path_join(files, from);
	NRD_FREE char *dst = nrd_path_join(root, to);
	NRD_FREE char *dir = dst != NULL ? nrd_format("%.*s", (int)(strrchr(dst, '/') - dst), dst)
					 : NULL;
	NRD_FREE char *data = NULL;
	NRD_FREE char *there = NULL;
	size_t len, there_len;
	int r;

	if (src == NULL || dir == NULL)
		return nrd_nomem(err);
	r = nrd_file_read(src, BOOT_FILE_MAX, &data, &len, err);
	if (r < 0)
		return r;
	if (nrd_file_read(dst, BOOT_FILE_MAX, &there, &there_len, NULL) == 0 &&
	    there_len == len && memcmp(there, data, len) == 0)
		return 0;
	r = nrd_mkdir_p(dir, 0755, err);
	if (r == 0)
		r = nrd_file_write(dst, data, len, 0644, err);
	return r < 0 ? r : 1;
}

static int
boot_files_put(const struct platform *p, const struct platform_volume *v, struct nrd_err *err)
{
	int changed = 0;

	for (size_t i = 0; i < nrd_count(boot_files); i++) {
		int r = boot_file_put(p->node.files, boot_files[i].from, v->path,
				      boot_files[i].to, err);

		if (r < 0)
			return r;
		changed |= r;
	}
	return changed;
}

/* Writes len bytes at the front of a device unless they are there. */
static int
device_put(const char *device, const unsigned char *data, size_t len, struct nrd_err *err)
{
	NRD_CLOSE int fd = open(device, O_RDWR | O_CLOEXEC);
	NRD_FREE unsigned char *there = malloc(len);

	if (there == NULL)
		return nrd_nomem(err);
	if (fd < 0)
		return nrd_fail(err, errno, "FileOpen", "open %s: %m", device);
	if (pread(fd, there, len, 0) == (ssize_t)len && memcmp(there, data, len) == 0)
		return 0;
	if (pwrite(fd, data, len, 0) != (ssize_t)len || fsync(fd) < 0)
		return nrd_fail(err, errno, "FileWrite", "write %s: %m", device);
	return 1;
}

static int
boot_image_read(const char *dir, const char *name, unsigned char **ret_data,
	      size_t *ret_len, struct nrd_err *err)
{
	NRD_FREE char *path = nrd_path_join(dir, name);
	char *data = NULL;
	int r;

	if (path == NULL)
		return nrd_nomem(err);
	r = nrd_file_read(path, BOOT_FILE_MAX, &data, ret_len, err);
	*ret_data = (unsigned char *)data;
	return r;
}

static int
bios_put(const struct platform *p, const struct platform_disk *d, struct nrd_err *err)
{
	NRD_FREE unsigned char *boot = NULL;
	NRD_FREE unsigned char *core = NULL;
	size_t boot_len = 0, core_len = 0;
	int r, changed;

	/* A BIOS reads sectors of 512 bytes; disks that have none are UEFI's alone. */
	if (d->bios == NULL || d->sector_bytes != PLATFORM_SECTOR)
		return 0;
	r = boot_image_read(p->node.files, "boot.img", &boot, &boot_len, err);
	if (r == 0)
		r = boot_image_read(p->node.files, "core.img", &core, &core_len, err);
	if (r == 0)
		r = platform_embed_patch(boot, boot_len, core, core_len, d->bios_start,
					 d->bios_bytes, err);
	if (r < 0)
		return r;
	changed = device_put(d->bios, core, core_len, err);
	if (changed < 0)
		return changed;
	r = device_put(d->disk, boot, PLATFORM_MBR_CODE, err);
	return r < 0 ? r : r | changed;
}

/* The loaders, on every volume and its disk. */
static int
loaders_put(struct platform *p, const struct platform_disks *disks, struct nrd_err *err)
{
	struct platform_tally t = { 0 };

	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };
		int changed, r;

		if (v->kind != PLATFORM_ESP)
			continue;
		changed = boot_files_put(p, v, &why);
		r = changed;
		nrd_vec_each(d, disks) {
			if (r < 0 || !nrd_streq(d->esp, v->device))
				continue;
			r = bios_put(p, d, &why);
		}
		platform_tally_add(&t, v->label, r < 0 ? r : r | changed, &why);
	}
	return platform_tally_end(&t, p, err);
}

static int
source_default(struct platform *p, struct platform_source *ret_src, struct nrd_err *err)
{
	static const struct platform_remote none;

	if (p->running[0] != '\0' &&
	    platform_source_open(p, &none, p->running, ret_src, NULL) == 0)
		return 0;
	return platform_source_open_any_media(p, p->running, ret_src, err);
}

static struct platform_opts
opts_for(const struct platform_opts *opts, const char *pool)
{
	struct platform_opts how = *opts;

	how.where = pool;
	how.flags = PLATFORM_WRITE | PLATFORM_EMPTY;
	return how;
}

/* The pool's disks, at least one of which can be made bootable, and the volumes there are. */
static int
look(const struct platform_opts *opts, const char *pool, struct platform_disks *disks,
     struct platform **ret_p, struct nrd_err *err)
{
	const struct platform_opts how = opts_for(opts, pool);
	int r = platform_pool_disks(opts, pool, disks, err);

	if (r == 0)
		r = disks_check(disks, pool, err);
	return r < 0 ? r : platform_open(&how, ret_p, err);
}

/* File systems on the disks that have none, open as volumes. */
static int
make_volumes(const struct platform_opts *opts, const char *pool,
	     const struct platform_disks *disks, struct platform *p, struct nrd_err *err)
{
	const struct platform_opts how = opts_for(opts, pool);
	int r = disks_prepare(p, disks, err);

	return r < 0 ? r : platform_open_more(p, &how, err);
}

int
platform_bootable_enable(const struct platform_opts *opts, const char *pool,
			 const struct platform_remote *remote, const char *spec,
			 struct platform_change *ret_change, struct nrd_err *err)
{
	__attribute__((cleanup(platform_disks_cleanup))) struct platform_disks disks = { 0 };
	__attribute__((cleanup(platform_source_cleanup))) struct platform_source src = { 0 };
	NRD_AUTO(platform) *p = NULL;
	int r = pool_check(pool, err);

	if (r == 0)
		r = copies_make(err);
	if (r == 0)
		r = look(opts, pool, &disks, &p, err);
	if (r == 0)
		r = spec != NULL ? platform_source_open(p, remote, spec, &src, err)
				 : source_default(p, &src, err);
	if (r == 0)
		r = make_volumes(opts, pool, &disks, p, err);
	if (r == 0)
		r = platform_install(p, &src, 0, ret_change, err);
	if (r == 0)
		r = loaders_put(p, &disks, err);
	/* It may lie on one of the volumes. */
	platform_source_fini(&src);
	return r < 0 ? r : platform_close(NRD_TAKE(p), err);
}

/* Gives v all whole versions the others have, and the environment of one that boots. */
static int
volume_catch_up(struct platform *p, struct platform_volume *v, struct nrd_err *err)
{
	int changed = 0, r;

	nrd_vec_each(other, p) {
		for (size_t i = 0; i < other->len; i++) {
			__attribute__((cleanup(platform_source_cleanup)))
			struct platform_source src = { 0 };
			NRD_FREE char *dir = NULL;

			if (other == v || !other->data[i].whole ||
			    platform_volume_find(v, other->data[i].stamp) != NULL)
				continue;
			dir = platform_volume_dir(other, "", other->data[i].stamp);
			if (dir == NULL)
				return nrd_nomem(err);
			r = platform_source_open_dir(dir, &src, err);
			if (r == 0)
				r = platform_volume_copy(v, &src, NULL, NULL, err);
			if (r < 0)
				return r;
			changed = 1;
		}
	}
	nrd_vec_each(other, p) {
		if (v->kind == PLATFORM_COPIES || v->env.current[0] != '\0' ||
		    other->kind == PLATFORM_COPIES || other->env.current[0] == '\0')
			continue;
		r = platform_volume_env_write(v, &other->env, err);
		if (r < 0)
			return r;
		changed = 1;
	}
	return changed;
}

int
platform_bootable_refresh(const struct platform_opts *opts, const char *pool,
			  struct nrd_err *err)
{
	__attribute__((cleanup(platform_disks_cleanup))) struct platform_disks disks = { 0 };
	NRD_AUTO(platform) *p = NULL;
	struct platform_tally t = { 0 };
	bool any = false;
	int r = pool_check(pool, err);

	if (r == 0)
		r = look(opts, pool, &disks, &p, err);
	if (r < 0)
		return r;
	nrd_vec_each(v, p)
		any |= v->len > 0;
	if (!any)
		return nrd_fail(err, ENOENT, "PlatformNotFound",
				"pool %s has no platform yet; make it bootable with: piadm "
				"bootable -e %s", pool, pool);
	r = make_volumes(opts, pool, &disks, p, err);
	if (r < 0)
		return r;
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };

		platform_tally_add(&t, v->label, volume_catch_up(p, v, &why), &why);
	}
	r = platform_tally_end(&t, p, err);
	if (r == 0)
		r = loaders_put(p, &disks, err);
	return r < 0 ? r : platform_close(NRD_TAKE(p), err);
}

static int
volume_disable(const struct platform_disks *disks, const struct platform_volume *v,
	       struct nrd_err *err)
{
	static const unsigned char nothing[PLATFORM_MBR_CODE];
	static const char *const trees[] = { "EFI", "nereid" };
	int r = 0;

	nrd_vec_each(d, disks) {
		if (nrd_streq(d->esp, v->device) && (d->how & PLATFORM_BIOS) != 0)
			r = device_put(d->disk, nothing, sizeof(nothing), err);
	}
	for (size_t i = 0; r >= 0 && i < nrd_count(trees); i++) {
		NRD_FREE char *path = nrd_path_join(v->path, trees[i]);

		r = path == NULL ? nrd_nomem(err) : platform_tree_remove(path, err);
	}
	return r < 0 ? r : 1;
}

int
platform_bootable_disable(const struct platform_opts *opts, const char *pool,
			  struct nrd_err *err)
{
	__attribute__((cleanup(platform_disks_cleanup))) struct platform_disks disks = { 0 };
	struct platform_opts how = *opts;
	NRD_AUTO(platform) *p = NULL;
	struct platform_tally t = { 0 };
	int r = pool_check(pool, err);

	if (r == 0)
		r = platform_pool_disks(opts, pool, &disks, err);
	how.where = pool;
	how.flags = PLATFORM_WRITE;
	if (r == 0)
		r = platform_open(&how, &p, err);
	if (r < 0)
		return r;
	nrd_vec_each(v, p) {
		struct nrd_err why = { 0 };

		if (v->kind == PLATFORM_ESP)
			platform_tally_add(&t, v->label, volume_disable(&disks, v, &why), &why);
	}
	r = platform_tally_end(&t, p, err);
	return r < 0 ? r : platform_close(NRD_TAKE(p), err);
}
