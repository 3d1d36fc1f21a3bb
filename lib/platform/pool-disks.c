/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "disk/partition.h"
#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "nrd/vec.h"
#include "platform/bootable.h"
#include "platform/embed.h"

#define TYPE_BIOS_BOOT "21686148-6449-6e6f-744e-656564454649"
#define TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static void
disk_fini_one(struct platform_disk *d)
{
	free(d->disk);
	free(d->bios);
	free(d->esp);
}

void
platform_disks_fini(struct platform_disks *disks)
{
	nrd_vec_each(d, disks)
		disk_fini_one(d);
	nrd_vec_fini(disks);
}

void
platform_disks_cleanup(struct platform_disks *disks)
{
	platform_disks_fini(disks);
}

static void
probe_cleanup(blkid_probe *probe)
{
	if (*probe != NULL)
		blkid_free_probe(*probe);
}

/* The partition with this number when it has this type. */
static blkid_partition
part_of_type(blkid_partlist list, int number, const char *type)
{
	blkid_partition part = blkid_partlist_get_partition_by_partno(list, number);
	const char *is = part != NULL ? blkid_partition_get_type_string(part) : NULL;

	return is != NULL && strcasecmp(is, type) == 0 ? part : NULL;
}

static int
disk_table_read(struct platform_disk *d, struct nrd_err *err)
{
	__attribute__((cleanup(probe_cleanup))) blkid_probe probe =
		blkid_new_probe_from_filename(d->disk);
	blkid_partlist list = probe != NULL ? blkid_probe_get_partitions(probe) : NULL;
	blkid_partition part;

	if (list == NULL) {
		(void)snprintf(d->why, sizeof(d->why), "it has no partition table");
		return 0;
	}
	d->sector_bytes = blkid_probe_get_sectorsize(probe);
	part = part_of_type(list, 1, TYPE_BIOS_BOOT);
	if (part != NULL) {
		d->bios_start = (uint64_t)blkid_partition_get_start(part);
		d->bios_bytes = (uint64_t)blkid_partition_get_size(part) * PLATFORM_SECTOR;
		d->bios = disk_part_path(d->disk, 1);
		if (d->bios == NULL)
			return nrd_nomem(err);
	}
	if (part_of_type(list, 2, TYPE_ESP) == NULL) {
		(void)snprintf(d->why, sizeof(d->why),
			       "its second partition is not an EFI system partition");
		return 0;
	}
	d->esp = disk_part_path(d->disk, 2);
	return d->esp == NULL ? nrd_nomem(err) : 0;
}

/* "/dev/vda" of "/dev/vda3"; NULL when it is no partition. */
static char *
disk_of(const char *sys, const char *part)
{
	NRD_FREE char *link = nrd_format("%s/class/block/%s", sys, strrchr(part, '/') + 1);
	NRD_FREE char *number = link != NULL ? nrd_path_join(link, "partition") : NULL;
	NRD_FREE char *real = number != NULL && nrd_path_exists(number) ? realpath(link, NULL)
									 : NULL;
	char *slash = real != NULL ? strrchr(real, '/') : NULL;

	if (slash == NULL)
		return NULL;
	*slash = '\0';
	slash = strrchr(real, '/');
	return slash != NULL ? nrd_format("/dev/%s", slash + 1) : NULL;
}

static int
disk_add(struct platform_disks *disks, const char *sys, const char *leaf, struct nrd_err *err)
{
	struct platform_disk d = { .disk = disk_of(sys, leaf) };
	int r = 0;

	if (d.disk == NULL) {
		d.disk = nrd_format("%s", leaf);
		(void)snprintf(d.why, sizeof(d.why), "ZFS has the whole of it");
	} else {
		r = disk_table_read(&d, err);
	}
	if (r == 0 && (d.disk == NULL || nrd_vec_push(disks, d) < 0))
		r = nrd_nomem(err);
	if (r < 0)
		disk_fini_one(&d);
	return r;
}

static bool
file_exists(const char *dir, const char *name)
{
	NRD_FREE char *path = nrd_path_join(dir, name);

	return path != NULL && access(path, F_OK) == 0;
}

/* What works on it, by looking at its first sector and at its volume where that is open. */
static void
disk_how(struct platform_disk *d, const struct platform *p)
{
	NRD_CLOSE int fd = open(d->disk, O_RDONLY | O_CLOEXEC);
	unsigned char sector[PLATFORM_SECTOR];

	nrd_vec_each(v, p) {
		if (d->esp == NULL || !nrd_streq(v->device, d->esp))
			continue;
		if (file_exists(v->path, "EFI/BOOT/BOOTX64.EFI") &&
		    file_exists(v->path, "EFI/BOOT/grubx64.efi") &&
		    file_exists(v->path, "EFI/debian/grub.cfg"))
			d->how |= PLATFORM_UEFI;
		if (d->bios != NULL && fd >= 0 &&
		    pread(fd, sector, sizeof(sector), 0) == (ssize_t)sizeof(sector) &&
		    platform_embed_is_grub(sector, d->bios_start))
			d->how |= PLATFORM_BIOS;
	}
}

int
platform_pool_disks(const struct platform_opts *opts, const char *pool,
		    struct platform_disks *ret_disks, struct nrd_err *err)
{
	__attribute__((cleanup(platform_disks_cleanup))) struct platform_disks disks = { 0 };
	struct platform_opts how = *opts;
	NRD_AUTO(platform) *p = NULL;
	NRD_AUTO(nrd_buf) out = NRD_BUF_INIT((size_t)1 << 20);
	struct nrd_str rest, line, word;
	int r;

	r = nrd_run_argv(&out, err, "zpool", "list", "-vHPL", "-o", "name", "--", pool, NULL);
	if (r < 0)
		return nrd_fail(err, ENOENT, "PoolNotFound", "%s: no such pool", pool);
	how.where = pool;
	how.flags = PLATFORM_EMPTY;
	r = platform_open(&how, &p, err);
	if (r < 0)
		return r;
	rest = nrd_str(nrd_buf_str(&out));
	while (nrd_str_split(&rest, '\n', &line)) {
		NRD_FREE char *leaf = NULL;

		if (!nrd_str_word(&line, &word))
			continue;
		leaf = nrd_str_dup(word);
		if (leaf == NULL)
			return nrd_nomem(err);
		if (nrd_starts(leaf, "/dev/") == NULL)
			continue;
		r = disk_add(&disks, p->node.sys, leaf, err);
		if (r < 0)
			return r;
	}
	nrd_vec_each(d, &disks)
		disk_how(d, p);
	*ret_disks = disks;
	disks = (struct platform_disks){ 0 };
	return 0;
}
