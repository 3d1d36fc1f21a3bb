/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdint.h>

#include "nrd/err.h"

/*
 * Disk images of other hypervisors: raw, qcow2, vmdk, vdi, vhdx, vpc (vhd), as QEMU's tools read them. Their headers are a
 * stranger's: qemu-img runs without capabilities, network and privileges to come, and of all files it may open its own
 * libraries, this one for reading, and the one it writes.
 */
struct image_disk {
	char format[16];
	uint64_t bytes; /* of the disk that is in it */
	uint64_t offset, length; /* the part of the file that it is; length 0: all of it */
};

/*
 * disk says which part of the file it is, and is completed. format NULL: found out. "DiskFormat": it is none of these, or
 * refers to another file.
 */
int image_disk_probe(const char *path, const char *format, struct image_disk *disk, struct nrd_err *err);

/* Writes it into a device of at least its size, on which there are only zeros. "DiskConvert". */
int image_disk_write(const char *path, const struct image_disk *disk, const char *device, struct nrd_err *err);
