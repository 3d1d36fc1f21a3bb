/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"

/*
 * The disks in an OVA: a tar file of an OVF description and what it names. They are found and not taken out: each is one run
 * of the file's bytes, which QEMU reads where it is.
 */
struct image_ova_disk {
	char *name;
	const char *format; /* of QEMU's, by the name's ending */
	uint64_t offset, bytes;
};

struct image_ova {
	struct { struct image_ova_disk *data; size_t len, cap; } disks;
};
void image_ova_fini(struct image_ova *ova);
void image_ova_cleanup(struct image_ova *ova);

/* Whether a file begins as an OVA must, with a description. */
bool image_ova_is(int fd);

/* One disk at least. "OvaFormat", "TarFormat": it is none, is broken or cut off, or has in it what no OVA has. */
int image_ova_read(int fd, const char *path, struct image_ova *ret_ova, struct nrd_err *err);

/* Which: a name or a number from 1 on; NULL: the first. Borrowed. "NoDisk" (-ENOENT) tells the names that there are. */
int image_ova_choose(const struct image_ova *ova, const char *path, const char *which, const struct image_ova_disk **ret_disk,
		     struct nrd_err *err);
