/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "partition.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "nrd/buf.h"
#include "nrd/file.h"
#include "nrd/mem.h"
#include "nrd/proc.h"
#include "nrd/str.h"
#include "signature.h"

/*
 * The tools are util-linux's and dosfstools': sfdisk takes udev's lock while it writes, tells the
 * kernel, and wipes what the new partitions would otherwise be mistaken for.
 */

#define MIB              (UINT64_C(1) << 20)
#define GIB              (UINT64_C(1) << 30)
#define BIOS_BOOT_BYTES  MIB
#define TABLE_BYTES      MIB /* before the first partition, and as much for the copy at the end */
#define ESP_LARGE_FROM   (32 * GIB)
#define ESP_SMALL_FROM   (6 * GIB)
#define ZFS_MIN_BYTES    (64 * MIB) /* what OpenZFS asks of a device */

#define ESP_MIN_CLUSTERS 66000

#define TYPE_BIOS_BOOT "21686148-6449-6E6F-744E-656564454649"
#define TYPE_ESP       "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define TYPE_ZFS       "6A898CC3-1DD2-11B2-99A6-080020736631"

#define NODES_WAIT_MS 20000 /* slow controllers, slow emulation */
#define NODES_POLL_MS 10
#define TOOL_LIMIT_MS 120000

enum {
	PART_BIOS = 1,
	PART_ESP = 2,
	PART_ZFS = 3,
};

uint64_t
disk_esp_bytes(uint64_t disk_bytes)
{
	if (disk_bytes >= ESP_LARGE_FROM)
		return DISK_ESP_LARGE_BYTES;
	return disk_bytes >= ESP_SMALL_FROM ? DISK_ESP_SMALL_BYTES : 0;
}

char *
disk_part_path(const char *disk_path, unsigned number)
{
	size_t len = strlen(disk_path);
	bool digit = len > 0 && isdigit((unsigned char)disk_path[len - 1]);

	return nrd_format("%s%s%u", disk_path, digit ? "p" : "", number);
}

void
disk_parts_fini(struct disk_parts *parts)
{
	free(parts->disk);
	free(parts->bios);
	free(parts->esp);
	free(parts->zfs);
	*parts = (struct disk_parts){ 0 };
}

void
disk_parts_cleanup(struct disk_parts *parts)
{
	disk_parts_fini(parts);
}

int
disk_parts_plan(const struct disk *disk, struct disk_parts *ret_parts, struct nrd_err *err)
{
	NRD_AUTO(disk_parts) parts = { .esp_bytes = disk_esp_bytes(disk->size_bytes) };
	uint64_t others = TABLE_BYTES + BIOS_BOOT_BYTES + parts.esp_bytes + TABLE_BYTES;

	if (disk->size_bytes < others + ZFS_MIN_BYTES)
		return nrd_fail(err, ENOSPC, "DiskTooSmall",
				"disk %s: has %" PRIu64 " MiB, a pool needs %" PRIu64, disk->name,
				disk->size_bytes / MIB, (others + ZFS_MIN_BYTES) / MIB);
	parts.zfs_bytes = (disk->size_bytes - others) / MIB * MIB;
	parts.disk = strdup(disk->path);
	parts.bios = disk_part_path(disk->path, PART_BIOS);
	parts.zfs = disk_part_path(disk->path, PART_ZFS);
	if (parts.esp_bytes > 0)
		parts.esp = disk_part_path(disk->path, PART_ESP);
	if (parts.disk == NULL || parts.bios == NULL || parts.zfs == NULL ||
	    (parts.esp_bytes > 0 && parts.esp == NULL))
		return nrd_nomem(err);
	*ret_parts = parts;
	parts = (struct disk_parts){ 0 };
	return 0;
}

char *
disk_parts_script(const struct disk_parts *parts)
{
	NRD_AUTO(nrd_buf) b = NRD_BUF_INIT(4096);
	uint64_t start_mib = TABLE_BYTES / MIB;

	(void)nrd_buf_adds(&b, "label: gpt\n");
	(void)nrd_buf_printf(&b, "%s : start=%" PRIu64 "MiB, size=%" PRIu64 "MiB, type=%s, name=bios\n",
			     parts->bios, start_mib, (uint64_t)(BIOS_BOOT_BYTES / MIB),
			     TYPE_BIOS_BOOT);
	start_mib += BIOS_BOOT_BYTES / MIB;
	if (parts->esp != NULL) {
		(void)nrd_buf_printf(
			&b, "%s : start=%" PRIu64 "MiB, size=%" PRIu64 "MiB, type=%s, name=esp\n",
			parts->esp, start_mib, parts->esp_bytes / MIB, TYPE_ESP);
		start_mib += parts->esp_bytes / MIB;
	}
	(void)nrd_buf_printf(&b,
			     "%s : start=%" PRIu64 "MiB, size=%" PRIu64 "MiB, type=%s, name=zfs\n",
			     parts->zfs, start_mib, parts->zfs_bytes / MIB, TYPE_ZFS);
	return nrd_buf_take(&b);
}

static bool
is_forced(const struct disk *disk, const struct disk_partition_opts *opts)
{
	return opts->force != NULL && nrd_strv_has(opts->force, disk->name);
}

static int
check_use(const struct disk *disk, const struct disk_partition_opts *opts, struct nrd_err *err)
{
	NRD_AUTO(disk_use) use = { 0 };
	NRD_FREE char *words = NULL;
	int r = disk_use_read(disk->path, &use, err);

	if (r < 0)
		return nrd_wrap(err, r, "disk %s", disk->name);
	if (disk_use_is_boot_medium(&use))
		return nrd_fail(err, EBUSY, "BootMedium",
				"disk %s: is a boot medium of Nereid; choose another disk", disk->name);
	if (disk_use_is_blank(&use) || is_forced(disk, opts))
		return 0;
	words = disk_use_words(&use);
	if (words == NULL)
		return nrd_nomem(err);
	return nrd_fail(err, EEXIST, "DiskNotBlank",
			"disk %s: holds %s; wipe it, or say that it may be overwritten", disk->name,
			words);
}

int
disk_partition_check(const struct disk *disk, const struct disk_partition_opts *opts,
		     struct nrd_err *err)
{
	/* Not for writing: udev would look at the disk anew when it is closed. */
	NRD_CLOSE int fd = open(disk->path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EBUSY)
		return nrd_fail(err, EBUSY, "DiskBusy",
				"disk %s: is in use; unmount or export what is on it", disk->name);
	if (disk->read_only)
		return nrd_fail(err, EROFS, "DiskReadOnly", "disk %s: is read-only", disk->name);
	if (fd < 0)
		return nrd_fail(err, errno, "DiskRead", "disk %s: open %s: %m", disk->name,
				disk->path);
	return check_use(disk, opts, err);
}

/* "/dev/cciss/c0d0p1": the name of its directory in sysfs is "cciss!c0d0p1". */
static char *
sysfs_path(const char *path, const char *attribute)
{
	const char *name = nrd_starts(path, "/dev/");
	NRD_FREE char *base = strdup(name != NULL ? name : path);

	if (base == NULL)
		return NULL;
	for (char *c = base; (c = strchr(c, '/')) != NULL;)
		*c = '!';
	return nrd_format("/sys/class/block/%s%s", base, attribute);
}

/* Nodes of the partitions the kernel knows now. */
static int
list_partitions(const struct disk *disk, char ***ret_nodes, struct nrd_err *err)
{
	NRD_FREE char *dir_path = sysfs_path(disk->path, "");
	NRD_STRV char **nodes = NULL;
	NRD_CLOSEDIR DIR *dir = dir_path != NULL ? opendir(dir_path) : NULL;
	struct dirent *entry;

	if (dir_path == NULL)
		return nrd_nomem(err);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		NRD_FREE char *attribute = nrd_format("%s/partition", entry->d_name);
		uint64_t number;
		char *node;

		if (attribute == NULL)
			return nrd_nomem(err);
		if (nrd_attr_read_u64(dirfd(dir), attribute, &number, NULL) < 0 || number > 4096)
			continue;
		node = disk_part_path(disk->path, (unsigned)number);
		if (node == NULL || nrd_strv_take(&nodes, node) < 0)
			return nrd_nomem(err);
	}
	*ret_nodes = NRD_TAKE(nodes);
	return 0;
}

static int
run_tool(const char *const *argv, const char *input, struct nrd_err *err)
{
	const struct nrd_proc proc = {
		.argv = argv,
		.input = input,
		.input_len = input != NULL ? strlen(input) : 0,
		.timeout_ms = TOOL_LIMIT_MS,
	};

	return nrd_run(&proc, NULL, NULL, err);
}

/* Signatures on the partitions, then, with `whole`, those of the disk and its table. */
static int
wipe(const struct disk *disk, bool whole, struct nrd_err *err)
{
	NRD_STRV char **nodes = NULL;
	NRD_STRV char **argv = NULL;
	int r = list_partitions(disk, &nodes, err);

	if (r < 0 || (nodes == NULL && !whole))
		return r;
	/* Partitions first: without the table they could not be found again. */
	if (nrd_strv_add(&argv, "wipefs") < 0 || nrd_strv_add(&argv, "--all") < 0 ||
	    nrd_strv_add(&argv, "--quiet") < 0 || nrd_strv_add(&argv, "--lock") < 0)
		return nrd_nomem(err);
	for (size_t i = 0; nodes != NULL && nodes[i] != NULL; i++) {
		if (nrd_strv_add(&argv, nodes[i]) < 0)
			return nrd_nomem(err);
	}
	if (whole && nrd_strv_add(&argv, disk->path) < 0)
		return nrd_nomem(err);
	r = run_tool(NRD_CSTRV(argv), NULL, err);
	return nrd_wrap(err, r, "wipe disk %s", disk->name);
}

int
disk_wipe(const struct disk *disk, const struct disk_partition_opts *opts, struct nrd_err *err)
{
	int r = disk_partition_check(disk, opts, err);

	return r < 0 ? r : wipe(disk, true, err);
}

/* The node is there and the kernel gives the partition this size. */
static bool
node_ready(const char *path, uint64_t bytes)
{
	NRD_FREE char *attribute = sysfs_path(path, "/size");
	struct stat st;
	uint64_t sectors;

	return attribute != NULL && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
	       nrd_attr_read_u64(AT_FDCWD, attribute, &sectors, NULL) == 0 &&
	       sectors * 512 == bytes;
}

static int
wait_for_nodes(const struct disk *disk, const struct disk_parts *parts, struct nrd_err *err)
{
	const char *const settle[] = { "udevadm", "settle", "--timeout=20", NULL };
	const struct timespec pause = { .tv_nsec = NODES_POLL_MS * 1000000L };

	/* Where no udev runs (an initramfs) the kernel alone makes the nodes. */
	(void)run_tool(settle, NULL, NULL);
	for (unsigned ms = 0; ms < NODES_WAIT_MS; ms += NODES_POLL_MS) {
		if (node_ready(parts->bios, BIOS_BOOT_BYTES) &&
		    node_ready(parts->zfs, parts->zfs_bytes) &&
		    (parts->esp == NULL || node_ready(parts->esp, parts->esp_bytes)))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return nrd_fail(err, ETIMEDOUT, "DiskPartition",
			"partition disk %s: %s did not appear within %d s", disk->name, parts->zfs,
			NODES_WAIT_MS / 1000);
}

static int
write_table(const struct disk *disk, const struct disk_parts *parts, struct nrd_err *err)
{
	NRD_FREE char *script = disk_parts_script(parts);
	const char *const argv[] = { "sfdisk", "--quiet", "--lock", "--wipe", "always",
				     "--wipe-partitions", "always", disk->path, NULL };

	if (script == NULL)
		return nrd_nomem(err);
	return nrd_wrap(err, run_tool(argv, script, err), "partition disk %s", disk->name);
}

/*
 * Few large files live there: clusters are as large as FAT32 allows, which makes the tables small
 * and soon written. Below 65525 clusters it would not be FAT32.
 */
static unsigned
esp_cluster_sectors(const struct disk *disk, uint64_t bytes)
{
	uint64_t sectors = bytes / (disk->sector_bytes > 0 ? disk->sector_bytes : 512);
	unsigned size = 32;

	while (size > 1 && sectors / size < ESP_MIN_CLUSTERS)
		size /= 2;
	return size;
}

static int
format_esp(const struct disk *disk, const struct disk_parts *parts, int number,
	   struct nrd_err *err)
{
	NRD_FREE char *label = nrd_format("NEREID%d", number);
	NRD_FREE char *cluster = nrd_format("%u", esp_cluster_sectors(disk, parts->esp_bytes));
	const char *const argv[] = { "mkfs.vfat", "-F", "32", "-s", cluster, "-n", label,
				     parts->esp, NULL };

	if (label == NULL || cluster == NULL)
		return nrd_nomem(err);
	return nrd_wrap(err, run_tool(argv, NULL, err), "format the boot volume of disk %s",
			disk->name);
}

int
disk_partition(const struct disk *disk, const struct disk_partition_opts *opts,
	       struct disk_parts *ret_parts, struct nrd_err *err)
{
	NRD_AUTO(disk_parts) parts = { 0 };
	int r = disk_parts_plan(disk, &parts, err);

	if (r == 0)
		r = disk_partition_check(disk, opts, err);
	if (r == 0)
		r = wipe(disk, false, err);
	if (r == 0)
		r = write_table(disk, &parts, err);
	if (r == 0)
		r = wait_for_nodes(disk, &parts, err);
	if (r == 0 && parts.esp != NULL && opts->esp_number >= 0)
		r = format_esp(disk, &parts, opts->esp_number, err);
	if (r < 0)
		return r;
	*ret_parts = parts;
	parts = (struct disk_parts){ 0 };
	return 0;
}
