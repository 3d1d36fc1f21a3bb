/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "platform/platform.h"

/*
 * Disks of a pool from which the node can start: partitioned as disk/partition.h says, the EFI
 * system partition a boot volume, GRUB in the BIOS boot partition. Firmware may choose any of
 * them, so all are made alike; a new disk gets the same from the master copies in zones/boot.
 */
enum platform_boot_how {
	PLATFORM_BIOS = 1u << 0,
	PLATFORM_UEFI = 1u << 1,
};

struct platform_disk {
	char *disk;           /* "/dev/vda" */
	char *bios;           /* "/dev/vda1", NULL: no BIOS boot partition */
	char *esp;            /* "/dev/vda2", NULL: none */
	uint64_t bios_start;  /* in sectors of 512 bytes */
	uint64_t bios_bytes;
	uint64_t sector_bytes;
	unsigned how;         /* enum platform_boot_how: what works now */
	char why[160];        /* when esp is NULL: the cause */
};

struct platform_disks {
	struct platform_disk *data;
	size_t len;
	size_t cap;
};

void platform_disks_fini(struct platform_disks *disks);
void platform_disks_cleanup(struct platform_disks *disks);

/* The disks of a pool and how each can be started from. "PoolNotFound" (-ENOENT). */
int platform_pool_disks(const struct platform_opts *opts, const char *pool,
			struct platform_disks *ret_disks, struct nrd_err *err);

/*
 * Makes the pool's disks bootable, with the version `spec` (as platform_source_open; NULL: the
 * running one, else what is on a medium). "PoolNotBootable" (-ENOTSUP) when no disk has room for
 * it, with the cause.
 */
int platform_bootable_enable(const struct platform_opts *opts, const char *pool,
			     const struct platform_remote *remote, const char *spec,
			     struct platform_change *ret_change, struct nrd_err *err);

/* After a disk was replaced: the same, with all versions and the boot environment there is. */
int platform_bootable_refresh(const struct platform_opts *opts, const char *pool,
			      struct nrd_err *err);

/* Takes it away. The master copies stay. */
int platform_bootable_disable(const struct platform_opts *opts, const char *pool,
			      struct nrd_err *err);
