/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nrd/err.h"
#include "nrd/unpack.h"

/* What the file of an image is, told by its contents and not by its name. */
enum image_kind {
	IMAGE_KIND_STREAM, /* as zfs send makes it */
	IMAGE_KIND_TAR,    /* of a root */
};

struct image_format {
	const struct nrd_packer *packer; /* NULL: not compressed */
	enum image_kind kind;
	/* Of a stream: */
	bool compound;     /* several streams in one (zfs send -R); what follows is not known then */
	bool zvol;
	bool incremental;
};

#define IMAGE_FORMAT_HEAD 512 /* bytes of the contents that tell */

/* head is what the file unpacks to. False: neither a stream nor a tar file. */
bool image_format_tell(const void *head, size_t len, struct image_format *ret_format);

/*
 * fd is a file and is left at its beginning. "UncompressionError" when it cannot be unpacked,
 * "ImageFormat" (-EINVAL) when it is nothing that can be installed.
 */
int image_format_of(int fd, struct image_format *ret_format, struct nrd_err *err);
