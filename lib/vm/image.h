/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "image/installed.h"
#include "nrd/err.h"
#include "zone/config.h"

/* The image a machine's root is a clone of. */
struct vm_image {
	char *snapshot; /* NULL: it has none, and is made of the platform */
	uint64_t bytes; /* the snapshot's; 0: not known */
	struct image image; /* where there is one; its manifest may not be known */
};
void vm_image_fini(struct vm_image *image);
void vm_image_cleanup(struct vm_image *image);

/*
 * "ImageNotInstalled" (-ENOENT); "BadImage" (-EINVAL) when no machine of that brand can be made of it.
 * Both messages begin with the property: "image_uuid: ...".
 */
int vm_image_find(const struct zone_config *config, struct vm_image *ret_image, struct nrd_err *err);
