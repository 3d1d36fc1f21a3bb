/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stddef.h>

#include "err.h"

/* How a file is compressed, told by its first bytes. */
struct nrd_packer {
	const char *name;    /* "gzip": also the program's */
	const char *tar_opt; /* "--gzip" */
};

#define NRD_PACKER_HEAD 6 /* bytes that tell */

/* NULL: not compressed, or in no way known here. */
const struct nrd_packer *nrd_packer_of(const void *head, size_t len);

/*
 * Unpacks a tar file, compressed or not, into a directory that is a root or becomes one: owners,
 * modes and attributes are kept as numbers. A child does it, which does not outlive us and gets the
 * terminal's ^C as we do. fd stands anywhere when it is a file, at the beginning when it is a pipe,
 * which is not to be compressed.
 */
int nrd_untar(int fd, int dir, struct nrd_err *err);
