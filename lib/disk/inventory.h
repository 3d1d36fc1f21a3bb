/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * The node's disks, as the kernel's sysfs tells them. In the list: everything that can hold a
 * pool or could be mistaken for it. Left out: loop, ram, zram, zvols, device mapper, md, optical
 * and floppy drives, nbd, drives without a medium, partitions, the hidden paths of multipath
 * NVMe.
 */
#define DISK_BUSES(X)                                                                              \
	X(DISK_BUS_UNKNOWN, "-")                                                                   \
	X(DISK_BUS_VIRTIO, "VIRTIO")                                                               \
	X(DISK_BUS_SATA, "SATA")                                                                   \
	X(DISK_BUS_SAS, "SAS")                                                                     \
	X(DISK_BUS_SCSI, "SCSI")                                                                   \
	X(DISK_BUS_NVME, "NVME")                                                                   \
	X(DISK_BUS_USB, "USB")                                                                     \
	X(DISK_BUS_FC, "FC")                                                                       \
	X(DISK_BUS_ISCSI, "ISCSI")                                                                 \
	X(DISK_BUS_MMC, "MMC")                                                                     \
	X(DISK_BUS_XEN, "XEN")

enum disk_bus {
#define DISK_BUS_VALUE(value, text) value,
	DISK_BUSES(DISK_BUS_VALUE)
#undef DISK_BUS_VALUE
};

const char *disk_bus_name(enum disk_bus bus);

/* "SATA" in either case; DISK_BUS_UNKNOWN when there is no such bus. */
enum disk_bus disk_bus_parse(const char *text);

/* A lamp or a condition an enclosure may or may not report. */
enum disk_flag {
	DISK_FLAG_UNKNOWN,
	DISK_FLAG_NO,
	DISK_FLAG_YES,
};

/* One disk; owns its strings. Text that is not known is NULL. */
struct disk {
	char *name;     /* "vda", "nvme0n1" */
	char *path;     /* "/dev/vda" */
	char *vid;      /* vendor */
	char *pid;      /* product, model */
	char *serial;
	char *location; /* "enclosure 5000c500a1 slot 3", "pci slot 4" */
	uint64_t size_bytes;
	uint64_t sector_bytes; /* logical */
	enum disk_bus bus;
	bool ssd;
	bool removable;
	bool read_only;
	enum disk_flag fault;  /* the enclosure's lamps */
	enum disk_flag locate;

	/* What DISK_LIST_USE fills in; without it use is NULL and the rest false. */
	char *use;        /* words for people, "" for a blank disk; see signature.h */
	bool blank;       /* nothing known is on it */
	bool boot_medium; /* holds a file system labelled NEREID: the node may boot from it */
	bool busy;        /* somebody has it open for himself: mounted, in an imported pool, ... */
	char *use_error;  /* why it could not be read; blank is then false */
};

/* Sorted by name as people count: sda, sdb, ... sdz, sdaa; nvme2n1 before nvme10n1. */
struct disk_list {
	struct disk *data;
	size_t len;
	size_t cap;
};

enum disk_list_flags {
	DISK_LIST_USE = 1u << 0, /* also read what the disks hold (opens every disk) */
};

/* Where to look; NULL members are the node's own. Tests give made-up trees. */
struct disk_paths {
	const char *sys; /* "/sys" */
	const char *dev; /* "/dev" */
};

/*
 * Reads the inventory. paths may be NULL. A disk that vanishes meanwhile is left out; a disk
 * that cannot be read has use_error. "DiskList" when sysfs itself cannot be read.
 */
int disk_list_read(const struct disk_paths *paths, unsigned flags, struct disk_list *ret_list,
		   struct nrd_err *err);
void disk_list_fini(struct disk_list *list);
void disk_list_cleanup(struct disk_list *list);

/*
 * The disk called name ("vda" or "/dev/vda"; also its serial number when exactly one disk has
 * it), or NULL.
 */
const struct disk *disk_list_find(const struct disk_list *list, const char *name);

void disk_fini(struct disk *disk);

/* The order of names in a list. */
int disk_name_compare(const char *a, const char *b);
