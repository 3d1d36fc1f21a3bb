/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/* What a disk holds, found by its signatures on the whole disk and on each partition. */
enum disk_sig_kind {
	DISK_SIG_TABLE,     /* partition table: type "gpt", "dos", ... */
	DISK_SIG_FS,        /* file system: type "ext4", "vfat", ... */
	DISK_SIG_ZFS,       /* member of the pool `label` */
	DISK_SIG_RAID,      /* member of something: "linux_raid_member", "LVM2_member", ... */
	DISK_SIG_CRYPTO,    /* "crypto_LUKS", ... */
	DISK_SIG_OTHER,     /* "swap", ... */
	DISK_SIG_PARTITION, /* a partition on which nothing is known; type is the partition's */
};

struct disk_sig {
	enum disk_sig_kind kind;
	unsigned part; /* number of the partition, 0: the whole disk */
	char *type;
	char *label;   /* NULL: none */
	char *uuid;    /* NULL: none */
};

struct disk_use {
	struct disk_sig *data;
	size_t len;
	size_t cap;
};

/*
 * Reads the signatures of a disk or of an image of one. Nothing is written. "DiskRead" (errno of
 * the cause), "DiskChanging" (-EAGAIN) when the disk contradicts itself.
 */
int disk_use_read(const char *path, struct disk_use *ret_use, struct nrd_err *err);
void disk_use_fini(struct disk_use *use);
void disk_use_cleanup(struct disk_use *use);

/*
 * True when nothing would be lost: no signature at all, or a partition table without
 * partitions.
 */
bool disk_use_is_blank(const struct disk_use *use);

/* True when a file system labelled NEREID (the boot medium's label) is on it. */
bool disk_use_is_boot_medium(const struct disk_use *use);

/*
 * For people: "zfs pool tank on part 1, ext4 'root' on part 2", "gpt, no partitions", "" for
 * nothing. Caller frees; NULL: no memory.
 */
char *disk_use_words(const struct disk_use *use);

/* disk_use_read and disk_use_is_blank at once. */
int disk_is_blank(const char *path, bool *ret_blank, struct nrd_err *err);
