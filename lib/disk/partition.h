/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "inventory.h"
#include "nrd/err.h"

/*
 * A disk of a pool, partitioned:
 *	p1  BIOS boot, 1 MiB                             always
 *	p2  EFI system, FAT32 labelled NEREIDn if asked   not on disks below 6 GiB
 *	p3  ZFS, the rest
 * Everything starts at whole MiB.
 */
#define DISK_ESP_LARGE_BYTES (UINT64_C(2) << 30)   /* from disks of 32 GiB on */
#define DISK_ESP_SMALL_BYTES (UINT64_C(640) << 20) /* from disks of 6 GiB on */

/* 0: a disk of this size gets none. */
uint64_t disk_esp_bytes(uint64_t disk_bytes);

/* What will be written, before it is. Paths are owned. */
struct disk_parts {
	char *disk;         /* "/dev/vda" */
	char *bios;         /* "/dev/vda1" */
	char *esp;          /* "/dev/vda2", NULL: none */
	char *zfs;          /* "/dev/vda3" */
	uint64_t esp_bytes;
	uint64_t zfs_bytes;
};

struct disk_partition_opts {
	/*
	 * Names of disks ("vda") whose contents may be destroyed; NULL terminated or NULL. Any
	 * other disk must be blank.
	 */
	const char *const *force;
	int esp_number; /* n: format p2 with label NEREIDn; -1: leave it unformatted */
};

/*
 * Writes the table, wipes old signatures, waits for the nodes. The disk is looked at again
 * first, whatever the inventory said: "DiskNotBlank" (-EEXIST) when it holds something and force
 * does not name it, "DiskBusy" (-EBUSY) when it is in use (force or not), "DiskReadOnly"
 * (-EROFS), "BootMedium" (-EBUSY) when the node may boot from it, "DiskTooSmall" (-ENOSPC),
 * "DiskPartition" for what fails later.
 */
int disk_partition(const struct disk *disk, const struct disk_partition_opts *opts,
		   struct disk_parts *ret_parts, struct nrd_err *err);

/* The refusals of disk_partition without the act: would it start? */
int disk_partition_check(const struct disk *disk, const struct disk_partition_opts *opts,
			 struct nrd_err *err);

/*
 * Where the partitions of a disk will be; nothing is read or written. "DiskTooSmall", -ENOMEM.
 */
int disk_parts_plan(const struct disk *disk, struct disk_parts *ret_parts, struct nrd_err *err);

/*
 * What sfdisk(8) is told for a plan. Caller frees; NULL: no memory.
 */
char *disk_parts_script(const struct disk_parts *parts);

/*
 * Removes every known signature from a disk and its partitions, the partition table as well. The
 * refusals are those of disk_partition_check, with its opts.
 */
int disk_wipe(const struct disk *disk, const struct disk_partition_opts *opts,
	      struct nrd_err *err);

void disk_parts_fini(struct disk_parts *parts);
void disk_parts_cleanup(struct disk_parts *parts);

/* "/dev/vda", 3: "/dev/vda3"; "/dev/nvme0n1", 3: "/dev/nvme0n1p3". Caller frees; NULL: no memory. */
char *disk_part_path(const char *disk_path, unsigned number);
