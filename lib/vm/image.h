/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include "nrd/err.h"
#include "zone/config.h"

/*
 * The snapshot a machine's root is a clone of; NULL: it has no image, and is made of the platform.
 * Caller frees. "ImageNotInstalled" (-ENOENT).
 */
int vm_image_find(const struct zone_config *config, char **ret_snapshot, struct nrd_err *err);
